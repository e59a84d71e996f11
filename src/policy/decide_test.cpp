#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "policy/compile.hpp"
#include "policy/kernel.hpp"
#include "policy/reasons.hpp"

namespace headroom::policy {
namespace {

using base::Milliseconds;
using base::One;
using std::chrono::hours;
using std::chrono::minutes;

constexpr auto kMissing = std::nullopt;

std::string text(Reasons reasons) {
  std::string joined;
  for (const std::string_view word : names(reasons)) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return joined;
}

// What a policy sees at one tick. The same figure serves both metrics unless `requests` is given.
struct Seen {
  std::optional<double> cpu;
  int in_service = 4;
  int launching = 0;
  int warming = 0;
  std::optional<double> requests = cpu;
  int newest_records = kManyRecords;
  std::optional<double> load = std::nullopt;
};

struct Decided {
  int recommended;
  int desired;
  int add;
  int remove;
  int policy;
  std::string reasons;
};

// Policies on a grid of one-minute ticks and one-minute samples, tick after tick.
class Deciding {
 public:
  explicit Deciding(const Scaling& scaling, Milliseconds metric_period = minutes(1),
                    Milliseconds metric_lag = minutes(0))
      : state_(initial_state()) {
    auto result = compile(scaling, minutes(1), metric_period, metric_lag);
    if (!result) {
      ADD_FAILURE() << base::to_string(result.error());
      return;
    }
    compiled_ = *result;
  }

  Decided see(const Seen& seen, int weekday = 0, Milliseconds time_of_day = Milliseconds(0)) {
    Observation<One> observation{};
    const std::optional<double> values[kSignals] = {seen.cpu, seen.requests, seen.load};
    for (int m = 0; m < kSignals; ++m) {
      observation.missing[m] = !values[m].has_value();
      observation.value[m] = static_cast<float>(values[m].value_or(0.0));
    }
    observation.fresh = true;
    observation.in_service = seen.in_service;
    observation.launching = seen.launching;
    observation.warming = seen.warming;
    observation.newest_records = seen.newest_records;
    const Now now{tick_++, weekday, static_cast<std::int32_t>(time_of_day.count())};
    const Decision<One> made = decide(now, observation, compiled_.shape, compiled_.numbers, state_);
    EXPECT_EQ(made.desired, seen.in_service + seen.launching + made.add - made.remove);
    Reasons reasons;
    reasons.bits = static_cast<std::uint32_t>(made.reasons);
    return {made.recommended, made.desired, made.add, made.remove, made.policy, text(reasons)};
  }

  Numbers<One>& numbers() { return compiled_.numbers; }

