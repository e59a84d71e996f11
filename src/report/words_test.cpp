#include "report/words.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace headroom::report {
namespace {

TEST(Words, NumbersGroupThousandsAndHaveNoMinusZero) {
  EXPECT_EQ(number_text(1234567.891, 2), "1,234,567.89");
  EXPECT_EQ(number_text(999, 0), "999");
  EXPECT_EQ(number_text(-1234, 0), "-1,234");
  EXPECT_EQ(number_text(-0.001, 1), "0.0");
  EXPECT_EQ(number_text(std::nan(""), 1), "-");
}

TEST(Words, ShortNumbersKeepAboutThreeDigits) {
  EXPECT_EQ(short_text(0), "0");
  EXPECT_EQ(short_text(0.012345), "0.0123");
  EXPECT_EQ(short_text(4.567), "4.57");
  EXPECT_EQ(short_text(12), "12");
  EXPECT_EQ(short_text(45.12), "45.1");
  EXPECT_EQ(short_text(99.96), "100");
  EXPECT_EQ(short_text(1234.5), "1,234");  // half to even, as printf has it
}

TEST(Words, MoneyBelowADollarHasFractionsOfACent) {
  EXPECT_EQ(money_text(0), "$0.00");
  EXPECT_EQ(money_text(0.05512), "$0.0551");
  EXPECT_EQ(money_text(12345.678), "$12,345.68");
  EXPECT_EQ(money_text(-2), "-$2.00");
}

TEST(Words, DurationsHaveTheirTwoLargestUnits) {
  EXPECT_EQ(duration_text(base::Milliseconds{0}), "0 s");
  EXPECT_EQ(duration_text(base::Milliseconds{250}), "250 ms");
  EXPECT_EQ(duration_text(base::Milliseconds{5'400'000}), "1 h 30 min");
  EXPECT_EQ(duration_text(base::Milliseconds{90'061'000}), "1 d 1 h");
  EXPECT_EQ(duration_text(base::Milliseconds{56LL * 86'400'000}), "8 weeks");
  EXPECT_EQ(duration_text(base::Milliseconds{86'405'000}), "1 d");
}

TEST(Words, TimesAreUtc) {
  // date -u -d @1414890300 +%FT%TZ
  EXPECT_EQ(utc_text(base::Milliseconds{1'414'890'300'000}), "2014-11-02T01:05:00Z");
  EXPECT_EQ(utc_text(base::Milliseconds{1'414'890'300'250}), "2014-11-02T01:05:00.250Z");
  EXPECT_EQ(utc_text(base::Milliseconds{-1'000}), "1969-12-31T23:59:59Z");
}

TEST(Words, ObjectivesNameEveryLimitAndTheirShare) {
  environment::Objective objective;
  EXPECT_EQ(objective_text(objective), "");
  objective.cpu = base::Percent(50);
  EXPECT_EQ(objective_text(objective), "CPU at most 50 %, at all times");
  objective.p95 = base::Milliseconds{500};
  objective.share = 0.999;
  EXPECT_EQ(objective_text(objective), "CPU at most 50 % and p95 at most 500 ms, in 99.9 % of minutes");
}

TEST(Words, StepPoliciesNameTheirStepsAndBounds) {
  policy::StepPolicy step;
  step.every = base::Milliseconds{300'000};
  step.out = {{.threshold = 25, .change = 1}, {.threshold = 40, .inclusive = true, .change = 3}};
  step.in = {{.threshold = 15, .change = 1}};
  step.cooldown_out = step.cooldown_in = base::Milliseconds{60'000};
  EXPECT_EQ(
      policy_text(step),
      "step on CPU every 5 min: above 25 % add 1, at least 40 % add 3; below 15 % remove 1; cooldown 1 min");
  policy::Scaling scaling;
  scaling.policies = {step, step};
  EXPECT_EQ(thresholds(scaling), (std::vector<Threshold>{{policy::Metric::cpu, 25, Threshold::Side::out},
                                                         {policy::Metric::cpu, 40, Threshold::Side::out},
                                                         {policy::Metric::cpu, 15, Threshold::Side::in}}));
}

TEST(Words, TargetsAndSchedulesAreSentences) {
  policy::TargetPolicy target;
  target.metric = policy::Metric::requests;
  target.target = 40;
  EXPECT_EQ(policy_text(target),
            "target 40 req/s per instance of requests every 1 min: as Kubernetes, tolerance 10 %; "
            "stabilises in over 5 min");
  policy::SchedulePolicy schedule;
  schedule.entries = {{.days = {true, true, true, true, true, false, false},
                       .from = base::Milliseconds{8 * 3'600'000},
                       .to = base::Milliseconds{18 * 3'600'000},
                       .at_least = 6}};
  EXPECT_EQ(policy_text(schedule), "schedule (UTC): Mon-Fri 08:00-18:00 at least 6");
}

TEST(Words, AProportionNamesItsLoadAndWhatIsAddedToIt) {
  policy::ProportionalPolicy policy;
  policy.per_rps = 0.25;
  EXPECT_EQ(policy_text(policy), "0.25 instances per rps, every 1 min");
  policy.plus = -4;
  policy.window = base::Milliseconds{300'000};
  policy.statistic = policy::Statistic::max;
  policy.order = 2;
  EXPECT_EQ(policy_text(policy),
            "0.25 instances per rps minus 4, every 1 min, maximum of 5 min, 2 added each time");
}

TEST(Words, LimitsNameOnlyWhatIsSet) {
  policy::Limits limits;
  limits.min = 2;
  limits.max = 60;
  EXPECT_EQ(limits_text(limits), "min 2, max 60");
  // The limits of a service that scales per zone are those of one zone.
  EXPECT_EQ(limits_text(limits, 3), "in each of 3 zones: min 2, max 60");
  limits.step_out = 10;
  limits.rate_in = policy::RateLimit{.count = 1, .per = base::Milliseconds{600'000}};
  EXPECT_EQ(limits_text(limits),
            "min 2, max 60, at most 10 added per decision, at most 1 removed per 10 min");
}

}  // namespace
}  // namespace headroom::report
