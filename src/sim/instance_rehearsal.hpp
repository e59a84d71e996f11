// The rehearsal with instances: the real controller, step by step, in the simulated cloud.
//
// It knows what counts do not: zones, the warm pool, failures, closed traffic, queues, credits, billing by
// the hour. It is some hundred times slower than the lanes; where both know the model they agree
// (docs/decisions/one-kernel.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/step.hpp"
#include "environment/environment.hpp"
#include "sim/promise.hpp"
#include "sim/rehearsal.hpp"
#include "sim/simulated_cloud.hpp"
#include "workload/traffic.hpp"

namespace headroom::sim {

// One service of an environment with its traffic, ready to rehearse with instances.
struct InstanceScenario {
  std::string environment;
  environment::Service service;
  bool has_zones = false;  // else all instances are in one that has no name for people
  SimulatedSettings cloud;
  control::Settings control;
  Promise promise;  // what the objective asks of each tick
  std::uint64_t seed = 1;
  std::vector<std::string> notes;  // what was assumed, in whole sentences
};

// Errors: all at once, each with the path of its field.
base::Result<InstanceScenario> compile_instances(const environment::Environment& environment,
                                                 const environment::Service& service,
                                                 const workload::Traffic& traffic, std::uint64_t seed);

// How the controller of this service is set up over this cloud.
control::Settings control_settings(const SimulatedSettings& cloud, const environment::Service& service,
                                   const policy::Compiled& policy);

// Runs until the traffic ends: open traffic with its last tick, closed with its last answer, but a year of it
// at most.
Rehearsal rehearse(const InstanceScenario& scenario);

// The bare run: counts and decisions tick by tick, as run_one_lane() gives them.
// Requires: open traffic; `control` is for this service and has the start and tick of the cloud.
Trajectory run_with_control(const SimulatedSettings& cloud, const control::Settings& control);

// What of this service needs instances, in words for people; empty: counts do.
std::vector<std::string> needs_instances(const environment::Environment& environment,
                                         const environment::Service& service,
                                         const workload::Traffic& traffic);

}  // namespace headroom::sim
