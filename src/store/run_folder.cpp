#include "store/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <system_error>

#include "store/file.hpp"
#include "store/system_error.hpp"

namespace headroom::store {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPartial = ".partial-";
constexpr std::size_t kLongestName = 100;  // of 255 bytes: room for the time, the number and a suffix

[[noreturn]] void broken(std::string_view rule) {
  fmt::print(stderr, "store::RunFolder requires {}\n", rule);
  std::abort();
}

std::string plain_name(std::string_view name) {
  std::string plain(name.substr(0, kLongestName));
  for (char& c : plain) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '-' && c != '_' && c != '.') c = '-';
  }
  return plain.empty() ? "run" : plain;
}

// "20240216T210000Z-" at the start: the shape that only this file gives to names.
bool starts_with_time(std::string_view name) {
  constexpr std::string_view shape = "00000000T000000Z-";
  if (name.size() <= shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = name[i] >= '0' && name[i] <= '9';
    if (shape[i] == '0' ? !digit : name[i] != shape[i]) return false;
  }
  return true;
}

Descriptor open_folder(const fs::path& folder) {
  return Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

// Names of the folders in `runs`, sorted; the order of a directory is not defined.
base::Result<std::vector<fs::path>> folders_in(const fs::path& runs) {
  std::error_code error;
  std::vector<fs::path> folders;
  for (fs::directory_iterator entry(runs, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;  // it may have vanished meanwhile
    if (entry->symlink_status(ignored).type() == fs::file_type::directory) folders.push_back(entry->path());
  }
  if (error) return failed_to("read", runs, error.value());
  std::sort(folders.begin(), folders.end());
  return folders;
}

base::Milliseconds since_last_write(const Descriptor& folder) {
  struct stat status {};
  if (::fstat(folder.number(), &status) != 0) return base::Milliseconds(0);
  return base::Milliseconds((static_cast<std::int64_t>(::time(nullptr)) - status.st_mtim.tv_sec) * 1000);
}

base::Result<std::vector<fs::path>> remove_abandoned(const fs::path& runs) {
  base::Result<std::vector<fs::path>> folders = folders_in(runs);
  if (!folders) return folders.error();
  std::vector<fs::path> removed;
  for (const fs::path& folder : *folders) {
    const std::string name = folder.filename().string();
    if (!name.starts_with(kPartial) || !starts_with_time(std::string_view(name).substr(kPartial.size())))
      continue;
    const Descriptor file = open_folder(folder);
    if (!file.open()) continue;
    const Lock state = try_lock(file);
    if (state == Lock::held || !is_named(file, folder)) continue;
    if (state == Lock::unsupported && !abandoned_without_lock(name, since_last_write(file))) continue;
    std::error_code error;
    fs::remove_all(folder, error);
    // What cannot be removed (another user's, say) hinders no run.
    if (!error) removed.push_back(folder);
  }
  return removed;
}

}  // namespace

std::string time_in_name(base::Milliseconds since_1970) {
  namespace chrono = std::chrono;
  const chrono::sys_time<base::Milliseconds> time(since_1970);
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(chrono::floor<chrono::seconds>(time - day));
  const int year = static_cast<int>(date.year());
  if (year < 1970 || year > 9999) broken("a time between the years 1970 and 9999");
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", year, static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

base::Result<RunFolder> RunFolder::create(const fs::path& runs, base::Milliseconds now,
                                          std::string_view name) {
  std::error_code error;
  fs::create_directories(runs, error);
  if (error) return failed_to("create", runs, error.value());

  // While this is held, no folder is between being made and being locked.
  const Descriptor creating = open_folder(runs);
  if (creating.open()) lock(creating);

  RunFolder folder;
  base::Result<std::vector<fs::path>> removed = remove_abandoned(runs);
  if (!removed) return removed.error();
  folder.removed_ = std::move(*removed);

  const std::string final_name = fmt::format("{}-{}", time_in_name(now), plain_name(name));
  folder.wanted_ = runs / final_name;
  for (int attempt = 0;; ++attempt) {
    const fs::path partial = runs / fmt::format("{}{}-{}-{}", kPartial, final_name, ::getpid(), attempt);
    if (::mkdir(partial.c_str(), 0777) != 0) {
      if (errno == EEXIST) continue;
      return failed_to("create", partial, errno);
    }
    folder.lock_ = open_folder(partial);
    if (!folder.lock_.open()) return failed_to("create", partial, errno);
    (void)try_lock(folder.lock_);  // nobody else knows the folder yet; a system without locks removes nothing
    folder.partial_ = partial;
    return folder;
  }
}

base::Result<void> RunFolder::write(std::string_view name, std::string_view content) {
  const fs::path path(name);
  if (partial_.empty()) broken("that nothing is written after finish()");
  bool plain = path.is_relative() && path.has_filename();
  for (const fs::path& part : path) plain = plain && part != "." && part != "..";
  if (!plain) broken("names within the folder");
  written_ = true;
  std::error_code error;
  const fs::path target = partial_ / path;
  fs::create_directories(target.parent_path(), error);
  if (error) return failed_to("create", target.parent_path(), error.value());
  return write_file_atomically(target, content);
}

base::Result<fs::path> RunFolder::finish() {
  if (partial_.empty() || !written_) broken("a file before finish(), and finish() once");
  for (int number = 1;; ++number) {
    fs::path target = wanted_;
    if (number > 1) target += fmt::format("-{}", number);
    // rename() refuses to replace a folder with files in it, in one step with the test: two runs that finish
    // at once cannot take the same name. A file in the way gives ENOTDIR.
    if (::rename(partial_.c_str(), target.c_str()) == 0) {
      partial_.clear();
      const base::Result<void> synchronised = synchronise_folder(target.parent_path());
      if (!synchronised) return synchronised.error();
      return target;
    }
    if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) return failed_to("create", target, errno);
  }
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : partial_(std::exchange(other.partial_, {})),
      wanted_(std::move(other.wanted_)),
      removed_(std::move(other.removed_)),
      lock_(std::move(other.lock_)),
      written_(other.written_) {}

RunFolder::~RunFolder() {
  if (partial_.empty()) return;
  std::error_code ignored;  // if it fails, the next create() will remove it
  fs::remove_all(partial_, ignored);
}

base::Result<std::vector<fs::path>> sweep(const fs::path& runs) {
  std::error_code error;
  if (!fs::exists(runs, error)) return std::vector<fs::path>();
  const Descriptor creating = open_folder(runs);
  if (creating.open()) lock(creating);
  return remove_abandoned(runs);
}

bool abandoned_without_lock(std::string_view folder_name, base::Milliseconds since_last_write) {
  // "...-PID-N"
  const std::size_t number = folder_name.rfind('-');
  const std::size_t process = number == std::string_view::npos || number == 0
                                  ? std::string_view::npos
                                  : folder_name.rfind('-', number - 1);
  if (process == std::string_view::npos) return false;
  pid_t pid = 0;
  const char* end = folder_name.data() + number;
  const auto read = std::from_chars(folder_name.data() + process + 1, end, pid);
  if (read.ec != std::errc() || read.ptr != end || pid <= 0) return false;
  const bool gone = ::kill(pid, 0) != 0 && errno == ESRCH;
  return gone && since_last_write >= std::chrono::hours(24);
}

base::Result<std::vector<fs::path>> finished_runs(const fs::path& runs) {
  std::error_code error;
  if (!fs::exists(runs, error)) return std::vector<fs::path>();
  base::Result<std::vector<fs::path>> folders = folders_in(runs);
  if (!folders) return folders;
  std::erase_if(*folders,
                [](const fs::path& folder) { return !starts_with_time(folder.filename().string()); });
  return folders;
}

}  // namespace headroom::store
