#include "versions/sweep.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "store/descriptor.hpp"
#include "store/system_error.hpp"
#include "versions/artifact_file.hpp"
#include "versions/image_folder.hpp"

namespace headroom::versions {
namespace fs = std::filesystem;

namespace {

struct Candidate {
  std::string name;  // key or hash
  std::string artifact;
  std::int64_t wanted_ns = 0;  // when it was wanted last
};

std::int64_t time_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Those that are neither among the newest nor kept by name.
std::vector<Candidate> superfluous(std::vector<Candidate> all, const std::set<std::string>& kept,
                                   int newest) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Candidate& a, const Candidate& b) { return a.wanted_ns > b.wanted_ns; });
  all.erase(all.begin(), all.begin() + std::min<std::ptrdiff_t>(std::max(newest, 0), std::ssize(all)));
  std::erase_if(all, [&](const Candidate& candidate) { return kept.contains(candidate.name); });
  return all;
}

void add_faults(base::Error& all, const base::Error& error) {
  all.kind = base::ErrorKind::unavailable;
  all.faults.insert(all.faults.end(), error.faults.begin(), error.faults.end());
}

// Whether it was removed. Not while another one builds it, and not if it was completed meanwhile.
base::Result<bool> remove(const ImageFolder& image, bool complete) {
  base::Result<store::Descriptor> lock = lock_image(image, nullptr);
  if (!lock) return lock.error();
  if (!lock->open()) return false;
  if (!complete && artifact_of_complete(image)) return false;
  if (base::Result<void> removed = remove_image(image); !removed) return removed.error();
  ::unlink(image.lock.c_str());
  return true;
}

}  // namespace

base::Result<Swept> sweep(const fs::path& images, const fs::path& artifacts, const Kept& kept) {
  Swept swept;
  base::Error error;
  std::vector<Candidate> complete;
  for (const std::string& name : names_in(images)) {
    if (!is_image_key(name)) continue;
    const ImageFolder image(images, name);
    if (const std::optional<std::string> artifact = artifact_of_complete(image)) {
      complete.push_back({name, *artifact, time_of(image.marker)});
    } else if (base::Result<bool> removed = remove(image, false); !removed) {
      add_faults(error, removed.error());
    } else if (*removed) {
      swept.images.push_back(name);
    }
  }
  std::multiset<std::string> built;  // the artifacts of the images that stay
  for (const Candidate& image : complete) built.insert(image.artifact);
  for (const Candidate& image : superfluous(complete, kept.images, kept.newest)) {
    const base::Result<bool> removed = remove(ImageFolder(images, image.name), true);
    if (!removed) add_faults(error, removed.error());
    if (!removed || !*removed) continue;
    swept.images.push_back(image.name);
    built.erase(built.find(image.artifact));
  }
  std::set<std::string> needed = kept.artifacts;
  needed.insert(built.begin(), built.end());

  remove_abandoned_artifacts(artifacts);
  std::vector<Candidate> packed;
  for (const std::string& name : names_in(artifacts)) {
    const std::string hash = hash_of_name(name);
    if (!hash.empty()) packed.push_back({hash, hash, time_of(artifacts / name)});
  }
  for (const Candidate& artifact : superfluous(packed, needed, kept.newest)) {
    const fs::path file = artifacts / (artifact.name + ".tar");
    if (::unlink(file.c_str()) == 0 || errno == ENOENT) {
      swept.artifacts.push_back(artifact.name);
    } else {
      add_faults(error, store::failed_to("remove", file, errno));
    }
  }
  if (!error.faults.empty()) return error;
  return swept;
}

}  // namespace headroom::versions
