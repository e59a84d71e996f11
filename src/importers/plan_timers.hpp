// PlanTimers: the timers of a test plan as pauses before requests; internal to this module.
#pragma once

#include <vector>

#include "importers/plan_document.hpp"
#include "importers/plan_report.hpp"
#include "importers/plan_values.hpp"
#include "workload/traffic.hpp"

namespace headroom::importers {

// The pause before a request: the sum of all timers in whose scope it stands.
struct Pause {
  double least_ms = 0;  // constants and the delays of random timers
  double range_ms = 0;  // of even ones
  int even = 0;
  double variance_ms2 = 0;  // of normal ones
  int normal = 0;

  bool operator==(const Pause&) const = default;
  double mean_ms() const { return least_ms + range_ms / 2; }
};

// Of all these timers together.
Pause pause_of(const std::vector<const Element*>& timers, PlanValues& values, PlanReport& report);

// The pause of a stage. What a stage cannot say of it is noted for `element`.
void set_pause(workload::ClosedStage& stage, const Pause& pause, const Element& element, PlanReport& report);

}  // namespace headroom::importers
