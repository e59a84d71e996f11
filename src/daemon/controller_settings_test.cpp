#include "daemon/controller_settings.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace headroom::daemon {
namespace {

using base::Milliseconds;

base::Result<Plan> plan_of_text(const std::string& scale, const std::string& rest = {}) {
  const environment::ReadFile none = [](const std::string& path) {
    return base::Result<std::string>(base::bad_input("no such file: " + path));
  };
  const std::string text =
      "name: shop\nzones: [a, b]\nservices:\n  web:\n    source: .\n    run: x\n    instance: {cpu: "
      "0.1}\n    scale:\n" +
      scale + rest;
  const auto loaded = environment::read(text, "/srv/shop/headroom.yaml", none);
  if (!loaded) return loaded.error();
  return plan_of(*loaded, "/srv/shop");
}

const std::string kStep = R"(      initial: 2
      min: 1
      max: 6
      policies:
        - step:
            every: 5s
            out: [{above: 60%, add: 1}]
            in: [{below: 30%, remove: 1}]
)";
const std::string kPeriod = "metrics: {period: 5s}\n";

struct Told {
  explicit Told(const base::Result<Plan>& made) {
    if (!made) throw std::runtime_error(base::to_string(made.error()));
    plan = *made;
    record.name = "web";
    record.desired = 2;
    record.version = "v1";
    record.internal_port = 20'007;
  }
  control::Settings settings(bool begins = false) const {
    return controller_settings(plan, plan.services[0], record, "0", Milliseconds(0), begins);
  }
  Plan plan;
  ServiceRecord record;
};

// Seconds, so that an override is carried out within one; what the policy sees comes as the file says.
TEST(ControllerSettings, have_the_policy_of_the_file_on_a_grid_of_seconds) {
  const Told told(plan_of_text(kStep, kPeriod));
  const control::Settings with = told.settings();
  EXPECT_EQ(with.tick, Milliseconds(1'000));
  EXPECT_EQ(with.metric_period, Milliseconds(5'000));
  EXPECT_EQ(with.policy.shape.policies, 1);
  EXPECT_EQ(with.policy.shape.policy[0].every, 5);
  EXPECT_EQ(with.policy.numbers.min, 1);
  EXPECT_EQ(with.policy.numbers.max, 6);
  EXPECT_EQ(with.token_prefix, "0-20007");
}

// An hour has more seconds than the window of a rate limit has ticks.
TEST(ControllerSettings, have_the_grid_of_the_file_where_seconds_are_too_fine) {
  const Told told(plan_of_text(kStep + "      rate: {out: 2 per 1h}\n", kPeriod + "tick: 5s\n"));
  EXPECT_EQ(told.settings().tick, Milliseconds(5'000));
}

TEST(ControllerSettings, begin_with_as_many_as_were_desired_before) {
  Told told(plan_of_text(kStep, kPeriod));
  told.record.desired = 4;
  EXPECT_EQ(told.settings(true).policy.numbers.min, 4);
  EXPECT_EQ(told.settings(true).policy.numbers.max, 4);
  EXPECT_EQ(told.settings(false).policy.numbers.min, 1);
}

TEST(ControllerSettings, hold_what_is_desired_where_there_is_no_policy) {
  Told told(plan_of_text("      max: 6\n"));
  told.record.desired = 3;
  EXPECT_EQ(told.settings().policy.numbers.min, 3);
  EXPECT_EQ(told.settings().policy.numbers.max, 3);
}

TEST(ControllerSettings, hold_the_number_that_a_person_asks_for) {
  Told told(plan_of_text(kStep, kPeriod));
  told.record.override = Override{5, Milliseconds(0), std::nullopt};
  for (const bool begins : {false, true}) {
    EXPECT_EQ(told.settings(begins).policy.numbers.min, 5);
    EXPECT_EQ(told.settings(begins).policy.numbers.max, 5);
  }
}

// The file allows 6 at most by now.
TEST(ControllerSettings, keep_a_person_within_the_limits_of_the_file) {
  Told told(plan_of_text(kStep, kPeriod));
  told.record.override = Override{9, Milliseconds(0), std::nullopt};
  EXPECT_EQ(told.settings().policy.numbers.max, 6);
  EXPECT_EQ(told.settings().policy.numbers.min, 6);
}

// Paused, nothing is added or removed, within the limits of the file.
TEST(ControllerSettings, add_and_remove_nothing_while_paused) {
  Told told(plan_of_text(kStep, kPeriod));
  told.record.override = Override{std::nullopt, Milliseconds(0), Milliseconds(500)};
  const control::Settings with = told.settings();
  EXPECT_EQ(with.policy.numbers.step_out, 0);
  EXPECT_EQ(with.policy.numbers.step_in, 0);
  EXPECT_EQ(with.policy.numbers.min, 1);
  EXPECT_FALSE(told.record.override->is_over(Milliseconds(499)));
  EXPECT_TRUE(told.record.override->is_over(Milliseconds(500)));
}

// What nobody's policy looks at is for people, who do not want to wait a minute.
TEST(ControllerSettings, measure_often_where_no_policy_looks) {
  EXPECT_EQ(Told(plan_of_text("      max: 3\n")).settings().metric_period, Milliseconds(5'000));
  EXPECT_EQ(Told(plan_of_text("      max: 3\n", "metrics: {period: 2s}\n")).settings().metric_period,
            Milliseconds(2'000));
}

}  // namespace
}  // namespace headroom::daemon
