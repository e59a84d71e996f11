#include "sim/worth.hpp"

#include <gtest/gtest.h>

namespace headroom::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

environment::Profit published() {
  environment::Profit profit;
  profit.revenue_per_request = base::Usd(0.0009);
  profit.downtime_penalty = base::Usd(200);
  profit.downtime_below = 0.995;
  return profit;
}

// 9,000 requests a minute of which 100 fail, 98.9 %, then 9,000 of which 45 fail: 99.5 % exactly is up.
TEST(Worth, R01_a_minute_pays_for_what_it_serves_and_a_penalty_below_the_share) {
  Worth worth(published(), minutes(1));
  worth.add(150, 100 / 60.0);
  worth.add(150, 45 / 60.0);
  Summary summary;
  summary.cost_usd = 3;
  worth.fill(summary);
  EXPECT_NEAR(summary.requests, 18'000, 1e-9);
  EXPECT_NEAR(summary.requests_failed, 145, 1e-9);
  EXPECT_NEAR(summary.availability_percent, 100 * 17'855 / 18'000.0, 1e-9);
  EXPECT_EQ(summary.downtime_minutes, 1);
  ASSERT_TRUE(summary.profit_usd.has_value());
  EXPECT_NEAR(*summary.profit_usd, 17'855 * 0.0009 - 200 - 3, 1e-9);
}

// Two ticks of 30 seconds are a minute of downtime.
TEST(Worth, downtime_counts_the_time_of_the_ticks) {
  Worth worth(published(), seconds(30));
  worth.add(100, 50);
  worth.add(100, 50);
  worth.add(100, 0);
  Summary summary;
  worth.fill(summary);
  EXPECT_EQ(summary.downtime_minutes, 1);
  EXPECT_NEAR(*summary.profit_usd, 6'000 * 0.0009 - 200, 1e-9);
}

// The original divides by a load of almost nothing and calls a minute without requests down.
TEST(Worth, R08_a_minute_without_requests_is_up) {
  EXPECT_FALSE(serves_less(0, 0, 0.995));
  EXPECT_FALSE(serves_less(0, 0, 1));
  EXPECT_TRUE(serves_less(1, 1, 0.995));
  Worth worth(published(), minutes(1));
  worth.add(0, 0);
  Summary summary;
  worth.fill(summary);
  EXPECT_EQ(summary.downtime_minutes, 0);
  EXPECT_EQ(summary.availability_percent, 100);
  EXPECT_EQ(summary.profit_usd, 0);
}

TEST(Worth, without_a_stated_profit_there_is_none_and_downtime_is_below_99_5_percent) {
  Worth worth(std::nullopt, minutes(1));
  worth.add(1000, 4);
  worth.add(1000, 6);
  Summary summary;
  worth.fill(summary);
  EXPECT_FALSE(summary.profit_usd.has_value());
  EXPECT_EQ(summary.downtime_minutes, 1);
}

}  // namespace
}  // namespace headroom::sim
