// Limits: how large an artifact may be, and what its names may look like: the same when it is packed and when
// it is unpacked, so that everything that is packed can be unpacked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace headroom::versions {

struct Limits {
  // Files, and folders that hold some. A web service with all its dependencies has some ten thousand.
  std::int64_t entries = 100'000;
  // The content of all files together.
  std::int64_t bytes = std::int64_t{2} << 30;
};

inline constexpr std::size_t kLongestName = 1024;  // a path within the artifact, in bytes
inline constexpr std::size_t kDeepestFolder = 64;  // folders above a file

// Why the path of a file or folder cannot stand in an artifact, as the end of a sentence ("it starts with a
// slash"); empty: it can. Names are relative, have no ".", ".." or empty part, and no control character.
std::string fault_of_name(std::string_view name);

}  // namespace headroom::versions
