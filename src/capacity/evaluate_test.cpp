#include "capacity/evaluate.hpp"

#include <gtest/gtest.h>

namespace headroom::capacity {
namespace {

CapacityModel measured() {
  CapacityModel model;
  model.slope_percent_per_rps = 0.05;
  model.intercept_percent = 2;
  model.latency = {
      {base::Percent(20), 10, 20, 30}, {base::Percent(60), 20, 100, 200}, {base::Percent(90), 50, 400, 900}};
  return model;
}

TEST(Evaluate, UtilisationIsInterceptPlusSlopeTimesRate) {
  // 2 + 0.05 * 1000 = 52
  EXPECT_DOUBLE_EQ(utilisation(measured(), base::Rate(1000)).value(), 52.0);
}

TEST(Evaluate, LatencyIsAStraightLineBetweenPointsAndConstantBelowTheFirst) {
  EXPECT_DOUBLE_EQ(latency_ms(measured(), Quantile::p95, base::Percent(5))->milliseconds, 20);
  // Halfway between 20 % (20 ms) and 60 % (100 ms).
  EXPECT_DOUBLE_EQ(latency_ms(measured(), Quantile::p95, base::Percent(40))->milliseconds, 60);
}

TEST(Evaluate, LatencyBeyondTheLastPointIsMarked) {
  const auto beyond = latency_ms(measured(), Quantile::p50, base::Percent(95));
  EXPECT_DOUBLE_EQ(beyond->milliseconds, 50);
  EXPECT_TRUE(beyond->beyond_measured);
  EXPECT_FALSE(latency_ms(measured(), Quantile::p50, base::Percent(90))->beyond_measured);
  EXPECT_FALSE(latency_ms(CapacityModel{}, Quantile::p50, base::Percent(90)).has_value());
}

TEST(Evaluate, LatencyLimitIsTheUtilisationWhereTheCurveCrossesIt) {
  // p95 goes from 100 ms at 60 % to 400 ms at 90 %: 250 ms is halfway.
  EXPECT_DOUBLE_EQ(utilisation_at_latency(measured(), Quantile::p95, 250).percent->value(), 75);
  EXPECT_FALSE(utilisation_at_latency(measured(), Quantile::p95, 10).percent.has_value());
  const LatencyLimit never = utilisation_at_latency(measured(), Quantile::p95, 5000);
  EXPECT_FALSE(never.reached);
  EXPECT_DOUBLE_EQ(never.percent->value(), 90);
}

}  // namespace
}  // namespace headroom::capacity
