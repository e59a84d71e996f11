#include "tune/replicate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "sim/instance_rehearsal.hpp"
#include "sim/scenario.hpp"
#include "tune/load.hpp"
#include "tune/search.hpp"

namespace headroom::tune {
namespace {

using environment::Environment;
using environment::Service;

base::Result<Rehearsed> with_counts(const Environment& environment, const Service& service,
                                    const workload::Traffic& traffic, int seeds) {
  const auto scenario = sim::compile(environment, service);
  if (!scenario) return scenario.error();
  const auto load = make_load("traffic", traffic, scenario->tick, environment.seed, seeds);
  if (!load) return load.error();
  Rehearsed made;
  const Replica& first = load->replicas.front();
  made.rehearsal = sim::rehearse(*scenario, {first.requests_per_second, load->notes}, first.seed);
  if (load->replicas.size() > 1) {
    made.replications = Replications{static_cast<int>(load->replicas.size()), score(*scenario, {*load})};
  }
  return made;
}

base::Result<Rehearsed> with_instances(const Environment& environment, const Service& service,
                                       const workload::Traffic& traffic, int seeds, const Workers& workers) {
  const auto scenario_of = [&](int i) {
    const auto offset = static_cast<std::uint64_t>(i);
    workload::Traffic each = traffic;
    if (auto* shape = std::get_if<workload::Generated>(&each.shape)) shape->seed += offset;
    return sim::compile_instances(environment, service, each, environment.seed + offset);
  };
  const auto first = scenario_of(0);
  if (!first) return first.error();
  Rehearsed made;
  made.rehearsal = sim::rehearse(*first);
  if (seeds == 1) return made;

  std::vector<sim::Summary> summaries(static_cast<std::size_t>(seeds));
  std::vector<std::int64_t> ticks(summaries.size());
  for_each(workers, "rehearsing", seeds, [&](std::int64_t i) {
    const auto k = static_cast<std::size_t>(i);
    const sim::Rehearsal rehearsal =
        i == 0 ? made.rehearsal : sim::rehearse(*scenario_of(static_cast<int>(i)));
    summaries[k] = rehearsal.summary;
    ticks[k] = static_cast<std::int64_t>(rehearsal.trajectory.in_service.size());
  });
  // After Ctrl-C those that were finished count.
  std::vector<sim::Summary> finished;
  std::vector<std::int64_t> lengths;
  for (std::size_t k = 0; k < summaries.size(); ++k) {
    if (ticks[k] == 0) continue;
    finished.push_back(summaries[k]);
    lengths.push_back(ticks[k]);
  }
  if (finished.size() > 1) {
    made.replications =
        Replications{static_cast<int>(finished.size()),
                     score(finished, lengths, sim::tick_of(environment), service.objective.share)};
  }
  return made;
}

}  // namespace

base::Result<Rehearsed> rehearse(const Environment& environment, const Service& service,
                                 const workload::Traffic& traffic, Engine engine, int seeds,
                                 const Workers& workers) {
  const std::vector<std::string> why = sim::needs_instances(environment, service, traffic);
  const bool instances = engine == Engine::instances || (engine == Engine::fitting && !why.empty());
  auto made = instances ? with_instances(environment, service, traffic, seeds, workers)
                        : with_counts(environment, service, traffic, seeds);
  if (made && engine == Engine::fitting && instances) {
    made->rehearsal.notes.push_back(
        fmt::format("Rehearsed with instances, one by one, for {}.", fmt::join(why, ", ")));
  }
  return made;
}

}  // namespace headroom::tune
