#include "sim/strength.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "sim/serving.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;

constexpr Milliseconds kMinute{60'000};

TEST(Strength, HasTheMeanAndTheDeviationOfTheNoise) {
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 20'000;
  for (int tick = 0; tick < kDraws; ++tick) {
    const double drawn = strength(0.1, 7, tick * kMinute, kMinute);
    sum += drawn;
    squares += (drawn - 1) * (drawn - 1);
  }
  // Standard errors: 0.1 / sqrt(20,000) = 0.0007, and 0.1 / sqrt(40,000) = 0.0005.
  EXPECT_NEAR(sum / kDraws, 1, 0.003);
  EXPECT_NEAR(std::sqrt(squares / kDraws), 0.1, 0.002);
}

TEST(Strength, IsOneWithoutNoiseAndNeverNothing) {
  EXPECT_EQ(strength(0, 7, kMinute, kMinute), 1);
  for (int tick = 0; tick < 1000; ++tick) EXPECT_GE(strength(1, 7, tick * kMinute, kMinute), 0.05);
}

TEST(Strength, IsKeyedBySeedAndTick) {
  EXPECT_EQ(strength(0.1, 7, kMinute, kMinute), strength(0.1, 7, kMinute, kMinute));
  EXPECT_NE(strength(0.1, 7, kMinute, kMinute), strength(0.1, 8, kMinute, kMinute));
  EXPECT_NE(strength(0.1, 7, kMinute, kMinute), strength(0.1, 7, 2 * kMinute, kMinute));
}

TEST(Strength, AWeakTickMakesOpenInstancesBusierAndTakesLess) {
  ServingSettings settings;
  settings.capacity.slope_percent_per_rps = 10;
  settings.capacity.intercept_percent = 5;
  settings.capacity.noise = 0.2;
  settings.start = 100 * kMinute;
  settings.traffic = base::Series{settings.start, kMinute, {4, 4, 4, 40, 40, 40}};
  Serving serving(settings);
  for (int k = 0; k < 6; ++k) {
    const double drawn = strength(0.2, settings.seed, (100 + k) * kMinute, kMinute);
    const ServedTick tick = serving.tick(std::vector<Server>{{1}});
    if (k < 3) {
      EXPECT_NEAR(tick.servers[0].cpu_percent, 5 + 40 / drawn, 1e-4);
    } else {
      EXPECT_NEAR(tick.served_per_second, 9.5 * drawn, 1e-9);  // (100 - 5) / 10, and the noise
    }
  }
}

TEST(Strength, AWeakTickMakesClosedAnswersSlower) {
  workload::ClosedStage stage;  // one user who does not think
  stage.requests_each = 0;
  ServingSettings settings;
  settings.capacity.slope_percent_per_rps = 10;
  settings.capacity.noise = 0.2;
  settings.traffic = workload::Closed{{stage}, true};
  Serving serving(settings);
  for (int k = 0; k < 5; ++k) {
    const double drawn = strength(0.2, settings.seed, k * kMinute, kMinute);
    // An instance that is never idle answers 10 rps, and the noise; one more or less at the ends of the tick.
    EXPECT_NEAR(serving.tick(std::vector<Server>{{1}}).served_per_second, 10 * drawn, 1.0 / 60);
  }
}

}  // namespace
}  // namespace headroom::sim
