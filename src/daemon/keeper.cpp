#include "daemon/keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/desired.hpp"
#include "isolation/tier.hpp"
#include "versions/sweep.hpp"

namespace headroom::daemon {
namespace {

using base::Result;

// Versions of a service that can still be gone back to.
constexpr int kVersionsKept = 5;

}  // namespace

// ---- which there are

Result<void> Keeper::adopt() {
  Result<std::vector<EnvironmentRecord>> records = catalogue_.all();
  if (!records) return records.error();
  for (const EnvironmentRecord& record : *records) {
    const Result<void> adopted = adopt(record);
    if (!adopted) faults_[record.name] = base::to_string(adopted.error());
    if (record.removing) [[maybe_unused]]
      const auto removed = down(record.name, record.volumes, [](auto) {});
  }
  return {};
}

Result<void> Keeper::adopt(const EnvironmentRecord& record) {
  const Result<Plan> plan = kept_plan(record);
  if (!plan) return plan.error();
  auto hosted = Hosted::open(machine_, settings_of(record.name), record, *plan);
  if (!hosted) return hosted.error();
  const std::lock_guard lock(mutex_);
  hosted_[record.name] = std::move(*hosted);
  faults_.erase(record.name);
  return {};
}

Hosted::Settings Keeper::settings_of(const std::string& name) {
  Hosted::Settings settings;
  settings.folder = options_.folder.environment(name);
  settings.sockets = options_.folder.sockets / name;
  settings.realm = options_.folder.realm;
  settings.save = [this](const EnvironmentRecord& record) { return save(record); };
  return settings;
}

std::shared_ptr<Hosted> Keeper::find(const std::string& environment) const {
  const std::lock_guard lock(mutex_);
  const auto found = hosted_.find(environment);
  return found == hosted_.end() ? nullptr : found->second;
}

base::Error Keeper::absent(const std::string& environment) const {
  const std::lock_guard lock(mutex_);
  if (const auto fault = faults_.find(environment); fault != faults_.end()) {
    return base::unavailable(fmt::format("{} does not run: {}", environment, fault->second),
                             "`headroom up` tries it again, `headroom down` removes it");
  }
  std::string names;
  for (const auto& [name, hosted] : hosted_) names += (names.empty() ? "" : ", ") + name;
  return base::bad_input(fmt::format("no environment {} runs", environment),
                         names.empty() ? "`headroom up PATH` brings one up" : "these run: " + names);
}

Result<std::optional<EnvironmentRecord>> Keeper::kept(const std::string& environment) {
  const std::lock_guard lock(catalogue_mutex_);
  Result<std::vector<EnvironmentRecord>> records = catalogue_.all();
  if (!records) return records.error();
  for (EnvironmentRecord& record : *records)
    if (record.name == environment) return std::optional(std::move(record));
  return std::optional<EnvironmentRecord>();
}

bool Keeper::is_to_end(const std::string& environment) const {
  const std::lock_guard lock(mutex_);
  return to_end_.contains(environment);
}

Result<void> Keeper::save(const EnvironmentRecord& record) {
  const std::lock_guard lock(catalogue_mutex_);
  return catalogue_.save(record);
}

// Images and artifacts that no version names any more.
void Keeper::sweep() {
  versions::Kept kept;
  kept.newest = kVersionsKept;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, hosted] : hosted_) {
      hosted->keep_versions(kVersionsKept);
      for (const cloud_local::Version& version : hosted->versions())
        kept.images.insert(version.image.parent_path().filename().string());
    }
  }
  [[maybe_unused]] const auto swept =
      versions::sweep(options_.folder.root / "images", options_.folder.root / "artifacts", kept);
}

// ---- down

Result<void> Keeper::down(const std::string& environment, bool volumes, const Say& say) {
  {
    const std::lock_guard lock(mutex_);
    to_end_.insert(environment);
  }
  const std::lock_guard changing(change_mutex_);  // an up of it does not go on for long now
  {
    const std::lock_guard lock(mutex_);
    to_end_.erase(to_end_.find(environment));
  }
  std::shared_ptr<Hosted> hosted = find(environment);
  if (!hosted) {
    // It could not be adopted: what it left is found by its record.
    const Result<std::optional<EnvironmentRecord>> record = kept(environment);
    if (!record) return record.error();
    if (!*record) return absent(environment);
    if (auto adopted = adopt(**record); !adopted) return adopted;
    hosted = find(environment);
  }
  EnvironmentRecord record = hosted->record();
  record.removing = true;
  record.volumes = volumes;
  if (auto saved = save(record); !saved) return saved;
  say(fmt::format("{}: ending its instances and balancers", environment));
  {
    const std::lock_guard lock(mutex_);
    hosted_.erase(environment);
    faults_[environment] = "it is being taken down";
  }
  Result<void> removed = hosted->remove(volumes);
  hosted.reset();
  if (!removed) {
    const std::lock_guard lock(mutex_);
    faults_[environment] = base::to_string(removed.error());
    return removed;
  }
  {
    const std::lock_guard lock(catalogue_mutex_);
    if (auto gone = catalogue_.remove(environment); !gone) return gone;
  }
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    faults_.erase(environment);
    last = hosted_.empty() && faults_.empty();
  }
  sweep();
  if (last) [[maybe_unused]]
    const auto nothing = machine_.remove_everything();
  return {};
}

// ---- status

Status Keeper::status() const {
  Status status;
  status.version = options_.version;
  status.state_folder = options_.folder.root.string();
  status.tier = isolation::describe(machine_.tier());
  status.lost = machine_.tier().lost;
  status.machine_cores = daemon::machine_cores();
  std::vector<std::shared_ptr<Hosted>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, hosted] : hosted_) all.push_back(hosted);
    for (const auto& [name, fault] : faults_) {
      EnvironmentStatus environment;
      environment.name = name;
      environment.fault = fault;
      status.environments.push_back(std::move(environment));
    }
  }
  for (const std::shared_ptr<Hosted>& hosted : all) {
    status.environments.push_back(hosted->status());
    status.promised_cores += hosted->promised_cores();
  }
  std::sort(status.environments.begin(), status.environments.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return status;
}

}  // namespace headroom::daemon
