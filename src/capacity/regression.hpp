// Straight lines through measured points: ordinary least squares, its intervals, and tests of its shape.
//
//   y = intercept + slope x + e
//   slope = Sxy / Sxx, intercept = mean y - slope * mean x, s^2 = RSS / (n - 2)
//   95 % interval of the slope:  slope +- t s / sqrt(Sxx)
//   of the line at x:            line(x) +- t s sqrt(1/n + (x - mean x)^2 / Sxx)
// with t the 0.975 quantile of Student's distribution of n - 2 degrees of freedom.
// Source: Draper and Smith, Applied Regression Analysis, 3rd edition (1998), chapters 1 and 3.
// Worked example: (1, 2), (2, 3), (3, 5), (4, 6): Sxx 5, Sxy 7, slope 1.4, intercept 0.5, RSS 0.2, s^2 0.1,
// R2 0.98; t of 2 degrees 4.302653, so the slope is 1.4 +- 4.302653 * sqrt(0.1 / 5) = 1.4 +- 0.608487.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "capacity/model.hpp"

namespace headroom::capacity {

struct Point {
  double x = 0;
  double y = 0;
};

struct Line {
  double slope = 0;
  double intercept = 0;
  Interval slope_95;
  Interval intercept_95;
  double r_squared = 0;
  double residual_deviation = 0;  // s, in the unit of y
  std::size_t points = 0;
  double x_mean = 0;
  double sxx = 0;
  double rss = 0;
};

// Requires: three points or more, of which two differ in x.
Line fit_line(const std::vector<Point>& points);

double value_at(const Line& line, double x);

// Of the line itself, not of a single further point.
Interval interval_at(const Line& line, double x);

// The x at which the line reaches y, and its 95 % interval: all x whose interval_at() holds y (Fieller's
// theorem; Draper and Smith, section 3.2 "inverse regression"). Unset where the slope is not distinct from 0,
// for then the interval has no end.
struct Inverse {
  double x = 0;
  Interval interval_95;
};
std::optional<Inverse> inverse_at(const Line& line, double y);

// Whether a quadratic term improves the line: F = (RSS1 - RSS2) / (RSS2 / (n - 3)) on 1 and n - 3 degrees of
// freedom (Draper and Smith, section 6.1, the extra sum of squares).
struct Curvature {
  double p_value = 1;
  double departure_max =
      0;                // largest distance of parabola and line over the measured range, in the unit of y
  bool upward = false;  // utilisation grows faster than the rate
};

// Requires: four points or more, of which three differ in x.
Curvature test_curvature(const std::vector<Point>& points, const Line& line);

// Two straight segments that meet at `at`:
//   y = a + b x + c max(0, x - at)
// `at` is where the residual sum of squares is least, sought over 1,000 places between the third lowest and
// the third highest x; its interval is where that sum is below RSS (1 + F / (n - 4)) with F the 0.95 quantile
// of 1 and n - 4 degrees of freedom (a profile likelihood, Seber and Wild, Nonlinear Regression, 1989,
// sections 5.4 and 9.4), which needs no random numbers.
// p_value: of the F test of both further parameters against one line, 2 and n - 4 degrees of freedom. Since
// `at` is sought, it is too small: by Andrews (Econometrica 61, 1993, table 1) 0.002 here stands for about
// 0.01.
struct BrokenLine {
  double at = 0;
  Interval at_95;
  // The interval ends where the search does: `at` may lie lower, or higher, than the points tell.
  bool open_below = false;
  bool open_above = false;
  double slope_before = 0;
  double slope_after = 0;
  double p_value = 1;
};

// Unset: fewer than eight points, or x does not spread enough to place two segments.
std::optional<BrokenLine> fit_broken_line(std::vector<Point> points);

// The non-decreasing values closest to y by least squares, in the order given (pool adjacent violators;
// Barlow et al., Statistical Inference under Order Restrictions, 1972).
std::vector<double> non_decreasing(const std::vector<double>& y);

}  // namespace headroom::capacity
