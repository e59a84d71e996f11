// What instances print, line by line, from a daemon that has it in pieces.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.hpp"
#include "base/result.hpp"
#include "daemon/daemon.hpp"

namespace headroom::cli {

// Puts pieces together to lines.
class LogLines {
 public:
  using Take = std::function<void(const std::string& instance, std::string_view line)>;

  // At most `lines` of what each instance has printed before the first look.
  explicit LogLines(int lines);

  // So much of its end is to be asked for, of instances that have no position.
  std::int64_t tail_bytes() const { return tail_bytes_; }
  // Where the next look begins.
  const std::vector<daemon::LogPiece>& positions() const { return positions_; }
  void add(const std::vector<daemon::LogPiece>& pieces, const Take& take);
  // What has no end of a line yet.
  void finish(const Take& take);

 private:
  int lines_;
  std::int64_t tail_bytes_;
  std::vector<daemon::LogPiece> positions_;
  std::map<std::string, std::string> begun_;  // of each instance: a line that has not ended
};

}  // namespace headroom::cli