 private:
  Compiled compiled_{};
  State<One> state_;
  std::int32_t tick_ = 0;
};

// One tick after the other: what is seen, and what comes of it.
struct Row {
  Seen seen;
  int desired;
  std::string reasons;
};

void expect_rows(const Scaling& scaling, const std::vector<Row>& rows) {
  Deciding deciding(scaling);
  for (std::size_t tick = 0; tick < rows.size(); ++tick) {
    const Decided decided = deciding.see(rows[tick].seen);
    EXPECT_EQ(decided.desired, rows[tick].desired) << "tick " << tick;
    EXPECT_EQ(decided.reasons, rows[tick].reasons) << "tick " << tick;
  }
}

// Each row for itself, in a state without a past.
void expect_each(const Scaling& scaling, const std::vector<Row>& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    SCOPED_TRACE("row " + std::to_string(row));
    expect_rows(scaling, {rows[row]});
  }
}

Scaling scaling_of(std::vector<Policy> policies, int min = 1, int max = 20) {
  Scaling scaling;
  scaling.initial = min;
  scaling.limits.min = min;
  scaling.limits.max = max;
  scaling.policies = std::move(policies);
  return scaling;
}

Step above(double threshold, int add) { return {threshold, false, add}; }
Step at_least(double threshold, int add) { return {threshold, true, add}; }
Step below(double threshold, int remove) { return {threshold, false, remove}; }
Step at_most(double threshold, int remove) { return {threshold, true, remove}; }

StepPolicy step_policy(std::vector<Step> out, std::vector<Step> in) {
  StepPolicy policy;
  policy.out = std::move(out);
  policy.in = std::move(in);
  return policy;
}

TargetPolicy hpa(double target, double tolerance = 0.1, Milliseconds stabilise_in = minutes(0)) {
  TargetPolicy policy;
  policy.target = target;
  policy.tolerance = tolerance;
  policy.stabilise_in = stabilise_in;
  return policy;
}

TargetPolicy aws_target(double target) {
  TargetPolicy policy;
  policy.semantics = TargetSemantics::aws;
  policy.target = target;
  return policy;
}

// ---- step

TEST(Step, above_and_below_are_strict) {
  expect_each(scaling_of({step_policy({above(60, 2)}, {below(30, 1)})}), {{{60.0}, 4, "within_band"},
                                                                          {{60.01}, 6, "above_threshold"},
                                                                          {{30.0}, 4, "within_band"},
                                                                          {{29.99}, 3, "below_threshold"}});
}

// The alarms of AirAware: average CPU >= 5 adds one, <= 1 removes one.
TEST(Step, I04_comparisons_are_inclusive_where_the_policy_says_so) {
  expect_each(scaling_of({step_policy({at_least(5, 1)}, {at_most(1, 1)})}), {{{5.0}, 5, "above_threshold"},
                                                                             {{4.99}, 4, "within_band"},
                                                                             {{1.0}, 3, "below_threshold"},
                                                                             {{1.01}, 4, "within_band"}});
}

TEST(Step, of_several_steps_breached_the_largest_change_counts_in_any_order) {
  const std::vector<Row> rows{{{69.0}, 4, "within_band"},     {{71.0}, 5, "above_threshold"},
                              {{81.0}, 8, "above_threshold"}, {{91.0}, 10, "above_threshold"},
                              {{19.0}, 3, "below_threshold"}, {{9.0}, 2, "below_threshold"}};
  expect_each(
      scaling_of({step_policy({above(70, 1), above(80, 4), above(90, 6)}, {below(20, 1), below(10, 2)})}),
      rows);
  expect_each(
      scaling_of({step_policy({above(90, 6), above(70, 1), above(80, 4)}, {below(10, 2), below(20, 1)})}),
      rows);
}

TEST(Step, out_goes_before_in_where_both_are_breached) {
  expect_each(scaling_of({step_policy({at_least(50, 1)}, {at_most(50, 1)})}),
              {{{50.0}, 5, "above_threshold"}});
}

TEST(Step, a_removal_of_more_than_there_is_ends_at_min) {
  expect_each(scaling_of({step_policy({above(60, 2)}, {below(30, 9)})}, 2),
              {{{10.0, 4}, 2, "below_threshold at_min"}, {{10.0, 9}, 2, "below_threshold at_min"}});
}

TEST(Step, needs_m_of_the_last_n_datapoints_and_the_present_one) {
  StepPolicy policy = step_policy({above(60, 2)}, {below(30, 1)});
  policy.periods = 3;
  policy.datapoints = 2;
  expect_rows(scaling_of({policy}),
              {{{70.0}, 4, "above_threshold not_enough_datapoints"},
               {{50.0}, 4, "within_band"},
               {{70.0}, 6, "above_threshold"},  // ticks 0 and 2
               {{50.0}, 4, "within_band"},      // two of the last three, but none now
               {{50.0}, 4, "within_band"},
               {{70.0}, 4, "above_threshold not_enough_datapoints"},  // tick 2 is too old
               {{20.0}, 4, "below_threshold not_enough_datapoints"},
               {{20.0}, 3, "below_threshold"}});
}

TEST(Step, a_missing_sample_is_no_datapoint_and_pushes_none_out) {
  StepPolicy policy = step_policy({above(60, 2)}, {below(30, 1)});
  policy.periods = 2;
  policy.datapoints = 2;
  expect_rows(scaling_of({policy}), {{{70.0}, 4, "above_threshold not_enough_datapoints"},
                                     {{kMissing}, 4, "missing_metric"},
                                     {{kMissing}, 4, "missing_metric"},
                                     {{70.0}, 6, "above_threshold"}});
}

TEST(Step, thirty_one_periods_fit) {
  StepPolicy policy = step_policy({above(60, 2)}, {});
  policy.periods = kMaxPeriods;
  policy.datapoints = kMaxPeriods;
  Deciding deciding(scaling_of({policy}));
  for (int k = 1; k < kMaxPeriods; ++k) EXPECT_EQ(deciding.see({70.0}).desired, 4) << k;
  EXPECT_EQ(deciding.see({70.0}).desired, 6);
  EXPECT_EQ(deciding.see({50.0}).desired, 4);
  EXPECT_EQ(deciding.see({70.0}).desired, 4) << "30 of the last 31";
}

TEST(Step, looks_at_the_mean_of_its_window) {
  StepPolicy policy = step_policy({above(60, 2)}, {below(30, 1)});
  policy.window = minutes(3);
  expect_rows(scaling_of({policy}), {{{70.0}, 6, "above_threshold"},  // as many samples as there are
                                     {{40.0}, 4, "within_band"},      // 55
                                     {{73.0}, 6, "above_threshold"},  // 61
                                     {{10.0}, 4, "within_band"},      // (40 + 73 + 10) / 3 = 41
                                     {{kMissing}, 4, "within_band"},  // (73 + 10) / 2
                                     {{10.0}, 3, "below_threshold"},  // (10 + 10) / 2
                                     {{kMissing}, 3, "below_threshold"},
                                     {{kMissing}, 3, "below_threshold"},
                                     {{kMissing}, 4, "missing_metric"}});
}

TEST(Step, looks_at_the_metric_it_names) {
  StepPolicy policy = step_policy({above(60, 2)}, {below(30, 1)});
  policy.metric = Metric::requests;
  Seen seen{10.0};
  seen.requests = 70.0;
  expect_each(scaling_of({policy}), {{seen, 6, "above_threshold"}});
}

TEST(Step, is_evaluated_every_period_from_the_first_on) {
  StepPolicy policy = step_policy({above(60, 2)}, {});
  policy.every = minutes(3);
  policy.first = minutes(1);
  expect_rows(scaling_of({policy}), {{{70.0}, 4, "not_due"},
                                     {{70.0}, 6, "above_threshold"},
                                     {{70.0}, 4, "not_due"},
                                     {{70.0}, 4, "not_due"},
                                     {{70.0}, 6, "above_threshold"}});
}

// Cooldown of three minutes: an action at tick t leaves the next one to t + 3.
TEST(Step, cooldown_holds_both_directions_and_ends_on_time) {
  StepPolicy policy = step_policy({above(60, 2)}, {below(30, 1)});
  policy.cooldown_out = minutes(3);
  policy.cooldown_in = minutes(2);
  expect_rows(scaling_of({policy}), {{{70.0, 4}, 6, "above_threshold"},
                                     {{70.0, 4, 2}, 6, "above_threshold cooldown"},
                                     {{20.0, 6}, 6, "below_threshold cooldown"},
                                     {{20.0, 6}, 5, "below_threshold"},
                                     {{70.0, 5}, 5, "above_threshold cooldown"},
                                     {{70.0, 5}, 7, "above_threshold"}});
}

TEST(Step, cooldown_starts_only_with_an_action_that_happened) {
  StepPolicy policy = step_policy({above(60, 2)}, {below(30, 1)});
  policy.cooldown_out = minutes(5);
  policy.cooldown_in = minutes(5);
  expect_rows(scaling_of({policy}, 1, 4),
              {{{70.0, 4}, 4, "above_threshold at_max"}, {{20.0, 4}, 3, "below_threshold"}});
  expect_rows(scaling_of({policy}, 4, 9),
              {{{20.0, 4}, 4, "below_threshold at_min"}, {{70.0, 4}, 6, "above_threshold"}});
}

TEST(Step, cooldown_counts_from_the_action_of_any_policy) {
  StepPolicy patient = step_policy({above(60, 2)}, {});
  patient.cooldown_out = minutes(3);
  StepPolicy eager = step_policy({above(90, 5)}, {});
  eager.metric = Metric::requests;
  Seen both{50.0};
  both.requests = 95.0;
  Seen cpu_only{70.0, 4, 5};
  cpu_only.requests = 50.0;
  expect_rows(scaling_of({patient, eager}),
              {{both, 9, "above_threshold"}, {cpu_only, 9, "above_threshold cooldown"}});
}

TEST(Step, plain_does_not_wait_for_what_is_launching) {
  expect_rows(scaling_of({step_policy({above(60, 2)}, {})}),
              {{{70.0, 4}, 6, "above_threshold"}, {{70.0, 4, 2}, 8, "above_threshold"}});
}

// Ordered at tick 0 with a start-up of two ticks: serves at tick 3, from where the cooldown of three counts.
TEST(AwsSimple, waits_for_the_activity_and_then_for_the_cooldown) {
  StepPolicy policy = step_policy({above(60, 1)}, {below(30, 1)});
  policy.semantics = StepSemantics::aws_simple;
  policy.cooldown_out = minutes(3);
  policy.cooldown_in = minutes(1);
  expect_rows(scaling_of({policy}), {{{70.0, 4}, 5, "above_threshold"},
                                     {{70.0, 4, 1}, 5, "above_threshold cooldown in_progress"},
                                     {{20.0, 4, 1}, 5, "below_threshold cooldown in_progress"},
                                     {{70.0, 5}, 5, "above_threshold cooldown"},
                                     {{20.0, 5}, 5, "below_threshold cooldown"},
                                     {{70.0, 5}, 5, "above_threshold cooldown"},
                                     {{20.0, 5}, 4, "below_threshold"},
                                     {{20.0, 4}, 4, "below_threshold cooldown"},  // gone at tick 7, plus one
                                     {{20.0, 4}, 3, "below_threshold"}});
}

// The example of the AWS user guide, in instances: 10 in service; +1 at 60, +3 at 70.
TEST(AwsStep, adds_to_what_is_past_its_warm_up) {
  StepPolicy policy = step_policy({at_least(60, 1), at_least(70, 3)}, {below(30, 1)});
  policy.semantics = StepSemantics::aws_step;
  expect_rows(scaling_of({policy}),
              {{{60.0, 10}, 11, "above_threshold"},
               {{62.0, 10, 1}, 11, "above_threshold in_progress"},
               {{70.0, 10, 1}, 13, "above_threshold"},  // 10 + 3, of which 1 is under way
               {{70.0, 13, 0, 3}, 13, "above_threshold in_progress"},
               {{60.0, 13, 0, 1}, 13, "above_threshold in_progress"},
               {{60.0, 13, 0, 0}, 14, "above_threshold"}});
}

TEST(AwsStep, does_not_scale_in_while_anything_launches_or_warms) {
  StepPolicy policy = step_policy({at_least(60, 1)}, {below(30, 1)});
  policy.semantics = StepSemantics::aws_step;
  expect_each(scaling_of({policy}), {{{20.0, 4, 1}, 5, "below_threshold in_progress"},
                                     {{20.0, 4, 0, 1}, 4, "below_threshold in_progress"},
                                     {{20.0, 4, 0, 0}, 3, "below_threshold"}});
}

// ---- target, hpa

TEST(Hpa, asks_for_the_ceiling_of_the_proportion_outside_the_tolerance) {
  expect_each(scaling_of({hpa(60)}), {{{60.0}, 4, "within_band"},
                                      {{66.0}, 4, "within_band"},      // 60 * 1.1: the tolerance includes it
                                      {{66.1}, 5, "above_threshold"},  // ceil(4.41)
                                      {{90.0}, 6, "above_threshold"},  // 4 * 90 / 60 = 6 exactly
                                      {{90.1}, 7, "above_threshold"},  // ceil(6.007)
                                      {{54.0}, 4, "within_band"},      // 60 * 0.9
                                      {{53.9}, 4, "below_threshold"},  // ceil(3.59): as many as there are
                                      {{45.0}, 3, "below_threshold"},  // 4 * 45 / 60 = 3 exactly
                                      {{0.0}, 1, "below_threshold at_min"}});
}

// With 4 in service of 5, 80 % is 64 % spread over all: within the tolerance of 60. With 90 % it is 72 %.
TEST(Hpa, counts_launching_instances_as_idle_when_scaling_out) {
  expect_each(scaling_of({hpa(60)}), {{{80.0, 4, 1}, 5, "above_threshold in_progress"},
                                      {{90.0, 4, 1}, 6, "above_threshold"},
                                      {{90.0, 4, 2}, 6, "above_threshold in_progress"},
                                      {{90.0, 4, 5}, 9, "above_threshold in_progress"}});
}

TEST(Hpa, ignores_launching_instances_when_scaling_in) {
  Deciding deciding(scaling_of({hpa(60)}));
  const Decided decided = deciding.see({30.0, 4, 4});
  EXPECT_EQ(decided.recommended, 2);  // 4 * 30 / 60
  EXPECT_EQ(decided.remove, 2) << "of the four that serve two stay, whatever is launching";
  EXPECT_EQ(decided.reasons, "below_threshold in_progress");
}

// Every minute, a window of three: the present recommendation and those of the two minutes before.
TEST(Hpa, scales_in_to_the_largest_recommendation_of_the_window) {
  expect_rows(scaling_of({hpa(50, 0, minutes(3))}), {{{50.0, 10}, 10, "within_band"},
                                                     {{25.0, 10}, 10, "below_threshold stabilised"},
                                                     {{20.0, 10}, 10, "below_threshold stabilised"},
                                                     {{30.0, 10}, 6, "below_threshold"},  // of 5, 4 and 6
                                                     {{25.0, 6}, 6, "below_threshold stabilised"}});
}

TEST(Hpa, scales_out_to_the_smallest_recommendation_of_the_window) {
  TargetPolicy policy = hpa(50, 0);
  policy.stabilise_out = minutes(2);
  expect_rows(scaling_of({policy}),
              {{{50.0, 4}, 4, "within_band"},
               {{100.0, 4}, 4, "above_threshold stabilised"},
               {{75.0, 4}, 6, "above_threshold"},                // the smaller of 8 and 6
               {{100.0, 6}, 6, "above_threshold stabilised"}});  // the smaller of 12 and 6
}

TEST(Hpa, what_is_there_at_first_counts_as_recommended) {
  expect_rows(scaling_of({hpa(50, 0, minutes(3))}), {{{25.0, 10}, 10, "below_threshold stabilised"},
                                                     {{25.0, 10}, 10, "below_threshold stabilised"},
                                                     {{25.0, 10}, 5, "below_threshold"}});
}

TEST(Hpa, a_missing_metric_leaves_the_recommendation_before_it) {
  expect_rows(scaling_of({hpa(50, 0, minutes(2))}), {{{50.0, 10}, 10, "within_band"},
                                                     {{25.0, 10}, 10, "below_threshold stabilised"},
                                                     {{kMissing, 10}, 10, "missing_metric"},
                                                     {{25.0, 10}, 5, "below_threshold"}});
  TargetPolicy policy = hpa(50, 0);
  policy.stabilise_out = minutes(2);
  expect_rows(scaling_of({policy}), {{{100.0, 4}, 4, "above_threshold stabilised"},
                                     {{kMissing, 4}, 4, "missing_metric"},
                                     {{100.0, 4}, 8, "above_threshold"}});
}

TEST(Hpa, scale_in_can_be_disabled) {
  TargetPolicy policy = hpa(50);
  policy.scale_in = false;
  expect_each(scaling_of({policy}), {{{10.0}, 4, "below_threshold scale_in_disabled"},
                                     {{50.0}, 4, "within_band"},
                                     {{75.0}, 6, "above_threshold"}});
}

TEST(Hpa, cooldown_holds_it) {
  TargetPolicy policy = hpa(50);
  policy.cooldown_out = minutes(2);
  expect_rows(scaling_of({policy}), {{{100.0, 2}, 4, "above_threshold"},
                                     {{100.0, 3}, 3, "above_threshold cooldown"},
                                     {{100.0, 3}, 6, "above_threshold"}});
  policy.scale_in = false;
  expect_rows(scaling_of({policy}), {{{100.0, 2}, 4, "above_threshold"},
                                     {{100.0, 3}, 3, "above_threshold cooldown"},
                                     {{100.0, 3}, 6, "above_threshold"}});
}

// ---- target, aws

TEST(AwsTarget, scales_out_in_proportion_after_three_periods_in_a_row) {
  expect_rows(scaling_of({aws_target(50)}), {{{75.0}, 4, "above_threshold not_enough_datapoints"},
                                             {{75.0}, 4, "above_threshold not_enough_datapoints"},
                                             {{50.0}, 4, "within_band"},  // the run ends
                                             {{75.0}, 4, "above_threshold not_enough_datapoints"},
                                             {{75.0}, 4, "above_threshold not_enough_datapoints"},
                                             {{75.0}, 6, "above_threshold"},  // 4 * 75 / 50
                                             {{75.0, 4, 2}, 6, "above_threshold in_progress"},
                                             {{75.0, 6, 0, 2}, 6, "above_threshold in_progress"},
                                             {{75.0, 6}, 9, "above_threshold"}});
}

TEST(AwsTarget, scales_in_after_fifteen_periods_below_nine_tenths) {
  Deciding deciding(scaling_of({aws_target(50)}));
  EXPECT_EQ(deciding.see({45.0, 10}).reasons, "within_band") << "45 is 90 % of 50, and not below it";
  for (int k = 1; k < 15; ++k) {
    EXPECT_EQ(deciding.see({44.0, 10}).reasons, "below_threshold not_enough_datapoints") << k;
  }
  const Decided held = deciding.see({44.0, 10, 0, 1});
  EXPECT_EQ(held.desired, 10);
  EXPECT_EQ(held.reasons, "below_threshold in_progress") << "one instance is warming";
  const Decided decided = deciding.see({44.0, 10});
  EXPECT_EQ(decided.desired, 9);  // ceil(10 * 44 / 50 = 8.8)
  EXPECT_EQ(decided.reasons, "below_threshold");
}

TEST(AwsTarget, does_not_scale_in_where_fewer_would_be_above_the_target) {
  TargetPolicy policy = aws_target(50);
  policy.periods_in = 1;
  expect_each(scaling_of({policy}), {{{44.0, 2}, 2, "below_threshold"},  // ceil(1.76)
                                     {{25.0, 2}, 1, "below_threshold"}});
}

TEST(AwsTarget, a_missing_sample_neither_counts_nor_ends_a_run) {
  expect_rows(scaling_of({aws_target(50)}), {{{75.0}, 4, "above_threshold not_enough_datapoints"},
                                             {{75.0}, 4, "above_threshold not_enough_datapoints"},
                                             {{kMissing}, 4, "missing_metric"},
                                             {{75.0}, 6, "above_threshold"}});
}

TEST(AwsTarget, scale_in_can_be_disabled) {
  TargetPolicy policy = aws_target(50);
  policy.periods_out = 1;
  policy.periods_in = 1;
  policy.scale_in = false;
  expect_each(scaling_of({policy}),
              {{{10.0}, 4, "below_threshold scale_in_disabled"}, {{75.0}, 6, "above_threshold"}});
}

TEST(AwsTarget, cooldown_holds_it) {
  TargetPolicy policy = aws_target(50);
  policy.periods_out = 1;
  policy.cooldown_out = minutes(2);
  expect_rows(scaling_of({policy}), {{{100.0, 2}, 4, "above_threshold"},
                                     {{100.0, 4}, 4, "above_threshold cooldown"},
                                     {{100.0, 4}, 8, "above_threshold"}});
}

// ---- proportions in float32

// n instances at k * target / n percent need exactly k, also where that percentage is no float32.
TEST(Target, exact_multiples_give_the_exact_number) {
  for (const double target : {1.0, 7.0, 30.0, 33.3, 50.0, 60.0, 66.6, 70.0, 85.0, 90.0}) {
    for (int n = 1; n <= 60; ++n) {
      for (int k = n + 1; k <= 2 * n && target * k / n <= 100.0; ++k) {
        Deciding deciding(scaling_of({hpa(target, 0)}, 1, 1000));
        EXPECT_EQ(deciding.see({target * k / n, n}).desired, k) << n << " at " << target * k / n;
      }
    }
  }
}

TEST(Target, a_bit_too_much_in_the_metric_orders_nothing) {
  for (const float metric : {75.0f, 75.0000076f, 75.0000153f}) {  // 75 and the next two float32
    Deciding deciding(scaling_of({hpa(50)}));
    EXPECT_EQ(deciding.see({static_cast<double>(metric), 2}).desired, 3) << "ceil(2 * 75 / 50)";
  }
  Deciding deciding(scaling_of({hpa(50)}));
  EXPECT_EQ(deciding.see({75.001, 2}).desired, 4) << "a thousandth of a percent is more than rounding";
}

TEST(Target, the_edges_of_the_tolerance_belong_to_it) {
  for (const double tolerance : {0.0, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3}) {
    for (int target = 1; target * (1 + tolerance) <= 100.0; ++target) {
      Deciding deciding(scaling_of({hpa(target, tolerance)}));
      EXPECT_EQ(deciding.see({target * (1 + tolerance), 8}).desired, 8) << target << " + " << tolerance;
      EXPECT_EQ(deciding.see({target * (1 - tolerance), 8}).desired, 8) << target << " - " << tolerance;
    }
  }
}

TEST(AwsTarget, the_share_of_the_target_is_not_below_itself) {
  for (int target = 1; target <= 100; ++target) {
    TargetPolicy policy = aws_target(target);
    policy.periods_in = 1;
    Deciding deciding(scaling_of({policy}));
    EXPECT_EQ(deciding.see({target * 0.9, 8}).reasons, "within_band") << target;
    EXPECT_EQ(deciding.see({target * 0.8999, 8}).reasons, "below_threshold") << target;
  }
}

// ---- schedule

ScheduleEntry entry(std::vector<int> days, Milliseconds from, Milliseconds to, int at_least) {
  ScheduleEntry made;
  made.days = {};
  for (const int day : days) made.days[static_cast<std::size_t>(day)] = true;
  made.from = from;
  made.to = to;
  made.at_least = at_least;
  return made;
}

enum { Mon, Tue, Wed, Thu, Fri, Sat, Sun };

struct Instant {
  int weekday;
  Milliseconds time;
  int desired;
};

void expect_schedule(const SchedulePolicy& policy, const std::vector<Instant>& instants) {
  for (const Instant& instant : instants) {
    Deciding deciding(scaling_of({policy}, 2));
    const Decided decided = deciding.see({50.0, 4}, instant.weekday, instant.time);
    EXPECT_EQ(decided.desired, instant.desired) << instant.weekday << " " << instant.time.count() / 60'000;
    EXPECT_EQ(decided.reasons, instant.desired == 2 ? "at_min not_due" : "schedule");
  }
}

TEST(Schedule, covers_its_days_from_the_start_until_before_the_end) {
  SchedulePolicy policy;
  policy.entries = {entry({Mon, Tue, Wed, Thu, Fri}, hours(8), hours(20), 8),
                    entry({Fri}, hours(12), hours(14), 9)};
  expect_schedule(policy, {{Mon, hours(8) - minutes(1), 2},
                           {Mon, hours(8), 8},
                           {Mon, hours(20) - minutes(1), 8},
                           {Mon, hours(20), 2},
                           {Sat, hours(12), 2},
                           {Thu, hours(12), 8},
                           {Fri, hours(12), 9},  // the largest of those that cover
                           {Fri, hours(14), 8}});
}

TEST(Schedule, over_midnight_belongs_to_the_day_on_which_it_starts) {
  SchedulePolicy policy;
  policy.entries = {entry({Fri, Sun}, hours(22), hours(6), 5)};
  expect_schedule(policy, {{Fri, hours(22) - minutes(1), 2},
                           {Fri, hours(22), 5},
                           {Sat, hours(0), 5},
                           {Sat, hours(6) - minutes(1), 5},
                           {Sat, hours(6), 2},
                           {Sat, hours(22), 2},
                           {Fri, hours(5), 2},    // that would be Thursday's night
                           {Mon, hours(5), 5}});  // Sunday's night: the week closes
}

TEST(Schedule, whole_days) {
  SchedulePolicy policy;
  policy.entries = {entry({Sat}, hours(0), hours(24), 5), entry({Tue}, hours(6), hours(6), 7)};
  expect_schedule(policy, {{Fri, hours(24) - minutes(1), 2},
                           {Sat, hours(0), 5},
                           {Sat, hours(24) - minutes(1), 5},
                           {Sun, hours(0), 2},
                           {Tue, hours(6) - minutes(1), 2},
                           {Tue, hours(6), 7},
                           {Wed, hours(6) - minutes(1), 7},
                           {Wed, hours(6), 2}});
}

TEST(Schedule, alone_it_goes_back_to_min_where_it_is_silent) {
  SchedulePolicy policy;
  policy.entries = {entry({Mon}, hours(8), hours(20), 8), entry({Mon}, hours(20), hours(22), 3)};
  Deciding deciding(scaling_of({policy}, 2));
  EXPECT_EQ(deciding.see({50.0, 2}, Mon, hours(8)).desired, 8);
  EXPECT_EQ(deciding.see({50.0, 8}, Mon, hours(20)).desired, 3);
  EXPECT_EQ(deciding.see({50.0, 3}, Mon, hours(22)).desired, 2);
}

TEST(Schedule, is_a_floor_under_other_policies_and_never_their_reason_to_scale_in) {
  SchedulePolicy schedule;
  schedule.entries = {entry({Mon}, hours(0), hours(24), 4)};
  StepPolicy step = step_policy({above(60, 2)}, {below(30, 1)});
  step.every = minutes(2);
  expect_rows(scaling_of({schedule, step}),
              {{{20.0, 9}, 8, "below_threshold"},
               {{20.0, 8}, 8, "not_due"},  // no slide to the four of the schedule
               {{50.0, 8}, 8, "within_band"},
               {{50.0, 8}, 8, "not_due"},
               {{20.0, 4}, 4, "schedule"},  // the step policy would remove one
               {{20.0, 2}, 4, "schedule"},
               {{kMissing, 9}, 9, "missing_metric"}});
}

// ---- several policies

TEST(Policies, the_largest_desired_wins) {
  StepPolicy cpu = step_policy({above(60, 2)}, {below(30, 1)});
  StepPolicy requests = step_policy({above(60, 5)}, {below(30, 3)});
  requests.metric = Metric::requests;
  const auto seen = [](double of_cpu, double of_requests) {
    Seen made{of_cpu, 6};
    made.requests = of_requests;
    return made;
  };
  struct Case {
    Seen seen;
    int desired;
    int policy;
    std::string reasons;
  };
  for (const Case& c :
       {Case{seen(70, 70), 11, 1, "above_threshold"}, Case{seen(70, 20), 8, 0, "above_threshold"},
        Case{seen(20, 50), 6, 1, "within_band"}, Case{seen(50, 20), 6, 0, "within_band"},
        Case{seen(20, 20), 5, 0, "below_threshold"},  // fewer only where all agree: the fewest fewer
        Case{seen(50, 50), 6, 0, "within_band"}}) {
    Deciding deciding(scaling_of({cpu, requests}));
    const Decided decided = deciding.see(c.seen);
    EXPECT_EQ(decided.desired, c.desired);
    EXPECT_EQ(decided.policy, c.policy);
    EXPECT_EQ(decided.reasons, c.reasons);
  }
}

TEST(Policies, one_between_its_evaluations_holds_unless_it_gave_way) {
  StepPolicy slow = step_policy({above(60, 2)}, {below(30, 1)});
  slow.every = minutes(3);
  StepPolicy fast = step_policy({above(60, 2)}, {below(30, 2)});
  fast.metric = Metric::requests;
  const auto seen = [](double cpu, double requests, int in_service) {
    Seen made{cpu, in_service};
    made.requests = requests;
    return made;
  };
  expect_rows(scaling_of({slow, fast}), {{seen(50, 20, 9), 9, "within_band"},       // slow holds,
                                         {seen(10, 20, 9), 9, "not_due"},           // and goes on holding,
                                         {seen(10, 70, 9), 11, "above_threshold"},  // but not against more
                                         {seen(20, 20, 9), 8, "below_threshold"},
                                         {seen(90, 20, 8), 6, "below_threshold"},  // slow gave way
                                         {seen(90, 20, 6), 4, "below_threshold"},
                                         {seen(90, 20, 4), 6, "above_threshold"}});
}

// One policy per direction, as AWS has them: the one that can only add does not hold back the one that
// removes.
TEST(Policies, one_that_can_only_add_has_no_say_in_scaling_in) {
  StepPolicy in = step_policy({}, {below(30, 1)});
  StepPolicy out = step_policy({above(60, 2)}, {});
  out.every = minutes(2);
  const auto missing_requests = [] {
    Seen made{20.0};
    made.requests = kMissing;
    return made;
  };
  expect_rows(scaling_of({out, in}), {{{20.0, 9}, 8, "below_threshold"},
                                      {{20.0, 8}, 7, "below_threshold"},
                                      {{70.0, 7}, 9, "above_threshold"},
                                      {{20.0, 9}, 9, "not_due"},  // it asked for more a minute ago
                                      {{50.0, 9}, 9, "within_band"}});
  out.every = minutes(1);
  out.metric = Metric::requests;
  expect_each(scaling_of({out, in}), {{missing_requests(), 4, "missing_metric"}});
  TargetPolicy target = hpa(60);
  target.scale_in = false;
  expect_each(scaling_of({target, in}),
              {{{20.0, 9}, 8, "below_threshold"}, {{70.0, 9}, 11, "above_threshold"}});
  target.semantics = TargetSemantics::aws;
  expect_each(scaling_of({target, in}),
              {{{20.0, 9}, 8, "below_threshold"}, {{70.0, 9}, 9, "above_threshold not_enough_datapoints"}});
  expect_each(scaling_of({out}), {{{20.0, 9}, 9, "within_band"}});
}

TEST(Policies, none_at_all_holds) { expect_each(scaling_of({}), {{{99.0, 7}, 7, "not_due"}}); }

// ---- the newest instance

Seen seen_with_records(double cpu, int newest_records) {
  Seen seen{cpu};
  seen.newest_records = newest_records;
  return seen;
}

// The monitor of the IN4392 report waits for two one-minute records of the instance it started last.
TEST(StepPolicy, M04_no_scale_out_before_the_newest_has_its_records_but_scale_in) {
  StepPolicy policy = step_policy({above(90, 1)}, {below(40, 1)});
  policy.window = minutes(3);
  policy.newest_records = 2;
  expect_each(scaling_of({policy}), {{seen_with_records(95, 0), 4, "above_threshold newest_unmeasured"},
                                     {seen_with_records(95, 1), 4, "above_threshold newest_unmeasured"},
                                     {seen_with_records(95, 2), 5, "above_threshold"},
                                     {seen_with_records(60, 0), 4, "within_band"},
                                     {seen_with_records(20, 0), 3, "below_threshold"}});
}

// ---- fresh metrics only

// Metric periods of two minutes that are seen a minute after their end: minute 3 sees [0, 2), minute 4 too,
// minute 5 sees [2, 4). What is ordered in minute 3 serves from minute 5 (nothing is launching then), so
// [4, 6) has minutes before the change in it; [6, 8), seen from minute 9 on, is the first without. The
// cooldown raised to period and lag, three minutes, would be over in minute 8, in which [4, 6) is seen.
TEST(StepPolicy, fresh_waits_for_a_metric_period_that_began_after_the_change) {
  StepPolicy policy = step_policy({above(60, 1)}, {below(30, 1)});
  policy.semantics = StepSemantics::aws_simple;
  policy.fresh_only = true;
  Deciding deciding(scaling_of({policy}), minutes(2), minutes(1));
  const auto reasons_at = [&](std::optional<double> cpu, int in_service, int launching) {
    return deciding.see({cpu, in_service, launching}).reasons;
  };
  for (int minute = 0; minute < 3; ++minute) EXPECT_EQ(reasons_at(kMissing, 4, 0), "missing_metric");
  EXPECT_EQ(reasons_at(70.0, 4, 0), "above_threshold");                       // 3: ordered
  EXPECT_EQ(reasons_at(70.0, 4, 1), "above_threshold cooldown in_progress");  // 4
  for (int minute = 5; minute < 9; ++minute) {
    EXPECT_EQ(reasons_at(70.0, 5, 0), "above_threshold cooldown") << minute;
  }
  EXPECT_EQ(reasons_at(20.0, 5, 0), "below_threshold");  // 9: removed, gone from minute 10 on
  // [10, 12), seen from minute 13 on, is the first that began after it.
  for (int minute = 10; minute < 13; ++minute) {
    EXPECT_EQ(reasons_at(20.0, 4, 0), "below_threshold cooldown") << minute;
  }
  EXPECT_EQ(reasons_at(20.0, 4, 0), "below_threshold");  // 13
}

// Two breaches in a row are asked for: one measured before the change and one after it are not two.
TEST(StepPolicy, fresh_forgets_the_breaches_from_before_the_change) {
  StepPolicy policy = step_policy({above(60, 1)}, {});
  policy.semantics = StepSemantics::aws_simple;
  policy.periods = policy.datapoints = 2;
  policy.fresh_only = true;
  expect_rows(scaling_of({policy}),
              {{{70.0, 4}, 4, "above_threshold not_enough_datapoints"},
               {{70.0, 4}, 5, "above_threshold"},
               {{70.0, 5}, 5, "above_threshold not_enough_datapoints"},  // [1, 2): before
               {{70.0, 5}, 5, "above_threshold not_enough_datapoints"},
               {{70.0, 5}, 6, "above_threshold"}});
}

// ---- proportional to the load of the service

Seen seen_load(std::optional<double> load, int in_service, int launching = 0) {
  Seen seen{kMissing, in_service, launching};
  seen.load = load;
  return seen;
}

ProportionalPolicy proportional(double per_rps, double plus = 0) {
  ProportionalPolicy policy;
  policy.per_rps = per_rps;
  policy.plus = plus;
  return policy;
}

// 0.25 instances per request a second: 10 rps and 4 more are ceil(6.5) = 7.
TEST(Proportional, the_load_times_a_factor_plus_a_number_rounded_up) {
  expect_each(scaling_of({proportional(0.25, 4)}), {{seen_load(10, 4), 7, "above_threshold"},
                                                    {seen_load(8, 4), 6, "above_threshold"},
                                                    {seen_load(8, 6), 6, "within_band"},
                                                    {seen_load(0, 9), 4, "below_threshold"},
                                                    {seen_load(8, 4, 2), 6, "within_band"}});
  expect_each(scaling_of({proportional(0.25, -3)}),
              {{seen_load(40, 4), 7, "above_threshold"}, {seen_load(4, 4), 1, "below_threshold at_min"}});
}

TEST(Proportional, a_missing_load_never_scales_in) {
  expect_each(scaling_of({proportional(0.25)}), {{seen_load(kMissing, 9), 9, "missing_metric"}});
  ProportionalPolicy serving = proportional(0.25);
  serving.remove = Removal::serving;
  serving.order = 2;
  expect_each(scaling_of({serving}), {{seen_load(kMissing, 9, 3), 12, "missing_metric"}});
}

// The last three loads: 40, 8, missing: at most 40, on average 24.
TEST(Proportional, looks_at_the_highest_or_the_mean_load_of_its_window) {
  ProportionalPolicy policy = proportional(0.25);
  policy.window = minutes(3);
  policy.statistic = Statistic::max;
  expect_rows(scaling_of({policy}), {{seen_load(40, 10), 10, "within_band"},
                                     {seen_load(8, 10), 10, "within_band"},
                                     {seen_load(kMissing, 10), 10, "within_band"},
                                     {seen_load(8, 10), 2, "below_threshold"}});
  policy.statistic = Statistic::mean;
  expect_rows(scaling_of({policy}), {{seen_load(40, 10), 10, "within_band"},
                                     {seen_load(8, 10), 6, "below_threshold"},
                                     {seen_load(kMissing, 6), 6, "within_band"},
                                     {seen_load(8, 6), 2, "below_threshold"}});
}

struct PairRow {
  Seen seen;
  int recommended;
  int add;
  int remove;
  std::string reasons;
};

void expect_pairs(const Scaling& scaling, const std::vector<PairRow>& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    SCOPED_TRACE("row " + std::to_string(row));
    const Decided decided = Deciding(scaling).see(rows[row].seen);
    EXPECT_EQ(decided.recommended, rows[row].recommended);
    EXPECT_EQ(decided.add, rows[row].add);
    EXPECT_EQ(decided.remove, rows[row].remove);
    EXPECT_EQ(decided.reasons, rows[row].reasons);
  }
}

