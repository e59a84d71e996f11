#include "isolation/process.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "base/units.hpp"
#include "isolation/kernel_file.hpp"

namespace headroom::isolation {
namespace {

base::Nanoseconds of_ticks(std::int64_t ticks) {
  static const std::int64_t per_second = ::sysconf(_SC_CLK_TCK);
  return base::Nanoseconds(ticks * (1'000'000'000 / per_second));
}

// A descriptor that means this very process, or -1.
int open_process(const Identity& identity) {
  // By number: the header of glibc 2.36 declares the function for C only.
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, identity.pid, 0));
  if (descriptor < 0) return -1;
  // Looked at after opening: what is open now cannot change its number any more.
  const auto found = process(identity.pid);
  if (found && found->identity == identity) return descriptor;
  ::close(descriptor);
  return -1;
}

}  // namespace

std::optional<Process> process(pid_t pid) {
  const auto text = text_of(fmt::format("/proc/{}/stat", pid));
  // The name, in brackets, can contain anything, blanks and brackets too.
  const std::size_t bracket = text ? text->rfind(')') : std::string::npos;
  if (bracket == std::string::npos) return std::nullopt;
  Process found;
  std::istringstream fields(text->substr(bracket + 1));
  fields >> found.state >> found.parent;
  std::vector<std::int64_t> rest;  // from field 5 on
  for (std::int64_t value = 0; rest.size() < 20 && fields >> value;) rest.push_back(value);
  if (rest.size() < 20) return std::nullopt;
  const auto field = [&](std::size_t number) { return rest[number - 5]; };
  found.identity = {pid, static_cast<std::uint64_t>(field(22))};
  found.cpu = of_ticks(field(14) + field(15));
  found.cpu_ended = of_ticks(field(16) + field(17));
  found.threads = static_cast<int>(field(20));
  found.memory_bytes = field(24) * ::sysconf(_SC_PAGESIZE);
  return found;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  std::error_code ignored;
  for (std::filesystem::directory_iterator at("/proc", ignored), end; !ignored && at != end;
       at.increment(ignored)) {
    const auto pid = base::parse_integer(at->path().filename().string());
    if (pid) pids.push_back(static_cast<pid_t>(*pid));
  }
  return pids;
}

std::optional<uid_t> user_of(pid_t pid) {
  // Not of the folder, which belongs to root where a process has hidden itself.
  const auto text = text_of(fmt::format("/proc/{}/status", pid));
  const std::size_t at = text ? text->find("\nUid:\t") : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  std::istringstream fields(text->substr(at + 6));
  uid_t user = 0;
  fields >> user;
  return user;
}

bool runs(const Identity& identity) {
  if (identity.pid <= 0) return false;
  const auto found = process(identity.pid);
  if (!found || found->identity != identity) return false;
  if (found->state != 'Z' && found->state != 'X') return true;
  // Where this process is the one that inherits orphans, nobody else reaps it.
  ::waitpid(identity.pid, nullptr, WNOHANG);
  return false;
}

void send(const Identity& identity, int signal) {
  const int descriptor = open_process(identity);
  if (descriptor < 0) return;
  ::syscall(SYS_pidfd_send_signal, descriptor, signal, nullptr, 0);
  ::close(descriptor);
}

bool wait_for_end(const Identity& identity, base::Milliseconds longest) {
  const int descriptor = open_process(identity);
  if (descriptor < 0) return true;
  pollfd ended{descriptor, POLLIN, 0};
  const int count = ::poll(&ended, 1, static_cast<int>(longest.count()));
  ::close(descriptor);
  return count > 0 || !runs(identity);
}

}  // namespace headroom::isolation
