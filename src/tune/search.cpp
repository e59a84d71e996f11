#include "tune/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <span>
#include <tuple>

#include "sim/promise.hpp"
#include "telemetry/interval.hpp"

namespace headroom::tune {
namespace {

// Figures of one policy on one replication of all loads.
struct Row {
  double cost_usd = 0;
  double hours = 0;
  std::optional<double> profit_usd;
  double downtime_minutes = 0;
  double cpu_sum = 0;  // over ticks
  double cpu_max = 0;
  std::int64_t violations = 0;
  std::int64_t ticks = 0;
};

Estimate estimate(const std::vector<Row>& rows, double (*value)(const Row&)) {
  std::vector<double> values;
  for (const Row& row : rows) values.push_back(value(row));
  const auto interval = telemetry::interval(values);
  Estimate result{interval->mean, interval->mean, interval->mean};
  if (interval->half_width) {
    result.low -= *interval->half_width;
    result.high += *interval->half_width;
  }
  return result;
}

Score score_of(const std::vector<Row>& rows, base::Milliseconds tick, bool objective_met) {
  Score score;
  // Users who wait for answers are done at different times: the mean, as the cost is one.
  std::int64_t ticks = 0;
  for (const Row& row : rows) ticks += row.ticks;
  score.duration = ticks * tick / static_cast<std::int64_t>(rows.size());
  score.cost_usd = estimate(rows, [](const Row& row) { return row.cost_usd; });
  score.instance_hours = estimate(rows, [](const Row& row) { return row.hours; });
  if (rows.front().profit_usd) {
    score.profit_usd = estimate(rows, [](const Row& row) { return row.profit_usd.value_or(0); });
  }
  score.downtime_minutes = estimate(rows, [](const Row& row) { return row.downtime_minutes; });
  score.downtime_minutes.low = std::max(0.0, score.downtime_minutes.low);
  score.cpu_percent_mean =
      estimate(rows, [](const Row& row) { return row.cpu_sum / static_cast<double>(row.ticks); });
  score.objective_violation_percent = estimate(rows, [](const Row& row) {
    return 100.0 * static_cast<double>(row.violations) / static_cast<double>(row.ticks);
  });
  // A share of minutes cannot be negative, whatever the spread of few replications suggests.
  score.objective_violation_percent.low = std::max(0.0, score.objective_violation_percent.low);
  for (const Row& row : rows) score.cpu_percent_max = std::max(score.cpu_percent_max, row.cpu_max);
  score.objective_met = objective_met;
  return score;
}

std::size_t replicas_of(const std::vector<Load>& loads) {
  std::size_t most = 1;
  for (const Load& load : loads) most = std::max(most, load.replicas.size());
  return most;
}

// The replica of a load for the r-th replication: loads without chance repeat the one they have.
const Replica& replica_of(const Load& load, std::size_t r) { return load.replicas[r % load.replicas.size()]; }

sim::LaneTraffic lanes_of(const Replica& replica, std::span<const float> strength) {
  return {replica.requests_per_second.start.count(), replica.requests_per_second.tick.count(), replica.rates,
          strength};
}

double cost_of(const sim::Scenario& scenario, const sim::Tally& tally) {
  const std::int64_t launching = scenario.launching_is_free ? 0 : tally.launching_ticks;
  return static_cast<double>(tally.in_service_ticks + launching + tally.draining_ticks) *
         base::hours(scenario.tick) * scenario.price_usd_per_hour;
}

void add(const std::optional<double>& profit, std::optional<double>& sum) {
  if (profit) sum = sum.value_or(0) + *profit;
}

// Approximately: what failed was summed in float32.
std::optional<double> profit_of(const sim::Scenario& scenario, const sim::Tally& tally,
                                const Replica& replica) {
  if (!scenario.profit) return std::nullopt;
  const double seconds = base::seconds(scenario.tick);
  const auto& offered = replica.requests_per_second.values;
  const double requests = std::accumulate(offered.begin(), offered.end(), 0.0);
  return scenario.profit->revenue_per_request.value() * (requests - tally.failed_sum) * seconds -
         scenario.profit->downtime_penalty.value() * static_cast<double>(tally.downtime_ticks) *
             base::minutes(scenario.tick) -
         cost_of(scenario, tally);
}

// Scenarios that can share vectors: equal but for their numbers. Each group holds indices into scenarios.
std::vector<std::vector<std::size_t>> groups_of(const std::vector<sim::Scenario>& scenarios) {
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    // Neighbours in loop order are mostly alike, so the search goes from the latest group back.
    auto same = std::find_if(groups.rbegin(), groups.rend(), [&](const auto& group) {
      return scenarios[group.front()].lanes == scenarios[i].lanes &&
             scenarios[group.front()].capacity.noise == scenarios[i].capacity.noise;
    });
    if (same == groups.rend())
      groups.push_back({i});
    else
      same->push_back(i);
  }
  return groups;
}

// A batch of lanes: enough to keep vectors full, few enough to spread over cores and to stop soon.
struct Batch {
  std::vector<std::size_t> members;
};

std::vector<Batch> batches_of(const std::vector<sim::Scenario>& scenarios) {
  const auto lanes = static_cast<std::size_t>(sim::lanes_per_vector());
  std::vector<Batch> batches;
  for (const auto& group : groups_of(scenarios)) {
    for (std::size_t begin = 0; begin < group.size(); begin += lanes) {
      const std::size_t end = std::min(group.size(), begin + lanes);
      batches.push_back({{group.begin() + static_cast<std::ptrdiff_t>(begin),
                          group.begin() + static_cast<std::ptrdiff_t>(end)}});
    }
  }
  return batches;
}

// Runs one batch on all loads and replications into `scores`.
void run_batch(const Batch& batch, const std::vector<sim::Scenario>& scenarios,
               const std::vector<Load>& loads, std::vector<Score>& scores) {
  const std::size_t members = batch.members.size();
  const std::size_t replicas = replicas_of(loads);
  std::vector<std::vector<Row>> rows(members, std::vector<Row>(replicas));
  std::vector<bool> met(members, true);
  std::vector<bool> unsure(members, false);
  std::vector<sim::Tally> tallies(members);
  for (const Load& load : loads) {
    std::vector<policy::Numbers<base::One>> numbers;
    for (const std::size_t i : batch.members) numbers.push_back(numbers_for(scenarios[i], load));
    std::vector<std::int64_t> low(members, 0);
    std::vector<std::int64_t> high(members, 0);
    for (std::size_t r = 0; r < replicas; ++r) {
      const sim::Scenario& shared = scenarios[batch.members.front()];
      const Replica& replica = replica_of(load, r);
      const std::vector<float> strength =
          sim::lane_rates(sim::strengths(shared, replica.requests_per_second, replica.seed));
      sim::run_many_lanes(shared.lanes, numbers, lanes_of(replica, strength), tallies);
      for (std::size_t m = 0; m < members; ++m) {
        const sim::Scenario& scenario = scenarios[batch.members[m]];
        const sim::Tally& tally = tallies[m];
        const double tick_hours = base::hours(scenario.tick);
        Row& row = rows[m][r];
        row.cost_usd += cost_of(scenario, tally);
        add(profit_of(scenario, tally, replica), row.profit_usd);
        row.downtime_minutes += static_cast<double>(tally.downtime_ticks) * base::minutes(scenario.tick);
        row.hours += static_cast<double>(tally.in_service_ticks) * tick_hours;
        row.cpu_sum += tally.cpu_percent_sum;
        row.cpu_max = std::max(row.cpu_max, static_cast<double>(tally.cpu_percent_max));
        row.violations += tally.violations_low;
        row.ticks += load.ticks();
        low[m] += tally.violations_low;
        high[m] += tally.violations_high;
      }
    }
    for (std::size_t m = 0; m < members; ++m) {
      const std::int64_t ticks = load.ticks() * static_cast<std::int64_t>(replicas);
      const sim::Scenario& scenario = scenarios[batch.members[m]];
      const bool surely_met = sim::keeps(scenario.objective_share, high[m], ticks);
      const bool perhaps_met = sim::keeps(scenario.objective_share, low[m], ticks);
      met[m] = met[m] && surely_met;
      unsure[m] = unsure[m] || surely_met != perhaps_met;
    }
  }
  for (std::size_t m = 0; m < members; ++m) {
    const std::size_t i = batch.members[m];
    // Where float32 cannot tell, double does.
    scores[i] = unsure[m] ? score(scenarios[i], loads) : score_of(rows[m], scenarios[i].tick, met[m]);
  }
}

// What is wrong with a value that the search gave to a field is to be changed where the search says it.
base::Error of_search(const Space& space, base::Error error) {
  for (base::Fault& fault : error.faults) {
    for (const Dimension& dimension : space.dimensions()) {
      if (fault.path.ends_with("." + dimension.field.path)) fault.path = "tune.search." + dimension.name;
    }
  }
  return error;
}

}  // namespace

