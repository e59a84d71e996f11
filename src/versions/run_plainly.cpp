#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "store/descriptor.hpp"
#include "store/system_error.hpp"
#include "versions/build_log.hpp"
#include "versions/build_processes.hpp"
#include "versions/image.hpp"

namespace headroom::versions {
namespace fs = std::filesystem;
using store::Descriptor;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::int64_t kLogBytes = 1 << 20;

// The environment of this process, and what marks the processes of the build.
std::vector<std::string> marked_environment(const fs::path& folder) {
  std::vector<std::string> variables;
  for (char** one = environ; *one != nullptr; ++one) {
    if (!std::string_view(*one).starts_with("HEADROOM_BUILD=")) variables.emplace_back(*one);
  }
  variables.push_back(build_mark(folder));
  return variables;
}

// In the child, where only calls that are safe in a signal handler are allowed. Does not return.
[[noreturn]] void become(const char* folder, const char* command, char* const* variables, int output,
                         pid_t parent) {
  ::setsid();
  // Ends with its parent, however that ends.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (::chdir(folder) == 0) ::execle("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr), variables);
  ::_exit(127);
}

// What there is to read, without waiting for more; false: nothing will come any more.
bool drain(int pipe, BuildLog& log) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
    if (got > 0) log.write({buffer.data(), static_cast<std::size_t>(got)});
    if (got == 0) return false;
    if (got < 0 && errno != EINTR) return errno == EAGAIN;
  }
}

}  // namespace

base::Result<int> run_plainly(const fs::path& folder, const std::string& command, const fs::path& log,
                              base::Milliseconds timeout) {
  return run_while_wanted(folder, command, log, timeout, [] { return false; });
}

base::Result<int> run_while_wanted(const fs::path& folder, const std::string& command,
                                   const fs::path& log_file, base::Milliseconds timeout,
                                   const std::function<bool()>& unwanted) {
  base::Result<BuildLog> log = BuildLog::create(log_file, kLogBytes);
  if (!log) return log.error();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return store::failed_to("create", log_file, errno);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  ::fcntl(reading.number(), F_SETFL, O_NONBLOCK);  // of this end only
  std::vector<std::string> texts = marked_environment(folder);
  std::vector<char*> variables;
  for (std::string& text : texts) variables.push_back(text.data());
  variables.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0)
    return base::unavailable("the build cannot be started: no process is left",
                             "raise the limit (ulimit -u)");
  if (child == 0) become(folder.c_str(), command.c_str(), variables.data(), writing.number(), parent);
  writing = Descriptor();

  const Clock::time_point until = Clock::now() + timeout;
  constexpr int kLook = 20;  // milliseconds, as the next
  constexpr int kPause = 1;
  bool more = true;
  bool late = false;
  bool ended_early = false;
  int status = 0;
  for (;;) {
    if (more) {
      pollfd wait{reading.number(), POLLIN, 0};
      ::poll(&wait, 1, kLook);
      more = drain(reading.number(), *log);
    } else {
      ::poll(nullptr, 0, kLook);
    }
    // Not reaped yet, so that the number of its session cannot be another one's when it is ended.
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid == child)
      break;
    late = Clock::now() >= until;
    ended_early = !late && unwanted();
    if (late || ended_early) break;
  }
  // What it has left running, too.
  ::kill(-child, SIGKILL);
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  // A killed process may run on for a moment. Not for ever: one that nobody reaps stays in its group.
  for (int waited = 0; waited < 2000 && ::kill(-child, 0) == 0; waited += kPause) ::poll(nullptr, 0, kPause);
  // And what has left its session.
  end_builds_in(folder);
  if (more) drain(reading.number(), *log);
  (void)log->finish();  // what is missing in the log says nothing about the build
  if (late) {
    return base::unavailable(fmt::format("the build command {} had not ended after {} and was ended",
                                         base::in_quotes(command), base::format_duration(timeout)),
                             "see what it waits for");
  }
  if (ended_early) {
    return base::unavailable(fmt::format("the build command {} was ended, as nobody waits for it any more",
                                         base::in_quotes(command)),
                             "deploy again");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace headroom::versions
