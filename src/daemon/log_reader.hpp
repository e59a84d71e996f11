// What instances have printed, piece by piece, from the files that hold it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace headroom::daemon {

// A piece of what an instance has printed.
struct LogPiece {
  std::string instance;
  std::string text;
  std::int64_t next = 0;  // where the next piece begins
};

struct InstanceLog {
  std::string instance;
  std::filesystem::path file;  // one that is not there yet has nothing in it
};

// A piece of each, in their order, at most a mebibyte. `from`: of each instance, where to go on; of those
// that it does not name, the last `tail_bytes`.
std::vector<LogPiece> read_logs(const std::vector<InstanceLog>& logs, const std::vector<LogPiece>& from,
                                std::int64_t tail_bytes);

}  // namespace headroom::daemon
