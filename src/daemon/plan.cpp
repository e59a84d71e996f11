#include "daemon/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sim/scenario.hpp"

namespace headroom::daemon {
namespace {

using base::Milliseconds;
using base::Result;

// What an instance name leaves of the 40 letters that a confined process may have: "-123456-z12".
constexpr std::size_t kLongestName = 28;
// Where the file gives no drain: requests that take longer are rare, and a person waits for it.
constexpr Milliseconds kDrain{10'000};
// Where no policy looks at them, metrics are for people, who want to see something soon.
constexpr Milliseconds kPeriodForPeople{5'000};
// The finest grid for decisions: what a person asks for is done within a tick.
constexpr Milliseconds kTick{1'000};

// It is a part of folders and of names on the machine.
bool is_plain(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  return plain && !name.empty() && name.size() <= kLongestName && name.front() != '-';
}

class Planner {
 public:
  Planner(const environment::Loaded& loaded, const std::filesystem::path& folder)
      : loaded_(loaded), environment_(loaded.environment), folder_(folder) {}

  Result<Plan> run() {
    if (environment_.cloud != environment::CloudKind::local)
      fault("cloud", "this environment does not run on this machine",
            "write cloud: local, or choose one with -e");
    Plan plan;
    plan.environment = environment_.name;
    if (!is_plain(plan.environment)) {
      fault("name",
            fmt::format(
                "the name of an environment that runs here is up to {} small letters, digits and hyphens",
                kLongestName),
            "write name: shop, say");
    }
    plan.zones = environment_.zones;
    if (plan.zones.empty()) plan.zones = {"a"};
    plan.metric_period = environment_.metrics.period;
    bool measured = false;
    for (const environment::Service& service : environment_.services) {
      plan.services.push_back(plan_of(service));
      measured = measured || !service.scale.scaling.policies.empty();
    }
    if (!measured) plan.metric_period = std::min(plan.metric_period, kPeriodForPeople);
    order(plan);
    if (!error_.faults.empty()) return environment::located(loaded_, error_);
    return plan;
  }

 private:
  void fault(std::string path, std::string what, std::string fix) {
    error_.faults.push_back({{}, std::move(what), std::move(fix), std::move(path)});
  }

  std::filesystem::path in_folder(const std::string& name) const {
    return (folder_ / name).lexically_normal();
  }

  ServicePlan plan_of(const environment::Service& service) {
    const std::string path = "services." + service.name;
    ServicePlan made;
    if (!is_plain(service.name)) {
      fault(path,
            fmt::format("the name of a service that runs here is up to {} small letters, digits and hyphens",
                        kLongestName),
            "give it another name");
    }
    if (service.run.empty())
      fault(path, "there is no command that runs an instance",
            "write run: COMMAND, which listens on $HOST:$PORT");
    if (service.source.empty()) fault(path, "there is no folder to deploy", "write source: ./app");
    made.source = in_folder(service.source);
    made.build = service.build;

    made.service.name = service.name;
    if (service.listen.port != 0) {
      balancer::Bind bind{service.listen.address, service.listen.port, {}};
      if (!service.listen.certificate.empty()) bind.certificate = in_folder(service.listen.certificate);
      made.service.listen = std::move(bind);
    }
    made.service.health = {service.health.path,
                           service.health.interval,
                           service.health.unhealthy_after,
                           service.health.healthy_after,
                           {}};
    made.service.depends_on = service.depends_on;
    made.service.keeps_volume = service.volume;
    made.service.is_job = service.job;

    made.version.service = service.name;
    made.version.run = service.run;
    made.version.environment = service.env;
    for (const auto& [name, reference] : service.secrets) {
      if (!reference.starts_with("file:")) {
        fault(path + ".secrets." + name, "this machine has no ssm: to look secrets up in", "write file:PATH");
        continue;
      }
      made.version.secrets.emplace_back(name, in_folder(reference.substr(5)).string());
    }
    if (service.instance.cpu) {
      made.version.cores = *service.instance.cpu;
    } else {
      fault(path + ".instance", "the processor time of an instance is not said",
            "write instance: {cpu: 0.2}, in cores of this machine");
    }
    made.version.memory_bytes = service.instance.memory_bytes;
    // One that was measured is in the real start of the process already.
    if (loaded_.places.contains(path + ".capacity.startup") && service.capacity.startup)
      made.version.boot = *service.capacity.startup;

    made.initial = service.scale.scaling.initial;
    made.min = service.scale.scaling.limits.min;
    made.max = service.scale.scaling.limits.max;
    decide(service, made);
    made.pool = service.scale.pool;
    made.drain = service.scale.drain > Milliseconds(0) ? service.scale.drain : kDrain;
    made.replace_after = service.health.replace_after;
    made.grace = service.health.grace;
    return made;
  }

  // The policy of the file, compiled as the rehearsal does; where it does not fit the finest grid (a rate
  // limit over hours has too many ticks there), on that of the file.
  void decide(const environment::Service& service, ServicePlan& made) {
    made.per_zone = service.scale.per_zone;
    if (service.scale.hold_to_paid_hour) made.hold_while_paid = service.instance.billing;
    environment::Environment fine = environment_;
    fine.tick = kTick;
    made.tick = kTick;
    auto compiled = sim::policy_of(fine, service);
    if (!compiled) {
      made.tick = sim::tick_of(environment_);
      compiled = sim::policy_of(environment_, service);
    }
    if (compiled) {
      made.policy = *compiled;
      return;
    }
    error_.faults.insert(error_.faults.end(), compiled.error().faults.begin(), compiled.error().faults.end());
  }

  // Each after those that it depends on; otherwise as in the file.
  void order(Plan& plan) {
    std::vector<ServicePlan> ordered;
    std::set<std::string> there;
    std::vector<ServicePlan> left = std::move(plan.services);
    while (!left.empty()) {
      const auto next = std::find_if(left.begin(), left.end(), [&](const ServicePlan& service) {
        return std::all_of(service.service.depends_on.begin(), service.service.depends_on.end(),
                           [&](const std::string& name) { return there.contains(name); });
      });
      if (next == left.end()) {
        fault("services." + left.front().service.name + ".depends_on",
              fmt::format("{} depends on itself, or on a service that is not in the file",
                          left.front().service.name),
              "name services of this file, in no circle");
        break;
      }
      there.insert(next->service.name);
      ordered.push_back(std::move(*next));
      left.erase(next);
    }
    plan.services = std::move(ordered);
  }

  const environment::Loaded& loaded_;
  const environment::Environment& environment_;
  const std::filesystem::path& folder_;
  base::Error error_;
};

}  // namespace

Result<Plan> plan_of(const environment::Loaded& loaded, const std::filesystem::path& folder) {
  return Planner(loaded, folder).run();
}

int of_all_groups(int instances, const ServicePlan& service, const Plan& plan) {
  return service.per_zone ? instances * static_cast<int>(plan.zones.size()) : instances;
}

}  // namespace headroom::daemon
