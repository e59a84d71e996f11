// UpRequest: what `up` and `deploy` ask for, and the plan of the file that they name.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "daemon/catalogue.hpp"
#include "daemon/plan.hpp"

namespace headroom::daemon {

struct UpRequest {
  std::filesystem::path file;  // headroom.yaml; absolute
  std::string variant;         // -e; empty: none
  bool must_exist = false;     // `deploy`: the environment runs already
  bool while_watched = false;  // what is not built yet is given up when whoever asked goes away
  bool observe = false;        // its services begin paused: what the policy asks for is told, not done
};

struct ReadPlan {
  Plan plan;
  std::shared_ptr<const Files> files;  // that were read for it
};
// Errors: those of the file, and what this machine cannot do, at their places.
base::Result<ReadPlan> read_plan(const UpRequest& request);
// The plan of an environment that is known, from its files as they were. Errors: this program takes them no
// more.
base::Result<Plan> kept_plan(const EnvironmentRecord& record);

// Errors: the environment of that name is of another file, or has zones that the plan has not: their
// instances would have no network.
base::Result<void> expect_same(const EnvironmentRecord& known, const UpRequest& request, const Plan& plan);

}  // namespace headroom::daemon
