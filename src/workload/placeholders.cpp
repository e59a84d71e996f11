#include "workload/placeholders.hpp"

#include <algorithm>

namespace headroom::workload {

bool is_variable_name(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto may_follow = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= kVariableNameLongest && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), may_follow);
}

std::vector<TextPart> parts_of(std::string_view text) {
  std::vector<TextPart> parts;
  std::size_t taken = 0;
  std::size_t at = text.find("${");
  while (at != std::string_view::npos) {
    const std::size_t start = at + 2;
    // No further than a name may be long, so that a text full of "${" does not take the square of its length.
    const std::size_t end = text.substr(start, kVariableNameLongest + 1).find('}');
    if (end == std::string_view::npos || !is_variable_name(text.substr(start, end))) {
      at = text.find("${", at + 1);
      continue;
    }
    if (at > taken) parts.push_back({std::string(text.substr(taken, at - taken)), false});
    parts.push_back({std::string(text.substr(start, end)), true});
    taken = start + end + 1;
    at = text.find("${", taken);
  }
  if (taken < text.size()) parts.push_back({std::string(text.substr(taken)), false});
  return parts;
}

}  // namespace headroom::workload
