#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "policy/compile.hpp"
#include "sim/lane_engine-inl.hpp"
#include "sim/lane_model.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using base::One;
using policy::Reason;
using std::chrono::minutes;

// A step policy by hand, without limits that bind; the rest of Numbers is 0.
LaneModel one_step_model() {
  LaneModel model;
  model.policy.policies = 1;
  model.policy.policy[0].kind = policy::Kind::step;
  model.policy.policy[0].outs = 1;
  model.policy.policy[0].ins = 1;
  model.cpu_limit_low = model.cpu_limit_high = 50;
  return model;
}

policy::Numbers<One> one_step_numbers(int add, float above, float below, int max) {
  policy::Numbers<One> numbers{};
  numbers.initial = 1;
  numbers.min = 1;
  numbers.max = max;
  numbers.step_out = numbers.step_in = policy::kMaxInstances;
  numbers.rate_out = numbers.rate_in = policy::kMaxInstances;
  numbers.policy[0].out_threshold[0] = above;
  numbers.policy[0].out_change[0] = add;
  numbers.policy[0].in_threshold[0] = below;
  numbers.policy[0].in_change[0] = 1;
  numbers.policy[0].datapoints = 1;
  return numbers;
}

// ---- conf42, with the timing chosen in the documentation

// The coefficient solved from the maximum that the talk prints: 39.226077 % at 45,000 rpm on one host.
constexpr double kPercentPerRpm = 39.226077 / 45'000;

