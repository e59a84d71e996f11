#include "sim/scenario.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/promise.hpp"
#include "tests/plain_environment.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
constexpr Milliseconds kMinute{60'000};

environment::Environment plain() {
  environment::Environment environment = environment::plain_environment();
  environment.services.front().objective.cpu = base::Percent(60);
  return environment;
}

std::vector<std::string> paths_of(const base::Result<Scenario>& result) {
  std::vector<std::string> paths;
  if (!result) {
    for (const base::Fault& fault : result.error().faults) paths.push_back(fault.path);
  }
  return paths;
}

TEST(Scenario, WhatCountsCannotRehearseIsRefusedByNameAllAtOnce) {
  environment::Environment environment = plain();
  environment::Service& web = environment.services.front();
  web.scale.pool = 2;
  web.scale.per_zone = true;
  web.scale.drain = kMinute;
  web.scale.hold_to_paid_hour = true;
  web.instance.billing.model = environment::BillingModel::hourly;
  web.instance.credits.emplace();
  web.capacity.startup_spread.emplace();
  web.capacity.queue = kMinute;
  environment.faults.emplace_back();
  const std::vector<std::string> expected{
      "services.web.scale.per",        "services.web.scale.pool",     "services.web.instance.billing",
      "services.web.instance.credits", "services.web.scale.drain",    "services.web.scale.in_at",
      "services.web.capacity.startup", "services.web.capacity.queue", "faults"};
  EXPECT_EQ(paths_of(compile(environment, web)), expected);
}

TEST(Scenario, WhatDoesNotFitTheTickIsRefusedAtItsField) {
  environment::Environment environment = plain();
  std::get<policy::StepPolicy>(environment.services.front().scale.scaling.policies.front()).cooldown_in =
      Milliseconds(90'000);
  EXPECT_EQ(paths_of(compile(environment, environment.services.front())),
            (std::vector<std::string>{"services.web.scale.policies[0].step.cooldown.in"}));
}

TEST(Scenario, AStartUpTimeIsRoundedUpToWholeTicksAndSaysSo) {
  environment::Environment environment = plain();
  environment.services.front().capacity.startup = Milliseconds(61'000);
  const auto scenario = compile(environment, environment.services.front());
  ASSERT_TRUE(scenario);
  EXPECT_EQ(scenario->lanes.fleet.startup, 2);
  EXPECT_EQ(scenario->notes.size(), 1U);
}

TEST(Scenario, TheMeasuredLagHoldsUnlessTheFileWritesOne) {
  environment::Environment environment = plain();
  environment.services.front().capacity.metric_lag = 2 * kMinute;
  EXPECT_EQ(compile(environment, environment.services.front())->lanes.metric_lag, 2);
  environment.metrics.lag = Milliseconds(0);
  EXPECT_EQ(compile(environment, environment.services.front())->lanes.metric_lag, 0);
}

TEST(Scenario, WhichWarmUpWasUsedIsSaid) {
  environment::Environment environment = plain();
  environment::Service& web = environment.services.front();
  const auto notes = [&] { return compile(environment, web)->notes; };
  EXPECT_TRUE(notes().empty());  // nothing here looks at a warm-up
  policy::TargetPolicy target;
  target.semantics = policy::TargetSemantics::aws;
  web.scale.scaling.policies = {target};
  ASSERT_EQ(notes().size(), 1U);
  EXPECT_NE(notes().front().find("for its first 5m, AWS's default of 5m."), std::string::npos);
  web.scale.scaling.warm_up = 2 * kMinute;
  EXPECT_TRUE(notes().empty());
  // A sample of a minute, seen two minutes after its end: an instance is in none for three minutes.
  environment.metrics.lag = 2 * kMinute;
  ASSERT_EQ(notes().size(), 1U);
  EXPECT_NE(notes().front().find("`warm_up: 2m` is over before the metric shows a new instance (3m"),
            std::string::npos);
  web.scale.scaling.warm_up = 3 * kMinute;
  EXPECT_TRUE(notes().empty());
}

TEST(Scenario, ALatencyObjectiveIsTheUtilisationThatKeepsIt) {
  environment::Environment environment = plain();
  environment::Service& web = environment.services.front();
  web.capacity.latency = {{base::Percent(20), 10, 20, 30}, {base::Percent(60), 20, 100, 200}};
  web.objective.p95 = Milliseconds(60);  // halfway between 20 % and 60 %
  EXPECT_DOUBLE_EQ(compile(environment, web)->cpu_limit_percent, 40);
}

TEST(Scenario, AnUnknownStartUpTimeIsNotGuessed) {
  environment::Environment environment = plain();
  environment.services.front().capacity.startup.reset();
  EXPECT_EQ(paths_of(compile(environment, environment.services.front())),
            (std::vector<std::string>{"services.web.capacity"}));
}

TEST(Summary, CostIsTheSumOfItsParts) {
  const environment::Environment environment = plain();
  const auto scenario = compile(environment, environment.services.front());
  workload::Compiled traffic;
  traffic.requests_per_second.values = {10, 60, 60, 60, 60, 60, 60, 60};
  const Rehearsal rehearsal = rehearse(*scenario, traffic, 1);
  const Summary& summary = rehearsal.summary;
  EXPECT_GT(summary.cost_launching_usd, 0);
  EXPECT_DOUBLE_EQ(summary.cost_usd,
                   summary.cost_in_service_usd + summary.cost_launching_usd + summary.cost_draining_usd);
  // 0.6 USD/h is one cent per instance-minute.
  std::int64_t minutes = 0;
  for (std::size_t t = 0; t < 8; ++t)
    minutes += rehearsal.trajectory.in_service[t] + rehearsal.trajectory.launching[t];
  EXPECT_NEAR(summary.cost_usd, 0.01 * static_cast<double>(minutes), 1e-12);
}

TEST(Summary, AViolationIsAMinuteAboveTheLimitNotAtIt) {
  const environment::Environment environment = plain();
  environment::Environment fixed = environment;
  fixed.services.front().scale.scaling.policies.clear();
  const auto scenario = compile(fixed, fixed.services.front());
  workload::Compiled traffic;
  traffic.requests_per_second.values = {60, 60.001, 59, 61};
  EXPECT_DOUBLE_EQ(rehearse(*scenario, traffic, 1).summary.objective_violation_minutes, 2);
}

// One instance takes 100 requests per second. Half of 200 fail, half a percent of 100.5, none of 100; no
// requests are no failures (requirements R08). One cent per instance-minute.
TEST(Summary, R08_ProfitIsRevenueLessPenaltyAndCost) {
  environment::Environment environment = plain();
  environment::Service& web = environment.services.front();
  web.scale.scaling.policies.clear();
  web.objective = {};
  web.objective.profit = environment::Profit{base::Usd(0.001), base::Usd(7), 0.995};
  const auto scenario = compile(environment, web);
  ASSERT_TRUE(scenario) << base::to_string(scenario.error());
  workload::Compiled traffic;
  traffic.requests_per_second.values = {200, 100.5, 100, 0};
  const Rehearsal rehearsal = rehearse(*scenario, traffic, 1);
  const Summary& summary = rehearsal.summary;
  EXPECT_DOUBLE_EQ(summary.requests, 400.5 * 60);
  EXPECT_DOUBLE_EQ(summary.requests_failed, 100.5 * 60);
  EXPECT_EQ(summary.downtime_minutes, 1);
  ASSERT_TRUE(summary.profit_usd.has_value());
  EXPECT_NEAR(*summary.profit_usd, 300 * 60 * 0.001 - 7 - 0.04, 1e-9);
  EXPECT_EQ(rehearsal.failed_requests_per_second, (std::vector<double>{100, 0.5, 0, 0}));
  EXPECT_TRUE(summary.objective_met);
}

TEST(Summary, AMinuteThatServesLessThanTheObjectiveViolatesIt) {
  environment::Environment environment = plain();
  environment::Service& web = environment.services.front();
  web.scale.scaling.policies.clear();
  web.objective = {};
  web.objective.availability = base::Percent(99);
  const auto scenario = compile(environment, web);
  ASSERT_TRUE(scenario) << base::to_string(scenario.error());
  workload::Compiled traffic;
  traffic.requests_per_second.values = {100, 101, 102, 0};  // of 102 two fail, 1.96 %
  const Summary summary = rehearse(*scenario, traffic, 1).summary;
  EXPECT_EQ(summary.objective_violation_minutes, 1);
  EXPECT_FALSE(summary.objective_met);
  EXPECT_FALSE(summary.profit_usd.has_value());
}

// Of a fleet that is just large enough every second minute fails something when what it takes varies; the
// seed says which.
TEST(Summary, WhatInstancesTakeVariesWithTheSeed) {
  environment::Environment environment = plain();
  environment::Service& web = environment.services.front();
  web.scale.scaling.policies.clear();
  web.capacity.noise = 0.1;
  const auto scenario = compile(environment, web);
  ASSERT_TRUE(scenario) << base::to_string(scenario.error());
  workload::Compiled traffic;
  traffic.requests_per_second.values.assign(1000, 100);
  const Summary first = rehearse(*scenario, traffic, 1).summary;
  EXPECT_NEAR(first.requests_failed / first.requests, 0.1 * 0.39894, 0.1 * 0.08);
  EXPECT_NE(rehearse(*scenario, traffic, 2).summary.requests_failed, first.requests_failed);
}

TEST(Summary, WhatLaunchesIsFreeWhereBillingBeginsInService) {
  environment::Environment environment = plain();
  environment.services.front().instance.billing.from_in_service = true;
  const auto scenario = compile(environment, environment.services.front());
  ASSERT_TRUE(scenario) << base::to_string(scenario.error());
  workload::Compiled traffic;
  traffic.requests_per_second.values = {10, 60, 60, 60, 60, 60, 60, 60};
  const Summary summary = rehearse(*scenario, traffic, 1).summary;
  EXPECT_GT(summary.launching_hours, 0);
  EXPECT_EQ(summary.cost_launching_usd, 0);
  EXPECT_DOUBLE_EQ(summary.cost_usd, summary.cost_in_service_usd + summary.cost_draining_usd);
}

TEST(Summary, TheShareOfMinutesAllowedIsWholeMinutes) {
  EXPECT_TRUE(keeps(0.999, 1, 1000));
  EXPECT_FALSE(keeps(0.999, 2, 1000));
  EXPECT_FALSE(keeps(0.999, 1, 999));
  EXPECT_TRUE(keeps(1, 0, 5));
  EXPECT_FALSE(keeps(1, 1, 1'000'000));
}

TEST(Rehearsal, BeyondWhatWasMeasuredIsSaid) {
  environment::Environment environment = plain();
  environment.services.front().capacity.measured_up_to = base::Rate(30);
  const auto scenario = compile(environment, environment.services.front());
  workload::Compiled traffic;
  traffic.requests_per_second.values = {10, 40};
  const Rehearsal rehearsal = rehearse(*scenario, traffic, 1);
  ASSERT_EQ(rehearsal.notes.size(), 1U);
  EXPECT_NE(rehearsal.notes.front().find("extrapolated"), std::string::npos);
}

TEST(Rehearsal, MoreThanAFullInstanceAnsweredIsSaid) {
  environment::Environment environment = plain();
  environment.services.front().capacity.saturation = base::Rate(30);
  const auto scenario = compile(environment, environment.services.front());
  workload::Compiled traffic;
  traffic.requests_per_second.values = {10, 40};
  const Rehearsal rehearsal = rehearse(*scenario, traffic, 1);
  ASSERT_EQ(rehearsal.notes.size(), 1U);
  EXPECT_NE(rehearsal.notes.front().find("up to 40 requests per second, but a full one answered 30"),
            std::string::npos)
      << rehearsal.notes.front();
}

// The original plotted the time spent in the system alone, while its alarm looked at the whole (I07): here
// the series that reports draw is what the policy saw, one tick later.
TEST(B_I07, what_a_report_draws_is_what_the_policy_saw) {
  const environment::Environment environment = plain();
  const auto scenario = compile(environment, environment.services.front());
  workload::Compiled traffic;
  traffic.requests_per_second.tick = kMinute;
  traffic.requests_per_second.values = {10, 40, 70, 90, 30, 20, 15, 10};
  const Rehearsal rehearsal = rehearse(*scenario, traffic, 1);
  ASSERT_EQ(rehearsal.trajectory.decisions.size(), 8U);
  for (const DecisionRecord& decision : rehearsal.trajectory.decisions) {
    if (decision.tick == 0) continue;  // nothing was measured yet
    EXPECT_FLOAT_EQ(decision.cpu_percent_seen,
                    static_cast<float>(rehearsal.cpu_percent[static_cast<std::size_t>(decision.tick) - 1]))
        << decision.tick;
  }
}

}  // namespace
}  // namespace headroom::sim
