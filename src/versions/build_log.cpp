#include "versions/build_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "store/system_error.hpp"

namespace headroom::versions {
namespace fs = std::filesystem;
using store::Descriptor;

base::Result<BuildLog> BuildLog::create(const fs::path& file, std::int64_t limit_bytes) {
  BuildLog log;
  log.path_ = file;
  log.limit_ = limit_bytes;
  log.file_ = Descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!log.file_.open()) return store::failed_to("write", file, errno);
  return log;
}

void BuildLog::put(std::string_view text) {
  while (!text.empty() && number_ == 0) {
    const ssize_t written = ::write(file_.number(), text.data(), text.size());
    if (written < 0 && errno != EINTR) number_ = errno;
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
}

void BuildLog::write(std::string_view text) {
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(limit_ / 2 - first_, 0));
  const std::string_view now = text.substr(0, room);
  put(now);
  first_ += static_cast<std::int64_t>(now.size());
  text.remove_prefix(now.size());
  last_ += text;
  // Cut rarely, so that many short writes do not move the end each time.
  const auto kept = static_cast<std::size_t>(limit_ - limit_ / 2);
  if (last_.size() > 2 * kept) {
    left_out_ += static_cast<std::int64_t>(last_.size() - kept);
    last_.erase(0, last_.size() - kept);
  }
}

base::Result<void> BuildLog::finish() {
  const auto kept = static_cast<std::size_t>(limit_ - limit_ / 2);
  if (last_.size() > kept) {
    left_out_ += static_cast<std::int64_t>(last_.size() - kept);
    last_.erase(0, last_.size() - kept);
  }
  if (left_out_ > 0) put(fmt::format("\n... {} bytes are left out here ...\n", left_out_));
  put(last_);
  last_.clear();
  if (number_ != 0) return store::failed_to("write", path_, number_);
  return {};
}

base::Result<void> shorten_log(const fs::path& file, std::int64_t limit_bytes) {
  // Room for the line that says what is left out.
  constexpr std::int64_t kLine = 100;
  std::string kept;
  {
    const Descriptor opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!opened.open()) return errno == ENOENT ? base::Result<void>() : store::failed_to("read", file, errno);
    if (::fstat(opened.number(), &status) != 0) return store::failed_to("read", file, errno);
    if (status.st_size <= limit_bytes + kLine) return {};
    const std::int64_t first = limit_bytes / 2;
    const std::int64_t last = limit_bytes - first;
    std::string begin(static_cast<std::size_t>(first), '\0');
    std::string end(static_cast<std::size_t>(last), '\0');
    const ssize_t got = ::pread(opened.number(), begin.data(), begin.size(), 0);
    const ssize_t rest = ::pread(opened.number(), end.data(), end.size(), status.st_size - last);
    if (got < 0 || rest < 0) return store::failed_to("read", file, errno);
    begin.resize(static_cast<std::size_t>(got));
    end.resize(static_cast<std::size_t>(rest));
    kept =
        fmt::format("{}\n... {} bytes are left out here ...\n{}", begin, status.st_size - first - last, end);
  }
  base::Result<BuildLog> log = BuildLog::create(file, limit_bytes + kLine);
  if (!log) return log.error();
  log->write(kept);
  return log->finish();
}

std::string last_lines(const fs::path& file, std::size_t count) {
  constexpr std::int64_t kRead = 16384;
  constexpr std::size_t kWidest = 300;
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!opened.open() || ::fstat(opened.number(), &status) != 0) return {};
  std::string text(static_cast<std::size_t>(kRead), '\0');
  const ssize_t got =
      ::pread(opened.number(), text.data(), text.size(), std::max<std::int64_t>(status.st_size - kRead, 0));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));

  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    // Of a line that a progress bar has written over, the last state is what a person would see.
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (const std::size_t back = line.rfind('\r'); back != std::string_view::npos)
      line.remove_prefix(back + 1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    std::string shown = "    ";
    for (const char c : line.substr(0, kWidest)) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '\t') {
        shown += ' ';
      } else if (byte < 0x20 || byte == 0x7F) {
        shown += fmt::format("\\x{:02X}", byte);
      } else {
        shown += c;
      }
    }
    if (line.size() > kWidest) shown += " ...";
    lines.push_back(std::move(shown));
  }
  std::string last;
  for (std::size_t i = lines.size() - std::min(count, lines.size()); i < lines.size(); ++i) {
    if (!last.empty()) last += '\n';
    last += lines[i];
  }
  return last;
}

}  // namespace headroom::versions
