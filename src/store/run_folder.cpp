#include "store/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
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

base::Result<std::vector<fs::path>> remove_abandoned(const fs::path& runs) {
  base::Result<std::vector<fs::path>> folders = folders_in(runs);
  if (!folders) return folders.error();
  std::vector<fs::path> removed;
  for (const fs::path& folder : *folders) {
    const std::string name = folder.filename().string();
    if (!name.starts_with(kPartial) || !starts_with_time(std::string_view(name).substr(kPartial.size())))
      continue;
    const Descriptor file = open_folder(folder);
    if (!file.open() || try_lock(file) != Lock::taken || !is_named(file, folder)) continue;
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

base::Result<void> RunFolder::write(std::string_view file_name, std::string_view content) {
  const fs::path name(file_name);
  if (partial_.empty()) broken("that nothing is written after finish()");
  if (name != name.filename() || name.empty() || name == "." || name == "..") broken("plain file names");
  written_ = true;
  return write_file_atomically(partial_ / name, content);
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
