#include "cli/daemon_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "base/units.hpp"
#include "report/layout.hpp"
#include "store/descriptor.hpp"

namespace headroom::cli {
namespace {

constexpr std::int64_t kBytesMost = 10'000'000;

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

void move_away(const std::filesystem::path& file, const std::vector<int>& outputs, std::int64_t bytes_max) {
  struct stat named {};
  if (::lstat(file.c_str(), &named) != 0 || !S_ISREG(named.st_mode) || named.st_size < bytes_max) return;
  std::vector<int> writing;
  for (const int output : outputs) {
    struct stat opened {};
    if (::fstat(output, &opened) == 0 && is_same(opened, named)) writing.push_back(output);
  }
  if (writing.empty()) return;
  const std::string next = file.string() + ".next";
  const store::Descriptor fresh(
      ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fresh.open()) return;
  // A second name first, so that there is no moment without the file.
  const std::string before = file.string() + ".1";
  const std::string held = before + ".next";
  ::unlink(held.c_str());
  if (::link(file.c_str(), held.c_str()) != 0 || ::rename(held.c_str(), before.c_str()) != 0 ||
      ::rename(next.c_str(), file.c_str()) != 0)
    return;
  for (const int output : writing) ::dup2(fresh.number(), output);
}

void DaemonLog::say(std::string_view what) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto since_1970 = std::chrono::duration_cast<base::Milliseconds>(now.time_since_epoch());
  const std::lock_guard lock(mutex_);
  stream_ << base::format_instant(since_1970) << ' ' << report::visible(what) << std::endl;
  move_away(file_, {STDOUT_FILENO, STDERR_FILENO}, kBytesMost);
}

}  // namespace headroom::cli
