// The values of the decision kernel: what a policy is on the tick grid, what it sees, remembers and decides.
//
// Plain fixed-size structs over a lane type `L` (base/lanes.hpp), so that one lane (the controller, the
// reference) and many lanes (the tuner) share the code of decide-inl.hpp. What differs between the lanes of
// one batch is in Numbers<L>; what they have in common, and the code branches on, is in Shape.
// Durations are counted in ticks. compile.hpp makes Shape and Numbers<One> from policy.hpp's Scaling.
#pragma once

#include <cstdint>

#include "base/lanes.hpp"
#include "policy/policy.hpp"
#include "policy/reasons.hpp"

namespace headroom::policy {

// Limits on everything: arrays of the kernel have these sizes, compile() refuses what does not fit.
inline constexpr int kMaxPolicies = 4;
inline constexpr int kMaxSteps = 6;
inline constexpr int kMaxScheduleEntries = 8;
inline constexpr int kMaxWindowSamples = 64;  // samples in a mean
inline constexpr int kMaxStabilise = 128;     // evaluations in a stabilisation window
inline constexpr int kMaxPeriods = 31;        // of "M of N periods"
inline constexpr int kMaxRateTicks = 1024;    // ticks in the window of a rate limit
inline constexpr std::int32_t kMaxInstances = 1'000'000;
inline constexpr std::int32_t kManyRecords = 1'000'000;  // Observation::newest_records where nobody counts

enum class Kind : std::int32_t { step, target, schedule, proportional };

// What a policy can see, by index: the metrics of Metric, and the requests per second of the whole service.
inline constexpr int kSignals = 3;
inline constexpr int kLoad = 2;

// ---- what the lanes of a batch share

struct ScheduleEntryShape {
  std::int32_t days = 0;  // bit 0 is Monday
  std::int32_t from_ms = 0;
  std::int32_t to_ms = 0;
  bool operator==(const ScheduleEntryShape&) const = default;
};

struct PolicyShape {
  Kind kind = Kind::step;
  std::int32_t signal = 0;                // index into Observation::value
  std::int32_t every = 1;                 // ticks
  std::int32_t first = 0;                 // ticks
  std::int32_t window_samples = 1;        // samples looked at; 1: the latest
  Statistic statistic = Statistic::mean;  // of them
  // step
  StepSemantics step_semantics = StepSemantics::plain;
  std::int32_t outs = 0;
  std::int32_t ins = 0;
  bool out_inclusive[kMaxSteps] = {};
  bool in_inclusive[kMaxSteps] = {};
  std::int32_t periods = 1;
  bool fresh_only = false;
  std::int32_t newest_records = 0;  // 0: does not ask
  // target
  TargetSemantics target_semantics = TargetSemantics::hpa;
  std::int32_t stabilise_out = 1;  // evaluations, the present one included
  std::int32_t stabilise_in = 1;
  bool scale_in = true;
  // schedule
  std::int32_t entries = 0;
  ScheduleEntryShape entry[kMaxScheduleEntries] = {};
  // proportional
  Removal removal = Removal::spare;
  bool pairs = false;  // its vote says apart how many to add and to remove

  bool operator==(const PolicyShape&) const = default;
};

struct Shape {
  std::int32_t policies = 0;
  PolicyShape policy[kMaxPolicies] = {};
  std::int32_t rate_out_ticks = 0;  // 0: no limit
  std::int32_t rate_in_ticks = 0;
  bool any_window = false;         // some policy looks at several samples
  bool any_load = false;           // some policy looks at the load of the service
  bool any_pair = false;           // some policy votes in pairs
  std::int32_t metric_period = 1;  // ticks that a sample covers
  std::int32_t metric_lag = 0;     // ticks from its end until it is seen
  // The longest window, in samples, of the policies that ask for records of the newest instance; 0: none
  // does.
  std::int32_t newest_window_samples = 0;

