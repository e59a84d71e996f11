#include <fmt/format.h>

#include <thread>
#include <utility>

#include "daemon/clock.hpp"
#include "daemon/confined_build.hpp"
#include "daemon/desired.hpp"
#include "daemon/keeper.hpp"
#include "daemon/preview.hpp"
#include "daemon/up_request.hpp"
#include "daemon/version_name.hpp"
#include "versions/artifact.hpp"
#include "versions/image.hpp"

namespace headroom::daemon {

using base::Milliseconds;
using base::Result;
namespace fs = std::filesystem;

Result<UpResult> Keeper::up(const UpRequest& request, const Say& say, const Left& left) {
  const Result<ReadPlan> read = read_plan(request);
  if (!read) return read.error();
  const Plan* const plan = &read->plan;

  const std::lock_guard changing(change_mutex_);
  if (request.must_exist && !find(plan->environment)) return absent(plan->environment);
  bool is_new = true;
  const Result<EnvironmentRecord> record = recorded(request, *read, is_new);
  if (!record) return record.error();
  Result<std::vector<std::string>> warnings = weigh_promise(
      {promised_cores(*record, *plan), most_cores(*plan), promised_to_others(plan->environment)},
      machine_cores());
  if (!warnings) return warnings.error();
  const Result<std::shared_ptr<Hosted>> hosted = host(*record, *plan, is_new);
  if (!hosted) return hosted.error();
  if (request.observe) (*hosted)->tell_observed();

  const auto unwanted = [&] {
    return is_to_end(plan->environment) || (request.while_watched && left && left());
  };
  UpResult result{plan->environment, {}, std::move(*warnings)};
  for (const ServicePlan& service : plan->services) {
    if (auto deployed = deploy(**hosted, service, say, unwanted, result); !deployed) {
      sweep();
      return deployed.error();
    }
  }
  sweep();
  return result;
}

double Keeper::promised_to_others(const std::string& environment) const {
  std::vector<std::shared_ptr<Hosted>> others;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, hosted] : hosted_)
      if (name != environment) others.push_back(hosted);
  }
  double cores = 0;
  for (const std::shared_ptr<Hosted>& other : others) cores += promised_cores(other->record(), other->plan());
  return cores;
}

// The record as it is to be: that of what is there, with what the request and the file say now. Nothing is
// written. Errors: the name belongs to another file, or zones are gone.
Result<EnvironmentRecord> Keeper::recorded(const UpRequest& request, const ReadPlan& read, bool& is_new) {
  const Plan& plan = read.plan;
  EnvironmentRecord record;
  if (const std::shared_ptr<Hosted> hosted = find(plan.environment)) {
    is_new = false;
    record = hosted->record();
    if (auto same = expect_same(record, request, plan); !same) return same.error();
  } else {
    // One that could not be adopted keeps its indexes and ports.
    Result<std::optional<EnvironmentRecord>> known = kept(plan.environment);
    if (!known) return known.error();
    is_new = !*known;
    if (*known) record = std::move(**known);
  }
  record.name = plan.environment;
  record.file = request.file.string();
  record.variant = request.variant;
  record.files = read.files;
  std::vector<std::string> services;
  for (const ServicePlan& service : plan.services) services.push_back(service.service.name);
  {
    const std::lock_guard lock(catalogue_mutex_);
    if (auto completed = catalogue_.complete(record, plan.zones, services); !completed)
      return completed.error();
  }
  set_desired(record, plan);
  for (const ServicePlan& service : plan.services) {
    if (request.observe && !service.service.is_job)
      record.services.at(service.service.name).override = Override{std::nullopt, now(), std::nullopt, false};
  }
  return record;
}

// Its zones and services as the plan says, without a version of its own yet.
Result<std::shared_ptr<Hosted>> Keeper::host(const EnvironmentRecord& record, const Plan& plan, bool is_new) {
  const std::string& name = record.name;
  if (std::shared_ptr<Hosted> hosted = find(name)) {
    if (auto changed = hosted->change(record, plan); !changed) return changed.error();
    return hosted;
  }
  if (auto made = make_folder(options_.folder.environment(name), 0711); !made) return made.error();
  if (auto saved = save(record); !saved) return saved.error();
  auto opened = Hosted::open(machine_, settings_of(name), record, plan);
  if (!opened) {
    // It is as if it had not been asked for, unless it was there before.
    if (is_new) {
      [[maybe_unused]] const auto undone = Hosted::undo_open(machine_, settings_of(name), record, plan);
      const std::lock_guard lock(catalogue_mutex_);
      [[maybe_unused]] const auto removed = catalogue_.remove(name);
    }
    return opened.error();
  }
  std::shared_ptr<Hosted> hosted = std::move(*opened);
  const std::lock_guard lock(mutex_);
  hosted_[name] = hosted;
  faults_.erase(name);
  return hosted;
}

