#include "cli/instance_logs.hpp"

#include <algorithm>
#include <limits>

namespace headroom::cli {
namespace {

constexpr std::int64_t kBytesPerLine = 512;  // of long lines, fewer are shown
constexpr std::int64_t kTailBytesLeast = 64 * 1024;
constexpr std::int64_t kTailBytesMost = 4 * 1024 * 1024;  // as the interface has it
constexpr std::size_t kLineMost = 1024 * 1024;            // what is longer is broken

}  // namespace

LogLines::LogLines(int lines)
    : lines_(lines),
      tail_bytes_(lines == 0 ? 0 : std::clamp(lines * kBytesPerLine, kTailBytesLeast, kTailBytesMost)) {}

void LogLines::add(const std::vector<daemon::LogPiece>& pieces, const Take& take) {
  for (const daemon::LogPiece& piece : pieces) {
    const auto known = std::find_if(positions_.begin(), positions_.end(), [&](const daemon::LogPiece& one) {
      return one.instance == piece.instance;
    });
    std::string& text = begun_[piece.instance];
    text += piece.text;
    std::vector<std::string_view> lines;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
      lines.push_back(std::string_view(text).substr(begin, end - begin));
    std::size_t first = 0;
    if (known == positions_.end()) {
      // What was asked for may begin within a line.
      if (static_cast<std::int64_t>(piece.text.size()) >= tail_bytes_ && !lines.empty()) first = 1;
      if (lines.size() > static_cast<std::size_t>(lines_))
        first = std::max(first, lines.size() - static_cast<std::size_t>(lines_));
      positions_.push_back({piece.instance, {}, piece.next});
    } else {
      known->next = piece.next;
    }
    for (std::size_t k = first; k < lines.size(); ++k) take(piece.instance, lines[k]);
    text.erase(0, begin);
    if (text.size() > kLineMost) {
      take(piece.instance, text);
      text.clear();
    }
  }
  // Of those that come later, all.
  lines_ = std::numeric_limits<int>::max();
  tail_bytes_ = kTailBytesMost;
}

void LogLines::finish(const Take& take) {
  for (auto& [instance, text] : begun_) {
    if (!text.empty()) take(instance, text);
    text.clear();
  }
}

}  // namespace headroom::cli
