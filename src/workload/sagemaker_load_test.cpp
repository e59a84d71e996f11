#include "workload/sagemaker_load.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "workload/compile.hpp"
#include "workload/generated.hpp"

namespace headroom::workload {
namespace {

using base::Milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kSeeds = 4000;

// All of `values` within [low, high], and spread evenly: the mean within four standard errors of the middle,
// an eighth of them in each eighth of the range, within five.
void expect_uniform(const std::vector<double>& values, double low, double high) {
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  std::vector<int> eighths(8, 0);
  for (const double value : values) {
    ASSERT_GE(value, low);
    ASSERT_LE(value, high);
    sum += value;
    ++eighths[std::min<std::size_t>(7, static_cast<std::size_t>(8 * (value - low) / (high - low)))];
  }
  EXPECT_NEAR(sum / n, (low + high) / 2, 4 * (high - low) / std::sqrt(12 * n));
  for (const int count : eighths) EXPECT_NEAR(count, n / 8, 5 * std::sqrt(n * 7 / 64));
}

TEST(SagemakerLoad, R05_the_wave_is_drawn_within_the_published_ranges) {
  std::vector<double> low, span, noise, phase, amplitude, period, slow_phase;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const SagemakerWave wave = sagemaker_wave(seed);
    low.push_back(wave.low);
    span.push_back(wave.high - wave.low);
    noise.push_back(wave.noise);
    phase.push_back(wave.phase);
    amplitude.push_back(wave.slow_amplitude);
    period.push_back(wave.slow_period);
    slow_phase.push_back(wave.slow_phase);
  }
  const double pi = std::acos(-1.0);
  expect_uniform(low, 1000, 2000);
  expect_uniform(span, 5000, 7000);
  expect_uniform(noise, 0.01, 0.05);
  expect_uniform(phase, -pi, pi);
  expect_uniform(amplitude, 0.1, 0.2);
  expect_uniform(period, 2, 5);
  expect_uniform(slow_phase, -pi, pi);
}

TEST(SagemakerLoad, R05_spikes_are_drawn_within_the_published_ranges) {
  std::vector<double> after, height, log_width;
  for (std::uint64_t n = 0; n < kSeeds; ++n) {
    const SagemakerSpike spike = sagemaker_spike(7, n, 8000);
    after.push_back(spike.after);
    height.push_back(spike.height);
    ASSERT_GT(spike.width, 5);
    log_width.push_back(std::log(spike.width - 5));
  }
  expect_uniform(after, 100, 1000);
  expect_uniform(height, 800, 1600);
  // Log-normal with mean 3 and deviation 2: of 4,000 the mean is off by 0.032, the deviation by 0.022.
  double sum = 0;
  double squares = 0;
  for (const double value : log_width) {
    sum += value;
    squares += (value - 3) * (value - 3);
  }
  EXPECT_NEAR(sum / kSeeds, 3, 4 * 0.032);
  EXPECT_NEAR(std::sqrt(squares / kSeeds), 2, 4 * 0.0224);
}

// The wave as published, written anew; before the first spike only the noise is in between. Of the quotients
// of some hundred minutes the mean is 1 and the deviation is the drawn one.
TEST(SagemakerLoad, R05_before_its_first_spike_the_load_is_the_wave_with_its_noise) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const SagemakerWave wave = sagemaker_wave(seed);
    const SagemakerSpike spike = sagemaker_spike(seed, 0, wave.high);
    const auto before = static_cast<std::int64_t>(std::ceil(spike.after)) - 1;
    const std::vector<double> load = sagemaker_load(seed, before);
    double sum = 0;
    double squares = 0;
    for (std::int64_t m = 1; m <= before; ++m) {
      const double phase = static_cast<double>(m) / (60 * 12) * std::acos(-1.0) + wave.phase;
      const double cyclic = ((wave.low + wave.high) / 2 + (wave.high - wave.low) / 2 * std::sin(phase)) *
                            (1 + std::sin(phase / wave.slow_period + wave.slow_phase) * wave.slow_amplitude);
      // Half a request more, which the whole numbers of the load lack on average.
      const double quotient = (load[static_cast<std::size_t>(m - 1)] + 0.5) / cyclic;
      sum += quotient - 1;
      squares += (quotient - 1) * (quotient - 1);
    }
    const auto n = static_cast<double>(before);
    EXPECT_NEAR(sum / n, 0, 4 * wave.noise / std::sqrt(n)) << seed;
    EXPECT_NEAR(std::sqrt(squares / n), wave.noise, 4 * wave.noise / std::sqrt(2 * n)) << seed;
  }
}

