// SimulatedCloud: a cloud in simulated time, with instances that have identities, for the real controller.
//
// It keeps the contract of cloud/cloud.hpp, and the same order within a tick as the lanes (lane_model.hpp):
// what is submitted during tick t takes hold when t ends, so an instance ordered at t with a start-up time of
// s ticks serves from t + s + 1 on, and one that is retired at t serves until the end of t. What becomes of
// the traffic of a tick is Serving's (serving.hpp); each instance has the metrics of the periods that it
// served whole, from `metric_lag` after their end on. Wherever the lanes know the model, both give the same
// counts and decisions (docs/decisions/one-kernel.md).
//
// Faults, as planned in the settings: zones cut from the balancer or lost, instances that crash, hang or
// restart, metrics that are missing, repeat themselves or carry another clock's time, calls that are refused,
// hang, or are answered with an error although they were carried out, and lists that show the past.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cloud/cloud.hpp"
#include "environment/environment.hpp"
#include "sim/faults.hpp"
#include "sim/serving.hpp"

namespace headroom::sim {

// Requires: the service has a name; metric_period is a whole number of ticks, at least one; zones sorted,
// each once. Other durations are rounded up to ticks by the order of the tick.
struct SimulatedSettings {
  std::string service;
  std::string version = "v1";  // of the instances that are there at the start
  std::vector<std::string> zones{"a"};
  int initial = 1;          // in service at the start, spread over the zones
  std::optional<int> room;  // instances that the cloud has room for; a launch beyond fails for now

  base::Milliseconds startup{0};
  std::optional<capacity::StartupSpread> startup_spread;  // instead of `startup`, of each launch its own
  std::optional<base::Milliseconds> startup_pool;         // from the warm pool; unset: as a launch
  base::Milliseconds in_service_delay{0};                 // from running until the balancer sends requests

  base::Milliseconds metric_period{60'000};
  base::Milliseconds metric_lag{0};
  // No metric of an instance is seen before so long after its launch, or its start out of the pool.
  base::Milliseconds first_fresh{0};
  base::Milliseconds first_pool{0};

  environment::Health health;  // the balancer's checks: when an instance is out of rotation, and back
  std::vector<environment::Drill> faults;
  ServingSettings serving;  // the traffic and what an instance takes; its start and tick are the cloud's
};

// A time for which an instance is paid, from a launch or a start until it is stopped or gone.
struct Life {
  std::string id;
  std::string zone;
  base::Milliseconds started{0};
  std::optional<base::Milliseconds> in_service;  // since; unset: it never served
  std::optional<base::Milliseconds> ended;       // unset: it goes on
  bool operator==(const Life&) const = default;
};

class SimulatedCloud final : public cloud::Cloud {
 public:
  explicit SimulatedCloud(SimulatedSettings settings);

  // Lets time pass, until the traffic of the tick of `to` begins. Requires: not before the time so far.
  void advance(base::Milliseconds to);

  cloud::Observed observe() override;
  cloud::Ticket submit(const cloud::Action& action) override;

  // ---- what really is, as opposed to what was seen

  int count(cloud::InstanceState state) const;
  int count(cloud::InstanceState state, const std::string& zone) const;
  // In service and answering: neither paused nor hung nor restarting.
  int answering(const std::string& zone) const;
  // What became of the requests of the last tick that has ended. Requires: one has.
  const ServedTick& served() const { return served_; }
  const std::vector<Life>& lives() const { return lives_; }  // in the order of their start
  const Faults& faults() const { return faults_; }

 private:
  struct Sample {
    cloud::InstanceMetrics metrics;
    base::Milliseconds visible_at{0};
  };
  // Until when; each ends by itself.
  struct Trouble {
    base::Milliseconds paused{base::Milliseconds::min()};
    base::Milliseconds hung{base::Milliseconds::min()};
    base::Milliseconds restarts{base::Milliseconds::min()};
  };
  struct Instance {
    cloud::Instance seen;  // without its metrics
    std::int64_t number = 0;
    cloud::Retire leaving;               // while draining
    base::Milliseconds ready_at{0};      // while launching: when it runs
    base::Milliseconds metrics_from{0};  // seen no sooner
    Trouble trouble;
    std::int64_t good_checks = 0;  // in a row
    bool in_rotation = true;       // of the balancer, as its checks have found it
    std::size_t life = 0;          // index of its present one
    // The present metric period, summed as the lanes do.
    float cpu_sum = 0;
    float requests_sum = 0;
    bool serves_whole_period = false;
    std::deque<Sample> samples;  // the newest that can be seen, and those on their way
  };
  struct ServiceSample {
    cloud::ServiceMetrics metrics;
    base::Milliseconds visible_at{0};
  };
  struct Call {
    cloud::Action action;
    CallFault fault = CallFault::none;
    bool asks_again = false;  // its token was carried out already, and answered wrongly
  };
  struct Failure {
    std::string why;
    bool retriable = false;
  };
  struct Listed {
    base::Milliseconds at{0};
    std::vector<cloud::Instance> instances;
  };

  base::Milliseconds tick() const { return settings_.serving.tick; }
  base::Milliseconds tick_start() const { return settings_.serving.start + tick_ * tick(); }
  Condition condition(const Instance& instance) const;
  void begin_tick();
  void end_tick();
  void carry_out_calls();
  void begin_faults();
  void check_health(Instance& instance) const;
  void begin_metric_period();
  void carry_out(const Call& call);
  void answer(const Call& call);
  std::optional<Failure> carry_out(const cloud::Action& action, const cloud::Launch& launch, int& affected);
  std::optional<Failure> carry_out(const cloud::Action& action, const cloud::Start& start, int& affected);
  std::optional<Failure> carry_out(const cloud::Action& action, const cloud::Retire& retire, int& affected);
  Instance& create(const std::string& version, const std::string& zone, const std::string& token);
  void start(Instance& instance, base::Milliseconds startup, base::Milliseconds first_metric);
  base::Milliseconds startup_of(std::int64_t launch) const;
  Instance* find(const std::string& id);
  Instance* pick(const std::string& which);
  void enter(Instance& instance, cloud::InstanceState state);
  void end_life(const Instance& instance);
  void measure(Instance& instance, const ServerOutcome& outcome, bool period_ends);
  void measure_service(bool period_ends);
  std::vector<cloud::Instance> list();

  SimulatedSettings settings_;
  Faults faults_;
  Serving serving_;
  ServedTick served_;
  base::Milliseconds now_;
  std::int64_t tick_ = 0;  // in which now_ lies
  std::int64_t launched_ = 0;
  std::uint64_t called_ = 0;
  std::vector<Instance> instances_;            // by id, which is in the order of their launch
  float offered_sum_ = 0;                      // of the present metric period, as the lanes sum it
  std::deque<ServiceSample> service_samples_;  // the newest that can be seen, and those on their way
  std::vector<Life> lives_;
  std::vector<Call> calls_;                                      // not carried out yet
  std::set<std::string> tokens_;                                 // of all time
  std::vector<cloud::TicketReport> tickets_;                     // by token
  std::map<std::string, cloud::TicketReport> wrongly_answered_;  // what is true of them, by token
  std::deque<Listed> listed_;                                    // where lists are shown late: what they were
  base::Milliseconds shown_at_{0};                               // of the newest list that was shown
};

}  // namespace headroom::sim
