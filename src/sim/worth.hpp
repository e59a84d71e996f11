// Worth: requests served and failed, downtime and profit of one run, added up tick by tick in double.
//
//   profit = revenue of the requests served - penalty of each minute of downtime - cost of the instances
//
// Requests that still wait at the end were not served.
//
// A minute is downtime where fewer than a share of its requests were served; one without requests is up.
// Worked example: $0.0009 a request, $200 a minute below 99.5 %: of 9,000 requests in a minute 8,900 are
// served, 98.9 %, so it is worth 8.01 - 200 dollars, less 30 instances at $3 an hour: $1.50.
#pragma once

#include <cstdint>
#include <optional>

#include "base/quantity.hpp"
#include "environment/environment.hpp"
#include "sim/rehearsal.hpp"

namespace headroom::sim {

// What an objective without a profit counts as downtime.
inline constexpr double kDowntimeBelow = 0.995;

// Whether fewer than `share` of the requests were served. None offered: no.
bool serves_less(double offered, double failed, double share);

class Worth {
 public:
  Worth(std::optional<environment::Profit> profit, base::Milliseconds tick);

  // One tick.
  void add(double offered_per_second, double failed_per_second);

  // Requests, availability, downtime, and the profit where the objective has one. `waiting`: requests neither
  // answered nor failed at the end.
  // Requires: the cost of the summary is known.
  void fill(Summary& summary, double waiting = 0) const;

 private:
  std::optional<environment::Profit> profit_;
  double seconds_;  // of a tick
  double minutes_;
  double requests_ = 0;
  double failed_ = 0;
  std::int64_t down_ticks_ = 0;
};

}  // namespace headroom::sim
