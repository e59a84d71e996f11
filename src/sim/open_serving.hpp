// OpenServing: instances under requests that come whether or not earlier ones were answered.
//
// The balancer gives each of the n servers that receive the same share of the rate, hung ones included:
//   requests = rate / n
//   utilisation = intercept + slope * requests, of which the meter shows at most 100 %
// in float32, in the order of the lanes, for the same bits (with noise, strength.hpp divides the slope).
// Where requests wait, or where the processor is slower for want of credit, the utilisation is what was used,
// by fluid_queue.hpp and processor.hpp. The latency of a request is that of the capacity model at the
// utilisation of its instance, the longest at which it knows it where it is busier, and the time it waited.
// Worked example: slope 10 %/rps, 30 rps on two servers, no queue: 15 rps each ask for 150 %; 10 rps are
// answered and 5 rps fail on each, the meter shows 100 %.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "sim/fluid_queue.hpp"
#include "sim/served.hpp"

namespace headroom::sim {

class OpenServing {
 public:
  // Requires: the traffic of the settings is a series.
  explicit OpenServing(ServingSettings settings);

  // The next tick. Requires: no id twice.
  ServedTick tick(std::span<const Server> servers);

 private:
  ServingSettings settings_;
  FluidShape shape_;
  std::size_t tick_ = 0;
  struct Host {
    FluidQueue queue;
    Condition condition = Condition::works;
  };
  std::map<std::int64_t, Host> hosts_;  // by server
};

}  // namespace headroom::sim
