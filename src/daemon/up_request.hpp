// UpRequest: what `up` and `deploy` ask for, and the plan of the file that they name.
#pragma once

#include <filesystem>
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
};

// Errors: those of the file, and what this machine cannot do, at their places.
base::Result<Plan> read_plan(const UpRequest& request);

// Errors: the environment of that name is of another file.
base::Result<void> expect_same_file(const EnvironmentRecord& known, const UpRequest& request);

}  // namespace headroom::daemon
