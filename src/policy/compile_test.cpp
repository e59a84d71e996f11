#include "policy/compile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace headroom::policy {
namespace {

using base::Milliseconds;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// One of each kind, with nothing wrong.
Scaling sound() {
  Scaling scaling;
  scaling.initial = 3;
  scaling.limits.min = 2;
  scaling.limits.max = 30;
  scaling.limits.step_out = 5;
  scaling.limits.step_in = 1;
  scaling.limits.rate_out = RateLimit{6, minutes(10)};
  scaling.limits.rate_in = RateLimit{2, minutes(5)};
  scaling.warm_up = minutes(2);
  StepPolicy step;
  step.every = minutes(5);
  step.first = minutes(1);
  step.window = minutes(3);
  step.out = {{60, false, 1}, {80, true, 4}};
  step.in = {{20, true, 2}};
  step.periods = 3;
  step.datapoints = 2;
  step.cooldown_out = minutes(4);
  step.cooldown_in = minutes(6);
  step.semantics = StepSemantics::aws_step;
  TargetPolicy target;
  target.metric = Metric::requests;
  target.target = 250;
  target.every = minutes(2);
  target.stabilise_out = minutes(1);
  target.stabilise_in = minutes(7);
  target.scale_in = false;
  SchedulePolicy schedule;
  schedule.entries.resize(1);
  schedule.entries[0].days = {true, false, false, false, true, false, false};
  schedule.entries[0].from = hours(22);
  schedule.entries[0].to = hours(6);
  schedule.entries[0].at_least = 7;
  scaling.policies = {step, target, schedule};
  return scaling;
}

StepPolicy& step_of(Scaling& scaling) { return std::get<StepPolicy>(scaling.policies[0]); }
TargetPolicy& target_of(Scaling& scaling) { return std::get<TargetPolicy>(scaling.policies[1]); }
ScheduleEntry& entry_of(Scaling& scaling) { return std::get<SchedulePolicy>(scaling.policies[2]).entries[0]; }

TEST(Compile, where_no_warm_up_is_written_that_of_aws_holds_for_the_policies_that_look_at_it) {
  const auto ticks = [](const Scaling& scaling, base::Milliseconds tick) {
    const auto compiled = compile(scaling, tick, tick, Milliseconds(0));
    EXPECT_TRUE(compiled) << base::to_string(compiled.error());
    return compiled->warm_up_ticks;
  };
  Scaling scaling;
  StepPolicy step;
  step.every = minutes(2);
  step.out = {{60, false, 1}};
  scaling.policies = {step};
  for (const StepSemantics other : {StepSemantics::plain, StepSemantics::aws_simple}) {
    std::get<StepPolicy>(scaling.policies[0]).semantics = other;
    EXPECT_EQ(ticks(scaling, minutes(1)), 0);
  }
  std::get<StepPolicy>(scaling.policies[0]).semantics = StepSemantics::aws_step;
  EXPECT_EQ(ticks(scaling, minutes(1)), 5);  // 300 s
  EXPECT_EQ(ticks(scaling, minutes(2)), 3);  // 300 s are two and a half ticks
  scaling.warm_up = minutes(0);
  EXPECT_EQ(ticks(scaling, minutes(1)), 0);
  scaling.warm_up = minutes(7);
  EXPECT_EQ(ticks(scaling, minutes(1)), 7);

  TargetPolicy target;
  Scaling tracking;
  tracking.policies = {target};
  EXPECT_EQ(warm_up_of(tracking), minutes(0));  // as the HPA
  target.semantics = TargetSemantics::aws;
  tracking.policies = {step, target};
  EXPECT_EQ(warm_up_of(tracking), minutes(5));
}

TEST(Compile, durations_become_ticks_and_samples) {
  const auto compiled = compile(sound(), seconds(30), minutes(1), minutes(0));
  ASSERT_TRUE(compiled) << base::to_string(compiled.error());
  const Shape& shape = compiled->shape;
  EXPECT_EQ(shape.policies, 3);
  EXPECT_EQ(shape.metric_period, 2);
  EXPECT_EQ(shape.metric_lag, 0);
  EXPECT_EQ(shape.newest_window_samples, 0);
  EXPECT_EQ(shape.rate_out_ticks, 20);
  EXPECT_EQ(shape.rate_in_ticks, 10);
  EXPECT_TRUE(shape.any_window);
  EXPECT_EQ(compiled->warm_up_ticks, 4);
  const PolicyShape& step = shape.policy[0];
  EXPECT_EQ(step.kind, Kind::step);
  EXPECT_EQ(step.every, 10);
  EXPECT_EQ(step.first, 2);
  EXPECT_EQ(step.window_samples, 3);
  EXPECT_EQ(step.outs, 2);
  EXPECT_EQ(step.ins, 1);
  EXPECT_FALSE(step.out_inclusive[0]);
  EXPECT_TRUE(step.out_inclusive[1]);
  EXPECT_TRUE(step.in_inclusive[0]);
  EXPECT_EQ(step.periods, 3);
  EXPECT_EQ(step.step_semantics, StepSemantics::aws_step);
  const PolicyShape& target = shape.policy[1];
  EXPECT_EQ(target.kind, Kind::target);
  EXPECT_EQ(target.signal, static_cast<int>(Metric::requests));
  EXPECT_EQ(target.every, 4);
  EXPECT_EQ(target.window_samples, 1);
  EXPECT_EQ(target.stabilise_out, 1);  // at 0 s; that of 2 min ago is more than one minute old
  EXPECT_EQ(target.stabilise_in, 4);   // at 0, 2, 4 and 6 min
  EXPECT_FALSE(target.scale_in);
  const PolicyShape& schedule = shape.policy[2];
  EXPECT_EQ(schedule.kind, Kind::schedule);
  EXPECT_EQ(schedule.entries, 1);
  EXPECT_EQ(schedule.entry[0].days, 0b10001);
  EXPECT_EQ(schedule.entry[0].from_ms, 22 * 3'600'000);
  EXPECT_EQ(schedule.entry[0].to_ms, 6 * 3'600'000);
}

TEST(Compile, numbers_are_taken_over) {
  const auto compiled = compile(sound(), minutes(1), minutes(1), minutes(0));
  ASSERT_TRUE(compiled) << base::to_string(compiled.error());
  const Numbers<base::One>& numbers = compiled->numbers;
  EXPECT_EQ(numbers.initial, 3);
  EXPECT_EQ(numbers.min, 2);
  EXPECT_EQ(numbers.max, 30);
  EXPECT_EQ(numbers.step_out, 5);
  EXPECT_EQ(numbers.step_in, 1);
  EXPECT_EQ(numbers.rate_out, 6);
  EXPECT_EQ(numbers.rate_in, 2);
  EXPECT_EQ(numbers.policy[0].out_threshold[1], 80.0f);
  EXPECT_EQ(numbers.policy[0].out_change[1], 4);
  EXPECT_EQ(numbers.policy[0].in_threshold[0], 20.0f);
  EXPECT_EQ(numbers.policy[0].in_change[0], 2);
  EXPECT_EQ(numbers.policy[0].datapoints, 2);
  EXPECT_EQ(numbers.policy[0].cooldown_out, 4);
  EXPECT_EQ(numbers.policy[0].cooldown_in, 6);
  EXPECT_EQ(numbers.policy[1].target, 250.0f);
  EXPECT_EQ(numbers.policy[2].at_least[0], 7);
}

TEST(Compile, the_metric_lag_is_taken_in_whole_ticks_rounded_up) {
  EXPECT_EQ(compile(sound(), minutes(1), minutes(1), seconds(61))->shape.metric_lag, 2);
  EXPECT_EQ(compile(sound(), seconds(30), minutes(1), seconds(60))->shape.metric_lag, 2);
}

// Whoever counts them needs to know within which samples: the longest window among the policies that ask.
TEST(Compile, records_of_the_newest_are_counted_within_the_longest_window) {
  Scaling scaling = sound();
  step_of(scaling).newest_records = 2;
  StepPolicy longer = step_of(scaling);
  longer.window = minutes(5);
  StepPolicy indifferent = longer;
  indifferent.window = minutes(9);
  indifferent.newest_records = 0;
  scaling.policies = {step_of(scaling), longer, indifferent};
  const auto compiled = compile(scaling, minutes(1), minutes(1), minutes(0));
  ASSERT_TRUE(compiled) << base::to_string(compiled.error());
  EXPECT_EQ(compiled->shape.policy[0].newest_records, 2);
  EXPECT_EQ(compiled->shape.newest_window_samples, 5);
}

TEST(Compile, a_proportional_policy_looks_at_the_load) {
  ProportionalPolicy policy;
  policy.per_rps = 0.264;
  policy.plus = -3;
  policy.window = minutes(5);
  policy.statistic = Statistic::max;
  Scaling scaling = sound();
  scaling.policies = {policy};
  const auto plain = compile(scaling, minutes(1), minutes(1), minutes(0));
  ASSERT_TRUE(plain) << base::to_string(plain.error());
  EXPECT_EQ(plain->shape.policy[0].kind, Kind::proportional);
  EXPECT_EQ(plain->shape.policy[0].window_samples, 5);
  EXPECT_EQ(plain->shape.policy[0].statistic, Statistic::max);
  EXPECT_EQ(plain->numbers.policy[0].per_rps, 0.264f);
  EXPECT_EQ(plain->numbers.policy[0].plus, -3.0f);
  EXPECT_TRUE(plain->shape.any_load);
  EXPECT_FALSE(plain->shape.any_pair);
  policy.order = 5;
  scaling.policies = {policy};
  EXPECT_TRUE(compile(scaling, minutes(1), minutes(1), minutes(0))->shape.any_pair);
  policy.order = 0;
  policy.remove = Removal::serving;
  scaling.policies = {policy};
  EXPECT_TRUE(compile(scaling, minutes(1), minutes(1), minutes(0))->shape.any_pair);
  policy.per_rps = -1;
  policy.plus = std::numeric_limits<double>::infinity();
  policy.order = -1;
  scaling.policies = {policy};
  const auto spoiled = compile(scaling, minutes(1), minutes(1), minutes(0));
  ASSERT_FALSE(spoiled);
  EXPECT_EQ(spoiled.error().faults.size(), 3u) << base::to_string(spoiled.error());
}

TEST(Compile, without_limits_nothing_bounds) {
  Scaling scaling = sound();
  scaling.limits = Limits{};
  scaling.limits.max = 5;
  const auto compiled = compile(scaling, minutes(1), minutes(1), minutes(0));
  ASSERT_TRUE(compiled) << base::to_string(compiled.error());
  EXPECT_EQ(compiled->numbers.step_out, kMaxInstances);
  EXPECT_EQ(compiled->numbers.step_in, kMaxInstances);
  EXPECT_EQ(compiled->shape.rate_out_ticks, 0);
  EXPECT_EQ(compiled->shape.rate_in_ticks, 0);
}

// An evaluation exactly one window old no longer counts, as in Kubernetes: five minutes hold five of a
// minute.
TEST(Compile, a_stabilisation_window_holds_the_evaluations_younger_than_it) {
  struct Case {
    Milliseconds window;
    Milliseconds every;
    int evaluations;
  };
  for (const Case& c : {Case{minutes(0), minutes(1), 1}, Case{minutes(1), minutes(1), 1},
                        Case{minutes(5), minutes(1), 5}, Case{minutes(5), minutes(2), 3},
                        Case{seconds(300), seconds(15), 20}, Case{minutes(1), minutes(5), 1}}) {
    Scaling scaling = sound();
    target_of(scaling).every = c.every;
    target_of(scaling).stabilise_in = c.window;
    target_of(scaling).stabilise_out = minutes(0);
    const auto compiled = compile(scaling, seconds(15), minutes(1), minutes(0));
    ASSERT_TRUE(compiled) << base::to_string(compiled.error());
    EXPECT_EQ(compiled->shape.policy[1].stabilise_in, c.evaluations);
  }
}

TEST(Compile, each_fault_names_its_field) {
  struct Case {
    std::string path;
    std::function<void(Scaling&)> spoil;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Case> cases{
      {"min", [](Scaling& s) { s.limits.min = 0; }},
      {"min", [](Scaling& s) { s.limits.min = 31; }},
      {"max", [](Scaling& s) { s.limits.max = kMaxInstances + 1; }},
      {"initial", [](Scaling& s) { s.initial = 1; }},
      {"initial", [](Scaling& s) { s.initial = 31; }},
      {"step.out", [](Scaling& s) { s.limits.step_out = 0; }},
      {"step.in", [](Scaling& s) { s.limits.step_in = -1; }},
      {"rate.out", [](Scaling& s) { s.limits.rate_out->count = 0; }},
      {"rate.out", [](Scaling& s) { s.limits.rate_out->per = minutes(kMaxRateTicks + 1); }},
      {"rate.in", [](Scaling& s) { s.limits.rate_in->per = minutes(0); }},
      {"rate.in", [](Scaling& s) { s.limits.rate_in->per = seconds(90); }},
      {"warm_up", [](Scaling& s) { s.warm_up = seconds(61); }},
      {"warm_up", [](Scaling& s) { s.warm_up = minutes(-1); }},
      {"policies", [](Scaling& s) { s.policies.resize(kMaxPolicies + 1, s.policies[0]); }},
      {"policies[0].step.every", [](Scaling& s) { step_of(s).every = minutes(0); }},
      {"policies[0].step.every", [](Scaling& s) { step_of(s).every = seconds(90); }},
      {"policies[0].step.first", [](Scaling& s) { step_of(s).first = minutes(-1); }},
      {"policies[0].step.window", [](Scaling& s) { step_of(s).window = seconds(90); }},
      {"policies[0].step.window", [](Scaling& s) { step_of(s).window = minutes(-3); }},
      {"policies[0].step.window", [](Scaling& s) { step_of(s).window = minutes(kMaxWindowSamples + 1); }},
      {"policies[0].step",
       [](Scaling& s) {
         step_of(s).out.clear();
         step_of(s).in.clear();
       }},
      {"policies[0].step.out",
       [](Scaling& s) {
         step_of(s).out.resize(kMaxSteps + 1, {90, false, 1});
       }},
      {"policies[0].step.out[1]", [nan](Scaling& s) { step_of(s).out[1].threshold = nan; }},
      {"policies[0].step.out[1]", [](Scaling& s) { step_of(s).out[1].threshold = 101; }},
      {"policies[0].step.out[0]", [](Scaling& s) { step_of(s).out[0].threshold = 100; }},
      {"policies[0].step.out[1]", [](Scaling& s) { step_of(s).out[1].change = 0; }},
      {"policies[0].step.in[0]", [](Scaling& s) { step_of(s).in[0].threshold = -1; }},
      {"policies[0].step.in[0]", [](Scaling& s) { step_of(s).in[0].threshold = 61; }},
      {"policies[0].step.periods", [](Scaling& s) { step_of(s).periods = kMaxPeriods + 1; }},
      {"policies[0].step.datapoints", [](Scaling& s) { step_of(s).datapoints = 4; }},
      {"policies[0].step.fresh", [](Scaling& s) { step_of(s).fresh_only = true; }},
      {"policies[0].step.newest_records", [](Scaling& s) { step_of(s).newest_records = -1; }},
      {"policies[0].step.newest_records", [](Scaling& s) { step_of(s).newest_records = 4; }},
      {"policies[0].step.cooldown.out", [](Scaling& s) { step_of(s).cooldown_out = seconds(1); }},
      {"policies[0].step.cooldown.in", [](Scaling& s) { step_of(s).cooldown_in = minutes(-1); }},
      {"policies[1].target.value", [](Scaling& s) { target_of(s).target = 0; }},
      {"policies[1].target.value", [nan](Scaling& s) { target_of(s).target = nan; }},
      {"policies[1].target.value",
       [](Scaling& s) {
         target_of(s).metric = Metric::cpu;
         target_of(s).target = 101;
       }},
      {"policies[1].target.tolerance", [](Scaling& s) { target_of(s).tolerance = 1.5; }},
      {"policies[1].target.in_below", [](Scaling& s) { target_of(s).in_below = -0.1; }},
      {"policies[1].target.periods.out", [](Scaling& s) { target_of(s).periods_out = 0; }},
      {"policies[1].target.periods.in", [](Scaling& s) { target_of(s).periods_in = 1001; }},
      {"policies[1].target.stabilise.in", [](Scaling& s) { target_of(s).stabilise_in = minutes(-1); }},
      {"policies[1].target.stabilise.in", [](Scaling& s) { target_of(s).stabilise_in = hours(5); }},
      {"policies[2].schedule", [](Scaling& s) { std::get<SchedulePolicy>(s.policies[2]).entries.clear(); }},
      {"policies[2].schedule", [](Scaling& s) { std::get<SchedulePolicy>(s.policies[2]).entries.resize(9); }},
      {"policies[2].schedule[0].days", [](Scaling& s) { entry_of(s).days = {}; }},
      {"policies[2].schedule[0].from", [](Scaling& s) { entry_of(s).from = hours(24); }},
      {"policies[2].schedule[0].to", [](Scaling& s) { entry_of(s).to = hours(25); }},
      {"policies[2].schedule[0].at_least", [](Scaling& s) { entry_of(s).at_least = 0; }},
  };
  for (const Case& c : cases) {
    Scaling scaling = sound();
    c.spoil(scaling);
    const auto compiled = compile(scaling, minutes(1), minutes(1), minutes(0));
    ASSERT_FALSE(compiled) << c.path;
    EXPECT_TRUE(std::any_of(compiled.error().faults.begin(), compiled.error().faults.end(),
                            [&](const base::Fault& fault) {
                              return fault.path == c.path && !fault.what.empty() && !fault.fix.empty();
                            }))
        << c.path << " is not in: " << base::to_string(compiled.error());
  }
}

TEST(Compile, one_sample_is_not_counted_as_several_datapoints) {
  Scaling scaling = sound();
  step_of(scaling).every = minutes(2);
  step_of(scaling).window = minutes(5);
  target_of(scaling).every = minutes(5);
  const auto compiled = compile(scaling, minutes(1), minutes(5), minutes(0));
  ASSERT_FALSE(compiled);
  ASSERT_EQ(compiled.error().faults.size(), 1u);
  EXPECT_EQ(compiled.error().faults[0].path, "policies[0].step.every");
  step_of(scaling).periods = 1;
  step_of(scaling).datapoints = 1;
  EXPECT_TRUE(compile(scaling, minutes(1), minutes(5), minutes(0)));
  target_of(scaling).semantics = TargetSemantics::aws;
  target_of(scaling).every = minutes(1);
  EXPECT_FALSE(compile(scaling, minutes(1), minutes(5), minutes(0)));
}

TEST(Compile, all_faults_are_reported_at_once) {
  Scaling scaling = sound();
  scaling.limits.step_out = 0;
  step_of(scaling).datapoints = 9;
  target_of(scaling).tolerance = 2;
  entry_of(scaling).at_least = -1;
  const auto compiled = compile(scaling, minutes(1), minutes(1), minutes(0));
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().faults.size(), 4u) << base::to_string(compiled.error());
}

TEST(InTicks, whole_numbers_only) {
  EXPECT_EQ(in_ticks(minutes(5), seconds(15), "x").value(), 20);
  EXPECT_EQ(in_ticks(minutes(0), seconds(15), "x").value(), 0);
  EXPECT_FALSE(in_ticks(seconds(16), seconds(15), "x"));
  EXPECT_FALSE(in_ticks(seconds(-15), seconds(15), "x"));
  EXPECT_FALSE(in_ticks(hours(1'000'000), Milliseconds(1), "x"));
  EXPECT_EQ(in_ticks(seconds(16), seconds(15), "cooldown").error().faults[0].path, "cooldown");
}

}  // namespace
}  // namespace headroom::policy
