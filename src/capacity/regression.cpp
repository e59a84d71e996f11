#include "capacity/regression.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/math.hpp"

namespace headroom::capacity {
namespace {

double count(std::size_t n) { return static_cast<double>(n); }

double t_95(std::size_t degrees) { return base::student_t_quantile(0.975, count(degrees)); }

// What rounding leaves of a residual sum of squares that is 0: then there is no scatter to compare with.
bool is_exact(double rss, double total) { return rss <= 1e-24 * total; }

double total_of(const std::vector<Point>& points) {
  double mean = 0;
  for (const Point& point : points) mean += point.y / count(points.size());
  double total = 0;
  for (const Point& point : points) total += (point.y - mean) * (point.y - mean);
  return total;
}

// The broken line at a given place, by Gram-Schmidt on the columns 1, x and max(0, x - at).
struct Broken {
  double rss = std::numeric_limits<double>::infinity();
  double slope = 0;
  double bend = 0;
};

Broken broken_at(const std::vector<Point>& points, const Line& line, double at) {
  double mean = 0;
  for (const Point& point : points) mean += std::max(0.0, point.x - at) / count(points.size());
  double along = 0;  // of the third column on the second
  for (const Point& point : points) along += (std::max(0.0, point.x - at) - mean) * (point.x - line.x_mean);
  along /= line.sxx;
  double square = 0;
  double product = 0;
  for (const Point& point : points) {
    const double rest = std::max(0.0, point.x - at) - mean - along * (point.x - line.x_mean);
    square += rest * rest;
    product += rest * point.y;
  }
  Broken result;
  if (square <= 1e-12 * line.sxx) return result;  // all points on one side
  result.bend = product / square;
  result.slope = line.slope - result.bend * along;
  // Summed from the residuals: RSS1 - bend * product would lose the digits that a good fit is about.
  result.rss = 0;
  double y_mean = 0;
  for (const Point& point : points) y_mean += point.y / count(points.size());
  for (const Point& point : points) {
    const double rest = std::max(0.0, point.x - at) - mean - along * (point.x - line.x_mean);
    const double residual = point.y - y_mean - line.slope * (point.x - line.x_mean) - result.bend * rest;
    result.rss += residual * residual;
  }
  return result;
}

}  // namespace

Line fit_line(const std::vector<Point>& points) {
  Line line;
  const double n = count(points.size());
  double y_mean = 0;
  for (const Point& point : points) {
    line.x_mean += point.x / n;
    y_mean += point.y / n;
  }
  double sxy = 0;
  double syy = 0;
  for (const Point& point : points) {
    line.sxx += (point.x - line.x_mean) * (point.x - line.x_mean);
    sxy += (point.x - line.x_mean) * (point.y - y_mean);
    syy += (point.y - y_mean) * (point.y - y_mean);
  }
  line.points = points.size();
  line.slope = sxy / line.sxx;
  line.intercept = y_mean - line.slope * line.x_mean;
  for (const Point& point : points) {
    const double residual = point.y - y_mean - line.slope * (point.x - line.x_mean);
    line.rss += residual * residual;
  }
  line.r_squared = syy > 0 ? 1 - line.rss / syy : 1;
  line.residual_deviation = std::sqrt(line.rss / (n - 2));
  const double half = t_95(points.size() - 2) * line.residual_deviation / std::sqrt(line.sxx);
  line.slope_95 = {line.slope - half, line.slope + half};
  line.intercept_95 = interval_at(line, 0);
  return line;
}

double value_at(const Line& line, double x) { return line.intercept + line.slope * x; }

Interval interval_at(const Line& line, double x) {
  const double off = x - line.x_mean;
  const double half = t_95(line.points - 2) * line.residual_deviation *
                      std::sqrt(1 / count(line.points) + off * off / line.sxx);
  return {value_at(line, x) - half, value_at(line, x) + half};
}

std::optional<Inverse> inverse_at(const Line& line, double y) {
  // With d = x - mean x and v = y - line(mean x), the ends solve
  // (slope^2 - k / Sxx) d^2 - 2 slope v d + v^2 - k / n = 0, where k = t^2 s^2.
  const double t = t_95(line.points - 2);
  const double k = t * t * line.residual_deviation * line.residual_deviation;
  const double v = y - value_at(line, line.x_mean);
  const double a = line.slope * line.slope - k / line.sxx;
  if (!(a > 0)) return std::nullopt;
  const double root = std::sqrt(std::max(0.0, k * (v * v / line.sxx + a / count(line.points))));
  Inverse inverse;
  inverse.x = line.x_mean + v / line.slope;
  inverse.interval_95 = {line.x_mean + (line.slope * v - root) / a,
                         line.x_mean + (line.slope * v + root) / a};
  return inverse;
}

Curvature test_curvature(const std::vector<Point>& points, const Line& line) {
  // q = d^2 - alpha d - beta is orthogonal to 1 and d, so that its coefficient is independent of the line.
  double square = 0;
  double cube = 0;
  for (const Point& point : points) {
    const double d = point.x - line.x_mean;
    square += d * d;
    cube += d * d * d;
  }
  const double alpha = cube / square;
  const double beta = square / count(points.size());
  const auto q = [&](double x) {
    const double d = x - line.x_mean;
    return d * d - alpha * d - beta;
  };
  double q_square = 0;
  double product = 0;
  for (const Point& point : points) {
    q_square += q(point.x) * q(point.x);
    product += q(point.x) * (point.y - value_at(line, point.x));
  }
  Curvature curvature;
  if (q_square <= 1e-20 * square * square) return curvature;  // two places of x alone
  const double bend = product / q_square;
  double rss = 0;
  double lowest = points.front().x;
  double highest = points.front().x;
  for (const Point& point : points) {
    const double residual = point.y - value_at(line, point.x) - bend * q(point.x);
    rss += residual * residual;
    lowest = std::min(lowest, point.x);
    highest = std::max(highest, point.x);
  }
  curvature.upward = bend > 0;
  // The distance is extreme at the ends of the range or where q is least.
  for (const double x : {lowest, highest, line.x_mean + alpha / 2}) {
    curvature.departure_max = std::max(curvature.departure_max, std::fabs(bend * q(x)));
  }
  const double total = total_of(points);
  if (is_exact(line.rss, total)) return curvature;
  if (is_exact(rss, total)) {
    curvature.p_value = 0;
    return curvature;
  }
  const double degrees = count(points.size()) - 3;
  const double f = std::max(0.0, line.rss - rss) / (rss / degrees);
  curvature.p_value = base::f_test_p_value(f, 1, degrees);
  return curvature;
}

std::optional<BrokenLine> fit_broken_line(std::vector<Point> points) {
  if (points.size() < 8) return std::nullopt;
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  const double lowest = points[2].x;
  const double highest = points[points.size() - 3].x;
  if (!(highest > lowest)) return std::nullopt;
  const Line line = fit_line(points);

  constexpr int places = 1000;
  std::array<double, places + 1> sums{};
  int best = 0;
  const auto place = [&](int i) { return lowest + (highest - lowest) * i / places; };
  for (int i = 0; i <= places; ++i) {
    const auto at = static_cast<std::size_t>(i);
    sums[at] = broken_at(points, line, place(i)).rss;
    if (sums[at] < sums[static_cast<std::size_t>(best)]) best = i;
  }
  const double least = sums[static_cast<std::size_t>(best)];
  if (!std::isfinite(least)) return std::nullopt;
  const Broken broken = broken_at(points, line, place(best));
  BrokenLine result;
  result.at = place(best);
  result.slope_before = broken.slope;
  result.slope_after = broken.slope + broken.bend;
  const double degrees = count(points.size()) - 4;
  const double t = base::student_t_quantile(0.975, degrees);  // F of 1 and n - 4 is its square
  const double limit = least * (1 + t * t / degrees);
  int first = best;
  int last = best;
  for (int i = 0; i <= places; ++i) {
    if (sums[static_cast<std::size_t>(i)] > limit) continue;
    first = std::min(first, i);
    last = std::max(last, i);
  }
  result.at_95 = {place(first), place(last)};
  result.open_below = first == 0;
  result.open_above = last == places;
  const double total = total_of(points);
  if (is_exact(line.rss, total)) return result;
  if (is_exact(least, total)) {
    result.p_value = 0;
    return result;
  }
  const double f = std::max(0.0, (line.rss - least) / 2) / (least / degrees);
  result.p_value = base::f_test_p_value(f, 2, degrees);
  return result;
}

std::vector<double> non_decreasing(const std::vector<double>& y) {
  struct Block {
    double mean = 0;
    std::size_t size = 0;
  };
  std::vector<Block> blocks;
  for (const double value : y) {
    blocks.push_back({value, 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean > blocks.back().mean) {
      const Block last = blocks.back();
      blocks.pop_back();
      Block& before = blocks.back();
      const double size = count(before.size + last.size);
      before.mean = (before.mean * count(before.size) + last.mean * count(last.size)) / size;
      before.size += last.size;
    }
  }
  std::vector<double> result;
  for (const Block& block : blocks) result.insert(result.end(), block.size, block.mean);
  return result;
}

}  // namespace headroom::capacity
