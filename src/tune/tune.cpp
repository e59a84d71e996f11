#include "tune/tune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/units.hpp"
#include "tune/search.hpp"

namespace headroom::tune {
namespace {

using environment::Environment;
using environment::Service;

// How many of the best are tried on the variations before the search gives up on a policy that survives them.
constexpr std::size_t kMostVaried = 4'000;
// Dots in the chart of all candidates.
constexpr std::size_t kMostSampled = 2'000;
// Of an open traffic that cannot be split, this much higher is what the winner is judged on.
constexpr double kUnseenHeight = 1.2;

// The traffic of a tuning, split into what is searched on and what is judged on.
struct Split {
  std::vector<Load> train;
  Load unseen;
  std::string description;
  std::vector<std::string> notes;
};

std::string span_in_words(std::int64_t ticks, base::Milliseconds tick) {
  return base::format_duration(ticks * tick);
}

base::Result<Split> split(const Environment& environment, const Service& service, const Options& options) {
  const environment::Tune& tune = environment.tune;
  const auto* traffic = service.traffic       ? &*service.traffic
                        : environment.traffic ? &*environment.traffic
                                              : nullptr;
  if (traffic == nullptr) {
    return base::bad_input("there is no traffic to tune on",
                           "name one: `traffic: spike.yaml`, or --traffic FILE");
  }
  const base::Milliseconds tick = sim::tick_of(environment);
  const int seeds = options.seeds.value_or(tune.seeds);
  auto whole = make_load("traffic", *traffic, tick, environment.seed, seeds);
  if (!whole) return whole.error();

  Split result;
  result.notes = whole->notes;
  const std::int64_t ticks = whole->ticks();
  const bool open = std::holds_alternative<workload::Open>(traffic->shape);
  std::int64_t train_ticks = ticks;
  if (tune.train) {
    train_ticks = *tune.train / tick;
    if (train_ticks < 1 || train_ticks > ticks) {
      base::Error error =
          base::bad_input(fmt::format("{} to tune on, but the traffic is {} long",
                                      base::format_duration(*tune.train), span_in_words(ticks, tick)),
                          "leave a part of it to judge on");
      error.faults.front().path = "tune.train";
      return error;
    }
  } else if (!tune.holdout && !open) {
    // Two thirds, in whole days where there are several.
    const std::int64_t day = std::max<std::int64_t>(1, std::chrono::hours(24) / tick);
    train_ticks = ticks * 2 / 3;
    if (train_ticks >= 3 * day) train_ticks -= train_ticks % day;
    train_ticks = std::max<std::int64_t>(1, train_ticks);
  }
  result.train.push_back(part(*whole, "traffic", 0, train_ticks));

  if (tune.holdout) {
    auto holdout = make_load("holdout", *tune.holdout, tick, environment.seed + 1'000'000, seeds);
    if (!holdout) return holdout.error();
    result.unseen = std::move(*holdout);
    result.description = fmt::format("the holdout traffic, {}", span_in_words(result.unseen.ticks(), tick));
  } else if (train_ticks < ticks) {
    result.unseen = part(*whole, "rest", train_ticks, ticks);
    result.description =
        fmt::format("the last {} of the traffic; tuned on the {} before it",
                    span_in_words(ticks - train_ticks, tick), span_in_words(train_ticks, tick));
  } else {
    result.unseen = higher(result.train.front(), "higher", kUnseenHeight);
    result.description =
        fmt::format("the same traffic {} % higher: there is no other (name one in tune.holdout)",
                    base::format_number(std::round(100 * (kUnseenHeight - 1))));
  }
  for (std::size_t i = 0; i < tune.also.size(); ++i) {
    auto also = make_load(fmt::format("also[{}]", i), tune.also[i], tick, environment.seed, seeds);
    if (!also) return also.error();
    result.train.push_back(std::move(*also));
  }
  return result;
}

// A variation: changed loads, or a changed start-up time.
struct Varied {
  std::string name;
  std::vector<Load> loads;
  double startup_factor = 1;
};

std::vector<Varied> variations_of(const environment::Tune& tune, const std::vector<Load>& train) {
  std::vector<Varied> all;
  const auto add = [&](const std::vector<double>& factors, const char* what, auto&& change) {
    for (const double factor : factors) {
      if (factor == 1.0) continue;
      Varied varied;
      varied.name = fmt::format("{} x {}", what, base::format_number(factor));
      change(varied, factor);
      all.push_back(std::move(varied));
    }
  };
  add(tune.vary_height, "height", [&](Varied& varied, double factor) {
    for (const Load& load : train) varied.loads.push_back(higher(load, load.name, factor));
  });
  add(tune.vary_ramp, "steepness", [&](Varied& varied, double factor) {
    for (const Load& load : train) varied.loads.push_back(steeper(load, load.name, factor));
  });
  add(tune.vary_startup, "start-up", [&](Varied& varied, double factor) {
    varied.loads = train;
    varied.startup_factor = factor;
  });
  return all;
}

Service slower(const Service& service, double factor) {
  Service changed = service;
  const auto lengthen = [&](std::optional<base::Milliseconds>& time) {
    if (time) time = base::Milliseconds(std::llround(static_cast<double>(time->count()) * factor));
  };
  lengthen(changed.capacity.startup);
  lengthen(changed.capacity.in_service_delay);
  return changed;
}

Parameters parameters_of(const Space& space, const Point& point) {
  Parameters parameters;
  for (std::size_t d = 0; d < point.size(); ++d)
    parameters.emplace_back(space.dimensions()[d].name, point[d]);
  return parameters;
}

// The best of a search that also survives every variation; the best of all where none does.
struct Choice {
  std::size_t tried = 0;  // index into SearchResult::tried
  bool survives = true;
  bool settled = true;  // not stopped before that was known
};

// For what is short and worth having after Ctrl-C too.
Workers unstopped(Workers workers) {
  workers.stop = nullptr;
  return workers;
}

Choice choose(const Environment& environment, const Service& service, const Space& space,
              const SearchResult& found, const std::vector<Varied>& variations, const Workers& workers) {
  Choice choice{found.ranking.front(), true, true};
  if (variations.empty() || !found.tried[choice.tried].feasible) return choice;
  const std::size_t chunk = static_cast<std::size_t>(sim::lanes_per_vector()) * 4;
  for (std::size_t begin = 0; begin < std::min(found.ranking.size(), kMostVaried); begin += chunk) {
    std::vector<std::size_t> members;
    for (std::size_t k = begin; k < std::min(found.ranking.size(), begin + chunk); ++k) {
      if (found.tried[found.ranking[k]].feasible) members.push_back(found.ranking[k]);
    }
    if (members.empty()) break;
    // After Ctrl-C the best of what was found are still tried, as long as that is short.
    if (begin > 0 && workers.stopped()) {
      choice.settled = choice.survives = false;
      return choice;
    }
    std::vector<char> alive(members.size(), 1);
    for (const Varied& varied : variations) {
      std::vector<std::size_t> left;
      std::vector<sim::Scenario> scenarios;
      for (std::size_t m = 0; m < members.size(); ++m) {
        if (alive[m] == 0) continue;
        auto scenario = sim::compile(
            environment, slower(with(service, space, found.tried[members[m]].point), varied.startup_factor));
        if (!scenario) {
          alive[m] = 0;
          continue;
        }
        left.push_back(m);
        scenarios.push_back(std::move(*scenario));
      }
      const std::vector<Score> judged = scores(scenarios, varied.loads, unstopped(workers));
      for (std::size_t k = 0; k < left.size(); ++k) {
        if (!judged[k].objective_met) alive[left[k]] = 0;
      }
    }
    for (std::size_t m = 0; m < members.size(); ++m) {
      if (alive[m] != 0) return {members[m], true};
    }
  }
  choice.survives = false;
  return choice;
}

// Those that no other beats in both cost and risk, by rising cost. The risk is to violate the objective, or
// to be down where profit is the aim. Equal ones: the first in loop order.
std::vector<std::size_t> unbeaten(const Goal& goal, const std::vector<Score>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto cost = [&](std::size_t i) { return scores[i].cost_usd.mean; };
  const auto risk = [&](std::size_t i) {
    return goal.aim == Aim::profit ? scores[i].downtime_minutes.mean
                                   : scores[i].objective_violation_percent.mean;
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return cost(a) != cost(b) ? cost(a) < cost(b) : risk(a) < risk(b);
  });
  std::vector<std::size_t> front;
  double least = std::numeric_limits<double>::infinity();
  for (const std::size_t i : order) {
    if (risk(i) >= least) continue;
    least = risk(i);
    front.push_back(i);
  }
  return front;
}

// The search finds the front by float32 sums; what is published of its members is computed in double, and
// what another beats by those figures is left out.
std::vector<Candidate> front_of(const Environment& environment, const Service& service, const Space& space,
                                const Goal& goal, const SearchResult& found, const std::vector<Load>& train,
                                const Workers& workers) {
  std::vector<const Tried*> evaluated;
  std::vector<Score> approximate;
  for (const Tried& tried : found.tried) {
    if (!tried.evaluated) continue;
    evaluated.push_back(&tried);
    approximate.push_back(tried.score);
  }
  const std::vector<std::size_t> members = unbeaten(goal, approximate);
  std::vector<Score> exact(members.size());
  for_each(workers, "settling", static_cast<std::int64_t>(members.size()), [&](std::int64_t k) {
    const auto i = static_cast<std::size_t>(k);
    const auto scenario = sim::compile(environment, with(service, space, evaluated[members[i]]->point));
    exact[i] = score(*scenario, train);
  });
  std::vector<Candidate> front;
  for (const std::size_t i : unbeaten(goal, exact)) {
    const Tried& tried = *evaluated[members[i]];
    front.push_back({tried.index, parameters_of(space, tried.point), exact[i], exact[i].objective_met});
  }
  return front;
}

std::vector<Candidate> sample_of(const Space& space, const SearchResult& found) {
  std::vector<Candidate> sample;
  const std::size_t stride = std::max<std::size_t>(1, (found.tried.size() + kMostSampled - 1) / kMostSampled);
  for (std::size_t i = 0; i < found.tried.size(); i += stride) {
    const Tried& tried = found.tried[i];
    if (tried.evaluated)
      sample.push_back({tried.index, parameters_of(space, tried.point), tried.score, tried.feasible});
  }
  return sample;
}

// Which constraint keeps the search from something better, in one sentence.
std::string binding_of(const Goal& goal, const sim::Scenario& scenario, const Space& space,
                       const SearchResult& found, const Tried& winner, const sim::Summary& summary) {
  const auto aimed = [&](const Score& score) { return aimed_at(goal, score); };
  const Tried* next = nullptr;  // the nearest of the better ones, all of which break something
  for (const Tried& tried : found.tried) {
    if (!tried.evaluated || aimed(tried.score) >= aimed(winner.score)) continue;
    if (next == nullptr || aimed(tried.score) > aimed(next->score)) next = &tried;
  }
  const char* cheaper = goal.aim == Aim::cheapest ? "cheaper"
                        : goal.aim == Aim::profit ? "more profitable"
                                                  : "more utilised";
  if (!winner.feasible) {
    return "No policy of the search keeps the objective; this one breaks it least.";
  }
  if (next == nullptr) {
    if (summary.minutes_at_min > 0) {
      return fmt::format("Nothing in the search is {}; `min: {}` holds it for {:.0f} minutes.", cheaper,
                         scenario.numbers.min, summary.minutes_at_min);
    }
    return fmt::format("Nothing in the search is {}: a wider range may be.", cheaper);
  }
  std::string values;
  for (std::size_t d = 0; d < next->point.size(); ++d) {
    values += fmt::format("{}{} {}", d == 0 ? "" : ", ", space.dimensions()[d].name,
                          base::format_number(next->point[d]));
  }
  const std::string limit =
      std::isfinite(scenario.cpu_limit_percent)
          ? fmt::format("utilisation of at most {} %", base::format_number(scenario.cpu_limit_percent))
          : std::string("objective");
  if (!next->feasible) {
    return fmt::format(
        "The {} binds: the next {} policy ({}) peaks at {:.1f} % and breaks it in {:.3f} % of the minutes.",
        limit, cheaper, values, next->score.cpu_percent_max, next->score.objective_violation_percent.mean);
  }
  return fmt::format(
      "The variations bind: the next {} policy ({}) keeps the objective on the recorded traffic only.",
      cheaper, values);
}

// Differences smaller than a fifth of a percent of the aim and a hundredth of a percent of the minutes are
// not worth a thought.
bool differs(const Goal& goal, const Score& score, const Score& reference) {
  const auto aim = [&](const Score& s) { return aimed_at(goal, s); };
  const double violation =
      score.objective_violation_percent.mean - reference.objective_violation_percent.mean;
  return std::abs(aim(score) - aim(reference)) > 0.002 * std::abs(aim(reference)) ||
         std::abs(violation) > 0.01;
}

// One value of one parameter, everything else being the winner's.
struct Trial {
  std::size_t parameter = 0;  // index into the sensitivities
  double value = 0;
  bool near = false;  // by its outcome an unsearched parameter is said to matter
};

// The values at which a parameter that was not searched is tried.
std::vector<std::pair<double, bool>> values_around(const environment::Field& field, double value,
                                                   double tick_minutes) {
  std::vector<std::pair<double, bool>> values;
  const auto add = [&](double other, bool near) {
    if (field.unit == environment::FieldUnit::count) other = std::nearbyint(other);
    // Whole ticks, or the vector engine refuses it.
    if (field.unit == environment::FieldUnit::minutes)
      other = std::nearbyint(other / tick_minutes) * tick_minutes;
    const bool known =
        std::any_of(values.begin(), values.end(), [&](const auto& each) { return each.first == other; });
    if (!known && other != value && other >= field.low && other <= field.high)
      values.emplace_back(other, near);
  };
  const double least = field.unit == environment::FieldUnit::count     ? 1.0
                       : field.unit == environment::FieldUnit::minutes ? tick_minutes
                                                                       : 0.0;
  const double tenth = std::max(least, 0.1 * value);
  add(value - tenth, true);
  add(value + tenth, true);
  for (const double factor : {0.25, 0.5, 0.75, 1.25, 1.5, 2.0}) add(value * factor, false);
  return values;
}

std::vector<Sensitivity> sensitivities_of(const Environment& environment, const Service& service,
                                          const Service& winner, const Space& space, const Point& point,
                                          const std::vector<Load>& train, const Goal& goal,
                                          const Workers& workers) {
  std::vector<Sensitivity> result;
  std::vector<Trial> trials;
  std::vector<sim::Scenario> scenarios;
  const auto try_service = [&](const Trial& trial, const Service& changed) {
    if (environment::impossible(changed.scale.scaling)) return;
    auto scenario = sim::compile(environment, changed);
    if (!scenario) return;
    trials.push_back(trial);
    scenarios.push_back(std::move(*scenario));
  };

  constexpr std::size_t kMostValues = 24;
  for (std::size_t d = 0; d < point.size(); ++d) {
    const Dimension& dimension = space.dimensions()[d];
    if (dimension.values.size() < 2) continue;
    Sensitivity sensitivity;
    sensitivity.parameter = dimension.name;
    sensitivity.value = point[d];
    // The end of a range that the field itself ends at cannot be widened.
    sensitivity.at_edge = (point[d] == dimension.values.front() && point[d] > dimension.field.low) ||
                          (point[d] == dimension.values.back() && point[d] < dimension.field.high);
    const std::size_t stride = (dimension.values.size() + kMostValues - 1) / kMostValues;
    for (std::size_t v = 0; v < dimension.values.size(); v += stride) {
      Point moved = point;
      moved[d] = dimension.values[v];
      space.complete(moved);
      try_service({result.size(), dimension.values[v], true}, with(service, space, moved));
    }
    result.push_back(std::move(sensitivity));
  }
  const std::vector<environment::Field> fields = environment::fields(winner);
  for (const environment::Field& field : fields) {
    const bool searched = std::any_of(
        space.dimensions().begin(), space.dimensions().end(),
        [&](const Dimension& each) { return each.field.path == field.path && each.values.size() > 1; });
    // "cooldown" stands for "cooldown.out" and "cooldown.in" together; each of them is tried.
    const bool composed = std::any_of(fields.begin(), fields.end(), [&](const environment::Field& other) {
      return other.path.starts_with(field.path + ".");
    });
    const std::optional<double> value = field.get(winner);
    const auto policies = field.path.find("policies[");
    if (searched || composed || !value || policies == std::string::npos) continue;
    Sensitivity sensitivity;
    const std::string_view only = "policies[0].";
    const bool alone = winner.scale.scaling.policies.size() == 1;
    sensitivity.parameter = field.path.substr(policies + (alone ? only.size() : 0));
    sensitivity.value = *value;
    sensitivity.searched = false;
    for (const auto& [other, near] : values_around(field, *value, base::minutes(sim::tick_of(environment)))) {
      Service changed = winner;
      field.set(changed, other);
      try_service({result.size(), other, near}, changed);
    }
    result.push_back(std::move(sensitivity));
  }

  auto reference_scenario = sim::compile(environment, winner);
  scenarios.push_back(std::move(*reference_scenario));
  const std::vector<Score> judged = scores(scenarios, train, workers);
  const Score& reference = judged.back();
  for (std::size_t p = 0; p < result.size(); ++p) {
    Sensitivity& s = result[p];
    s.matters = false;
    const auto only = [](const Estimate& estimate) { return Range{estimate.mean, estimate.mean}; };
    s.cost_usd = only(reference.cost_usd);
    s.violation_percent = only(reference.objective_violation_percent);
    if (reference.profit_usd) s.profit_usd = only(*reference.profit_usd);
    s.downtime_minutes = only(reference.downtime_minutes);
    s.unchanged_low = s.unchanged_high = s.value;
    double nearest_change_below = -std::numeric_limits<double>::infinity();
    double nearest_change_above = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < trials.size(); ++i) {
      if (trials[i].parameter != p) continue;
      s.cost_usd.widen(judged[i].cost_usd.mean);
      s.violation_percent.widen(judged[i].objective_violation_percent.mean);
      if (s.profit_usd) s.profit_usd->widen(judged[i].profit_usd->mean);
      s.downtime_minutes.widen(judged[i].downtime_minutes.mean);
      if (!differs(goal, judged[i], reference)) continue;
      s.matters = s.matters || trials[i].near;
      if (trials[i].value < s.value) nearest_change_below = std::max(nearest_change_below, trials[i].value);
      if (trials[i].value > s.value) nearest_change_above = std::min(nearest_change_above, trials[i].value);
    }
    for (const Trial& trial : trials) {
      if (trial.parameter != p || trial.value <= nearest_change_below || trial.value >= nearest_change_above)
        continue;
      s.unchanged_low = std::min(s.unchanged_low, trial.value);
      s.unchanged_high = std::max(s.unchanged_high, trial.value);
    }
    s.at_edge = s.at_edge && s.matters;
  }
  return result;
}

