#include <limits>
#include <memory>

#include "sim/lane_engine-inl.hpp"

namespace headroom::sim {
namespace {

using base::One;
using HWY_NAMESPACE::Sums;
using HWY_NAMESPACE::Workspace;

template <class Record, class Flush>
void run_one(const LaneModel& model, const policy::Numbers<One>& numbers, const LaneTraffic& traffic,
             Record&& record, Flush&& flush) {
  const auto work = std::make_unique<Workspace<One>>();
  work->numbers = numbers;
  HWY_NAMESPACE::run<One>(model, traffic, *work, record, flush);
}

}  // namespace

std::optional<DecisionRecord> record_of(std::int32_t tick, const policy::Observation<One>& seen,
                                        const policy::Decision<One>& decision) {
  if (!decision.due && decision.add == 0 && decision.remove == 0) return std::nullopt;
  const float missing = std::numeric_limits<float>::quiet_NaN();
  DecisionRecord made;
  made.tick = tick;
  made.cpu_percent_seen = seen.missing[0] ? missing : seen.value[0];
  made.requests_per_second_per_instance_seen = seen.missing[1] ? missing : seen.value[1];
  made.requests_per_second_seen = seen.missing[policy::kLoad] ? missing : seen.value[policy::kLoad];
  made.in_service = seen.in_service;
  made.launching = seen.launching;
  made.recommended = decision.recommended;
  made.after_step = decision.after_step;
  made.after_rate = decision.after_rate;
  made.desired = decision.desired;
  made.add = decision.add;
  made.remove = decision.remove;
  made.policy = decision.policy;
  made.reasons.bits = static_cast<std::uint32_t>(decision.reasons);
  return made;
}

Trajectory run_one_lane(const LaneModel& model, const policy::Numbers<One>& numbers,
                        const LaneTraffic& traffic) {
  Trajectory trajectory;
  const std::size_t ticks = traffic.requests_per_second.size();
  trajectory.in_service.reserve(ticks);
  trajectory.launching.reserve(ticks);
  trajectory.draining.reserve(ticks);
  const auto record = [&](std::int32_t tick, float, const fleet::Counts<One>& counts,
                          const policy::Observation<One>& seen, const policy::Decision<One>& decision) {
    trajectory.in_service.push_back(counts.in_service);
    trajectory.launching.push_back(counts.launching);
    trajectory.draining.push_back(counts.draining);
    if (const auto made = record_of(tick, seen, decision)) trajectory.decisions.push_back(*made);
  };
  run_one(model, numbers, traffic, record, [](const Sums<One>&) {});
  return trajectory;
}

Tally tally_one_lane(const LaneModel& model, const policy::Numbers<One>& numbers,
                     const LaneTraffic& traffic) {
  Tally tally;
  const auto flush = [&](const Sums<One>& sums) {
    tally.in_service_ticks += sums.in_service;
    tally.launching_ticks += sums.launching;
    tally.draining_ticks += sums.draining;
    tally.violations_low += sums.violations_low;
    tally.violations_high += sums.violations_high;
    tally.downtime_ticks += sums.downtime;
    tally.failed_sum += static_cast<double>(sums.failed);
    tally.scale_outs += sums.outs;
    tally.scale_ins += sums.ins;
    tally.ticks_at_max += sums.at_max;
    tally.ticks_at_min += sums.at_min;
    tally.cpu_percent_sum += static_cast<double>(sums.cpu);
    tally.instances_max = sums.instances_max;
    tally.cpu_percent_max = sums.cpu_max;
  };
  run_one(
      model, numbers, traffic, [](auto&&...) {}, flush);
  return tally;
}

}  // namespace headroom::sim
