// unpack: an artifact as a folder again, whatever is in the archive: nothing of it is trusted.
#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "versions/limits.hpp"

namespace headroom::versions {

// Creates `folder` with the files of the archive: files 0644 or 0755, folders 0755, owned by this process,
// and nothing else. It writes below `folder` only, whatever the names in the archive.
//
// Refused, with the entry named: absolute paths, "." and "..", names with control characters, twice the same
// name, a file where a folder is needed, links, devices, pipes, sparse files, set-user-id and its like, more
// entries or bytes than the limits, sizes that are not what follows. Refused as a whole: what is compressed,
// cut off, or no tar archive. Requires: the parent of `folder` exists and is written by nobody else. Errors:
// `folder` exists; all of the above: bad input; a full disk: unavailable. Nothing is left behind.
base::Result<void> unpack(const std::filesystem::path& archive, const std::filesystem::path& folder,
                          const Limits& limits = {});

}  // namespace headroom::versions
