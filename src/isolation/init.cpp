#include "isolation/init.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "isolation/kernel_file.hpp"

namespace headroom::isolation {
namespace {

void lower(int resource, std::int64_t most) {
  rlimit limit{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
  const rlim_t value = std::min(static_cast<rlim_t>(most), limit.rlim_max);
  limit = {value, value};
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
}

void limit_resources(const Order& order) {
  lower(RLIMIT_CORE, 0);
  lower(RLIMIT_NOFILE, 65'536);
  // Not the address space, of which many runtimes reserve much more than they use.
  if (order.memory_bytes > 0) lower(RLIMIT_DATA, order.memory_bytes);
  if (order.processes_max > 0) lower(RLIMIT_NPROC, order.processes_max);
}

// In the child, until exec: returns where that fails.
void become_application(const Order& order, int output) {
  ::setsid();
  // A process of root's or of another user's may again be asked what it does by its own user.
  ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  (void)set("/proc/self/oom_score_adj", "0");
  limit_resources(order);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  std::vector<char*> environment;
  for (const std::string& pair : order.environment) environment.push_back(const_cast<char*>(pair.c_str()));
  environment.push_back(nullptr);
  std::string shell = "sh";
  std::string option = "-c";
  std::string run = order.run;
  std::array<char*, 4> words{shell.data(), option.data(), run.data(), nullptr};
  ::execve("/bin/sh", words.data(), environment.data());
}

class Log {
 public:
  Log(const InitFiles& files, std::int64_t most) : files_(files), most_(most) {
    struct stat found {};
    if (::fstat(files.log, &found) == 0) size_ = found.st_size;
  }

  void append(const char* text, std::size_t count) {
    if (size_ + static_cast<std::int64_t>(count) > most_) set_aside();
    while (count > 0) {
      const ssize_t written = ::write(files_.log, text, count);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // a full disk loses the log, not the instance
      size_ += written;
      text += written;
      count -= static_cast<std::size_t>(written);
    }
  }

 private:
  // By content, for this process may neither rename a file there nor open one.
  void set_aside() {
    off_t from = 0;
    ::lseek(files_.older_log, 0, SEEK_SET);
    (void)!::ftruncate(files_.older_log, 0);
    while (::sendfile(files_.older_log, files_.log, &from, static_cast<std::size_t>(size_)) > 0) {
    }
    (void)!::ftruncate(files_.log, 0);
    size_ = 0;
  }

  InitFiles files_;
  std::int64_t most_;
  std::int64_t size_ = 0;
};

class Init {
 public:
  Init(const InitFiles& files, std::int64_t log_bytes_max, pid_t application, int signals, int output)
      : files_(files),
        log_(files, log_bytes_max),
        application_(application),
        signals_(signals),
        output_(output) {}

  [[noreturn]] void stay() {
    while (!over_) {
      std::array<pollfd, 2> ready{pollfd{signals_, POLLIN, 0}, pollfd{output_, POLLIN, 0}};
      if (::poll(ready.data(), ready.size(), -1) < 0) continue;
      if (ready[1].revents != 0) copy_output();
      if (ready[0].revents != 0) handle_signals();
    }
    // What the application wrote last.
    ::fcntl(output_, F_SETFL, O_NONBLOCK);
    while (copy_output()) {
    }
    const std::string line = WIFSIGNALED(status_) ? fmt::format("signalled {}\n", WTERMSIG(status_))
                                                  : fmt::format("exited {}\n", WEXITSTATUS(status_));
    (void)!::write(files_.exit, line.data(), line.size());
    end_what_is_left();
    ::_exit(0);
  }

 private:
  bool copy_output() {
    std::array<char, 65'536> piece;  // as much as a pipe holds
    const ssize_t count = ::read(output_, piece.data(), piece.size());
    if (count > 0) log_.append(piece.data(), static_cast<std::size_t>(count));
    if (count == 0) {
      // All writers have closed it: nothing more comes, and poll would not wait for that.
      ::close(std::exchange(output_, -1));
    }
    return count > 0;
  }

  void handle_signals() {
    signalfd_siginfo signal{};
    while (::read(signals_, &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
      if (signal.ssi_signo != SIGTERM) continue;
      ending_ = true;
      ::kill(-application_, SIGTERM);
    }
    int status = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended != application_) continue;
      status_ = status;
      gone_ = true;
    }
    const bool alone = ended < 0 && errno == ECHILD;
    over_ = gone_ && (!ending_ || alone);
  }

  // In a process namespace the kernel ends all with the first. Without one there are the children, to which
  // orphans are added; theirs become ours when they end.
  void end_what_is_left() const {
    if (::getpid() == 1) return;
    ::kill(-application_, SIGKILL);
    for (int round = 0; round < 1000; ++round) {
      std::istringstream children(
          text_of(fmt::format("/proc/self/task/{}/children", ::getpid())).value_or(""));
      for (pid_t child = 0; children >> child;) ::kill(child, SIGKILL);
      if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) return;
    }
  }

  InitFiles files_;
  Log log_;
  pid_t application_;
  int signals_;
  int output_;
  int status_ = 0;
  bool gone_ = false;    // the application
  bool ending_ = false;  // told to
  bool over_ = false;
};

}  // namespace

base::Error init(const Order& order, const InitFiles& files, int report) {
  // The application, of the same user, shall not look into init or its descriptors.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  sigset_t waited;
  ::sigemptyset(&waited);
  for (const int signal : {SIGTERM, SIGCHLD, SIGINT, SIGHUP, SIGQUIT}) ::sigaddset(&waited, signal);
  ::sigprocmask(SIG_BLOCK, &waited, nullptr);
  const int signals = ::signalfd(-1, &waited, SFD_CLOEXEC | SFD_NONBLOCK);
  std::array<int, 2> output{};
  if (signals < 0 || ::pipe2(output.data(), O_CLOEXEC) != 0) {
    return failed("the output of the instance cannot be read", errno, "raise ulimit -n");
  }
  const pid_t application = ::fork();
  if (application < 0) {
    return failed("the application cannot be forked", errno, "allow it more processes");
  }
  if (application == 0) {
    become_application(order, output[1]);
    const std::string line = nlohmann::json{{"what", fmt::format("/bin/sh cannot be run: error {}", errno)},
                                            {"fix", "is there a shell, and may everybody run it?"}}
                                 .dump() +
                             '\n';
    (void)!::write(report, line.data(), line.size());
    ::_exit(127);
  }
  ::close(report);
  ::close(output[1]);
  Init(files, order.log_bytes_max, application, signals, output[0]).stay();
}

}  // namespace headroom::isolation
