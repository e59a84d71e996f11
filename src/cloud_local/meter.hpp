// Meter: counters that only grow, read at the ends of metric periods, as means over the periods.
#pragma once

#include <cstdint>
#include <optional>

#include "base/quantity.hpp"
#include "cloud/cloud.hpp"

namespace headroom::cloud_local {

// What counters showed at a moment.
struct Reading {
  base::Nanoseconds at{0};   // of any steady clock
  base::Nanoseconds cpu{0};  // used
  std::optional<std::uint64_t> requests;
  std::int64_t counter_of = 0;  // who counts the requests: with another one they begin anew
};

// The mean of one instance over the period that ends at `end`.
// Nothing where it was not read at the start of the period, or counters began anew meanwhile.
class Meter {
 public:
  std::optional<cloud::InstanceMetrics> turn(base::Milliseconds end, base::Milliseconds period,
                                             const Reading& reading, base::Cores cores) {
    std::optional<cloud::InstanceMetrics> metrics;
    const std::optional<Reading> before = before_;
    const bool follows = before && before_end_ == end - period && reading.at > before->at;
    if (follows) {
      metrics.emplace();
      metrics->end = end;
      metrics->length = period;
      const auto length = static_cast<double>((reading.at - before->at).count());
      if (reading.cpu >= before->cpu) {
        const auto used = static_cast<double>((reading.cpu - before->cpu).count());
        metrics->cpu = base::Percent(100 * used / (length * cores.value()));
      }
      const bool counts_on = reading.requests && before->requests &&
                             reading.counter_of == before->counter_of &&
                             *reading.requests >= *before->requests;
      if (counts_on) {
        metrics->requests =
            base::per_second(static_cast<double>(*reading.requests - *before->requests) / length * 1e9);
      }
    }
    before_ = reading;
    before_end_ = end;
    return metrics;
  }

 private:
  std::optional<Reading> before_;
  base::Milliseconds before_end_{0};
};

}  // namespace headroom::cloud_local