// Six are wanted. Spare keeps six in service; serving counts what is launching as there.
TEST(Pairs, what_is_launching_holds_back_a_removal_or_not) {
  ProportionalPolicy policy = proportional(0.25, 4);
  expect_pairs(scaling_of({policy}), {{seen_load(8, 7, 3), 6, 0, 1, "below_threshold in_progress"}});
  policy.remove = Removal::serving;
  expect_pairs(scaling_of({policy}), {{seen_load(8, 7, 3), 6, 0, 4, "below_threshold"},
                                      {seen_load(8, 2, 9), 9, 0, 1, "below_threshold at_min"},
                                      {seen_load(8, 4), 6, 2, 0, "above_threshold"}});
}

TEST(Pairs, a_standing_order_adds_at_every_evaluation_and_what_is_spare_goes) {
  ProportionalPolicy policy = proportional(0.25);
  policy.order = 5;
  expect_pairs(scaling_of({policy}, 1, 30),
               {{seen_load(40, 12, 10), 25, 5, 2, "below_threshold standing_order"},
                {seen_load(40, 10), 15, 5, 0, "within_band standing_order"},
                {seen_load(40, 2), 10, 8, 0, "above_threshold"},
                {seen_load(40, 7), 12, 5, 0, "above_threshold standing_order"}});
}

