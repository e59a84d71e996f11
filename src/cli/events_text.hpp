// What happened to an environment, and what was decided and why, as lines for people.
#pragma once

#include <optional>
#include <string>

#include "daemon/status.hpp"
#include "history/history.hpp"

namespace headroom::cli {

// "cpu 71 %; above the threshold; held by the cooldown; 3 asked for"
std::string decision_text(const daemon::DecisionStatus& decision);

// One line, or more where it is long:
//   "11-28 23:14:05  web         2 -> 3 instances: cpu 71 %; above the threshold"
std::string event_text(const history::Entry& entry);

}  // namespace headroom::cli
