#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "control/tear_down.hpp"
#include "daemon/clock.hpp"
#include "daemon/controller_settings.hpp"
#include "daemon/desired.hpp"
#include "daemon/hosted.hpp"
#include "daemon/kept_versions.hpp"

namespace headroom::daemon {
namespace {

using base::Milliseconds;
using base::Result;

// Between two looks at what is to end.
constexpr Milliseconds kPace{500};

}  // namespace

// A service that the file no longer has: its controller rests, and its instances go.
Result<void> Hosted::end_service(const ServicePlan& service) {
  control::Settings with;
  {
    const std::lock_guard lock(mutex_);
    ServiceRecord& record = record_.services.at(service.service.name);
    with = controller_settings(plan_, service, record, settings_.realm, start_, false);
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
    if (known == record_.services.end()) continue;
    const std::optional<Override> asked = std::exchange(service, known->second).override;
    if (!asked) continue;
    if (!service.override) {
      service.override = asked;
    } else if (asked->is_pause() && !service.override->is_pause()) {
      service.override->pauses_after = true;  // `up --observe`, over a number by hand
    }
  }
  set_desired(record, plan);
  if (auto saved = settings_.save(record); !saved) return saved;
  const bool differs =
      !record_.files || !record.files || *record_.files != *record.files || record_.variant != record.variant;
  for (const ServicePlan& service : plan.services) {
    const auto known = controlled_.find(service.service.name);
    if (differs && known != controlled_.end()) decide_anew(service, known->second);
  }
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
  if (auto aimed = aim(service, name); !aimed) return aimed;
  note(service, "deployed", name, "is deployed");
  return {};
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
  if (auto aimed = aim(service, previous); !aimed) return aimed;
  note(service, "rolled_back", previous, "serves again, by hand");
  return {};
}

void Hosted::keep_versions(int newest) {
  const std::map<std::string, std::set<std::string>> kept =
      kept_versions(record(), cloud_->versions(), newest);
  // One that cannot be forgotten now costs disk, and is the next time.
  for (const auto& [service, names] : kept)
    [[maybe_unused]] const auto done = cloud_->keep_versions(service, names);
}

Result<void> Hosted::override_with(const std::string& service, std::optional<Override> override) {
  EnvironmentRecord changed = record_;
  changed.services.at(service).override = override;
  if (auto saved = settings_.save(changed); !saved) return saved.error();
  record_ = std::move(changed);
  controlled_[service].doing.clear();
  return {};
}

// Requires: the mutex.
Result<const ServicePlan*> Hosted::scaled(const std::string& service) const {
  const ServicePlan* plan = find(service);
  if (plan == nullptr) return base::bad_input(fmt::format("there is no service {}", service));
  if (plan->service.is_job)
    return base::bad_input(fmt::format("{} is a job: it runs once for each version", service));
  return plan;
}

Result<void> Hosted::scale(const std::string& service, int instances, std::optional<Milliseconds> until) {
  const std::lock_guard lock(mutex_);
  const Result<const ServicePlan*> plan = scaled(service);
  if (!plan) return plan.error();
  const int most = of_all_groups((*plan)->max, **plan, plan_);
  if (instances < 1 || instances > most) {
    return base::bad_input(fmt::format("{} runs 1 to {} instances, not {}", service, most, instances),
                           "the file says so: scale.max");
  }
  const int groups = of_all_groups(1, **plan, plan_);
  if (instances % groups != 0) {
    return base::bad_input(
        fmt::format("{} scales apart in each of {} zones, so {} instances have no share in each", service,
                    groups, instances),
        fmt::format("ask for a multiple of {}", groups));
  }
  const std::optional<Override>& before = record_.services.at(service).override;
  const bool pauses_after = before && (before->pauses_after || (before->is_pause() && !before->until));
  if (auto done = override_with(service, Override{instances / groups, now(), until, pauses_after}); !done)
    return done;
  note(service, "scaled", "",
       fmt::format("asked for by hand: {} instance{}", instances, instances == 1 ? "" : "s"));
  return {};
}

Result<void> Hosted::pause(const std::string& service, std::optional<Milliseconds> until) {
  const std::lock_guard lock(mutex_);
  if (const auto plan = scaled(service); !plan) return plan.error();
  if (auto done = override_with(service, Override{std::nullopt, now(), until, false}); !done) return done;
  note(service, "paused", "", "paused by hand: what the policy asks for is told, not done");
  return {};
}

void Hosted::tell_observed() {
  const std::lock_guard lock(mutex_);
  note("", "observed", "", "paused by `up --observe`: what the policies ask for is told, not done");
}

Result<void> Hosted::resume(const std::string& service) {
  const std::lock_guard lock(mutex_);
  if (const auto plan = scaled(service); !plan) return plan.error();
  if (!record_.services.at(service).override) return {};
  if (auto done = override_with(service, std::nullopt); !done) return done;
  note(service, "resumed", "", "resumed by hand: the policy decides again");
  return {};
}

Result<void> Hosted::drill_zone(const std::string& zone, Milliseconds length) {
  if (auto begun = cloud_->cut_zone(zone, now() + length); !begun) return begun;
  const std::lock_guard lock(mutex_);
  note("", "drill", zone, fmt::format("the zone is cut off for {} s", length.count() / 1000));
  return {};
}

Result<void> Hosted::drill_instance(const std::string& instance, cloud_local::Trouble trouble,
                                    Milliseconds length) {
  if (auto begun = cloud_->trouble(instance, trouble, now() + length); !begun) return begun;
  const std::lock_guard lock(mutex_);
  note("", "drill", instance, fmt::format("{} for {} s", to_string(trouble), length.count() / 1000));
  return {};
}

}  // namespace headroom::daemon
