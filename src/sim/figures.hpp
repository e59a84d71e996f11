// Figures: the part of a summary that does not depend on the engine, added up tick by tick in double.
//
//   Figures figures(measure);
//   for each tick: figures.add(tick);
//   Summary summary = figures.summary(trajectory);  // hours, utilisation, objective, decisions
//   ... what the instances cost ...
//   figures.add_worth(summary);                     // requests, downtime, profit
#pragma once

#include <cstdint>
#include <optional>

#include "base/quantity.hpp"
#include "environment/environment.hpp"
#include "sim/rehearsal.hpp"
#include "sim/worth.hpp"

namespace headroom::sim {

// What the figures are measured by.
struct Measure {
  base::Milliseconds tick{60'000};
  double objective_share = 1;
  std::optional<environment::Profit> profit;
  // Of each group of instances that scales apart, and how many there are.
  std::int32_t min = 1;
  std::int32_t max = 1;
  std::int32_t groups = 1;
};

// What one tick came to.
struct TickFigures {
  double offered_per_second = 0;
  double failed_per_second = 0;
  double cpu_percent = 0;
  bool violates = false;  // the objective
};

class Figures {
 public:
  explicit Figures(const Measure& measure) : measure_(measure), worth_(measure.profit, measure.tick) {}

  void add(const TickFigures& tick);

  // Requires: one tick was added for each of the trajectory.
  Summary summary(const Trajectory& trajectory) const;

  // `waiting`: requests that were neither answered nor failed at the end.
  // Requires: the cost of the summary is known.
  void add_worth(Summary& summary, double waiting = 0) const { worth_.fill(summary, waiting); }

 private:
  Measure measure_;
  Worth worth_;
  std::int64_t ticks_ = 0;
  std::int64_t violations_ = 0;
  double cpu_sum_ = 0;
  double cpu_max_ = 0;
};

}  // namespace headroom::sim
