// Html: what all report pages are made of: the document around their input, and packed numbers in it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "report/json.hpp"

namespace headroom::report {

// ui/src/report/model.ts and load_model.ts describe the input of the pages; they change together.
inline constexpr int kPageFormat = 1;

// `json`: written for use inside HTML. `fallback`: what shows where scripts do not run.
std::string page_html(const std::string& title, const std::string& fallback, const std::string& json);

// Writes an object {scale, text} as columns.hpp packs them.
void write_numbers(JsonWriter& json, std::string_view name, std::span<const double> values);

}  // namespace headroom::report
