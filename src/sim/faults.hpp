// Faults: which of the planned failures hold at an instant, and what they mean for the simulated cloud.
#pragma once

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
  // `at` of the drills counts from `start`. `seed`: which calls of a share meet their fault.
  Faults(std::vector<environment::Drill> drills, base::Milliseconds start, std::uint64_t seed);

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

  // The drills of instances that begin in (before, now].
  std::vector<environment::Drill> begun(base::Milliseconds before, base::Milliseconds now) const;

  // All of them on a grid of ticks, for reports; one that happens once has one tick.
  std::vector<FaultPeriod> periods(base::Milliseconds tick, std::int32_t ticks) const;

 private:
  const environment::Drill* find(environment::DrillKind kind, base::Milliseconds now,
                                 const std::string& zone = "") const;

  std::vector<environment::Drill> drills_;
  base::Milliseconds start_;
  std::uint64_t seed_;
};

std::string_view name(environment::DrillKind kind);  // as in the file: "metrics-frozen"

}  // namespace headroom::sim
