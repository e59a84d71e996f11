// tune(): from an environment to the policy that keeps the objective at the lowest cost, with the evidence.
//
// The search goes through the policies that `tune.search` spans, on the traffic to tune on. The winner must
// also survive the variations of `tune.vary`. It is then judged, beside the present settings and the rivals,
// on traffic that none of them was tuned on.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "environment/environment.hpp"
#include "tune/outcome.hpp"
#include "tune/workers.hpp"

namespace headroom::tune {

struct Options {
  std::optional<int> samples;  // instead of tune.samples
  std::optional<int> seeds;    // instead of tune.seeds
  Workers workers;
};

// What tune() would refuse of `tune:` before or after its search, for this service: all faults, each with the
// path of its field. A file without a search has none.
base::Result<void> check(const environment::Environment& environment, const environment::Service& service);

// Errors: all of the file's; a search that holds no valid policy. Stopped early, it gives the best so far,
// judged as usual.
base::Result<Outcome> tune(const environment::Environment& environment, const environment::Service& service,
                           const Options& options);

}  // namespace headroom::tune