environment::Service with(const environment::Service& service, const Space& space, const Point& point) {
  environment::Service changed = service;
  apply(space, point, changed);
  return changed;
}

Score score(const sim::Scenario& scenario, const std::vector<Load>& loads) {
  const std::size_t replicas = replicas_of(loads);
  std::vector<Row> rows(replicas);
  bool met = true;
  for (const Load& load : loads) {
    std::int64_t violations = 0;
    sim::Scenario adapted = scenario;
    adapted.numbers = numbers_for(scenario, load);
    for (std::size_t r = 0; r < replicas; ++r) {
      const Replica& replica = replica_of(load, r);
      const std::vector<float> strength =
          sim::lane_rates(sim::strengths(adapted, replica.requests_per_second, replica.seed));
      const sim::Trajectory trajectory =
          sim::run_one_lane(adapted.lanes, adapted.numbers, lanes_of(replica, strength));
      const sim::Summary summary =
          sim::summarise(adapted, replica.requests_per_second, trajectory, replica.seed);
      Row& row = rows[r];
      const auto bad = static_cast<std::int64_t>(
          std::llround(summary.objective_violation_minutes / base::minutes(scenario.tick)));
      row.cost_usd += summary.cost_usd;
      row.hours += summary.instance_hours;
      add(summary.profit_usd, row.profit_usd);
      row.downtime_minutes += summary.downtime_minutes;
      row.cpu_sum += summary.cpu_percent_mean * static_cast<double>(load.ticks());
      row.cpu_max = std::max(row.cpu_max, summary.cpu_percent_max);
      row.violations += bad;
      row.ticks += load.ticks();
      violations += bad;
    }
    const std::int64_t ticks = load.ticks() * static_cast<std::int64_t>(replicas);
    met = met && sim::keeps(scenario.objective_share, violations, ticks);
  }
  return score_of(rows, scenario.tick, met);
}

