// Plan: what a headroom.yaml asks of this machine, without what only a rehearsal needs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud_local/specification.hpp"
#include "environment/read.hpp"
#include "fleet/billing.hpp"
#include "policy/compile.hpp"

namespace headroom::daemon {

struct ServicePlan {
  cloud_local::Service service;  // without its internal port
  cloud_local::Version version;  // without name and image
  std::filesystem::path source;  // the folder that is deployed; absolute
  std::string build;
  int initial = 1;
  int min = 1;
  int max = 1;
  // What decides between min and max, as in a rehearsal, on the grid of `tick`.
  policy::Compiled policy;
  base::Milliseconds tick{1'000};
  bool per_zone = false;                          // initial, min, max and pool are then of each zone
  std::optional<fleet::Billing> hold_while_paid;  // an instance that is to go stays while it is paid for
  int pool = 0;
  base::Milliseconds drain{0};
  int replace_after = 3;
  base::Milliseconds grace{0};
};

struct Plan {
  std::string environment;
  std::vector<std::string> zones;
  std::vector<ServicePlan> services;  // each after those that it depends on
  base::Milliseconds metric_period{5'000};
};

// `folder` is that of the file; absolute. Errors: what this machine cannot do, at its place in the file.
base::Result<Plan> plan_of(const environment::Loaded& loaded, const std::filesystem::path& folder);

// The instances of all groups together, where so many are meant for each.
int of_all_groups(int instances, const ServicePlan& service, const Plan& plan);

}  // namespace headroom::daemon
