#include "versions/artifact_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "store/system_error.hpp"

namespace headroom::versions {
namespace fs = std::filesystem;
using store::Descriptor;

namespace {

constexpr std::string_view kPartial = ".partial-";
constexpr std::string_view kEnding = ".tar";

}  // namespace

base::Result<ArtifactFile> ArtifactFile::create(const fs::path& artifacts) {
  std::error_code error;
  fs::create_directories(artifacts, error);
  if (error) return store::failed_to("create", artifacts, error.value());
  for (int attempt = 0;; ++attempt) {
    ArtifactFile created;
    const fs::path path = artifacts / fmt::format("{}{}-{}", kPartial, ::getpid(), attempt);
    created.file_ = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!created.file_.open()) {
      if (errno == EEXIST) continue;  // of another thread, or left by a process of the same number
      return store::failed_to("create", path, errno);
    }
    // Between creating and locking, somebody may have taken the file for an abandoned one.
    if (store::try_lock(created.file_) == store::Lock::held || !store::is_named(created.file_, path))
      continue;
    created.partial_ = path;
    return created;
  }
}

int ArtifactFile::write(std::string_view bytes) {
  hash_.add(bytes);
  while (file_.open() && !bytes.empty()) {
    const ssize_t written = ::write(file_.number(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  return 0;
}

base::Result<ArtifactFile::Finished> ArtifactFile::finish() {
  if (!file_.open()) return Finished{hash_.finish(), {}};
  if (::fsync(file_.number()) != 0 || ::fchmod(file_.number(), 0400) != 0) {
    return store::failed_to("write", partial_, errno);
  }
  Finished finished;
  finished.hash = hash_.finish();
  finished.path = partial_.parent_path() / (finished.hash + std::string(kEnding));
  // In the place of one that is there already: it is the same, unless a disk has damaged it.
  if (::rename(partial_.c_str(), finished.path.c_str()) != 0) {
    return store::failed_to("write", finished.path, errno);
  }
  const fs::path folder = std::exchange(partial_, {}).parent_path();
  if (base::Result<void> synchronised = store::synchronise_folder(folder); !synchronised) {
    return synchronised.error();
  }
  return finished;
}

ArtifactFile::ArtifactFile(ArtifactFile&& other) noexcept
    : partial_(std::exchange(other.partial_, {})),
      file_(std::move(other.file_)),
      hash_(std::move(other.hash_)) {}

ArtifactFile::~ArtifactFile() {
  if (!partial_.empty()) ::unlink(partial_.c_str());
}

void remove_abandoned_artifacts(const fs::path& artifacts) {
  std::vector<fs::path> partial;
  std::error_code error;
  for (fs::directory_iterator entry(artifacts, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().starts_with(kPartial)) partial.push_back(entry->path());
  }
  for (const fs::path& path : partial) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.open() && store::try_lock(file) == store::Lock::taken && store::is_named(file, path)) {
      ::unlink(path.c_str());
    }
  }
}

std::string hash_of_name(const fs::path& file) {
  constexpr std::size_t kDigits = 64;
  const std::string name = file.filename().string();
  if (name.size() != kDigits + kEnding.size() || !name.ends_with(kEnding)) return {};
  std::string hash = name.substr(0, kDigits);
  return hash.find_first_not_of("0123456789abcdef") == std::string::npos ? hash : std::string();
}

}  // namespace headroom::versions
