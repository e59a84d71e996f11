#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/clock.hpp"
#include "daemon/hosted.hpp"

namespace headroom::daemon {
namespace {

using base::Milliseconds;

// When a policy is asked next, after this tick. Schedules say something at every tick.
std::optional<Milliseconds> next_decision(const ServicePlan& plan, Milliseconds start, std::int32_t tick) {
  std::optional<std::int32_t> next;
  for (int p = 0; p < plan.policy.shape.policies; ++p) {
    const policy::PolicyShape& policy = plan.policy.shape.policy[p];
    std::int32_t due = tick + 1;
    if (policy.kind != policy::Kind::schedule) {
      const std::int32_t since = tick - policy.first;
      due = since < 0 ? policy.first : policy.first + (since / policy.every + 1) * policy.every;
    }
    if (!next || due < *next) next = due;
  }
  if (!next) return std::nullopt;
  return start + *next * plan.tick;
}

}  // namespace

double Hosted::promised_cores() const {
  const std::vector<cloud_local::Version> versions = cloud_->versions();
  const std::lock_guard lock(mutex_);
  double cores = 0;
  for (const cloud::Instance& instance : seen_.instances) {
    if (instance.state == cloud::InstanceState::stopped || instance.state == cloud::InstanceState::failed)
      continue;
    for (const cloud_local::Version& version : versions) {
      if (version.service == instance.service && version.name == instance.version)
        cores += version.cores.value();
    }
  }
  return cores;
}

DecisionStatus Hosted::status_of(const ServicePlan& plan, const control::Decided& decided) const {
  const std::string group =
      plan.per_zone ? plan_.zones[static_cast<std::size_t>(decided.group)] : std::string();
  const history::Decision made = history::decision_of(group, decided);
  DecisionStatus shown;
  shown.group = made.group;
  shown.at = decided.at;
  shown.cpu_percent = made.cpu_percent;
  shown.requests_per_second_per_instance = made.requests_per_second_per_instance;
  shown.recommended = made.recommended;
  shown.desired = made.desired;
  shown.why = why_of(plan, decided);
  shown.next = next_decision(plan, start_, decided.tick);
  return shown;
}

ServiceStatus Hosted::status_of(const ServicePlan& plan, const cloud::Observed& seen) const {
  const ServiceRecord& record = record_.services.at(plan.service.name);
  ServiceStatus service;
  service.name = record.name;
  service.desired = record.desired;
  service.version = record.version;
  service.previous = record.previous;
  if (record.override) {
    service.override =
        OverrideStatus{record.override->instances, record.override->since, record.override->until};
    if (service.override->instances)
      service.override->instances = of_all_groups(*service.override->instances, plan, plan_);
  }
  if (plan.service.is_job) {
    // It has ended, or it runs.
    service.desired = 0;
    service.doing = "a job";
  }
  if (plan.service.listen) {
    service.address = fmt::format("{}://{}", plan.service.listen->certificate.empty() ? "http" : "https",
                                  to_string(*plan.service.listen));
  }
  for (const cloud::Instance& instance : seen.instances) {
    if (instance.service == record.name && instance.state == cloud::InstanceState::in_service)
      ++service.in_service;
  }
  if (const auto found = controlled_.find(record.name); found != controlled_.end()) {
    const Controlled& controlled = found->second;
    if (controlled.rollout) {
      service.doing = controlled.deployment.text;
    } else if (controlled.deployment.failed || service.in_service != service.desired) {
      service.doing = controlled.doing;
    }
    for (const auto& [group, decided] : controlled.decided)
      service.decisions.push_back(status_of(plan, decided));
  }
  for (const cloud::ServiceMetrics& metrics : seen.services) {
    if (metrics.service != record.name) continue;
    if (metrics.requests) service.requests_per_second = metrics.requests->value();
    if (metrics.failed) service.failed_per_second = metrics.failed->value();
    if (metrics.p95) service.p95_ms = static_cast<double>(metrics.p95->count());
  }
  return service;
}

InstanceStatus Hosted::status_of(const cloud::Instance& instance,
                                 const std::vector<cloud_local::Details>& details) const {
  InstanceStatus shown;
  shown.id = instance.id;
  shown.service = instance.service;
  shown.version = instance.version;
  shown.zone = instance.zone;
  shown.address = instance.address;
  shown.state = to_string(instance.state);
  shown.since = instance.since;
  if (instance.metrics && instance.metrics->cpu) shown.cpu_percent = instance.metrics->cpu->value();
  if (instance.metrics && instance.metrics->requests)
    shown.requests_per_second = instance.metrics->requests->value();
  if (instance.health) {
    shown.health = instance.health->detail;
    shown.failed_checks = instance.health->failures;
  }
  for (const cloud_local::Details& detail : details) {
    if (detail.id != instance.id) continue;
    shown.memory_bytes = detail.memory_bytes;
    shown.why = detail.why;
    if (detail.trouble) shown.drill = to_string(*detail.trouble);
  }
  return shown;
}

EnvironmentStatus Hosted::status() const {
  const std::vector<cloud_local::Details> details = cloud_->details();
  const std::vector<std::string> cut = cloud_->cut_zones();
  std::vector<std::string> hindrances = cloud_->hindrances();
  const cloud::Observed seen = cloud_->observe();
  const std::lock_guard lock(mutex_);
  EnvironmentStatus status;
  status.name = record_.name;
  status.file = record_.file;
  status.variant = record_.variant;
  status.hindrances = std::move(hindrances);
  if (!unkept_.empty()) status.hindrances.push_back("the history is not written: " + unkept_);
  for (const std::string& zone : plan_.zones) {
    status.zones.push_back({zone, std::find(cut.begin(), cut.end(), zone) != cut.end()});
  }
  for (const ServicePlan& plan : plan_.services) {
    status.services.push_back(status_of(plan, seen));
    std::vector<const cloud::Instance*> instances;
    for (const cloud::Instance& instance : seen.instances) {
      if (instance.service == plan.service.name) instances.push_back(&instance);
    }
    std::sort(instances.begin(), instances.end(), [](const auto* a, const auto* b) {
      return a->id.size() != b->id.size() ? a->id.size() < b->id.size() : a->id < b->id;
    });
    for (const cloud::Instance* instance : instances)
      status.instances.push_back(status_of(*instance, details));
  }
  return status;
}

}  // namespace headroom::daemon
