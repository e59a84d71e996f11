#include "balancer/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/units.hpp"
#include "store/descriptor.hpp"
#include "store/file.hpp"

namespace headroom::balancer {
namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;
constexpr base::Milliseconds kLookEvery{5};

// Of /proc, whose files have no size and no large contents; empty: not readable.
std::string contents_of(const fs::path& file) {
  const base::Result<std::string> text = store::read_file(file, std::uint64_t{16} << 20U);
  return text ? *text : std::string();
}

std::vector<std::string> fields_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> fields;
  for (std::string field; stream >> field;) fields.push_back(field);
  return fields;
}

// The words that the process was started with.
std::vector<std::string> command_line_of(int pid) {
  std::vector<std::string> words;
  const std::string text = contents_of(fmt::format("/proc/{}/cmdline", pid));
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::optional<int> pid_in(const fs::path& file) {
  const std::vector<std::string> fields = fields_of(contents_of(file));
  if (fields.empty()) return std::nullopt;
  const auto pid = base::parse_integer(fields[0]);
  if (!pid || *pid < 1 || *pid > 1 << 30) return std::nullopt;
  return static_cast<int>(*pid);
}

struct Outcome {
  bool ended = false;
  int status = 0;  // of waitpid()
  std::string text;
};

// Waits for a child and reads what it writes meanwhile; the pipe may be held open longer by the daemon.
Outcome collect(pid_t child, const store::Descriptor& output, base::Milliseconds patience) {
  constexpr std::size_t kLongest = 16'384;
  Outcome outcome;
  const auto until = Clock::now() + patience;
  const auto read_all = [&] {
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t got = ::read(output.number(), buffer.data(), buffer.size());
      if (got <= 0) return;
      const std::size_t room = kLongest - std::min(kLongest, outcome.text.size());
      outcome.text.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
    }
  };
  for (;;) {
    const pid_t ended = ::waitpid(child, &outcome.status, WNOHANG);
    read_all();
    // Where the caller ignores SIGCHLD its children vanish by themselves (ECHILD).
    outcome.ended = ended == child || (ended < 0 && errno == ECHILD);
    if (outcome.ended || Clock::now() > until) return outcome;
    std::this_thread::sleep_for(kLookEvery);
  }
}

// "[ALERT]    (123) : config : ..." without what is only for a terminal; the first of them says what matters.
std::string complaint(const std::string& text) {
  std::istringstream lines(text);
  std::string alerts;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("[ALERT]")) continue;
    const std::size_t begin = line.find(" : ");
    if (begin == std::string::npos || line.find("Fatal errors found") != std::string::npos) continue;
    if (!alerts.empty()) alerts += "; ";
    alerts += line.substr(begin + 3);
    if (alerts.size() > 1000) break;
  }
  return alerts.empty() ? text.substr(0, 1000) : alerts;
}

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

Address address_of(const Bind& bind) {
  Address address;
  auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, bind.host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(static_cast<std::uint16_t>(bind.port));
    address.length = sizeof *four;
  } else if (inet_pton(AF_INET6, bind.host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(static_cast<std::uint16_t>(bind.port));
    address.length = sizeof *six;
  }
  return address;
}

// 0, or the error number of binding there as HAProxy does.
int try_bind(const Bind& bind) {
  const Address address = address_of(bind);
  const store::Descriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.open()) return errno;
  const int one = 1;
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  return ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) == 0
             ? 0
             : errno;
}

// The inodes of sockets that listen on the port; /proc/net/tcp: 1 "ADDRESS:PORT" in hexadecimal, 3 state (0A
// is listening), 9 inode.
std::vector<std::string> listeners_on(int port) {
  std::vector<std::string> inodes;
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::istringstream lines(contents_of(file));
    for (std::string line; std::getline(lines, line);) {
      const std::vector<std::string> fields = fields_of(line);
      if (fields.size() > 9 && fields[3] == "0A" && fields[1].ends_with(fmt::format(":{:04X}", port))) {
        inodes.push_back("socket:[" + fields[9] + "]");
      }
    }
  }
  return inodes;
}

// "nginx (process 812)", or empty where that cannot be seen.
std::string holder_of(int port) {
  const std::vector<std::string> inodes = listeners_on(port);
  std::error_code error;
  for (fs::directory_iterator process("/proc", error), end; !error && process != end;
       process.increment(error)) {
    const std::string pid = process->path().filename().string();
    if (!base::parse_unsigned(pid)) continue;
    std::error_code closed;
    for (fs::directory_iterator file(process->path() / "fd", closed), last; !closed && file != last;
         file.increment(closed)) {
      std::error_code gone;
      const std::string target = fs::read_symlink(file->path(), gone).string();
      if (gone || std::find(inodes.begin(), inodes.end(), target) == inodes.end()) continue;
      const std::vector<std::string> name = fields_of(contents_of(process->path() / "comm"));
      return fmt::format("{} (process {})", name.empty() ? "a process" : name[0], pid);
    }
  }
  return {};
}

}  // namespace

std::optional<Process> process_of(int pid) {
  const std::string text = contents_of(fmt::format("/proc/{}/stat", pid));
  // The name, field 2, is in parentheses and may hold blanks and parentheses itself.
  const std::size_t name_ends = text.rfind(')');
  if (name_ends == std::string::npos) return std::nullopt;
  const std::vector<std::string> fields = fields_of(text.substr(name_ends + 1));  // from field 3, the state
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  const auto ticks = base::parse_unsigned(fields[19]);
  if (!ticks) return std::nullopt;
  return Process{pid, *ticks};
}

