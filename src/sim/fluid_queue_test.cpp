#include "sim/fluid_queue.hpp"

#include <gtest/gtest.h>

namespace headroom::sim {
namespace {

using base::Cores;
using base::Milliseconds;

// 10 % of one core for a request per second: saturated at 10 rps.
constexpr FluidShape kShape{0.1, 0, 6, 60};

TEST(FluidQueue, FollowsTheExampleOfTheHeader) {
  FluidQueue queue(kShape, Processor(Cores(1), std::nullopt));
  const FluidTick first = queue.tick(15, false);
  EXPECT_NEAR(first.answered, 600, 1e-9);
  EXPECT_NEAR(first.failed, 210, 1e-9);
  EXPECT_NEAR(first.waiting, 90, 1e-9);
  EXPECT_NEAR(first.used_core_seconds, 60, 1e-9);
  // Two straight lines: 0 to 6 s in the first 18 s, 6 s from then on.
  ASSERT_EQ(first.waits.size(), 2u);
  EXPECT_NEAR(first.waits[0].from_seconds, 0, 1e-9);
  EXPECT_NEAR(first.waits[0].to_seconds, 6, 1e-9);
  EXPECT_NEAR(first.waits[0].requests, 180, 1e-9);
  EXPECT_NEAR(first.waits[1].from_seconds, 6, 1e-9);
  const FluidTick second = queue.tick(0, false);
  EXPECT_NEAR(second.answered, 60, 1e-9);
  EXPECT_NEAR(second.failed, 30, 1e-9);
  EXPECT_EQ(second.waiting, 0);
  EXPECT_NEAR(second.used_core_seconds, 6, 1e-9);
}

TEST(FluidQueue, WhatWaitsIsServedLaterWhereThereIsTime) {
  FluidShape shape = kShape;
  shape.longest_wait_seconds = 100;
  FluidQueue queue(shape, Processor(Cores(1), std::nullopt));
  // 900 come and 600 are answered; in the next tick those 300 take 30 s, in which 4 rps * 30 s = 120 come,
  // which take 12 s ...: 300 / (10 - 4) = 50 s until nothing waits.
  const FluidTick first = queue.tick(15, false);
  EXPECT_NEAR(first.waiting, 300, 1e-9);
  const FluidTick second = queue.tick(4, false);
  EXPECT_NEAR(second.answered, 50 * 10 + 10 * 4, 1e-9);
  EXPECT_EQ(second.waiting, 0);
  EXPECT_EQ(second.failed, 0);
  // The last of the first tick waits 60 - 40 = 20 s... served at 60 + 30 s: 30 s.
  double longest = 0;
  for (const Waited& waited : second.waits) longest = std::max(longest, waited.from_seconds);
  for (const Waited& waited : second.waits) longest = std::max(longest, waited.to_seconds);
  EXPECT_NEAR(longest, 30, 1e-9);
}

TEST(FluidQueue, WithoutAQueueTheSurplusFailsAtOnce) {
  FluidShape shape = kShape;
  shape.longest_wait_seconds = 0;
  FluidQueue queue(shape, Processor(Cores(1), std::nullopt));
  const FluidTick tick = queue.tick(15, false);
  EXPECT_NEAR(tick.answered, 600, 1e-9);
  EXPECT_NEAR(tick.failed, 300, 1e-9);
  EXPECT_EQ(tick.waiting, 0);
}

TEST(FluidQueue, AHungInstanceKeepsWhatItGetsForTheLongestWait) {
  FluidQueue queue(kShape, Processor(Cores(1), std::nullopt));
  const FluidTick hung = queue.tick(5, true);
  EXPECT_EQ(hung.answered, 0);
  EXPECT_NEAR(hung.failed, 54 * 5, 1e-9);  // those of the first 54 s
  EXPECT_NEAR(hung.waiting, 6 * 5, 1e-9);
  EXPECT_EQ(hung.used_core_seconds, 0);
  // It comes to itself: 10 rps are more than came, so that nobody fails any more; 30 wait, 30 / (10 - 5) = 6
  // s.
  const FluidTick well = queue.tick(5, false);
  EXPECT_EQ(well.failed, 0);
  EXPECT_NEAR(well.answered, 330, 1e-9);
  EXPECT_EQ(well.waiting, 0);
}

TEST(FluidQueue, SlowsDownWhereTheCreditEnds) {
  const environment::Credits credits{Cores(0.2), Milliseconds(8000), Milliseconds(8000), false};
  FluidShape shape = kShape;
  shape.longest_wait_seconds = 0;
  FluidQueue queue(shape, Processor(Cores(1), credits));
  // 4 rps use 0.4 cores: 8 s of credit last 8 / (0.4 - 0.2) = 40 s. Then 0.2 cores answer 2 rps.
  const FluidTick tick = queue.tick(4, false);
  EXPECT_NEAR(tick.answered, 40 * 4 + 20 * 2, 1e-9);
  EXPECT_NEAR(tick.failed, 20 * 2, 1e-9);
  EXPECT_NEAR(tick.used_core_seconds, 40 * 0.4 + 20 * 0.2, 1e-9);
  // At 1 rps it earns 0.1 a second, and has them whole again.
  EXPECT_NEAR(queue.tick(1, false).failed, 0, 1e-9);
  EXPECT_NEAR(queue.processor().credit_seconds(), 6, 1e-9);
}

TEST(FluidQueue, ARequestThatCostsNothingNeverWaits) {
  FluidQueue queue(FluidShape{0, 0.1, 6, 60}, Processor(Cores(1), std::nullopt));
  const FluidTick tick = queue.tick(1e6, false);
  EXPECT_NEAR(tick.answered, 6e7, 1e-3);
  EXPECT_EQ(tick.waiting, 0);
  EXPECT_NEAR(tick.used_core_seconds, 6, 1e-9);
}

}  // namespace
}  // namespace headroom::sim
