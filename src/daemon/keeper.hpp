// Keeper: what a daemon does, behind its interface: the environments that it hosts, and what is asked of
// them.
//
// keeper.cpp takes them over, lists them and takes them down; keeper_up.cpp brings them up and changes them.
//
// Threads     All functions may be called from any thread. One up or down goes on at a time; what else is
//             asked of an environment does not wait for it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/catalogue.hpp"
#include "daemon/daemon.hpp"
#include "daemon/hosted.hpp"
#include "daemon/plan.hpp"
#include "isolation/machine.hpp"
#include "store/descriptor.hpp"

namespace headroom::daemon {

class Keeper {
 public:
  Keeper(Daemon::Options options, store::Descriptor lock, isolation::Machine machine, Catalogue catalogue)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        machine_(std::move(machine)),
        catalogue_(std::move(catalogue)) {}

  // What an earlier daemon has left; an environment that cannot be taken over is kept with its fault.
  base::Result<void> adopt();

  base::Result<UpResult> up(const UpRequest& request, const Say& say, const Left& left);
  base::Result<Preview> preview(const UpRequest& request);
  base::Result<void> rollback(const std::string& environment, const std::string& service, const Say& say);
  base::Result<void> down(const std::string& environment, bool volumes, const Say& say);
  Status status() const;

  // Calls `act` with the environment, which lives on until it returns, also where it is taken down meanwhile.
  // Errors: it does not run.
  template <class Act>
  auto with(const std::string& environment, Act act) const -> decltype(act(std::declval<Hosted&>())) {
    const std::shared_ptr<Hosted> hosted = find(environment);
    if (!hosted) return absent(environment);
    return act(*hosted);
  }

 private:
  // ---- which there are
  base::Result<void> adopt(const EnvironmentRecord& record);
  Hosted::Settings settings_of(const std::string& name);
  std::shared_ptr<Hosted> find(const std::string& environment) const;
  base::Error absent(const std::string& environment) const;
  // What is written down of it, whether it runs or not.
  base::Result<std::optional<EnvironmentRecord>> kept(const std::string& environment);
  base::Result<void> save(const EnvironmentRecord& record);
  void sweep();

  // Whether somebody waits for this environment to be taken down.
  bool is_to_end(const std::string& environment) const;

  double promised_to_others(const std::string& environment) const;

  // ---- the steps of up(), in their order. All: while change_mutex_ is held. `unwanted`: nobody waits for
  // what is not built yet.
  base::Result<EnvironmentRecord> recorded(const UpRequest& request, const ReadPlan& read, bool& is_new);
  base::Result<std::shared_ptr<Hosted>> host(const EnvironmentRecord& record, const Plan& plan, bool is_new);
  base::Result<void> deploy(Hosted& hosted, const ServicePlan& plan, const Say& say,
                            const std::function<bool()>& unwanted, UpResult& result);
  base::Result<cloud_local::Version> prepare(const ServicePlan& plan, const Say& say,
                                             const std::function<bool()>& unwanted);
  base::Result<void> wait(Hosted& hosted, const std::string& service, const Say& say);

  Daemon::Options options_;
  store::Descriptor lock_;
  isolation::Machine machine_;
  std::mutex catalogue_mutex_;
  Catalogue catalogue_;
  std::mutex change_mutex_;  // one up or down at a time
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Hosted>> hosted_;
  std::map<std::string, std::string> faults_;  // of environments that do not run
  std::multiset<std::string> to_end_;          // for each down that waits for its turn
};

}  // namespace headroom::daemon
