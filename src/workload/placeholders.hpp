// Placeholders: `${name}` in the texts of a request, where the value of a variable goes.
//
// A name is a letter or `_`, then letters, digits, `_`, `-` and `.`. Any other text in `${ }` is left as it
// is; so is `${name}` in the value of a variable, which is not looked at again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headroom::workload {

inline constexpr std::size_t kVariableNameLongest = 64;

bool is_variable_name(std::string_view text);

// A part of a text: as it stands, or the name of a variable.
struct TextPart {
  std::string text;
  bool is_name = false;
  bool operator==(const TextPart&) const = default;
};

// The text in parts, from left to right; no part is empty, and no two texts follow each other.
std::vector<TextPart> parts_of(std::string_view text);

}  // namespace headroom::workload
