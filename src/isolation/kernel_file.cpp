#include "isolation/kernel_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/units.hpp"

namespace headroom::isolation {

std::optional<std::string> text_of(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  std::string text;
  std::array<char, 4096> piece{};
  ssize_t count = 0;
  do {
    count = ::read(descriptor, piece.data(), piece.size());
    if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
  } while (count > 0 || (count < 0 && errno == EINTR));
  ::close(descriptor);
  if (count < 0) return std::nullopt;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::optional<std::int64_t> number_in(const std::filesystem::path& file) {
  const auto text = text_of(file);
  return text ? base::parse_integer(*text) : std::nullopt;
}

std::optional<std::int64_t> number_behind(const std::string& text, std::string_view word) {
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = std::string_view(text).substr(start, end - start);
    if (line.size() > word.size() && line.starts_with(word) && line[word.size()] == ' ') {
      return base::parse_integer(line.substr(word.size() + 1));
    }
    start = end + 1;
  }
  return std::nullopt;
}

base::Result<void> set(const std::filesystem::path& file, std::string_view text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  int number = descriptor < 0 ? errno : 0;
  if (descriptor >= 0) {
    if (::write(descriptor, text.data(), text.size()) < 0) number = errno;
    ::close(descriptor);
  }
  if (number == 0) return {};
  return failed(fmt::format("'{}' cannot be written into {}", text, file.string()), number,
                "does this user own the file, and does the kernel have this setting?");
}

base::Error failed(std::string what, int number, std::string fix) {
  return base::unavailable(fmt::format("{}: {}", what, std::generic_category().message(number)),
                           std::move(fix));
}

}  // namespace headroom::isolation
