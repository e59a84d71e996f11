// Scenario: one service of an environment, compiled on the tick grid and ready to rehearse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "environment/environment.hpp"
#include "policy/compile.hpp"
#include "sim/lane_model.hpp"
#include "sim/rehearsal.hpp"
#include "workload/compile.hpp"

namespace headroom::sim {

struct Scenario {
  std::string environment;
  std::string service;
  base::Milliseconds tick{60'000};
  LaneModel lanes;
  policy::Numbers<base::One> numbers;
  capacity::CapacityModel capacity;
  double cpu_limit_percent = 0;  // the objective as a utilisation, a latency limit included; infinite: none
  double objective_share = 1;    // of the ticks in which it must hold
  double available_share = 0;    // of the requests of a tick, part of the objective; 0: no such limit
  std::optional<environment::Profit> profit;
  double price_usd_per_hour = 0;
  bool launching_is_free = false;  // billing begins in service
  std::vector<std::string> notes;  // what was assumed, in whole sentences
};

// Errors: all at once, each with the path of its field: what does not fit the tick, what contradicts itself,
// and by name what the vector engine does not know (zones apart, warm pool, hourly billing, ...).
base::Result<Scenario> compile(const environment::Environment& environment,
                               const environment::Service& service);

// What every engine takes from a file in the same way: the tick of the rehearsals, how late metrics are, the
// policy on that tick, and what is missing of the capacity. Faults have the path of their field.
base::Milliseconds tick_of(const environment::Environment& environment);
base::Milliseconds metric_lag_of(const environment::Environment& environment,
                                 const environment::Service& service);
base::Result<policy::Compiled> policy_of(const environment::Environment& environment,
                                         const environment::Service& service);
std::vector<base::Fault> capacity_faults(const environment::Service& service);

// The figures of a trajectory, in double. `seed` draws what the instances take, where that varies.
// Requires: trajectory as long as the traffic.
Summary summarise(const Scenario& scenario, const base::Series& requests_per_second,
                  const Trajectory& trajectory, std::uint64_t seed);

// What instances take in each tick as a factor of what they usually take. Empty: it does not vary.
std::vector<double> strengths(const Scenario& scenario, const base::Series& requests_per_second,
                              std::uint64_t seed);

// One rehearsal on one lane, every tick recorded. The traffic was drawn with `seed`; what the instances take
// is.
Rehearsal rehearse(const Scenario& scenario, const workload::Compiled& traffic, std::uint64_t seed);

// Figures per tick as the lanes read them.
std::vector<float> lane_rates(const base::Series& requests_per_second);
std::vector<float> lane_rates(const std::vector<double>& values);

}  // namespace headroom::sim
