#include "daemon/desired.hpp"

#include <gtest/gtest.h>

namespace headroom::daemon {
namespace {

Plan plan_with(int initial, int min, int max, double cores) {
  ServicePlan web;
  web.service.name = "web";
  web.initial = initial;
  web.min = min;
  web.max = max;
  web.version.cores = base::Cores(cores);
  Plan plan;
  plan.services = {web};
  return plan;
}

EnvironmentRecord record_with(int desired) {
  EnvironmentRecord record;
  record.services["web"].desired = desired;
  return record;
}

int desired_of(int before, const Plan& plan) {
  EnvironmentRecord record = record_with(before);
  set_desired(record, plan);
  return record.services.at("web").desired;
}

TEST(Desired, begins_with_what_the_file_says_and_keeps_what_was_asked_for) {
  EXPECT_EQ(desired_of(0, plan_with(2, 1, 5, 0.1)), 2);
  EXPECT_EQ(desired_of(4, plan_with(2, 1, 5, 0.1)), 4);
}

TEST(Desired, stays_within_the_limits_of_the_file) {
  EXPECT_EQ(desired_of(9, plan_with(2, 1, 5, 0.1)), 5);
  EXPECT_EQ(desired_of(1, plan_with(4, 3, 5, 0.1)), 3);
}

// 3 instances of a quarter of a core.
TEST(Desired, promises_every_instance_its_cores) {
  EXPECT_DOUBLE_EQ(promised_cores(record_with(3), plan_with(1, 1, 5, 0.25)), 0.75);
}

TEST(Desired, warns_above_four_fifths_of_the_machine_and_refuses_more_than_all) {
  EXPECT_TRUE(weigh_promise({1.6, 1.6, 0}, 2).value().empty());
  EXPECT_EQ(weigh_promise({1.61, 2, 0}, 2).value().size(), 1U);
  EXPECT_TRUE(weigh_promise({2, 2, 0}, 2));
  EXPECT_FALSE(weigh_promise({2.01, 2.01, 0}, 2));
}

// Environments share the machine.
TEST(Desired, counts_what_other_environments_were_promised) {
  EXPECT_TRUE(weigh_promise({1, 1, 0.6}, 2).value().empty());
  EXPECT_EQ(weigh_promise({1, 1, 0.61}, 2).value().size(), 1U);
  EXPECT_FALSE(weigh_promise({1, 1, 1.01}, 2));
}

// Only the policy knows whether it will ever have so many.
TEST(Desired, warns_where_all_that_may_come_is_more_than_the_machine) {
  EXPECT_DOUBLE_EQ(most_cores(plan_with(1, 1, 5, 0.25)), 1.25);
  EXPECT_TRUE(weigh_promise({0.2, 2, 0}, 2).value().empty());
  EXPECT_EQ(weigh_promise({0.2, 2.01, 0}, 2).value().size(), 1U);
}

// Two zones that scale apart, each with two.
TEST(Desired, counts_what_is_meant_for_each_zone_in_all_of_them) {
  Plan plan = plan_with(2, 1, 5, 0.1);
  plan.services[0].per_zone = true;
  plan.zones = {"a", "b"};
  EXPECT_EQ(desired_of(0, plan), 4);
  EXPECT_EQ(desired_of(20, plan), 10);
}

}  // namespace
}  // namespace headroom::daemon
