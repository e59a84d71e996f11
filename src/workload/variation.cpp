#include "workload/variation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/units.hpp"

namespace headroom::workload {
namespace {

using base::bad_input;
using base::format_duration;
using base::Milliseconds;

// Swings below this share of the range of a series are no rises of their own. A fifth separates the days of
// the recorded examples from the noise within a day.
constexpr double swing_min = 0.2;

struct Turn {
  std::size_t at = 0;
  bool peak = false;
};

// The turning points in time: peaks at their first highest tick, troughs at their last lowest, alternating,
// beginning with the first tick and ending with the last extreme.
std::vector<Turn> turns_of(const std::vector<double>& values) {
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  const double swing = (*highest - *lowest) * swing_min;
  std::vector<Turn> turns;
  if (swing <= 0) return turns;
  std::size_t high = 0;  // highest and lowest since the last turn
  std::size_t low = 0;
  int direction = 0;  // 1 rising, -1 falling, 0 not yet known
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] > values[high]) high = i;
    if (values[i] <= values[low]) low = i;
    if (direction >= 0 && values[i] <= values[high] - swing) {
      turns.push_back({high, true});
      direction = -1;
      low = i;
    } else if (direction <= 0 && values[i] >= values[low] + swing) {
      turns.push_back({low, false});
      direction = 1;
      high = i;
    }
  }
  if (direction > 0) turns.push_back({high, true});
  return turns;
}

// A tick of the source and the place that it gets.
struct Knot {
  double source = 0;
  double place = 0;
};

std::vector<Knot> knots_of(const std::vector<Turn>& turns, double factor) {
  std::vector<Knot> knots;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const double at = static_cast<double>(turns[i].at);
    if (turns[i].peak) {
      knots.push_back({at, at});
    } else if (i + 1 < turns.size()) {
      const double peak = static_cast<double>(turns[i + 1].at);
      const double earliest = i > 0 ? static_cast<double>(turns[i - 1].at) + 1 : 0;
      // No rise is shorter than a tick.
      const double place = std::min(peak - (peak - at) / factor, peak - 1);
      knots.push_back({at, std::max(place, std::min(earliest, at))});
    }
  }
  return knots;
}

}  // namespace

base::Result<Split> split(const base::Series& series, Milliseconds since_start) {
  if (since_start <= Milliseconds{0} || since_start >= series.duration()) {
    return bad_input(fmt::format("traffic of {} cannot be cut in two at {}",
                                 format_duration(series.duration()), format_duration(since_start)),
                     "choose a time within it");
  }
  if (since_start % series.tick != Milliseconds{0}) {
    return bad_input(fmt::format("the cut at {} lies within a tick of {}", format_duration(since_start),
                                 format_duration(series.tick)),
                     "choose a whole number of ticks");
  }
  const auto at = series.values.begin() + since_start / series.tick;
  return Split{{series.start, series.tick, {series.values.begin(), at}},
               {series.start + since_start, series.tick, {at, series.values.end()}}};
}

base::Series scaled(const base::Series& series, double factor) {
  base::Series result = series;
  for (double& value : result.values) value *= factor;
  return result;
}

base::Series steepen(const base::Series& series, double factor) {
  base::Series result = series;
  if (factor == 1) return result;
  const std::vector<double>& values = series.values;
  if (values.empty()) return result;
  const std::vector<Knot> knots = knots_of(turns_of(values), factor);
  if (knots.empty()) return result;
  // What comes before a first trough stays, and then the trough is held; before a first peak and behind the
  // last nothing moves.
  std::size_t next = 1;  // the knot at or behind the tick
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double place = static_cast<double>(i);
    if (place <= knots.front().place) {
      const bool trough = knots.front().place != knots.front().source;
      if (trough) result.values[i] = values[std::min(i, static_cast<std::size_t>(knots.front().source))];
      continue;
    }
    if (place >= knots.back().place) break;
    while (knots[next].place < place) ++next;
    const Knot& a = knots[next - 1];
    const Knot& b = knots[next];
    const double source = a.source + (place - a.place) * (b.source - a.source) / (b.place - a.place);
    const auto below = static_cast<std::size_t>(source);
    const double share = source - static_cast<double>(below);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    result.values[i] = values[below] + (values[above] - values[below]) * share;
  }
  return result;
}

}  // namespace headroom::workload
