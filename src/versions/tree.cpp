#include "versions/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/descriptor.hpp"
#include "store/system_error.hpp"

namespace headroom::versions {
namespace fs = std::filesystem;
using store::Descriptor;

namespace {

constexpr int kDeepest = 200;  // each level holds a descriptor open

Descriptor open_folder(int parent, const char* name) {
  return Descriptor(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// The names in a folder, sorted; unset: it cannot be read (errno).
std::optional<std::vector<std::string>> names_in(const Descriptor& folder) {
  // A description of its own: the position of the other one is the caller's.
  const int copy = ::openat(folder.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return std::nullopt;
  DIR* const stream = ::fdopendir(copy);
  if (stream == nullptr) {
    ::close(copy);
    return std::nullopt;
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  const int number = errno;
  ::closedir(stream);
  errno = number;
  if (number != 0) return std::nullopt;
  std::sort(names.begin(), names.end());
  return names;
}

// A file of any kind by a descriptor that is good for looking and changing its mode and owner only: no race,
// no link followed, no permission needed.
class Handle {
 public:
  Handle(int parent, const std::string& name)
      : file_(::openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)) {
    known_ = file_.open() && ::fstat(file_.number(), &status_) == 0;
  }
  bool known() const { return known_; }
  const struct stat& status() const { return status_; }
  // Both: whether it worked. fchmod does not take such a descriptor.
  bool change_mode(mode_t mode) const {
    return ::chmod(fmt::format("/proc/self/fd/{}", file_.number()).c_str(), mode) == 0;
  }
  bool change_owner(uid_t user, gid_t group) const {
    return ::fchownat(file_.number(), "", user, group, AT_EMPTY_PATH) == 0;
  }

 private:
  Descriptor file_;
  struct stat status_ {};
  bool known_ = false;
};

class Removal {
 public:
  explicit Removal(const fs::path& path) : path_(path) {}

  base::Result<void> run() {
    const fs::path parent = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
    const Descriptor above(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!above.open()) return errno == ENOENT ? base::Result<void>() : failed();
    const std::string name = path_.filename().string();
    make_writable(above.number(), name);
    const Descriptor top = open_folder(above.number(), name.c_str());
    if (!top.open()) return errno == ENOENT ? base::Result<void>() : failed();
    top_ = &top;
    // Folders that lay too deep have become folders of the top: once more, until none is left.
    do {
      moved_ = false;
      if (!empty(top, 0)) return failed();
    } while (moved_);
    if (::unlinkat(above.number(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return failed();
    return {};
  }

 private:
  base::Error failed() const { return store::failed_to("remove", path_, errno); }

  static void make_writable(int parent, const std::string& name) {
    const Handle handle(parent, name);
    if (handle.known() && S_ISDIR(handle.status().st_mode) && (handle.status().st_mode & 0700U) != 0700U) {
      (void)handle.change_mode(0700);  // what cannot be changed will be seen below
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): at most kDeepest levels
  bool empty(const Descriptor& folder, int depth) {
    const auto names = names_in(folder);
    if (!names) return false;
    for (const std::string& name : *names) {
      if (::unlinkat(folder.number(), name.c_str(), 0) == 0 || errno == ENOENT) continue;
      if (errno != EISDIR && errno != EPERM && errno != EACCES) return false;
      make_writable(folder.number(), name);
      const Descriptor inner = open_folder(folder.number(), name.c_str());
      if (!inner.open()) return false;
      if (depth == kDeepest) {
        if (!move_up(folder, name)) return false;
        continue;
      }
      if (!empty(inner, depth + 1)) return false;
      if (::unlinkat(folder.number(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return false;
    }
    return true;
  }

  bool move_up(const Descriptor& folder, const std::string& name) {
    for (;;) {
      const std::string moved = fmt::format(".deep-{}", number_++);
      moved_ = ::renameat(folder.number(), name.c_str(), top_->number(), moved.c_str()) == 0;
      if (moved_ || (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)) return moved_;
    }
  }

  const fs::path& path_;
  const Descriptor* top_ = nullptr;
  bool moved_ = false;
  int number_ = 0;
};

class Seal {
 public:
  explicit Seal(const fs::path& path) : path_(path) {}

  base::Result<void> run() {
    const Descriptor top(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!top.open()) return store::failed_to("read", path_, errno);
    if (base::Result<void> counted = each(top, path_, 0, &Seal::count); !counted) return counted;
    if (base::Result<void> sealed = each(top, path_, 0, &Seal::seal); !sealed) return sealed;
    const Handle itself(AT_FDCWD, path_.string());
    if (!take(itself)) return store::failed_to("write", path_, errno);
    return {};
  }

 private:
  using Inode = std::pair<dev_t, ino_t>;
  using Step = base::Result<void> (Seal::*)(const Descriptor&, const std::string&, const fs::path&);

  // Every file below, the folders after what is in them.
  // NOLINTNEXTLINE(misc-no-recursion): at most kDeepest levels
  base::Result<void> each(const Descriptor& folder, const fs::path& path, int depth, Step step) {
    const auto names = names_in(folder);
    if (!names) return store::failed_to("read", path, errno);
    for (const std::string& name : *names) {
      const Handle handle(folder.number(), name);
      if (!handle.known()) return store::failed_to("read", path / name, errno);
      if (S_ISDIR(handle.status().st_mode)) {
        if (depth == kDeepest) {
          return base::bad_input(base::Place{(path / name).string()},
                                 fmt::format("lies in more than {} folders", kDeepest),
                                 "let the build nest less");
        }
        // A build may have left a folder that even its owner cannot enter.
        if ((handle.status().st_mode & 0700U) != 0700U) (void)handle.change_mode(0700);
        const Descriptor inner = open_folder(folder.number(), name.c_str());
        if (!inner.open()) return store::failed_to("read", path / name, errno);
        if (base::Result<void> done = each(inner, path / name, depth + 1, step); !done) return done;
      }
      if (base::Result<void> done = (this->*step)(folder, name, path / name); !done) return done;
    }
    return {};
  }

  base::Result<void> count(const Descriptor& folder, const std::string& name, const fs::path& path) {
    const Handle handle(folder.number(), name);
    if (!handle.known()) return store::failed_to("read", path, errno);
    const struct stat& status = handle.status();
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode)) {
      return base::bad_input(base::Place{path.string()}, "the build left a device, a socket or a pipe",
                             "let the build remove it");
    }
    if (S_ISREG(status.st_mode) && status.st_nlink > 1) ++names_[{status.st_dev, status.st_ino}];
    return {};
  }

  base::Result<void> seal(const Descriptor& folder, const std::string& name, const fs::path& path) {
    const Handle handle(folder.number(), name);
    if (!handle.known()) return store::failed_to("read", path, errno);
    const struct stat& status = handle.status();
    if (S_ISREG(status.st_mode)) {
      const auto shared = names_.find({status.st_dev, status.st_ino});
      if (shared != names_.end() && status.st_nlink > shared->second) {
        --shared->second;  // this name will be another file, and one name of the old one is gone
        return replace(folder, name, path);
      }
    }
    if (!take(handle)) return store::failed_to("write", path, errno);
    return {};
  }

  // Read-only, and ours.
  static bool take(const Handle& handle) {
    if (!handle.known()) return false;
    const struct stat& status = handle.status();
    const bool ours = status.st_uid == ::geteuid() && status.st_gid == ::getegid();
    if (!ours && !handle.change_owner(::geteuid(), ::getegid())) return false;
    if (S_ISLNK(status.st_mode)) return true;  // a link has no mode
    const bool runs = S_ISDIR(status.st_mode) || (status.st_mode & 0111U) != 0;
    return handle.change_mode(runs ? 0555 : 0444);
  }

  base::Result<void> replace(const Descriptor& folder, const std::string& name, const fs::path& path) const {
    const Descriptor from(
        ::openat(folder.number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!from.open() || ::fstat(from.number(), &status) != 0) return store::failed_to("read", path, errno);
    const std::string copy = fmt::format(".headroom-copy-{}", ::getpid());
    ::unlinkat(folder.number(), copy.c_str(), 0);
    const Descriptor to(
        ::openat(folder.number(), copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!to.open()) return store::failed_to("write", path, errno);
    std::vector<char> buffer(1U << 17U);
    for (;;) {
      const ssize_t got = ::read(from.number(), buffer.data(), buffer.size());
      if (got == 0) break;
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return store::failed_to("read", path, errno);
      for (ssize_t done = 0; done < got;) {
        const ssize_t put = ::write(to.number(), buffer.data() + done, static_cast<std::size_t>(got - done));
        if (put < 0 && errno != EINTR) return store::failed_to("write", path, errno);
        done += std::max<ssize_t>(put, 0);
      }
    }
    const mode_t mode = (status.st_mode & 0111U) != 0 ? 0555 : 0444;
    if (::fchmod(to.number(), mode) != 0 ||
        ::renameat(folder.number(), copy.c_str(), folder.number(), name.c_str()) != 0) {
      return store::failed_to("write", path, errno);
    }
    return {};
  }

  const fs::path& path_;
  std::map<Inode, std::uint64_t> names_;  // of files with several names: how many lie in the folder
};

}  // namespace

base::Result<void> remove_tree(const fs::path& folder) { return Removal(folder).run(); }
base::Result<void> seal_tree(const fs::path& folder) { return Seal(folder).run(); }

}  // namespace headroom::versions
