// Search: many policies on the same traffic, in vectors of lanes on all cores, and the best of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "environment/environment.hpp"
#include "sim/scenario.hpp"
#include "tune/load.hpp"
#include "tune/outcome.hpp"
#include "tune/space.hpp"
#include "tune/workers.hpp"

namespace headroom::tune {

// A grid up to this size is searched completely unless a number of samples is asked for.
inline constexpr std::int64_t kExhaustiveLimit = 20'000;
inline constexpr std::int64_t kDefaultSamples = 2'000;

// What policies are ranked by, of those that keep the objective.
enum class Aim {
  cheapest,     // lowest cost
  profit,       // highest mean profit
  utilisation,  // highest mean utilisation
};

// As the file says: its `tune.aim`, but profit rather than the lowest cost where the objective states one.
Aim aim_of(const environment::Tune& tune, const environment::Objective& objective);

// What a score must keep and what it is ranked by.
struct Goal {
  Aim aim = Aim::cheapest;
};

// One policy of the search with its scenario's figures, from float32 sums.
struct Tried {
  std::int64_t index = 0;
  Point point;
  bool valid = false;  // a policy that the kernel takes
  bool evaluated = false;
  bool feasible = false;  // keeps the objective on every load
  Score score;
};

struct SearchResult {
  std::vector<Tried> tried;  // valid and invalid, in loop order (sampled: in the order they were drawn)
  std::int64_t evaluated = 0;
  std::int64_t feasible = 0;
  std::int64_t invalid = 0;
  bool exhaustive = true;
  std::vector<std::size_t> ranking;  // of the evaluated: the feasible from best to worst, then the others
};

// Errors: of the space; no valid policy at all.
base::Result<SearchResult> search(const environment::Environment& environment,
                                  const environment::Service& service, const Space& space,
                                  const std::vector<Load>& loads, const Goal& goal,
                                  std::optional<int> samples, const Workers& workers);

// The service with the values of a point.
environment::Service with(const environment::Service& service, const Space& space, const Point& point);

// In double, every replication on one lane.
Score score(const sim::Scenario& scenario, const std::vector<Load>& loads);

// Of rehearsals that were made already, one per seed, each of so many ticks.
Score score(const std::vector<sim::Summary>& summaries, const std::vector<std::int64_t>& ticks,
            base::Milliseconds tick, double objective_share);

// Several policies on the same loads, from float32 sums; as search() judges them.
std::vector<Score> scores(const std::vector<sim::Scenario>& scenarios, const std::vector<Load>& loads,
                          const Workers& workers);

// What the goal ranks by; less is better.
double aimed_at(const Goal& goal, const Score& score);

// Whether `a` is better than `b` for the goal, both feasible or both not.
bool better(const Goal& goal, const Score& a, const Score& b);

}  // namespace headroom::tune
