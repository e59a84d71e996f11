// Watch: which instances have failed or vanished, from one look to the next.
//
// Watched are the instances that are in service or on their way and that nobody has ordered to leave, those
// marked to go later included. One has failed when so many of its health checks failed in a row, those within
// the grace left out, or when it did not come into service in time; it is lost when it is gone, or stopped or
// draining without an order.
#pragma once

#include <string>
#include <vector>

#include "control/orders.hpp"
#include "control/step.hpp"

namespace headroom::control {

struct Ended {
  std::string id;
  std::string zone;
  bool served = false;  // since its last start
  std::string why;      // "3 failed checks in a row: connection refused"
};

struct Watching {
  std::vector<Ended> failed;  // still there: to be taken out and kept for inspection
  std::vector<Ended> lost;
};

// Brings state.watched up to what is seen and returns who has ended; they are no longer watched.
Watching watch(base::Milliseconds now, const cloud::Observed& observed, const Settings& settings,
               const Orders& orders, State& state);

}  // namespace headroom::control
