// Assumptions: what a rehearsal took for granted or had to guess, said in whole sentences; the same for every
// engine.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "capacity/model.hpp"
#include "policy/policy.hpp"

namespace headroom::sim {

// That a start-up time is no whole number of ticks.
void note_startup(base::Milliseconds startup, base::Milliseconds tick, std::vector<std::string>& notes);

// Which warm-up was used where a policy leaves warming instances out, and what comes of one, `counted`, that
// is over before the metric shows a new instance, `unseen` after it serves.
void note_warm_up(const policy::Scaling& scaling, base::Milliseconds counted, base::Milliseconds unseen,
                  std::vector<std::string>& notes);

// How far a rehearsal went beyond what was measured of an instance.
class Extrapolated {
 public:
  // Requires: `model` outlives this.
  explicit Extrapolated(const capacity::CapacityModel& model);

  // One tick: what an instance is asked for, and its utilisation.
  void add(base::Rate per_instance, base::Percent utilisation);
  void note(std::vector<std::string>& notes) const;

 private:
  const capacity::CapacityModel& model_;
  double highest_rate_ = 0;               // of those beyond what was measured
  double highest_beyond_saturation_ = 0;  // of those beyond what a full instance answered
  std::size_t ticks_beyond_latency_ = 0;
};

}  // namespace headroom::sim
