#include "tune/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "capacity/evaluate.hpp"

namespace headroom::tune {
namespace {

using base::Milliseconds;
using base::Rate;

constexpr int kSteps = 100;                     // between the base and the ceiling
constexpr Milliseconds kSettle{4 * 3'600'000};  // at the base rate, before the surge
constexpr Milliseconds kHold{3'600'000};        // at the peak
constexpr Milliseconds kLongestRamp{24 * 3'600'000};

std::int64_t ticks_of(Milliseconds duration, Milliseconds tick) {
  return (duration + tick - Milliseconds(1)) / tick;
}

// Whether no tick from the start of the ramp on is above the limit.
bool survives(const sim::Scenario& scenario, Rate from, Rate to, std::int64_t ramp_ticks) {
  const std::int64_t settle = ticks_of(kSettle, scenario.tick);
  const std::int64_t hold = ticks_of(kHold, scenario.tick);
  std::vector<float> rates;
  for (std::int64_t t = 0; t < settle + ramp_ticks + hold; ++t) {
    const double share = t < settle ? 0.0
                         : t >= settle + ramp_ticks
                             ? 1.0
                             : (static_cast<double>(t - settle) + 0.5) / static_cast<double>(ramp_ticks);
    rates.push_back(static_cast<float>(from.value() + share * (to - from).value()));
  }
  const sim::Trajectory trajectory =
      sim::run_one_lane(scenario.lanes, scenario.numbers, {0, scenario.tick.count(), rates});
  for (auto t = static_cast<std::size_t>(settle); t < rates.size(); ++t) {
    const Rate share(static_cast<double>(rates[t]) / static_cast<double>(trajectory.in_service[t]));
    // The rate went through float32: equal to the limit counts as kept.
    if (capacity::utilisation(scenario.capacity, share).value() > scenario.cpu_limit_percent * (1 + 1e-6))
      return false;
  }
  return true;
}

Rate median(const base::Series& series) {
  std::vector<double> values = series.values;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return Rate(*middle);
}

Rate takes(const sim::Scenario& scenario, std::int32_t instances, double cpu_percent) {
  const double each =
      (cpu_percent - scenario.capacity.intercept_percent) / scenario.capacity.slope_percent_per_rps;
  return Rate(std::max(0.0, each) * instances);
}

// The shortest ramp to `peak` that is survived, at most a day; ramps double, then the gap is halved.
std::optional<Milliseconds> steepest(const sim::Scenario& scenario, Rate from, Rate peak) {
  if (survives(scenario, from, peak, 0)) return Milliseconds(0);
  std::int64_t fails = 0;
  std::int64_t works = 1;
  const std::int64_t longest = ticks_of(kLongestRamp, scenario.tick);
  while (!survives(scenario, from, peak, works)) {
    fails = works;
    if (works >= longest) return std::nullopt;
    works = std::min(2 * works, longest);
  }
  while (works - fails > 1) {
    const std::int64_t middle = fails + (works - fails) / 2;
    (survives(scenario, from, peak, middle) ? works : fails) = middle;
  }
  return works * scenario.tick;
}

}  // namespace

base::Result<Surges> limits(const sim::Scenario& scenario, const std::optional<base::Series>& traffic,
                            const SurgeOptions& options) {
  if (!std::isfinite(scenario.cpu_limit_percent)) {
    base::Error error =
        base::bad_input("there is no objective to survive", "state one: `objective: {cpu: 60%}`");
    error.faults.front().path = "services." + scenario.service + ".objective";
    return error;
  }
  Surges result;
  result.ceiling = takes(scenario, scenario.numbers.max, scenario.cpu_limit_percent);
  if (options.base)
    result.base = *options.base;
  else if (traffic)
    result.base = median(*traffic);
  else
    result.base = takes(scenario, scenario.numbers.min, scenario.cpu_limit_percent / 2);
  if (result.base >= result.ceiling) {
    return base::bad_input(fmt::format("the surge would start at {}, and the largest fleet takes {}",
                                       base::format_rate(result.base), base::format_rate(result.ceiling)),
                           "start lower (--from), or raise `max`");
  }

  std::vector<Milliseconds> ramps = options.ramps;
  if (ramps.empty()) {
    for (const int minutes : {0, 5, 10, 20, 30, 60, 120}) ramps.push_back(std::chrono::minutes(minutes));
  }
  std::sort(ramps.begin(), ramps.end());
  for (const Milliseconds ramp : ramps) {
    Surge surge{ramp, std::nullopt, false};
    const std::int64_t ticks = ticks_of(ramp, scenario.tick);
    int step = 1;
    for (; step <= kSteps; ++step) {
      const Rate peak = result.base + (static_cast<double>(step) / kSteps) * (result.ceiling - result.base);
      if (!survives(scenario, result.base, peak, ticks)) break;
      surge.peak = peak;
    }
    surge.at_ceiling = step > kSteps;
    result.highest.push_back(surge);
  }
  result.steepest_to_ceiling = steepest(scenario, result.base, result.ceiling);
  if (traffic) {
    result.traffic_peak = Rate(*std::max_element(traffic->values.begin(), traffic->values.end()));
    if (*result.traffic_peak > result.base && *result.traffic_peak <= result.ceiling) {
      result.steepest_to_traffic_peak = steepest(scenario, result.base, *result.traffic_peak);
    }
  }
  return result;
}

}  // namespace headroom::tune
