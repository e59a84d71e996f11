// limits(): the highest and the steepest surge that a policy survives.
//
// A surge starts from a steady base rate with the fleet settled on it, rises in a straight line to a peak
// within `ramp`, and stays there. It is survived when no tick, from its start to an hour after its peak, is
// above the objective's utilisation. Surges are tried from low to high in steps of one percent of what the
// largest fleet can take; survival is not monotonic for every policy, so the first failure counts: every
// tried surge below the figure is survived.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "sim/scenario.hpp"

namespace headroom::tune {

// The highest survived surge of one steepness.
struct Surge {
  base::Milliseconds ramp{0};      // 0: at once
  std::optional<base::Rate> peak;  // unset: not even the smallest one tried
  bool at_ceiling = false;  // as high as the largest fleet can take: max binds, not the speed of scaling
};

struct Surges {
  base::Rate base;             // where each surge starts
  base::Rate ceiling;          // what `max` instances take within the objective
  std::vector<Surge> highest;  // by ramp, the steepest first
  // The shortest ramp (in whole ticks) to the ceiling that is survived, and to the peak of the traffic.
  std::optional<base::Milliseconds> steepest_to_ceiling;
  std::optional<base::Rate> traffic_peak;
  std::optional<base::Milliseconds> steepest_to_traffic_peak;
};

struct SurgeOptions {
  std::optional<base::Rate>
      base;  // default: the median of the traffic, else what `min` instances take at half the limit
  std::vector<base::Milliseconds> ramps;  // default: at once, 5, 10, 20, 30, 60 and 120 minutes
};

// Errors: no objective to survive; a base that the largest fleet cannot take.
base::Result<Surges> limits(const sim::Scenario& scenario, const std::optional<base::Series>& traffic,
                            const SurgeOptions& options);

}  // namespace headroom::tune
