#include "tune/limits.hpp"

#include <gtest/gtest.h>

#include "tests/plain_environment.hpp"

namespace headroom::tune {
namespace {

using base::Milliseconds;
using base::Rate;
constexpr Milliseconds kMinute{60'000};

// One instance takes 60 requests per second within the objective of 60 %.
sim::Scenario scenario(int min, int max, double above, int add) {
  environment::Environment environment = environment::plain_environment();
  environment::Service& web = environment.services.front();
  web.capacity.startup = 4 * kMinute;
  policy::StepPolicy step;
  step.out = {{above, false, add}};
  web.scale.scaling.initial = min;
  web.scale.scaling.limits.min = min;
  web.scale.scaling.limits.max = max;
  web.scale.scaling.policies = {step};
  web.objective.cpu = base::Percent(60);
  return *sim::compile(environment, web);
}

TEST(Limits, AFleetThatCannotGrowSurvivesWhatItTakesAtOnce) {
  // 10 instances x 60 requests per second.
  const auto surges = limits(scenario(10, 10, 50, 1), std::nullopt, {.base = Rate(100), .ramps = {}});
  ASSERT_TRUE(surges);
  EXPECT_DOUBLE_EQ(surges->ceiling.value(), 600);
  ASSERT_TRUE(surges->highest.front().peak.has_value());
  EXPECT_DOUBLE_EQ(surges->highest.front().peak->value(), 600);
  EXPECT_TRUE(surges->highest.front().at_ceiling);
  EXPECT_EQ(surges->steepest_to_ceiling, Milliseconds(0));
}

TEST(Limits, ASurgeFasterThanTheStartUpIsBoundedByTheFleetThatStandsThere) {
  // At 100 requests per second 2 instances stand at 50 %, the threshold: above it they would have grown to 3.
  // At once they take 2 x 60 = 120; a step of the search is 1 % of the way from 100 to 6000, 59: none fits.
  const auto surges = limits(scenario(2, 100, 50, 1), std::nullopt, {.base = Rate(100), .ramps = {}});
  ASSERT_TRUE(surges);
  EXPECT_FALSE(surges->highest.front().peak.has_value());
}

TEST(Limits, SlowerRisesGoAtLeastAsHigh) {
  const auto surges = limits(scenario(2, 40, 40, 2), std::nullopt, {.base = Rate(100), .ramps = {}});
  ASSERT_TRUE(surges);
  double before = 0;
  for (const Surge& surge : surges->highest) {
    const double peak = surge.peak ? surge.peak->value() : 0;
    EXPECT_GE(peak, before) << base::minutes(surge.ramp) << " min";
    before = peak;
  }
}

TEST(Limits, WithoutAnObjectiveThereIsNothingToSurvive) {
  sim::Scenario free = scenario(2, 10, 50, 1);
  free.cpu_limit_percent = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(limits(free, std::nullopt, {}));
}

TEST(Limits, ABaseAboveTheCeilingIsRefused) {
  EXPECT_FALSE(limits(scenario(2, 10, 50, 1), std::nullopt, {.base = Rate(601), .ramps = {}}));
}

}  // namespace
}  // namespace headroom::tune
