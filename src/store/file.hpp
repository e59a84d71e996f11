// Files read and written as a whole, with errors that say what to do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace headroom::store {

// The largest file read unless the caller says otherwise: eight years of one-second samples are half of it.
inline constexpr std::uint64_t kLargestFile = std::uint64_t{16} << 30U;

// The whole file, byte for byte. Pipes and devices are read to their end, too.
// Errors: missing, a folder, no permission, larger than `limit_bytes`: bad input; a disk that fails:
// unavailable.
base::Result<std::string> read_file(const std::filesystem::path& path,
                                    std::uint64_t limit_bytes = kLargestFile);

// The file has either its old content or all of the new one, even if the process is killed or the power
// fails. An existing file keeps its permissions, and a symbolic link goes on pointing to the file that it
// names.
//
// Written to `.NAME.partial-PID-N` in the same folder first, and locked while its writer lives: the next
// writer of NAME removes those whose writer died. Threads and processes may write the same file: the last one
// wins. Errors: the folder is missing, the path is a folder, no permission: bad input; a full disk:
// unavailable.
base::Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace headroom::store
