#include "control/clock.hpp"

#include <algorithm>
#include <utility>

namespace headroom::control {

cloud::Observed on_own_clock(cloud::Observed observed) {
  if (!observed.metrics_clock) return observed;
  const base::Milliseconds ahead = *std::exchange(observed.metrics_clock, std::nullopt) - observed.at;
  const auto translate = [&](auto& metrics) {
    metrics.end -= ahead;
    // By less than it covers it can be late where clocks are read to the second.
    const bool known = metrics.end < observed.at + metrics.length;
    metrics.end = std::min(metrics.end, observed.at);
    return known;
  };
  for (cloud::Instance& instance : observed.instances) {
    if (instance.metrics && !translate(*instance.metrics)) instance.metrics.reset();
  }
  std::erase_if(observed.services, [&](cloud::ServiceMetrics& metrics) { return !translate(metrics); });
  return observed;
}

}  // namespace headroom::control