// 14 of 20 serve, 4 are wanted: 5 are ordered and 10 go.
TEST(Pairs, each_side_has_its_limits) {
  ProportionalPolicy policy = proportional(0.25);
  policy.order = 5;
  Scaling scaling = scaling_of({policy}, 1, 40);
  scaling.initial = 10;
  const Seen seen = seen_load(16, 14, 6);
  expect_pairs(scaling, {{seen, 15, 5, 10, "below_threshold standing_order"}});
  scaling.limits.step_out = 2;
  expect_pairs(scaling, {{seen, 15, 2, 10, "below_threshold step_limit standing_order"}});
  scaling.limits.rate_in = RateLimit{3, minutes(5)};
  expect_pairs(scaling, {{seen, 15, 2, 3, "below_threshold step_limit rate_limit standing_order"}});
  scaling.limits.step_out = std::nullopt;
  scaling.limits.step_in = 10;
  scaling.limits.rate_in = std::nullopt;
  scaling.limits.min = 8;  // 6 may go
  expect_pairs(scaling, {{seen, 15, 5, 6, "below_threshold at_min standing_order"}});
  scaling.limits.min = 1;
  scaling.limits.max = 22;  // beside the 20 that are there, though 10 of them go
  expect_pairs(scaling, {{seen, 15, 2, 10, "below_threshold at_max standing_order"}});
  scaling.limits.max = 12;     // no room before the others are gone
  scaling.limits.step_in = 3;  // 20 - 3: at least as many go as bring what serves to max, none is added
  expect_pairs(scaling, {{seen, 15, 0, 3, "below_threshold step_limit at_max standing_order"}});
  scaling.limits.max = 10;
  expect_pairs(scaling, {{seen, 15, 0, 4, "below_threshold step_limit at_max standing_order"}});
}

