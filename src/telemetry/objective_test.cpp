#include "telemetry/objective.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>
#include <cmath>

namespace headroom::telemetry {
namespace {

using base::Milliseconds;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(ErrorBudget, worked_example_of_the_header) {
  const Compliance so_far{hours(240) - seconds(432), seconds(432), Milliseconds(0)};  // 7.2 minutes
  const ErrorBudget budget = error_budget(so_far, 0.999, hours(720));
  EXPECT_EQ(budget.permitted, seconds(2592));  // 43.2 minutes
  EXPECT_EQ(budget.left, seconds(2160));       // 36 minutes
  EXPECT_DOUBLE_EQ(budget.left_share, 36.0 / 43.2);
  EXPECT_NEAR(burn_rate({minutes(57), minutes(3), minutes(0)}, 0.999).value(), 50.0, 1e-9);
}

TEST(Compliance, a_value_equal_to_the_limit_keeps_it_and_a_missing_one_is_unknown) {
  const Series cpu{Milliseconds(0), minutes(1), {49.9, 50.0, 50.1, std::nan(""), 80.0}};
  EXPECT_EQ(compliance_at_most(cpu, 50), (Compliance{minutes(2), minutes(2), minutes(1)}));
  const Series availability{Milliseconds(0), seconds(10), {99.5, 99.4, std::nan(""), 100}};
  EXPECT_EQ(compliance_at_least(availability, 99.5), (Compliance{seconds(20), seconds(10), seconds(10)}));
}

TEST(Compliance, unknown_time_counts_neither_way) {
  EXPECT_EQ(violated_share({minutes(3), minutes(1), minutes(96)}), 0.25);
  EXPECT_FALSE(violated_share({minutes(0), minutes(0), minutes(5)}).has_value());
  EXPECT_FALSE(burn_rate({}, 0.99).has_value());
}

TEST(Keeps, exactly_the_permitted_time_is_within_the_promise) {
  // 0.1 % of 1,000 minutes is one minute; in binary 1 - 0.999 is a little more than 0.001, 1 - 0.9 a little
  // less.
  EXPECT_TRUE(keeps({minutes(999), minutes(1), minutes(0)}, 0.999));
  EXPECT_FALSE(keeps({minutes(998), minutes(2), minutes(0)}, 0.999));
  EXPECT_TRUE(keeps({minutes(9), minutes(1), minutes(0)}, 0.9));
  EXPECT_TRUE(keeps({minutes(9), minutes(0), minutes(0)}, 1.0));
  EXPECT_FALSE(keeps({minutes(9), Milliseconds(1), minutes(0)}, 1.0));
  EXPECT_TRUE(keeps({}, 1.0));
}

TEST(ErrorBudget, is_negative_when_overspent_and_nothing_where_nothing_is_permitted) {
  EXPECT_EQ(error_budget({minutes(0), minutes(5), minutes(0)}, 0.9, minutes(20)).left, -minutes(3));
  const ErrorBudget none = error_budget({minutes(0), minutes(5), minutes(0)}, 1.0, minutes(20));
  EXPECT_EQ(none, (ErrorBudget{Milliseconds(0), -minutes(5), 0.0}));
  EXPECT_EQ(burn_rate({minutes(1), minutes(1), minutes(0)}, 1.0), INFINITY);
  EXPECT_EQ(burn_rate({minutes(1), minutes(0), minutes(0)}, 1.0), 0.0);
}

TEST(BurnRate, spending_at_rate_one_for_the_period_spends_the_budget) {
  EXPECT_TRUE(rc::check([] {
    const auto period_minutes = *rc::gen::inRange(1, 100'000);
    const auto violated_minutes = *rc::gen::inRange(0, period_minutes + 1);
    const double promised = *rc::gen::inRange(1, 1000) / 1000.0;
    const Compliance whole{minutes(period_minutes - violated_minutes), minutes(violated_minutes), minutes(0)};
    const double burn = burn_rate(whole, promised).value();
    const ErrorBudget budget = error_budget(whole, promised, minutes(period_minutes));
    // left / permitted = 1 - burn, but for the rounding of the permitted time to a millisecond.
    const double tolerance = 1.0 / static_cast<double>(budget.permitted.count()) * (1 + burn);
    RC_ASSERT(std::fabs(budget.left_share - (1.0 - burn)) <= tolerance);
    RC_ASSERT(keeps(whole, promised) == (budget.left.count() >= 0));
  }));
}

}  // namespace
}  // namespace headroom::telemetry
