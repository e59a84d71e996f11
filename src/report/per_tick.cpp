#include "report/per_tick.hpp"

#include <algorithm>
#include <optional>

#include "report/words.hpp"

namespace headroom::report {

std::vector<std::int32_t> desired_instances(const sim::Rehearsal& rehearsal) {
  const sim::Trajectory& trajectory = rehearsal.trajectory;
  std::vector<std::int32_t> desired(trajectory.in_service.size());
  std::vector<std::optional<std::int32_t>> of_group(std::max<std::size_t>(1, rehearsal.groups.size()));
  std::size_t undecided = of_group.size();
  std::int32_t sum = 0;
  auto decision = trajectory.decisions.begin();
  for (std::size_t i = 0; i < desired.size(); ++i) {
    while (decision != trajectory.decisions.end() && decision->tick <= static_cast<std::int32_t>(i)) {
      std::optional<std::int32_t>& last = of_group[static_cast<std::size_t>(decision->group)];
      if (!last) --undecided;
      sum += decision->desired - last.value_or(0);
      last = decision->desired;
      ++decision;
    }
    desired[i] = undecided == 0 ? sum : trajectory.in_service[i] + trajectory.launching[i];
  }
  return desired;
}

std::vector<double> cumulative_cost_usd(const sim::Rehearsal& rehearsal) {
  const sim::Trajectory& trajectory = rehearsal.trajectory;
  const sim::Summary& summary = rehearsal.summary;
  const auto rate = [](double usd, double hours) { return hours > 0 ? usd / hours : 0.0; };
  const double in_service = rate(summary.cost_in_service_usd, summary.instance_hours);
  const double launching = rate(summary.cost_launching_usd, summary.launching_hours);
  const double draining = rate(summary.cost_draining_usd, summary.draining_hours);
  const double tick_hours = base::hours(rehearsal.requests_per_second.tick);

  // Counts are summed as integers and multiplied once: no rounding error grows with the length.
  std::int64_t in_service_ticks = 0;
  std::int64_t launching_ticks = 0;
  std::int64_t draining_ticks = 0;
  std::vector<double> cost(trajectory.in_service.size());
  for (std::size_t i = 0; i < cost.size(); ++i) {
    in_service_ticks += trajectory.in_service[i];
    launching_ticks += trajectory.launching[i];
    draining_ticks += trajectory.draining[i];
    cost[i] = tick_hours * (in_service * static_cast<double>(in_service_ticks) +
                            launching * static_cast<double>(launching_ticks) +
                            draining * static_cast<double>(draining_ticks));
  }
  return cost;
}

std::vector<std::pair<std::int32_t, std::int32_t>> violations(const sim::Rehearsal& rehearsal,
                                                              const environment::Objective& objective) {
  std::vector<std::pair<std::int32_t, std::int32_t>> spans;
  const std::size_t count = rehearsal.cpu_percent.size();
  for (std::size_t i = 0; i < count; ++i) {
    // Equal keeps a limit, and a value that is not known is no violation, as in telemetry's objectives.
    const bool cpu_violated = objective.cpu && rehearsal.cpu_percent[i] > objective.cpu->value();
    const bool p95_violated = objective.p95 && !rehearsal.p95_ms.empty() &&
                              rehearsal.p95_ms[i] > 1000 * base::seconds(*objective.p95);
    if (!cpu_violated && !p95_violated) continue;
    const auto tick = static_cast<std::int32_t>(i);
    if (!spans.empty() && spans.back().second == tick) {
      ++spans.back().second;
    } else {
      spans.emplace_back(tick, tick + 1);
    }
  }
  return spans;
}

double usd_per_month(double usd, base::Milliseconds duration) {
  const double hours = base::hours(duration);
  return hours > 0 ? usd / hours * kHoursPerMonth : 0;
}

double percent_of(double minutes, base::Milliseconds duration) {
  const double all = base::minutes(duration);
  return all > 0 ? 100 * minutes / all : 0;
}

}  // namespace headroom::report
