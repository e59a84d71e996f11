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
  base::Rng rng{7};
  int step = 0;

  CapacityStep drive(base::Rate rate) {
    const double cost = percent_per_rps * (1 + drift_per_step * step++);
    const double wanted = (idle_percent + cost * rate.value()) * (1 + noise * rng.normal());
    const double used = std::min(wanted, 100.0);
    CapacityStep result;
    result.offered = rate;
    result.answered = base::Rate(std::min(rate.value(), 100 / cost));
    result.utilisation = base::Percent(used);
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
  EXPECT_NEAR(found->fit.line.slope, 2, 0.1);
  EXPECT_LE(found->fit.line.slope_95.low, 2);
  EXPECT_GE(found->fit.line.slope_95.high, 2);
  EXPECT_GT(found->fit.line.r_squared, 0.98);
  ASSERT_TRUE(found->saturation);
  EXPECT_NEAR(found->saturation->value(), 50, 3);
  EXPECT_EQ(found->fit.knee.has_value(), true);
  // Eight rates three times, and the few of the rise.
  EXPECT_GE(found->steps.size(), 24U);
  EXPECT_LE(found->steps.size(), 24U + 8);
  EXPECT_TRUE(found->notes.empty()) << found->notes[0];
}

TEST(FindCapacity, DrivesTheRatesOfARoundInARandomOrder) {
  Instance instance;
  const auto found = find_capacity({}, driving(instance), {});
  ASSERT_TRUE(found);
  std::vector<std::vector<double>> rounds(4);
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

TEST(FindCapacity, StepsAreReadAgainAsMeasurements) {
  Instance instance;
  const auto found = find_capacity({}, driving(instance), {});
  ASSERT_TRUE(found);
  const auto read = capacity::read_measurements(measurements_csv(found->steps), "measurements.csv");
  ASSERT_TRUE(read) << base::to_string(read.error());
  const auto again = capacity::fit(*read);
  ASSERT_TRUE(again);
  EXPECT_DOUBLE_EQ(again->line.slope, found->fit.line.slope);
  EXPECT_EQ(again->knee.has_value(), found->fit.knee.has_value());
}

}  // namespace
}  // namespace headroom::load
