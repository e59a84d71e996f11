// Hosted: one environment that runs: its cloud, and for each service the controller that keeps it as desired.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "cloud_local/local_cloud.hpp"
#include "control/step.hpp"
#include "daemon/catalogue.hpp"
#include "daemon/plan.hpp"
#include "daemon/rollout.hpp"
#include "daemon/status.hpp"

namespace headroom::daemon {

// How a deployment stands.
struct Deployment {
  bool goes_on = false;
  bool failed = false;
  std::string text;  // how far it is; where it failed, why
};

class Hosted {
 public:
  using Save = std::function<base::Result<void>(const EnvironmentRecord&)>;
  struct Settings {
    std::filesystem::path folder;   // of the environment
    std::filesystem::path sockets;  // of its balancers
    std::string realm;
    Save save;  // keeps the record
  };

  // Finds what of it runs already. Errors: as LocalCloud::open.
  static base::Result<std::unique_ptr<Hosted>> open(isolation::Machine& machine, Settings settings,
                                                    EnvironmentRecord record, Plan plan);
  // Of an environment that is new: nothing of the open() that failed is left.
  static base::Result<void> undo_open(isolation::Machine& machine, const Settings& settings,
                                      const EnvironmentRecord& record, const Plan& plan);
  ~Hosted();

  EnvironmentRecord record() const;
  Plan plan() const;
  std::vector<cloud_local::Version> versions() const { return cloud_->versions(); }

  // Zones and services of the plan from now on; `record` has their indexes and ports.
  base::Result<void> change(EnvironmentRecord record, Plan plan);
  // The version that a service is to run. One that does not come into service is taken back by itself.
  base::Result<void> deploy(const std::string& service, cloud_local::Version version);
  base::Result<void> rollback(const std::string& service);
  // Forgets versions of each service but those it runs, the one before, and the `newest` ones.
  void keep_versions(int newest);
  base::Result<void> scale(const std::string& service, int instances);
  Deployment deployment(const std::string& service) const;

  cloud_local::LocalCloud& cloud() { return *cloud_; }
  EnvironmentStatus status() const;
  double promised_cores() const;

  // Stops deciding and removes everything.
  base::Result<void> remove(bool volumes);

 private:
  struct Controlled {
    control::State state;
    std::optional<Rollout> rollout;
    std::string job;  // the token of its launch, where the service is a job and runs
    Deployment deployment;
    std::string doing;  // the last note worth telling
  };

  Hosted(isolation::Machine& machine, Settings settings, EnvironmentRecord record, Plan plan);
  base::Result<void> end_service(const ServicePlan& service);
  void run();
  void step(const ServicePlan& plan);
  void follow_job(const ServicePlan& plan, const cloud::Observed& observed);
  void follow_rollout(const std::string& service, const cloud::Observed& observed);
  base::Result<void> aim(const std::string& service, const std::string& version);
  void begin_rollout(const std::string& service);
  control::Settings settings_of(const ServicePlan& plan, const ServiceRecord& record) const;
  static cloud_local::Specification specification_of(const EnvironmentRecord& record, const Plan& plan);
  const ServicePlan* find(const std::string& service) const;

  isolation::Machine& machine_;
  Settings settings_;
  base::Milliseconds start_{0};
  std::unique_ptr<cloud_local::LocalCloud> cloud_;

  mutable std::mutex mutex_;
  EnvironmentRecord record_;
  Plan plan_;
  std::map<std::string, Controlled> controlled_;
  cloud::Observed seen_;

  std::atomic<bool> stop_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace headroom::daemon
