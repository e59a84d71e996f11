// Interval: what a few replications say about a mean, and how sure it is.
//
// Worked example: five seeds cost 10, 12, 11, 13 and 14 dollars. The mean is 12; the squared deviations
// 4 + 0 + 1 + 1 + 4 = 10 over 5 - 1 give a variance of 2.5, a standard deviation of 1.581 and a standard
// error of 1.581 / sqrt(5) = 0.7071. Student's t for 95 % and 4 degrees of freedom is 2.776, so the interval
// is 12 +- 1.963: 10.04 to 13.96.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace headroom::telemetry {

struct Interval {
  std::size_t count = 0;
  double mean = 0;
  // Of the sample (divided by count - 1); absent for a single value.
  std::optional<double> standard_deviation;
  // The mean of the population lies within mean +- half_width with the confidence asked for, where the values
  // are independent and about normal; absent for a single value, which says nothing about its spread.
  std::optional<double> half_width;

  bool operator==(const Interval&) const = default;
};

// Nothing where there is no value. Requires: finite values, 0 < confidence < 1.
std::optional<Interval> interval(std::span<const double> values, double confidence = 0.95);

// Of a[i] - b[i]: two policies on the same seeds share their luck, so their difference is known much better
// than either. "Better" is proven where the interval does not contain 0. Requires: equal lengths.
std::optional<Interval> paired_difference(std::span<const double> a, std::span<const double> b,
                                          double confidence = 0.95);

// The interval lies wholly above (or below) zero: a single value proves nothing.
bool proves_above_zero(const Interval& difference);
bool proves_below_zero(const Interval& difference);

}  // namespace headroom::telemetry
