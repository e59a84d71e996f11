#include "tune/replicate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include "sim/instance_rehearsal.hpp"
#include "sim/scenario.hpp"
#include "tune/load.hpp"
#include "tune/search.hpp"
#include "workload/arrivals.hpp"

namespace headroom::tune {
namespace {

using environment::Environment;
using environment::Service;

// The other seeds after the first, on all cores. Of each only its summary is kept: the rehearsals of hundreds
// of seeds would fill the memory.
void repeat(Rehearsed& made, int seeds, base::Milliseconds tick, double objective_share,
            const Workers& workers, const std::function<sim::Rehearsal(std::uint64_t)>& rehearse_other) {
  std::vector<sim::Summary> summaries(static_cast<std::size_t>(seeds));
  std::vector<std::int64_t> ticks(summaries.size());
  const auto keep = [&](std::size_t k, const sim::Rehearsal& rehearsal) {
    summaries[k] = rehearsal.summary;
    ticks[k] = static_cast<std::int64_t>(rehearsal.trajectory.in_service.size());
  };
  keep(0, made.rehearsal);
  for_each(workers, "rehearsing", seeds - 1, [&](std::int64_t i) {
    keep(static_cast<std::size_t>(i) + 1, rehearse_other(static_cast<std::uint64_t>(i) + 1));
  });
  // After Ctrl-C those that were begun are finished, and they are the first ones: so many seeds asked for
  // give the same.
  const auto finished = std::find(ticks.begin(), ticks.end(), 0) - ticks.begin();
  made.seeds = static_cast<int>(finished);
  made.stopped_early = made.seeds < seeds;
  if (finished == 1) return;
  summaries.resize(static_cast<std::size_t>(finished));
  ticks.resize(summaries.size());
  made.replications = Replications{made.seeds, score(summaries, ticks, tick, objective_share)};
}

// What is generated differs from seed to seed; other traffic may be drawn around its rate.
workload::Traffic with_seed(workload::Traffic traffic, std::uint64_t offset) {
  if (auto* shape = std::get_if<workload::Generated>(&traffic.shape)) shape->seed += offset;
  return traffic;
}

base::Result<Rehearsed> with_counts(const Environment& environment, const Service& service,
                                    const workload::Traffic& traffic, int seeds, const Workers& workers) {
  const auto scenario = sim::compile(environment, service);
  if (!scenario) return scenario.error();
  const auto load = make_load("traffic", traffic, scenario->tick, environment.seed, 1);
  if (!load) return load.error();
  Rehearsed made;
  const Replica& first = load->replicas.front();
  made.rehearsal = sim::rehearse(*scenario, {first.requests_per_second, load->notes}, first.seed);
  const bool generated = std::holds_alternative<workload::Generated>(traffic.shape);
  if (seeds == 1 || !(generated || load->drawn)) return made;
  repeat(made, seeds, scenario->tick, service.objective.share, workers, [&](std::uint64_t offset) {
    const std::uint64_t seed = environment.seed + offset;
    // A recording is read once: only what is drawn around it differs.
    if (!generated)
      return sim::rehearse(*scenario, {workload::draw_arrivals(first.expected, seed), {}}, seed);
    const auto other = make_load("traffic", with_seed(traffic, offset), scenario->tick, seed, 1);
    return sim::rehearse(*scenario, {other->replicas.front().requests_per_second, {}}, seed);
  });
  return made;
}

base::Result<Rehearsed> with_instances(const Environment& environment, const Service& service,
                                       const workload::Traffic& traffic, int seeds, const Workers& workers) {
  const auto scenario_of = [&](std::uint64_t offset) {
    return sim::compile_instances(environment, service, with_seed(traffic, offset),
                                  environment.seed + offset);
  };
  const auto first = scenario_of(0);
  if (!first) return first.error();
  Rehearsed made;
  made.rehearsal = sim::rehearse(*first);
  if (seeds == 1) return made;
  repeat(made, seeds, sim::tick_of(environment), service.objective.share, workers,
         [&](std::uint64_t offset) { return sim::rehearse(*scenario_of(offset)); });
  return made;
}

}  // namespace

base::Result<Rehearsed> rehearse(const Environment& environment, const Service& service,
                                 const workload::Traffic& traffic, Engine engine, int seeds,
                                 const Workers& workers) {
  const std::vector<std::string> why = sim::needs_instances(environment, service, traffic);
  const bool instances = engine == Engine::instances || (engine == Engine::fitting && !why.empty());
  auto made = instances ? with_instances(environment, service, traffic, seeds, workers)
                        : with_counts(environment, service, traffic, seeds, workers);
  if (made && engine == Engine::fitting && instances) {
    made->rehearsal.notes.push_back(
        fmt::format("Rehearsed with instances, one by one, for {}.", fmt::join(why, ", ")));
  }
  return made;
}

}  // namespace headroom::tune
