#include "sim/processor.hpp"

#include <algorithm>
#include <limits>

namespace headroom::sim {
namespace {

// Less credit than this is none, and such a difference of cores is none: rounding must not make an instance
// flicker between its two speeds.
constexpr double kNothing = 1e-12;

}  // namespace

Processor::Processor(base::Cores cpu, const std::optional<environment::Credits>& credits)
    : cpu_(cpu.value()) {
  if (!credits) return;
  burstable_ = true;
  of_baseline_ = credits->of_baseline;
  baseline_ = credits->baseline.value();
  credit_ = base::seconds(credits->initial);
  most_ = base::seconds(credits->most);
}

double Processor::seconds_left(double used_cores) const {
  const double spends = used_cores - baseline_;
  if (!burstable_ || throttled() || spends <= kNothing) return std::numeric_limits<double>::infinity();
  return credit_ / spends;
}

void Processor::use(double used_cores, double seconds) {
  if (!burstable_) return;
  const double earns = baseline_ - used_cores;
  if (throttled() && earns <= kNothing) return;
  credit_ = std::clamp(credit_ + earns * seconds, 0.0, most_);
  if (credit_ < kNothing) credit_ = 0;
}

}  // namespace headroom::sim
