#include "versions/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/units.hpp"
#include "store/descriptor.hpp"
#include "store/system_error.hpp"
#include "versions/tree.hpp"

namespace headroom::versions {
namespace fs = std::filesystem;
using store::Descriptor;

namespace {

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, FreeArchive>;

Descriptor open_folder(int parent, const std::string& name) {
  return Descriptor(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

class Unpacking {
 public:
  Unpacking(const fs::path& archive, const fs::path& folder, const Limits& limits)
      : archive_(archive), folder_(folder), limits_(limits) {}

  base::Result<void> run() {
    const Descriptor file(::open(archive_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!file.open() || ::fstat(file.number(), &status) != 0)
      return store::failed_to("read", archive_, errno);
    if (!S_ISREG(status.st_mode) || !ends_as_archive(file, status.st_size)) {
      return base::bad_input(base::Place{archive_.string()}, "is no tar archive, is compressed or is cut off",
                             "deploy that version again from its source");
    }
    reader_.reset(archive_read_new());
    if (!reader_ || archive_read_support_filter_none(reader_.get()) != ARCHIVE_OK ||
        archive_read_support_format_tar(reader_.get()) != ARCHIVE_OK) {
      return base::unavailable("no memory is left to unpack an artifact");
    }
    constexpr std::size_t kBlock = 1U << 16U;
    if (archive_read_open_fd(reader_.get(), file.number(), kBlock) != ARCHIVE_OK) return damaged("");
    root_ = open_folder(AT_FDCWD, folder_.string());
    if (!root_.open()) return store::failed_to("create", folder_, errno);
    for (;;) {
      archive_entry* entry = nullptr;
      const int code = archive_read_next_header(reader_.get(), &entry);
      if (code == ARCHIVE_EOF) return {};
      // A warning, too: of a name that could not be read, say.
      if (code != ARCHIVE_OK) return damaged("");
      if (base::Result<void> added = add(entry); !added) return added;
    }
  }

 private:
  // The last two blocks of every tar archive are empty. Without them it was cut off, and libarchive would not
  // say so.
  static bool ends_as_archive(const Descriptor& file, std::int64_t size) {
    std::array<char, 1024> end{};
    if (size < static_cast<std::int64_t>(end.size()) || size % 512 != 0) return false;
    if (::pread(file.number(), end.data(), end.size(), size - static_cast<std::int64_t>(end.size())) !=
        static_cast<ssize_t>(end.size())) {
      return false;
    }
    return std::all_of(end.begin(), end.end(), [](char c) { return c == 0; });
  }

  base::Error refused(std::string_view name, const std::string& why) const {
    return base::bad_input(
        base::Place{archive_.string()},
        fmt::format("the entry {} is refused: {}", base::in_quotes(name), why),
        "an artifact that Headroom packed has none of this kind: find out who made this one");
  }

  base::Error damaged(std::string_view name) const {
    const char* const text = archive_error_string(reader_.get());
    const std::string where = name.empty() ? std::string() : " at the entry " + base::in_quotes(name);
    return base::bad_input(base::Place{archive_.string()},
                           fmt::format("the archive is damaged{} ({})", where,
                                       base::in_quotes(text == nullptr ? "no reason is known" : text)),
                           "deploy that version again from its source");
  }

  base::Result<void> add(archive_entry* entry) {
    const char* const pathname = archive_entry_pathname(entry);
    std::string name = pathname == nullptr ? "" : pathname;
    const auto type = archive_entry_filetype(entry);
    const bool is_folder = type == AE_IFDIR;
    if (is_folder && name.ends_with('/')) name.pop_back();
    if (const std::string wrong = fault_of_name(name); !wrong.empty()) return refused(name, wrong);
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr) {
      return refused(name, "it is a link");
    }
    if (type != AE_IFREG && !is_folder) return refused(name, "it is neither a file nor a folder");
    if ((archive_entry_perm(entry) & 07000U) != 0)
      return refused(name, "it would run as another user (set-id bits)");
    if (archive_entry_sparse_count(entry) > 0) return refused(name, "it is a sparse file");
    const std::int64_t size = is_folder ? 0 : archive_entry_size(entry);
    if (size < 0) return refused(name, "it has no size");
    if (size > limits_.bytes - bytes_) {
      return refused(
          name, fmt::format("with it the archive holds more than {}", base::format_bytes(limits_.bytes)));
    }
    if (!names_.insert(name).second) return refused(name, "its name occurs twice");

    const std::size_t slash = name.rfind('/');
    const std::string above = slash == std::string::npos ? std::string() : name.substr(0, slash);
    const std::string last = slash == std::string::npos ? name : name.substr(slash + 1);
    if (base::Result<void> entered = enter(above, name); !entered) return entered;
    if (is_folder) return make_folder(parent(), last, name, true);
    if (base::Result<void> counted = count(name); !counted) return counted;
    return make_file(entry, last, name, size);
  }

  base::Result<void> count(std::string_view name) {
    if (++entries_ <= limits_.entries) return {};
    return refused(name,
                   fmt::format("with it the archive holds more than {} files and folders", limits_.entries));
  }

  const Descriptor& parent() const { return parent_.open() ? parent_ : root_; }

  base::Result<void> failed(std::string_view name, int number) const {
    if (number == ENOTDIR || number == ELOOP) return refused(name, "a file stands where it needs a folder");
    if (number == EEXIST) return refused(name, "a folder stands in its place");
    return store::failed_to("write", folder_ / name, number);
  }

  // Creates the folders of the path where they are missing, each by its name in the one above, and keeps the
  // last.
  base::Result<void> enter(const std::string& path, const std::string& entry) {
    if (path == parent_path_) return {};
    parent_ = Descriptor();
    parent_path_ = path;
    for (std::size_t begin = 0; begin < path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const std::string part = path.substr(begin, end - begin);
      if (base::Result<void> made = make_folder(parent(), part, entry, false); !made) return made;
      Descriptor next = open_folder(parent().number(), part);
      if (!next.open()) return failed(entry, errno);
      parent_ = std::move(next);
      begin = end + 1;
    }
    return {};
  }

  // `named`: it has an entry of its own; it may then be there already, from the path of an earlier one.
  base::Result<void> make_folder(const Descriptor& above, const std::string& part, const std::string& entry,
                                 bool named) {
    if (::mkdirat(above.number(), part.c_str(), 0700) != 0) {
      if (errno != EEXIST) return failed(entry, errno);
      if (!named) return {};
      // A file in its place is found out by opening it as a folder.
      return open_folder(above.number(), part).open() ? base::Result<void>() : failed(entry, errno);
    }
    if (base::Result<void> counted = count(entry); !counted) return counted;
    const Descriptor made = open_folder(above.number(), part);
    if (!made.open() || ::fchmod(made.number(), 0755) != 0) return failed(entry, errno);
    return {};
  }

  base::Result<void> make_file(archive_entry* entry, const std::string& last, const std::string& name,
                               std::int64_t size) {
    const Descriptor file(::openat(parent().number(), last.c_str(),
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.open()) return failed(name, errno);
    std::int64_t written = 0;
    for (;;) {
      const void* block = nullptr;
      std::size_t length = 0;
      la_int64_t offset = 0;
      const int code = archive_read_data_block(reader_.get(), &block, &length, &offset);
      if (code == ARCHIVE_EOF) break;
      if (code != ARCHIVE_OK) return damaged(name);
      if (offset != written) return refused(name, "it is a sparse file");
      written += static_cast<std::int64_t>(length);
      if (written > size) return refused(name, "it is longer than its header says");
      std::string_view rest(static_cast<const char*>(block), length);
      while (!rest.empty()) {
        const ssize_t put = ::write(file.number(), rest.data(), rest.size());
        if (put < 0 && errno != EINTR) return failed(name, errno);
        rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(put, 0)));
      }
    }
    if (written != size) return refused(name, "it is shorter than its header says");
    bytes_ += written;
    const bool runs = (archive_entry_perm(entry) & 0111U) != 0;
    if (::fchmod(file.number(), runs ? 0755 : 0644) != 0) return failed(name, errno);
    return {};
  }

  const fs::path& archive_;
  const fs::path& folder_;
  Limits limits_;
  Reader reader_;
  Descriptor root_;
  Descriptor parent_;        // the folder of the entry before
  std::string parent_path_;  // its path in the archive; empty: root_
  std::set<std::string> names_;
  std::int64_t entries_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace

base::Result<void> unpack(const fs::path& archive, const fs::path& folder, const Limits& limits) {
  if (::mkdir(folder.c_str(), 0755) != 0) {
    if (errno != EEXIST) return store::failed_to("create", folder, errno);
    return base::bad_input(base::Place{folder.string()},
                           "exists, and an artifact is unpacked into a new folder only",
                           "name another folder, or remove it");
  }
  base::Result<void> done = Unpacking(archive, folder, limits).run();
  // The mode of mkdir is what the umask left of it.
  if (done && ::chmod(folder.c_str(), 0755) != 0) done = store::failed_to("write", folder, errno);
  if (!done) (void)remove_tree(folder);
  return done;
}

}  // namespace headroom::versions
