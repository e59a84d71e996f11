// What the charts and the CSV derive from a rehearsal, tick by tick.
//
// Requires, everywhere: every series of the rehearsal that is not empty has the length of its traffic.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "environment/environment.hpp"
#include "sim/rehearsal.hpp"

namespace headroom::report {

// Of the last decision at or before each tick; before the first decision, what was in service and launching.
// Where groups scale apart, their sum, from the tick on at which the last of them has decided.
std::vector<std::int32_t> desired_instances(const sim::Rehearsal& rehearsal);

// The cost until the end of each tick. What billing charges beyond time (a minimum, a begun hour) is spread
// evenly over the hours of its state, so that the last value is the cost of the summary.
std::vector<double> cumulative_cost_usd(const sim::Rehearsal& rehearsal);

// The ticks [first, last) where utilisation or the 95th percentile of latency was beyond the objective.
std::vector<std::pair<std::int32_t, std::int32_t>> violations(const sim::Rehearsal& rehearsal,
                                                              const environment::Objective& objective);

// The money of a month, and % of the minutes, at the mean rate of so long a time; 0 where it is not known how
// long.
double usd_per_month(double usd, base::Milliseconds duration);
double percent_of(double minutes, base::Milliseconds duration);

}  // namespace headroom::report
