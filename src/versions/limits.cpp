#include "versions/limits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headroom::versions {

std::string fault_of_name(std::string_view name) {
  constexpr std::size_t kLongestPart = 255;  // of the file systems of Linux
  if (name.empty()) return "it has no name";
  if (name.front() == '/') return "it starts with a slash";
  if (name.size() > kLongestName) return fmt::format("its path has more than {} bytes", kLongestName);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(name.begin(), name.end(), control)) return "its name holds a control character";
  std::size_t parts = 0;
  for (std::size_t begin = 0; begin <= name.size(); ++parts) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty()) return "its path holds an empty name";
    if (part == "." || part == "..") return fmt::format("its path holds \"{}\"", part);
    if (part.size() > kLongestPart)
      return fmt::format("a name in its path has more than {} bytes", kLongestPart);
    begin = end + 1;
  }
  if (parts - 1 > kDeepestFolder) return fmt::format("it lies in more than {} folders", kDeepestFolder);
  return {};
}

}  // namespace headroom::versions
