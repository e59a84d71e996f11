#include "daemon/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace headroom::daemon {
namespace {

using base::Milliseconds;
using base::Result;
using nlohmann::json;

// What an instance name leaves of the 40 letters that a confined process may have: "-123456-z12".
constexpr std::size_t kLongestName = 28;
// Where the file gives no drain: requests that take longer are rare, and a person waits for it.
constexpr Milliseconds kDrain{10'000};
// Metrics every minute are what clouds have; this machine can look closer.
constexpr Milliseconds kPeriodMost{5'000};

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
    plan.metric_period = std::min(environment_.metrics.period, kPeriodMost);
    for (const environment::Service& service : environment_.services)
      plan.services.push_back(plan_of(service));
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
    made.pool = service.scale.pool;
    made.drain = service.scale.drain > Milliseconds(0) ? service.scale.drain : kDrain;
    made.replace_after = service.health.replace_after;
    made.grace = service.health.grace;
    return made;
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

json to_json(const ServicePlan& plan) {
  const cloud_local::Service& service = plan.service;
  const cloud_local::Version& version = plan.version;
  json text = {{"name", service.name},
               {"health",
                {{"path", service.health.path},
                 {"interval_ms", service.health.interval.count()},
                 {"unhealthy_after", service.health.unhealthy_after},
                 {"healthy_after", service.health.healthy_after}}},
               {"depends_on", service.depends_on},
               {"keeps_volume", service.keeps_volume},
               {"is_job", service.is_job},
               {"run", version.run},
               {"environment", version.environment},
               {"secrets", version.secrets},
               {"cores", version.cores.value()},
               {"processes_max", version.processes_max},
               {"boot_ms", version.boot.count()},
               {"source", plan.source.string()},
               {"build", plan.build},
               {"initial", plan.initial},
               {"min", plan.min},
               {"max", plan.max},
               {"pool", plan.pool},
               {"drain_ms", plan.drain.count()},
               {"replace_after", plan.replace_after},
               {"grace_ms", plan.grace.count()}};
  if (version.memory_bytes) text["memory_bytes"] = *version.memory_bytes;
  if (service.listen) {
    text["listen"] = {{"host", service.listen->host},
                      {"port", service.listen->port},
                      {"certificate", service.listen->certificate.string()}};
  }
  return text;
}

Milliseconds ms(const json& text, const char* name) {
  return Milliseconds(text.at(name).get<std::int64_t>());
}

ServicePlan service_from(const json& text) {
  ServicePlan plan;
  cloud_local::Service& service = plan.service;
  cloud_local::Version& version = plan.version;
  service.name = version.service = text.at("name");
  const json& health = text.at("health");
  service.health = {health.at("path"),
                    ms(health, "interval_ms"),
                    health.at("unhealthy_after"),
                    health.at("healthy_after"),
                    {}};
  service.depends_on = text.at("depends_on").get<std::vector<std::string>>();
  service.keeps_volume = text.at("keeps_volume");
  service.is_job = text.at("is_job");
  if (text.contains("listen")) {
    const json& listen = text["listen"];
    service.listen =
        balancer::Bind{listen.at("host"), listen.at("port"), listen.at("certificate").get<std::string>()};
  }
  version.run = text.at("run");
  version.environment = text.at("environment").get<cloud_local::Variables>();
  version.secrets = text.at("secrets").get<cloud_local::Variables>();
  version.cores = base::Cores(text.at("cores").get<double>());
  version.processes_max = text.at("processes_max");
  version.boot = ms(text, "boot_ms");
  if (text.contains("memory_bytes")) version.memory_bytes = text["memory_bytes"].get<std::int64_t>();
  plan.source = text.at("source").get<std::string>();
  plan.build = text.at("build");
  plan.initial = text.at("initial");
  plan.min = text.at("min");
  plan.max = text.at("max");
  plan.pool = text.at("pool");
  plan.drain = ms(text, "drain_ms");
  plan.replace_after = text.at("replace_after");
  plan.grace = ms(text, "grace_ms");
  return plan;
}

}  // namespace

Result<Plan> plan_of(const environment::Loaded& loaded, const std::filesystem::path& folder) {
  return Planner(loaded, folder).run();
}

std::string to_text(const Plan& plan) {
  json services = json::array();
  for (const ServicePlan& service : plan.services) services.push_back(to_json(service));
  return json{{"environment", plan.environment},
              {"zones", plan.zones},
              {"metric_period_ms", plan.metric_period.count()},
              {"services", services}}
      .dump();
}

Result<Plan> plan_from(const std::string& text) {
  try {
    const json read = json::parse(text);
    Plan plan;
    plan.environment = read.at("environment");
    plan.zones = read.at("zones").get<std::vector<std::string>>();
    plan.metric_period = ms(read, "metric_period_ms");
    for (const json& service : read.at("services")) plan.services.push_back(service_from(service));
    return plan;
  } catch (const json::exception& error) {
    return base::unavailable(fmt::format("a kept environment cannot be read: {}", error.what()),
                             "`headroom down` removes it, `headroom up` makes it anew");
  }
}

}  // namespace headroom::daemon
