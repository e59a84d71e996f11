// What instances with identities are charged, in a rehearsal with instances.
#include <gtest/gtest.h>

#include "sim/instance_rehearsal.hpp"
#include "tests/plain_environment.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
constexpr Milliseconds kMinute{60'000};

// 70 minutes at 60 requests a second, which is 60 % on the one instance that there may be.
Rehearsal rehearsed(const environment::Billing& billing) {
  environment::Environment environment = environment::plain_environment();
  environment::Service& web = environment.services.front();
  web.instance.billing = billing;
  web.scale.scaling.limits.max = 1;
  workload::Traffic traffic;
  traffic.shape = workload::Open{.start = base::Rate(60), .stages = {{70 * kMinute, {}, base::Rate(60)}}};
  const auto scenario = compile_instances(environment, web, traffic, 1);
  EXPECT_TRUE(scenario);
  return rehearse(*scenario);
}

TEST(InstanceBilling, ABegunHourIsCharged) {
  const Rehearsal rehearsal = rehearsed({.model = environment::BillingModel::hourly});
  // 70 minutes are 2 charged hours at $0.6.
  ASSERT_EQ(rehearsal.instances.size(), 1u);
  EXPECT_EQ(rehearsal.instances[0].launches, 1);
  EXPECT_EQ(rehearsal.instances[0].runtime_minutes, 70);
  EXPECT_EQ(rehearsal.instances[0].charged_hours, 2);
  EXPECT_NEAR(rehearsal.summary.cost_usd, 1.2, 1e-12);
  EXPECT_NEAR(rehearsal.summary.cost_in_service_usd, 1.2, 1e-12);
  EXPECT_EQ(rehearsal.summary.launches, 1);
  EXPECT_EQ(rehearsal.summary.charged_hours, 2);
}

TEST(InstanceBilling, PerSecondIsTheTimeAndAMinimumAtLeast) {
  EXPECT_NEAR(rehearsed({}).summary.cost_usd, 70.0 / 60 * 0.6, 1e-12);
  EXPECT_NEAR(rehearsed({.minimum = 90 * kMinute}).summary.cost_usd, 1.5 * 0.6, 1e-12);
}

TEST(InstanceBilling, WhatCountsCannotChargeNeedsInstances) {
  const auto needs = [](const environment::Billing& billing) {
    environment::Service web;
    web.instance.billing = billing;
    return needs_instances({}, web, {}).size();
  };
  EXPECT_EQ(needs({}), 0u);
  EXPECT_EQ(needs({.model = environment::BillingModel::hourly}), 1u);
  EXPECT_EQ(needs({.minimum = kMinute}), 1u);
  EXPECT_EQ(needs({.from_in_service = true}), 0u);
}

TEST(InstanceBilling, ItWarnsAtEachEvaluationThatWantsMoreThanMax) {
  // The policy is asked every minute; at the first it has no metric yet.
  EXPECT_EQ(rehearsed({}).summary.warnings_at_max, 69);
}

}  // namespace
}  // namespace headroom::sim
