// The status of environments as a table for a terminal of 80 columns.
#pragma once

#include <string>

#include "cli/command.hpp"
#include "daemon/status.hpp"
#include "report/load_text.hpp"

namespace headroom::cli {

// Services with a line each, then instances by zone, then how they are confined and what is lost with it.
// `now`: since 1970. Ends with a newline.
std::string status_text(const daemon::Status& status, base::Milliseconds now, report::Colours colours);

// "shop: http://127.0.0.1:8080", a line for each service that is published.
std::string addresses_text(const daemon::EnvironmentStatus& environment);

// Prints status_text as of now, with colours where they are taken.
void show_status(const daemon::Status& status, Context& context);

}  // namespace headroom::cli
