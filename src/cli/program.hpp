// The whole program as a function: arguments in, text and an exit code out.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace headroom::cli {

std::string_view version();  // "0.1.0"

// `arguments` without the program's own name.
ExitCode run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace headroom::cli
