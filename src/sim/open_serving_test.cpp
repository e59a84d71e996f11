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
  const ServedTick tick = serving.tick(std::vector<Server>{{1}, {2, Condition::hung}});
  EXPECT_DOUBLE_EQ(tick.served_per_second, 5);
  EXPECT_DOUBLE_EQ(tick.servers[1].failed_per_second, 5);
  EXPECT_EQ(tick.servers[1].requests_per_second, 5.0f);
  EXPECT_EQ(tick.servers[1].cpu_percent, 0.0f);
}

// 10 rps are taken, and may wait for two minutes: 15 rps in the first tick leave 300 waiting. In the second
// tick, with 5 rps, 300 more come; in the third, without any, the server works again and could answer all
// 600. Those that waited came in the last 20 s of the first tick: none of them is too old before the third.
TEST(OpenServing, WhatIsPausedGoesOnWhatHungHasLostItsRequestsAndARestartLosesThemAtOnce) {
  struct Case {
    Condition condition;
    double failed_in_second;
    double failed_in_third;
    double answered_in_third;
  };
  for (const Case& made : {Case{Condition::paused, 0, 0, 600}, Case{Condition::hung, 0, 600, 0},
                           Case{Condition::restarts, 600, 0, 0}}) {
    ServingSettings settings = settings_of({15, 5, 0}, 10, 0);
    settings.capacity.queue = Milliseconds(120'000);
    Serving serving(settings);
    EXPECT_NEAR(serving.tick(std::vector<Server>{{1}}).servers[0].waiting, 300, 1e-6);
    const ServedTick second = serving.tick(std::vector<Server>{{1, made.condition}});
    EXPECT_NEAR(second.failed_per_second * 60, made.failed_in_second, 1e-6);
    EXPECT_EQ(second.served_per_second, 0);
    const ServedTick third = serving.tick(std::vector<Server>{{1}});
    EXPECT_NEAR(third.failed_per_second * 60, made.failed_in_third, 1e-6);
    EXPECT_NEAR(third.served_per_second * 60, made.answered_in_third, 1e-6);
  }
}

// 6 core-seconds of credit and a baseline of half a core: while it restarts for a minute it earns 30.
TEST(OpenServing, ARestartKeepsTheCredit) {
  ServingSettings settings = settings_of({10, 10, 10}, 10, 0);
  settings.credits = environment::Credits{base::Cores(0.5), Milliseconds(6'000), Milliseconds(60'000), false};
  Serving serving(settings);
  // Whole for 12 s, half for 48: 36 core-seconds, 360 of 600 answered.
  EXPECT_NEAR(serving.tick(std::vector<Server>{{1}}).served_per_second * 60, 360, 1e-6);
  EXPECT_EQ(serving.tick(std::vector<Server>{{1, Condition::restarts}}).served_per_second, 0);
  // Whole for the whole minute: 30 more than the baseline.
  EXPECT_NEAR(serving.tick(std::vector<Server>{{1}}).served_per_second * 60, 600, 1e-6);
}

TEST(OpenServing, AServerOutOfRotationGetsNothing) {
  Serving serving(settings_of({10}, 10, 5));
  const ServedTick tick = serving.tick(std::vector<Server>{{1, Condition::works, /*receives=*/false}, {2}});
  EXPECT_EQ(tick.servers[0].requests_per_second, 0.0f);
  EXPECT_EQ(tick.servers[0].cpu_percent, 5.0f);  // the intercept
  EXPECT_EQ(tick.servers[1].requests_per_second, 10.0f);
}

TEST(OpenServing, WithoutAServerInRotationEverythingFails) {
  Serving serving(settings_of({10, 10}, 10, 0));
  EXPECT_DOUBLE_EQ(serving.tick({}).failed_per_second, 10);
  const ServedTick tick = serving.tick(std::vector<Server>{{1, Condition::works, /*receives=*/false}});
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

TEST(OpenServing, WaitingIsPartOfTheLatency) {
  ServingSettings settings = settings_of({12}, 10, 0);
  settings.capacity.queue = Milliseconds(100'000);
  settings.capacity.latency = {{base::Percent(0), 20, 40, 60}};
  // 10 of 12 rps are answered, so the wait grows by 1 - 10/12 a second, from 0 to 10 s over the minute.
  const ServedTick tick = Serving(settings).tick(std::vector<Server>{{1}});
  EXPECT_NEAR(tick.p50_ms.value(), 5'020, 1e-3);
  EXPECT_NEAR(tick.p95_ms.value(), 9'540, 1e-3);
  EXPECT_NEAR(tick.p99_ms.value(), 9'960, 1e-3);
  EXPECT_NEAR(tick.servers[0].waiting, 120, 1e-9);
  EXPECT_FALSE(tick.over);
}

TEST(OpenServing, AVanishedServerTakesWhatWaitedWithIt) {
  ServingSettings settings = settings_of({24, 0}, 10, 0);
  settings.capacity.queue = Milliseconds(100'000);
  Serving serving(settings);
  serving.tick(std::vector<Server>{{1}, {2}});
  // 120 waited in each; those in server 2 are answered.
  const ServedTick tick = serving.tick(std::vector<Server>{{2}});
  EXPECT_NEAR(tick.failed_per_second * 60, 120, 1e-9);
  EXPECT_NEAR(tick.served_per_second * 60, 120, 1e-9);
  EXPECT_TRUE(tick.over);
}

TEST(OpenServing, TheMetricOfABurstableInstanceIsOfItsBaseline) {
  ServingSettings settings = settings_of({1, 3}, 10, 0);
  settings.credits = environment::Credits{base::Cores(0.2), Milliseconds(3000), Milliseconds(3000), true};
  Serving serving(settings);
  // 0.1 cores of 0.2. Then 0.3 for 3 / (0.3 - 0.2) = 30 s and 0.2 for the rest: 125 %, which the meter shows
  // as at most 100 of its period; the third that is too much then fails.
  EXPECT_FLOAT_EQ(serving.tick(std::vector<Server>{{1}}).servers[0].cpu_percent, 50.0f);
  const ServedTick tick = serving.tick(std::vector<Server>{{1}});
  EXPECT_FLOAT_EQ(tick.servers[0].cpu_percent, 125.0f);
  EXPECT_EQ(metered(tick.servers[0].cpu_percent), 100.0f);
  EXPECT_NEAR(tick.failed_per_second * 60, 30, 1e-9);
}

}  // namespace
}  // namespace headroom::sim