Contender contender(const Environment& environment, std::string name, const Service& service,
                    Parameters parameters, const Load& unseen) {
  Contender result;
  result.name = std::move(name);
  result.parameters = std::move(parameters);
  result.scaling = service.scale.scaling;
  auto scenario = sim::compile(environment, service);
  result.score = score(*scenario, {unseen});
  sim::Scenario adapted = *scenario;
  adapted.numbers = numbers_for(*scenario, unseen);
  result.rehearsal =
      sim::rehearse(adapted, {unseen.replicas.front().requests_per_second, {}}, unseen.replicas.front().seed);
  return result;
}

// The service with the policies of a rival.
Service with(const Service& service, const environment::Rival& rival) {
  Service other = service;
  other.scale.scaling.policies = rival.policies;
  return other;
}

// The faults of the i-th rival, with their paths where the file writes it.
base::Error of_rival(std::size_t i, const Service& service, base::Error error) {
  const std::string scale = "services." + service.name + ".scale.";
  for (base::Fault& fault : error.faults) {
    std::string rest;
    if (fault.path.starts_with("tune.")) rest = fault.path.substr(4);
    if (fault.path.starts_with(scale)) rest = fault.path.substr(scale.size() - 1);
    fault.path = fmt::format("tune.against[{}]{}", i, rest);
  }
  return error;
}

}  // namespace

