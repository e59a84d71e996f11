// Replicate: the rehearsal of one service, with counts or with instances, over one seed or several.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "environment/environment.hpp"
#include "sim/rehearsal.hpp"
#include "tune/outcome.hpp"
#include "tune/workers.hpp"
#include "workload/traffic.hpp"

namespace headroom::tune {

enum class Engine {
  fitting,    // counts where they know the model, else instances; a note says which and why
  counts,     // the lanes
  instances,  // the controller in the simulated cloud
};

struct Rehearsed {
  sim::Rehearsal rehearsal;                  // of the first seed
  std::optional<Replications> replications;  // where several seeds differ
  int seeds = 1;                             // so many that differ were rehearsed, the first ones
  bool stopped_early = false;                // by Ctrl-C: fewer than were asked for
};

// `seeds` replications, the i-th with the seed of the environment + i; with counts one, where nothing in the
// traffic is drawn. After a stop there are fewer, but always the first.
// Errors: what the engine does not know, all at once, each with the path of its field.
base::Result<Rehearsed> rehearse(const environment::Environment& environment,
                                 const environment::Service& service, const workload::Traffic& traffic,
                                 Engine engine, int seeds, const Workers& workers);

}  // namespace headroom::tune
