// The promise of the design: the controller in the simulated cloud, where instances have identities, gives
// the counts and the decisions of one lane, for random policies, limits, times and traffic.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

#include "policy/compile.hpp"
#include "sim/instance_rehearsal.hpp"
#include "sim/lane_model.hpp"
#include "sim/scenario.hpp"
#include "sim/strength.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using policy::Metric;

// One model, as the lanes and as the simulated cloud read it; durations in ticks.
struct Case {
  std::int64_t tick_ms = 60'000;
  std::int64_t start_ms = 0;
  int zones = 1;
  int startup = 0;
  int drain = 0;
  int metric_period = 1;
  int metric_lag = 0;
  double noise = 0;
  policy::Scaling scaling;
  std::vector<double> rates;

  Milliseconds ticks(int n) const { return Milliseconds(tick_ms * n); }
};

// 100 requests per second are 50 % of one instance: figures at which utilisations meet thresholds exactly.
constexpr double kSlope = 0.5;
constexpr double kIntercept = 0;
constexpr std::uint64_t kSeed = 5;

// At full size from the first case on: the small ones, where nothing happens, prove nothing.
int between(int low, int high) { return *rc::gen::resize(100, rc::gen::inRange(low, high + 1)); }
bool one_in(int n) { return between(1, n) == 1; }

int some_ticks(int most) { return one_in(3) ? 0 : between(1, most); }

Metric a_metric() { return one_in(3) ? Metric::requests : Metric::cpu; }

// A policy that counts breaches is evaluated at most once per metric period.
int evaluation_ticks(const Case& made, bool counts) {
  const int every = one_in(2) ? 1 : between(1, 5);
  return counts ? std::max(every, made.metric_period) : every;
}

policy::StepPolicy a_step_policy(const Case& made) {
  policy::StepPolicy step;
  step.metric = a_metric();
  step.periods = one_in(3) ? between(1, 4) : 1;
  step.datapoints = between(1, step.periods);
  step.every = made.ticks(evaluation_ticks(made, step.periods > 1));
  step.first = made.ticks(some_ticks(3));
  if (one_in(3)) step.window = made.ticks(made.metric_period) * between(2, 4);
  for (int k = one_in(6) ? 0 : between(1, 2); k > 0; --k) {
    step.out.push_back({static_cast<double>(5 * between(8, 18)), one_in(2), between(1, 4)});
  }
  for (int k = !step.out.empty() && one_in(6) ? 0 : between(1, 2); k > 0; --k) {
    step.in.push_back({static_cast<double>(5 * between(2, 8)), one_in(2), between(1, 3)});
  }
  step.cooldown_out = made.ticks(some_ticks(5));
  step.cooldown_in = made.ticks(some_ticks(5));
  step.semantics = *rc::gen::element(policy::StepSemantics::plain, policy::StepSemantics::aws_simple,
                                     policy::StepSemantics::aws_step);
  step.fresh_only = step.semantics == policy::StepSemantics::aws_simple && one_in(2);
  return step;
}

policy::TargetPolicy a_target_policy(const Case& made) {
  policy::TargetPolicy target;
  target.metric = a_metric();
  target.target = 5 * between(4, 16);
  target.semantics = *rc::gen::element(policy::TargetSemantics::hpa, policy::TargetSemantics::aws);
  target.periods_out = between(1, 3);
  target.periods_in = between(1, 5);
  target.every = made.ticks(evaluation_ticks(made, target.semantics == policy::TargetSemantics::aws));
  target.first = made.ticks(some_ticks(3));
  if (one_in(3)) target.window = made.ticks(made.metric_period) * between(2, 4);
  target.tolerance = one_in(2) ? 0.1 : 0;
  target.stabilise_out = target.every * some_ticks(4);
  target.stabilise_in = target.every * some_ticks(6);
  target.cooldown_out = made.ticks(some_ticks(5));
  target.cooldown_in = made.ticks(some_ticks(5));
  target.scale_in = !one_in(5);
  return target;
}

policy::ProportionalPolicy a_proportional_policy(const Case& made) {
  policy::ProportionalPolicy proportional;
  proportional.per_rps = 0.001 * between(5, 20);
  proportional.plus = one_in(2) ? 0 : between(-2, 4);
  proportional.every = made.ticks(evaluation_ticks(made, false));
  proportional.first = made.ticks(some_ticks(3));
  if (one_in(2)) proportional.window = made.ticks(made.metric_period) * between(2, 4);
  proportional.statistic = one_in(2) ? policy::Statistic::max : policy::Statistic::mean;
  if (one_in(3)) proportional.order = between(1, 3);
  proportional.remove = one_in(2) ? policy::Removal::serving : policy::Removal::spare;
  return proportional;
}

policy::SchedulePolicy a_schedule() {
  policy::SchedulePolicy schedule;
  for (int k = between(1, 3); k > 0; --k) {
    policy::ScheduleEntry entry;
    for (bool& day : entry.days) day = !one_in(3);
    entry.days[static_cast<std::size_t>(between(0, 6))] = true;
    entry.from = std::chrono::hours(between(0, 23));
    entry.to = std::chrono::hours(between(0, 24));
    entry.at_least = between(1, 12);
    schedule.entries.push_back(entry);
  }
  return schedule;
}

