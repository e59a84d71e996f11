#include "workload/generated.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/math.hpp"
#include "base/philox.hpp"
#include "workload/arrivals.hpp"
#include "workload/sagemaker_load.hpp"

namespace headroom::workload {
namespace {

using base::Milliseconds;

constexpr Milliseconds minute{60'000};
constexpr Milliseconds day{86'400'000};
constexpr double pi = 3.14159265358979323846;

double count(Milliseconds duration) { return static_cast<double>(duration.count()); }

// The integral of the wave over [from, to), in requests per second times milliseconds. Requires: the span
// lies within one day.
double wave(const Generated& shape, Milliseconds from, Milliseconds to) {
  const double turns_from = count(from % day - shape.peak_at) / count(day);
  const double turns_to = turns_from + count(to - from) / count(day);
  const double cosine = (base::sin_turns(turns_to) - base::sin_turns(turns_from)) / (2 * pi) * count(day);
  const double low = shape.base.value();
  const double high = shape.peak.value();
  const double area = low * count(to - from) + (high - low) * (count(to - from) + cosine) / 2;
  const bool weekend = from / day % 7 >= 5;  // day 0 is a Monday
  return weekend ? area * shape.weekend : area;
}

// Adds the mean of one spike to each tick that it touches.
void add_spike(const Generated& shape, Milliseconds begins, Milliseconds from, base::Series& series) {
  const Milliseconds duration = shape.spikes->duration;
  const double height = shape.spikes->height * shape.peak.value();
  const auto ticks = static_cast<std::int64_t>(series.values.size());
  for (std::int64_t i = std::max<std::int64_t>(0, (begins - from) / series.tick); i < ticks; ++i) {
    const Milliseconds a = std::max(begins, from + i * series.tick);
    const Milliseconds b = std::min(begins + duration, from + (i + 1) * series.tick);
    if (a >= begins + duration) break;
    if (a >= b) continue;
    const double left =
        1 - count((a - begins) + (b - begins)) / 2 / count(duration);  // at the middle of a..b
    series.values[static_cast<std::size_t>(i)] += height * left * count(b - a) / count(series.tick);
  }
}

void add_spikes(const Generated& shape, Milliseconds from, Milliseconds to, base::Series& series) {
  const double per_minute = shape.spikes->per_day / 1440;
  const std::int64_t first = std::max<std::int64_t>(0, (from - shape.spikes->duration) / minute);
  for (std::int64_t k = first; k * minute < to; ++k) {
    const auto key = static_cast<std::uint64_t>(k);
    const base::RandomBlock block = base::random_block(shape.seed, spikes_stream, key);
    const double begun = poisson_quantile(per_minute, base::open_uniform(block.bits64(0)));
    for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(begun); ++n) {
      const base::RandomBlock place = base::random_block(shape.seed, spikes_stream, key, n + 1);
      const auto offset = static_cast<std::int64_t>(base::uniform(place.bits64(0)) * count(minute));
      add_spike(shape, k * minute + Milliseconds(offset), from, series);
    }
  }
}

}  // namespace

base::Error check(const Generated& generated) {
  base::Error faults;
  const auto need = [&faults](bool holds, std::string what, std::string fix) {
    if (!holds) faults.faults.push_back({{}, std::move(what), std::move(fix)});
  };
  const auto range = [&need](double value, double high, const char* name) {
    need(std::isfinite(value) && value >= 0 && value <= high,
         fmt::format("{} of the generated traffic is {}", name, value),
         fmt::format("expected 0 to {}", high));
  };
  need(generated.duration > Milliseconds{0}, "the generated traffic has no duration",
       "write one such as 14d");
  need(generated.duration <= 36'525 * day, "the generated traffic lasts more than a hundred years",
       "write a duration such as 14d");
  range(generated.base.value(), 1e12, "base (in rps)");
  range(generated.peak.value(), 1e12, "peak (in rps)");
  need(!(generated.base > generated.peak),
       fmt::format("base ({} rps) is above peak ({} rps)", generated.base.value(), generated.peak.value()),
       "exchange them");
  range(generated.weekend, 100, "weekend");
  range(generated.noise, 10, "noise");
  if (generated.spikes) {
    range(generated.spikes->per_day, 1440, "the number of spikes per day");
    range(generated.spikes->height, 1000, "the height of spikes");
    need(generated.spikes->duration > Milliseconds{0} && generated.spikes->duration <= 7 * day,
         "the duration of spikes is not within 7 days", "write one such as 10m");
  }
  return faults;
}

base::Series generate(const Generated& generated, Milliseconds from, Milliseconds to, Milliseconds tick) {
  if (generated.model == GeneratedModel::sagemaker) return generate_sagemaker(generated.seed, from, to, tick);
  base::Series series;
  series.start = generated_origin + from;
  series.tick = tick;
  series.values.assign(static_cast<std::size_t>((to - from) / tick), 0.0);
  const auto first = static_cast<std::uint64_t>(from / tick);
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    const Milliseconds begin = from + static_cast<std::int64_t>(i) * tick;
    const Milliseconds end = begin + tick;
    double area = 0;
    for (Milliseconds at = begin; at < end;) {
      const Milliseconds midnight = (at / day + 1) * day;
      const Milliseconds until = std::min(end, midnight);
      area += wave(generated, at, until);
      at = until;
    }
    double rate = area / count(tick);
    if (generated.noise > 0) {
      const base::RandomBlock block = base::random_block(generated.seed, noise_stream, first + i);
      rate *= 1 + generated.noise * base::normal_quantile(base::open_uniform(block.bits64(0)));
    }
    series.values[i] = std::max(rate, 0.0);
  }
  if (generated.spikes) add_spikes(generated, from, to, series);
  return series;
}

}  // namespace headroom::workload
