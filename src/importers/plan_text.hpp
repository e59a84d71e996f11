// PlanText: the small questions that are asked of the texts of a test plan; internal to this module.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "workload/placeholders.hpp"

namespace headroom::importers {

bool contains(std::string_view text, std::string_view part);
bool is_any(std::string_view text, std::initializer_list<std::string_view> words);
std::string lower(std::string_view text);
std::string_view trimmed(std::string_view text);
std::string without_controls(std::string_view text);

// Every byte for which `stays` is false as %XX; `${name}` stays, for its value comes later.
template <class Stays>
std::string percent_encoded(std::string_view text, Stays stays) {
  std::string result;
  for (const workload::TextPart& part : workload::parts_of(text)) {
    if (part.is_name) {
      result += "${" + part.text + "}";
      continue;
    }
    for (const char c : part.text) {
      if (stays(c)) {
        result += c;
      } else {
        result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      }
    }
  }
  return result;
}

// As the body of a form: a blank as "+", all but letters, digits and "-._*" as %XX.
std::string form_encoded(std::string_view text);

}  // namespace headroom::importers
