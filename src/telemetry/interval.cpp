#include "telemetry/interval.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/math.hpp"

namespace headroom::telemetry {

std::optional<Interval> interval(std::span<const double> values, double confidence) {
  if (values.empty()) return std::nullopt;
  Interval result;
  result.count = values.size();
  const double count = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  const double first_mean = sum / count;
  // The second pass takes back the rounding of the first, and sums deviations, which cancel nothing.
  double rest = 0;
  for (const double value : values) rest += value - first_mean;
  result.mean = first_mean + rest / count;
  if (values.size() == 1) return result;

  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.standard_deviation = std::sqrt(squares / (count - 1.0));
  const double t = base::student_t_quantile(0.5 + 0.5 * confidence, count - 1.0);
  result.half_width = t * *result.standard_deviation / std::sqrt(count);
  return result;
}

std::optional<Interval> paired_difference(std::span<const double> a, std::span<const double> b,
                                          double confidence) {
  if (a.size() != b.size()) {
    std::fprintf(stderr, "paired_difference: %zu values against %zu\n", a.size(), b.size());
    std::abort();
  }
  std::vector<double> differences(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) differences[i] = a[i] - b[i];
  return interval(differences, confidence);
}

bool proves_above_zero(const Interval& difference) {
  return difference.half_width.has_value() && difference.mean - *difference.half_width > 0;
}

bool proves_below_zero(const Interval& difference) {
  return difference.half_width.has_value() && difference.mean + *difference.half_width < 0;
}

}  // namespace headroom::telemetry
