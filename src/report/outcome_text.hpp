// Outcome as text: what a search found, as tables for a terminal of 80 columns.
#pragma once

#include <string>

#include "environment/environment.hpp"
#include "tune/outcome.hpp"

namespace headroom::report {

// The wall time of a search differs from run to run: it is left out of what must come out the same.
enum class Timing { shown, omitted };

// `objective`: what the search had to keep. Ends with a newline.
std::string outcome_text(const tune::Outcome& outcome, const environment::Objective& objective,
                         Timing timing = Timing::shown);

}  // namespace headroom::report
