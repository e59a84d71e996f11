// The engine: the fleet under traffic and policy, tick by tick, over a lane type.
#if defined(HEADROOM_SIM_LANE_ENGINE_INL_HPP_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEADROOM_SIM_LANE_ENGINE_INL_HPP_
#undef HEADROOM_SIM_LANE_ENGINE_INL_HPP_
#else
#define HEADROOM_SIM_LANE_ENGINE_INL_HPP_
#endif

#include "base/lanes-inl.hpp"
#include "fleet/counts-inl.hpp"
#include "policy/decide-inl.hpp"
#include "sim/lane_model.hpp"

HWY_BEFORE_NAMESPACE();
namespace headroom::sim::HWY_NAMESPACE {

namespace bl = base::HWY_NAMESPACE;
namespace pl = policy::HWY_NAMESPACE;
namespace fl = fleet::HWY_NAMESPACE;

// Samples on their way to the controller.
template <class L>
struct Metrics {
  typename L::Float sum[2];                          // over the present metric period
  typename L::Float on_the_way[2][kMaxMetricTicks];  // ring in the order of the samples
  float load_sum;                                    // of the whole service: the same in all lanes
  float load_on_the_way[kMaxMetricTicks];
  std::int32_t slots;          // of the ring that are used: few, so that they stay in cache
  std::int32_t write_slot;     // ring slot of the sample that ends with this tick
  std::int32_t read_slot;      // ring slot of the sample visible from this tick on
  std::int32_t in_period;      // ticks of the present period so far
  std::int32_t until_visible;  // ticks until the next sample becomes visible
};

// Everything one run works on; large, so it lives where the caller puts it.
template <class L>
struct Workspace {
  policy::Numbers<L> numbers;
  policy::State<L> state;
  fleet::Counts<L> counts;
  Metrics<L> metrics;
};

// The sums of a stretch of ticks that an int32 and a float32 hold without loss worth naming.
template <class L>
struct Sums {
  typename L::Int in_service, launching, draining, violations_low, violations_high, outs, ins, at_max, at_min;
  typename L::Int downtime;
  typename L::Float cpu;
  typename L::Float failed;
  typename L::Int instances_max;  // over the whole run
  typename L::Float cpu_max;
};
// instances * stretch stays below 2^31 with kMaxInstances.
inline constexpr std::int32_t kStretchTicks = 1024;
static_assert(static_cast<std::int64_t>(policy::kMaxInstances) * kStretchTicks < (std::int64_t{1} << 31));

template <class L>
HWY_INLINE void clear(Sums<L>& sums) {
  using Int = typename L::Int;
  sums.in_service = sums.launching = sums.draining = Int(0);
  sums.violations_low = sums.violations_high = sums.outs = sums.ins = sums.at_max = sums.at_min = Int(0);
  sums.downtime = Int(0);
  sums.cpu = sums.failed = typename L::Float(0.0f);
}

// At the start of a tick: the sample that becomes visible now, if one does. Returns whether.
template <class L>
HWY_INLINE bool receive(const LaneModel& model, Metrics<L>& metrics, policy::Observation<L>& seen) {
  if (--metrics.until_visible > 0) return false;
  metrics.until_visible = model.metric_period;
  for (int m = 0; m < 2; ++m) {
    seen.value[m] = metrics.on_the_way[m][metrics.read_slot];
    seen.missing[m] = typename L::Mask(false);
  }
  if (model.policy.any_load) {
    seen.value[policy::kLoad] = typename L::Float(metrics.load_on_the_way[metrics.read_slot]);
    seen.missing[policy::kLoad] = typename L::Mask(false);
  }
  metrics.read_slot = metrics.read_slot + 1 == metrics.slots ? 0 : metrics.read_slot + 1;
  return true;
}

// At the end of a tick: its utilisation, rate per instance and load into the sample of the present period.
template <class L>
HWY_INLINE void measure(const LaneModel& model, typename L::Float cpu, typename L::Float rate, float load,
                        Metrics<L>& metrics) {
  using Float = typename L::Float;
  metrics.load_sum += load;
  metrics.sum[0] = metrics.sum[0] + cpu;
  metrics.sum[1] = metrics.sum[1] + rate;
  if (++metrics.in_period < model.metric_period) return;
  const Float ticks(static_cast<float>(model.metric_period));
  for (int m = 0; m < 2; ++m) {
    metrics.on_the_way[m][metrics.write_slot] =
        model.metric_period == 1 ? metrics.sum[m] : metrics.sum[m] / ticks;
    metrics.sum[m] = Float(0.0f);
  }
  metrics.load_on_the_way[metrics.write_slot] =
      model.metric_period == 1 ? metrics.load_sum
                               : metrics.load_sum / static_cast<float>(model.metric_period);
  metrics.load_sum = 0.0f;
  metrics.write_slot = metrics.write_slot + 1 == metrics.slots ? 0 : metrics.write_slot + 1;
  metrics.in_period = 0;
}

inline bool has_schedule(const policy::Shape& shape) {
  for (int p = 0; p < shape.policies; ++p) {
    if (shape.policy[p].kind == policy::Kind::schedule) return true;
  }
  return false;
}

// 1970-01-01 was a Thursday (weekday 3, Monday being 0).
inline policy::Now at(const LaneTraffic& traffic, std::int32_t tick, bool calendar) {
  policy::Now now{.tick = tick};
  if (calendar) {
    constexpr std::int64_t kDay = 86'400'000;
    const std::int64_t ms = traffic.start_ms + tick * traffic.tick_ms;
    const std::int64_t day = ms >= 0 ? ms / kDay : -((kDay - 1 - ms) / kDay);
    now.ms_of_day = static_cast<std::int32_t>(ms - day * kDay);
    now.weekday = static_cast<std::int32_t>(((day + 3) % 7 + 7) % 7);
  }
  return now;
}

// Runs the whole traffic. `record(tick, counts, observation, decision)` sees every tick; `flush(sums)` gets
// the sums of each stretch.
// Requires: work.numbers set.
template <class L, class Record, class Flush>
HWY_INLINE void run(const LaneModel& model, const LaneTraffic& traffic, Workspace<L>& work, Record&& record,
                    Flush&& flush) {
  using Float = typename L::Float;
  using Int = typename L::Int;
  using Mask = typename L::Mask;
  pl::reset<L>(model.policy, work.state);
  fl::reset<L>(model.fleet, work.numbers.initial, work.counts);
  Metrics<L>& metrics = work.metrics;
  metrics.sum[0] = metrics.sum[1] = Float(0.0f);
  metrics.load_sum = 0.0f;
  metrics.write_slot = metrics.read_slot = metrics.in_period = 0;
  // A sample is read `lag` ticks after its end, before the one of that tick is written.
  metrics.slots = model.metric_lag / model.metric_period + 1;
  // The first sample ends with tick period - 1 and is visible from tick period + lag on.
  metrics.until_visible = model.metric_period + model.metric_lag + 1;

  policy::Observation<L> seen;
  for (int m = 0; m < policy::kSignals; ++m) {
    seen.value[m] = Float(0.0f);
    seen.missing[m] = Mask(true);
  }

  const Float slope(model.slope_percent_per_rps);
  const Float intercept(model.intercept_percent);
  const Float limit_low(model.cpu_limit_low);
  const Float limit_high(model.cpu_limit_high);
  const Float full(100.0f);  // a meter shows no more
  const Int one(1);
  const Int none(0);
  const bool calendar = has_schedule(model.policy);
  const auto ticks = static_cast<std::int32_t>(traffic.requests_per_second.size());
  const float* const rate = traffic.requests_per_second.data();
  const float* const strength = traffic.strength.empty() ? nullptr : traffic.strength.data();

  Sums<L> sums;
  sums.instances_max = none;
  sums.cpu_max = Float(0.0f);
  for (std::int32_t begin = 0; begin < ticks; begin += kStretchTicks) {
    const std::int32_t end = ticks - begin < kStretchTicks ? ticks : begin + kStretchTicks;
    clear<L>(sums);
    for (std::int32_t tick = begin; tick < end; ++tick) {
      fl::begin_tick<L>(model.fleet, work.counts);
      const Float per_instance = Float(rate[tick]) / bl::to_float(work.counts.in_service);
      const float strength_now = strength == nullptr ? 1.0f : strength[tick];
      const Float slope_now = strength == nullptr ? slope : Float(model.slope_percent_per_rps / strength_now);
      const Float cpu = intercept + slope_now * per_instance;

      seen.fresh = receive<L>(model, metrics, seen);
      seen.in_service = work.counts.in_service;
      seen.launching = work.counts.launching;
      seen.warming = work.counts.warming;
      seen.newest_records = Int(policy::kManyRecords);
      const policy::Decision<L> decision =
          pl::decide<L>(at(traffic, tick, calendar), seen, model.policy, work.numbers, work.state);
      record(tick, cpu, work.counts, seen, decision);

      sums.in_service = sums.in_service + work.counts.in_service;
      sums.launching = sums.launching + work.counts.launching;
      sums.draining = sums.draining + work.counts.draining;
      Mask surely = cpu > limit_high;
      Mask perhaps = cpu > limit_low;
      if (model.counts_failures) {
        const Float serves = bl::to_float(work.counts.in_service) * Float(model.full_rps * strength_now);
        const Float offered(rate[tick]);
        sums.failed = sums.failed + bl::max(offered - serves, Float(0.0f));
        sums.downtime = sums.downtime + bl::select(serves < offered * Float(model.downtime_below), one, none);
        surely = surely || serves < offered * Float(model.available_low);
        perhaps = perhaps || serves < offered * Float(model.available_high);
      }
      sums.violations_low = sums.violations_low + bl::select(surely, one, none);
      sums.violations_high = sums.violations_high + bl::select(perhaps, one, none);
      sums.outs = sums.outs + bl::select(decision.add > none, one, none);
      sums.ins = sums.ins + bl::select(decision.remove > none, one, none);
      sums.at_max = sums.at_max + bl::select(decision.desired >= work.numbers.max, one, none);
      sums.at_min = sums.at_min + bl::select(decision.desired <= work.numbers.min, one, none);
      sums.cpu = sums.cpu + cpu;
      sums.cpu_max = bl::max(sums.cpu_max, cpu);
      sums.instances_max = bl::max(sums.instances_max, work.counts.in_service);

      fl::order<L>(model.fleet, decision.add, decision.remove, work.counts);
      measure<L>(model, bl::min(cpu, full), per_instance, rate[tick], metrics);
    }
    flush(sums);
  }
}

}  // namespace headroom::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
