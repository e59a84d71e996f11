// fit(): the capacity model of one instance from the measurements of a load test; start here to measure.
//
// Utilisation against request rate per instance is a straight line with intercept (regression.hpp). Left out
// of the line, with a note: rows at 97 % or more, where the meter cannot show what is asked for (saturated),
// and rows with more than 5 % errors, whose answers cost less than real ones. A test for curvature says
// whether the line is the right shape; the answer and its p-value are in the notes.
//
// The knee is where two straight lines through the logarithm of latency against utilisation meet. The
// logarithm, because latency scatters by factors (a p95 of 500 ms by tens of milliseconds, one of 50 ms by
// single ones), so that on the bare scale the few highest rows would decide alone, and because latency grows
// by factors behind the knee. The other definition of a knee, where p95 breaks an objective, is
// utilisation_at_latency() of evaluate.hpp.
//
// The saturation is the median rate of the rows that whoever measured them calls full.
//
// The latency curve: rows in the order of utilisation, in up to twelve groups of about equal size, the median
// of each, made non-decreasing (isotonic regression).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "capacity/measurements.hpp"
#include "capacity/model.hpp"
#include "capacity/regression.hpp"

namespace headroom::capacity {

// A line through utilisation is called curved where chance alone bends it so much once in a hundred times.
inline constexpr double curved_below_p = 0.01;

struct Knee {
  base::Percent utilisation;
  Interval interval_95_percent;
  double p_value = 1;        // of one straight line instead
  double growth_before = 1;  // factor of latency per 10 points of utilisation
  double growth_after = 1;
  std::string quantile;  // of the latency it was found in: "p95"
  // The measurements end where the interval does: the knee may lie lower, or higher.
  bool open_below = false;
  bool open_above = false;
};

struct Fit {
  CapacityModel model;
  Line line;  // x in requests per second per instance, y in percent
  Curvature curvature;
  bool curved = false;
  std::optional<Knee> knee;
  std::optional<base::Rate> saturation;  // the median rate of the rows at which the instance was full
  std::size_t rows_used = 0;
  std::size_t rows_saturated = 0;
  std::size_t rows_failing = 0;
  base::Rate measured_from;  // of the rows used; the line is known between the two
  base::Rate measured_up_to;
  std::vector<std::string> notes;  // what was left out, tested, found or not found, in whole sentences
};

// Errors: fewer than five usable rows; one rate only; a utilisation that does not rise with the rate; NaN.
base::Result<Fit> fit(const Measurements& measurements);

// The bend of latency over any x, such as the rate. `points`: x and milliseconds; those of 0 ms are left out.
// Unset: as fit_broken_line().
std::optional<BrokenLine> latency_bend(const std::vector<Point>& points);
// Whether it is one: certain enough, and upward.
bool is_knee(const BrokenLine& bend);

// A figure read off the line. Whoever shows it says where it is no measured one.
struct Prediction {
  double value = 0;
  Interval interval_95;
  bool extrapolated = false;       // beyond the measured rates
  bool beyond_saturation = false;  // more than a full instance answered
};

// In percent.
Prediction utilisation_at(const Fit& fit, base::Rate per_instance);

// In requests per second per instance. Unset: no rate gives so little (it is below the intercept).
std::optional<Prediction> rate_at(const Fit& fit, base::Percent utilisation);

}  // namespace headroom::capacity