policy::Limits some_limits(const Case& made) {
  policy::Limits limits;
  limits.min = between(1, 3);
  limits.max = limits.min + (one_in(8) ? 0 : between(2, 25));
  if (one_in(3)) limits.step_out = between(1, 5);
  if (one_in(3)) limits.step_in = between(1, 3);
  if (one_in(3)) limits.rate_out = policy::RateLimit{between(1, 8), made.ticks(between(1, 10))};
  if (one_in(3)) limits.rate_in = policy::RateLimit{between(1, 5), made.ticks(between(1, 10))};
  return limits;
}

// Holds, jumps and ramps between levels that ask for nothing to more than max.
std::vector<double> some_traffic() {
  std::vector<double> rates;
  double level = 100;
  const int ticks = between(40, 160);
  while (static_cast<int>(rates.size()) < ticks) {
    const double next = 25 * between(0, 120);
    const int length = between(1, 25);
    const bool ramp = one_in(2);
    for (int k = 1; k <= length; ++k) rates.push_back(ramp ? level + (next - level) * k / length : next);
    level = next;
  }
  return rates;
}

bool removes_while_warming(const policy::Scaling& scaling) {
  const auto scales = [](const policy::Policy& p) {
    return !std::holds_alternative<policy::SchedulePolicy>(p);
  };
  const auto& all = scaling.policies;
  return policy::warm_up_of(scaling) > Milliseconds(0) &&
         std::any_of(all.begin(), all.end(), policy::leaves_out_warming) &&
         std::any_of(all.begin(), all.end(),
                     [&](const auto& p) { return scales(p) && !policy::leaves_out_warming(p); });
}

Case some_case() {
  Case made;
  made.tick_ms = one_in(3) ? 600'000 : 60'000;
  made.start_ms = 1'700'000'000'000 / made.tick_ms * made.tick_ms + 3'600'000LL * between(0, 167);
  made.zones = between(1, 3);
  made.startup = some_ticks(8);
  made.drain = some_ticks(5);
  made.metric_period = one_in(2) ? 1 : between(1, 5);
  made.metric_lag = some_ticks(6);
  if (one_in(4)) made.noise = 0.01 * between(1, 30);
  made.scaling.warm_up = made.ticks(some_ticks(6));
  made.scaling.limits = some_limits(made);
  made.scaling.initial = between(made.scaling.limits.min, made.scaling.limits.max);
  for (int k = one_in(20) ? 0 : between(1, 3); k > 0; --k) {
    if (one_in(5)) {
      made.scaling.policies.emplace_back(a_schedule());
    } else if (one_in(4)) {
      made.scaling.policies.emplace_back(a_proportional_policy(made));
    } else if (one_in(2)) {
      made.scaling.policies.emplace_back(a_step_policy(made));
    } else {
      made.scaling.policies.emplace_back(a_target_policy(made));
    }
  }
  made.rates = some_traffic();
  // Over several zones the newest is not always the one to go, and counts do not know zones: a warm instance
  // may leave before a warming one, which only policies that look at warming instances beside ones that
  // remove regardless of them can tell.
  if (removes_while_warming(made.scaling)) made.zones = 1;
  return made;
}

base::Result<policy::Compiled> compiled(const Case& made) {
  return policy::compile(made.scaling, made.ticks(1), made.ticks(made.metric_period),
                         made.ticks(made.metric_lag));
}

LaneModel lane_model(const Case& made, const policy::Compiled& policy) {
  LaneModel model;
  model.policy = policy.shape;
  model.fleet = {.startup = made.startup, .warm_up = policy.warm_up_ticks, .drain = made.drain};
  model.metric_period = made.metric_period;
  model.metric_lag = made.metric_lag;
  model.slope_percent_per_rps = static_cast<float>(kSlope);
  model.intercept_percent = static_cast<float>(kIntercept);
  return model;
}

Trajectory in_lane(const Case& made, const policy::Compiled& policy) {
  const std::vector<float> rates(made.rates.begin(), made.rates.end());
  std::vector<float> strengths;
  for (std::size_t t = 0; t < rates.size() && made.noise > 0; ++t) {
    const Milliseconds begin = Milliseconds(made.start_ms) + made.ticks(static_cast<int>(t));
    strengths.push_back(static_cast<float>(strength(made.noise, kSeed, begin, made.ticks(1))));
  }
  return run_one_lane(lane_model(made, policy), policy.numbers,
                      {.start_ms = made.start_ms,
                       .tick_ms = made.tick_ms,
                       .requests_per_second = rates,
                       .strength = strengths});
}

