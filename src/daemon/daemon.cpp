#include "daemon/daemon.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "daemon/catalogue.hpp"
#include "daemon/hosted.hpp"
#include "environment/read.hpp"
#include "isolation/machine.hpp"
#include "isolation/tier.hpp"
#include "store/descriptor.hpp"
#include "store/file.hpp"
#include "versions/artifact.hpp"
#include "versions/image.hpp"
#include "versions/sweep.hpp"

namespace headroom::daemon {
namespace {

using base::Milliseconds;
using base::Result;
namespace fs = std::filesystem;

constexpr std::uint64_t kLargestInput = 64 << 20;
constexpr std::int64_t kLargestLogPiece = 1 << 20;
// Versions of a service that can still be gone back to.
constexpr int kVersionsKept = 5;

Milliseconds now() {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
}

Result<void> make_folder(const fs::path& folder, mode_t mode) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && ::chmod(folder.c_str(), mode) != 0) error.assign(errno, std::generic_category());
  if (!error) return {};
  return base::bad_input(fmt::format("{}: cannot be made: {}", folder.string(), error.message()),
                         "set HEADROOM_STATE to a folder of your own");
}

// What a file refers to lies beside it, whatever the folder of the daemon is.
Result<environment::Loaded> load(const UpRequest& request) {
  Result<std::string> text = store::read_file(request.file, kLargestInput);
  if (!text) return text.error();
  const environment::ReadFile read_input = [](const std::string& path) {
    return store::read_file(path, kLargestInput);
  };
  return environment::read(*text, request.file.string(), read_input, request.variant);
}

// Nobody can log in as it, and nothing else on the machine is owned by it.
constexpr unsigned kBuilder = 64'999;

// The command of a build as somebody who may nothing: it needs the network, and nothing else of the machine.
Result<int> build_confined(const fs::path& folder, const std::string& command, const fs::path& log,
                           Milliseconds timeout) {
  if (::geteuid() != 0) return versions::run_plainly(folder, command, log, timeout);
  std::error_code error;
  const auto give = [&](const fs::path& path) {
    if (::lchown(path.c_str(), kBuilder, kBuilder) != 0) error.assign(errno, std::generic_category());
  };
  give(folder);
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) give(entry.path());
  if (error) {
    return base::unavailable(
        fmt::format("{}: cannot be given to the build: {}", folder.string(), error.message()));
  }
  std::string quoted;
  for (const char c : command) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const std::string confined = fmt::format(
      "export HOME={0}; exec setpriv --reuid={1} --regid={1} --clear-groups --no-new-privs --inh-caps=-all "
      "/bin/sh -c '{2}'",
      folder.string(), kBuilder, quoted);
  return versions::run_plainly(folder, confined, log, timeout);
}

bool same_but_name(const cloud_local::Version& a, cloud_local::Version b) {
  b.name = a.name;
  return a == b;
}

}  // namespace

class Daemon::Keeper {
 public:
  Keeper(Options options, store::Descriptor lock, isolation::Machine machine, Catalogue catalogue)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        machine_(std::move(machine)),
        catalogue_(std::move(catalogue)) {}