bool runs(const Process& process) { return process.pid > 0 && process_of(process.pid) == process; }

base::Milliseconds started_at(const Process& process) {
  std::istringstream lines(contents_of("/proc/stat"));
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> fields = fields_of(line);
    if (fields.size() < 2 || fields[0] != "btime") continue;
    const auto booted = base::parse_integer(fields[1]);
    const auto per_second = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
    return base::Milliseconds(booted.value_or(0) * 1000 +
                              static_cast<std::int64_t>(process.start_ticks * 1000 / per_second));
  }
  return base::Milliseconds(0);
}

std::optional<Process> find_running(const Settings& settings) {
  const std::optional<int> pid = pid_in(process_file(settings));
  if (!pid) return std::nullopt;
  const std::optional<Process> process = process_of(*pid);
  if (!process) return std::nullopt;
  // The number may be another process's by now: ours was started with our configuration.
  const std::vector<std::string> words = command_line_of(*pid);
  const bool ours =
      std::find(words.begin(), words.end(), configuration_file(settings).string()) != words.end();
  return ours && runs(*process) ? process : std::nullopt;
}

base::Result<Process> launch(const Settings& settings, const fs::path& program,
                             const std::optional<Process>& replaced, base::Milliseconds patience) {
  std::vector<std::string> words = {program.string(),
                                    "-D",
                                    "-f",
                                    configuration_file(settings).string(),
                                    "-p",
                                    process_file(settings).string()};
  if (replaced) {
    words.insert(words.end(),
                 {"-x", admin_socket_file(settings).string(), "-sf", std::to_string(replaced->pid)});
  }
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  std::array<int, 2> pipe{-1, -1};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    return base::unavailable(fmt::format("no pipe for HAProxy: {}", std::generic_category().message(errno)));
  }
  const store::Descriptor output(pipe[0]);
  store::Descriptor input(pipe[1]);
  ::fcntl(output.number(), F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, input.number(), 2);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  char* no_environment = nullptr;
  pid_t child = 0;
  const int number =
      ::posix_spawn(&child, program.c_str(), &actions, &attributes, arguments.data(), &no_environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  input = {};
  if (number != 0) {
    return base::unavailable(
        fmt::format("{}: cannot be started: {}", program.string(), std::generic_category().message(number)),
        "install the package haproxy (apt-get install haproxy)");
  }

  const Outcome outcome = collect(child, output, patience);
  if (!outcome.ended) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return base::unavailable(
        fmt::format("{}: HAProxy did not start within {}", settings.service, base::format_duration(patience)),
        "see whether the machine is overloaded, and try again");
  }
  std::optional<Process> started = find_running(settings);
  const bool fine = WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0;
  if (!fine || !started || started == replaced) {
    return base::bad_input(
        fmt::format("the balancer of {} does not start: {}", settings.service,
                    outcome.text.empty() ? "HAProxy ended" : complaint(outcome.text)),
        fmt::format("try it by hand: {} -c -f {}", program.string(), configuration_file(settings).string()));
  }
  return *started;
}

base::Result<void> end(const Process& process, base::Milliseconds grace) {
  struct Step {
    int signal;
    base::Milliseconds patience;
  };
  constexpr base::Milliseconds kHard{2'000};
  // SIGUSR1: listens no more, finishes its requests; SIGTERM: ends at once (Management Guide, 4).
  for (const Step& step :
       {Step{SIGUSR1, grace}, Step{SIGTERM, base::Milliseconds(200)}, Step{SIGKILL, kHard}}) {
    if (!runs(process)) return {};
    if (::kill(process.pid, step.signal) != 0 && errno != ESRCH) {
      return base::unavailable(fmt::format("the balancer, process {}, cannot be ended: {}", process.pid,
                                           std::generic_category().message(errno)),
                               "end it as the user who started it");
    }
    const auto until = Clock::now() + step.patience;
    while (runs(process) && Clock::now() < until) std::this_thread::sleep_for(kLookEvery);
  }
  if (!runs(process)) return {};
  return base::unavailable(fmt::format("the balancer, process {}, does not end", process.pid),
                           "see in which system call it waits: /proc/PID/stack");
}

base::Result<void> ports_are_free(const std::vector<Bind>& binds) {
  std::vector<base::Fault> faults;
  for (const Bind& bind : binds) {
    const int number = try_bind(bind);
    if (number == 0) continue;
    if (number == EADDRINUSE) {
      const std::string holder = holder_of(bind.port);
      faults.push_back({{},
                        fmt::format("port {} of {} is in use{}{}", bind.port, bind.host,
                                    holder.empty() ? "" : " by ", holder),
                        "end what uses it, or give the service another port"});
    } else if (number == EACCES) {
      faults.push_back({{},
                        fmt::format("port {} of {} may not be used by this user", bind.port, bind.host),
                        "use a port from 1024 on, or start as root"});
    } else if (number == EADDRNOTAVAIL) {
      faults.push_back({{},
                        fmt::format("{} is no address of this machine", bind.host),
                        "listen on 127.0.0.1, or on 0.0.0.0 for all of them"});
    } else {
      faults.push_back({{},
                        fmt::format("{} cannot be listened on: {}", to_string(bind),
                                    std::generic_category().message(number)),
                        "choose another address or port"});
    }
  }
  if (!faults.empty()) return base::Error{base::ErrorKind::bad_input, std::move(faults)};
  return {};
}

}  // namespace headroom::balancer