// A ramp to 30,000 rpm over 10 samples, to 150,000 over 8, then 30 at 150,000; no sample at zero.
std::vector<double> conf42_rpm() {
  std::vector<double> rpm;
  for (int k = 1; k <= 10; ++k) rpm.push_back(3'000.0 * k);
  for (int k = 1; k <= 8; ++k) rpm.push_back(30'000.0 + 15'000.0 * k);
  for (int k = 0; k < 30; ++k) rpm.push_back(150'000.0);
  return rpm;
}

struct Conf42 {
  Trajectory trajectory;
  Tally tally;
  double mean = 0;
  double max = 0;
  int above_50 = 0;
  int host_minutes = 0;
};

Conf42 run_conf42(int add, float above, float below) {
  LaneModel model = one_step_model();
  model.policy.policy[0].every = 5;
  model.policy.policy[0].first = 1;
  model.fleet.startup = 4;
  model.slope_percent_per_rps = static_cast<float>(kPercentPerRpm * 60);
  const std::vector<double> rpm = conf42_rpm();
  std::vector<float> rates;
  std::vector<float> strength;  // per tick; empty: 1
  for (const double value : rpm) rates.push_back(static_cast<float>(value / 60));
  const LaneTraffic traffic{.requests_per_second = rates};
  const policy::Numbers<One> numbers = one_step_numbers(add, above, below, 1000);

  Conf42 out;
  out.trajectory = run_one_lane(model, numbers, traffic);
  out.tally = tally_one_lane(model, numbers, traffic);
  for (std::size_t t = 0; t < rpm.size(); ++t) {
    const double cpu = kPercentPerRpm * rpm[t] / out.trajectory.in_service[t];
    out.mean += cpu / static_cast<double>(rpm.size());
    out.max = std::max(out.max, cpu);
    out.above_50 += cpu > 50;
    out.host_minutes += out.trajectory.in_service[t];
  }
  return out;
}

// "1x11 3x5": one instance for 11 ticks, then three for 5.
std::string stretches(const std::vector<std::int32_t>& counts) {
  std::string text;
  for (std::size_t begin = 0; begin < counts.size();) {
    std::size_t end = begin;
    while (end < counts.size() && counts[end] == counts[begin]) ++end;
    text += (text.empty() ? "" : " ") + std::to_string(counts[begin]) + "x" + std::to_string(end - begin);
    begin = end;
  }
  return text;
}

// The printed figures of the winner; they hold to all digits that the talk shows.
TEST(Conf42, the_winner_has_the_printed_mean_and_maximum) {
  const Conf42 winner = run_conf42(2, 15, 10);
  EXPECT_EQ(stretches(winner.trajectory.in_service), "1x11 3x5 5x5 7x5 9x5 11x17");
  EXPECT_NEAR(winner.mean, 16.876191, 1e-6);
  EXPECT_NEAR(winner.max, 39.226077, 1e-6);
  EXPECT_EQ(winner.above_50, 0);
}

// Decided at 1, 6, 11, ... on the sample before: 18,000 rpm are 15.69 %, above 15. From tick 31 on, 150,000
// rpm on 9 and 11 hosts are 14.53 % and 11.89 %: within the band. At tick 31 itself 9 serve since that tick
// and the sample before saw 7, so two more are ordered.
TEST(Conf42, decides_every_five_minutes_on_the_sample_before) {
  const Conf42 winner = run_conf42(2, 15, 10);
  std::vector<int> due;
  std::vector<int> ordered;
  for (const DecisionRecord& decision : winner.trajectory.decisions) {
    due.push_back(decision.tick);
    if (decision.add > 0) ordered.push_back(decision.tick);
    EXPECT_EQ(decision.remove, 0);
    EXPECT_NE(decision.reasons.bits, 0u);
  }
  EXPECT_EQ(due, (std::vector<int>{1, 6, 11, 16, 21, 26, 31, 36, 41, 46}));
  EXPECT_EQ(ordered, (std::vector<int>{6, 11, 16, 21, 26}));
  EXPECT_NEAR(winner.trajectory.decisions[1].cpu_percent_seen, kPercentPerRpm * 18'000, 1e-4);
}

// Regression values of the chosen timing, not published: 90,000 rpm (tick 13) still meet one host.
TEST(Conf42, defaults_breach_the_objective) {
  const Conf42 by_one = run_conf42(1, 25, 15);
  EXPECT_NEAR(by_one.max, 104.602872, 1e-6);
  EXPECT_NEAR(by_one.mean, 34.322817, 1e-6);
  EXPECT_EQ(by_one.above_50, 10);
  const Conf42 by_two = run_conf42(2, 25, 15);
  EXPECT_NEAR(by_two.max, 104.602872, 1e-6);
  EXPECT_NEAR(by_two.mean, 26.666338, 1e-6);
  EXPECT_EQ(by_two.above_50, 5);
}

TEST(Conf42, K11_host_minutes_say_what_the_mean_hides) {
  EXPECT_EQ(run_conf42(2, 15, 10).host_minutes, 318);
  EXPECT_EQ(run_conf42(1, 25, 15).host_minutes, 165);
  EXPECT_EQ(run_conf42(2, 25, 15).host_minutes, 233);
  EXPECT_EQ(run_conf42(2, 15, 10).tally.in_service_ticks, 318);
}

TEST(Conf42, K10_the_lower_threshold_does_not_matter_on_a_rising_load) {
  const Conf42 reference = run_conf42(2, 15, 10);
  for (const float below : {0.0f, 3.0f, 7.0f, 10.0f, 11.0f}) {
    EXPECT_EQ(run_conf42(2, 15, below).trajectory.in_service, reference.trajectory.in_service) << below;
  }
}

// ---- what the policy sees, and when

TEST(Metrics, a_sample_is_the_mean_of_its_period_and_is_seen_after_its_lag) {
  LaneModel model = one_step_model();
  model.slope_percent_per_rps = 1;
  model.metric_period = 3;
  model.metric_lag = 2;
  const std::vector<float> rates{1, 2, 3, 10, 20, 30, 4, 4, 4, 50, 50, 50};
  const Trajectory trajectory =
      run_one_lane(model, one_step_numbers(1, 100, 0, 1), {.requests_per_second = rates});
  ASSERT_EQ(trajectory.decisions.size(), rates.size());
  const float none = -1;
  // The sample of ticks 0 to 2 ends with tick 2 and is seen from tick 3 + 2 on.
  const std::vector<float> expected{none, none, none, none, none, 2, 2, 2, 20, 20, 20, 4};
  for (std::size_t t = 0; t < rates.size(); ++t) {
    const float seen = trajectory.decisions[t].cpu_percent_seen;
    if (expected[t] == none) {
      EXPECT_TRUE(std::isnan(seen)) << t;
      EXPECT_TRUE(trajectory.decisions[t].reasons.has(Reason::missing_metric));
    } else {
      EXPECT_FLOAT_EQ(seen, expected[t]) << t;
      EXPECT_FLOAT_EQ(trajectory.decisions[t].requests_per_second_per_instance_seen, expected[t]) << t;
    }
  }
}

TEST(Metrics, utilisation_is_seen_as_100_at_most_and_counted_in_full) {
  LaneModel model = one_step_model();
  model.slope_percent_per_rps = 1;
  const std::vector<float> rates{250, 250};
  const policy::Numbers<One> numbers = one_step_numbers(1, 100, 0, 1);
  const LaneTraffic traffic{.requests_per_second = rates};
  EXPECT_EQ(run_one_lane(model, numbers, traffic).decisions[1].cpu_percent_seen, 100.0f);
  EXPECT_EQ(tally_one_lane(model, numbers, traffic).cpu_percent_max, 250.0f);
}

// The original took "no data" for an idle fleet and scaled in; here nothing happens until the first sample.
TEST(Metrics, M02_before_the_first_sample_nothing_happens) {
  LaneModel model = one_step_model();
  model.slope_percent_per_rps = 1;
  model.metric_lag = 9;
  policy::Numbers<One> numbers = one_step_numbers(1, 60, 30, 8);
  numbers.initial = 4;
  const std::vector<float> rates(20, 20.0f);  // 5 % on each of four
  const Trajectory trajectory = run_one_lane(model, numbers, {.requests_per_second = rates});
  EXPECT_EQ(stretches(trajectory.in_service).substr(0, 4), "4x11");  // first seen at tick 10, gone at 11
}

// The first sample of a new instance comes late in the original; a long lag is the same to the policy.
TEST(Metrics, M19_a_late_metric_delays_the_decision_and_is_never_taken_for_zero) {
  LaneModel model = one_step_model();
  model.slope_percent_per_rps = 1;
  model.metric_lag = 15;
  const std::vector<float> rates(40, 95.0f);
  const Trajectory trajectory =
      run_one_lane(model, one_step_numbers(1, 90, 40, 5), {.requests_per_second = rates});
  for (const DecisionRecord& decision : trajectory.decisions) {
    EXPECT_EQ(decision.reasons.has(Reason::missing_metric), decision.tick < 16);
    EXPECT_EQ(decision.remove > 0 && decision.tick < 16, false);
  }
}

// ---- bugs of the originals

TEST(Fleet, M11_never_above_max_even_with_slow_launches) {
  LaneModel model = one_step_model();
  model.slope_percent_per_rps = 1;
  model.fleet.startup = 30;
  const std::vector<float> rates(200, 1'000.0f);
  const Trajectory trajectory =
      run_one_lane(model, one_step_numbers(3, 90, 40, 5), {.requests_per_second = rates});
  int most = 0;
  for (std::size_t t = 0; t < rates.size(); ++t) {
    most = std::max(most, trajectory.in_service[t] + trajectory.launching[t]);
  }
  EXPECT_EQ(most, 5);
  EXPECT_EQ(trajectory.in_service.back(), 5);
}

// The original called a service without load down. Here it is up, its metrics are there, and it shrinks to
// min.
TEST(Fleet, R08_zero_load_is_up) {
  LaneModel model = one_step_model();
  model.slope_percent_per_rps = 1;
  policy::Numbers<One> numbers = one_step_numbers(1, 60, 30, 8);
  numbers.initial = 3;
  const std::vector<float> rates(10, 0.0f);
  const LaneTraffic traffic{.requests_per_second = rates};
  const Tally tally = tally_one_lane(model, numbers, traffic);
  EXPECT_EQ(tally.violations_high, 0);
  EXPECT_EQ(tally.cpu_percent_max, 0.0f);
  const Trajectory trajectory = run_one_lane(model, numbers, traffic);
  EXPECT_EQ(stretches(trajectory.in_service), "3x2 2x1 1x7");
  for (std::size_t k = 1; k < trajectory.decisions.size(); ++k) {
    EXPECT_FALSE(trajectory.decisions[k].reasons.has(Reason::missing_metric));
  }
}

// ---- random rehearsals

// Reproducible draws from one seed that rapidcheck chooses.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  // SplitMix64 (Steele, Lea and Flood, 2014).
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  int between(int low, int high) {
    return low + static_cast<int>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  Milliseconds ticks(int low, int high) { return minutes(between(low, high)); }

 private:
  std::uint64_t state_;
};

struct Case {
  policy::Scaling scaling;
  LaneModel model;
  policy::Numbers<One> numbers{};
  std::vector<float> rates;
  std::vector<float> strength;  // empty: 1 at every tick
  LaneTraffic traffic;
};

constexpr int kPercentPerRps = 5;  // slope of the random models: one instance is full at 20 rps

policy::Step draw_step(Draw& draw, int low, int high) {
  // Often a multiple of the slope: whole rates over a few instances then meet the threshold exactly.
  int threshold = draw.between(low, high);
  if (draw.chance(60)) threshold -= threshold % kPercentPerRps;
  return {static_cast<double>(std::max(threshold, low)), draw.chance(50), draw.between(1, 5)};
}

policy::Policy draw_step_policy(Draw& draw, int metric_period) {
  policy::StepPolicy step;
  const int pivot = draw.between(25, 60);
  const int kind = draw.between(0, 9);  // 0: adds only; 1: removes only
  for (int k = kind == 1 ? 0 : draw.between(1, 3); k > 0; --k) step.out.push_back(draw_step(draw, pivot, 95));
  for (int k = kind == 0 ? 0 : draw.between(1, 3); k > 0; --k) step.in.push_back(draw_step(draw, 0, pivot));
  step.metric = draw.chance(70) ? policy::Metric::cpu : policy::Metric::requests;
  if (step.metric == policy::Metric::requests) {
    for (policy::Step& s : step.out) s.threshold /= kPercentPerRps;
    for (policy::Step& s : step.in) s.threshold /= kPercentPerRps;
  }
  step.every = draw.ticks(metric_period, metric_period + 3);
  step.first = draw.ticks(0, 3);
  if (draw.chance(40)) step.window = minutes(metric_period) * draw.between(2, 5);
  if (draw.chance(40)) {
    step.periods = draw.chance(30) ? draw.between(5, policy::kMaxPeriods) : draw.between(2, 4);
    step.datapoints = draw.between(1, step.periods);
  }
  if (draw.chance(60)) step.cooldown_out = draw.ticks(0, 8);
  if (draw.chance(60)) step.cooldown_in = draw.ticks(0, 8);
  step.semantics = static_cast<policy::StepSemantics>(draw.between(0, 2));
  step.fresh_only = step.semantics == policy::StepSemantics::aws_simple && draw.chance(50);
  return step;
}

policy::Policy draw_proportional_policy(Draw& draw, int metric_period) {
  policy::ProportionalPolicy proportional;
  proportional.per_rps = kPercentPerRps / draw.between(30, 90);
  proportional.plus = draw.chance(50) ? 0 : draw.between(-2, 4);
  proportional.every = draw.ticks(1, 3);
  proportional.first = draw.ticks(0, 3);
  if (draw.chance(50)) proportional.window = minutes(metric_period) * draw.between(2, 5);
  proportional.statistic = draw.chance(50) ? policy::Statistic::max : policy::Statistic::mean;
  if (draw.chance(40)) proportional.order = draw.between(1, 3);
  proportional.remove = draw.chance(50) ? policy::Removal::serving : policy::Removal::spare;
  return proportional;
}

policy::Policy draw_target_policy(Draw& draw, int metric_period) {
  policy::TargetPolicy target;
  target.semantics = draw.chance(50) ? policy::TargetSemantics::hpa : policy::TargetSemantics::aws;
  target.metric = draw.chance(70) ? policy::Metric::cpu : policy::Metric::requests;
  target.target = draw.between(20, 80) / (target.metric == policy::Metric::cpu ? 1.0 : kPercentPerRps);
  target.every = draw.ticks(metric_period, metric_period + 3);
  target.first = draw.ticks(0, 3);
  if (draw.chance(30)) target.window = minutes(metric_period) * draw.between(2, 5);
  target.tolerance = draw.between(0, 30) / 100.0;
  target.stabilise_out = draw.ticks(0, 6);
  if (draw.chance(50))
    target.stabilise_in = draw.ticks(1, 12);
  else
    target.stabilise_in = minutes(0);
  target.periods_out = draw.between(1, 3);
  target.periods_in = draw.between(1, 6);
  target.in_below = draw.between(70, 100) / 100.0;
  if (draw.chance(40)) target.cooldown_out = draw.ticks(0, 8);
  if (draw.chance(40)) target.cooldown_in = draw.ticks(0, 8);
  target.scale_in = draw.chance(80);
  return target;
}

policy::Policy draw_schedule(Draw& draw, int max) {
  policy::SchedulePolicy schedule;
  for (int k = draw.between(1, 3); k > 0; --k) {
    policy::ScheduleEntry entry;
    for (bool& day : entry.days) day = draw.chance(50);
    entry.days[static_cast<std::size_t>(draw.between(0, 6))] = true;
    entry.from = std::chrono::hours(draw.between(0, 23));
    entry.to = std::chrono::hours(draw.between(0, 24));
    entry.at_least = draw.between(1, max + 2);
    schedule.entries.push_back(entry);
  }
  return schedule;
}

// Stretches of constant, rising and noisy load, none at all included, up to twice what max can serve.
std::vector<float> draw_rates(Draw& draw, int ticks, int max) {
  std::vector<float> rates;
  double level = draw.between(0, 20 * max);
  while (static_cast<int>(rates.size()) < ticks) {
    const int shape = draw.between(0, 3);
    const double to = draw.chance(15) ? 0.0 : draw.between(0, 20 * max * (draw.chance(20) ? 2 : 1));
    const int length = draw.between(1, 20);
    for (int k = 0; k < length; ++k) {
      double rate = to;
      if (shape == 1) rate = level + (to - level) * k / length;
      if (shape == 2) rate = to * draw.between(50, 150) / 100.0;
      rates.push_back(static_cast<float>(rate));
    }
    level = to;
  }
  rates.resize(static_cast<std::size_t>(ticks));
  return rates;
}

Case draw_case(Draw& draw, int ticks) {
  Case made;
  const int metric_period = draw.chance(50) ? 1 : draw.between(2, 4);
  policy::Scaling& scaling = made.scaling;
  scaling.limits.min = draw.between(1, 4);
  scaling.limits.max = scaling.limits.min + draw.between(0, 15);
  scaling.initial = draw.between(scaling.limits.min, scaling.limits.max);
  if (draw.chance(30)) scaling.limits.step_out = draw.between(1, 4);
  if (draw.chance(30)) scaling.limits.step_in = draw.between(1, 4);
  if (draw.chance(40)) scaling.limits.rate_out = policy::RateLimit{draw.between(1, 6), draw.ticks(1, 9)};
  if (draw.chance(40)) scaling.limits.rate_in = policy::RateLimit{draw.between(1, 6), draw.ticks(1, 9)};
  if (draw.chance(50)) scaling.warm_up = draw.ticks(1, 5);
  for (int p = draw.chance(50) ? 1 : draw.between(2, policy::kMaxPolicies); p > 0; --p) {
    const int kind = draw.between(0, 11);
    scaling.policies.push_back(kind < 4    ? draw_step_policy(draw, metric_period)
                               : kind < 8  ? draw_target_policy(draw, metric_period)
                               : kind < 10 ? draw_proportional_policy(draw, metric_period)
                                           : draw_schedule(draw, scaling.limits.max));
  }
  const int metric_lag = draw.chance(50) ? 0 : draw.between(1, 6);
  const auto compiled = policy::compile(scaling, minutes(1), minutes(metric_period), minutes(metric_lag));
  RC_ASSERT(compiled.has_value());
  made.numbers = compiled->numbers;
  made.model.policy = compiled->shape;
  made.model.fleet.startup = draw.chance(30)   ? 0
                             : draw.chance(40) ? draw.between(10, 25)
                                               : draw.between(1, 9);
  made.model.fleet.warm_up = compiled->warm_up_ticks;
  made.model.fleet.drain = draw.between(0, 4);
  made.model.metric_period = metric_period;
  made.model.metric_lag = metric_lag;
  made.model.slope_percent_per_rps = kPercentPerRps;
  made.model.intercept_percent = static_cast<float>(draw.chance(50) ? 0 : draw.between(1, 5));
  made.model.cpu_limit_low = 59.9f;
  made.model.cpu_limit_high = 60.1f;
  made.rates = draw_rates(draw, ticks, scaling.limits.max);
  // Half an hour a tick, so that the schedules see nights and weekends within a few hundred.
  made.traffic = {1'700'000'000'000, 30 * 60'000, made.rates, {}};
  if (draw.chance(50)) {
    made.model.counts_failures = true;
    made.model.full_rps = (100 - made.model.intercept_percent) / kPercentPerRps;
    made.model.downtime_below = 0.95f;
    made.model.available_low = draw.chance(50) ? 0.0f : 0.9f;
    made.model.available_high = made.model.available_low;
  }
  if (draw.chance(30)) {
    for (int t = 0; t < ticks; ++t) {
      made.strength.push_back(static_cast<float>(draw.between(40, 160)) / 100.0f);
    }
    made.traffic.strength = made.strength;
  }
  return made;
}

struct Tick {
  float cpu;
  fleet::Shape shape;
  std::int32_t in_service, launching, draining, warming;
  policy::Observation<One> seen;
  policy::Decision<One> decision;
};

std::vector<Tick> run_ticks(const Case& made) {
  const auto work = std::make_unique<HWY_NAMESPACE::Workspace<One>>();
  work->numbers = made.numbers;
  std::vector<Tick> ticks;
  HWY_NAMESPACE::run<One>(
      made.model, made.traffic, *work,
      [&](std::int32_t, float cpu, const fleet::Counts<One>& counts, const policy::Observation<One>& seen,
          const policy::Decision<One>& decision) {
        ticks.push_back({cpu, made.model.fleet, counts.in_service, counts.launching, counts.draining,
                         counts.warming, seen, decision});
      },
      [](const HWY_NAMESPACE::Sums<One>&) {});
  return ticks;
}

bool has(const policy::Decision<One>& decision, Reason reason) {
  return (decision.reasons & static_cast<std::int32_t>(reason)) != 0;
}

// Runs `property` on random cases and fails the test where it fails.
template <class Property>
void check(const char* rule, Property&& property) {
  EXPECT_TRUE(rc::check(rule, std::forward<Property>(property)));
}

// The decision is a vote that says apart how many to add and how many to remove.
bool is_pair(const Case& made, const policy::Decision<One>& decision) {
  return decision.policy >= 0 && !has(decision, Reason::not_due) &&
         made.model.policy.policy[decision.policy].pairs;
}

void limits_hold(const Case& made, const std::vector<Tick>& ticks) {
  const policy::Limits& limits = made.scaling.limits;
  std::vector<int> adds;
  std::vector<int> removes;
  for (const Tick& tick : ticks) {
    const policy::Decision<One>& decision = tick.decision;
    const int total = tick.in_service + tick.launching;
    RC_ASSERT(tick.in_service >= limits.min);
    RC_ASSERT(total <= limits.max);
    RC_ASSERT(total + decision.add - decision.remove <= limits.max);
    RC_ASSERT(tick.in_service - decision.remove >= limits.min);
    RC_ASSERT(decision.add >= 0 && decision.remove >= 0);
    if (!is_pair(made, decision)) RC_ASSERT(decision.add == 0 || decision.remove == 0);
    RC_ASSERT(decision.desired == total + decision.add - decision.remove);
    RC_ASSERT(decision.reasons != 0);
    // What was removed left at least the number asked for in service.
    if (decision.remove > 0 && !is_pair(made, decision))
      RC_ASSERT(tick.in_service - decision.remove >= std::min(decision.after_rate, limits.max));
    if (limits.step_out) RC_ASSERT(decision.add <= *limits.step_out);
    if (limits.step_in) RC_ASSERT(decision.remove <= *limits.step_in);
    adds.push_back(decision.add);
    removes.push_back(decision.remove);
    const auto within = [&](const std::vector<int>& counts, const policy::RateLimit& limit) {
      const auto window = std::min<std::ptrdiff_t>(std::ssize(counts), limit.per / minutes(1));
      return std::accumulate(counts.end() - window, counts.end(), 0) <= limit.count;
    };
    if (limits.rate_out) RC_ASSERT(within(adds, *limits.rate_out));
    if (limits.rate_in) RC_ASSERT(within(removes, *limits.rate_in));
  }
}

// Whoever's word counted was not in its cooldown. Times are kept here, not taken from the kernel.
void cooldowns_hold(const Case& made, const std::vector<Tick>& ticks) {
  int last_out = -1'000'000;
  int last_in = -1'000'000;
  int last_busy = -1'000'000;
  for (int t = 0; t < static_cast<int>(ticks.size()); ++t) {
    const Tick& tick = ticks[static_cast<std::size_t>(t)];
    const policy::Decision<One>& decision = tick.decision;
    if ((decision.add > 0 || decision.remove > 0) && decision.policy >= 0) {
      const policy::Policy& policy = made.scaling.policies[static_cast<std::size_t>(decision.policy)];
      if (const auto* step = std::get_if<policy::StepPolicy>(&policy)) {
        const bool simple = step->semantics == policy::StepSemantics::aws_simple;
        RC_ASSERT(minutes(t - (simple ? last_busy + 1 : last_out)) >= step->cooldown_out);
        RC_ASSERT(minutes(t - last_in - (simple ? 1 : 0)) >= step->cooldown_in);
        if (simple) RC_ASSERT(tick.launching == 0);
        if (step->fresh_only) {
          // The oldest sample looked at began when the last change was over.
          const int period = made.model.metric_period;
          const int newest = (t - made.model.metric_lag) / period - 1;
          const int samples = std::max(1, static_cast<int>(step->window / minutes(period)));
          const int begin = (newest - samples + 1) * period;
          RC_ASSERT(begin > last_busy && begin > last_in);
        }
        if (step->semantics == policy::StepSemantics::aws_step && decision.remove > 0)
          RC_ASSERT(tick.launching == 0 && tick.warming == 0);
      } else if (const auto* target = std::get_if<policy::TargetPolicy>(&policy)) {
        RC_ASSERT(minutes(t - last_out) >= target->cooldown_out);
        RC_ASSERT(minutes(t - last_in) >= target->cooldown_in);
        if (!target->scale_in) RC_ASSERT(decision.remove == 0);
      }
    }
    if (decision.add > 0) last_out = t;
    if (decision.remove > 0) last_in = t;
    if (tick.launching + decision.add > 0) last_busy = t;
  }
}

void reasons_fit(const Case& made, const std::vector<Tick>& ticks) {
  const bool only_schedules = std::all_of(
      made.scaling.policies.begin(), made.scaling.policies.end(),
      [](const policy::Policy& policy) { return std::holds_alternative<policy::SchedulePolicy>(policy); });
  for (const Tick& tick : ticks) {
    const policy::Decision<One>& decision = tick.decision;
    const int total = tick.in_service + tick.launching;
    if (decision.add > 0)
      RC_ASSERT(has(decision, Reason::above_threshold) || has(decision, Reason::schedule) ||
                has(decision, Reason::standing_order));
    if (decision.remove > 0)
      RC_ASSERT(has(decision, Reason::below_threshold) || only_schedules || has(decision, Reason::schedule));
    if (has(decision, Reason::missing_metric)) RC_ASSERT(decision.add == 0 && decision.remove == 0);
    if (is_pair(made, decision)) continue;  // each side has limits of its own: Pairs in decide_test.cpp
    const int bounded = std::clamp(decision.after_rate, made.scaling.limits.min, made.scaling.limits.max);
    RC_ASSERT(has(decision, Reason::step_limit) == (decision.after_step != decision.recommended));
    RC_ASSERT(has(decision, Reason::rate_limit) == (decision.after_rate != decision.after_step));
    RC_ASSERT(has(decision, Reason::at_max) == (bounded < decision.after_rate));
    RC_ASSERT(has(decision, Reason::at_min) == (bounded > decision.after_rate));
    RC_ASSERT(decision.desired == bounded ||
              (decision.desired > bounded && has(decision, Reason::in_progress)));
    RC_ASSERT(std::abs(decision.after_step - total) <= std::abs(decision.recommended - total));
    RC_ASSERT(std::abs(decision.after_rate - total) <= std::abs(decision.after_step - total));
  }
}

// The fleet and the metrics from their definition, in double, against what the engine made of them.
void fleet_and_metrics_follow(const Case& made, const std::vector<Tick>& ticks) {
  const int period = made.model.metric_period;
  for (int t = 0; t < static_cast<int>(ticks.size()); ++t) {
    const Tick& tick = ticks[static_cast<std::size_t>(t)];
    int in_service = made.numbers.initial;
    int launching = 0;
    int draining = 0;
    for (int k = 0; k < t; ++k) {
      const policy::Decision<One>& order = ticks[static_cast<std::size_t>(k)].decision;
      (t >= k + made.model.fleet.startup + 1 ? in_service : launching) += order.add;
      in_service -= order.remove;
      if (t <= k + made.model.fleet.drain) draining += order.remove;
    }
    RC_ASSERT(tick.in_service == in_service);
    RC_ASSERT(tick.launching == launching);
    RC_ASSERT(tick.draining == draining);
    RC_ASSERT(tick.seen.in_service == in_service && tick.seen.launching == launching);

    const double rate = static_cast<double>(made.rates[static_cast<std::size_t>(t)]);
    const double strength =
        made.strength.empty() ? 1 : static_cast<double>(made.strength[static_cast<std::size_t>(t)]);
    const double cpu =
        static_cast<double>(made.model.intercept_percent) + kPercentPerRps / strength * rate / in_service;
    RC_ASSERT(std::abs(static_cast<double>(tick.cpu) - cpu) <= 1e-5 * cpu + 1e-6);

    const int sample = t < made.model.metric_lag ? -1 : (t - made.model.metric_lag) / period - 1;
    RC_ASSERT(tick.seen.missing[0] == (sample < 0));
    if (sample < 0) continue;
    double mean = 0;
    for (int k = sample * period; k < (sample + 1) * period; ++k) {
      mean += std::min(100.0, static_cast<double>(ticks[static_cast<std::size_t>(k)].cpu)) / period;
    }
    RC_ASSERT(std::abs(static_cast<double>(tick.seen.value[0]) - mean) <= 1e-5 * mean + 1e-6);
    RC_ASSERT(tick.seen.missing[policy::kLoad] == !made.model.policy.any_load);
    if (!made.model.policy.any_load) continue;
    double load = 0;
    for (int k = sample * period; k < (sample + 1) * period; ++k) {
      load += static_cast<double>(made.rates[static_cast<std::size_t>(k)]) / period;
    }
    RC_ASSERT(std::abs(static_cast<double>(tick.seen.value[policy::kLoad]) - load) <= 1e-5 * load + 1e-6);
  }
}

// Counts what occurred, so that a generator that no longer reaches a corner is noticed.
void note_corners(const Case& made, const std::vector<Tick>& ticks, std::map<std::string, int>& corners) {
  std::int32_t reasons = 0;
  bool adds = false;
  bool removes = false;
  bool removes_while_launching = false;
  bool adds_and_removes = false;
  bool drains = false;
  bool warms = false;
  bool full = false;
  for (const Tick& tick : ticks) {
    reasons |= tick.decision.reasons;
    adds |= tick.decision.add > 0;
    removes |= tick.decision.remove > 0;
    removes_while_launching |= tick.decision.remove > 0 && tick.launching > 0;
    adds_and_removes |= tick.decision.remove > 0 && tick.decision.add > 0;
    drains |= tick.draining > 0;
    warms |= tick.warming > 0;
    full |= tick.cpu > 100.0f;
  }
  const auto note = [&](bool seen, const std::string& corner) { corners[corner] += seen; };
  for (int k = 0; k < policy::kReasonCount; ++k) {
    if (static_cast<Reason>(1u << k) == Reason::newest_unmeasured) continue;  // no instance has a name here
    note((reasons & (1 << k)) != 0, std::string(policy::name(static_cast<Reason>(1u << k))));
  }
  note(adds, "adds");
  note(removes, "removes");
  note(removes_while_launching, "removes while launching");
  note(adds_and_removes, "adds and removes at once");
  note(drains, "drains");
  note(warms, "warms");
  note(full, "overloaded");
  note(made.scaling.policies.size() > 1, "several policies");
  note(made.model.metric_lag > 0, "metric lag");
  note(made.model.metric_period > 1, "metric period");
  note(made.model.policy.any_window, "windows");
}

TEST(Properties, limits_cooldowns_reasons_and_the_order_of_a_tick_hold) {
  std::map<std::string, int> corners;
  check("rules of every decision", [&](std::uint64_t seed) {
    Draw draw(seed);
    for (int k = 0; k < 4; ++k) {
      const Case made = draw_case(draw, draw.between(50, 200));
      const std::vector<Tick> ticks = run_ticks(made);
      note_corners(made, ticks, corners);
      limits_hold(made, ticks);
      cooldowns_hold(made, ticks);
      reasons_fit(made, ticks);
      fleet_and_metrics_follow(made, ticks);
    }
  });
  for (const auto& [corner, count] : corners) {
    EXPECT_GT(count, 0) << corner << " never occurred";
    RecordProperty(corner, count);
  }
}

// What is written at is_stale() in policy/decide-inl.hpp.
TEST(Properties, fresh_is_the_cooldown_raised_to_period_and_lag_where_a_sample_has_just_become_visible) {
  int differs = 0;
  check("fresh is a longer cooldown", [&](std::uint64_t seed) {
    Draw draw(seed);
    for (int k = 0; k < 4; ++k) {
      Case made = draw_case(draw, draw.between(50, 200));
      const int period = made.model.metric_period;
      const int lag = made.model.metric_lag;
      policy::StepPolicy step;
      step.out = {{60, false, draw.between(1, 4)}};
      step.in = {{30, false, draw.between(1, 4)}};
      step.every = minutes(period * draw.between(1, 2));
      step.first = minutes(lag % period);
      step.cooldown_out = draw.ticks(0, 8);
      step.cooldown_in = draw.ticks(0, 8);
      step.semantics = policy::StepSemantics::aws_simple;
      const auto decisions = [&](const policy::StepPolicy& policy) {
        made.scaling.policies = {policy};
        const auto compiled = policy::compile(made.scaling, minutes(1), minutes(period), minutes(lag));
        RC_ASSERT(compiled.has_value());
        made.model.policy = compiled->shape;
        return run_one_lane(made.model, compiled->numbers, made.traffic);
      };
      const Trajectory plain = decisions(step);
      policy::StepPolicy longer = step;
      longer.cooldown_out = std::max<base::Milliseconds>(step.cooldown_out, minutes(period + lag));
      longer.cooldown_in = std::max<base::Milliseconds>(step.cooldown_in, minutes(period + lag));
      step.fresh_only = true;
      const Trajectory fresh = decisions(step);
      RC_ASSERT(fresh == decisions(longer));
      differs += fresh == plain ? 0 : 1;
    }
  });
  EXPECT_GT(differs, 20);
}

TEST(Properties, the_tally_is_the_sum_of_the_trajectory) {
  check("tally", [](std::uint64_t seed) {
    Draw draw(seed);
    // Longer than a stretch now and then, so that the sums of several are added up.
    const Case made =
        draw_case(draw, draw.chance(10) ? HWY_NAMESPACE::kStretchTicks + 7 : draw.between(1, 100));
    const std::vector<Tick> ticks = run_ticks(made);
    Tally sum;
    double cpu_sum = 0;
    double failed = 0;
    for (std::size_t t = 0; t < ticks.size(); ++t) {
      const Tick& tick = ticks[t];
      const float strength = made.strength.empty() ? 1.0f : made.strength[t];
      const float serves = made.model.counts_failures
                               ? static_cast<float>(tick.in_service) * (made.model.full_rps * strength)
                               : std::numeric_limits<float>::infinity();
      failed += std::max(0.0, static_cast<double>(made.rates[t] - serves));
      sum.downtime_ticks += serves < made.rates[t] * made.model.downtime_below;
      const bool unavailable = serves < made.rates[t] * made.model.available_low;
      sum.in_service_ticks += tick.in_service;
      sum.launching_ticks += tick.launching;
      sum.draining_ticks += tick.draining;
      sum.violations_low += tick.cpu > made.model.cpu_limit_high || unavailable;
      sum.violations_high += tick.cpu > made.model.cpu_limit_low || unavailable;
      sum.scale_outs += tick.decision.add > 0;
      sum.scale_ins += tick.decision.remove > 0;
      sum.ticks_at_max += tick.decision.desired >= made.numbers.max;
      sum.ticks_at_min += tick.decision.desired <= made.numbers.min;
      sum.instances_max = std::max(sum.instances_max, tick.in_service);
      sum.cpu_percent_max = std::max(sum.cpu_percent_max, tick.cpu);
      cpu_sum += static_cast<double>(tick.cpu);
    }
    const Tally tally = tally_one_lane(made.model, made.numbers, made.traffic);
    RC_ASSERT(std::abs(tally.cpu_percent_sum - cpu_sum) <= 1e-4 * cpu_sum);
    sum.cpu_percent_sum = tally.cpu_percent_sum;
    RC_ASSERT(std::abs(tally.failed_sum - failed) <= 1e-4 * failed);
    sum.failed_sum = tally.failed_sum;
    RC_ASSERT(tally == sum);

    const Trajectory trajectory = run_one_lane(made.model, made.numbers, made.traffic);
    for (std::size_t t = 0; t < ticks.size(); ++t) {
      RC_ASSERT(trajectory.in_service[t] == ticks[t].in_service);
      RC_ASSERT(trajectory.launching[t] == ticks[t].launching);
      RC_ASSERT(trajectory.draining[t] == ticks[t].draining);
    }
    // Every tick at which something was decided is recorded, and no other.
    std::size_t next = 0;
    for (std::size_t t = 0; t < ticks.size(); ++t) {
      const policy::Decision<One>& decision = ticks[t].decision;
      if (!decision.due && decision.add == 0 && decision.remove == 0) continue;
      RC_ASSERT(next < trajectory.decisions.size());
      const DecisionRecord& record = trajectory.decisions[next++];
      RC_ASSERT(record.tick == static_cast<int>(t));
      RC_ASSERT(record.in_service == ticks[t].in_service && record.launching == ticks[t].launching);
      RC_ASSERT(record.recommended == decision.recommended && record.after_step == decision.after_step);
      RC_ASSERT(record.after_rate == decision.after_rate && record.desired == decision.desired);
      RC_ASSERT(record.add == decision.add && record.remove == decision.remove);
      RC_ASSERT(record.policy == decision.policy);
      RC_ASSERT(record.reasons.bits == static_cast<std::uint32_t>(decision.reasons));
    }
    RC_ASSERT(next == trajectory.decisions.size());
  });
}

// Other numbers for the same shape: what the lanes of a batch may differ in.
policy::Numbers<One> vary(Draw& draw, const policy::Shape& shape, policy::Numbers<One> numbers) {
  numbers.min = draw.between(1, 4);
  numbers.max = numbers.min + draw.between(0, 20);
  numbers.initial = draw.between(numbers.min, numbers.max);
  if (draw.chance(30)) numbers.step_out = draw.between(1, 4);
  if (draw.chance(30)) numbers.step_in = draw.between(1, 4);
  numbers.rate_out = draw.between(1, 8);
  numbers.rate_in = draw.between(1, 8);
  for (int p = 0; p < shape.policies; ++p) {
    policy::PolicyNumbers<One>& of = numbers.policy[p];
    for (int k = 0; k < shape.policy[p].outs; ++k) {
      if (draw.chance(50)) of.out_threshold[k] *= static_cast<float>(draw.between(70, 130)) / 100.0f;
      of.out_change[k] = draw.between(1, 6);
    }
    for (int k = 0; k < shape.policy[p].ins; ++k) {
      if (draw.chance(50)) of.in_threshold[k] *= static_cast<float>(draw.between(70, 130)) / 100.0f;
      of.in_change[k] = draw.between(1, 6);
    }
    for (int k = 0; k < shape.policy[p].entries; ++k) of.at_least[k] = draw.between(1, 25);
    of.datapoints = draw.between(1, shape.policy[p].periods);
    of.cooldown_out = draw.between(0, 8);
    of.cooldown_in = draw.between(0, 8);
    of.target *= static_cast<float>(draw.between(70, 130)) / 100.0f;
    of.tolerance = static_cast<float>(draw.between(0, 30)) / 100.0f;
    of.in_below = static_cast<float>(draw.between(60, 100)) / 100.0f;
    of.periods_out = draw.between(1, 4);
    of.periods_in = draw.between(1, 8);
    of.per_rps *= static_cast<float>(draw.between(70, 130)) / 100.0f;
    of.plus = static_cast<float>(draw.between(-2, 4));
    of.order = draw.between(0, 3);
  }
  return numbers;
}

TEST(Properties, many_lanes_equal_one_lane_bit_for_bit_on_every_instruction_set) {
  std::map<int, int> widths;
  check("many equal one", [&](std::uint64_t seed) {
    Draw draw(seed);
    const Case made = draw_case(draw, draw.between(20, 120));
    const auto ticks = made.rates.size();
    std::vector<policy::Numbers<One>> numbers;
    for (int k = draw.between(1, 19); k > 0; --k)
      numbers.push_back(vary(draw, made.model.policy, made.numbers));

    std::vector<Tally> expected;
    std::vector<std::int32_t> expected_in_service;
    for (const policy::Numbers<One>& one : numbers) {
      expected.push_back(tally_one_lane(made.model, one, made.traffic));
      const Trajectory trajectory = run_one_lane(made.model, one, made.traffic);
      expected_in_service.insert(expected_in_service.end(), trajectory.in_service.begin(),
                                 trajectory.in_service.end());
    }
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
      hwy::SetSupportedTargetsForTest(target);
      widths[lanes_per_vector()] += 1;
      std::vector<Tally> tallies(numbers.size());
      std::vector<std::int32_t> in_service(numbers.size() * ticks);
      run_many_lanes(made.model, numbers, made.traffic, tallies, in_service);
      std::vector<Tally> without_record(numbers.size());
      run_many_lanes(made.model, numbers, made.traffic, without_record);
      hwy::SetSupportedTargetsForTest(0);
      RC_ASSERT(in_service == expected_in_service);
      RC_ASSERT(tallies == expected);
      RC_ASSERT(without_record == expected);
    }
  });
  EXPECT_GT(widths.size(), 1u) << "only one width was tried";
}

TEST(Properties, the_same_input_gives_the_same_bytes) {
  check("determinism", [](std::uint64_t seed) {
    Draw first(seed);
    Draw second(seed);
    const Case one = draw_case(first, 80);
    const Case two = draw_case(second, 80);
    RC_ASSERT(run_one_lane(one.model, one.numbers, one.traffic) ==
              run_one_lane(two.model, two.numbers, two.traffic));
    RC_ASSERT(tally_one_lane(one.model, one.numbers, one.traffic) ==
              tally_one_lane(two.model, two.numbers, two.traffic));
  });
}

}  // namespace
}  // namespace headroom::sim
