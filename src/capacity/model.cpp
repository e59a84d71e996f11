#include "capacity/model.hpp"

#include <algorithm>
#include <cstdint>

#include "base/math.hpp"

namespace headroom::capacity {
namespace {

// A hundred years, the longest duration of the file: the tail of a wide spread may lie beyond.
constexpr double kLongestMs = 36'525.0 * 86'400'000;

double ms(base::Milliseconds duration) { return static_cast<double>(duration.count()); }

base::Milliseconds whole(double milliseconds) {
  return base::Milliseconds(
      static_cast<std::int64_t>(base::round_half_even(std::min(milliseconds, kLongestMs))));
}

double sigma(const StartupSpread& spread) {
  return base::log(ms(spread.b) / ms(spread.a)) / base::normal_quantile(0.95);
}

}  // namespace

base::Milliseconds mean(const StartupSpread& spread) {
  if (spread.kind == StartupSpread::Kind::uniform) return whole((ms(spread.a) + ms(spread.b)) / 2);
  const double s = sigma(spread);
  return whole(ms(spread.a) * base::exp(s * s / 2));
}

base::Milliseconds startup_at(const StartupSpread& spread, double u) {
  if (spread.kind == StartupSpread::Kind::uniform)
    return whole(ms(spread.a) + u * (ms(spread.b) - ms(spread.a)));
  return whole(ms(spread.a) * base::exp(sigma(spread) * base::normal_quantile(u)));
}

}  // namespace headroom::capacity
