#include "daemon/desired.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace headroom::daemon {
namespace {

// Measured: above it, neighbours slow each other down and the accounting does not show it.
constexpr double kShareWithoutContention = 0.8;

}  // namespace

void set_desired(EnvironmentRecord& record, const Plan& plan) {
  for (const ServicePlan& service : plan.services) {
    ServiceRecord& kept = record.services.at(service.service.name);
    const auto all = [&](int instances) { return of_all_groups(instances, service, plan); };
    if (kept.override && kept.override->instances) {
      kept.desired = all(std::clamp(*kept.override->instances, 1, service.max));
      continue;
    }
    kept.desired = std::clamp(kept.desired == 0 ? all(service.initial) : kept.desired, all(service.min),
                              all(service.max));
  }
}

double promised_cores(const EnvironmentRecord& record, const Plan& plan) {
  double cores = 0;
  for (const ServicePlan& service : plan.services)
    cores += record.services.at(service.service.name).desired * service.version.cores.value();
  return cores;
}

double most_cores(const Plan& plan) {
  double cores = 0;
  for (const ServicePlan& service : plan.services)
    cores += of_all_groups(service.max, service, plan) * service.version.cores.value();
  return cores;
}

double machine_cores() { return std::max(1U, std::thread::hardware_concurrency()); }

base::Result<std::vector<std::string>> weigh_promise(const Promised& promised, double machine_cores) {
  const std::string others =
      promised.to_others > 0 ? fmt::format(", beside {:g} of other environments,", promised.to_others) : "";
  const double all = promised.now + promised.to_others;
  if (all > machine_cores) {
    return base::bad_input(
        fmt::format("its instances would be promised {:g} cores{} of the {:g} of this machine", promised.now,
                    others, machine_cores),
        "write less cpu, or fewer instances");
  }
  std::vector<std::string> warnings;
  if (all > kShareWithoutContention * machine_cores) {
    warnings.push_back(fmt::format(
        "the instances are promised {:g} cores{} of {:g}: above 80 % they slow each other down, unseen",
        promised.now, others, machine_cores));
  }
  if (promised.most + promised.to_others > machine_cores) {
    warnings.push_back(fmt::format(
        "at their maximum the instances are promised {:g} cores{} of {:g}: before, they slow each other down",
        promised.most, others, machine_cores));
  }
  return warnings;
}

}  // namespace headroom::daemon
