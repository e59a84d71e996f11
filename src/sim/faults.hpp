// Faults: which of the planned failures hold at an instant, and what they mean for the simulated cloud.
//
// A fault holds for the whole of each tick that it touches: nothing begins or ends within a tick.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "environment/environment.hpp"
#include "sim/rehearsal.hpp"

namespace headroom::sim {

// What becomes of one call of the cloud.
enum class CallFault {
  none,
  refused,           // no effect; failed for a reason that passes
  hangs,             // carried out, and answered, when the fault is over
  answered_wrongly,  // carried out, but the answer is an error
};

class Faults {
 public:
  // `at` of the drills counts from `start`, where tick 0 begins. `seed`: which calls of a share meet their
  // fault. Requires: tick above 0.
  Faults(const std::vector<environment::Drill>& drills, base::Milliseconds start, base::Milliseconds tick,
         std::uint64_t seed);

  bool holds(environment::DrillKind kind, base::Milliseconds now) const;
  bool is_cut(const std::string& zone, base::Milliseconds now) const;
  bool is_lost(const std::string& zone, base::Milliseconds now) const;

  // How far the clock of the metrics is ahead of the true one; negative: behind.
  base::Milliseconds skew(base::Milliseconds now) const;
  // How old the list of instances is that the cloud shows.
  base::Milliseconds list_age(base::Milliseconds now) const;
  // Whether the list is ever shown late, so that older ones have to be kept.
  bool lists_late() const;

  // `call` numbers the calls, so that each draws its own luck.
  CallFault meets_call(std::uint64_t call, base::Milliseconds now) const;

  // The drills of instances that begin with the tick of `now`, by their number.
  std::vector<std::size_t> begun(base::Milliseconds now) const;
  // Whole ticks; what has no duration has none here either.
  const environment::Drill& drill(std::size_t number) const { return drills_[number].on_grid; }
  // The instance that this drill names is not there; so many are in service.
  void misses(std::size_t number, int in_service) { drills_[number].in_service = in_service; }

  // Those that met something, for reports; one that happens once has one tick.
  std::vector<FaultPeriod> periods(std::int32_t ticks) const;
  // A sentence for each that met nothing in a rehearsal of so many ticks.
  std::vector<std::string> notes(std::int32_t ticks) const;

 private:
  struct Planned {
    environment::Drill on_grid;
    base::Milliseconds at{0};  // as written
    std::optional<int> in_service;
  };

  const environment::Drill* find(environment::DrillKind kind, base::Milliseconds now,
                                 const std::string& zone = "") const;
  bool is_after(const Planned& planned, std::int32_t ticks) const {
    return planned.on_grid.at >= ticks * tick_;
  }

  std::vector<Planned> drills_;
  base::Milliseconds start_;
  base::Milliseconds tick_;
  std::uint64_t seed_;
};

std::string_view name(environment::DrillKind kind);  // as in the file: "metrics-frozen"

}  // namespace headroom::sim