Score score(const std::vector<sim::Summary>& summaries, const std::vector<std::int64_t>& ticks,
            base::Milliseconds tick, double objective_share) {
  std::vector<Row> rows;
  std::int64_t violations = 0;
  std::int64_t all = 0;
  for (std::size_t k = 0; k < summaries.size(); ++k) {
    const sim::Summary& summary = summaries[k];
    Row row;
    row.cost_usd = summary.cost_usd;
    row.hours = summary.instance_hours;
    row.profit_usd = summary.profit_usd;
    row.downtime_minutes = summary.downtime_minutes;
    row.cpu_sum = summary.cpu_percent_mean * static_cast<double>(ticks[k]);
    row.cpu_max = summary.cpu_percent_max;
    row.violations = std::llround(summary.objective_violation_minutes / base::minutes(tick));
    row.ticks = ticks[k];
    violations += row.violations;
    all += row.ticks;
    rows.push_back(row);
  }
  return score_of(rows, tick, sim::keeps(objective_share, violations, all));
}

std::vector<Score> scores(const std::vector<sim::Scenario>& scenarios, const std::vector<Load>& loads,
                          const Workers& workers) {
  std::vector<Score> result(scenarios.size());
  const std::vector<Batch> batches = batches_of(scenarios);
  for_each(workers, "judging", static_cast<std::int64_t>(batches.size()), [&](std::int64_t b) {
    run_batch(batches[static_cast<std::size_t>(b)], scenarios, loads, result);
  });
  return result;
}