base::Result<void> check(const Environment& environment, const Service& service) {
  base::Error error;
  const auto take = [&](const base::Error& found) {
    error.faults.insert(error.faults.end(), found.faults.begin(), found.faults.end());
  };
  if (auto space = Space::make(service, environment.tune.search); !space) take(space.error());
  for (std::size_t i = 0; i < environment.tune.against.size(); ++i) {
    const environment::Rival& rival = environment.tune.against[i];
    const Service other = with(service, rival);
    if (auto space = Space::make(other, rival.search); !space) take(of_rival(i, service, space.error()));
    // A searched rival is tried with other values than those written.
    if (!rival.search.empty()) continue;
    auto scenario = sim::compile(environment, other);
    if (!scenario) take(of_rival(i, service, scenario.error()));
  }
  if (!error.faults.empty()) return error;
  return {};
}

base::Result<Outcome> tune(const Environment& environment, const Service& service, const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  const Goal goal{aim_of(environment.tune, service.objective)};
  auto present = sim::compile(environment, service);
  if (!present) return present.error();
  if (auto fine = check(environment, service); !fine) return fine.error();
  auto space = Space::make(service, environment.tune.search);
  if (!space) return space.error();
  if (space->dimensions().empty()) {
    base::Error error =
        base::bad_input(environment.tune.search.empty() ? std::string("nothing to search")
                                                        : "nothing to search for service " + service.name,
                        "write `tune: {search: {out.above: 20..80}}`, say");
    error.faults.front().path = "tune.search";
    return error;
  }
  const auto missing = [&](const std::string& field, const char* what, const char* fix) {
    base::Error error = base::bad_input(what, fix);
    error.faults.front().path = "services." + service.name + "." + field;
    return error;
  };
  if (!std::isfinite(present->cpu_limit_percent) && !(present->available_share > 0) &&
      goal.aim != Aim::profit) {
    return missing("objective", "there is no objective to keep", "state one: `objective: {cpu: 60%}`");
  }
  if (goal.aim != Aim::utilisation && !(present->price_usd_per_hour > 0)) {
    return missing("instance", "without a price every policy is as cheap as any other",
                   "write `price: 0.0104 USD/h`");
  }
  auto traffic = split(environment, service, options);
  if (!traffic) return traffic.error();

  const std::optional<int> samples = options.samples ? options.samples : environment.tune.samples;
  auto found = search(environment, service, *space, traffic->train, goal, samples, options.workers);
  if (!found) return found.error();

  Outcome outcome;
  outcome.environment = environment.name;
  outcome.service = service.name;
  outcome.aim = goal.aim == Aim::cheapest ? "cheapest" : goal.aim == Aim::profit ? "profit" : "utilisation";
  outcome.evaluated = found->evaluated;
  outcome.feasible = found->feasible;
  outcome.invalid = found->invalid;
  outcome.unseen_description = traffic->description;
  outcome.notes = present->notes;
  outcome.notes.insert(outcome.notes.end(), traffic->notes.begin(), traffic->notes.end());
  outcome.stopped_early = options.workers.stopped();
  if (found->ranking.empty()) {
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return outcome;
  }

  const std::vector<Varied> variations = variations_of(environment.tune, traffic->train);
  const Choice choice = choose(environment, service, *space, *found, variations, options.workers);
  const Tried& winner = found->tried[choice.tried];
  if (!choice.settled) {
    outcome.stopped_early = true;
    outcome.notes.emplace_back(
        "Stopped before the variations were tried on all candidates, and none of those tried keeps the "
        "objective under every one: the best on the recorded traffic is shown.");
  } else if (!choice.survives) {
    outcome.notes.emplace_back(
        "No policy that keeps the objective on the recorded traffic also keeps it under every variation; the "
        "best on the recorded traffic is shown.");
  }
  const Service tuned = with(service, *space, winner.point);
  auto scenario = sim::compile(environment, tuned);
  if (!scenario) return scenario.error();

  outcome.found = winner.feasible;
  outcome.best = {winner.index, parameters_of(*space, winner.point), score(*scenario, traffic->train),
                  winner.feasible};
  const Replica& first = traffic->train.front().replicas.front();
  outcome.rehearsal = sim::rehearse(*scenario, {first.requests_per_second, {}}, first.seed);
  outcome.best_summary = outcome.rehearsal.summary;
  if (winner.feasible) {
    outcome.best_feasible_row = std::count_if(found->tried.begin(), found->tried.begin() + winner.index,
                                              [](const Tried& tried) { return tried.feasible; });
  }
  // What follows is short and is worth having after Ctrl-C too.
  const Workers rest = unstopped(options.workers);
  outcome.front = front_of(environment, service, *space, goal, *found, traffic->train, rest);
  outcome.sample = sample_of(*space, *found);
  outcome.binding = binding_of(goal, *scenario, *space, *found, winner, outcome.best_summary);
  outcome.sensitivities =
      sensitivities_of(environment, service, tuned, *space, winner.point, traffic->train, goal, rest);
  for (const Varied& varied : variations) {
    const auto judge = [&](const Service& each) {
      auto compiled = sim::compile(environment, slower(each, varied.startup_factor));
      return compiled ? score(*compiled, varied.loads) : Score{};
    };
    outcome.variations.push_back({varied.name, judge(tuned), judge(service)});
  }

  // What was assumed for the winner and the rivals and not for the present settings.
  const auto add_notes = [&](const std::string& name, const Service& each) {
    const auto compiled = sim::compile(environment, each);
    for (const std::string& note : compiled->notes) {
      if (std::find(present->notes.begin(), present->notes.end(), note) == present->notes.end())
        outcome.notes.push_back(name + ": " + note);
    }
  };
  add_notes("tuned", tuned);
  outcome.unseen.push_back(contender(environment, "tuned", tuned, outcome.best.parameters, traffic->unseen));
  outcome.unseen.back().evaluated = found->evaluated;
  Parameters present_values;
  for (const Dimension& dimension : space->dimensions()) {
    present_values.emplace_back(dimension.name, dimension.field.get(service).value_or(0.0));
  }
  outcome.unseen.push_back(contender(environment, "present", service, present_values, traffic->unseen));
  for (std::size_t i = 0; i < environment.tune.against.size(); ++i) {
    const environment::Rival& rival = environment.tune.against[i];
    Service other = with(service, rival);
    auto rival_space = Space::make(other, rival.search);
    if (!rival_space) return of_rival(i, service, rival_space.error());
    Parameters parameters;
    std::int64_t evaluated = 1;
    if (!rival.search.empty()) {
      auto rival_found =
          search(environment, other, *rival_space, traffic->train, goal, samples, options.workers);
      if (!rival_found) return of_rival(i, service, rival_found.error());
      const bool complete = !options.workers.stopped() && !rival_found->ranking.empty();
      const Choice rival_choice =
          complete ? choose(environment, other, *rival_space, *rival_found, variations, options.workers)
                   : Choice{};
      // Half a search would do the rival wrong.
      if (!complete || !rival_choice.settled) {
        outcome.notes.push_back(
            fmt::format("Stopped before the rival \"{}\" was searched: it is left out.", rival.name));
        continue;
      }
      const Point& point = rival_found->tried[rival_choice.tried].point;
      parameters = parameters_of(*rival_space, point);
      evaluated = rival_found->evaluated;
      other = with(other, *rival_space, point);
    }
    outcome.unseen.push_back(
        contender(environment, rival.name, other, std::move(parameters), traffic->unseen));
    outcome.unseen.back().evaluated = evaluated;
    add_notes(rival.name, other);
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return outcome;
}

}  // namespace headroom::tune
