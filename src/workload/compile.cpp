#include "workload/compile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>

#include "base/units.hpp"
#include "workload/arrivals.hpp"
#include "workload/generated.hpp"
#include "workload/profile.hpp"
#include "workload/recorded.hpp"

namespace headroom::workload {
namespace {

using base::bad_input;
using base::Error;
using base::format_duration;
using base::format_instant;
using base::Milliseconds;
using base::Result;

// Twenty years of minutes; more would be a slip of units, and would not fit into memory next to a search.
constexpr std::int64_t ticks_max = 10'000'000;

// A hundred years; what is longer would overflow a sum of milliseconds before it is found to have too many
// ticks.
constexpr Milliseconds stage_max{36'525LL * 86'400'000};

bool is_rate(base::Rate rate) { return std::isfinite(rate.value()) && rate.value() >= 0; }

void join(Error& faults, Error more) {
  for (base::Fault& fault : more.faults) faults.faults.push_back(std::move(fault));
}

Error check(const Traffic& traffic, Milliseconds tick) {
  Error faults;
  if (tick <= Milliseconds{0})
    join(faults, bad_input("the tick is not positive", "write a duration such as 1m"));
  if (traffic.repeat < 1) {
    join(faults, bad_input(fmt::format("repeat is {}", traffic.repeat), "expected 1 or more"));
  }
  if (traffic.scale_factor && !(std::isfinite(*traffic.scale_factor) && *traffic.scale_factor >= 0)) {
    join(faults,
         bad_input(fmt::format("the scale factor is {}", *traffic.scale_factor), "expected 0 or more"));
  }
  if (traffic.scale_peak && !is_rate(*traffic.scale_peak)) {
    join(faults, bad_input(fmt::format("the scale peak is {} rps", traffic.scale_peak->value()),
                           "expected 0 or more"));
  }
  if (traffic.scale_factor && traffic.scale_peak) {
    join(faults, bad_input("scale has both a factor and a peak", "write one of them"));
  }
  return faults;
}

Result<Profile> profile_of(const Open& open) {
  Error faults;
  if (!is_rate(open.start)) {
    join(faults,
         bad_input(fmt::format("the start rate is {} rps", open.start.value()), "expected 0 or more"));
  }
  Profile profile;
  Milliseconds at{0};
  double rate = open.start.value();
  int number = 0;
  for (const OpenStage& stage : open.stages) {
    ++number;
    if (stage.duration < Milliseconds{0}) {
      join(faults,
           bad_input(fmt::format("stage {} has a negative duration", number), "write one such as 10m"));
    }
    if (stage.duration > stage_max) {
      join(faults, bad_input(fmt::format("stage {} lasts {}", number, format_duration(stage.duration)),
                             fmt::format("expected at most {}", format_duration(stage_max))));
    }
    if (!is_rate(stage.to) || (stage.from && !is_rate(*stage.from))) {
      join(faults, bad_input(fmt::format("stage {} has a rate that is negative or no number", number),
                             "expected 0 or more"));
    }
    const double from = stage.from ? stage.from->value() : rate;
    // A stage without a duration sets the rate from which the next one goes on.
    if (stage.duration > Milliseconds{0} && stage.duration <= stage_max) {
      profile.pieces.push_back({at, at + stage.duration, from, stage.to.value()});
      at += stage.duration;
    }
    rate = stage.to.value();
  }
  if (profile.pieces.empty())
    join(faults, bad_input("the open traffic has no stage that lasts", "add a stage"));
  if (!faults.faults.empty()) return faults;
  return profile;
}

std::string at_text(Milliseconds time, bool recorded) {
  return recorded ? format_instant(time) : format_duration(time);
}

// Where the cut begins and ends, within `whole`.
struct Span {
  Milliseconds from{0};
  Milliseconds to{0};
};
Result<Span> cut_of(const Cut& cut, Span whole, bool recorded) {
  const Span span{cut.from ? *cut.from : whole.from, cut.to ? *cut.to : whole.to};
  const std::string bounds = fmt::format("the traffic runs from {} to {}", at_text(whole.from, recorded),
                                         at_text(whole.to, recorded));
  Error faults;
  if (span.from >= span.to) {
    join(faults, bad_input(fmt::format("the cut from {} to {} leaves nothing", at_text(span.from, recorded),
                                       at_text(span.to, recorded)),
                           bounds));
  } else {
    if (span.from < whole.from) {
      join(faults,
           bad_input(fmt::format("the cut begins at {}, before the traffic", at_text(span.from, recorded)),
                     bounds));
    }
    if (span.to > whole.to) {
      join(faults, bad_input(fmt::format("the cut ends at {}, after the traffic", at_text(span.to, recorded)),
                             bounds));
    }
  }
  for (base::Fault& fault : faults.faults) fault.path = "traffic.cut";
  if (!faults.faults.empty()) return faults;
  return span;
}

std::optional<Error> check_ticks(Milliseconds duration, Milliseconds tick, int repeat) {
  const std::int64_t ticks = duration / tick;
  if (ticks == 0) {
    return bad_input(fmt::format("the traffic lasts {}, less than one tick of {}", format_duration(duration),
                                 format_duration(tick)),
                     "make the traffic longer or the tick shorter");
  }
  if (ticks > ticks_max / repeat) {
    return bad_input(
        fmt::format("the traffic has {} ticks of {}, {} times", ticks, format_duration(tick), repeat),
        fmt::format("expected at most {} in all", ticks_max));
  }
  return std::nullopt;
}

Error not_on_grid(Milliseconds duration, Milliseconds tick) {
  return bad_input(fmt::format("the traffic lasts {}, which is no whole number of ticks of {}",
                               format_duration(duration), format_duration(tick)),
                   "change a duration, the cut or the tick");
}

// The sampled shape, and its peak for scale_peak.
struct Shape {
  base::Series series;
  double peak = 0;
};

Result<Shape> shape_of(const Open& open, const Traffic& traffic, Milliseconds tick) {
  const auto profile = profile_of(open);
  if (!profile) return profile.error();
  const auto span = cut_of(traffic.cut, {profile->from(), profile->to()}, false);
  if (!span) return span.error();
  const Milliseconds duration = span->to - span->from;
  if (auto error = check_ticks(duration, tick, traffic.repeat)) return *std::move(error);
  if (duration % tick != Milliseconds{0}) return not_on_grid(duration, tick);
  const Profile cut = part(*profile, span->from, span->to);
  return Shape{sample(cut, tick, open.sample_at), peak(cut)};
}

Result<Shape> shape_of(const Recorded& recorded, const Traffic& traffic, Milliseconds tick,
                       std::vector<std::string>& notes) {
  auto recording = read_recording(recorded);
  if (!recording) return recording.error();
  notes = std::move(recording->notes);
  const Span whole{recording->cells.front().from, recording->cells.back().to};
  const auto span = cut_of(traffic.cut, whole, true);
  if (!span) return span.error();
  const Milliseconds duration = span->to - span->from;
  if (auto error = check_ticks(duration, tick, traffic.repeat)) return *std::move(error);
  const Profile recorded_cells = part(steps(*recording), span->from, span->to);
  Shape shape;
  shape.peak = peak(recorded_cells);
  if (tick < recording->interval) {
    notes.push_back(
        fmt::format("{}: between the centres of intervals of {} the rate is taken as a straight line.",
                    recorded.file, format_duration(recording->interval)));
    shape.series = sample(part(lines(*recording), span->from, span->to), tick, SampleAt::mean);
  } else {
    shape.series = sample(recorded_cells, tick, SampleAt::mean);
  }
  if (duration % tick != Milliseconds{0}) {
    notes.push_back(fmt::format("{}: the last {} make no whole tick of {} and are left out.", recorded.file,
                                format_duration(duration % tick), format_duration(tick)));
  }
  return shape;
}

Result<Shape> shape_of(const Generated& generated, const Traffic& traffic, Milliseconds tick) {
  Error faults = check(generated);
  if (!faults.faults.empty()) return faults;
  const auto span = cut_of(traffic.cut, {Milliseconds{0}, generated.duration}, false);
  if (!span) return span.error();
  const Milliseconds duration = span->to - span->from;
  if (auto error = check_ticks(duration, tick, traffic.repeat)) return *std::move(error);
  if (duration % tick != Milliseconds{0}) return not_on_grid(duration, tick);
  Shape shape{generate(generated, span->from, span->to, tick), 0};
  shape.peak = *std::max_element(shape.series.values.begin(), shape.series.values.end());
  return shape;
}

Error no_rate() {
  return bad_input("closed traffic has no rate of its own: its users wait for the answers of the service",
                   "rehearse open, recorded or generated traffic");
}

Result<Shape> shape_of(const Traffic& traffic, Milliseconds tick, std::vector<std::string>& notes) {
  if (const auto* open = std::get_if<Open>(&traffic.shape)) return shape_of(*open, traffic, tick);
  if (const auto* recorded = std::get_if<Recorded>(&traffic.shape)) {
    return shape_of(*recorded, traffic, tick, notes);
  }
  if (const auto* generated = std::get_if<Generated>(&traffic.shape)) {
    return shape_of(*generated, traffic, tick);
  }
  return no_rate();
}

// What all rates are multiplied by.
Result<double> factor_of(const Traffic& traffic, double peak) {
  if (!traffic.scale_peak) return traffic.scale_factor.value_or(1);
  if (peak <= 0) {
    return bad_input("traffic that is 0 throughout cannot be scaled to a peak", "remove scale");
  }
  return traffic.scale_peak->value() / peak;
}

Result<Compiled> compiled(const Traffic& traffic, Milliseconds tick, std::uint64_t seed) {
  Error faults = check(traffic, tick);
  if (!faults.faults.empty()) return faults;
  Compiled compiled;
  auto shape = shape_of(traffic, tick, compiled.notes);
  if (!shape) return shape.error();
  base::Series& series = compiled.requests_per_second;
  series = std::move(shape->series);

  const auto factor = factor_of(traffic, shape->peak);
  if (!factor) return factor.error();
  if (*factor != 1) {
    for (double& value : series.values) value *= *factor;
  }
  const std::size_t once = series.size();
  series.values.reserve(once * static_cast<std::size_t>(traffic.repeat));
  for (int i = 1; i < traffic.repeat; ++i) {
    for (std::size_t k = 0; k < once; ++k) series.values.push_back(series.values[k]);
  }
  series.start += traffic.shift;
  if (traffic.arrivals == Arrivals::poisson) series = draw_arrivals(series, seed);
  return compiled;
}

struct Continuous {
  Profile profile;
  double peak = 0;
};

Result<Continuous> continuous(const Open& open, const Traffic& traffic) {
  const auto profile = profile_of(open);
  if (!profile) return profile.error();
  const auto span = cut_of(traffic.cut, {profile->from(), profile->to()}, false);
  if (!span) return span.error();
  Continuous result{part(*profile, span->from, span->to), 0};
  result.peak = peak(result.profile);
  return result;
}

Result<Continuous> continuous(const Recorded& recorded, const Traffic& traffic,
                              std::vector<std::string>& notes) {
  auto recording = read_recording(recorded);
  if (!recording) return recording.error();
  notes = std::move(recording->notes);
  const auto span = cut_of(traffic.cut, {recording->cells.front().from, recording->cells.back().to}, true);
  if (!span) return span.error();
  notes.push_back(
      fmt::format("{}: between the centres of intervals of {} the rate is taken as a straight line.",
                  recorded.file, format_duration(recording->interval)));
  return Continuous{part(lines(*recording), span->from, span->to),
                    peak(part(steps(*recording), span->from, span->to))};
}

Result<Continuous> continuous(const Generated& generated, const Traffic& traffic) {
  const Milliseconds minute{60'000};
  const Milliseconds second{1000};
  const Milliseconds tick = generated.duration % minute == Milliseconds{0} ? minute : second;
  const auto shape = shape_of(generated, traffic, tick);
  if (!shape) return shape.error();
  Continuous result{{}, shape->peak};
  Milliseconds at{0};
  for (const double rate : shape->series.values) {
    result.profile.pieces.push_back({at, at + tick, rate, rate});
    at += tick;
  }
  return result;
}

Result<Offered> offered_of(const Traffic& traffic) {
  Error faults = check(traffic, Milliseconds{1});
  if (!faults.faults.empty()) return faults;
  Offered offered;
  const auto shape = [&]() -> Result<Continuous> {
    if (const auto* open = std::get_if<Open>(&traffic.shape)) return continuous(*open, traffic);
    if (const auto* recorded = std::get_if<Recorded>(&traffic.shape)) {
      return continuous(*recorded, traffic, offered.notes);
    }
    if (const auto* generated = std::get_if<Generated>(&traffic.shape))
      return continuous(*generated, traffic);
    return no_rate();
  }();
  if (!shape) return shape.error();
  const auto factor = factor_of(traffic, shape->peak);
  if (!factor) return factor.error();
  const Milliseconds from = shape->profile.from();
  const Milliseconds length = shape->profile.to() - from;
  for (int i = 0; i < traffic.repeat; ++i) {
    const Milliseconds later = length * i - from;
    for (const Piece& piece : shape->profile.pieces) {
      offered.profile.pieces.push_back(
          {piece.from + later, piece.to + later, piece.rate_from * *factor, piece.rate_to * *factor});
    }
  }
  return offered;
}

// What a recording is at fault with has its place in the file; the rest is in what the traffic says.
Error placed(Error error) {
  for (base::Fault& fault : error.faults) {
    if (fault.place == base::Place{} && fault.path.empty()) fault.path = "traffic";
  }
  return error;
}

}  // namespace

Result<Compiled> compile(const Traffic& traffic, Milliseconds tick, std::uint64_t seed) {
  auto result = compiled(traffic, tick, seed);
  if (!result) return placed(std::move(result.error()));
  return result;
}

Result<Offered> offered(const Traffic& traffic) {
  auto result = offered_of(traffic);
  if (!result) return placed(std::move(result.error()));
  return result;
}

}  // namespace headroom::workload