Aim aim_of(const environment::Tune& tune, const environment::Objective& objective) {
  if (tune.aim == environment::Aim::utilisation) return Aim::utilisation;
  return objective.profit ? Aim::profit : Aim::cheapest;
}

double aimed_at(const Goal& goal, const Score& score) {
  switch (goal.aim) {
    case Aim::cheapest:
      return score.cost_usd.mean;
    case Aim::profit:
      return score.profit_usd ? -score.profit_usd->mean : 0;
    case Aim::utilisation:
      return -score.cpu_percent_mean.mean;
  }
  return 0;
}

bool better(const Goal& goal, const Score& a, const Score& b) {
  const auto key = [&](const Score& score) {
    const double aim = aimed_at(goal, score);
    // The nearest miss comes first among policies that break the objective.
    return std::tuple(!score.objective_met,
                      score.objective_met ? 0.0 : score.objective_violation_percent.mean, aim,
                      score.objective_violation_percent.mean);
  };
  return key(a) < key(b);
}

base::Result<SearchResult> search(const environment::Environment& environment,
                                  const environment::Service& service, const Space& space,
                                  const std::vector<Load>& loads, const Goal& goal,
                                  std::optional<int> samples, const Workers& workers) {
  SearchResult result;
  base::Error last_fault;
  environment::Service changed = service;

  // Tries points in rounds: all at once, or a spread first and then the neighbourhood of the best.
  const auto try_points = [&](const std::vector<Point>& points) {
    std::vector<sim::Scenario> scenarios;
    std::vector<std::size_t> owners;
    for (const Point& point : points) {
      Tried tried;
      tried.index = static_cast<std::int64_t>(result.tried.size());
      tried.point = point;
      // An expression may divide by zero.
      const bool finite = std::all_of(point.begin(), point.end(), [](double v) { return std::isfinite(v); });
      if (finite) apply(space, point, changed);
      const bool possible = finite && !environment::impossible(changed.scale.scaling).has_value();
      auto scenario = possible ? sim::compile(environment, changed)
                               : base::Result<sim::Scenario>(base::bad_input("not a policy"));
      if (scenario) {
        tried.valid = true;
        owners.push_back(result.tried.size());
        scenarios.push_back(std::move(*scenario));
      } else {
        if (possible) last_fault = scenario.error();
        ++result.invalid;
      }
      result.tried.push_back(std::move(tried));
    }
    std::vector<Score> found(scenarios.size());
    std::vector<char> done(scenarios.size(), 0);
    const std::vector<Batch> batches = batches_of(scenarios);
    for_each(workers, "searching", static_cast<std::int64_t>(batches.size()), [&](std::int64_t b) {
      const Batch& batch = batches[static_cast<std::size_t>(b)];
      run_batch(batch, scenarios, loads, found);
      for (const std::size_t i : batch.members) done[i] = 1;
    });
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
      if (done[i] == 0) continue;
      Tried& tried = result.tried[owners[i]];
      tried.evaluated = true;
      tried.score = found[i];
      tried.feasible = found[i].objective_met;
    }
  };
  const auto rank = [&] {
    result.ranking.clear();
    for (std::size_t i = 0; i < result.tried.size(); ++i) {
      if (result.tried[i].evaluated) result.ranking.push_back(i);
    }
    std::stable_sort(result.ranking.begin(), result.ranking.end(), [&](std::size_t a, std::size_t b) {
      return better(goal, result.tried[a].score, result.tried[b].score);
    });
  };

  result.exhaustive = !samples && space.size() <= kExhaustiveLimit;
  if (samples && *samples >= space.size()) result.exhaustive = true;
  if (result.exhaustive) {
    std::vector<Point> points;
    for (std::int64_t i = 0; i < space.size(); ++i) points.push_back(space.at(i));
    try_points(points);
    rank();
  } else {
    const std::int64_t budget = samples ? *samples : kDefaultSamples;
    std::set<Point> seen;
    const auto unseen = [&](std::vector<Point> points) {
      std::vector<Point> fresh;
      for (Point& point : points) {
        if (seen.insert(point).second) fresh.push_back(std::move(point));
      }
      return fresh;
    };
    // Half of the budget spreads, the rest closes in on the best in three rounds.
    try_points(unseen(space.spread(std::max<std::int64_t>(1, budget / 2), environment.seed)));
    rank();
    for (std::uint64_t round = 1; round <= 3 && !workers.stopped(); ++round) {
      std::vector<Point> centres;
      for (std::size_t i = 0; i < std::min<std::size_t>(result.ranking.size(), 12); ++i) {
        centres.push_back(result.tried[result.ranking[i]].point);
      }
      const std::int64_t left = budget - static_cast<std::int64_t>(result.tried.size());
      const std::int64_t share = left / static_cast<std::int64_t>(4 - round);
      try_points(unseen(space.around(centres, share, environment.seed + round)));
      rank();
    }
  }
  for (const Tried& tried : result.tried) {
    result.evaluated += tried.evaluated ? 1 : 0;
    result.feasible += tried.feasible ? 1 : 0;
  }
  if (result.evaluated == 0 && !workers.stopped()) {
    if (!last_fault.faults.empty()) return of_search(space, last_fault);
    base::Error none = base::bad_input("tune.search: no combination of the values is a valid policy",
                                       "keep the scale-in thresholds below the scale-out thresholds");
    none.faults.front().path = "tune.search";
    return none;
  }

  // Float32 sums order policies to about the sixth digit: those that close to the best are settled in double.
  constexpr double kClose = 1e-4;
  constexpr std::size_t kMostSettled = 64;
  if (!result.ranking.empty()) {
    const auto aim = [&](const Score& s) { return aimed_at(goal, s); };
    const Tried& first = result.tried[result.ranking.front()];
    std::size_t close = 0;
    while (close < std::min(kMostSettled, result.ranking.size())) {
      const Tried& each = result.tried[result.ranking[close]];
      if (each.feasible != first.feasible) break;
      if (std::abs(aim(each.score) - aim(first.score)) > kClose * std::abs(aim(first.score))) break;
      ++close;
    }
    std::vector<base::Result<sim::Scenario>> finalists;
    for (std::size_t k = 0; k < close; ++k) {
      finalists.push_back(
          sim::compile(environment, with(service, space, result.tried[result.ranking[k]].point)));
    }
    for_each(workers, "settling", static_cast<std::int64_t>(close), [&](std::int64_t k) {
      const auto i = static_cast<std::size_t>(k);
      result.tried[result.ranking[i]].score = score(*finalists[i], loads);
    });
    std::stable_sort(result.ranking.begin(), result.ranking.begin() + static_cast<std::ptrdiff_t>(close),
                     [&](std::size_t a, std::size_t b) {
                       return better(goal, result.tried[a].score, result.tried[b].score);
                     });
  }
  return result;
}

}  // namespace headroom::tune
