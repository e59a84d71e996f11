// Objective arithmetic: how much of the time a limit was kept, and how fast the permitted rest is spent.
//
// Worked example: "p95 below 500 ms for 99.9 % of minutes" over 30 days, 43,200 minutes, permits 0.1 % =
// 43.2 minutes of violation: the error budget. After 10 days with 7.2 minutes violated, 36 minutes, 83.3 % of
// the budget, are left. If 3 of the last 60 minutes were violated, the burn rate is (3/60) / 0.001 = 50: at
// this pace the budget of 30 days is gone in 30 / 50 = 0.6 days.
#pragma once

#include <optional>

#include "base/quantity.hpp"
#include "telemetry/series.hpp"

namespace headroom::telemetry {

// How long the limit was kept, violated, and not known (no sample: neither good nor bad).
struct Compliance {
  base::Milliseconds kept{0};
  base::Milliseconds violated{0};
  base::Milliseconds unknown{0};

  friend Compliance operator+(const Compliance& a, const Compliance& b) {
    return {a.kept + b.kept, a.violated + b.violated, a.unknown + b.unknown};
  }
  bool operator==(const Compliance&) const = default;
};

// A tick violates the limit when its value is above it; equal keeps it. NaN is unknown.
Compliance compliance_at_most(const Series& series, double limit);
// For what must not fall below: availability.
Compliance compliance_at_least(const Series& series, double limit);

// Of the time that is known; absent where none is.
std::optional<double> violated_share(const Compliance& compliance);

// Whether the limit was kept for at least `promised` (0.999 for 99.9 %) of the known time; true where none
// is. Compares times, so that exactly the permitted time is still within the promise.
bool keeps(const Compliance& compliance, double promised);

struct ErrorBudget {
  base::Milliseconds permitted{0};  // violation that the promise allows over the whole period
  base::Milliseconds left{0};       // negative once it is overspent
  double left_share = 0;            // left / permitted; 0 where nothing is permitted
  bool operator==(const ErrorBudget&) const = default;
};

// Over a period of which `so_far` has passed. Requires: 0 <= promised <= 1.
ErrorBudget error_budget(const Compliance& so_far, double promised, base::Milliseconds period);

// How many times faster than permitted the window spent: 1 uses up exactly the budget over the period.
// Infinite where nothing is permitted but something was violated; absent where nothing is known.
std::optional<double> burn_rate(const Compliance& window, double promised);

}  // namespace headroom::telemetry
