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

// Warnings, in sentences. Errors: more is promised than the machine has.
base::Result<std::vector<std::string>> weigh_promise(double promised_cores, double most_cores,
                                                     double machine_cores);

}  // namespace headroom::daemon
