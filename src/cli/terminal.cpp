#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace headroom::cli {
namespace {

std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch it");

// Said at once: what was begun may take seconds to end.
constexpr std::string_view kStopping = "\nStopping in order; once more ends at once.\n";
// Filled before the handler is there.
std::array<char, 200> said_text;
std::size_t said_size = 0;

extern "C" void on_signal(int number) {
  const int error = errno;
  stop_asked.store(true);
  std::signal(number, SIG_DFL);  // the second one ends the program
  // A handler may write in no other way; where that fails there is nobody to tell.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, said_text.data(), said_size);
  errno = error;
}

}  // namespace

bool is_terminal(const std::ostream& stream) {
  return (&stream == &std::cout && isatty(STDOUT_FILENO) != 0) ||
         (&stream == &std::cerr && isatty(STDERR_FILENO) != 0);
}

bool takes_colours(const std::ostream& stream) {
  // Source: no-color.org.
  const char* forbidden = std::getenv("NO_COLOR");
  return is_terminal(stream) && (forbidden == nullptr || *forbidden == '\0');
}

ProgressLine::ProgressLine(std::ostream& stream)
    : stream_(stream),
      terminal_(&stream == &std::cerr && is_terminal(stream)),
      began_(std::chrono::steady_clock::now()) {}

ProgressLine::~ProgressLine() {
  if (drawn_) stream_ << "\r\x1b[K" << std::flush;
}

void ProgressLine::show(const std::string& what, double share) {
  if (!terminal_ || std::chrono::steady_clock::now() - began_ < std::chrono::seconds(1)) return;
  constexpr int kWidth = 40;
  const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * kWidth);
  stream_ << fmt::format("\r\x1b[K{} [{:#<{}}{:.<{}}] {:3.0f} %", what, "", filled, "", kWidth - filled,
                         100 * share)
          << std::flush;
  drawn_ = true;
}

Interrupt::Interrupt() : Interrupt(kStopping) {}

Interrupt::Interrupt(std::string_view said) {
  stop_asked.store(false);
  said_size = said.copy(said_text.data(), said_text.size());
  interrupted_before_ = std::signal(SIGINT, on_signal);
  terminated_before_ = std::signal(SIGTERM, on_signal);
}

Interrupt::~Interrupt() {
  std::signal(SIGINT, interrupted_before_);
  std::signal(SIGTERM, terminated_before_);
}

const std::atomic<bool>& Interrupt::stop() { return stop_asked; }

}  // namespace headroom::cli
