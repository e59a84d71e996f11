// What a capacity model says about an instance at a rate or a utilisation, and where it no longer knows.
#pragma once

#include <optional>

#include "base/quantity.hpp"
#include "capacity/model.hpp"

namespace headroom::capacity {

enum class Quantile { p50, p95, p99 };

// Demand over what is allowed, of one instance at this rate; above 100 % it is overloaded.
base::Percent utilisation(const CapacityModel& model, base::Rate per_instance);

struct Latency {
  double milliseconds = 0;
  bool beyond_measured = false;  // above the last measured utilisation: the value of that is given
};

// Straight lines between the measured points; below the first point, the first. nullopt: no latency was
// measured.
std::optional<Latency> latency_ms(const CapacityModel& model, Quantile quantile, base::Percent utilisation);

struct LatencyLimit {
  std::optional<base::Percent> percent;  // the highest utilisation that keeps the limit; unset: none does
  bool reached = true;  // false: no measured point breaks the limit, `percent` is the last one
};

// Requires: model.latency not empty.
LatencyLimit utilisation_at_latency(const CapacityModel& model, Quantile quantile, double limit_ms);

}  // namespace headroom::capacity
