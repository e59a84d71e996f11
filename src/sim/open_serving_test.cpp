#include "sim/open_serving.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "sim/serving.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;

ServingSettings settings_of(std::vector<double> requests_per_second, double slope, double intercept) {
  ServingSettings settings;
  settings.capacity.slope_percent_per_rps = slope;
  settings.capacity.intercept_percent = intercept;
  settings.traffic = base::Series{Milliseconds(0), Milliseconds(60'000), std::move(requests_per_second)};
  return settings;
}

TEST(OpenServing, PlainTrafficGivesTheFloatsOfTheLanes) {
  const double slope = 0.0523014;
  const double intercept = 2.7;
  Serving serving(settings_of({1234.567, 3210.9}, slope, intercept));
  for (const double rate : {1234.567, 3210.9}) {
    const ServedTick tick = serving.tick(std::vector<Server>{{7}, {8}, {9}});
    const float requests = static_cast<float>(rate) / 3.0f;
    const float cpu = static_cast<float>(intercept) + static_cast<float>(slope) * requests;
    ASSERT_EQ(tick.servers.size(), 3u);
    for (const ServerOutcome& outcome : tick.servers) {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(outcome.requests_per_second),
                std::bit_cast<std::uint32_t>(requests));
      EXPECT_EQ(std::bit_cast<std::uint32_t>(outcome.cpu_percent), std::bit_cast<std::uint32_t>(cpu));
      EXPECT_EQ(outcome.failed_per_second, 0);
    }
  }
}

TEST(OpenServing, WhatIsBeyondSaturationFailsAtOnceWhereThereIsNoQueue) {
  Serving serving(settings_of({30}, 10, 0));
  // 15 rps on each ask for 150 %: 10 are answered and 5 fail.
  const ServedTick tick = serving.tick(std::vector<Server>{{1}, {2}});
  EXPECT_EQ(tick.servers[0].cpu_percent, 100.0f);
  EXPECT_DOUBLE_EQ(tick.servers[0].failed_per_second, 5);
  EXPECT_DOUBLE_EQ(tick.served_per_second, 20);
  EXPECT_DOUBLE_EQ(tick.failed_per_second, 10);
  EXPECT_TRUE(tick.over);
}

TEST(OpenServing, AHungServerGetsItsShareAndAnswersNone) {
  Serving serving(settings_of({10}, 10, 5));
  const ServedTick tick = serving.tick(std::vector<Server>{{1}, {2, /*hung=*/true}});
  EXPECT_DOUBLE_EQ(tick.served_per_second, 5);
  EXPECT_DOUBLE_EQ(tick.servers[1].failed_per_second, 5);
  EXPECT_EQ(tick.servers[1].requests_per_second, 5.0f);
  EXPECT_EQ(tick.servers[1].cpu_percent, 0.0f);
}

TEST(OpenServing, AServerOutOfRotationGetsNothing) {
  Serving serving(settings_of({10}, 10, 5));
  const ServedTick tick = serving.tick(std::vector<Server>{{1, false, /*receives=*/false}, {2}});
  EXPECT_EQ(tick.servers[0].requests_per_second, 0.0f);
  EXPECT_EQ(tick.servers[0].cpu_percent, 5.0f);  // the intercept
  EXPECT_EQ(tick.servers[1].requests_per_second, 10.0f);
}

TEST(OpenServing, WithoutAServerInRotationEverythingFails) {
  Serving serving(settings_of({10, 10}, 10, 0));
  EXPECT_DOUBLE_EQ(serving.tick({}).failed_per_second, 10);
  const ServedTick tick = serving.tick(std::vector<Server>{{1, false, /*receives=*/false}});
  EXPECT_DOUBLE_EQ(tick.failed_per_second, 10);
  EXPECT_DOUBLE_EQ(tick.served_per_second, 0);
}

TEST(OpenServing, LatencyIsThatOfTheCapacityModelAtTheUtilisation) {
  ServingSettings settings = settings_of({4}, 10, 0);
  settings.capacity.latency = {{base::Percent(0), 10, 20, 30}, {base::Percent(40), 20, 40, 60}};
  // 2 rps on each of two servers: 20 %, half way between the points.
  const ServedTick tick = Serving(settings).tick(std::vector<Server>{{1}, {2}});
  EXPECT_DOUBLE_EQ(tick.p50_ms.value(), 15);
  EXPECT_DOUBLE_EQ(tick.p95_ms.value(), 30);
  EXPECT_DOUBLE_EQ(tick.p99_ms.value(), 45);
}

}  // namespace
}  // namespace headroom::sim
