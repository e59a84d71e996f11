// CapacityModel: what one instance can take, request rate to utilisation and latency.
//
//   utilisation of one instance [%] = intercept + slope * (requests per second on that instance)
//
// Above 100 % the instance is asked for more than it can do: the figure is the demand, not what a meter
// would show. Latency is a curve over utilisation, a straight line between its points.
// Worked example: slope 0.0523014 %/rps (0.0008716906 %/rpm), intercept 0; 750 rps (45,000 rpm) on one
// instance ask for 39.226077 %; on two instances for half of it each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"

namespace headroom::capacity {

struct Interval {
  double low = 0;
  double high = 0;
  bool operator==(const Interval&) const = default;
};

// Latency at one utilisation.
struct LatencyPoint {
  base::Percent utilisation;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  bool operator==(const LatencyPoint&) const = default;
};

// A start-up time that differs from instance to instance.
struct StartupSpread {
  enum class Kind {
    uniform,    // from a to b
    lognormal,  // median a, 95th percentile b
  };
  Kind kind = Kind::uniform;
  base::Milliseconds a{0};
  base::Milliseconds b{0};
  bool operator==(const StartupSpread&) const = default;
};

// In whole milliseconds. Uniform: (a + b) / 2; log-normal: a exp(s^2 / 2), where s = log(b / a) / z and z =
// 1.645 is the 95th percentile of the standard normal distribution.
//
// Requires: a <= b; log-normal: 0 < a.
base::Milliseconds mean(const StartupSpread& spread);

// The time that a share u of the instances stay below: a draw, where u is uniform.
//
// Requires: as mean(), and 0 < u < 1.
base::Milliseconds startup_at(const StartupSpread& spread, double u);

struct CapacityModel {
  double slope_percent_per_rps = 0;
  double intercept_percent = 0;
  std::optional<Interval> slope_interval_95;  // of slope_percent_per_rps
  std::optional<double> r_squared;
  std::optional<base::Rate> measured_up_to;  // per instance; beyond it the line is an extrapolation
  std::vector<LatencyPoint> latency;         // ascending utilisation; empty: latency is not known
  std::optional<base::Percent> knee;
  // What one instance answers when it is full, whatever is asked of it; unset: that was not measured. It may
  // lie below what the line gives for 100 %, where something else than the CPU is the limit.
  std::optional<base::Rate> saturation;

  // Unset: not measured and not written; the user of the model says what it assumed instead.
  std::optional<base::Milliseconds> startup;  // with a spread its mean, in whole milliseconds
  std::optional<StartupSpread> startup_spread;
  std::optional<base::Milliseconds> startup_pool;  // from the warm pool; unset: as `startup`
  std::optional<base::Milliseconds> metric_lag;
  std::optional<base::Milliseconds> in_service_delay;

  // How long a request waits at most for a saturated instance before it fails; unset: what is beyond
  // saturation fails at once.
  std::optional<base::Milliseconds> queue;
  // Standard deviation of what instances take, as a share: one normal draw per tick for the whole fleet.
  double noise = 0;

  std::string source;  // where the figures come from, for people: "capacity.yaml" or "headroom.yaml"
  bool operator==(const CapacityModel&) const = default;
};

}  // namespace headroom::capacity
