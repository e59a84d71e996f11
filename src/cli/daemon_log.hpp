// The log of a daemon: lines with the time, on its standard error, in two files of bounded size where that is
// a file of its state folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <ostream>
#include <string_view>
#include <vector>

namespace headroom::cli {

// Where one of `outputs` writes to `file` and that has grown to `bytes_max`, the file becomes FILE.1, in the
// place of the one before it, and all outputs that wrote to it write to a new one. At each moment there is a
// file of that name. Where it cannot be done, nothing changes.
void move_away(const std::filesystem::path& file, const std::vector<int>& outputs, std::int64_t bytes_max);

class DaemonLog {
 public:
  DaemonLog(std::ostream& stream, std::filesystem::path file) : stream_(stream), file_(std::move(file)) {}

  // Threads: any.
  void say(std::string_view what);

 private:
  std::ostream& stream_;
  std::filesystem::path file_;
  std::mutex mutex_;
};

}  // namespace headroom::cli
