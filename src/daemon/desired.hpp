// How many instances an environment is to have when it comes up, and what they are promised of this machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/catalogue.hpp"
#include "daemon/plan.hpp"

namespace headroom::daemon {

// Of a service that is new: as many as the file begins with; of one that is known: as it was asked for; both
// within the limits of the file. Requires: the record has every service of the plan.
void set_desired(EnvironmentRecord& record, const Plan& plan);

// Of all desired instances together. Requires: as above.
double promised_cores(const EnvironmentRecord& record, const Plan& plan);

// Where every service runs as many instances as it may.
double most_cores(const Plan& plan);

double machine_cores();

// Cores of this machine.
struct Promised {
  double now = 0;        // to the desired instances of an environment
  double most = 0;       // to as many as its services may have
  double to_others = 0;  // to those that are desired of other environments
};
// Warnings, in sentences. Errors: more is promised than the machine has.
base::Result<std::vector<std::string>> weigh_promise(const Promised& promised, double machine_cores);

}  // namespace headroom::daemon
