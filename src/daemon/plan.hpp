// Plan: what a headroom.yaml asks of this machine, without what only a rehearsal needs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud_local/specification.hpp"
#include "environment/read.hpp"

namespace headroom::daemon {

struct ServicePlan {
  cloud_local::Service service;  // without its internal port
  cloud_local::Version version;  // without name and image
  std::filesystem::path source;  // the folder that is deployed; absolute
  std::string build;
  int initial = 1;
  int min = 1;
  int max = 1;
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

// As it is kept. Errors of plan_from: a text that to_text did not make.
std::string to_text(const Plan& plan);
base::Result<Plan> plan_from(const std::string& text);

}  // namespace headroom::daemon