TEST(Pairs, too_few_are_brought_up_to_min) {
  ProportionalPolicy policy = proportional(0.25);
  policy.remove = Removal::serving;
  expect_pairs(scaling_of({policy}, 6, 30), {{seen_load(4, 2, 1), 1, 3, 0, "below_threshold at_min"}});
}

// Another policy that wants more has the word, and a pair that comes to more than another's number.
TEST(Pairs, the_largest_wins_and_brings_its_pair) {
  ProportionalPolicy policy = proportional(0.25);
  policy.order = 2;
  StepPolicy step = step_policy({above(60, 6)}, {below(30, 1)});
  Seen seen = seen_load(8, 10);  // 2 are wanted: 2 ordered, 8 go
  seen.cpu = 50;
  expect_pairs(scaling_of({policy, step}, 1, 30), {{seen, 10, 0, 0, "within_band"}});
  seen.cpu = 20;
  expect_pairs(scaling_of({policy, step}, 1, 30), {{seen, 9, 0, 1, "below_threshold"}});
  seen.load = 44;  // 11 are wanted, 2 ordered
  expect_pairs(scaling_of({step, policy}, 1, 30), {{seen, 12, 2, 0, "above_threshold standing_order"}});
}

// ---- limits

TEST(Limits, each_stage_leaves_its_figure_and_its_reason) {
  Scaling scaling = scaling_of({step_policy({above(60, 9)}, {below(30, 9)})}, 3, 12);
  scaling.limits.step_out = 5;
  scaling.limits.step_in = 4;
  scaling.limits.rate_out = RateLimit{7, minutes(3)};
  scaling.limits.rate_in = RateLimit{6, minutes(2)};
  expect_rows(scaling, {{{70.0, 3}, 8, "above_threshold step_limit"},
                        {{70.0, 8}, 10, "above_threshold step_limit rate_limit"},  // 7 - 5 = 2 are left
                        {{70.0, 10}, 10, "above_threshold step_limit rate_limit"},
                        {{70.0, 10}, 12, "above_threshold step_limit at_max"},  // 5 are left again, 2 to max
                        {{20.0, 12}, 8, "below_threshold step_limit"},
                        {{20.0, 8}, 6, "below_threshold step_limit rate_limit"},
                        {{20.0, 6}, 3, "below_threshold step_limit at_min"}});
}

