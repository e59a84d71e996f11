// The search as a whole: what it finds does not depend on threads or vectors, it is judged on what it has
// not seen, and it can be stopped.
#include "tune/tune.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/plain_environment.hpp"
#include "tune/search.hpp"

namespace headroom::tune {
namespace {

using base::Milliseconds;
constexpr Milliseconds kMinute{60'000};

// Ten days of a daily wave with drawn arrivals.
environment::Environment daily() {
  environment::Environment environment = environment::wave_environment(std::chrono::hours(240));
  auto& policies = environment.services.front().scale.scaling.policies;
  std::get<policy::StepPolicy>(policies.front()).cooldown_in = 5 * kMinute;
  environment.tune.seeds = 2;
  environment.tune.search = {{"out.above", "", environment::SearchRange{40, 75, 5}},
                             {"out.add", "", environment::SearchRange{1, 3, 1}},
                             {"in.below", "", environment::SearchRange{20, 60, 10}}};
  return environment;
}

Outcome tuned(const environment::Environment& environment, const Options& options = {}) {
  auto outcome = tune(environment, environment.services.front(), options);
  EXPECT_TRUE(outcome) << base::to_string(outcome.error());
  return *outcome;
}

TEST(Tune, TheNumberOfThreadsDoesNotChangeAByte) {
  Options one;
  one.workers.threads = 1;
  Options four;
  four.workers.threads = 4;
  const Outcome a = tuned(daily(), one);
  const Outcome b = tuned(daily(), four);
  EXPECT_EQ(a.best.parameters, b.best.parameters);
  EXPECT_EQ(a.best.score, b.best.score);
  EXPECT_EQ(a.rehearsal.trajectory, b.rehearsal.trajectory);
  ASSERT_EQ(a.sample.size(), b.sample.size());
  for (std::size_t i = 0; i < a.sample.size(); ++i) EXPECT_EQ(a.sample[i].score, b.sample[i].score);
  ASSERT_EQ(a.unseen.size(), b.unseen.size());
  for (std::size_t i = 0; i < a.unseen.size(); ++i) EXPECT_EQ(a.unseen[i].score, b.unseen[i].score);
  EXPECT_EQ(a.binding, b.binding);
}

TEST(Tune, TheWinnerIsTheCheapestFeasibleOfAllPoliciesTriedOneByOne) {
  const environment::Environment environment = daily();
  const environment::Service& service = environment.services.front();
  const Outcome outcome = tuned(environment);
  ASSERT_TRUE(outcome.found);
  // By brute force, one lane at a time and in double.
  const Space space = *Space::make(service, environment.tune.search);
  const auto whole = *make_load("traffic", *environment.traffic, kMinute, environment.seed, 2);
  const Load train = part(whole, "train", 0, 6 * 1440);  // two thirds of ten days in whole days
  double least = 1e300;
  std::int64_t feasible = 0;
  std::int64_t evaluated = 0;
  for (std::int64_t i = 0; i < space.size(); ++i) {
    const environment::Service candidate = with(service, space, space.at(i));
    if (environment::impossible(candidate.scale.scaling)) continue;
    const Score each = score(*sim::compile(environment, candidate), {train});
    ++evaluated;
    feasible += each.objective_met ? 1 : 0;
    if (each.objective_met) least = std::min(least, each.cost_usd.mean);
  }
  EXPECT_EQ(outcome.evaluated, evaluated);
  EXPECT_EQ(outcome.feasible, feasible);
  EXPECT_EQ(outcome.best.score.cost_usd.mean, least);
}

// An instance at 100 % serves 100 requests per second, give or take 5 %. A tenth of a dollar an hour buys it,
// a million requests are worth ten dollars, and ten seconds of downtime cost a cent.
environment::Environment profitable() {
  environment::Environment environment = daily();
  environment::Service& web = environment.services.front();
  web.capacity.noise = 0.05;
  web.objective = {};
  web.objective.profit = environment::Profit{base::Usd(1e-5), base::Usd(0.06), 0.995};
  return environment;
}

TEST(Tune, WithAProfitObjectiveTheMostProfitableOfAllPoliciesTriedOneByOneWins) {
  const environment::Environment environment = profitable();
  const environment::Service& service = environment.services.front();
  const Outcome outcome = tuned(environment);
  EXPECT_EQ(outcome.aim, "profit");
  ASSERT_TRUE(outcome.found);
  const Space space = *Space::make(service, environment.tune.search);
  const auto whole = *make_load("traffic", *environment.traffic, kMinute, environment.seed, 2);
  const Load train = part(whole, "train", 0, 6 * 1440);
  double most = -1e300;
  double least = 1e300;
  for (std::int64_t i = 0; i < space.size(); ++i) {
    const environment::Service candidate = with(service, space, space.at(i));
    if (environment::impossible(candidate.scale.scaling)) continue;
    const Score each = score(*sim::compile(environment, candidate), {train});
    ASSERT_TRUE(each.profit_usd.has_value());
    most = std::max(most, each.profit_usd->mean);
    least = std::min(least, each.profit_usd->mean);
  }
  ASSERT_TRUE(outcome.best.score.profit_usd.has_value());
  EXPECT_EQ(outcome.best.score.profit_usd->mean, most);
  EXPECT_GT(most - least, 0.01 * std::abs(most)) << "every policy is as good as any other";
  EXPECT_EQ(outcome.best_summary.profit_usd.has_value(), true);
}

// What the lanes add up in float32 is what one lane gives in double, to about the fifth digit.
TEST(Search, ManyLanesTallyTheProfitOfOneLane) {
  const environment::Environment environment = profitable();
  const auto load = *make_load("traffic", *environment.traffic, kMinute, environment.seed, 2);
  std::vector<sim::Scenario> scenarios;
  for (const int add : {1, 2, 5}) {
    environment::Service candidate = environment.services.front();
    std::get<policy::StepPolicy>(candidate.scale.scaling.policies.front()).out.front().change = add;
    scenarios.push_back(*sim::compile(environment, candidate));
  }
  const std::vector<Score> tallied = scores(scenarios, {load}, {});
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    const Score exact = score(scenarios[i], {load});
    ASSERT_TRUE(exact.profit_usd && tallied[i].profit_usd);
    EXPECT_NEAR(tallied[i].profit_usd->mean, exact.profit_usd->mean, 2e-5 * std::abs(exact.profit_usd->mean));
    EXPECT_EQ(tallied[i].downtime_minutes, exact.downtime_minutes);
  }
}

TEST(Tune, UtilisationIsAimedAtWhereTheFileSaysSo) {
  environment::Tune tune;
  environment::Objective objective;
  EXPECT_EQ(aim_of(tune, objective), Aim::cheapest);
  objective.profit.emplace();
  EXPECT_EQ(aim_of(tune, objective), Aim::profit);
  tune.aim = environment::Aim::utilisation;
  EXPECT_EQ(aim_of(tune, objective), Aim::utilisation);
}

TEST(Tune, WithoutAHoldoutTheLastThirdInWholeDaysIsUnseen) {
  const Outcome outcome = tuned(daily());
  // Ten days: six to tune on, four to judge on.
  EXPECT_EQ(outcome.rehearsal.requests_per_second.values.size(), 6U * 1440U);
  EXPECT_EQ(outcome.unseen.front().rehearsal.requests_per_second.values.size(), 4U * 1440U);
  EXPECT_EQ(outcome.unseen[0].name, "tuned");
  EXPECT_EQ(outcome.unseen[1].name, "present");
}

TEST(Tune, ANamedHoldoutIsWhatIsJudgedOn) {
  environment::Environment environment = daily();
  environment.tune.holdout = *environment.traffic;
  std::get<workload::Generated>(environment.tune.holdout->shape).duration = std::chrono::hours(48);
  const Outcome outcome = tuned(environment);
  EXPECT_EQ(outcome.rehearsal.requests_per_second.values.size(), 10U * 1440U);
  EXPECT_EQ(outcome.unseen.front().rehearsal.requests_per_second.values.size(), 2U * 1440U);
}

TEST(Tune, TheWinnerSurvivesEveryVariation) {
  environment::Environment environment = daily();
  environment.tune.vary_height = {1.1};
  environment.tune.vary_startup = {8};
  const Outcome outcome = tuned(environment);
  ASSERT_EQ(outcome.variations.size(), 2U);
  for (const Variation& variation : outcome.variations)
    EXPECT_TRUE(variation.tuned.objective_met) << variation.name;
  // Without them a cheaper policy wins, which would not survive.
  EXPECT_LT(tuned(daily()).best.score.cost_usd.mean, outcome.best.score.cost_usd.mean);
}

TEST(Tune, ARivalIsTunedOnTheSameTrafficAndJudgedBeside) {
  environment::Environment environment = daily();
  policy::TargetPolicy target;
  target.target = 50;
  environment.tune.against = {
      {"hand-set", {target}, {}},
      {"tuned target", {target}, {{"target.value", "", environment::SearchRange{40, 75, 5}}}}};
  const Outcome outcome = tuned(environment);
  ASSERT_EQ(outcome.unseen.size(), 4U);
  EXPECT_EQ(outcome.unseen[2].evaluated, 1);
  EXPECT_EQ(outcome.unseen[3].evaluated, 8);
  EXPECT_LE(outcome.unseen[3].score.cost_usd.mean, outcome.unseen[2].score.cost_usd.mean);
}

TEST(Tune, StoppedAtOnceItSaysThatNothingWasTried) {
  const std::atomic<bool> stop{true};
  Options options;
  options.workers.stop = &stop;
  const Outcome outcome = tuned(daily(), options);
  EXPECT_TRUE(outcome.stopped_early);
  EXPECT_EQ(outcome.evaluated, 0);
}

TEST(Tune, StoppedOnTheWayItKeepsTheBestOfWhatWasTried) {
  std::atomic<bool> stop{false};
  environment::Environment environment = daily();
  // Long enough that the first progress comes before the end.
  environment.tune.search[0].values = environment::SearchRange{40, 75, 0.25};
  std::get<workload::Generated>(environment.traffic->shape).duration = std::chrono::hours(24 * 60);
  Options options;
  options.workers.threads = 1;
  options.workers.stop = &stop;
  options.workers.progress = [&](const Progress& progress) {
    if (progress.done > 0) stop = true;
  };
  const Outcome outcome = tuned(environment, options);
  if (outcome.stopped_early) {
    EXPECT_GT(outcome.evaluated, 0);
    EXPECT_FALSE(outcome.best.parameters.empty());
    EXPECT_EQ(outcome.unseen.size(), 2U);
  }
}

// Long enough that progress is reported on the way.
environment::Environment long_days() {
  environment::Environment environment = daily();
  std::get<workload::Generated>(environment.traffic->shape).duration = std::chrono::hours(24 * 60);
  return environment;
}

bool says(const Outcome& outcome, const std::string& part) {
  return std::any_of(outcome.notes.begin(), outcome.notes.end(),
                     [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

TEST(Tune, StoppedInTheSearchTheWinnerStillSurvivesTheVariations) {
  std::atomic<bool> stop{false};
  environment::Environment environment = long_days();
  environment.tune.search[0].values = environment::SearchRange{40, 75, 0.25};
  environment.tune.vary_startup = {2};
  Options options;
  options.workers.stop = &stop;
  options.workers.progress = [&](const Progress& progress) {
    if (std::string(progress.phase) == "searching" && progress.done > 0) stop = true;
  };
  const Outcome outcome = tuned(environment, options);
  ASSERT_TRUE(stop);
  EXPECT_TRUE(outcome.variations.front().tuned.objective_met);
}

TEST(Tune, StoppedInTheVariationsItSaysThatNotAllWereTried) {
  std::atomic<bool> stop{false};
  environment::Environment environment = long_days();
  environment.tune.search[0].values = environment::SearchRange{40, 75, 1};
  environment.tune.vary_height = {10};  // more than `max` can take: nobody survives
  Options options;
  options.workers.stop = &stop;
  options.workers.progress = [&](const Progress& progress) {
    if (std::string(progress.phase) == "judging") stop = true;
  };
  const Outcome outcome = tuned(environment, options);
  ASSERT_TRUE(stop);
  EXPECT_TRUE(outcome.stopped_early);
  EXPECT_TRUE(outcome.found);
  EXPECT_TRUE(says(outcome, "Stopped before the variations were tried on all candidates"));
  EXPECT_FALSE(says(outcome, "No policy that keeps the objective"));
}

TEST(Tune, StoppedBeforeARivalWasSearchedItIsLeftOutAndSaid) {
  std::atomic<bool> stop{false};
  environment::Environment environment = long_days();
  policy::TargetPolicy target;
  target.target = 50;
  environment.tune.against = {
      {"hand-set", {target}, {}},
      {"tuned target", {target}, {{"target.value", "", environment::SearchRange{40, 75, 5}}}}};
  Options options;
  options.workers.stop = &stop;
  options.workers.progress = [&](const Progress& progress) {
    if (std::string(progress.phase) == "judging") stop = true;  // of what matters: the search is over
  };
  const Outcome outcome = tuned(environment, options);
  ASSERT_TRUE(stop);
  EXPECT_FALSE(outcome.stopped_early);
  ASSERT_EQ(outcome.unseen.size(), 3U);
  EXPECT_EQ(outcome.unseen[2].name, "hand-set");
  EXPECT_TRUE(says(outcome, "Stopped before the rival \"tuned target\" was searched"));
}

TEST(Tune, AScoreKnowsHowLongItsTrafficIs) {
  environment::Environment environment = daily();
  environment.tune.vary_startup = {2};
  environment.tune.also = {*environment.traffic};
  const Outcome outcome = tuned(environment);
  // Six of the ten days to tune on, and the whole ten of `also`; four unseen days.
  EXPECT_EQ(outcome.best.score.duration, std::chrono::hours(16 * 24));
  EXPECT_EQ(outcome.variations.front().tuned.duration, std::chrono::hours(16 * 24));
  EXPECT_EQ(outcome.unseen.front().score.duration, std::chrono::hours(4 * 24));
  EXPECT_EQ(outcome.sample.front().score.duration, std::chrono::hours(16 * 24));
}

TEST(Tune, FieldsOfAnotherServiceAreNoConcernOfThisOne) {
  environment::Environment environment = daily();
  environment.services.push_back(environment.services.front());
  environment.services.back().name = "api";
  environment.tune.search = {{"web.out.above", "services.web.scale.policies[0].step.out[0].above",
                              environment::SearchList{{50, 60}}},
                             {"api.out.above", "services.api.scale.policies[0].step.out[0].above",
                              environment::SearchList{{40, 50, 60}}}};
  EXPECT_EQ(tuned(environment).best.parameters.front().first, "web.out.above");
  EXPECT_EQ(tuned(environment).evaluated, 2);
  environment.tune.search.pop_back();
  const auto nothing = tune(environment, environment.services.back(), {});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().faults.front().what, "nothing to search for service api");
}

TEST(Tune, CheckFindsWhatTheSearchWouldRefuse) {
  environment::Environment environment = daily();
  EXPECT_TRUE(check(environment, environment.services.front()));
  policy::TargetPolicy target;
  target.target = 50;
  policy::StepPolicy uneven;
  uneven.out = {{60, false, 1}};
  uneven.every = Milliseconds{90'000};  // no whole number of one-minute ticks
  environment.tune.against = {{"fine", {target}, {}}, {"uneven", {uneven}, {}}};
  environment.tune.search = {{"out.below", "", environment::SearchList{{50}}}};
  const auto found = check(environment, environment.services.front());
  ASSERT_FALSE(found);
  ASSERT_EQ(found.error().faults.size(), 2U) << base::to_string(found.error());
  EXPECT_EQ(found.error().faults[0].path, "tune.search.out.below");
  EXPECT_EQ(found.error().faults[1].path, "tune.against[1].policies[0].step.every");
  EXPECT_EQ(tune(environment, environment.services.front(), {}).error(), found.error());
}

TEST(Tune, ACombinationThatDividesByZeroIsNoPolicy) {
  environment::Environment environment = daily();
  environment.tune.search = {{"out.add", "", environment::SearchList{{1, 2}}},
                             {"in.below", "", environment::SearchExpression{"20 / (out.add - 1)", {0}}}};
  const Outcome outcome = tuned(environment);
  EXPECT_EQ(outcome.evaluated, 1);
  EXPECT_EQ(outcome.invalid, 1);
}

TEST(Tune, AValueThatFitsNowhereIsAFaultOfTheSearch) {
  environment::Environment environment = daily();
  environment.tune.search = {
      {"cooldown.in", "", environment::SearchList{{1.5}}}};  // 90 s in one-minute ticks
  const auto outcome = tune(environment, environment.services.front(), {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().faults.front().path, "tune.search.cooldown.in");
}

TEST(Tune, ASampledSearchComesCloseToTheExhaustiveOne) {
  environment::Environment environment = daily();
  environment.tune.search[0].values = environment::SearchRange{40, 75, 1};  // 36 x 3 x 5 = 540 policies
  const double best = tuned(environment).best.score.cost_usd.mean;
  environment.tune.samples = 120;
  const Outcome sampled = tuned(environment);
  EXPECT_LE(sampled.evaluated + sampled.invalid, 120);
  EXPECT_TRUE(sampled.found);
  EXPECT_LT(sampled.best.score.cost_usd.mean, 1.03 * best);
}

TEST(Tune, WhereNoPolicyKeepsTheObjectiveTheNearestMissIsShown) {
  environment::Environment environment = daily();
  environment.services.front().objective.cpu = base::Percent(5);
  const Outcome outcome = tuned(environment);
  EXPECT_FALSE(outcome.found);
  EXPECT_EQ(outcome.feasible, 0);
  EXPECT_EQ(outcome.best_feasible_row, -1);
  for (const Candidate& candidate : outcome.sample) {
    EXPECT_GE(candidate.score.objective_violation_percent.mean + 1e-9,
              outcome.best.score.objective_violation_percent.mean);
  }
}

TEST(Tune, TheFrontHoldsNoPolicyThatAnotherBeatsInBoth) {
  const Outcome outcome = tuned(daily());
  for (const Candidate& a : outcome.front) {
    for (const Candidate& b : outcome.sample) {
      const bool beaten = b.score.cost_usd.mean < a.score.cost_usd.mean &&
                          b.score.objective_violation_percent.mean < a.score.objective_violation_percent.mean;
      EXPECT_FALSE(beaten) << a.index << " is beaten by " << b.index;
    }
  }
}

TEST(Tune, WhereProfitIsTheAimTheFrontIsOfCostAgainstDowntime) {
  const Outcome outcome = tuned(profitable());
  ASSERT_GT(outcome.front.size(), 1U);
  for (const Candidate& a : outcome.front) {
    for (const Candidate& b : outcome.sample) {
      const bool beaten = b.score.cost_usd.mean < a.score.cost_usd.mean &&
                          b.score.downtime_minutes.mean < a.score.downtime_minutes.mean;
      EXPECT_FALSE(beaten) << a.index << " is beaten by " << b.index;
    }
  }
}

TEST(Tune, TheFrontIsPublishedInDouble) {
  const environment::Environment environment = daily();
  const environment::Service& service = environment.services.front();
  const Outcome outcome = tuned(environment);
  const Space space = *Space::make(service, environment.tune.search);
  const auto whole = *make_load("traffic", *environment.traffic, kMinute, environment.seed, 2);
  const Load train = part(whole, "train", 0, 6 * 1440);
  ASSERT_GT(outcome.front.size(), 1U);
  bool holds_the_winner = false;
  for (const Candidate& member : outcome.front) {
    Point point;
    for (const auto& [name, value] : member.parameters) point.push_back(value);
    const auto scenario = sim::compile(environment, with(service, space, point));
    EXPECT_EQ(member.score, score(*scenario, {train})) << member.index;
    EXPECT_EQ(member.feasible, member.score.objective_met);
    if (member.index != outcome.best.index) continue;
    holds_the_winner = true;
    EXPECT_EQ(member.score, outcome.best.score);
  }
  EXPECT_TRUE(holds_the_winner);
}

TEST(Tune, WithoutAnObjectiveOrAPriceThereIsNothingToSearchFor) {
  environment::Environment free = daily();
  free.services.front().objective = {};
  const auto aimless = tune(free, free.services.front(), {});
  ASSERT_FALSE(aimless);
  EXPECT_EQ(aimless.error().faults.front().path, "services.web.objective");
  environment::Environment gratis = daily();
  gratis.services.front().instance.price = base::UsdPerHour(0);
  const auto priceless = tune(gratis, gratis.services.front(), {});
  ASSERT_FALSE(priceless);
  EXPECT_EQ(priceless.error().faults.front().path, "services.web.instance");
}

TEST(Tune, AnEmptySearchIsRefused) {
  environment::Environment environment = daily();
  environment.tune.search.clear();
  const auto outcome = tune(environment, environment.services.front(), {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().faults.front().path, "tune.search");
}

}  // namespace
}  // namespace headroom::tune
