// --for of the commands that put something over the policy.
#pragma once

#include <optional>
#include <string>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"
#include "report/json.hpp"

namespace headroom::cli {

void add_length_option(Command& command, std::string& length);

// Nothing: until it is resumed. Errors: no duration, or none above 0.
base::Result<std::optional<base::Milliseconds>> override_length(const std::string& written);

// "for 2 h", "until `headroom resume`"
std::string length_text(const std::optional<base::Milliseconds>& length);
// The key for_s: seconds, or null.
void write_length(report::JsonWriter& json, const std::optional<base::Milliseconds>& length);

}  // namespace headroom::cli
