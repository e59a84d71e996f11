#include "daemon/daemon.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "daemon/catalogue.hpp"
#include "daemon/clock.hpp"
#include "daemon/hosted.hpp"
#include "daemon/keeper.hpp"
#include "isolation/machine.hpp"
#include "isolation/tier.hpp"
#include "store/descriptor.hpp"
#include "versions/build_processes.hpp"

namespace headroom::daemon {

using base::Milliseconds;
using base::Result;
namespace fs = std::filesystem;

namespace {

std::optional<Milliseconds> end_of(std::optional<Milliseconds> length) {
  if (!length) return std::nullopt;
  return now() + *length;
}

}  // namespace

Daemon::Daemon(std::unique_ptr<Keeper> keeper) : keeper_(std::move(keeper)) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::open(Options options) {
  const StateFolder& folder = options.folder;
  // Instances reach their own folders through these, and see no names in them.
  for (const fs::path& needed : {folder.root, folder.sockets, folder.root / "environments"}) {
    if (auto made = make_folder(needed, 0711); !made) return made.error();
  }
  store::Descriptor lock(::open(folder.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  bool is_held = !lock.open() || store::try_lock(lock) == store::Lock::held;
  while (is_held && lock.open() && options.wait_for_other && options.wait_for_other())
    is_held = store::try_lock(lock) == store::Lock::held;
  if (is_held) {
    return base::bad_input(fmt::format("{}: another daemon has this folder", folder.root.string()),
                           "`headroom status` asks it; HEADROOM_STATE names another folder");
  }
  // What the last one was building when it was killed: nobody waits for it, and it would write where we
  // build.
  versions::end_builds_in(folder.root / "images");
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

Result<UpResult> Daemon::up(const UpRequest& request, const Say& say, const Left& left) {
  return keeper_->up(request, say, left);
}

Result<Preview> Daemon::preview(const UpRequest& request) const { return keeper_->preview(request); }

Result<void> Daemon::rollback(const std::string& environment, const std::string& service, const Say& say) {
  return keeper_->rollback(environment, service, say);
}

Result<void> Daemon::scale(const std::string& environment, const std::string& service, int instances,
                           std::optional<Milliseconds> length) {
  return keeper_->with(environment,
                       [&](Hosted& hosted) { return hosted.scale(service, instances, end_of(length)); });
}

Result<void> Daemon::pause(const std::string& environment, const std::string& service,
                           std::optional<Milliseconds> length) {
  return keeper_->with(environment, [&](Hosted& hosted) { return hosted.pause(service, end_of(length)); });
}

Result<void> Daemon::resume(const std::string& environment, const std::string& service) {
  return keeper_->with(environment, [&](Hosted& hosted) { return hosted.resume(service); });
}

Result<std::vector<history::Entry>> Daemon::events(const std::string& environment,
                                                   const history::Query& query) const {
  return keeper_->with(environment, [&](Hosted& hosted) { return hosted.events(query); });
}

Result<std::vector<history::Sample>> Daemon::samples(const std::string& environment,
                                                     const std::string& service, Milliseconds since) const {
  return keeper_->with(environment, [&](Hosted& hosted) { return hosted.samples(service, since); });
}

Result<void> Daemon::drill_zone(const std::string& environment, const std::string& zone,
                                Milliseconds length) {
  return keeper_->with(environment, [&](Hosted& hosted) { return hosted.drill_zone(zone, length); });
}

Result<void> Daemon::drill_instance(const std::string& environment, const std::string& instance,
                                    cloud_local::Trouble trouble, Milliseconds length) {
  return keeper_->with(environment,
                       [&](Hosted& hosted) { return hosted.drill_instance(instance, trouble, length); });
}

Result<void> Daemon::down(const std::string& environment, bool volumes, const Say& say) {
  return keeper_->down(environment, volumes, say);
}

Status Daemon::status() const { return keeper_->status(); }

Result<std::vector<LogPiece>> Daemon::logs(const std::string& environment,
                                           const std::string& service_or_instance,
                                           const std::vector<LogPiece>& from, std::int64_t tail_bytes) const {
  return keeper_->with(environment, [&](Hosted& hosted) -> Result<std::vector<LogPiece>> {
    const EnvironmentStatus status = hosted.status();
    std::map<std::string, fs::path> files;
    for (const cloud_local::Details& detail : hosted.cloud().details()) files[detail.id] = detail.log;
    std::vector<InstanceLog> logs;
    for (const InstanceStatus& instance : status.instances) {
      if (instance.service == service_or_instance || instance.id == service_or_instance)
        logs.push_back({instance.id, files[instance.id]});
    }
    const bool known =
        std::any_of(status.services.begin(), status.services.end(),
                    [&](const ServiceStatus& service) { return service.name == service_or_instance; });
    if (logs.empty() && !known) {
      return base::bad_input(fmt::format("there is no service or instance {}", service_or_instance),
                             "`headroom status` lists them");
    }
    return read_logs(logs, from, tail_bytes);
  });
}

}  // namespace headroom::daemon
