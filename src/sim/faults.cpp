#include "sim/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/philox.hpp"
#include "base/units.hpp"

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

const std::string& where(const Drill& drill) { return drill.zone.empty() ? drill.instance : drill.zone; }

std::string in_words(const Drill& drill) {
  std::string kind(name(drill.kind));
  if (!drill.zone.empty()) return kind + " of zone " + drill.zone;
  if (drill.instance.empty()) return kind;
  const bool by_rank = drill.instance == "newest" || drill.instance == "oldest";
  return kind + (by_rank ? " of the " + drill.instance + " instance" : " of instance " + drill.instance);
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

Faults::Faults(const std::vector<Drill>& drills, Milliseconds start, Milliseconds tick, std::uint64_t seed)
    : start_(start), tick_(tick), seed_(seed) {
  for (const Drill& drill : drills) {
    Planned& planned = drills_.emplace_back(Planned{drill, drill.at, {}});
    planned.on_grid.at = drill.at / tick * tick;
    if (drill.duration == Milliseconds(0)) continue;
    const Milliseconds end = (drill.at + drill.duration + tick - Milliseconds(1)) / tick * tick;
    planned.on_grid.duration = end - planned.on_grid.at;
  }
}

const Drill* Faults::find(DrillKind kind, Milliseconds now, const std::string& zone) const {
  const auto found = std::find_if(drills_.begin(), drills_.end(), [&](const Planned& planned) {
    const Drill& drill = planned.on_grid;
    const Milliseconds since = now - start_ - drill.at;
    return drill.kind == kind && drill.zone == zone && since >= Milliseconds(0) && since < drill.duration;
  });
  return found == drills_.end() ? nullptr : &found->on_grid;
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
                     [](const Planned& planned) { return planned.on_grid.kind == DrillKind::calls_late; });
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

std::vector<std::size_t> Faults::begun(Milliseconds now) const {
  std::vector<std::size_t> numbers;
  for (std::size_t k = 0; k < drills_.size(); ++k) {
    if (is_of_an_instance(drill(k).kind) && start_ + drill(k).at == now) numbers.push_back(k);
  }
  return numbers;
}

std::vector<FaultPeriod> Faults::periods(std::int32_t ticks) const {
  std::vector<FaultPeriod> all;
  for (const Planned& planned : drills_) {
    if (planned.in_service || is_after(planned, ticks)) continue;
    const Drill& drill = planned.on_grid;
    FaultPeriod period;
    period.from = static_cast<std::int32_t>(drill.at / tick_);
    const std::int64_t length = std::max<std::int64_t>(1, drill.duration / tick_);
    period.to = static_cast<std::int32_t>(std::min<std::int64_t>(ticks, period.from + length));
    period.kind = std::string(name(drill.kind));
    period.where = where(drill);
    all.push_back(std::move(period));
  }
  return all;
}

std::vector<std::string> Faults::notes(std::int32_t ticks) const {
  std::vector<std::string> all;
  for (std::size_t k = 0; k < drills_.size(); ++k) {
    const Planned& planned = drills_[k];
    const std::string what = in_words(drill(k));
    if (planned.in_service) {
      all.push_back(fmt::format("faults[{}] met nothing: at {}, when {} begins, {} are in service.", k,
                                base::format_duration(planned.at), what, *planned.in_service));
    } else if (is_after(planned, ticks)) {
      all.push_back(fmt::format("faults[{}] met nothing: {} begins at {}, when the rehearsal is over.", k,
                                what, base::format_duration(planned.at)));
    }
  }
  return all;
}

}  // namespace headroom::sim
