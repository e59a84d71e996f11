// OpenServing: instances under requests that come whether or not earlier ones were answered.
//
// The balancer gives each of the n servers that receive the same share of the rate:
//   requests = rate / n
//   utilisation = intercept + slope * requests, of which the meter shows at most 100 %
// in float32, in the order of the lanes, for the same bits. What is beyond 100 % fails.
// Worked example: slope 10 %/rps, 30 rps on two servers: 15 rps each ask for 150 %; 10 rps are answered and
// 5 rps fail on each, the meter shows 100 %.
#pragma once

#include <cstdint>
#include <span>

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
  std::size_t tick_ = 0;
};

}  // namespace headroom::sim
