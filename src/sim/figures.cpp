#include "sim/figures.hpp"

#include <algorithm>
#include <cstddef>

#include "sim/promise.hpp"

namespace headroom::sim {

void Figures::add(const TickFigures& tick) {
  ++ticks_;
  worth_.add(tick.offered_per_second, tick.failed_per_second);
  cpu_sum_ += tick.cpu_percent;
  cpu_max_ = std::max(cpu_max_, tick.cpu_percent);
  violations_ += tick.violates ? 1 : 0;
}

Summary Figures::summary(const Trajectory& trajectory) const {
  Summary summary;
  if (ticks_ == 0) return summary;
  const auto count = static_cast<double>(ticks_);
  const double tick_hours = base::hours(measure_.tick);
  const double tick_minutes = base::minutes(measure_.tick);
  std::int64_t in_service = 0;
  std::int64_t launching = 0;
  std::int64_t draining = 0;
  for (std::size_t t = 0; t < trajectory.in_service.size(); ++t) {
    in_service += trajectory.in_service[t];
    launching += trajectory.launching[t];
    draining += trajectory.draining[t];
    summary.instances_max = std::max(summary.instances_max, trajectory.in_service[t]);
    // Desired at a tick is what is in service and launching at the next.
    if (t == 0) continue;
    const std::int32_t there = trajectory.in_service[t] + trajectory.launching[t];
    summary.minutes_at_max += there >= measure_.max * measure_.groups ? tick_minutes : 0.0;
    summary.minutes_at_min += there <= measure_.min * measure_.groups ? tick_minutes : 0.0;
  }
  summary.cpu_percent_mean = cpu_sum_ / count;
  summary.cpu_percent_max = cpu_max_;
  summary.instances_mean = static_cast<double>(in_service) / count;
  summary.instance_hours = static_cast<double>(in_service) * tick_hours;
  summary.launching_hours = static_cast<double>(launching) * tick_hours;
  summary.draining_hours = static_cast<double>(draining) * tick_hours;
  summary.objective_violation_minutes = static_cast<double>(violations_) * tick_minutes;
  summary.objective_violation_percent = 100.0 * static_cast<double>(violations_) / count;
  summary.objective_met = keeps(measure_.objective_share, violations_, ticks_);
  for (const DecisionRecord& decision : trajectory.decisions) {
    summary.scale_outs += decision.add > 0 ? 1 : 0;
    summary.scale_ins += decision.remove > 0 ? 1 : 0;
    summary.warnings_at_max += wants_more_than_max(decision, measure_.max) ? 1 : 0;
  }
  return summary;
}

}  // namespace headroom::sim
