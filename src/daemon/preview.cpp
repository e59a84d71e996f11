#include "daemon/preview.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "balancer/process.hpp"
#include "control/placement.hpp"
#include "daemon/desired.hpp"
#include "daemon/version_name.hpp"
#include "versions/artifact.hpp"
#include "versions/image.hpp"

namespace headroom::daemon {
namespace {

using base::Result;
namespace fs = std::filesystem;

std::vector<ZoneShare> shares(const std::vector<std::string>& zones, int instances) {
  std::vector<control::ZoneCount> empty;
  for (const std::string& zone : zones) empty.push_back({zone, 0});
  std::vector<ZoneShare> shares;
  for (const control::ZoneCount& count : control::spread(std::move(empty), instances))
    shares.push_back({count.zone, count.instances});
  return shares;
}

// Of a service that does not run yet: whoever holds its port keeps it from coming up.
void warn_of_port(const ServicePlan& plan, std::vector<std::string>& warnings) {
  if (!plan.service.listen) return;
  const Result<void> free = balancer::ports_are_free({*plan.service.listen});
  if (free) return;
  for (const base::Fault& fault : free.error().faults)
    warnings.push_back(fmt::format("{}: {}", plan.service.name, fault.what));
}

Result<ServicePreview> preview_of(const ServicePlan& plan, const Plan& whole, const ServiceRecord& record,
                                  const There& there, const fs::path& state,
                                  std::vector<std::string>& warnings) {
  const Result<versions::Artifact> artifact = versions::inspect(plan.source, state / "artifacts");
  if (!artifact) return artifact.error();
  for (const std::string& note : artifact->notes)
    warnings.push_back(fmt::format("{}: {}", plan.service.name, note));
  const std::string key = versions::image_key(artifact->hash, plan.build);
  cloud_local::Version version = plan.version;
  version.image = versions::image_of(state / "images", key).folder;

  ServicePreview preview;
  preview.name = plan.service.name;
  preview.replaces = record.version;
  const bool stays = runs_already(record, there.versions, version);
  preview.version = stays ? record.version : next_version_name(record, there.versions);
  preview.builds = !plan.build.empty() && !versions::is_built(state / "images", key);
  // One instance does the work of a job, for each version once.
  preview.instances = plan.service.is_job ? (stays ? 0 : 1) : record.desired;
  preview.zones = shares(whole.zones, preview.instances);
  if (plan.service.listen) {
    preview.address = fmt::format("{}://{}", plan.service.listen->certificate.empty() ? "http" : "https",
                                  to_string(*plan.service.listen));
  }
  preview.cores = plan.version.cores.value();
  preview.memory_bytes = plan.version.memory_bytes;
  if (record.version.empty()) warn_of_port(plan, warnings);
  return preview;
}

}  // namespace

Result<Preview> preview(const UpRequest& request, const Plan& plan, const There& there,
                        const fs::path& state) {
  EnvironmentRecord record;
  if (there.record) {
    record = *there.record;
    if (auto same = expect_same(record, request, plan); !same) return same.error();
  }
  Preview preview;
  preview.environment = plan.environment;
  preview.file = request.file.string();
  preview.runs = there.record.has_value();
  for (const auto& [name, service] : record.services) {
    const bool stays =
        std::any_of(plan.services.begin(), plan.services.end(),
                    [&name = name](const ServicePlan& one) { return one.service.name == name; });
    if (!stays) preview.ends.push_back(name);
  }
  const auto before = record.services;
  for (const ServicePlan& service : plan.services)
    record.services.try_emplace(service.service.name).first->second.name = service.service.name;
  set_desired(record, plan);
  preview.promised_cores = promised_cores(record, plan);
  preview.machine_cores = machine_cores();
  Result<std::vector<std::string>> warnings = weigh_promise(
      {preview.promised_cores, most_cores(plan), there.promised_to_others}, preview.machine_cores);
  if (!warnings) return warnings.error();
  preview.warnings = std::move(*warnings);
  for (const ServicePlan& service : plan.services) {
    const std::string& name = service.service.name;
    Result<ServicePreview> one =
        preview_of(service, plan, record.services.at(name), there, state, preview.warnings);
    if (!one) return one.error();
    const auto known = before.find(name);
    if (known != before.end() && !service.service.is_job) one->instances_before = known->second.desired;
    preview.services.push_back(std::move(*one));
  }
  return preview;
}

}  // namespace headroom::daemon