TEST(Limits, figures_of_the_stages) {
  Scaling scaling = scaling_of({step_policy({above(60, 9)}, {})}, 1, 6);
  scaling.limits.step_out = 5;
  scaling.limits.rate_out = RateLimit{4, minutes(1)};
  auto compiled = compile(scaling, minutes(1), minutes(1), minutes(0));
  ASSERT_TRUE(compiled);
  State<One> state = initial_state();
  Observation<One> observation{};
  observation.value[0] = 70;
  observation.in_service = 3;
  const Decision<One> made = decide(Now{}, observation, compiled->shape, compiled->numbers, state);
  EXPECT_EQ(made.recommended, 12);
  EXPECT_EQ(made.after_step, 8);
  EXPECT_EQ(made.after_rate, 7);
  EXPECT_EQ(made.desired, 6);
}

TEST(Limits, M06_at_max_with_more_needed_says_so_every_time) {
  expect_rows(scaling_of({step_policy({above(90, 1)}, {below(40, 1)})}, 1, 5),
              {{{95.0, 5}, 5, "above_threshold at_max"}, {{95.0, 5}, 5, "above_threshold at_max"}});
}

TEST(Limits, a_lowered_max_removes_at_once_whatever_the_other_limits_say) {
  Scaling scaling = scaling_of({step_policy({above(60, 1)}, {below(30, 1)})}, 1, 5);
  scaling.limits.step_in = 1;
  scaling.limits.rate_in = RateLimit{1, minutes(5)};
  expect_rows(scaling, {{{50.0, 8}, 5, "within_band at_max"}, {{kMissing, 7}, 5, "missing_metric at_max"}});
}