Result<cloud_local::Version> Keeper::prepare(const ServicePlan& plan, const Say& say,
                                             const std::function<bool()>& unwanted) {
  if (unwanted())
    return base::unavailable(fmt::format("{}: nobody waits for it any more", plan.service.name),
                             "deploy again");
  const versions::Runner run = [&](const fs::path& folder, const std::string& command, const fs::path& log,
                                   Milliseconds timeout) {
    return build_confined(folder, command, log, timeout, unwanted);
  };
  const fs::path artifacts = options_.folder.root / "artifacts";
  const fs::path images = options_.folder.root / "images";
  const std::string& name = plan.service.name;
  const Result<versions::Artifact> artifact = versions::pack(plan.source, artifacts);
  if (!artifact) return artifact.error();
  for (const std::string& note : artifact->notes) say(fmt::format("{}: {}", name, note));
  const Result<versions::Image> image =
      versions::prepare(*artifact, plan.build, images, run,
                        [&](std::string_view step) { say(fmt::format("{}: {}", name, step)); });
  if (!image) return image.error();
  cloud_local::Version version = plan.version;
  version.image = image->folder;
  return version;
}

Result<void> Keeper::deploy(Hosted& hosted, const ServicePlan& plan, const Say& say,
                            const std::function<bool()>& unwanted, UpResult& result) {
  Result<cloud_local::Version> version = prepare(plan, say, unwanted);
  if (!version) return version.error();
  const std::string& service = plan.service.name;
  const ServiceRecord record = hosted.record().services.at(service);
  const std::vector<cloud_local::Version> known = hosted.versions();
  // Where it does not serve yet, it is waited for.
  if (runs_already(record, known, *version))
    return hosted.deployment(service).goes_on ? wait(hosted, service, say) : Result<void>();
  version->name = next_version_name(record, known);
  result.changes.push_back(fmt::format("{}: version {}", service, version->name));
  say(fmt::format("{}: version {}{}", service, version->name,
                  record.version.empty() ? std::string() : " replaces " + record.version));
  if (auto begun = hosted.deploy(service, std::move(*version)); !begun) return begun;
  return wait(hosted, service, say);
}

Result<void> Keeper::wait(Hosted& hosted, const std::string& service, const Say& say) {
  const std::string environment = hosted.record().name;
  std::string told;
  for (;;) {
    const Deployment deployment = hosted.deployment(service);
    if (deployment.failed) {
      std::string fix = fmt::format("`headroom logs {}` shows what its instances printed", service);
      for (const InstanceStatus& instance : hosted.status().instances) {
        if (instance.service == service && instance.state == "failed" && !instance.why.empty())
          fix = fmt::format("{}: {}; {}", instance.id, instance.why, fix);
      }
      return base::unavailable(fmt::format("{}: {}", service, deployment.text), fix);
    }
    if (!deployment.goes_on) return {};
    if (is_to_end(environment) || find(environment).get() != &hosted)
      return base::unavailable(fmt::format("{} is being taken down", environment));
    if (deployment.text != told && deployment.text != "begins") {
      told = deployment.text;
      say(fmt::format("{}: {}", service, told));
    }
    std::this_thread::sleep_for(Milliseconds(100));
  }
}

Result<Preview> Keeper::preview(const UpRequest& request) {
  const Result<ReadPlan> read = read_plan(request);
  if (!read) return read.error();
  const Plan* const plan = &read->plan;
  There there;
  there.promised_to_others = promised_to_others(plan->environment);
  if (const std::shared_ptr<Hosted> hosted = find(plan->environment)) {
    there.record = hosted->record();
    there.versions = hosted->versions();
  } else {
    Result<std::optional<EnvironmentRecord>> known = kept(plan->environment);
    if (!known) return known.error();
    there.record = std::move(*known);
  }
  return daemon::preview(request, *plan, there, options_.folder.root);
}

Result<void> Keeper::rollback(const std::string& environment, const std::string& service, const Say& say) {
  return with(environment, [&](Hosted& hosted) -> Result<void> {
    if (auto begun = hosted.rollback(service); !begun) return begun;
    return wait(hosted, service, say);
  });
}

}  // namespace headroom::daemon
