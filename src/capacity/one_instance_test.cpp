// examples/conf42/one-instance.csv: made here, and fitted as requirements 1.3 and the scenario conf42-fit
// ask.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/math.hpp"
#include "base/philox.hpp"
#include "capacity/evaluate.hpp"
#include "capacity/fit.hpp"

namespace headroom::capacity {
namespace {

constexpr const char* path = HEADROOM_SOURCE_DIR "/examples/conf42/one-instance.csv";

// Solved from the figures that the talk prints: 39.226077 % at 45,000 rpm.
constexpr double percent_per_rpm = 39.226077 / 45'000;

// A load test that never took place: one row a minute, 3,600 rpm more each minute, utilisation with a scatter
// of 0.25 points and latencies with one of 4 %, flat up to 50 % and a factor of e per 16 points beyond.
std::string generate() {
  std::string text =
      "# Synthetic: computed, not measured. A load test of one instance as the talk describes it, with the\n"
      "# coefficient of its simulation (0.0008716906 % per rpm) and a knee at 50 %, both put in by hand, "
      "plus noise.\n"
      "timestamp,rpm,cpu_percent,p50_ms,p95_ms,p99_ms,errors\n";
  base::Rng rng(20240216);
  for (int minute = 0; minute < 25; ++minute) {
    const double rpm = base::round_half_even(3600.0 * (minute + 1) * (1 + 0.003 * rng.normal()));
    const double cpu = percent_per_rpm * rpm + 0.25 * rng.normal();
    const double growth = cpu > 50 ? base::exp((cpu - 50) / 16) : 1;
    const double p50 = 45 * growth * (1 + 0.04 * rng.normal());
    const double p95 = 120 * growth * (1 + 0.04 * rng.normal());
    const double p99 = 210 * growth * (1 + 0.04 * rng.normal());
    text += fmt::format("2024-02-16 21:{:02}:00,{:.0f},{:.2f},{:.1f},{:.1f},{:.1f},0\n", minute, rpm, cpu,
                        p50, p95, p99);
  }
  return text;
}

std::string shipped() {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(OneInstance, the_shipped_file_is_what_the_generator_makes) {
  const std::string made = generate();
  if (made != shipped()) {
    const std::string copy = testing::TempDir() + "one-instance.csv";
    std::ofstream(copy, std::ios::binary) << made;
    FAIL() << path << " differs from what this test makes; copy " << copy << " there if the change is meant";
  }
}

base::Result<Fit> fitted() {
  const auto measurements = read_measurements(shipped(), "one-instance.csv");
  if (!measurements) return measurements.error();
  return fit(*measurements);
}

TEST(OneInstance, K01_a_window_of_25_minutes_is_read_from_csv) {
  const auto measurements = read_measurements(shipped(), "one-instance.csv");
  ASSERT_TRUE(measurements) << to_string(measurements.error());
  EXPECT_EQ(measurements->rows.size(), 25U);
}

TEST(OneInstance, K02_the_coefficient_is_within_1_percent_and_40000_rpm_take_35_percent) {
  const auto fit = fitted();
  ASSERT_TRUE(fit) << to_string(fit.error());
  const double slope = fit->model.slope_percent_per_rps / 60;
  EXPECT_NEAR(slope / percent_per_rpm, 1, 0.01);
  EXPECT_LT(fit->line.slope_95.low / 60, percent_per_rpm);
  EXPECT_GT(fit->line.slope_95.high / 60, percent_per_rpm);
  EXPECT_GT(fit->line.r_squared, 0.999);
  EXPECT_FALSE(fit->curved);
  // 40,000 * 0.0008716906 = 34.867624
  const Prediction prediction = utilisation_at(*fit, base::per_minute(40'000));
  EXPECT_NEAR(prediction.value, 34.87, 0.3);
  EXPECT_FALSE(prediction.extrapolated);
  // 50 % are 57,360 rpm.
  EXPECT_NEAR(rate_at(*fit, base::Percent(50))->value * 60, 57'360, 500);
}

TEST(OneInstance, K03_the_knee_is_at_50_percent) {
  const auto fit = fitted();
  ASSERT_TRUE(fit) << to_string(fit.error());
  ASSERT_TRUE(fit->knee);
  EXPECT_NEAR(fit->knee->utilisation.value(), 50, 2);
  EXPECT_LE(fit->knee->interval_95_percent.low, 50);
  EXPECT_GE(fit->knee->interval_95_percent.high, 50);
  // The other definition: p95 doubles from 120 ms at 50 + 16 ln 2 = 61.1 %.
  const LatencyLimit limit = utilisation_at_latency(fit->model, Quantile::p95, 240);
  ASSERT_TRUE(limit.percent && limit.reached);
  EXPECT_NEAR(limit.percent->value(), 61.1, 2);
}

}  // namespace
}  // namespace headroom::capacity
