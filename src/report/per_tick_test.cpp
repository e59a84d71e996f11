#include "report/per_tick.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "report/sample.hpp"

namespace headroom::report {
namespace {

sim::Rehearsal five_minutes() {
  sim::Rehearsal rehearsal;
  rehearsal.requests_per_second.values = {1, 1, 1, 1, 1};
  rehearsal.cpu_percent = {10, 60, 61, std::nan(""), std::numeric_limits<double>::infinity()};
  rehearsal.trajectory.in_service = {1, 1, 2, 2, 2};
  rehearsal.trajectory.launching = {1, 1, 0, 0, 0};
  rehearsal.trajectory.draining = {0, 0, 0, 1, 1};
  return rehearsal;
}

TEST(PerTick, DesiredHoldsFromOneDecisionToTheNext) {
  sim::Rehearsal rehearsal = five_minutes();
  sim::DecisionRecord first;
  first.tick = 1;
  first.desired = 3;
  sim::DecisionRecord second;
  second.tick = 3;
  second.desired = 1;
  rehearsal.trajectory.decisions = {first, second};
  // Before the first decision: one in service and one launching.
  EXPECT_EQ(desired_instances(rehearsal), (std::vector<std::int32_t>{2, 3, 3, 1, 1}));
}

TEST(PerTick, WhatGroupsDesireIsAddedUpOnceEachHasDecided) {
  sim::Rehearsal rehearsal;
  rehearsal.groups = {"a", "b"};
  rehearsal.trajectory.in_service = {3, 3, 3, 3};
  rehearsal.trajectory.launching = {0, 0, 0, 0};
  for (const auto& [tick, group, desired] : {std::array{0, 0, 4}, std::array{2, 1, 2}, std::array{3, 0, 5}}) {
    sim::DecisionRecord decision;
    decision.tick = tick;
    decision.group = group;
    decision.desired = desired;
    rehearsal.trajectory.decisions.push_back(decision);
  }
  // Until tick 2 b has not decided: 3 in service. Then 4 + 2, then 5 + 2.
  EXPECT_EQ(desired_instances(rehearsal), (std::vector<std::int32_t>{3, 3, 6, 7}));
}

TEST(PerTick, CostAddsUpToTheSummaryWhateverTheBilling) {
  sim::Rehearsal rehearsal = five_minutes();
  // 8 instance minutes in service cost 8 $ with a minimum charge, 2 launching 1 $, 2 draining 0.5 $.
  rehearsal.summary.instance_hours = 8 / 60.0;
  rehearsal.summary.launching_hours = 2 / 60.0;
  rehearsal.summary.draining_hours = 2 / 60.0;
  rehearsal.summary.cost_in_service_usd = 8;
  rehearsal.summary.cost_launching_usd = 1;
  rehearsal.summary.cost_draining_usd = 0.5;
  const std::vector<double> cost = cumulative_cost_usd(rehearsal);
  EXPECT_NEAR(cost[0], 1.5, 1e-12);  // one in service 1 $ a minute, one launching 0.5 $ a minute
  EXPECT_NEAR(cost[4], 9.5, 1e-12);
}

TEST(PerTick, CostOfALongRehearsalEndsAtItsSummary) {
  const sim::Rehearsal rehearsal = sample_rehearsal({.ticks = 20'000});
  EXPECT_NEAR(cumulative_cost_usd(rehearsal).back(), rehearsal.summary.cost_usd, 1e-9);
}

TEST(PerTick, ALimitIsViolatedAboveItAndNotWhereNothingIsKnown) {
  environment::Objective objective;
  objective.cpu = base::Percent(60);
  // 60 keeps it, 61 does not, unknown does not count, an endless demand does.
  EXPECT_EQ(violations(five_minutes(), objective),
            (std::vector<std::pair<std::int32_t, std::int32_t>>{{2, 3}, {4, 5}}));
}

TEST(PerTick, NeighbouringViolationsOfAnyLimitAreOneSpan) {
  sim::Rehearsal rehearsal = five_minutes();
  rehearsal.p95_ms = {100, 501, 400, 500, 400};
  environment::Objective objective;
  objective.cpu = base::Percent(60);
  objective.p95 = base::Milliseconds{500};
  EXPECT_EQ(violations(rehearsal, objective),
            (std::vector<std::pair<std::int32_t, std::int32_t>>{{1, 3}, {4, 5}}));
}

TEST(PerTick, WithoutAnObjectiveNothingIsViolated) { EXPECT_TRUE(violations(five_minutes(), {}).empty()); }

TEST(PerTick, AMonthHas730Hours) {
  EXPECT_DOUBLE_EQ(usd_per_month(2, base::Milliseconds{2 * 3'600'000}), 730);
  EXPECT_EQ(usd_per_month(2, base::Milliseconds{0}), 0);
  EXPECT_DOUBLE_EQ(percent_of(3, base::Milliseconds{3'600'000}), 5);
  EXPECT_EQ(percent_of(3, base::Milliseconds{0}), 0);
}

}  // namespace
}  // namespace headroom::report
