// ArtifactFile: an artifact that is being written; it gets its name when it is whole.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/descriptor.hpp"
#include "versions/sha256.hpp"

namespace headroom::versions {

class ArtifactFile {
 public:
  // In `artifacts`, as `.partial-PID-N`, locked while its writer lives.
  static base::Result<ArtifactFile> create(const std::filesystem::path& artifacts);

  // Written nowhere: only its hash is found.
  static ArtifactFile hash_only() { return {}; }

  // An error number; 0: written.
  int write(std::string_view bytes);

  struct Finished {
    std::string hash;
    std::filesystem::path path;  // empty: written nowhere
  };
  // On the disk, under the name of its hash. Requires: called once, at the end.
  base::Result<Finished> finish();

  ArtifactFile(ArtifactFile&&) noexcept;
  ArtifactFile& operator=(ArtifactFile&&) = delete;
  ArtifactFile(const ArtifactFile&) = delete;
  ArtifactFile& operator=(const ArtifactFile&) = delete;
  // Not finished: removed.
  ~ArtifactFile();

 private:
  ArtifactFile() = default;

  std::filesystem::path partial_;  // empty after finish(), and where it is written nowhere
  store::Descriptor file_;
  Sha256 hash_;
};

// Removes what writers that were killed left behind.
void remove_abandoned_artifacts(const std::filesystem::path& artifacts);

// "HASH.tar" as HASH; empty: another name.
std::string hash_of_name(const std::filesystem::path& file);

}  // namespace headroom::versions
