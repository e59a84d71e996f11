// Serving: what the instances in service do with the requests of one tick after another; start here.
//
//   Serving serving(settings);
//   for (;;) { const ServedTick tick = serving.tick(servers_of_this_tick); ... }
//
// It knows servers by number and nothing of zones, start-up or policies: the simulated cloud says which
// servers there are in a tick and what is the matter with them. A server that is named for the first time is
// fresh; one that is not named any more is gone, and what it had in work fails.
#pragma once

#include <span>
#include <variant>

#include "sim/closed_serving.hpp"
#include "sim/open_serving.hpp"
#include "sim/served.hpp"

namespace headroom::sim {

// A plain value: a copy goes on alike. The result does not depend on the order in which servers are named.
class Serving {
 public:
  explicit Serving(ServingSettings settings);

  // The next tick, from tick 0 on. Requires: no id twice.
  ServedTick tick(std::span<const Server> servers);

 private:
  std::variant<OpenServing, ClosedServing> serving_;
};

}  // namespace headroom::sim
