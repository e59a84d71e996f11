#include "sim/faults.hpp"

#include <algorithm>
#include <utility>

#include "base/philox.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using environment::Drill;
using environment::DrillKind;

constexpr std::uint32_t kCallStream = 0x6361'6c6c;  // "call"

bool is_of_an_instance(DrillKind kind) {
  return kind == DrillKind::crash || kind == DrillKind::hang || kind == DrillKind::reboot ||
         kind == DrillKind::pause;
}

}  // namespace

std::string_view name(DrillKind kind) {
  switch (kind) {
    case DrillKind::cut:
      return "cut";
    case DrillKind::lost:
      return "lost";
    case DrillKind::crash:
      return "crash";
    case DrillKind::hang:
      return "hang";
    case DrillKind::reboot:
      return "reboot";
    case DrillKind::pause:
      return "pause";
    case DrillKind::metrics:
      return "metrics";
    case DrillKind::metrics_frozen:
      return "metrics-frozen";
    case DrillKind::metrics_skewed:
      return "metrics-skewed";
    case DrillKind::calls_fail:
      return "calls-fail";
    case DrillKind::calls_hang:
      return "calls-hang";
    case DrillKind::calls_lie:
      return "calls-lie";
    case DrillKind::calls_late:
      return "calls-late";
  }
  return "unknown";
}

Faults::Faults(std::vector<Drill> drills, Milliseconds start, std::uint64_t seed)
    : drills_(std::move(drills)), start_(start), seed_(seed) {}

const Drill* Faults::find(DrillKind kind, Milliseconds now, const std::string& zone) const {
  const auto found = std::find_if(drills_.begin(), drills_.end(), [&](const Drill& drill) {
    const Milliseconds since = now - start_ - drill.at;
    return drill.kind == kind && drill.zone == zone && since >= Milliseconds(0) && since < drill.duration;
  });
  return found == drills_.end() ? nullptr : &*found;
}

bool Faults::holds(DrillKind kind, Milliseconds now) const { return find(kind, now) != nullptr; }

bool Faults::is_cut(const std::string& zone, Milliseconds now) const {
  return find(DrillKind::cut, now, zone) != nullptr;
}

bool Faults::is_lost(const std::string& zone, Milliseconds now) const {
  return find(DrillKind::lost, now, zone) != nullptr;
}

Milliseconds Faults::skew(Milliseconds now) const {
  const Drill* drill = find(DrillKind::metrics_skewed, now);
  return drill == nullptr ? Milliseconds(0) : drill->by;
}

Milliseconds Faults::list_age(Milliseconds now) const {
  const Drill* drill = find(DrillKind::calls_late, now);
  return drill == nullptr ? Milliseconds(0) : drill->by;
}

bool Faults::lists_late() const {
  return std::any_of(drills_.begin(), drills_.end(),
                     [](const Drill& drill) { return drill.kind == DrillKind::calls_late; });
}

CallFault Faults::meets_call(std::uint64_t call, Milliseconds now) const {
  const double luck = base::uniform(base::random_block(seed_, kCallStream, call).bits64(0));
  const auto meets = [&](DrillKind kind) {
    const Drill* drill = find(kind, now);
    return drill != nullptr && luck < drill->share;
  };
  if (meets(DrillKind::calls_fail)) return CallFault::refused;
  if (meets(DrillKind::calls_hang)) return CallFault::hangs;
  if (meets(DrillKind::calls_lie)) return CallFault::answered_wrongly;
  return CallFault::none;
}

std::vector<Drill> Faults::begun(Milliseconds before, Milliseconds now) const {
  std::vector<Drill> found;
  std::copy_if(drills_.begin(), drills_.end(), std::back_inserter(found), [&](const Drill& drill) {
    const Milliseconds at = start_ + drill.at;
    return is_of_an_instance(drill.kind) && at > before && at <= now;
  });
  return found;
}

std::vector<FaultPeriod> Faults::periods(Milliseconds tick, std::int32_t ticks) const {
  std::vector<FaultPeriod> all;
  for (const Drill& drill : drills_) {
    FaultPeriod period;
    period.from = static_cast<std::int32_t>(std::min<std::int64_t>(drill.at / tick, ticks));
    const std::int64_t to = (drill.at + drill.duration + tick - Milliseconds(1)) / tick;
    period.to = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(to, period.from + 1, std::max(ticks, period.from + 1)));
    period.kind = std::string(name(drill.kind));
    period.where = drill.zone.empty() ? drill.instance : drill.zone;
    all.push_back(std::move(period));
  }
  return all;
}

}  // namespace headroom::sim
