// FleetWorld: a cloud that does at once what it is asked, and lets a test break things.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "control/step.hpp"

namespace headroom::control {

using base::Milliseconds;
using cloud::InstanceState;

constexpr Milliseconds kMinute{60'000};
constexpr Milliseconds second(std::int64_t n) { return Milliseconds(1000 * n); }
using Texts = std::vector<std::string>;

// Above 60 % one more, below 20 % one less; 2 to 6 instances; a tick and a metric each minute.
inline Settings settings() {
  policy::StepPolicy step;
  step.out = {{60, false, 1}};
  step.in = {{20, false, 1}};
  policy::Scaling scaling;
  scaling.initial = 2;
  scaling.limits.min = 2;
  scaling.limits.max = 6;
  scaling.policies = {step};
  Settings made;
  made.service = "web";
  made.version = "v1";
  made.zones = {"a"};
  made.token_prefix = "t";
  made.policy = policy::compile(scaling, kMinute, kMinute, Milliseconds(0)).value();
  return made;
}

struct FleetWorld {
  cloud::Observed seen;
  Settings with = settings();
  State memory;
  int launched = 0;
  InstanceState launches_as = InstanceState::in_service;  // what a launch has become by the next look

  FleetWorld() { at(Milliseconds(0)); }
  void at(Milliseconds time) { seen.at = time, seen.instances_at = time; }

  cloud::Instance& add(const std::string& zone = "a", InstanceState state = InstanceState::in_service,
                       const std::string& version = "v1") {
    cloud::Instance instance;
    instance.id = "i-" + std::to_string(++launched);
    instance.service = "web";
    instance.version = version;
    instance.zone = zone;
    instance.state = state;
    instance.since = instance.started = seen.at;
    return seen.instances.emplace_back(instance);
  }
  cloud::Instance& find(const std::string& id) {
    return *std::find_if(seen.instances.begin(), seen.instances.end(),
                         [&](const auto& instance) { return instance.id == id; });
  }
  void check(const std::string& id, bool healthy) {
    std::optional<cloud::HealthCheck>& health = find(id).health;
    const int before = health ? health->failures : 0;
    health = {seen.at, healthy ? "" : "connection refused", healthy ? 0 : before + 1};
  }
  void cpu(double percent, const std::string& zone = "") {
    for (cloud::Instance& instance : seen.instances) {
      if (instance.state == InstanceState::in_service && (zone.empty() || zone == instance.zone)) {
        instance.metrics = {seen.at, kMinute, base::Percent(percent), std::nullopt};
      }
    }
  }
  Step step_only() {
    Step next = step(seen.at, seen, memory, with);
    memory = next.state;
    return next;
  }
  // A step whose actions are carried out at once.
  Step operator()() {
    Step next = step_only();
    for (const cloud::Action& action : next.actions) carry_out(action);
    return next;
  }
  void carry_out(const cloud::Action& action) {
    if (const auto* launch = std::get_if<cloud::Launch>(&action.what)) {
      for (int k = 0; k < launch->count; ++k) {
        add(launch->zone, launches_as, launch->version).launched_by = action.token;
      }
    } else if (const auto* start = std::get_if<cloud::Start>(&action.what)) {
      find(start->instance).state = InstanceState::in_service;
      find(start->instance).since = find(start->instance).started = seen.at;
    } else if (const auto* retire = std::get_if<cloud::Retire>(&action.what)) {
      cloud::Instance& instance = find(retire->instance);
      instance.since = seen.at;
      instance.metrics.reset();
      instance.health.reset();
      if (retire->afterwards == cloud::Afterwards::pool) instance.state = InstanceState::stopped;
      if (retire->afterwards == cloud::Afterwards::inspect) instance.state = InstanceState::failed;
      if (retire->afterwards == cloud::Afterwards::gone) {
        std::erase_if(seen.instances, [&](const auto& i) { return i.id == retire->instance; });
      }
    }
  }
  int count(InstanceState state, const std::string& zone = "") const {
    return static_cast<int>(std::count_if(seen.instances.begin(), seen.instances.end(), [&](const auto& i) {
      return i.state == state && (zone.empty() || i.zone == zone);
    }));
  }
};

inline Texts texts(const Step& made) {
  Texts all;
  for (const cloud::Action& action : made.actions) all.push_back(cloud::to_string(action));
  return all;
}
inline Texts happened(const Step& made) {
  Texts all;
  for (const Note& note : made.notes) {
    all.push_back(std::string(to_string(note.happened)) + " " + note.subject);
  }
  return all;
}

}  // namespace headroom::control
