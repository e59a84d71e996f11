#include "sim/strength.hpp"

#include <algorithm>

#include "base/math.hpp"
#include "base/philox.hpp"

namespace headroom::sim {
namespace {

constexpr double kLeast = 0.05;  // 1 - 9.5 deviations at a noise of 10 %: an instance takes something

}  // namespace

double strength(double noise, std::uint64_t seed, base::Milliseconds begin, base::Milliseconds tick) {
  if (noise == 0) return 1;
  const auto number = static_cast<std::uint64_t>(begin / tick);
  const double z =
      base::normal_quantile(base::open_uniform(base::random_block(seed, kStrengthStream, number).bits64(0)));
  return std::max(kLeast, 1 + noise * z);
}

}  // namespace headroom::sim
