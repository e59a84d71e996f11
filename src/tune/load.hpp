// Load: traffic compiled for a search, once per replication.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "sim/scenario.hpp"
#include "workload/compile.hpp"

namespace headroom::tune {

struct Replica {
  std::uint64_t seed = 1;
  base::Series expected;             // the rate before anything was drawn around it, requests per second
  base::Series requests_per_second;  // what is offered
  std::vector<float> rates;          // the same, as the lanes read them
};

struct Load {
  std::string name;
  std::vector<Replica> replicas;  // at least one, all of the same length
  std::vector<std::string> notes;
  bool drawn = false;  // the requests of a tick are drawn around the expected rate
  // The load begins in the middle of things: every policy starts with as many instances as its first ticks
  // need, not with `initial`.
  bool under_way = false;

  std::int64_t ticks() const { return static_cast<std::int64_t>(replicas.front().rates.size()); }
};

// `seeds` replications, the i-th drawn with seed + i; one, where nothing in the traffic is drawn.
base::Result<Load> make_load(std::string name, const workload::Traffic& traffic, base::Milliseconds tick,
                             std::uint64_t seed, int seeds);

// The ticks [from, to).
Load part(const Load& load, std::string name, std::int64_t from, std::int64_t to);
// Every expected rate times `factor`, drawn anew.
Load higher(const Load& load, std::string name, double factor);
// The same rises in a fraction 1 / `factor` of their time, drawn anew.
Load steeper(const Load& load, std::string name, double factor);

// The numbers of a scenario for this load: `initial` adapted where the load is under way.
policy::Numbers<base::One> numbers_for(const sim::Scenario& scenario, const Load& load);

}  // namespace headroom::tune
