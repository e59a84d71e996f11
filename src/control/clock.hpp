// Clock: what is seen, with the times of its metrics on the controller's own clock.
//
// The clocks differ by what both show now, which is taken off the end of each metric. That is right but for
// metrics that were stamped before the clock of their source was put right: of those that would now end in
// the future the time is not known, so they are left out; those that seem too old are missing for their age.
#pragma once

#include "cloud/cloud.hpp"

namespace headroom::control {

cloud::Observed on_own_clock(cloud::Observed observed);

}  // namespace headroom::control
