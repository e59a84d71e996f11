// TearDown: what removes everything of a service, whatever state it is in.
#pragma once

#include <vector>

#include "base/quantity.hpp"
#include "cloud/cloud.hpp"
#include "control/step.hpp"

namespace headroom::control {

// An action for each instance of the service that the cloud lists: what serves drains first, what is stopped
// in the pool or kept for inspection goes too. Called again, with later observations, until it returns none:
// an action can fail, and a launch can appear late. As many actions as instances, so the caller can tell the
// exact number.
// Requires: no step() of this service runs any more.
std::vector<cloud::Action> tear_down(base::Milliseconds now, const cloud::Observed& observed,
                                     const Settings& settings);

}  // namespace headroom::control
