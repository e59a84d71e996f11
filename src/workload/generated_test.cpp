#include "workload/generated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "workload/compile.hpp"

namespace headroom::workload {
namespace {

using base::Milliseconds;
using base::per_second;
using std::chrono::hours;
using std::chrono::minutes;

Generated week() {
  Generated shape;
  shape.duration = hours(7 * 24);
  shape.base = per_second(10);
  shape.peak = per_second(50);
  return shape;
}

std::vector<double> values_of(const Generated& shape, Milliseconds tick) {
  Traffic traffic;
  traffic.shape = shape;
  const auto compiled = compile(traffic, tick, 1);
  return compiled ? compiled->requests_per_second.values : std::vector<double>{};
}

// The worked example of the header. One-minute means at the turning points are flat to (2 pi / 1440)^2 / 6.
TEST(Generated, the_wave_peaks_at_its_hour_and_the_weekend_is_scaled) {
  Generated shape = week();
  shape.weekend = 0.5;
  const auto values = values_of(shape, minutes(1));
  ASSERT_EQ(values.size(), 7U * 1440);
  EXPECT_NEAR(values[720], 50, 1e-3);
  EXPECT_NEAR(values[0], 10, 1e-3);
  EXPECT_NEAR(values[360], 30, 0.1);              // halfway at 06:00
  EXPECT_NEAR(values[5 * 1440 + 720], 25, 1e-3);  // Saturday
  EXPECT_NEAR(values[6 * 1440 + 720], 25, 1e-3);  // Sunday
  EXPECT_NEAR(values[4 * 1440 + 720], 50, 1e-3);  // Friday
}

// The mean of the wave over a day is (10 + 50) / 2.
TEST(Generated, ticks_of_any_length_hold_the_mean_of_the_wave) {
  for (const double value : values_of(week(), hours(24))) EXPECT_NEAR(value, 30, 1e-9);
  const auto coarse = values_of(week(), hours(1));
  const auto fine = values_of(week(), minutes(1));
  for (std::size_t hour = 0; hour < coarse.size(); ++hour) {
    double mean = 0;
    for (std::size_t i = 0; i < 60; ++i) mean += fine[hour * 60 + i] / 60;
    EXPECT_NEAR(coarse[hour], mean, 1e-9);
  }
}

// A relative noise of 0.1 on a flat rate of 50: standard deviation 5, standard error 5 / sqrt(2 * 10080).
TEST(Generated, noise_has_the_deviation_asked_for_and_its_own_seed) {
  Generated shape = week();
  shape.base = shape.peak;
  shape.noise = 0.1;
  const auto values = values_of(shape, minutes(1));
  double square = 0;
  for (const double value : values)
    square += (value - 50) * (value - 50) / static_cast<double>(values.size());
  EXPECT_NEAR(std::sqrt(square), 5, 4 * 5 / std::sqrt(2.0 * 10'080));
  EXPECT_EQ(values_of(shape, minutes(1)), values);
  shape.seed = 2;
  EXPECT_NE(values_of(shape, minutes(1)), values);
}

// On a flat 0 wave with peak 50, 2 spikes a day of height 0.4 and 30 minutes: each holds 20 rps * 30 min / 2
// = 18,000 requests; 2 a day over 1,000 days are 2,000 +- sqrt(2,000).
TEST(Generated, spikes_come_as_often_and_as_large_as_asked) {
  Generated shape = week();
  shape.duration = hours(1000 * 24);
  shape.base = per_second(0);
  shape.weekend = 1;
  const auto plain = values_of(shape, minutes(5));
  shape.spikes = Spikes{2, 0.4, minutes(30)};
  const auto spiked = values_of(shape, minutes(5));
  double extra = 0;
  double highest = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    extra += (spiked[i] - plain[i]) * 300;
    highest = std::max(highest, spiked[i] - plain[i]);
  }
  EXPECT_NEAR(extra / 18'000, 2000, 4 * std::sqrt(2000.0));
  EXPECT_GT(highest, 0.8 * 20);
}

TEST(Generated, a_cut_holds_the_same_ticks_as_the_whole) {
  Generated shape = week();
  shape.noise = 0.2;
  shape.spikes = Spikes{5, 0.5, minutes(90)};
  const auto whole = values_of(shape, minutes(5));
  Traffic traffic;
  traffic.shape = shape;
  traffic.cut = {hours(30), hours(60)};
  const auto cut = compile(traffic, minutes(5), 1);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->requests_per_second.start, generated_origin + hours(30));
  ASSERT_EQ(cut->requests_per_second.size(), 360U);
  for (std::size_t i = 0; i < 360; ++i)
    EXPECT_DOUBLE_EQ(cut->requests_per_second.values[i], whole[360 + i]) << i;
}

TEST(Generated, impossible_numbers_are_refused_all_at_once) {
  Generated shape;  // no duration
  shape.base = per_second(20);
  shape.peak = per_second(10);
  shape.noise = std::numeric_limits<double>::quiet_NaN();
  shape.weekend = -1;
  shape.spikes = Spikes{-1, -1, Milliseconds{0}};
  EXPECT_EQ(check(shape).faults.size(), 7U) << to_string(check(shape));
  Traffic traffic;
  traffic.shape = shape;
  EXPECT_FALSE(compile(traffic, minutes(1), 1));
}

// The bytes of a week with everything switched on, as FNV-1a over the bit patterns: a change of any draw, of
// the arithmetic, of the compiler's or the build's habits shows here. Meant changes say so in CHANGELOG.md.
TEST(Generated, the_same_seed_gives_the_same_bytes_in_every_build) {
  Traffic traffic;
  Generated shape = week();
  shape.noise = 0.1;
  shape.weekend = 0.6;
  shape.spikes = Spikes{3, 0.5, minutes(20)};
  traffic.shape = shape;
  traffic.arrivals = Arrivals::poisson;
  const auto compiled = compile(traffic, minutes(1), 9);
  ASSERT_TRUE(compiled);
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (const double value : compiled->requests_per_second.values) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (unsigned shift = 0; shift < 64; shift += 8) {
      hash = (hash ^ ((bits >> shift) & 0xffU)) * 1'099'511'628'211ULL;
    }
  }
  EXPECT_EQ(hash, 15'549'547'815'502'325'311ULL);
}

}  // namespace
}  // namespace headroom::workload