Trajectory in_cloud(const Case& made, const policy::Compiled& policy) {
  SimulatedSettings cloud;
  cloud.service = "web";
  cloud.zones.clear();
  for (int z = 0; z < made.zones; ++z) cloud.zones.push_back(std::string(1, static_cast<char>('a' + z)));
  cloud.initial = policy.numbers.initial;
  cloud.startup = made.ticks(made.startup);
  cloud.metric_period = made.ticks(made.metric_period);
  cloud.metric_lag = made.ticks(made.metric_lag);
  cloud.serving.capacity.slope_percent_per_rps = kSlope;
  cloud.serving.capacity.intercept_percent = kIntercept;
  cloud.serving.capacity.noise = made.noise;
  cloud.serving.seed = kSeed;
  cloud.serving.start = Milliseconds(made.start_ms);
  cloud.serving.tick = made.ticks(1);
  cloud.serving.traffic = base::Series{cloud.serving.start, made.ticks(1), made.rates};

  control::Settings control;
  control.service = "web";
  control.version = "v1";
  control.zones = cloud.zones;
  control.token_prefix = "test-web";
  control.start = Milliseconds(made.start_ms);
  control.tick = made.ticks(1);
  control.policy = policy;
  control.metric_period = cloud.metric_period;
  control.max_age = cloud.metric_lag + 2 * cloud.metric_period;
  control.drain = made.ticks(made.drain);
  return run_with_control(cloud, control);
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Equal in every field; a missing metric, NaN, equals a missing metric.
bool same(DecisionRecord a, DecisionRecord b) {
  if (!same(a.cpu_percent_seen, b.cpu_percent_seen) ||
      !same(a.requests_per_second_per_instance_seen, b.requests_per_second_per_instance_seen)) {
    return false;
  }
  a.cpu_percent_seen = b.cpu_percent_seen = 0;
  a.requests_per_second_per_instance_seen = b.requests_per_second_per_instance_seen = 0;
  return a == b;
}

std::ostream& show(std::ostream& out, const DecisionRecord& made) {
  out << "tick " << made.tick << ": saw " << made.cpu_percent_seen << " %, "
      << made.requests_per_second_per_instance_seen << " rps, " << made.in_service << " in service, "
      << made.launching << " launching; recommended " << made.recommended << ", desired " << made.desired
      << ", add " << made.add << ", remove " << made.remove << ", policy " << made.policy << ":";
  for (const auto name : policy::names(made.reasons)) out << ' ' << name;
  return out;
}

// The first difference in words; empty: none.
std::string difference(const Trajectory& lane, const Trajectory& cloud) {
  std::ostringstream out;
  const auto compare = [&](const char* what, const auto& a, const auto& b) {
    if (!out.str().empty() || a == b) return;
    const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    out << what << " at tick " << (x - a.begin()) << ": lane " << (x == a.end() ? -1 : *x) << ", cloud "
        << (y == b.end() ? -1 : *y);
  };
  const auto [x, y] =
      std::mismatch(lane.decisions.begin(), lane.decisions.end(), cloud.decisions.begin(),
                    cloud.decisions.end(), [](const auto& a, const auto& b) { return same(a, b); });
  if (x != lane.decisions.end()) show(out << "lane:  ", *x) << '\n';
  if (y != cloud.decisions.end()) show(out << "cloud: ", *y) << '\n';
  compare("in service", lane.in_service, cloud.in_service);
  compare("launching", lane.launching, cloud.launching);
  compare("draining", lane.draining, cloud.draining);
  return out.str();
}

TEST(OneKernel, control_in_the_simulated_cloud_decides_as_one_lane) {
  int runs = 0;
  int out = 0;
  int in = 0;
  int both = 0;
  const bool holds = rc::check("control gives the trajectory of the lane", [&] {
    const Case made = some_case();
    const auto policy = compiled(made);
    RC_ASSERT(policy.has_value());
    const Trajectory lane = in_lane(made, *policy);
    const Trajectory cloud = in_cloud(made, *policy);
    RC_LOG() << difference(lane, cloud);
    RC_ASSERT(difference(lane, cloud).empty());

    const auto outs = std::count_if(lane.decisions.begin(), lane.decisions.end(),
                                    [](const DecisionRecord& made_then) { return made_then.add > 0; });
    const auto ins = std::count_if(lane.decisions.begin(), lane.decisions.end(),
                                   [](const DecisionRecord& made_then) { return made_then.remove > 0; });
    ++runs;
    out += outs > 0 ? 1 : 0;
    in += ins > 0 ? 1 : 0;
    both += outs > 1 && ins > 1 ? 1 : 0;
    RC_CLASSIFY(outs > 0, "adds");
    RC_CLASSIFY(ins > 0, "removes");
    RC_CLASSIFY(outs > 1 && ins > 1, "adds and removes several times");
    RC_CLASSIFY(made.metric_lag > 0 && made.metric_period > 1, "period and lag");
    RC_CLASSIFY(made.zones > 1, "several zones");
  });
  EXPECT_TRUE(holds);
  // A comparison of fleets that never change would prove nothing. Of 3,000 cases 70 % added, 49 % removed
  // and 33 % did both several times; half of that allows for the luck of 100.
  if (holds) {
    EXPECT_GT(out * 100, runs * 40);
    EXPECT_GT(in * 100, runs * 30);
    EXPECT_GT(both * 100, runs * 18);
  }
}

}  // namespace
}  // namespace headroom::sim
