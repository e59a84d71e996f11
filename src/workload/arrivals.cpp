#include "workload/arrivals.hpp"

#include <cmath>
#include <cstddef>

#include "base/math.hpp"
#include "base/philox.hpp"
#include "base/quantity.hpp"

namespace headroom::workload {
namespace {

// Below this mean the probabilities are added up; exp(-32) is far from the smallest double.
constexpr double inversion_below = 32;

double invert(double mean, double u) {
  double probability = base::exp(-mean);
  double sum = probability;
  double count = 0;
  // u is at most 1 - 2^-53; where rounding keeps the sum below it, the terms have become too small to matter.
  while (sum < u && count < mean + 200) {
    count += 1;
    probability *= mean / count;
    sum += probability;
  }
  return count;
}

}  // namespace

double poisson_quantile(double mean, double u) {
  if (mean <= 0) return 0;
  if (mean < inversion_below) return invert(mean, u);
  const double w = base::normal_quantile(u);
  const double root = std::sqrt(mean);
  const double square = w * w;
  const double n = mean + root * w + (2 + square) / 6 - w * (2 + square) / (72 * root) +
                   (-16 + 7 * square + 3 * square * square) / (810 * mean);
  return n > 0 ? std::floor(n) : 0;
}

base::Series draw_arrivals(const base::Series& requests_per_second, std::uint64_t seed) {
  base::Series drawn = requests_per_second;
  const double tick = base::seconds(drawn.tick);
  const auto first = static_cast<std::uint64_t>(drawn.start / drawn.tick);
  for (std::size_t i = 0; i < drawn.values.size(); ++i) {
    const base::RandomBlock block = base::random_block(seed, arrivals_stream, first + i);
    const double u = base::open_uniform(block.bits64(0));
    drawn.values[i] = poisson_quantile(drawn.values[i] * tick, u) / tick;
  }
  return drawn;
}

}  // namespace headroom::workload