// A spike is the difference to the wave: full height at once, then down in a straight line. Over many loads
// the noise cancels: the mean share of the height that is left, in the minutes by their share of the width.
TEST(SagemakerLoad, R05_a_spike_rises_at_once_and_decays_in_a_straight_line) {
  std::vector<double> left(10, 0.0);
  std::vector<double> minutes_in(10, 0.0);
  double after = 0;
  int ended = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const SagemakerWave wave = sagemaker_wave(seed);
    const SagemakerSpike spike = sagemaker_spike(seed, 0, wave.high);
    const SagemakerSpike next = sagemaker_spike(seed, 1, wave.high);
    const auto first = static_cast<std::int64_t>(std::ceil(spike.after));
    const auto past = static_cast<std::int64_t>(std::floor(spike.after + spike.width)) + 1;
    if (spike.width > 2000) continue;
    const std::vector<double> load = sagemaker_load(seed, past + 50);
    const auto extra = [&](std::int64_t m) {
      const double phase = static_cast<double>(m) / 720 * std::acos(-1.0) + wave.phase;
      const double cyclic = ((wave.low + wave.high) / 2 + (wave.high - wave.low) / 2 * std::sin(phase)) *
                            (1 + std::sin(phase / wave.slow_period + wave.slow_phase) * wave.slow_amplitude);
      return (load[static_cast<std::size_t>(m - 1)] + 0.5 - cyclic) / spike.height;
    };
    for (std::int64_t m = first; m < past; ++m) {
      const double share = (static_cast<double>(m) - spike.after) / spike.width;
      const auto tenth = std::min<std::size_t>(9, static_cast<std::size_t>(10 * share));
      left[tenth] += extra(m) - (1 - share);
      minutes_in[tenth] += 1;
    }
    // The next spike does not begin within its own time.
    ASSERT_GE(next.after, 100);
    for (std::int64_t m = past + 1; m <= past + 50; ++m) after += extra(m);
    ended += 50;
  }
  // The noise is at most 5 % of some 9,000 requests, half a spike's least height; 10,000 minutes and more
  // make that 0.02.
  for (std::size_t tenth = 0; tenth < 10; ++tenth) {
    EXPECT_NEAR(left[tenth] / minutes_in[tenth], 0, 0.02) << tenth;
  }
  EXPECT_NEAR(after / ended, 0, 0.02);
}

TEST(SagemakerLoad, R05_requests_are_whole_and_within_0_and_100000_a_minute) {
  EXPECT_EQ(sagemaker_bounded(1234.9), 1234);
  EXPECT_EQ(sagemaker_bounded(-0.5), 0);
  EXPECT_EQ(sagemaker_bounded(-900), 0);
  EXPECT_EQ(sagemaker_bounded(100'000.7), 100'000);
  EXPECT_EQ(sagemaker_bounded(2e6), 100'000);
}

TEST(SagemakerLoad, the_traffic_is_the_load_of_its_seed_in_requests_per_second) {
  Generated generated;
  generated.model = GeneratedModel::sagemaker;
  generated.duration = minutes(300);
  generated.seed = 5;
  Traffic traffic;
  traffic.shape = generated;
  const auto compiled = compile(traffic, minutes(1), 1);
  ASSERT_TRUE(compiled) << base::to_string(compiled.error());
  const std::vector<double> load = sagemaker_load(5, 300);
  ASSERT_EQ(compiled->requests_per_second.values.size(), 300u);
  for (std::size_t m = 0; m < 300; ++m) {
    EXPECT_DOUBLE_EQ(compiled->requests_per_second.values[m] * 60, load[m]);
  }
  EXPECT_NE(sagemaker_load(6, 300), load);
}

// Ticks of 90 seconds from minute 3 on: minute 3 and half of 4; the other half of 4 and 5.
TEST(SagemakerLoad, a_cut_and_another_tick_read_the_same_minutes) {
  const std::vector<double> load = sagemaker_load(9, 6);
  const base::Series series = generate_sagemaker(9, minutes(3), minutes(6), seconds(90));
  ASSERT_EQ(series.values.size(), 2u);
  EXPECT_EQ(series.start, generated_origin + minutes(3));
  EXPECT_DOUBLE_EQ(series.values[0], (load[3] + load[4] / 2) / 90);
  EXPECT_DOUBLE_EQ(series.values[1], (load[4] / 2 + load[5]) / 90);
}

}  // namespace
}  // namespace headroom::workload
