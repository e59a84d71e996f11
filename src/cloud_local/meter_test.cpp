#include "cloud_local/meter.hpp"

#include <gtest/gtest.h>

namespace headroom::cloud_local {
namespace {

using base::Milliseconds;
using base::Nanoseconds;

constexpr Milliseconds kPeriod{5'000};
constexpr Nanoseconds second(double s) { return Nanoseconds(static_cast<std::int64_t>(s * 1e9)); }

TEST(Meter, gives_the_mean_between_the_ends_of_two_periods) {
  Meter meter;
  EXPECT_FALSE(meter.turn(Milliseconds(5'000), kPeriod, {second(5), second(1), 100, 1}, base::Cores(0.2)));
  const auto metrics =
      meter.turn(Milliseconds(10'000), kPeriod, {second(10), second(1.5), 150, 1}, base::Cores(0.2));
  ASSERT_TRUE(metrics);
  EXPECT_EQ(metrics->end, Milliseconds(10'000));
  EXPECT_EQ(metrics->length, kPeriod);
  // 0.5 s of processor time in 5 s of 0.2 cores.
  EXPECT_DOUBLE_EQ(metrics->cpu->value(), 50);
  EXPECT_DOUBLE_EQ(metrics->requests->value(), 10);
}

TEST(Meter, tells_nothing_over_a_period_that_it_missed) {
  Meter meter;
  meter.turn(Milliseconds(5'000), kPeriod, {second(5), second(1), 100, 1}, base::Cores(1));
  EXPECT_FALSE(meter.turn(Milliseconds(20'000), kPeriod, {second(20), second(2), 200, 1}, base::Cores(1)));
}

TEST(Meter, knows_no_requests_where_another_one_counts_them) {
  Meter meter;
  meter.turn(Milliseconds(5'000), kPeriod, {second(5), second(1), 100, 1}, base::Cores(1));
  const auto metrics =
      meter.turn(Milliseconds(10'000), kPeriod, {second(10), second(2), 130, 2}, base::Cores(1));
  ASSERT_TRUE(metrics);
  EXPECT_TRUE(metrics->cpu);
  EXPECT_FALSE(metrics->requests) << "the counter began anew with a new balancer";
}

}  // namespace
}  // namespace headroom::cloud_local
