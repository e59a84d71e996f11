#include "versions/build_processes.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "store/descriptor.hpp"

namespace headroom::versions {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kVariable = "HEADROOM_BUILD=";
constexpr int kRounds = 500;
constexpr int kPause = 10;  // milliseconds

// Whether the environment, as it is in /proc, has a mark of this folder or of one below it.
bool is_marked(std::string_view environment, const std::string& mark) {
  for (std::size_t at = environment.find(mark); at != std::string_view::npos;
       at = environment.find(mark, at + 1)) {
    const bool begins = at == 0 || environment[at - 1] == '\0';
    const std::size_t end = at + mark.size();
    if (begins && (end == environment.size() || environment[end] == '\0' || environment[end] == '/'))
      return true;
  }
  return false;
}

// Ends it where it is one. Held by a descriptor, so that its number cannot become another one's meanwhile.
bool end_if_marked(const fs::path& process, const std::string& mark) {
  const pid_t number = static_cast<pid_t>(std::strtol(process.filename().c_str(), nullptr, 10));
  if (number <= 0 || number == ::getpid()) return false;
  const store::Descriptor held(static_cast<int>(::syscall(SYS_pidfd_open, number, 0)));
  if (!held.open()) return false;
  std::ifstream file(process / "environ", std::ios::binary);
  const std::string environment{std::istreambuf_iterator<char>(file), {}};
  if (!is_marked(environment, mark)) return false;
  return ::syscall(SYS_pidfd_send_signal, held.number(), SIGKILL, nullptr, 0) == 0;
}

}  // namespace

std::string build_mark(const fs::path& folder) { return std::string(kVariable) + folder.string(); }

int end_builds_in(const fs::path& folder) {
  const std::string mark = build_mark(folder);
  int ended = 0;
  // Again until none is there: one may have begun another meanwhile, and a killed one lives on for a moment.
  for (int round = 0; round < kRounds; ++round) {
    int found = 0;
    std::error_code error;
    for (fs::directory_iterator entry("/proc", error), last; !error && entry != last;
         entry.increment(error)) {
      if (std::isdigit(static_cast<unsigned char>(entry->path().filename().c_str()[0])) == 0) continue;
      if (end_if_marked(entry->path(), mark)) ++found;
    }
    if (round == 0) ended = found;
    if (found == 0) break;
    ::poll(nullptr, 0, kPause);
  }
  return ended;
}

}  // namespace headroom::versions
