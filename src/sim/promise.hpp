// Promise: the objective of a service as limits on each tick, the same for every engine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "environment/environment.hpp"

namespace headroom::sim {

struct Promise {
  // The highest utilisation that keeps the objective's own limit on it; infinite: none.
  double cpu_percent = std::numeric_limits<double>::infinity();
  // The highest utilisation at which the measured latency keeps its limits; infinite: none.
  double cpu_percent_by_latency = std::numeric_limits<double>::infinity();
  double share = 1;            // of the ticks in which all this must hold
  double available_share = 0;  // of the requests of a tick that must be served; 0: no such limit
  std::vector<std::string> notes;
  std::vector<base::Fault> faults;

  double cpu_limit_percent() const { return std::min(cpu_percent, cpu_percent_by_latency); }
};

// `by_model`: latencies are looked up in the capacity model by utilisation, which must then know them; else
// the engine makes them itself.
Promise promise_of(const environment::Service& service, bool by_model);

// Whether so many ticks in violation are within what an objective allows that must hold in `share` of them.
bool keeps(double share, std::int64_t violations, std::int64_t ticks);

}  // namespace headroom::sim