  Result<void> adopt() {
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

  Result<UpResult> up(const UpRequest& request, const Say& say);
  Result<void> down(const std::string& environment, bool volumes, const Say& say);
  Status status() const;

  // Calls `act` with the environment while nothing else changes which there are.
  template <class Act>
  auto with(const std::string& environment, Act act) const -> decltype(act(std::declval<Hosted&>())) {
    const std::shared_ptr<Hosted> hosted = find(environment);
    if (!hosted) return absent(environment);
    return act(*hosted);
  }
  Result<std::string> choose(const std::string& environment) const;

 private:
  Result<void> adopt(const EnvironmentRecord& record) {
    const Result<Plan> plan = plan_from(record.plan);
    if (!plan) return plan.error();
    auto hosted = Hosted::open(machine_, settings_of(record.name), record, *plan);
    if (!hosted) return hosted.error();
    const std::lock_guard lock(mutex_);
    hosted_[record.name] = std::move(*hosted);
    faults_.erase(record.name);
    return {};
  }

  Hosted::Settings settings_of(const std::string& name) {
    Hosted::Settings settings;
    settings.folder = options_.folder.environment(name);
    settings.sockets = options_.folder.sockets / name;
    settings.realm = options_.folder.realm;
    settings.save = [this](const EnvironmentRecord& record) {
      const std::lock_guard lock(catalogue_mutex_);
      return catalogue_.save(record);
    };
    return settings;
  }

  std::shared_ptr<Hosted> find(const std::string& environment) const {
    const std::lock_guard lock(mutex_);
    const auto found = hosted_.find(environment);
    return found == hosted_.end() ? nullptr : found->second;
  }

  base::Error absent(const std::string& environment) const {
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

  Result<cloud_local::Version> prepare(const ServicePlan& plan, const Say& say);
  Result<void> deploy(Hosted& hosted, const ServicePlan& plan, const Say& say, UpResult& result);
  Result<void> wait(Hosted& hosted, const std::string& service, const Say& say);
  void sweep();

 public:
  Result<void> rollback(const std::string& environment, const std::string& service, const Say& say) {
    return with(environment, [&](Hosted& hosted) -> Result<void> {
      if (auto begun = hosted.rollback(service); !begun) return begun;
      return wait(hosted, service, say);
    });
  }

 private:
  Options options_;
  store::Descriptor lock_;
  isolation::Machine machine_;
  std::mutex catalogue_mutex_;
  Catalogue catalogue_;
  std::mutex change_mutex_;  // one up or down at a time
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Hosted>> hosted_;
  std::map<std::string, std::string> faults_;  // of environments that could not be adopted
};

// ---- up

Result<cloud_local::Version> Daemon::Keeper::prepare(const ServicePlan& plan, const Say& say) {
  const fs::path artifacts = options_.folder.root / "artifacts";
  const fs::path images = options_.folder.root / "images";
  const std::string& name = plan.service.name;
  const Result<versions::Artifact> artifact = versions::pack(plan.source, artifacts);
  if (!artifact) return artifact.error();
  for (const std::string& note : artifact->notes) say(fmt::format("{}: {}", name, note));
  const Result<versions::Image> image =
      versions::prepare(*artifact, plan.build, images, build_confined,
                        [&](std::string_view step) { say(fmt::format("{}: {}", name, step)); });
  if (!image) return image.error();
  cloud_local::Version version = plan.version;
  version.image = image->folder;
  return version;
}

Result<void> Daemon::Keeper::deploy(Hosted& hosted, const ServicePlan& plan, const Say& say,
                                    UpResult& result) {
  Result<cloud_local::Version> version = prepare(plan, say);
  if (!version) return version.error();
  const std::string& service = plan.service.name;
  const ServiceRecord record = hosted.record().services.at(service);
  for (const cloud_local::Version& known : hosted.versions()) {
    if (known.service != service || known.name != record.version || !same_but_name(known, *version)) continue;
    // The same as runs; where it does not serve yet, it is waited for.
    return hosted.deployment(service).goes_on ? wait(hosted, service, say) : Result<void>();
  }
  // One that was defined and never named here was cut short by a kill.
  int number = record.versions + 1;
  const auto is_taken = [&](const cloud_local::Version& known) {
    return known.service == service && known.name == fmt::format("v{}", number);
  };
  const std::vector<cloud_local::Version> known = hosted.versions();
  while (std::any_of(known.begin(), known.end(), is_taken)) ++number;
  version->name = fmt::format("v{}", number);
  result.changes.push_back(fmt::format("{}: version {}", service, version->name));
  say(fmt::format("{}: version {}{}", service, version->name,
                  record.version.empty() ? std::string() : " replaces " + record.version));
  if (auto begun = hosted.deploy(service, std::move(*version)); !begun) return begun;
  return wait(hosted, service, say);
}

Result<void> Daemon::Keeper::wait(Hosted& hosted, const std::string& service, const Say& say) {
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
    if (deployment.text != told && deployment.text != "begins") {
      told = deployment.text;
      say(fmt::format("{}: {}", service, told));
    }
    std::this_thread::sleep_for(Milliseconds(100));
  }
}

Result<UpResult> Daemon::Keeper::up(const UpRequest& request, const Say& say) {
  const Result<environment::Loaded> loaded = load(request);
  if (!loaded) return loaded.error();
  const Result<Plan> plan = plan_of(*loaded, request.file.parent_path());
  if (!plan) return plan.error();
  const std::string& name = plan->environment;

  const std::lock_guard changing(change_mutex_);
  UpResult result;
  result.environment = name;
  std::shared_ptr<Hosted> hosted = find(name);
  if (!hosted && request.must_exist) return absent(name);
  EnvironmentRecord record;
  bool is_known = hosted != nullptr;
  if (hosted) {
    record = hosted->record();
    if (record.file != request.file.string()) {
      return base::bad_input(fmt::format("an environment {} runs already, from {}", name, record.file),
                             "give this one another name, or take that one down");
    }
  } else {
    // One that could not be adopted keeps its indexes and ports.
    const std::lock_guard lock(catalogue_mutex_);
    Result<std::vector<EnvironmentRecord>> records = catalogue_.all();
    if (!records) return records.error();
    for (EnvironmentRecord& known : *records) {
      if (known.name != name) continue;
      is_known = true;
      record = std::move(known);
    }
  }
  record.name = name;
  record.file = request.file.string();
  record.variant = request.variant;
  record.plan = to_text(*plan);
  std::vector<std::string> services;
  for (const ServicePlan& service : plan->services) services.push_back(service.service.name);
  {
    const std::lock_guard lock(catalogue_mutex_);
    if (auto completed = catalogue_.complete(record, plan->zones, services); !completed)
      return completed.error();
  }
  double cores = 0;
  for (const ServicePlan& service : plan->services) {
    ServiceRecord& kept = record.services.at(service.service.name);
    if (kept.desired == 0) kept.desired = std::clamp(service.initial, service.min, service.max);
    kept.desired = std::clamp(kept.desired, service.min, service.max);
    cores += kept.desired * service.version.cores.value();
  }
  const double machine = std::max(1U, std::thread::hardware_concurrency());
  if (cores > machine) {
    return base::bad_input(
        fmt::format("its instances would be promised {:g} cores of the {:g} of this machine", cores, machine),
        "write less cpu, or fewer instances");
  }
  if (cores > 0.8 * machine) {
    result.warnings.push_back(fmt::format(
        "the instances are promised {:g} of {:g} cores: above 80 % they slow each other down, unseen", cores,
        machine));
  }
  if (!hosted) {
    if (auto made = make_folder(options_.folder.environment(name), 0711); !made) return made.error();
    {
      const std::lock_guard lock(catalogue_mutex_);
      if (auto saved = catalogue_.save(record); !saved) return saved.error();
    }
    auto opened = Hosted::open(machine_, settings_of(name), record, *plan);
    if (!opened) {
      // It is as if it had not been asked for, unless it was there before.
      const std::lock_guard lock(catalogue_mutex_);
      if (!is_known) {
        [[maybe_unused]] const auto undone = Hosted::undo_open(machine_, settings_of(name), record, *plan);
        [[maybe_unused]] const auto removed = catalogue_.remove(name);
      }
      return opened.error();
    }
    hosted = std::move(*opened);
    const std::lock_guard lock(mutex_);
    hosted_[name] = hosted;
    faults_.erase(name);
  } else if (auto changed = hosted->change(record, *plan); !changed) {
    return changed.error();
  }
  for (const ServicePlan& service : plan->services) {
    if (auto deployed = deploy(*hosted, service, say, result); !deployed) {
      sweep();
      return deployed.error();
    }
  }
  sweep();
  return result;
}

// Images and artifacts that no version names any more.
void Daemon::Keeper::sweep() {
  versions::Kept kept;
  kept.newest = kVersionsKept;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, hosted] : hosted_) {
      for (const cloud_local::Version& version : hosted->versions())
        kept.images.insert(version.image.parent_path().filename().string());
    }
  }
  [[maybe_unused]] const auto swept =
      versions::sweep(options_.folder.root / "images", options_.folder.root / "artifacts", kept);
}

