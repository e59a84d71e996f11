#include "isolation/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "isolation/kernel_file.hpp"

extern char** environ;  // NOLINT: the name is that of POSIX

namespace headroom::isolation {
namespace {

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(0);
    close(1);
  }
  bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  void close(std::size_t end) {
    if (ends[end] >= 0) ::close(std::exchange(ends[end], -1));
  }
};

// Without SIGPIPE for the whole program: the thread blocks it while it writes to a child that may be gone.
class NoBrokenPipe {
 public:
  NoBrokenPipe() {
    ::sigemptyset(&only_);
    ::sigaddset(&only_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
  }
  ~NoBrokenPipe() {
    const timespec none{};
    if (::sigismember(&before_, SIGPIPE) == 0) {
      while (::sigtimedwait(&only_, nullptr, &none) > 0) {
      }
      ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
  }
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;

 private:
  sigset_t only_{};
  sigset_t before_{};
};

// PATH; where libraries are; the options of sanitizers, in tests.
bool needed(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('='));
  return name == "PATH" || name == "LD_LIBRARY_PATH" || name.ends_with("SAN_OPTIONS");
}

int spawn(const std::vector<std::string>& words, const Pipe& in, const Pipe& out, const Pipe& err,
          pid_t& pid) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (needed(*variable)) environment.push_back(*variable);
  }
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.ends[0], 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  ::posix_spawnattr_init(&attributes);
  sigset_t all;
  sigset_t none;
  ::sigfillset(&all);
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const int number =
      ::posix_spawnp(&pid, words[0].c_str(), &actions, &attributes, arguments.data(), environment.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return number;
}

}  // namespace

base::Result<Ran> run(const std::vector<std::string>& words, std::string_view in,
                      base::Milliseconds longest) {
  Pipe to;
  Pipe from;
  Pipe complaints;
  if (!to.open() || !from.open() || !complaints.open()) {
    return failed("no pipe can be made", errno, "raise the limit of open files (ulimit -n)");
  }
  pid_t pid = 0;
  if (const int number = spawn(words, to, from, complaints, pid); number != 0) {
    return failed(fmt::format("{} cannot be started", words[0]), number, "is it installed, and on PATH?");
  }
  to.close(0);
  from.close(1);
  complaints.close(1);
  ::fcntl(to.ends[1], F_SETFL, O_NONBLOCK);
  const NoBrokenPipe guard;
  if (in.empty()) to.close(1);

  Ran ran;
  bool late = false;
  const auto end = std::chrono::steady_clock::now() + longest;
  while (from.ends[0] >= 0 || complaints.ends[0] >= 0) {
    const auto left =
        std::chrono::duration_cast<base::Milliseconds>(end - std::chrono::steady_clock::now()).count();
    std::array<pollfd, 3> ready{pollfd{from.ends[0], POLLIN, 0}, pollfd{complaints.ends[0], POLLIN, 0},
                                pollfd{to.ends[1], POLLOUT, 0}};
    if (left <= 0 || ::poll(ready.data(), ready.size(), static_cast<int>(left)) == 0) {
      late = true;
      ::kill(pid, SIGKILL);
      break;
    }
    std::array<char, 4096> piece{};
    for (auto [which, pipe, text] :
         {std::tuple(0U, &from, &ran.out), std::tuple(1U, &complaints, &ran.err)}) {
      if (ready[which].revents == 0) continue;
      const ssize_t count = ::read(pipe->ends[0], piece.data(), piece.size());
      if (count > 0) {
        text->append(piece.data(), static_cast<std::size_t>(count));
      } else if (count == 0 || errno != EINTR) {
        pipe->close(0);
      }
    }
    if (ready[2].revents != 0) {
      const ssize_t count = ::write(to.ends[1], in.data(), in.size());
      if (count > 0) in.remove_prefix(static_cast<std::size_t>(count));
      if (in.empty() || (count < 0 && errno != EAGAIN && errno != EINTR)) to.close(1);
    }
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (late) {
    return base::unavailable(
        fmt::format("'{}' did not end within {} ms", fmt::join(words, " "), longest.count()),
        "is the machine overloaded?");
  }
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

}  // namespace headroom::isolation
