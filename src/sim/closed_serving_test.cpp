#include "sim/closed_serving.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "sim/serving.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using base::Percent;

// Users who think for a constant time; each request needs `work` seconds of one core.
ServingSettings settings_of(int users, int requests_each, double think_seconds, double work) {
  workload::ClosedStage stage;
  stage.users = users;
  stage.requests_each = requests_each;
  stage.think = Milliseconds(static_cast<std::int64_t>(1000 * think_seconds));
  ServingSettings settings;
  settings.capacity.slope_percent_per_rps = 100 * work;
  settings.traffic = workload::Closed{{stage}, true};
  settings.tick = Milliseconds(60'000);
  return settings;
}

TEST(ClosedServing, UsersOfASaturatedInstanceWaitLongerAndNothingFails) {
  // The example of the header: 1 / 0.36 rps, each answer takes users * 0.36 s, whatever the number of users.
  for (const int users : {2, 10}) {
    Serving serving(settings_of(users, 0, 0, 0.36));
    serving.tick(std::vector<Server>{{1}});
    const ServedTick tick = serving.tick(std::vector<Server>{{1}});
    EXPECT_NEAR(tick.served_per_second, 1 / 0.36, users / 60.0);
    EXPECT_NEAR(tick.p50_ms.value(), users * 360, users * 360 * 0.01);
    EXPECT_NEAR(tick.servers[0].cpu_percent, 100, 1e-3);
    EXPECT_EQ(tick.failed_per_second, 0);
    EXPECT_EQ(tick.servers[0].waiting, users);
  }
}

TEST(ClosedServing, UnsaturatedTheRateIsUsersOverThinkTimePlusAnswer) {
  // One user: 600 requests in 600 * (5.64 + 0.36) s = 3,600 s.
  Serving serving(settings_of(1, 0, 5.64, 0.36));
  double answered = 0;
  for (int minute = 0; minute < 60; ++minute) {
    const ServedTick tick = serving.tick(std::vector<Server>{{1}});
    answered += tick.served_per_second * 60;
    EXPECT_NEAR(tick.servers[0].cpu_percent, 6, 1e-3);  // 10 * 0.36 s of 60 s
  }
  EXPECT_NEAR(answered, 600, 1);
}

TEST(ClosedServing, IsOverWithTheLastAnswer) {
  Serving serving(settings_of(2, 100, 0.64, 0.01));
  double answered = 0;
  int ticks = 0;
  for (bool over = false; !over; ++ticks) {
    const ServedTick tick = serving.tick(std::vector<Server>{{1}, {2}});
    answered += tick.served_per_second * 60;
    over = tick.over;
  }
  // 100 requests, 99 pauses: 100 * 0.01 + 99 * 0.64 = 64.4 s.
  EXPECT_EQ(ticks, 2);
  EXPECT_NEAR(answered, 200, 1e-9);
}

TEST(ClosedServing, RequestsGoToTheServersInTurn) {
  ServingSettings settings = settings_of(1, 0, 1.0 - 0.01, 0.01);
  Serving serving(settings);
  // 60 requests at 0, 1, 2, ... s. The one of 60 s is of the next tick.
  const ServedTick tick = serving.tick(std::vector<Server>{{3}, {1}, {2, Condition::works, false}});
  EXPECT_FLOAT_EQ(tick.servers[0].requests_per_second, 0.5f);
  EXPECT_FLOAT_EQ(tick.servers[1].requests_per_second, 0.5f);
  EXPECT_EQ(tick.servers[2].requests_per_second, 0.0f);
}

TEST(ClosedServing, AVanishedServerTakesItsRequestsWithItAndItsUsersGoOn) {
  ServingSettings settings = settings_of(4, 0, 0, 100);  // nothing is answered within a tick
  Serving serving(settings);
  EXPECT_EQ(serving.tick(std::vector<Server>{{1}, {2}}).servers[0].waiting, 2);
  const ServedTick tick = serving.tick(std::vector<Server>{{2}});
  EXPECT_DOUBLE_EQ(tick.failed_per_second * 60, 2);
  EXPECT_EQ(tick.servers[0].waiting, 4);
  EXPECT_EQ(tick.servers[0].failed_per_second, 0);
}

TEST(ClosedServing, WithoutAServerRequestsFailAtOnceAndUsersTryAgainAfterASecond) {
  Serving serving(settings_of(1, 0, 0, 0.36));
  const ServedTick tick = serving.tick({});
  EXPECT_DOUBLE_EQ(tick.failed_per_second, 1);
  EXPECT_FALSE(tick.p95_ms);
}

TEST(ClosedServing, AHungServerFailsItsRequestsAfterTheQueueTimeOrAtOnceWithoutOne) {
  ServingSettings settings = settings_of(1, 0, 0, 1);
  {
    Serving serving(settings);
    const ServedTick tick = serving.tick(std::vector<Server>{{1, Condition::hung}});
    EXPECT_DOUBLE_EQ(tick.failed_per_second, 1);
    EXPECT_EQ(tick.servers[0].cpu_percent, 0.0f);
    EXPECT_EQ(tick.servers[0].waiting, 0);
  }
  settings.capacity.queue = Milliseconds(9000);
  Serving serving(settings);
  // 9 s of waiting besides the 1 s that the work takes: fails every 10 s; the last one as the tick ends.
  const ServedTick tick = serving.tick(std::vector<Server>{{1, Condition::hung}});
  EXPECT_DOUBLE_EQ(tick.servers[0].failed_per_second * 60, 6);
}

TEST(ClosedServing, HangingFailsWhatIsInWorkWhereThereIsNoQueue) {
  Serving serving(settings_of(1, 0, 0, 100));
  serving.tick(std::vector<Server>{{1}});
  const ServedTick tick = serving.tick(std::vector<Server>{{1, Condition::hung}});
  // The one in work, and then one a second, from 0 s on.
  EXPECT_DOUBLE_EQ(tick.failed_per_second * 60, 61);
}

// One user whose request takes 100 s of a core, of which 60 are done when the server stands for a tick.
// Paused, the rest takes 40 s afterwards. Hung, with a queue, the request is lost when the tick is over; the
// next one has had 60 s then. While it restarts the request and one a second fail.
TEST(ClosedServing, WhatIsPausedGoesOnWhatHungHasLostItsRequestsAndARestartLosesThemAtOnce) {
  struct Case {
    Condition condition;
    double failed_in_second;
    double failed_in_third;
    double answered_in_third;
  };
  for (const Case& made : {Case{Condition::paused, 0, 0, 1}, Case{Condition::hung, 0, 1, 0},
                           Case{Condition::restarts, 61, 0, 0}}) {
    ServingSettings settings = settings_of(1, 0, 0, 100);
    settings.capacity.queue = Milliseconds(600'000);
    Serving serving(settings);
    serving.tick(std::vector<Server>{{1}});
    const ServedTick second = serving.tick(std::vector<Server>{{1, made.condition}});
    EXPECT_NEAR(second.failed_per_second * 60, made.failed_in_second, 1e-9);
    EXPECT_EQ(second.served_per_second, 0);
    const ServedTick third = serving.tick(std::vector<Server>{{1}});
    EXPECT_NEAR(third.failed_per_second * 60, made.failed_in_third, 1e-9);
    EXPECT_NEAR(third.served_per_second * 60, made.answered_in_third, 1e-9);
  }
}

// Users wait for as long as it takes where there is no queue.
TEST(ClosedServing, WithoutAQueueARequestWaitsForWhatIsPaused) {
  Serving serving(settings_of(1, 0, 0, 1));
  EXPECT_EQ(serving.tick(std::vector<Server>{{1, Condition::paused}}).servers[0].waiting, 1);
  EXPECT_EQ(serving.tick(std::vector<Server>{{1}}).failed_per_second, 0);
}

TEST(ClosedServing, AnAnswerTakesBesideProcessorTimeWhatWasMeasured) {
  ServingSettings settings = settings_of(1, 0, 0, 0.01);
  settings.capacity.latency = {{Percent(0), 50, 80, 100}, {Percent(90), 500, 800, 1000}};
  Serving serving(settings);
  // Alone on the instance: the 50 ms of the lowest measured utilisation, of which 10 ms are processor time.
  const ServedTick tick = serving.tick(std::vector<Server>{{1}});
  EXPECT_NEAR(tick.p50_ms.value(), 50, 0.5);
  EXPECT_NEAR(tick.served_per_second, 20, 0.1);
  EXPECT_NEAR(tick.servers[0].cpu_percent, 20, 0.1);
}

TEST(ClosedServing, OfABurstableInstanceTheMetricIsOfTheBaseline) {
  ServingSettings settings = settings_of(1, 0, 9, 1);
  settings.credits = environment::Credits{base::Cores(0.2), Milliseconds(60'000), Milliseconds(60'000), true};
  Serving serving(settings);
  // 0.1 cores in use: half of the baseline.
  EXPECT_NEAR(serving.tick(std::vector<Server>{{1}}).servers[0].cpu_percent, 50, 1e-3);
}

}  // namespace
}  // namespace headroom::sim
