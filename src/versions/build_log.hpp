// BuildLog: what a build prints, in a file that cannot grow without bound: its beginning and its end are
// kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/descriptor.hpp"

namespace headroom::versions {

class BuildLog {
 public:
  // Replaces the file. Its first half is written as it comes, so that it can be watched; the rest of what is
  // kept at finish().
  static base::Result<BuildLog> create(const std::filesystem::path& file, std::int64_t limit_bytes);
  void write(std::string_view text);
  // Errors: the disk is full; what was printed is then lost from there on, which is no fault of the build.
  base::Result<void> finish();

 private:
  BuildLog() = default;
  void put(std::string_view text);

  std::filesystem::path path_;
  store::Descriptor file_;
  std::int64_t limit_ = 0;
  std::int64_t first_ = 0;  // bytes of the first half
  std::int64_t left_out_ = 0;
  std::string last_;
  int number_ = 0;  // of the first error
};

// Cuts a log that is longer to its beginning and its end; a log that is not there is none.
base::Result<void> shorten_log(const std::filesystem::path& file, std::int64_t limit_bytes);

// The last lines of a log that say something, each indented, with control characters escaped and long lines
// cut.
std::string last_lines(const std::filesystem::path& file, std::size_t count);

}  // namespace headroom::versions
