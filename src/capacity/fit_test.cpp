#include "capacity/fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/philox.hpp"

namespace headroom::capacity {
namespace {

bool says(const Fit& fit, const std::string& part) {
  return std::any_of(fit.notes.begin(), fit.notes.end(),
                     [&part](const std::string& note) { return note.find(part) != std::string::npos; });
}

// Rates 10, 20, ... rps with the given utilisation and p95, and a little noise on the utilisation.
Measurements measured(int rows, const std::function<double(double)>& utilisation,
                      const std::function<double(double)>& p95_ms = {}) {
  base::Rng rng(7);
  Measurements measurements;
  measurements.file = "m.csv";
  for (int i = 1; i <= rows; ++i) {
    Measurement row;
    row.line = i + 1;
    row.per_instance = base::Rate(10.0 * i);
    row.utilisation = base::Percent(utilisation(10.0 * i) + 0.1 * rng.normal());
    if (p95_ms) row.p95_ms = p95_ms(row.utilisation.value()) * (1 + 0.02 * rng.normal());
    measurements.rows.push_back(row);
  }
  return measurements;
}

double straight(double rate) { return 2 + 0.3 * rate; }

TEST(Fit, a_line_with_intercept_is_recovered_and_called_straight) {
  const auto fitted = fit(measured(30, straight));
  ASSERT_TRUE(fitted) << to_string(fitted.error());
  EXPECT_NEAR(fitted->model.slope_percent_per_rps, 0.3, 0.001);
  EXPECT_NEAR(fitted->model.intercept_percent, 2, 0.2);
  EXPECT_GT(*fitted->model.r_squared, 0.999);
  EXPECT_FALSE(fitted->curved);
  EXPECT_TRUE(says(*fitted, "Nothing speaks against a straight line"));
  EXPECT_EQ(fitted->model.measured_up_to, base::Rate(300));
  EXPECT_FALSE(fitted->model.knee);
  EXPECT_TRUE(says(*fitted, "Latency was not measured"));
}

// A parabola that is 3 points above its chord in the middle: the article's open question, answered yes.
TEST(Fit, K02_a_bent_data_set_is_flagged_as_not_linear) {
  const auto fitted = fit(measured(25, [](double rate) { return 0.2 * rate + 0.0005 * rate * rate; }));
  ASSERT_TRUE(fitted) << to_string(fitted.error());
  EXPECT_TRUE(fitted->curved);
  EXPECT_LT(fitted->curvature.p_value, 1e-6);
  EXPECT_TRUE(says(*fitted, "Utilisation is not linear in the request rate"));
  EXPECT_TRUE(says(*fitted, "rises faster towards high rates"));
}

TEST(Fit, K03_the_knee_is_where_latency_begins_to_grow) {
  const auto fitted =
      fit(measured(30, straight, [](double cpu) { return 100 * std::exp(0.05 * std::max(0.0, cpu - 60)); }));
  ASSERT_TRUE(fitted) << to_string(fitted.error());
  ASSERT_TRUE(fitted->knee);
  EXPECT_NEAR(fitted->knee->utilisation.value(), 60, 2);
  EXPECT_LE(fitted->knee->interval_95_percent.low, 60);
  EXPECT_GE(fitted->knee->interval_95_percent.high, 60);
  EXPECT_NEAR(fitted->knee->growth_after, std::exp(0.5), 0.1);
  EXPECT_EQ(fitted->model.knee, fitted->knee->utilisation);
}

TEST(Fit, the_saturation_is_the_median_rate_of_full_rows_and_figures_beyond_it_say_so) {
  Measurements measurements = measured(10, straight);  // 10 to 100 rps
  for (const double rate : {110.0, 120.0, 90.0}) {
    Measurement full;
    full.per_instance = base::Rate(rate);
    full.utilisation = base::Percent(99);
    full.full = true;
    measurements.rows.push_back(full);
  }
  const auto fitted = fit(measurements);
  ASSERT_TRUE(fitted) << to_string(fitted.error());
  EXPECT_EQ(fitted->saturation, base::Rate(110));
  EXPECT_EQ(fitted->model.saturation, base::Rate(110));
  EXPECT_TRUE(utilisation_at(*fitted, base::Rate(111)).beyond_saturation);
  EXPECT_FALSE(utilisation_at(*fitted, base::Rate(109)).beyond_saturation);
  // 2 + 0.3 * 110 = 35 % of its CPU: something else is the limit.
  EXPECT_TRUE(says(*fitted, "full at 110 rps, where the line gives 35 % of its CPU"));
}

TEST(Fit, a_knee_whose_interval_ends_where_the_measurements_do_says_so) {
  // Of 30 rows, up to 92 %, the last two are behind the bend; it is looked for up to the third last, 86 %.
  const auto fitted =
      fit(measured(30, straight, [](double cpu) { return 100 * std::exp(0.3 * std::max(0.0, cpu - 88)); }));
  ASSERT_TRUE(fitted) << to_string(fitted.error());
  ASSERT_TRUE(fitted->knee);
  EXPECT_TRUE(fitted->knee->open_above);
  EXPECT_TRUE(says(*fitted, "it may lie higher"));
}

TEST(Fit, latency_that_grows_evenly_has_no_knee) {
  const auto fitted = fit(measured(30, straight, [](double cpu) { return 50 * std::exp(0.01 * cpu); }));
  ASSERT_TRUE(fitted);
  EXPECT_FALSE(fitted->knee);
  EXPECT_FALSE(fitted->model.knee);
  EXPECT_TRUE(says(*fitted, "No knee"));
}

TEST(Fit, the_latency_curve_ascends_and_stands_in_for_what_was_not_measured_aloud) {
  const auto fitted = fit(measured(30, straight, [](double) { return 80.0; }));
  ASSERT_TRUE(fitted);
  const auto& curve = fitted->model.latency;
  ASSERT_EQ(curve.size(), 12U);
  for (std::size_t i = 1; i < curve.size(); ++i) {
    EXPECT_GT(curve[i].utilisation, curve[i - 1].utilisation);
    EXPECT_GE(curve[i].p95_ms, curve[i - 1].p95_ms);
  }
  EXPECT_EQ(curve[3].p99_ms, curve[3].p95_ms);
  EXPECT_TRUE(
      says(*fitted, "p99 was not measured; the latency curve holds p95 in its place, which is too low"));
}

// Utilisation stops at 100 % from 330 rps on: those rows would bend the line.
TEST(Fit, saturated_rows_are_left_out_and_said) {
  const auto fitted = fit(measured(40, [](double rate) { return std::min(99.0, straight(rate)); }));
  ASSERT_TRUE(fitted);
  EXPECT_EQ(fitted->rows_saturated, 9U);  // 320 to 400 rps; 310 rps is 95 %
  EXPECT_EQ(fitted->rows_used, 31U);
  EXPECT_NEAR(fitted->model.slope_percent_per_rps, 0.3, 0.001);
  EXPECT_TRUE(says(*fitted, "9 rows at 97 % or more are saturated and left out"));
}

TEST(Fit, rows_with_many_errors_are_left_out_and_said) {
  Measurements measurements = measured(20, straight);
  measurements.rows[4].error_share = 0.5;
  measurements.rows[4].utilisation = base::Percent(1);
  const auto fitted = fit(measurements);
  ASSERT_TRUE(fitted);
  EXPECT_NEAR(fitted->model.slope_percent_per_rps, 0.3, 0.002);
  EXPECT_TRUE(says(*fitted, "1 row with more than 5 % errors is left out"));
}

TEST(Fit, figures_beyond_the_measured_rates_are_marked) {
  const auto fitted = fit(measured(20, straight));  // 10 to 200 rps, 5 to 62 %
  ASSERT_TRUE(fitted);
  EXPECT_FALSE(utilisation_at(*fitted, base::Rate(150)).extrapolated);
  EXPECT_TRUE(utilisation_at(*fitted, base::Rate(201)).extrapolated);
  EXPECT_TRUE(utilisation_at(*fitted, base::Rate(9)).extrapolated);
  const auto inside = rate_at(*fitted, base::Percent(50));
  ASSERT_TRUE(inside);
  EXPECT_NEAR(inside->value, 160, 1);
  EXPECT_LT(inside->interval_95.low, inside->value);
  EXPECT_GT(inside->interval_95.high, inside->value);
  EXPECT_FALSE(inside->extrapolated);
  EXPECT_TRUE(rate_at(*fitted, base::Percent(80))->extrapolated);
  EXPECT_FALSE(rate_at(*fitted, base::Percent(1)));  // idle takes 2 %
}

TEST(Fit, measurements_that_show_nothing_are_refused_with_the_reason) {
  Measurements one_rate = measured(20, straight);
  for (Measurement& row : one_rate.rows) row.per_instance = base::Rate(50);
  Measurements not_a_number = measured(20, straight);
  not_a_number.rows[3].utilisation = base::Percent(std::numeric_limits<double>::quiet_NaN());
  Measurements scattered = measured(6, straight);
  for (std::size_t i = 0; i < 6; ++i) scattered.rows[i].utilisation = base::Percent(i % 2 == 0 ? 10 : 40);
  const struct {
    const char* name;
    Measurements measurements;
    const char* what;
  } cases[] = {
      {"few", measured(4, straight), "4 rows can be used, of 4 measured"},
      {"none", {"m.csv", {}, {}}, "0 rows can be used"},
      {"saturated", measured(20, [](double) { return 99.5; }), "0 rows can be used, of 20"},
      {"one rate", one_rate, "all rows have the same request rate"},
      {"falling", measured(20, [](double rate) { return 80 - 0.2 * rate; }), "falls or stays"},
      {"scattered", scattered, "scatter too much"},
      {"not a number", not_a_number, "negative or none"},
  };
  for (const auto& c : cases) {
    const auto fitted = fit(c.measurements);
    ASSERT_FALSE(fitted) << c.name;
    EXPECT_NE(to_string(fitted.error()).find(c.what), std::string::npos)
        << c.name << to_string(fitted.error());
    EXPECT_EQ(fitted.error().faults.front().place.file, "m.csv") << c.name;
    EXPECT_FALSE(fitted.error().faults.front().fix.empty()) << c.name;
  }
}

}  // namespace
}  // namespace headroom::capacity