// ---- down

Result<void> Daemon::Keeper::down(const std::string& environment, bool volumes, const Say& say) {
  const std::lock_guard changing(change_mutex_);
  std::shared_ptr<Hosted> hosted = find(environment);
  if (!hosted) {
    // It could not be adopted: what it left is found by its record.
    std::optional<EnvironmentRecord> record;
    {
      const std::lock_guard lock(catalogue_mutex_);
      Result<std::vector<EnvironmentRecord>> records = catalogue_.all();
      if (!records) return records.error();
      for (EnvironmentRecord& known : *records) {
        if (known.name == environment) record = std::move(known);
      }
    }
    if (!record) return absent(environment);
    if (auto adopted = adopt(*record); !adopted) return adopted;
    hosted = find(environment);
  }
  EnvironmentRecord record = hosted->record();
  record.removing = true;
  record.volumes = volumes;
  {
    const std::lock_guard lock(catalogue_mutex_);
    if (auto saved = catalogue_.save(record); !saved) return saved;
  }
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

Status Daemon::Keeper::status() const {
  Status status;
  status.version = options_.version;
  status.state_folder = options_.folder.root.string();
  status.tier = isolation::describe(machine_.tier());
  status.lost = machine_.tier().lost;
  status.machine_cores = std::max(1U, std::thread::hardware_concurrency());
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

Result<std::string> Daemon::Keeper::choose(const std::string& environment) const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> names;
  for (const auto& [name, hosted] : hosted_) names.insert(name);
  for (const auto& [name, fault] : faults_) names.insert(name);
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  if (!environment.empty()) {
    if (names.contains(environment)) return environment;
    return base::bad_input(fmt::format("no environment {} runs", environment),
                           list.empty() ? "`headroom up PATH` brings one up" : "these run: " + list);
  }
  if (names.size() == 1) return *names.begin();
  if (names.empty()) return base::bad_input("no environment runs", "`headroom up PATH` brings one up");
  return base::bad_input("several environments run", "name one of " + list);
}

// ---- the interface

Daemon::Daemon(std::unique_ptr<Keeper> keeper) : keeper_(std::move(keeper)) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::open(Options options) {
  const StateFolder& folder = options.folder;
  // Instances reach their own folders through these, and see no names in them.
  for (const fs::path& needed : {folder.root, folder.sockets, folder.root / "environments"}) {
    if (auto made = make_folder(needed, 0711); !made) return made.error();
  }
  store::Descriptor lock(::open(folder.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.open() || store::try_lock(lock) == store::Lock::held) {
    return base::bad_input(fmt::format("{}: another daemon has this folder", folder.root.string()),
                           "`headroom status` asks it; HEADROOM_STATE names another folder");
  }
  const Result<isolation::Tier> tier = isolation::probe();
  if (!tier) return tier.error();
  Result<isolation::Machine> machine = isolation::Machine::open({folder.realm, *tier, folder.root});
  if (!machine) return machine.error();
  Result<Catalogue> catalogue = Catalogue::open(folder.database());
  if (!catalogue) return catalogue.error();
  auto keeper = std::make_unique<Keeper>(std::move(options), std::move(lock), std::move(*machine),
                                         std::move(*catalogue));
  if (auto adopted = keeper->adopt(); !adopted) return adopted.error();
  return std::unique_ptr<Daemon>(new Daemon(std::move(keeper)));
}

Result<UpResult> Daemon::up(const UpRequest& request, const Say& say) { return keeper_->up(request, say); }

Result<void> Daemon::rollback(const std::string& environment, const std::string& service, const Say& say) {
  return keeper_->rollback(environment, service, say);
}

Result<void> Daemon::scale(const std::string& environment, const std::string& service, int instances) {
  return keeper_->with(environment, [&](Hosted& hosted) { return hosted.scale(service, instances); });
}

Result<void> Daemon::drill_zone(const std::string& environment, const std::string& zone,
                                Milliseconds length) {
  return keeper_->with(environment,
                       [&](Hosted& hosted) { return hosted.cloud().cut_zone(zone, now() + length); });
}

Result<void> Daemon::drill_instance(const std::string& environment, const std::string& instance,
                                    cloud_local::Trouble trouble, Milliseconds length) {
  return keeper_->with(
      environment, [&](Hosted& hosted) { return hosted.cloud().trouble(instance, trouble, now() + length); });
}

Result<void> Daemon::down(const std::string& environment, bool volumes, const Say& say) {
  return keeper_->down(environment, volumes, say);
}

Status Daemon::status() const { return keeper_->status(); }

Result<std::string> Daemon::choose(const std::string& environment) const {
  return keeper_->choose(environment);
}

Result<std::vector<LogPiece>> Daemon::logs(const std::string& environment,
                                           const std::string& service_or_instance,
                                           const std::vector<LogPiece>& from, std::int64_t tail_bytes) const {
  return keeper_->with(environment, [&](Hosted& hosted) -> Result<std::vector<LogPiece>> {
    const EnvironmentStatus status = hosted.status();
    std::map<std::string, fs::path> files;
    for (const cloud_local::Details& detail : hosted.cloud().details()) files[detail.id] = detail.log;
    std::vector<LogPiece> pieces;
    for (const InstanceStatus& instance : status.instances) {
      if (instance.service != service_or_instance && instance.id != service_or_instance) continue;
      LogPiece piece{instance.id, {}, 0};
      std::ifstream file(files[instance.id], std::ios::binary | std::ios::ate);
      const std::int64_t size = file ? static_cast<std::int64_t>(file.tellg()) : 0;
      const auto before = std::find_if(
          from.begin(), from.end(), [&](const LogPiece& other) { return other.instance == piece.instance; });
      // A log that was moved away begins anew.
      std::int64_t begin = std::max<std::int64_t>(0, size - tail_bytes);
      if (before != from.end()) begin = before->next <= size ? before->next : 0;
      const std::int64_t length = std::min(size - begin, kLargestLogPiece);
      if (file && length > 0) {
        piece.text.resize(static_cast<std::size_t>(length));
        file.seekg(begin);
        file.read(piece.text.data(), length);
        piece.text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
      }
      piece.next = begin + static_cast<std::int64_t>(piece.text.size());
      pieces.push_back(std::move(piece));
    }
    const bool known =
        std::any_of(status.services.begin(), status.services.end(),
                    [&](const ServiceStatus& service) { return service.name == service_or_instance; });
    if (pieces.empty() && !known) {
      return base::bad_input(fmt::format("there is no service or instance {}", service_or_instance),
                             "`headroom status` lists them");
    }
    return pieces;
  });
}

}  // namespace headroom::daemon
