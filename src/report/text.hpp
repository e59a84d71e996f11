// Text: a rehearsal and an outcome as tables for a terminal of 80 columns.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "environment/environment.hpp"
#include "sim/rehearsal.hpp"
#include "tune/outcome.hpp"

namespace headroom::report {

// No line is longer, names and notes of the user included: those are wrapped.
inline constexpr int kTextColumns = 80;

// Words broken into lines; the first begins with `first`, the others with as many spaces. Ends with a
// newline.
std::string wrapped(std::string_view first, std::string_view text);

// `service` as it was rehearsed. Ends with a newline.
std::string rehearsal_text(const sim::Rehearsal& rehearsal, const environment::Service& service);

// The intervals over several seeds. Ends with a newline.
std::string replications_text(const tune::Replications& replications);

// The wall time of a search differs from run to run: it is left out of what must come out the same.
enum class Timing { shown, omitted };

// `objective`: what the search had to keep. Ends with a newline.
std::string outcome_text(const tune::Outcome& outcome, const environment::Objective& objective,
                         Timing timing = Timing::shown);

// The highest value of each of `columns` equal parts as one of eight bars from zero to the highest of all;
// a value that is not finite leaves a space. Fewer values than columns: one bar each.
std::string bars_text(std::span<const double> values, int columns);

}  // namespace headroom::report
