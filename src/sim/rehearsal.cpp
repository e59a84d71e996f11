#include "sim/rehearsal.hpp"

#include <bit>
#include <tuple>
#include <utility>

namespace headroom::sim {

bool DecisionRecord::operator==(const DecisionRecord& other) const {
  const auto all = [](const DecisionRecord& d) {
    return std::make_tuple(d.tick, d.group, std::bit_cast<std::uint32_t>(d.cpu_percent_seen),
                           std::bit_cast<std::uint32_t>(d.requests_per_second_per_instance_seen),
                           std::bit_cast<std::uint32_t>(d.requests_per_second_seen), d.in_service,
                           d.launching, d.recommended, d.after_step, d.after_rate, d.desired, d.add, d.remove,
                           d.policy, d.reasons.bits);
  };
  return all(*this) == all(other);
}

InstanceRecord instance_record(std::string id, std::string zone, std::span<const fleet::Launch> launches,
                               const fleet::Billing& billing, base::UsdPerHour price) {
  const fleet::Charge charge = fleet::charge(launches, billing, price);
  InstanceRecord record;
  record.id = std::move(id);
  record.zone = std::move(zone);
  record.launches = charge.launches;
  record.runtime_minutes = base::minutes(charge.runtime);
  record.charged_hours = charge.charged_hours();
  record.cost_usd = charge.cost.value();
  return record;
}

bool wants_more_than_max(const DecisionRecord& decision, std::int32_t max) {
  return decision.reasons.has(policy::Reason::above_threshold) &&
         decision.in_service + decision.launching >= max;
}

void add_charges(std::span<const InstanceRecord> instances, const fleet::Billing& billing, Summary& summary) {
  summary.launches = 0;
  summary.charged_hours = 0;
  double cost = 0;
  for (const InstanceRecord& instance : instances) {
    summary.launches += instance.launches;
    summary.charged_hours += instance.charged_hours;
    cost += instance.cost_usd;
  }
  const double launching = billing.from_in_service ? 0.0 : summary.launching_hours;
  const double hours = summary.instance_hours + launching + summary.draining_hours;
  const double per_hour = hours > 0 ? cost / hours : 0.0;
  summary.cost_launching_usd = per_hour * launching;
  summary.cost_draining_usd = per_hour * summary.draining_hours;
  // What cannot be shared by hours, because there are none, counts as service.
  summary.cost_in_service_usd = hours > 0 ? per_hour * summary.instance_hours : cost;
  summary.cost_usd = summary.cost_in_service_usd + summary.cost_launching_usd + summary.cost_draining_usd;
}

}  // namespace headroom::sim
