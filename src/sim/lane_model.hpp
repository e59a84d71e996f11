// LaneModel: the rehearsal on the tick grid as plain values: what the engine needs and nothing else.
//
// The order in a tick t, which covers [t, t + 1): instances whose start-up is over arrive, those removed a
// tick ago leave, traffic comes and makes a utilisation, the samples that are complete and past their lag
// become visible, the policy decides, its orders go out. A metric sample covers `metric_period` ticks and
// is first seen `metric_lag` ticks after its end, so with period 1 and lag 0 the decision at t sees t - 1.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fleet/counts.hpp"
#include "policy/kernel.hpp"
#include "sim/rehearsal.hpp"

namespace headroom::sim {

inline constexpr int kMaxMetricTicks = 1024;  // metric period plus lag that fit

// What the lanes of a batch share.
struct LaneModel {
  policy::Shape policy;
  fleet::Shape fleet;
  std::int32_t metric_period = 1;  // ticks
  std::int32_t metric_lag = 0;     // ticks
  float slope_percent_per_rps = 0;
  float intercept_percent = 0;
  // A tick violates the objective where the utilisation is above the limit. Between these two float32 cannot
  // tell on which side of it the double value is.
  float cpu_limit_low = 0;
  float cpu_limit_high = 0;
  // What is beyond saturation fails at once. Shares of the requests, 0: no such limit. A tick is downtime
  // where fewer than `downtime_below` are served, and violates the objective where fewer than `available`
  // are.
  bool counts_failures = false;
  float full_rps = 0;  // what an instance serves at most, in requests per second
  float downtime_below = 0;
  float available_low = 0;   // surely in violation below
  float available_high = 0;  // surely not above
  bool operator==(const LaneModel&) const = default;
};

struct LaneTraffic {
  std::int64_t start_ms = 0;  // since 1970-01-01 UTC
  std::int64_t tick_ms = 60'000;
  std::span<const float> requests_per_second;  // one per tick, offered to the whole service
  // Likewise, what instances take as a factor of what they usually take (strength.hpp). Empty: 1.
  std::span<const float> strength = {};
};

// What one lane adds up. Approximate where it says float; published figures come from summarise().
struct Tally {
  std::int64_t in_service_ticks = 0;
  std::int64_t launching_ticks = 0;
  std::int64_t draining_ticks = 0;
  std::int64_t violations_low = 0;   // ticks surely in violation
  std::int64_t violations_high = 0;  // ticks perhaps in violation, the sure ones included
  std::int64_t downtime_ticks = 0;
  double failed_sum = 0;  // over ticks, requests per second, of float32 figures
  std::int64_t scale_outs = 0;
  std::int64_t scale_ins = 0;
  std::int64_t ticks_at_max = 0;
  std::int64_t ticks_at_min = 0;
  std::int32_t instances_max = 0;
  float cpu_percent_max = 0;
  double cpu_percent_sum = 0;  // of float32 utilisations
  bool operator==(const Tally&) const = default;
};

// What the record of a run keeps of a decision; unset where no policy was due and nothing was done.
std::optional<DecisionRecord> record_of(std::int32_t tick, const policy::Observation<base::One>& seen,
                                        const policy::Decision<base::One>& decision);

// One lane, the reference: every tick is recorded. Throws nothing.
Trajectory run_one_lane(const LaneModel& model, const policy::Numbers<base::One>& numbers,
                        const LaneTraffic& traffic);

// The same lane without a record; equal to run_many_lanes() bit for bit.
Tally tally_one_lane(const LaneModel& model, const policy::Numbers<base::One>& numbers,
                     const LaneTraffic& traffic);

// Many lanes: numbers[i] into tallies[i], in vectors of the widest instruction set of the processor.
// `in_service`, where not empty, receives the trajectories: [i * ticks + t].
// Requires: tallies as long as numbers. Threads: any number of calls at the same time.
void run_many_lanes(const LaneModel& model, std::span<const policy::Numbers<base::One>> numbers,
                    const LaneTraffic& traffic, std::span<Tally> tallies,
                    std::span<std::int32_t> in_service = {});

// Lanes that run together: a batch whose size is a multiple of this leaves none idle.
int lanes_per_vector();

}  // namespace headroom::sim
