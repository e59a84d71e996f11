// What was measured of a service as CSV: a recorded traffic file, with what else was measured beside it.
#pragma once

#include <string>
#include <vector>

#include "history/history.hpp"

namespace headroom::cli {

// All of the longest length that occurs, which is a multiple of the others: means of those that lie within
// it, of p95 the highest. One of the last, that is not complete, is left out.
std::vector<history::Sample> of_one_length(const std::vector<history::Sample>& samples);

// A line for each; what was not measured is empty.
std::string samples_csv(const std::vector<history::Sample>& samples);

}  // namespace headroom::cli