// Five are wanted and four serve while four launch: removing a serving one would leave three.
TEST(Limits, what_serves_does_not_make_up_for_what_is_launching) {
  expect_each(scaling_of({step_policy({above(60, 1)}, {below(30, 1)})}, 1, 5),
              {{{50.0, 4, 4}, 8, "within_band in_progress at_max"},
               {{50.0, 7, 1}, 6, "within_band in_progress at_max"}});
}

TEST(Limits, M14_min_is_restored_at_the_next_decision_whatever_the_policies_see) {
  Scaling scaling = scaling_of({step_policy({above(90, 1)}, {below(40, 1)})}, 3, 5);
  scaling.limits.step_out = 1;
  scaling.limits.rate_out = RateLimit{1, minutes(5)};
  expect_each(scaling, {{{50.0, 1}, 3, "within_band at_min"},
                        {{kMissing, 0}, 3, "missing_metric at_min"},
                        {{20.0, 2, 1}, 3, "below_threshold at_min"}});
}

// ---- missing metrics

// The original took "no data" for 0 % and scaled in.
TEST(Missing, M02_no_data_is_no_action_and_leaves_its_reason) {
  StepPolicy window = step_policy({above(90, 1)}, {below(40, 1)});
  window.window = minutes(3);
  StepPolicy simple = step_policy({above(90, 1)}, {below(40, 1)});
  simple.semantics = StepSemantics::aws_simple;
  StepPolicy warm = step_policy({above(90, 1)}, {at_most(0, 1)});
  warm.semantics = StepSemantics::aws_step;
  TargetPolicy target = aws_target(50);
  target.periods_in = 1;
  target.periods_out = 1;
  for (const Policy& policy : std::vector<Policy>{step_policy({above(90, 1)}, {below(40, 1)}), window, simple,
                                                  warm, hpa(50), hpa(50, 0, minutes(5)), target}) {
    Deciding deciding(scaling_of({policy}));
    for (int tick = 0; tick < 20; ++tick) {
      const Decided decided = deciding.see({kMissing, 4});
      EXPECT_EQ(decided.add, 0);
      EXPECT_EQ(decided.remove, 0);
      EXPECT_EQ(decided.reasons, "missing_metric");
    }
  }
}

TEST(Missing, M02_a_policy_without_data_holds_back_the_scale_in_of_others_but_not_their_scale_out) {
  StepPolicy cpu = step_policy({above(60, 2)}, {below(30, 1)});
  StepPolicy requests = step_policy({above(60, 2)}, {below(30, 1)});
  requests.metric = Metric::requests;
  Seen low{10.0};
  low.requests = kMissing;
  Seen high{70.0};
  high.requests = kMissing;
  expect_each(scaling_of({cpu, requests}), {{low, 4, "missing_metric"}, {high, 6, "above_threshold"}});
}

}  // namespace
}  // namespace headroom::policy
