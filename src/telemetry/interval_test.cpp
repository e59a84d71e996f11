#include "telemetry/interval.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/philox.hpp"

namespace headroom::telemetry {
namespace {

TEST(Interval, worked_example_of_the_header) {
  const std::vector<double> costs = {10, 12, 11, 13, 14};
  const Interval result = interval(costs).value();
  EXPECT_EQ(result.count, 5U);
  EXPECT_DOUBLE_EQ(result.mean, 12.0);
  EXPECT_DOUBLE_EQ(result.standard_deviation.value(), std::sqrt(2.5));
  // 2.7764451052 (printed tables: 2.776) * sqrt(2.5 / 5).
  EXPECT_NEAR(result.half_width.value(), 2.7764451052 * std::sqrt(0.5), 1e-9);
}

TEST(Interval, wider_for_more_confidence) {
  const std::vector<double> values = {1, 2, 3, 4};
  // t(0.995, 3) = 5.841, t(0.975, 3) = 3.182 (printed tables).
  const double ratio =
      interval(values, 0.99).value().half_width.value() / interval(values).value().half_width.value();
  EXPECT_NEAR(ratio, 5.841 / 3.182, 5e-4);
}

TEST(Interval, no_value_gives_none_and_one_value_claims_no_spread) {
  EXPECT_FALSE(interval({}).has_value());
  const std::vector<double> one = {7};
  EXPECT_EQ(interval(one).value(), (Interval{1, 7.0, std::nullopt, std::nullopt}));
}

TEST(Interval, keeps_its_digits_on_a_large_offset) {
  // 1e9 + {1, 2, 3}: the textbook formula of sums of squares would lose all of the variance of 1.
  const std::vector<double> values = {1e9 + 1, 1e9 + 2, 1e9 + 3};
  EXPECT_DOUBLE_EQ(interval(values).value().standard_deviation.value(), 1.0);
}

TEST(Interval, shifting_shifts_the_mean_only) {
  EXPECT_TRUE(rc::check([](std::vector<std::int16_t> raw) {
    RC_PRE(raw.size() >= 2U);
    std::vector<double> values(raw.begin(), raw.end());
    const Interval before = interval(values).value();
    for (double& value : values) value += 1000.0;
    const Interval after = interval(values).value();
    RC_ASSERT(std::fabs(after.mean - before.mean - 1000.0) < 1e-8);
    RC_ASSERT(std::fabs(after.half_width.value() - before.half_width.value()) < 1e-6);
  }));
}

TEST(Interval, covers_the_true_mean_as_often_as_it_says) {
  // 4,000 experiments of five normal values: the share that covers the mean is 0.95 +- sqrt(0.95*0.05/4000) =
  // 0.0034 (one standard error). With the normal factor 1.96 instead of Student's 2.776 it would be 0.88.
  base::Rng rng(11);
  int covered = 0;
  for (int experiment = 0; experiment < 4000; ++experiment) {
    std::vector<double> values(5);
    for (double& value : values) value = 100.0 + 15.0 * rng.normal();
    const Interval result = interval(values).value();
    covered += std::fabs(result.mean - 100.0) <= result.half_width.value() ? 1 : 0;
  }
  EXPECT_NEAR(covered / 4000.0, 0.95, 4 * 0.0034);
}

TEST(PairedDifference, shared_luck_cancels) {
  // Each seed costs a between 10 and 50; b is always 1 more, give or take 0.1.
  const std::vector<double> a = {10, 50, 30, 20};
  const std::vector<double> b = {11.1, 50.9, 31, 21};
  const Interval difference = paired_difference(a, b).value();
  EXPECT_NEAR(difference.mean, -1.0, 1e-12);
  EXPECT_LT(difference.half_width.value(), 0.2);
  EXPECT_TRUE(proves_below_zero(difference));
  EXPECT_FALSE(proves_above_zero(difference));
  EXPECT_TRUE(proves_above_zero(paired_difference(b, a).value()));
}

TEST(PairedDifference, one_pair_proves_nothing) {
  const std::vector<double> a = {1};
  const std::vector<double> b = {2};
  EXPECT_FALSE(proves_below_zero(paired_difference(a, b).value()));
  EXPECT_FALSE(proves_above_zero(paired_difference(b, a).value()));
}

TEST(PairedDifference, unequal_lengths_are_a_programmers_error) {
  const std::vector<double> a = {1, 2};
  const std::vector<double> b = {2};
  EXPECT_DEATH((void)paired_difference(a, b), "2 values against 1");
}

}  // namespace
}  // namespace headroom::telemetry
