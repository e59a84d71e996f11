#include "daemon/log_reader.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

namespace headroom::daemon {
namespace {

constexpr std::int64_t kLargestPiece = 1 << 20;

std::int64_t begin_of(const std::string& instance, std::int64_t size, const std::vector<LogPiece>& from,
                      std::int64_t tail_bytes) {
  const auto before = std::find_if(from.begin(), from.end(),
                                   [&](const LogPiece& piece) { return piece.instance == instance; });
  if (before == from.end()) return std::max<std::int64_t>(0, size - tail_bytes);
  // A log that was moved away begins anew.
  return before->next <= size ? before->next : 0;
}

}  // namespace

std::vector<LogPiece> read_logs(const std::vector<InstanceLog>& logs, const std::vector<LogPiece>& from,
                                std::int64_t tail_bytes) {
  std::vector<LogPiece> pieces;
  for (const InstanceLog& log : logs) {
    std::ifstream file(log.file, std::ios::binary | std::ios::ate);
    const std::int64_t size = file ? std::max<std::int64_t>(0, file.tellg()) : 0;
    const std::int64_t begin = begin_of(log.instance, size, from, tail_bytes);
    LogPiece piece{log.instance,
                   std::string(static_cast<std::size_t>(std::min(size - begin, kLargestPiece)), '\0'), 0};
    file.seekg(begin);
    file.read(piece.text.data(), static_cast<std::streamsize>(piece.text.size()));
    piece.text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
    piece.next = begin + static_cast<std::int64_t>(piece.text.size());
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace headroom::daemon
