#include "daemon/hosted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "control/tear_down.hpp"
#include "daemon/clock.hpp"
#include "daemon/kept_versions.hpp"
#include "policy/compile.hpp"
#include "policy/policy.hpp"

namespace headroom::daemon {
namespace {

using base::Milliseconds;
using base::Result;

constexpr Milliseconds kTick{1'000};
constexpr Milliseconds kPace{500};
// Beyond its boot, the time for a process to start and to pass its checks.
constexpr Milliseconds kStartWithin{60'000};
// The shortest time of good service that proves a version.
constexpr Milliseconds kProven{2'000};

// By hand: exactly so many, whatever the metrics say.
policy::Compiled exactly(int instances) {
  policy::Scaling scaling;
  scaling.initial = instances;
  scaling.limits.min = instances;
  scaling.limits.max = instances;
  return policy::compile(scaling, kTick, kTick, Milliseconds(0)).value();
}

}  // namespace

Hosted::Hosted(isolation::Machine& machine, Settings settings, EnvironmentRecord record, Plan plan)
    : machine_(machine),
      settings_(std::move(settings)),
      start_(now()),
      record_(std::move(record)),
      plan_(std::move(plan)) {}

Hosted::~Hosted() {
  stop_ = true;
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

cloud_local::Specification Hosted::specification_of(const EnvironmentRecord& record, const Plan& plan) {
  cloud_local::Specification specification;
  specification.environment = plan.environment;
  specification.metric_period = plan.metric_period;
  for (const std::string& zone : plan.zones) specification.zones.push_back({zone, record.zones.at(zone)});
  for (const ServicePlan& service : plan.services) {
    specification.services.push_back(service.service);
    specification.services.back().internal_port = record.services.at(service.service.name).internal_port;
  }
  return specification;
}

Result<std::unique_ptr<Hosted>> Hosted::open(isolation::Machine& machine, Settings settings,
                                             EnvironmentRecord record, Plan plan) {
  std::unique_ptr<Hosted> hosted(
      new Hosted(machine, std::move(settings), std::move(record), std::move(plan)));
  auto cloud = cloud_local::LocalCloud::open(machine, hosted->settings_.folder, hosted->settings_.sockets,
                                             specification_of(hosted->record_, hosted->plan_), now);
  if (!cloud) return cloud.error();
  hosted->cloud_ = std::move(*cloud);
  for (const auto& [name, service] : hosted->record_.services) {
    if (service.rolling && hosted->find(name) != nullptr) hosted->begin_rollout(name);
  }
  hosted->thread_ = std::thread([raw = hosted.get()] { raw->run(); });
  return hosted;
}

Result<void> Hosted::undo_open(isolation::Machine& machine, const Settings& settings,
                               const EnvironmentRecord& record, const Plan& plan) {
  return cloud_local::LocalCloud::undo_open(machine, settings.folder, settings.sockets,
                                            specification_of(record, plan), now);
}

const ServicePlan* Hosted::find(const std::string& service) const {
  const auto found = std::find_if(plan_.services.begin(), plan_.services.end(),
                                  [&](const ServicePlan& plan) { return plan.service.name == service; });
  return found == plan_.services.end() ? nullptr : &*found;
}

EnvironmentRecord Hosted::record() const {
  const std::lock_guard lock(mutex_);
  return record_;
}

Plan Hosted::plan() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

// ---- the loop

void Hosted::run() {
  while (!stop_) {
    std::vector<ServicePlan> services;
    {
      const std::lock_guard lock(mutex_);
      services = plan_.services;
    }
    for (const ServicePlan& service : services) step(service);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kPace, [&] { return stop_.load(); });
  }
}

control::Settings Hosted::settings_of(const ServicePlan& plan, const ServiceRecord& record) const {
  control::Settings with;
  with.service = plan.service.name;
  with.version = record.version;
  with.zones = plan_.zones;
  with.token_prefix = fmt::format("{}-{}", settings_.realm, record.internal_port);
  with.start = start_;
  with.tick = kTick;
  with.policy = exactly(record.desired);
  with.metric_period = plan_.metric_period;
  with.max_age = 3 * plan_.metric_period;
  with.drain = plan.drain;
  with.pool = plan.pool;
  with.replace_after = plan.replace_after;
  with.grace = plan.grace;
  with.roll_at_once = std::max(1, record.desired / 4);
  with.roll_stops_first = plan.service.keeps_volume;
  with.proven_after = std::max(kProven, plan.service.health.interval);
  with.start_within = plan.version.boot + kStartWithin;
  return with;
}

void Hosted::step(const ServicePlan& plan) {
  const cloud::Observed observed = cloud_->observe();
  const std::lock_guard lock(mutex_);
  seen_ = observed;
  const ServiceRecord& record = record_.services.at(plan.service.name);
  if (record.version.empty()) return;
  if (plan.service.is_job) return follow_job(plan, observed);
  Controlled& controlled = controlled_[plan.service.name];
  const control::Settings with = settings_of(plan, record);
  control::Step next =
      control::step(std::max(now(), observed.at), observed, std::move(controlled.state), with);
  controlled.state = std::move(next.state);
  for (const cloud::Action& action : next.actions) cloud_->submit(action);
  for (const control::Note& note : next.notes) {
    if (note.happened == control::Happened::outgoing || note.happened == control::Happened::recalled)
      continue;
    controlled.doing = note.subject.empty() ? note.why : fmt::format("{}: {}", note.subject, note.why);
  }
  follow_rollout(plan.service.name, observed);
}

// One instance for each version that is deployed, and its end is the end of the deployment.
void Hosted::follow_job(const ServicePlan& plan, const cloud::Observed& observed) {
  Controlled& controlled = controlled_[plan.service.name];
  if (!controlled.deployment.goes_on) return;
  ServiceRecord& record = record_.services.at(plan.service.name);
  if (controlled.job.empty()) {
    // An earlier daemon has begun it: a version of a job runs once.
    for (const cloud::Instance& instance : observed.instances) {
      if (instance.service == plan.service.name && instance.version == record.version)
        controlled.job = instance.launched_by;
    }
  }
  if (controlled.job.empty() && observed.instances_at) {
    controlled.job =
        fmt::format("{}-{}-{}-{}", settings_.realm, record.internal_port, record.version, now().count());
    cloud_->submit({controlled.job, cloud::Launch{plan.service.name, record.version, plan_.zones.front(), 1},
                    "it is deployed"});
    controlled.deployment.text = fmt::format("{} runs", record.version);
    return;
  }
  for (const cloud::TicketReport& ticket : observed.tickets) {
    if (ticket.ticket.token == controlled.job && ticket.state == cloud::TicketState::failed)
      controlled.deployment = {false, true, ticket.why};
  }
  for (const cloud::Instance& instance : observed.instances) {
    if (instance.launched_by != controlled.job) continue;
    if (instance.state == cloud::InstanceState::stopped) controlled.deployment = {};
    if (instance.state == cloud::InstanceState::failed)
      controlled.deployment = {false, true, fmt::format("{} failed", instance.id)};
  }
  if (controlled.deployment.goes_on) return;
  record.rolling = false;
  if (auto saved = settings_.save(record_); !saved) controlled.doing = saved.error().faults.front().what;
}

void Hosted::follow_rollout(const std::string& service, const cloud::Observed& observed) {
  Controlled& controlled = controlled_[service];
  if (!controlled.rollout) return;
  ServiceRecord& record = record_.services.at(service);
  controlled.rollout->desired = record.desired;
  // The controller has seen it as long as the cloud has: what is outgoing waits for its proof.
  const bool proven = controlled.state.outgoing.empty() && controlled.state.orders.empty();
  const Judgement judged = judge(*controlled.rollout, observed, proven);
  controlled.deployment = {judged.verdict == Verdict::goes_on, false, judged.why};
  if (judged.verdict == Verdict::goes_on) return;
  const std::string version = controlled.rollout->version;
  controlled.rollout.reset();
  record.rolling = false;
  if (judged.verdict == Verdict::done) {
    controlled.doing.clear();
    if (auto saved = settings_.save(record_); !saved) controlled.doing = saved.error().faults.front().what;
    return;
  }
  controlled.deployment = {false, true, judged.why};
  if (record.previous.empty() || record.previous == version) {
    controlled.doing = fmt::format("{} does not come into service: {}", version, judged.why);
    if (auto saved = settings_.save(record_); !saved) controlled.doing = saved.error().faults.front().what;
    return;
  }
  record.version = std::exchange(record.previous, std::string());
  controlled.doing = fmt::format("{} was taken back: {}", version, judged.why);
  controlled.deployment.text = fmt::format("{}; {} serves as before", judged.why, record.version);
  if (auto saved = settings_.save(record_); !saved) controlled.doing = saved.error().faults.front().what;
}

// ---- what people ask for

// A service that the file no longer has: its controller rests, and its instances go.
Result<void> Hosted::end_service(const ServicePlan& service) {
  control::Settings with;
  {
    const std::lock_guard lock(mutex_);
    ServiceRecord& record = record_.services.at(service.service.name);
    with = settings_of(service, record);
    record.version.clear();
    controlled_.erase(service.service.name);
  }
  const Milliseconds until = now() + service.drain + kStartWithin;
  std::set<std::string> asked;
  while (now() < until) {
    const std::vector<cloud::Action> actions = control::tear_down(now(), cloud_->observe(), with);
    if (actions.empty()) return {};
    for (const cloud::Action& action : actions) {
      const auto* retire = std::get_if<cloud::Retire>(&action.what);
      if (retire != nullptr && asked.insert(retire->instance).second) cloud_->submit(action);
    }
    std::this_thread::sleep_for(kPace);
  }
  return base::unavailable(fmt::format("the instances of {} do not end", service.service.name),
                           "`headroom status` lists them; `headroom up` tries it again");
}

Result<void> Hosted::change(EnvironmentRecord record, Plan plan) {
  for (const ServicePlan& before : this->plan().services) {
    const bool stays = std::any_of(plan.services.begin(), plan.services.end(), [&](const ServicePlan& after) {
      return after.service.name == before.service.name;
    });
    if (stays) continue;
    if (auto ended = end_service(before); !ended) return ended;
    record.services.erase(before.service.name);
  }
  if (auto changed = cloud_->change(specification_of(record, plan)); !changed) return changed.error();
  const std::lock_guard lock(mutex_);
  // What was asked of its services meanwhile stands, within the new limits.
  for (auto& [name, service] : record.services) {
    const auto known = record_.services.find(name);
    if (known != record_.services.end()) service = known->second;
    for (const ServicePlan& limits : plan.services) {
      if (limits.service.name == name) service.desired = std::clamp(service.desired, limits.min, limits.max);
    }
  }
  if (auto saved = settings_.save(record); !saved) return saved;
  record_ = std::move(record);
  plan_ = std::move(plan);
  return {};
}

// Requires: the mutex.
Result<void> Hosted::aim(const std::string& service, const std::string& version) {
  EnvironmentRecord changed = record_;
  ServiceRecord& record = changed.services.at(service);
  record.previous = record.version;
  record.version = version;
  record.rolling = true;
  if (auto saved = settings_.save(changed); !saved) return saved.error();
  record_ = std::move(changed);
  begin_rollout(service);
  return {};
}

// Requires: the mutex, or no thread yet.
void Hosted::begin_rollout(const std::string& service) {
  const ServiceRecord& record = record_.services.at(service);
  Rollout rollout;
  rollout.service = service;
  rollout.version = record.version;
  rollout.desired = record.desired;
  rollout.began = now();
  rollout.progress_at = rollout.began;
  const ServicePlan* plan = find(service);
  rollout.patience = plan->version.boot + plan->drain + kStartWithin;
  Controlled& controlled = controlled_[service];
  if (!plan->service.is_job) controlled.rollout = rollout;
  controlled.job.clear();
  controlled.deployment = {true, false, "begins"};
  controlled.doing.clear();
}

Result<void> Hosted::deploy(const std::string& service, cloud_local::Version version) {
  const std::string name = version.name;
  if (auto defined = cloud_->define(version); !defined) return defined.error();
  const std::lock_guard lock(mutex_);
  if (find(service) == nullptr) return base::bad_input(fmt::format("there is no service {}", service));
  ++record_.services.at(service).versions;
  return aim(service, name);
}

Result<void> Hosted::rollback(const std::string& service) {
  const std::lock_guard lock(mutex_);
  if (find(service) == nullptr) return base::bad_input(fmt::format("there is no service {}", service));
  if (find(service)->service.is_job)
    return base::bad_input(fmt::format("{} is a job: what it did is not undone", service));
  const std::string previous = record_.services.at(service).previous;
  if (previous.empty()) {
    return base::bad_input(fmt::format("{} has no earlier version to go back to", service),
                           "deploy another one");
  }
  return aim(service, previous);
}

void Hosted::keep_versions(int newest) {
  const std::map<std::string, std::set<std::string>> kept =
      kept_versions(record(), cloud_->versions(), newest);
  // One that cannot be forgotten now costs disk, and is the next time.
  for (const auto& [service, names] : kept)
    [[maybe_unused]] const auto done = cloud_->keep_versions(service, names);
}

Result<void> Hosted::scale(const std::string& service, int instances) {
  const std::lock_guard lock(mutex_);
  const ServicePlan* plan = find(service);
  if (plan == nullptr) return base::bad_input(fmt::format("there is no service {}", service));
  if (plan->service.is_job)
    return base::bad_input(fmt::format("{} is a job: it runs once for each version", service));
  if (instances < 1 || instances > plan->max) {
    return base::bad_input(fmt::format("{} runs 1 to {} instances, not {}", service, plan->max, instances),
                           "the file says so: scale.max");
  }
  EnvironmentRecord changed = record_;
  changed.services.at(service).desired = instances;
  if (auto saved = settings_.save(changed); !saved) return saved.error();
  record_ = std::move(changed);
  controlled_[service].doing.clear();
  return {};
}

Deployment Hosted::deployment(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const auto found = controlled_.find(service);
  return found == controlled_.end() ? Deployment{} : found->second.deployment;
}

Result<void> Hosted::remove(bool volumes) {
  stop_ = true;
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  return cloud_->remove(volumes);
}

// ---- status

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
  for (const std::string& zone : plan_.zones) {
    status.zones.push_back({zone, std::find(cut.begin(), cut.end(), zone) != cut.end()});
  }
  for (const ServicePlan& plan : plan_.services) {
    const ServiceRecord& record = record_.services.at(plan.service.name);
    ServiceStatus service;
    service.name = record.name;
    service.desired = record.desired;
    service.version = record.version;
    service.previous = record.previous;
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
    }
    for (const cloud::ServiceMetrics& metrics : seen.services) {
      if (metrics.service != record.name) continue;
      if (metrics.requests) service.requests_per_second = metrics.requests->value();
      if (metrics.failed) service.failed_per_second = metrics.failed->value();
      if (metrics.p95) service.p95_ms = static_cast<double>(metrics.p95->count());
    }
    status.services.push_back(std::move(service));
    std::vector<const cloud::Instance*> instances;
    for (const cloud::Instance& instance : seen.instances) {
      if (instance.service == record.name) instances.push_back(&instance);
    }
    std::sort(instances.begin(), instances.end(), [](const auto* a, const auto* b) {
      return a->id.size() != b->id.size() ? a->id.size() < b->id.size() : a->id < b->id;
    });
    for (const cloud::Instance* instance : instances) {
      InstanceStatus shown;
      shown.id = instance->id;
      shown.service = instance->service;
      shown.version = instance->version;
      shown.zone = instance->zone;
      shown.address = instance->address;
      shown.state = to_string(instance->state);
      shown.since = instance->since;
      if (instance->metrics && instance->metrics->cpu) shown.cpu_percent = instance->metrics->cpu->value();
      if (instance->metrics && instance->metrics->requests)
        shown.requests_per_second = instance->metrics->requests->value();
      if (instance->health) {
        shown.health = instance->health->detail;
        shown.failed_checks = instance->health->failures;
      }
      for (const cloud_local::Details& detail : details) {
        if (detail.id != instance->id) continue;
        shown.memory_bytes = detail.memory_bytes;
        shown.why = detail.why;
        if (detail.trouble) shown.drill = to_string(*detail.trouble);
      }
      status.instances.push_back(std::move(shown));
    }
  }
  return status;
}

}  // namespace headroom::daemon
