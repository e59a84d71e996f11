#include "versions/artifact.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/units.hpp"
#include "store/descriptor.hpp"
#include "store/file.hpp"
#include "store/system_error.hpp"
#include "versions/artifact_file.hpp"
#include "versions/ignored.hpp"

namespace headroom::versions {
namespace fs = std::filesystem;
using store::Descriptor;

namespace {

constexpr std::size_t kMostFaults = 20;  // more are counted, not shown
constexpr std::int64_t kIgnoreFileBytes = 1 << 20;

struct Found {
  std::string name;  // in the archive
  fs::path real;     // where its content is, links followed
};

using Inode = std::pair<dev_t, ino_t>;
Inode inode_of(const struct stat& status) { return {status.st_dev, status.st_ino}; }

// Looks through a source folder: what is to be packed, and all that cannot be.
class Search {
 public:
  Search(fs::path source, const Ignored& ignored, std::optional<Inode> artifacts, const Limits& limits)
      : source_(std::move(source)), ignored_(ignored), artifacts_(artifacts), limits_(limits) {}

  base::Result<std::vector<Found>> run() {
    struct stat status {};
    if (::stat(source_.c_str(), &status) != 0) return store::failed_to("read", source_, errno);
    open_folders_.push_back(inode_of(status));
    look_in(source_, "");
    if (!error_.faults.empty()) {
      if (more_faults_ > 0)
        error_.faults.push_back({{}, fmt::format("and {} more of this kind", more_faults_), {}, {}});
      return error_;
    }
    if (entries_ > limits_.entries || bytes_ > limits_.bytes) return too_large();
    if (found_.empty()) {
      return base::bad_input(base::Place{source_.string()}, "holds no file that would be deployed",
                             "check the path; .headroomignore says what is left out");
    }
    std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.name < b.name; });
    return std::move(found_);
  }

 private:
  void fault(const std::string& name, std::string what, std::string fix) {
    if (error_.faults.size() == kMostFaults) {
      ++more_faults_;
      return;
    }
    const std::string shown = base::in_quotes(name);
    // Without the quotes where nothing had to be escaped, so that the path can be copied.
    const bool plain = shown == "\"" + name + "\"";
    error_.faults.push_back(
        {base::Place{(source_ / (plain ? name : shown)).string()}, std::move(what), std::move(fix), {}});
  }

  // NOLINTNEXTLINE(misc-no-recursion): at most kDeepestFolder levels
  void look_in(const fs::path& real, const std::string& name) {
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator entry(real, error), end; !error && entry != end; entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error) {
      const base::Error failed = store::failed_to("read", real, error.value());
      fault(name, failed.faults.front().what, failed.faults.front().fix);
      return;
    }
    std::sort(names.begin(), names.end());
    for (const std::string& inner : names) {
      if (too_much()) return;
      look_at(real / inner, name.empty() ? inner : name + "/" + inner);
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  void look_at(const fs::path& path, const std::string& name) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
      if (errno != ENOENT) fault(name, "cannot be read", "check its owner and mode");
      return;  // gone in this moment
    }
    const bool link = S_ISLNK(status.st_mode);
    struct stat target {};
    const bool leads_somewhere = !link || ::stat(path.c_str(), &target) == 0;
    if (link && leads_somewhere) status = target;
    const bool folder = leads_somewhere && S_ISDIR(status.st_mode);
    if (ignored_.matches(name, folder)) return;
    if (const std::string wrong = fault_of_name(name); !wrong.empty()) {
      fault(name, "cannot be deployed: " + wrong, "rename it, or name it in .headroomignore");
      return;
    }
    fs::path real = path;
    if (link) {
      std::error_code error;
      if (leads_somewhere) real = fs::canonical(path, error);
      if (!leads_somewhere || error) {
        fault(name, "is a symbolic link that leads nowhere, or in a circle",
              "mend it, remove it, or name it in .headroomignore");
        return;
      }
      const fs::path within = real.lexically_relative(source_);
      if (within.empty() || *within.begin() == "..") {
        fault(name, "is a symbolic link that leaves the source folder, to " + base::in_quotes(real.string()),
              "put a copy in its place, or name it in .headroomignore");
        return;
      }
    }
    if (folder) {
      look_in_folder(real, name, inode_of(status));
    } else if (S_ISREG(status.st_mode)) {
      count(name, status.st_size);
      found_.push_back({name, real});
    } else {
      fault(name, "is a device, a socket or a pipe, which cannot be deployed",
            "remove it, or name it in .headroomignore");
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  void look_in_folder(const fs::path& real, const std::string& name, const Inode& inode) {
    if (artifacts_ == inode) return;
    if (std::find(open_folders_.begin(), open_folders_.end(), inode) != open_folders_.end()) {
      fault(name, "is a symbolic link to a folder that it lies in, which has no end",
            "remove the link, or name it in .headroomignore");
      return;
    }
    const std::size_t before = found_.size();
    open_folders_.push_back(inode);
    look_in(real, name);
    open_folders_.pop_back();
    // A folder without files is not in the artifact: git keeps none either, so that it is no part of a
    // version.
    if (found_.size() > before) count(name, 0);
  }

  void count(const std::string& name, std::int64_t bytes) {
    ++entries_;
    bytes_ += bytes;
    Share& share = shares_[name.substr(0, name.find('/'))];
    ++share.entries;
    share.bytes += bytes;
  }

  bool too_much() const { return entries_ > limits_.entries || bytes_ > limits_.bytes; }

  base::Error too_large() const {
    const bool by_bytes = bytes_ > limits_.bytes;
    const auto most = std::max_element(shares_.begin(), shares_.end(), [&](const auto& a, const auto& b) {
      return by_bytes ? a.second.bytes < b.second.bytes : a.second.entries < b.second.entries;
    });
    return base::bad_input(
        base::Place{source_.string()},
        by_bytes
            ? fmt::format("holds more than {}, the most that is deployed", base::format_bytes(limits_.bytes))
            : fmt::format("holds more than {} files and folders, the most that are deployed",
                          limits_.entries),
        fmt::format(
            "name in .headroomignore what the service does not need at run time; most was found in {}",
            base::in_quotes(most->first)));
  }

  struct Share {
    std::int64_t entries = 0;
    std::int64_t bytes = 0;
  };

  fs::path source_;
  const Ignored& ignored_;
  std::optional<Inode> artifacts_;
  Limits limits_;
  std::vector<Inode> open_folders_;  // from the source down to where the search is
  std::vector<Found> found_;
  std::map<std::string, Share> shares_;  // by the first name of the path
  std::int64_t entries_ = 0;
  std::int64_t bytes_ = 0;
  base::Error error_;
  std::size_t more_faults_ = 0;
};

struct FreeArchive {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

// Writes the archive into an ArtifactFile.
class Writing {
 public:
  explicit Writing(ArtifactFile& file, const fs::path& folder) : file_(file), folder_(folder) {}

