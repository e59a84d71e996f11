// Terminal: whether there is one, progress while long work runs, and Ctrl-C that ends it in order.
#pragma once

#include <atomic>
#include <chrono>
#include <iosfwd>
#include <string>
#include <string_view>

namespace headroom::cli {

// Whether what is written to it comes to a terminal: standard output or standard error that is one.
bool is_terminal(const std::ostream& stream);

// Whether it may have colours: a terminal, and NO_COLOR does not forbid it.
bool takes_colours(const std::ostream& stream);

// One line on the terminal that is redrawn and goes away at the end; nothing where the stream is no terminal
// or the work takes less than a second.
class ProgressLine {
 public:
  explicit ProgressLine(std::ostream& stream);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const std::string& what, double share);

 private:
  std::ostream& stream_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point began_;
};

// While it lives (one at a time), the first Ctrl-C (or SIGTERM) sets stop() and says `said` on standard
// error, of which at most 200 bytes; the second ends the program at once.
class Interrupt {
 public:
  Interrupt();
  explicit Interrupt(std::string_view said);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static const std::atomic<bool>& stop();

 private:
  using Handler = void (*)(int);
  Handler interrupted_before_;
  Handler terminated_before_;
};

}  // namespace headroom::cli
