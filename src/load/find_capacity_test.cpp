#include "load/find_capacity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/philox.hpp"
#include "capacity/measurements.hpp"

namespace headroom::load {
namespace {

// An instance with a cost per request and a knee at 60 %: one server of an M/M/1 queue, whose p95 is
// -ln(0.05) times the mean time 10 ms / (1 - utilisation).
struct Instance {
  double percent_per_rps = 2;
  double idle_percent = 1;
  double noise = 0.02;
  double drift_per_step = 0;
  bool tells_utilisation = true;
  base::Rng rng{7};
  int step = 0;

  CapacityStep drive(base::Rate rate) {
    const double cost = percent_per_rps * (1 + drift_per_step * step++);
    const double wanted = (idle_percent + cost * rate.value()) * (1 + noise * rng.normal());
    const double used = std::min(wanted, 100.0);
    CapacityStep result;
    result.offered = rate;
    result.answered = base::Rate(std::min(rate.value(), 100 / cost));
    if (tells_utilisation) result.utilisation = base::Percent(used);
    result.when.from = base::Milliseconds(12'000 * step);
    result.when.to = result.when.from + base::Milliseconds(10'000);
    result.due = static_cast<std::uint64_t>(10 * rate.value());
    result.ended = static_cast<std::uint64_t>(10 * result.answered.value());
    const double mean_ms = 10 / (1 - std::min(used, 99.0) / 100);
    result.p50_ms = 0.69 * mean_ms;
    result.p95_ms = 3.0 * mean_ms;
    result.p99_ms = 4.6 * mean_ms;
    return result;
  }
};

DriveRate driving(Instance& instance) {
  return [&instance](base::Rate rate) -> base::Result<std::optional<CapacityStep>> {
    return std::optional(instance.drive(rate));
  };
}

TEST(FindCapacity, BracketsTheSaturationAndStopsByItself) {
  Instance instance;
  const auto found = find_capacity({}, driving(instance), {});
  ASSERT_TRUE(found) << base::to_string(found.error());
  EXPECT_NEAR(found->fit->line.slope, 2, 0.1);
  EXPECT_LE(found->fit->line.slope_95.low, 2);
  EXPECT_GE(found->fit->line.slope_95.high, 2);
  EXPECT_GT(found->fit->line.r_squared, 0.98);
  ASSERT_TRUE(found->saturation);
  EXPECT_NEAR(found->saturation->value(), 50, 3);
  EXPECT_EQ(found->fit->knee.has_value(), true);
  // Eight rates three times, the few of the rise, and at most eight near the knee.
  EXPECT_GE(found->steps.size(), 24U);
  EXPECT_LE(found->steps.size(), 24U + 8 + 8);
  EXPECT_TRUE(found->notes.empty()) << found->notes[0];
}

TEST(FindCapacity, DrivesTheRatesOfARoundInARandomOrder) {
  Instance instance;
  const auto found = find_capacity({}, driving(instance), {});
  ASSERT_TRUE(found);
  std::vector<std::vector<double>> rounds(5);  // the last is near the knee
  for (const CapacityStep& step : found->steps) {
    rounds[static_cast<std::size_t>(step.round)].push_back(step.offered.value());
  }
  EXPECT_NE(rounds[1], rounds[2]);
  std::sort(rounds[1].begin(), rounds[1].end());
  std::sort(rounds[2].begin(), rounds[2].end());
  EXPECT_EQ(rounds[1], rounds[2]);
}

TEST(FindCapacity, RepeatsANoisyMeasurementMoreOftenAndSaysHowWellItIsKnown) {
  Instance instance;
  instance.noise = 0.3;
  CapacitySearch search;
  search.slope_within = 0.01;
  const auto found = find_capacity(search, driving(instance), {});
  ASSERT_TRUE(found) << base::to_string(found.error());
  EXPECT_EQ(std::count_if(found->steps.begin(), found->steps.end(),
                          [](const auto& step) { return step.round == 6; }),
            8);
  EXPECT_LE(found->steps.back().round, 7);  // near the knee
  ASSERT_FALSE(found->notes.empty());
  EXPECT_NE(found->notes[0].find("After 6 rounds the slope is known to"), std::string::npos)
      << found->notes[0];
}

TEST(FindCapacity, WarnsOfADrift) {
  Instance instance;
  instance.drift_per_step = 0.02;
  const auto found = find_capacity({}, driving(instance), {});
  ASSERT_TRUE(found) << base::to_string(found.error());
  EXPECT_GT(found->drift, 0.1);
  EXPECT_TRUE(std::any_of(found->notes.begin(), found->notes.end(), [](const std::string& note) {
    return note.find("The cost of a request rose by") != std::string::npos;
  }));
}

TEST(FindCapacity, SaysThatTheHighestRateAllowedDidNotSaturate) {
  Instance instance;
  CapacitySearch search;
  search.most = base::Rate(20);  // 41 %
  const auto found = find_capacity(search, driving(instance), {});
  ASSERT_TRUE(found) << base::to_string(found.error());
  EXPECT_FALSE(found->saturation);
  ASSERT_FALSE(found->notes.empty());
  EXPECT_NE(found->notes[0].find("not saturated at 20 rps"), std::string::npos) << found->notes[0];
  for (const CapacityStep& step : found->steps) EXPECT_LE(step.offered.value(), 20.0001);
}

TEST(FindCapacity, EndsWithWhatItHasWhereItIsInterrupted) {
  Instance instance;
  int left = 20;
  const auto found = find_capacity({},
                                   [&](base::Rate rate) -> base::Result<std::optional<CapacityStep>> {
                                     if (left-- == 0) return std::optional<CapacityStep>();
                                     return std::optional(instance.drive(rate));
                                   },
                                   {});
  ASSERT_TRUE(found) << base::to_string(found.error());
  EXPECT_TRUE(found->interrupted);
  EXPECT_EQ(found->steps.size(), 20U);
}

// Two straight lines through the logarithm of p95 that meet at 88 %, with the scatter of real latencies: of
// the eight rates only the seventh is behind the knee and below saturation.
struct Kinked {
  Instance instance;
  base::Rng rng;

  explicit Kinked(std::uint64_t seed) : rng(seed) { instance.rng = base::Rng(seed, 1); }

  CapacityStep drive(base::Rate rate) {
    CapacityStep step = instance.drive(rate);
    const double used = std::min(step.utilisation->value(), 99.0);
    const double scatter = 0.25 * rng.normal();
    step.p95_ms = 20 * std::exp(0.002 * used + 0.15 * std::max(0.0, used - 88) + scatter);
    return step;
  }
};

TEST(FindCapacity, HalvesTheStretchBetweenFastAndSlowUntilTheKneeIsPlaced) {
  int found_evenly = 0;
  int found_halving = 0;
  int covered = 0;
  constexpr int kTrials = 100;
  for (int trial = 0; trial < kTrials; ++trial) {
    for (const bool halving : {false, true}) {
      Kinked kinked(static_cast<std::uint64_t>(trial + 1));
      CapacitySearch search;
      search.seed = static_cast<std::uint64_t>(trial + 1);
      if (!halving) search.knee_steps_most = 0;
      const auto found = find_capacity(search,
                                       [&](base::Rate rate) -> base::Result<std::optional<CapacityStep>> {
                                         return std::optional(kinked.drive(rate));
                                       },
                                       {});
      ASSERT_TRUE(found) << base::to_string(found.error());
      const auto& knee = found->fit->knee;
      if (!knee) continue;
      if (!halving) {
        ++found_evenly;
        continue;
      }
      ++found_halving;
      const bool below = knee->open_below || knee->interval_95_percent.low <= 88;
      const bool above = knee->open_above || knee->interval_95_percent.high >= 88;
      covered += below && above ? 1 : 0;
    }
  }
  // With three rows at one rate behind the knee it is seen in about half of the trials.
  EXPECT_GE(found_halving, found_evenly + 20);
  // A 95 % interval holds the truth in 95 of 100: 89 is three standard deviations below.
  EXPECT_GE(covered, 89 * found_halving / kTrials);
}

TEST(FindCapacity, WithoutTheUtilisationTheRateBracketsTheSaturationAndHasAKnee) {
  Instance instance;
  instance.tells_utilisation = false;
  const auto found = find_capacity({}, driving(instance), {});
  ASSERT_TRUE(found) << base::to_string(found.error());
  EXPECT_FALSE(found->fit);
  ASSERT_TRUE(found->saturation);
  EXPECT_NEAR(found->saturation->value(), 50, 1);  // 100 % / 2 % per request a second
  ASSERT_TRUE(found->knee_rate);
  EXPECT_GT(found->knee_rate->at, 25);
  EXPECT_LT(found->knee_rate->at, 50);
  // 1, 2, 4, ... 64 rps, three rounds of eight and at most eight near the knee.
  EXPECT_GE(found->steps.size(), 7U + 24);
  EXPECT_LE(found->steps.size(), 7U + 24 + 8);
}

// p95 is 30 ms / (1 - utilisation): above 60 ms from 50 % on, at 24.5 rps.
TEST(FindCapacity, TheRateUpToWhichAnObjectiveIsKeptIsHalvedOut) {
  Instance instance;
  instance.noise = 0;
  const auto found = find_capacity({},
                                   [&](base::Rate rate) -> base::Result<std::optional<CapacityStep>> {
                                     CapacityStep step = instance.drive(rate);
                                     step.breaks_objective = *step.p95_ms > 60;
                                     return std::optional(step);
                                   },
                                   {});
  ASSERT_TRUE(found) << base::to_string(found.error());
  ASSERT_TRUE(found->objective_kept);
  EXPECT_LE(found->objective_kept->value(), 24.5);
  // Halved to within 3 % of the 50 rps that saturate it.
  EXPECT_GE(found->objective_kept->value(), 24.5 - 0.03 * 50);
}

TEST(FindCapacity, AServiceThatOnlyFailsIsRefusedWithWhatItSaid) {
  Instance instance;
  int driven = 0;
  const auto found = find_capacity({},
                                   [&](base::Rate rate) -> base::Result<std::optional<CapacityStep>> {
                                     CapacityStep step = instance.drive(rate);
                                     step.answered = base::Rate(0);
                                     step.error_share = 1;
                                     step.fault = "status 503";
                                     ++driven;
                                     return std::optional(step);
                                   },
                                   {});
  ASSERT_FALSE(found);
  EXPECT_EQ(driven, 1);
  EXPECT_EQ(found.error().kind, base::ErrorKind::unavailable);
  EXPECT_NE(base::to_string(found.error())
                .find("at 1 rps, the first rate, 100 % of the requests failed: status 503"),
            std::string::npos)
      << base::to_string(found.error());
}

TEST(FindCapacity, AFitThatFailsNamesWhatTheRequestsFailedWith) {
  Instance instance;
  const auto found = find_capacity({},
                                   [&](base::Rate rate) -> base::Result<std::optional<CapacityStep>> {
                                     CapacityStep step = instance.drive(rate);
                                     if (rate.value() > 1) {
                                       step.error_share = 0.5;
                                       step.fault = "reset (GET /: Connection reset by peer)";
                                     }
                                     return std::optional(step);
                                   },
                                   {});
  ASSERT_FALSE(found);
  EXPECT_NE(base::to_string(found.error()).find("requests failed: reset (GET /: Connection reset by peer)"),
            std::string::npos)
      << base::to_string(found.error());
}

TEST(Steps, OfALoadTestAreItsWindowsWithoutItsBeginning) {
  Measured measured;
  for (int i = 0; i < 25; ++i) {
    Second& second = measured.seconds.emplace_back();
    second.due = 10;
    second.answered = i < 12 ? 10 : 9;
    second.failed = i < 12 ? 0 : 1;
    if (i >= 12) second.counts.statuses[503] = 1;
    second.from_schedule_ms.add(i);
  }
  const auto steps =
      steps_of(measured, base::Milliseconds(1'000'000), base::Milliseconds(2000), base::Milliseconds(10'000));
  ASSERT_EQ(steps.size(), 2U);  // 2 to 12 s and 12 to 22 s; 3 s are left
  EXPECT_EQ(steps[0].when, (capacity::Window{base::Milliseconds(1'002'000), base::Milliseconds(1'012'000)}));
  EXPECT_EQ(steps[0].answered, base::Rate(10));
  EXPECT_EQ(steps[0].error_share, 0);
  EXPECT_EQ(steps[1].answered, base::Rate(9));
  EXPECT_EQ(steps[1].error_share, 0.1);
  EXPECT_EQ(steps[1].fault, "status 503");
  ASSERT_TRUE(steps[1].p50_ms);
  EXPECT_NEAR(*steps[1].p50_ms, 16, 0.1);  // the fifth of 12 to 21 ms
}

TEST(FindCapacity, StepsAreReadAgainAsMeasurements) {
  Instance instance;
  const auto found = find_capacity({}, driving(instance), {});
  ASSERT_TRUE(found);
  const auto read = capacity::read_measurements(measurements_csv(found->steps), "measurements.csv");
  ASSERT_TRUE(read) << base::to_string(read.error());
  const auto again = capacity::fit(*read);
  ASSERT_TRUE(again);
  EXPECT_DOUBLE_EQ(again->line.slope, found->fit->line.slope);
  EXPECT_EQ(again->knee.has_value(), found->fit->knee.has_value());
  EXPECT_EQ(again->saturation, found->saturation);
}

}  // namespace
}  // namespace headroom::load