  base::Result<void> begin() {
    writer_.reset(archive_write_new());
    entry_.reset(archive_entry_new());
    if (!writer_ || !entry_) return base::unavailable("no memory is left to pack an artifact");
    // GNU tar: the names go in byte for byte; pax would translate them, as the locale says.
    const auto written = [](archive*, void* writing, const void* bytes, std::size_t size) -> la_ssize_t {
      auto* const self = static_cast<Writing*>(writing);
      self->number_ = self->file_.write({static_cast<const char*>(bytes), size});
      return self->number_ == 0 ? static_cast<la_ssize_t>(size) : -1;
    };
    constexpr int kBlock = 10240;  // of tar, so that the size is what tar would make it
    const bool good = archive_write_set_format_gnutar(writer_.get()) == ARCHIVE_OK &&
                      archive_write_add_filter_none(writer_.get()) == ARCHIVE_OK &&
                      archive_write_set_bytes_per_block(writer_.get(), kBlock) == ARCHIVE_OK &&
                      archive_write_set_bytes_in_last_block(writer_.get(), kBlock) == ARCHIVE_OK &&
                      archive_write_open(writer_.get(), this, nullptr, written, nullptr) == ARCHIVE_OK;
    return good ? base::Result<void>() : failed();
  }

  // The bytes of the file.
  base::Result<std::int64_t> add(const Found& found) {
    const Descriptor file(::open(found.real.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!file.open() || ::fstat(file.number(), &status) != 0)
      return store::failed_to("read", found.real, errno);
    const auto changed = [&] {
      return base::Error{base::ErrorKind::unavailable,
                         {{base::Place{found.real.string()},
                           "changed while it was packed",
                           "try again when nothing writes into the source folder",
                           {}}}};
    };
    if (!S_ISREG(status.st_mode)) return changed();
    archive_entry* const entry = archive_entry_clear(entry_.get());
    archive_entry_set_pathname(entry, found.name.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, (status.st_mode & S_IXUSR) != 0 ? 0755 : 0644);
    archive_entry_set_size(entry, status.st_size);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
    if (archive_write_header(writer_.get(), entry) != ARCHIVE_OK) return failed().error();
    std::int64_t left = status.st_size;
    for (;;) {
      const ssize_t got = ::read(file.number(), buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return store::failed_to("read", found.real, errno);
      if (got == 0) break;
      if (got > left) return changed();
      left -= got;
      if (archive_write_data(writer_.get(), buffer_.data(), static_cast<std::size_t>(got)) != got) {
        return failed().error();
      }
    }
    if (left != 0) return changed();
    return status.st_size;
  }

  base::Result<void> end() {
    return archive_write_close(writer_.get()) == ARCHIVE_OK ? base::Result<void>() : failed();
  }

 private:
  base::Result<void> failed() {
    if (number_ != 0) return store::failed_to("write", folder_, number_);
    const char* const text = archive_error_string(writer_.get());
    return base::unavailable(
        fmt::format("the artifact cannot be written: {}", text == nullptr ? "unknown" : text));
  }

  ArtifactFile& file_;
  const fs::path& folder_;
  int number_ = 0;  // of the last write
  std::vector<char> buffer_ = std::vector<char>(1U << 17U);
  std::unique_ptr<archive_entry, FreeEntry> entry_;
  std::unique_ptr<archive, FreeArchive> writer_;  // destroyed first: it still writes
};

base::Result<Ignored> ignored_in(const fs::path& source) {
  Ignored ignored;
  const fs::path file = source / ".headroomignore";
  std::error_code error;
  if (!fs::exists(file, error)) return ignored;
  base::Result<std::string> text = store::read_file(file, kIgnoreFileBytes);
  if (!text) return text.error();
  if (base::Result<void> added = ignored.add(*text, file.string()); !added) return added.error();
  return ignored;
}

// A folder that is deployed, and what of it is left out.
struct Source {
  fs::path folder;
  Ignored ignored;
};

base::Result<Source> read_source(const fs::path& source) {
  std::error_code error;
  Source read;
  read.folder = fs::canonical(source, error);
  if (error) return store::failed_to("read", source, error.value());
  if (!fs::is_directory(read.folder, error)) {
    return base::bad_input(base::Place{source.string()}, "is no folder", "name the folder that is deployed");
  }
  base::Result<Ignored> ignored = ignored_in(read.folder);
  if (!ignored) return ignored.error();
  read.ignored = std::move(*ignored);
  return read;
}

base::Result<Artifact> pack_into(ArtifactFile& file, const Source& source, const fs::path& artifacts,
                                 const Limits& limits) {
  struct stat status {};
  std::optional<Inode> itself;
  if (::stat(artifacts.c_str(), &status) == 0) itself = inode_of(status);

  base::Result<std::vector<Found>> found = Search(source.folder, source.ignored, itself, limits).run();
  if (!found) return found.error();
  Artifact artifact;
  Writing writing(file, artifacts);
  if (base::Result<void> begun = writing.begin(); !begun) return begun.error();
  for (const Found& each : *found) {
    const base::Result<std::int64_t> bytes = writing.add(each);
    if (!bytes) return bytes.error();
    ++artifact.files;
    artifact.bytes += *bytes;
    if (looks_secret(fs::path(each.name).filename().string())) {
      artifact.notes.push_back(
          fmt::format("{} looks like a key or a password and is part of what is deployed; name it in "
                      ".headroomignore, and "
                      "give it to the service as a secret",
                      base::in_quotes(each.name)));
    }
  }
  if (base::Result<void> ended = writing.end(); !ended) return ended.error();
  base::Result<ArtifactFile::Finished> finished = file.finish();
  if (!finished) return finished.error();
  artifact.hash = std::move(finished->hash);
  artifact.file = std::move(finished->path);
  return artifact;
}

fs::path artifact_named(const fs::path& artifacts, const std::string& hash) {
  return artifacts / (hash + ".tar");
}

}  // namespace

bool looks_secret(const std::string& name) {
  constexpr std::array kNames = {".env",      "id_rsa", "id_dsa",  "id_ecdsa",    "id_ed25519",
                                 ".htpasswd", ".netrc", ".pgpass", "credentials", "credentials.json"};
  constexpr std::array kEndings = {".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".secret", ".ppk"};
  const auto is_name = [&](std::string_view secret) { return name == secret; };
  const auto ends = [&](std::string_view ending) {
    return name.size() > ending.size() && name.ends_with(ending);
  };
  if (name.starts_with(".env.")) {
    const std::string_view rest = std::string_view(name).substr(5);
    return rest != "example" && rest != "sample" && rest != "template" && rest != "dist";
  }
  return std::any_of(kNames.begin(), kNames.end(), is_name) ||
         std::any_of(kEndings.begin(), kEndings.end(), ends);
}

base::Result<Artifact> pack(const fs::path& source, const fs::path& artifacts, const Limits& limits) {
  const base::Result<Source> read = read_source(source);
  if (!read) return read.error();
  base::Result<ArtifactFile> file = ArtifactFile::create(artifacts);
  if (!file) return file.error();
  remove_abandoned_artifacts(artifacts);
  return pack_into(*file, *read, artifacts, limits);
}

base::Result<Artifact> inspect(const fs::path& source, const fs::path& artifacts, const Limits& limits) {
  const base::Result<Source> read = read_source(source);
  if (!read) return read.error();
  ArtifactFile file = ArtifactFile::hash_only();
  base::Result<Artifact> artifact = pack_into(file, *read, artifacts, limits);
  if (artifact) artifact->file = artifact_named(artifacts, artifact->hash);
  return artifact;
}

base::Result<Artifact> find_artifact(const fs::path& artifacts, const std::string& hash) {
  Artifact artifact;
  artifact.hash = hash;
  artifact.file = artifact_named(artifacts, hash);
  std::error_code error;
  if (hash_of_name(artifact.file).empty() || !fs::is_regular_file(artifact.file, error)) {
    return base::bad_input(
        fmt::format("there is no artifact {} in {}", base::in_quotes(hash), artifacts.string()),
        "deploy that version again from its source");
  }
  return artifact;
}

}  // namespace headroom::versions
