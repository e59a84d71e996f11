// Text: a rehearsal as tables for a terminal of 80 columns.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "environment/environment.hpp"
#include "sim/rehearsal.hpp"
#include "tune/outcome.hpp"

namespace headroom::report {

// `service` as it was rehearsed. Ends with a newline.
std::string rehearsal_text(const sim::Rehearsal& rehearsal, const environment::Service& service);

// The intervals over several seeds. Ends with a newline.
std::string replications_text(const tune::Replications& replications);

// The highest value of each of `columns` equal parts as one of eight bars from zero to the highest of all;
// a value that is not finite leaves a space. Fewer values than columns: one bar each.
std::string bars_text(std::span<const double> values, int columns);

}  // namespace headroom::report
