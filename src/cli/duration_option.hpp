// A duration that an option was given.
#pragma once

#include <string>
#include <string_view>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::cli {

// Errors: it is none; they name the option ("--for").
base::Result<base::Milliseconds> duration_of(std::string_view option, const std::string& written);

}  // namespace headroom::cli
