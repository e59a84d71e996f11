// What the controller of one service is told: its plan, and what a person has put over it.
#pragma once

#include <string>

#include "control/step.hpp"
#include "daemon/catalogue.hpp"
#include "daemon/plan.hpp"

namespace headroom::daemon {

// `begins`: nothing was decided since this daemon has the service, and it begins with exactly as many
// instances as were desired before: what is there beyond them was to replace others when the daemon before it
// ended.
control::Settings controller_settings(const Plan& plan, const ServicePlan& service,
                                      const ServiceRecord& record, const std::string& realm,
                                      base::Milliseconds start, bool begins);

// Beyond its boot, the time for a process to start and to pass its checks.
inline constexpr base::Milliseconds kStartWithin{60'000};

}  // namespace headroom::daemon
