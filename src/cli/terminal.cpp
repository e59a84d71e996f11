#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <string_view>

namespace headroom::cli {
namespace {

std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch it");

// Said at once: what was begun may take seconds to end.
constexpr std::string_view kStopping = "\nStopping in order; once more ends at once.\n";

extern "C" void on_signal(int number) {
  const int error = errno;
  stop_asked.store(true);
  std::signal(number, SIG_DFL);  // the second one ends the program
  // A handler may write in no other way; where that fails there is nobody to tell.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kStopping.data(), kStopping.size());
  errno = error;
}

}  // namespace

ProgressLine::ProgressLine(std::ostream& stream)
    : stream_(stream),
      terminal_(&stream == &std::cerr && isatty(STDERR_FILENO) != 0),
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

Interrupt::Interrupt() {
  stop_asked.store(false);
  interrupted_before_ = std::signal(SIGINT, on_signal);
  terminated_before_ = std::signal(SIGTERM, on_signal);
}

Interrupt::~Interrupt() {
  std::signal(SIGINT, interrupted_before_);
  std::signal(SIGTERM, terminated_before_);
}

const std::atomic<bool>& Interrupt::stop() { return stop_asked; }

}  // namespace headroom::cli
