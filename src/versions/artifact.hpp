// pack: a source folder as one file that is the same wherever it is packed: the artifact.
//
// An artifact is a tar archive named by its own SHA-256 (`HASH.tar`). It holds the files of the folder in the
// order of their paths, without owners and times, executable or not: nothing else of a machine is in it. What
// is left out, followed and refused: docs/versions.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "versions/limits.hpp"

namespace headroom::versions {

struct Artifact {
  std::string hash;            // 64 hexadecimal digits; `sha256sum FILE` prints them
  std::filesystem::path file;  // in the artifacts folder
  std::int64_t files = 0;
  std::int64_t bytes = 0;  // the content of the files
  // Sentences for whoever deploys: files that look like keys or passwords, by name.
  std::vector<std::string> notes;
};

// Packs `source` into a file of `artifacts`, which is created where it is missing; that folder itself is left
// out where it lies in the source. The file appears under its name when it is whole, readable for its owner
// only. Packing what was packed before gives the same file again.
// Threads: several at once in one `artifacts` are fine, also of several processes.
// Errors: what cannot be packed (links that leave the source, lead nowhere or in a circle, devices, names
// with control characters, more than the limits, a faulty .headroomignore), all at once: bad input. A full
// disk, a file that changes while it is read: unavailable.
base::Result<Artifact> pack(const std::filesystem::path& source, const std::filesystem::path& artifacts,
                            const Limits& limits = {});

// What pack() would make of it, and its errors, without writing anything: `file` is where it would be.
base::Result<Artifact> inspect(const std::filesystem::path& source, const std::filesystem::path& artifacts,
                               const Limits& limits = {});

// The artifact of that hash, packed earlier: hash and file. Errors: there is none.
base::Result<Artifact> find_artifact(const std::filesystem::path& artifacts, const std::string& hash);

// Whether a file of that name often holds a key or a password: id_rsa, .env, *.pem.
bool looks_secret(const std::string& name);

}  // namespace headroom::versions
