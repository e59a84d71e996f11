// SimulatedCloud: a cloud in simulated time, with instances that have identities, for the real controller.
//
// It keeps the contract of cloud/cloud.hpp, and the same order within a tick as the lanes (lane_model.hpp):
// what is submitted during tick t takes hold when t ends, so an instance ordered at t with a start-up time of
// s ticks serves from t + s + 1 on, and one that is retired at t serves until the end of t. The traffic of a
// tick is divided evenly over the instances in service; each has the metrics of the periods that it served
// whole, from `metric_lag` after their end on. Wherever the lanes know the model, both give the same counts
// and decisions (docs/decisions/one-kernel.md).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/series.hpp"
#include "cloud/cloud.hpp"
#include "control/step.hpp"
#include "sim/rehearsal.hpp"

namespace headroom::sim {

// Requires: the service has a name; all durations are whole numbers of ticks, metric_period at least one;
// zones sorted, each once.
struct SimulatedSettings {
  std::string service;
  std::string version = "v1";  // of the instances that are there at the start
  std::vector<std::string> zones{"a"};
  int initial = 1;                // in service at the start, spread over the zones
  std::optional<int> room;        // instances that the cloud has room for; a launch beyond fails for now
  base::Milliseconds startup{0};  // also from the warm pool
  base::Milliseconds metric_period{60'000};
  base::Milliseconds metric_lag{0};
  double slope_percent_per_rps = 0;
  double intercept_percent = 0;
  // Offered to the whole service; its start and tick are those of the simulated time. None after its end.
  base::Series requests_per_second;
};

class SimulatedCloud final : public cloud::Cloud {
 public:
  explicit SimulatedCloud(SimulatedSettings settings);

  // Lets time pass, until the traffic of the tick of `to` begins. Requires: not before the time so far.
  void advance(base::Milliseconds to);

  cloud::Observed observe() override;
  cloud::Ticket submit(const cloud::Action& action) override;

  // What really is, as opposed to what was seen.
  int count(cloud::InstanceState state) const;

 private:
  struct Instance {
    cloud::Instance seen;   // without its metrics
    cloud::Retire leaving;  // while draining
    // The present metric period, summed as the lanes do.
    float cpu_sum = 0;
    float requests_sum = 0;
    bool serves_whole_period = false;
    std::deque<cloud::InstanceMetrics> metrics;  // the newest that can be seen, and those on their way
  };
  struct Failure {
    std::string why;
    bool retriable = false;
  };

  base::Milliseconds tick_start() const;
  void begin_tick();
  void end_tick();
  void carry_out(const cloud::Action& action);
  std::optional<Failure> carry_out(const cloud::Action& action, const cloud::Launch& launch, int& affected);
  std::optional<Failure> carry_out(const cloud::Action& action, const cloud::Start& start, int& affected);
  std::optional<Failure> carry_out(const cloud::Action& action, const cloud::Retire& retire, int& affected);
  Instance& create(const std::string& version, const std::string& zone, const std::string& token);
  Instance* find(const std::string& id);
  void enter(Instance& instance, cloud::InstanceState state);

  SimulatedSettings settings_;
  base::Milliseconds now_;
  std::int64_t tick_ = 0;  // in which now_ lies
  std::int64_t launched_ = 0;
  std::vector<Instance> instances_;           // by id, which is in the order of their launch
  std::vector<cloud::Action> submitted_;      // during this tick
  std::set<std::string> tokens_;              // of all time
  std::vector<cloud::TicketReport> tickets_;  // by token
};

// The controller in the simulated cloud, one step at the start of each tick of the traffic.
// Requires: `control` is for this service and has the start and tick of the traffic.
Trajectory rehearse_with_control(const SimulatedSettings& cloud, const control::Settings& control);

}  // namespace headroom::sim
