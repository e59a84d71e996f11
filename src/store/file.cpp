#include "store/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "store/descriptor.hpp"
#include "store/system_error.hpp"

namespace headroom::store {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kReadStep = 1U << 20U;

std::string partial_prefix(const fs::path& target) { return "." + target.filename().string() + ".partial-"; }

// A partial file belongs to a living writer as long as its lock is held.
void remove_abandoned(const fs::path& target) {
  const std::string prefix = partial_prefix(target);
  std::error_code error;
  std::vector<fs::path> candidates;
  for (fs::directory_iterator entry(target.parent_path(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::string_view rest = std::string_view(name).substr(std::min(prefix.size(), name.size()));
    const bool digits = !rest.empty() && rest.find_first_not_of("0123456789-") == std::string_view::npos;
    if (name.starts_with(prefix) && digits) candidates.push_back(entry->path());
  }
  for (const fs::path& candidate : candidates) {
    const Descriptor file(::open(candidate.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.open() && try_lock(file) == Lock::taken && is_named(file, candidate))
      ::unlink(candidate.c_str());
  }
}

struct Partial {
  fs::path path;
  Descriptor file;
};

base::Result<Partial> create_partial(const fs::path& target) {
  for (int attempt = 0;; ++attempt) {
    Partial partial;
    partial.path = target.parent_path() / fmt::format("{}{}-{}", partial_prefix(target), ::getpid(), attempt);
    partial.file = Descriptor(::open(partial.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!partial.file.open()) {
      if (errno == EEXIST) continue;  // of another thread, or left by a process of the same number
      return failed_to("write", target, errno);
    }
    // Between creating and locking, another writer may have taken the file for an abandoned one.
    if (try_lock(partial.file) != Lock::held && is_named(partial.file, partial.path)) return partial;
  }
}

// 0, or the error number.
int write_all(const Descriptor& file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written =
        ::write(file.number(), content.data(), std::min<std::size_t>(content.size(), 1U << 30U));
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file.number()) == 0 ? 0 : errno;
}

}  // namespace

base::Result<std::string> read_file(const fs::path& path, std::uint64_t limit_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.open() || ::fstat(file.number(), &status) != 0) return failed_to("read", path, errno);
  if (S_ISDIR(status.st_mode)) return failed_to("read", path, EISDIR);
  const auto too_large = [&] {
    return base::bad_input(base::Place{path.string()},
                           fmt::format("larger than {} bytes, the most that is read", limit_bytes),
                           "name the right file, or cut it into parts");
  };
  std::string content;
  if (S_ISREG(status.st_mode)) {
    if (static_cast<std::uint64_t>(status.st_size) > limit_bytes) return too_large();
    content.reserve(static_cast<std::size_t>(status.st_size) + 1);
  }
  // Read to the end rather than to the size: a file may grow meanwhile, and pipes and /proc have no size.
  for (;;) {
    const std::size_t before = content.size();
    const std::size_t room = std::max(content.capacity() - before, std::min(kReadStep, before + 4096));
    content.resize(before + room);
    const ssize_t got = ::read(file.number(), content.data() + before, room);
    const int error = errno;
    content.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return content;
    if (got < 0 && error != EINTR) return failed_to("read", path, error);
    if (content.size() > limit_bytes) return too_large();
  }
}

base::Result<void> write_file_atomically(const fs::path& path, std::string_view content) {
  std::error_code error;
  fs::path target = path;
  if (fs::is_symlink(path, error)) {
    target = fs::weakly_canonical(path, error);
    if (error) return failed_to("write", path, error.value());
  }
  if (target.filename().empty() || fs::is_directory(target, error)) return failed_to("write", path, EISDIR);
  if (!target.has_parent_path()) target = fs::path(".") / target;

  remove_abandoned(target);
  base::Result<Partial> created = create_partial(target);
  if (!created) return created.error();
  const Partial& partial = *created;
  const auto give_up = [&](int number) {
    ::unlink(partial.path.c_str());
    return failed_to("write", path, number);
  };

  struct stat old {};
  if (::stat(target.c_str(), &old) == 0 && ::fchmod(partial.file.number(), old.st_mode & 07777U) != 0) {
    return give_up(errno);
  }
  if (const int number = write_all(partial.file, content); number != 0) return give_up(number);
  if (::rename(partial.path.c_str(), target.c_str()) != 0) return give_up(errno);
  return synchronise_folder(target.parent_path());
}

}  // namespace headroom::store