  bool operator==(const Shape&) const = default;
};

// ---- what may differ from lane to lane

template <class L>
struct PolicyNumbers {
  using Float = typename L::Float;
  using Int = typename L::Int;
  // step
  Float out_threshold[kMaxSteps];
  Float in_threshold[kMaxSteps];
  Int out_change[kMaxSteps];
  Int in_change[kMaxSteps];
  Int datapoints;
  // step and target, in ticks
  Int cooldown_out;
  Int cooldown_in;
  // target
  Float target;
  Float tolerance;
  Float in_below;
  Int periods_out;
  Int periods_in;
  // schedule
  Int at_least[kMaxScheduleEntries];
  // proportional
  Float per_rps;
  Float plus;
  Int order;
};

template <class L>
struct Numbers {
  using Int = typename L::Int;
  Int initial;
  Int min;
  Int max;
  Int step_out;  // kMaxInstances where there is no such limit
  Int step_in;
  Int rate_out;
  Int rate_in;
  PolicyNumbers<L> policy[kMaxPolicies];
};

// Calls f(lanes, one) for every number that `shape` uses, to spread one lane into many or to gather it.
template <class A, class B, class F>
void for_each_number(const Shape& shape, A& a, B& b, F&& f) {
  f(a.initial, b.initial);
  f(a.min, b.min);
  f(a.max, b.max);
  f(a.step_out, b.step_out);
  f(a.step_in, b.step_in);
  f(a.rate_out, b.rate_out);
  f(a.rate_in, b.rate_in);
  for (int p = 0; p < shape.policies; ++p) {
    const PolicyShape& s = shape.policy[p];
    auto& x = a.policy[p];
    auto& y = b.policy[p];
    for (int k = 0; k < s.outs; ++k) {
      f(x.out_threshold[k], y.out_threshold[k]);
      f(x.out_change[k], y.out_change[k]);
    }
    for (int k = 0; k < s.ins; ++k) {
      f(x.in_threshold[k], y.in_threshold[k]);
      f(x.in_change[k], y.in_change[k]);
    }
    for (int k = 0; k < s.entries; ++k) f(x.at_least[k], y.at_least[k]);
    f(x.datapoints, y.datapoints);
    f(x.cooldown_out, y.cooldown_out);
    f(x.cooldown_in, y.cooldown_in);
    f(x.target, y.target);
    f(x.tolerance, y.tolerance);
    f(x.in_below, y.in_below);
    f(x.periods_out, y.periods_out);
    f(x.periods_in, y.periods_in);
    f(x.per_rps, y.per_rps);
    f(x.plus, y.plus);
    f(x.order, y.order);
  }
}

// ---- what is remembered from tick to tick

template <class L>
struct PolicyState {
  using Int = typename L::Int;
  Int out_bits;  // step: breaches of the last periods, the latest in bit 0
  Int in_bits;
  Int out_run;  // target aws: periods in a row above (below)
  Int in_run;
  // 1: at its last evaluation it wanted fewer or had no say, so between evaluations it does not hold others.
  Int gives_way;
  Int recommended[kMaxStabilise];  // target hpa: ring of the last recommendations
  std::int32_t evaluations;        // so far, the present state of things at the first included (hpa)
  bool operator==(const PolicyState&) const = default;  // of one lane
};

template <class L>
struct State {
  using Float = typename L::Float;
  using Int = typename L::Int;
  Int last_out;  // tick of the last scale-out (kLongAgo: none yet)
  Int last_in;
  Int last_busy;     // last tick at which instances were launching
  Int rate_out_sum;  // instances added within the window of the rate limit
  Int rate_in_sum;
  Int rate_out_ring[kMaxRateTicks];
  Int rate_in_ring[kMaxRateTicks];
  Float sample[kSignals][kMaxWindowSamples];   // ring of the last samples of each signal
  Float present[kSignals][kMaxWindowSamples];  // 1 where there was a sample, else 0
  std::int32_t samples;                        // so far
  PolicyState<L> policy[kMaxPolicies];
  bool operator==(const State&) const = default;  // of one lane
};
inline constexpr std::int32_t kLongAgo = -(1 << 30);

// ---- in and out

// The instant of a decision. Ticks count from the start of the traffic; decide() is called once per tick.
struct Now {
  std::int32_t tick = 0;
  std::int32_t weekday = 0;  // 0 is Monday, UTC
  std::int32_t ms_of_day = 0;
};

template <class L>
struct Observation {
  using Float = typename L::Float;
  using Int = typename L::Int;
  using Mask = typename L::Mask;
  Float value[kSignals];   // by Metric, and kLoad; 0 where missing
  Mask missing[kSignals];  // no sample: never a reason to scale in
  // A metric period came to an end since the tick before, with a sample or with a missing one: so windows of
  // several samples move on while samples are missing. The same in all lanes.
  bool fresh;
  Int in_service;
  Int launching;
  Int warming;  // of those in service, the ones whose warm-up is not over
  // Samples of the newest instance in service among the last Shape::newest_window_samples. Where instances
  // have no identity, or nobody asks: kManyRecords.
  Int newest_records;
  bool operator==(const Observation&) const = default;  // of one lane
};

template <class L>
struct Decision {
  using Int = typename L::Int;
  Int recommended;  // instances in service plus launching that the policies ask for
  Int after_step;
  Int after_rate;
  Int desired;  // in service plus launching after this decision: what was there + add - remove
  Int add;
  Int remove;
  Int policy;                                        // index of the policy that counted, -1: none
  Int reasons;                                       // Reasons::bits
  bool due;                                          // some policy was evaluated; the same in all lanes
  bool operator==(const Decision&) const = default;  // of one lane
};

// ---- one lane, compiled: what the controller and the simulated cloud call (decide.cpp)

State<base::One> initial_state();

// Requires: called for consecutive ticks, starting with 0; ticks without a decision are told with skip().
// `state` is replaced by the next one.
Decision<base::One> decide(const Now& now, const Observation<base::One>& observation, const Shape& shape,
                           const Numbers<base::One>& numbers, State<base::One>& state);

// Ticks [from, to) passed without a decision (the controller was not running, or could not see): the windows
// of the rate limits move on, and what was launching (`busy`) is taken to have been so throughout.
void skip(std::int32_t from, std::int32_t to, bool busy, const Shape& shape, State<base::One>& state);

}  // namespace headroom::policy
