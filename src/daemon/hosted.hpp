// Hosted: one environment that runs: its cloud, and for each service the controller that keeps it as desired.
//
// hosted.cpp is the loop: it looks, decides and tells. hosted_changes.cpp is what people ask of it,
// hosted_status.cpp what there is to see.
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
#include "history/history.hpp"

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
  // Exactly so many instances, whatever the policy says, until then or until resume().
  base::Result<void> scale(const std::string& service, int instances,
                           std::optional<base::Milliseconds> until);
  // The policy is asked and what it says is told, but not done; failed instances are still replaced.
  base::Result<void> pause(const std::string& service, std::optional<base::Milliseconds> until);
  // That it was asked to observe only.
  void tell_observed();
  // The policy decides again.
  base::Result<void> resume(const std::string& service);
  Deployment deployment(const std::string& service) const;

  cloud_local::LocalCloud& cloud() { return *cloud_; }
  base::Result<void> drill_zone(const std::string& zone, base::Milliseconds length);
  base::Result<void> drill_instance(const std::string& instance, cloud_local::Trouble trouble,
                                    base::Milliseconds length);

  // What happened, and what was decided and why. Errors of both: the history cannot be opened.
  base::Result<std::vector<history::Entry>> events(const history::Query& query) const;
  // What was measured of a service, oldest first, of what ended after `since`.
  base::Result<std::vector<history::Sample>> samples(const std::string& service,
                                                     base::Milliseconds since) const;
  EnvironmentStatus status() const;
  double promised_cores() const;

  // Stops deciding and removes everything.
  base::Result<void> remove(bool volumes);

 private:
  struct Controlled {
    control::State state;
    bool begins = true;                                // nothing was decided so far
    std::map<std::int32_t, control::Decided> decided;  // the last one for which a policy was asked, by group
    std::optional<Rollout> rollout;
    base::Milliseconds sampled_until{0};  // the end of the last metric period that was kept
    std::string job;                      // the token of its launch, where the service is a job and runs
    Deployment deployment;
    std::string doing;  // the last note worth telling
  };

  Hosted(isolation::Machine& machine, Settings settings, EnvironmentRecord record, Plan plan);
  base::Result<void> end_service(const ServicePlan& service);
  void run();
  void step(const std::string& service);
  void follow_job(const ServicePlan& plan, const cloud::Observed& observed);
  void follow_rollout(const std::string& service, const cloud::Observed& observed);
  base::Result<void> aim(const std::string& service, const std::string& version);
  void begin_rollout(const std::string& service);
  base::Result<history::History*> history() const;
  // ---- all: while the mutex is held
  void open_history();
  void keep(const base::Result<void>& kept);
  std::string by_hand_of(const ServicePlan& plan) const;  // empty: no person has put anything over the policy
  std::string why_of(const ServicePlan& plan, const control::Decided& decided) const;
  void note(const std::string& service, std::string kind, std::string subject, std::string text);
  void end_override(ServiceRecord& record, base::Milliseconds now);
  // `least`: the minimum that the step was held to, of all groups.
  void follow_decisions(const ServicePlan& plan, const control::Step& step, int least);
  void tell(const ServicePlan& plan, const control::Step& step, base::Milliseconds now);
  void tell_joins(const cloud::Observed& observed);
  void keep_sample(const ServicePlan& plan, const cloud::Observed& observed, Controlled& controlled);
  void save_or_tell(Controlled& controlled);
  void decide_anew(const ServicePlan& service, Controlled& controlled) const;
  base::Result<const ServicePlan*> scaled(const std::string& service) const;  // one that has a number
  base::Result<void> override_with(const std::string& service, std::optional<Override> override);
  ServiceStatus status_of(const ServicePlan& plan, const cloud::Observed& seen) const;
  DecisionStatus status_of(const ServicePlan& plan, const control::Decided& decided) const;
  InstanceStatus status_of(const cloud::Instance& instance,
                           const std::vector<cloud_local::Details>& details) const;
  static cloud_local::Specification specification_of(const EnvironmentRecord& record, const Plan& plan);
  const ServicePlan* find(const std::string& service) const;

  isolation::Machine& machine_;
  Settings settings_;
  // Of tick 0: just after midnight UTC, so that a policy that is asked every minute is asked just after the
  // metric periods that end with a minute.
  base::Milliseconds start_{0};
  std::unique_ptr<cloud_local::LocalCloud> cloud_;

  mutable std::mutex mutex_;
  EnvironmentRecord record_;
  Plan plan_;
  std::map<std::string, Controlled> controlled_;
  cloud::Observed seen_;
  std::unique_ptr<history::History> history_;  // none while it cannot be opened; once there it stays
  base::Milliseconds open_history_at_{0};
  std::string unkept_;  // why the history could not be written lately; empty: it could

  std::atomic<bool> stop_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace headroom::daemon
