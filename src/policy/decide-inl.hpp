// The decision kernel: observation, numbers and state to a decision, over a lane type.
//
// Four stages, each a function that leaves its reason: every policy votes for a number of instances (step,
// target); the largest vote, or what a schedule asks for where that is more, is the recommendation; the
// limits bound it (per decision, per time, min and max); what is left becomes instances to add or to remove.
// The rules with an example each, and their sources: docs/reference/policies.md.
#if defined(HEADROOM_POLICY_DECIDE_INL_HPP_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEADROOM_POLICY_DECIDE_INL_HPP_
#undef HEADROOM_POLICY_DECIDE_INL_HPP_
#else
#define HEADROOM_POLICY_DECIDE_INL_HPP_
#endif

#include "base/lanes-inl.hpp"
#include "policy/kernel.hpp"

HWY_BEFORE_NAMESPACE();
namespace headroom::policy::HWY_NAMESPACE {

namespace bl = base::HWY_NAMESPACE;

constexpr std::int32_t bit(Reason reason) { return static_cast<std::int32_t>(reason); }

template <class L>
HWY_INLINE typename L::Int reason_if(typename L::Mask mask, Reason reason) {
  return bl::select(mask, typename L::Int(bit(reason)), typename L::Int(0));
}

// What one policy asks for: a number of instances in service plus launching. kAbstain: it asks for nothing
// and holds nobody back, which is not the same as a vote for the present number.
// A vote in pairs (PolicyShape::pairs) says how many to add and how many to remove; desired is what they
// make.
template <class L>
struct Vote {
  typename L::Int desired;
  typename L::Int reasons;
  typename L::Int add;
  typename L::Int remove;
};
template <class L>
HWY_INLINE Vote<L> single(typename L::Int desired, typename L::Int reasons) {
  return {desired, reasons, typename L::Int(0), typename L::Int(0)};
}
constexpr std::int32_t kAbstain = -1;

// The metric a policy looks at.
template <class L>
struct Signal {
  typename L::Float value;
  typename L::Mask missing;
};

template <class L>
HWY_INLINE Signal<L> signal(const PolicyShape& shape, const Observation<L>& observation,
                            const State<L>& state) {
  using Float = typename L::Float;
  const int metric = shape.signal;
  if (shape.window_samples <= 1) return {observation.value[metric], observation.missing[metric]};
  Float sum(0.0f);
  Float count(0.0f);
  const int filled = state.samples < shape.window_samples ? state.samples : shape.window_samples;
  if (shape.statistic == Statistic::max) {
    // No signal is below 0, which is what stands for a missing sample.
    for (int k = 0; k < filled; ++k) {
      const int slot = (state.samples - 1 - k) & (kMaxWindowSamples - 1);
      sum = bl::max(sum, state.sample[metric][slot]);
      count = bl::max(count, state.present[metric][slot]);
    }
    return {sum, count < Float(0.5f)};
  }
  for (int k = 0; k < filled; ++k) {
    const int slot = (state.samples - 1 - k) & (kMaxWindowSamples - 1);
    sum = sum + state.sample[metric][slot];
    count = count + state.present[metric][slot];
  }
  const typename L::Mask missing = count < Float(0.5f);
  return {sum / bl::max(count, Float(1.0f)), missing};
}

// Within the cooldown of an earlier action of the service, whichever policy caused it.
template <class L>
HWY_INLINE typename L::Mask cooling_down(typename L::Int tick, const PolicyNumbers<L>& numbers,
                                         const State<L>& state) {
  return (tick - state.last_out < numbers.cooldown_out) || (tick - state.last_in < numbers.cooldown_in);
}

// Whether something of what the policy looks at was measured before the last change of capacity.
//
// The change is the end of the last activity: what was launching at tick b is in service from the start of
// b + 1, what was removed at b is gone from there on. The newest sample seen at t ends with the last metric
// period that was over at t - lag, and the oldest of the window begins `window` periods before that. With a
// window of one sample, evaluated when a period has just become visible (always so where a period is one
// tick), the sample begins at t - lag - period, and
//   measured before the change  <=>  t - lag - period < b + 1  <=>  t - b - 1 < period + lag:
// the cooldown of simple scaling, which counts t - b - 1, raised to period + lag in both directions.
template <class L>
HWY_INLINE typename L::Mask is_stale(std::int32_t tick, const Shape& all, const PolicyShape& shape,
                                     const State<L>& state) {
  using Int = typename L::Int;
  // Before the first sample is visible this is some instant before the start.
  const std::int32_t seen_until = tick - all.metric_lag;
  const std::int32_t end = seen_until < 0 ? 0 : seen_until / all.metric_period * all.metric_period;
  const Int begin(end - shape.window_samples * all.metric_period);
  return begin < bl::max(state.last_busy, state.last_in) + Int(1);
}

template <class L>
HWY_INLINE Vote<L> vote_step(std::int32_t tick, const Shape& all, const PolicyShape& shape,
                             const PolicyNumbers<L>& numbers, const Signal<L>& metric,
                             const Observation<L>& observation, const State<L>& state,
                             PolicyState<L>& memory) {
  using Int = typename L::Int;
  using Mask = typename L::Mask;
  const Int none(0);
  const Int total = observation.in_service + observation.launching;

  // Of the steps breached the largest change counts, whatever their order.
  Int add(0);
  for (int k = 0; k < shape.outs; ++k) {
    const Mask hit = shape.out_inclusive[k] ? metric.value >= numbers.out_threshold[k]
                                            : metric.value > numbers.out_threshold[k];
    add = bl::max(add, bl::select(hit, numbers.out_change[k], none));
  }
  Int remove(0);
  for (int k = 0; k < shape.ins; ++k) {
    const Mask hit = shape.in_inclusive[k] ? metric.value <= numbers.in_threshold[k]
                                           : metric.value < numbers.in_threshold[k];
    remove = bl::max(remove, bl::select(hit, numbers.in_change[k], none));
  }
  const Mask breach_out = add > none && !metric.missing;
  const Mask breach_in = remove > none && !metric.missing && !breach_out;

  Mask out = breach_out;
  Mask in = breach_in;
  Int reasons = reason_if<L>(metric.missing, Reason::missing_metric) |
                reason_if<L>(breach_out, Reason::above_threshold) |
                reason_if<L>(breach_in, Reason::below_threshold) |
                reason_if<L>(!(metric.missing || breach_out || breach_in), Reason::within_band);
  if (shape.periods > 1) {
    // A missing sample is no datapoint: it neither breaches nor pushes an older one out.
    const Int mask(static_cast<std::int32_t>((1u << shape.periods) - 1));
    const auto push = [&](Int bits, Mask breach) {
      return bl::select(metric.missing, bits,
                        (bl::template shift_left<1>(bits) | bl::select(breach, Int(1), none)) & mask);
    };
    memory.out_bits = push(memory.out_bits, breach_out);
    memory.in_bits = push(memory.in_bits, breach_in);
    if (shape.fresh_only) {
      // Nor do the breaches that were measured before the change count.
      const Mask stale = is_stale<L>(tick, all, shape, state);
      memory.out_bits = bl::select(stale, none, memory.out_bits);
      memory.in_bits = bl::select(stale, none, memory.in_bits);
    }
    out = out && bl::count_bits(memory.out_bits) >= numbers.datapoints;
    in = in && bl::count_bits(memory.in_bits) >= numbers.datapoints;
    reasons =
        reasons | reason_if<L>((breach_out && !out) || (breach_in && !in), Reason::not_enough_datapoints);
  }

  const Mask busy = observation.launching > none;
  Mask cooldown = cooling_down<L>(Int(tick), numbers, state);
  Mask progress_out(false);
  Mask progress_in(false);
  Int wanted = total + add;
  if (shape.step_semantics == StepSemantics::aws_simple) {
    // The activity ends when its last instance is in service; the cooldown counts from there.
    cooldown = (Int(tick) - state.last_busy - Int(1) < numbers.cooldown_out) ||
               (Int(tick) - state.last_in - Int(1) < numbers.cooldown_in);
    if (shape.fresh_only) cooldown = cooldown || is_stale<L>(tick, all, shape, state);
    progress_out = busy;
    progress_in = busy;
  } else if (shape.step_semantics == StepSemantics::aws_step) {
    // Added to what is past its warm-up, so that what was ordered for the same breach is not ordered again.
    wanted = bl::max(total, observation.in_service - observation.warming + add);
    progress_out = wanted <= total;
    progress_in = busy || observation.warming > none;
  }
  Mask held_out = out && (cooldown || progress_out);
  const Mask held_in = in && (cooldown || progress_in);
  reasons = reasons | reason_if<L>((out || in) && cooldown, Reason::cooldown) |
            reason_if<L>((out && progress_out) || (in && progress_in), Reason::in_progress);
  if (shape.newest_records > 0) {
    // What was added last does not show in the metric yet.
    const Mask unmeasured = out && observation.newest_records < Int(shape.newest_records);
    held_out = held_out || unmeasured;
    reasons = reasons | reason_if<L>(unmeasured, Reason::newest_unmeasured);
  }
  const Mask act_out = out && !held_out;
  const Mask act_in = in && !held_in;
  const Int fewer = bl::max(none, total - remove);
  Int desired = bl::select(act_out, wanted, bl::select(act_in, fewer, total));
  if (shape.ins == 0) {
    // A policy that can only add has no say in how many may go.
    desired = bl::select(breach_out || metric.missing, desired, Int(kAbstain));
  }
  memory.gives_way = bl::select(desired < total, Int(1), none);
  return single<L>(desired, reasons);
}

// A metric carries the rounding of a few float32 operations, each of at most 2^-24 of its result. Where a
// proportion is compared, or rounded up to whole instances, a millionth is no difference: without it, 2
// instances at 75 % would be 4 of 50 % rather than 3 whenever the 75 came out one bit too high.
constexpr float kSlack = 0x1p-20f;

// ceil(instances * metric / target), within what an int can hold.
template <class L>
HWY_INLINE typename L::Int proportional(typename L::Int instances, typename L::Float value,
                                        typename L::Float target) {
  using Float = typename L::Float;
  const Float wanted = bl::to_float(instances) * value / target * Float(1.0f - kSlack);
  return bl::ceil_to_int(bl::min(wanted, Float(static_cast<float>(kMaxInstances))));
}

template <class L>
HWY_INLINE Vote<L> vote_target_hpa(const PolicyShape& shape, const PolicyNumbers<L>& numbers,
                                   const Signal<L>& metric, const Observation<L>& observation,
                                   typename L::Mask cooldown, PolicyState<L>& memory) {
  using Float = typename L::Float;
  using Int = typename L::Int;
  using Mask = typename L::Mask;
  const Int none(0);
  const Int total = observation.in_service + observation.launching;
  const Float upper = numbers.target * (Float(1.0f + kSlack) + numbers.tolerance);
  const Float lower = numbers.target * (Float(1.0f - kSlack) - numbers.tolerance);
  const Mask above = metric.value > upper && !metric.missing;
  const Mask below = metric.value < lower && !metric.missing;

  // Launching instances count as idle when scaling out: the load spread over all of them must still be
  // above the tolerance.
  const Int proposed = proportional<L>(observation.in_service, metric.value, numbers.target);
  const Float spread = metric.value * bl::to_float(observation.in_service);
  const Mask still_above = above && spread > upper * bl::to_float(total) && proposed > total;
  const Mask shrink = below && proposed < total;
  Int wanted = bl::select(still_above, proposed, bl::select(shrink, proposed, total));

  Int reasons = reason_if<L>(metric.missing, Reason::missing_metric) |
                reason_if<L>(above, Reason::above_threshold) | reason_if<L>(below, Reason::below_threshold) |
                reason_if<L>(!(metric.missing || above || below), Reason::within_band) |
                reason_if<L>(above && !still_above, Reason::in_progress);

  // Stabilisation: not above the smallest recommendation of the out window, not below the largest of the in
  // window, the present one included.
  if (shape.stabilise_in > 1 || shape.stabilise_out > 1) {
    if (memory.evaluations == 0) {
      // What is there at the first evaluation counts as recommended before it.
      memory.recommended[0] = total;
      memory.evaluations = 1;
    }
    const auto back = [&](int k) -> Int& {
      return memory.recommended[(memory.evaluations - k) & (kMaxStabilise - 1)];
    };
    // Without a metric there is no new recommendation, so the one before stands.
    back(0) = bl::select(metric.missing, back(1), wanted);
    Int ceiling_out = wanted;
    Int floor_in = wanted;
    for (int k = 1; k < shape.stabilise_out && k <= memory.evaluations; ++k) {
      ceiling_out = bl::min(ceiling_out, back(k));
    }
    for (int k = 1; k < shape.stabilise_in && k <= memory.evaluations; ++k) {
      floor_in = bl::max(floor_in, back(k));
    }
    const Int stable = bl::select(metric.missing, total, bl::min(bl::max(total, ceiling_out), floor_in));
    reasons = reasons | reason_if<L>(!(stable == wanted), Reason::stabilised);
    wanted = stable;
  }

  const Mask grows = wanted > total;
  const Mask shrinks = wanted < total;
  if (!shape.scale_in) {
    // It has no say in how many may go, so that another policy can see to that.
    reasons = reasons | reason_if<L>(shrinks, Reason::scale_in_disabled);
    reasons = reasons | reason_if<L>(grows && cooldown, Reason::cooldown);
    wanted = bl::select(grows, bl::select(cooldown, total, wanted),
                        bl::select(above || metric.missing, total, Int(kAbstain)));
  } else {
    const Mask held = cooldown && (grows || shrinks);
    reasons = reasons | reason_if<L>(held, Reason::cooldown);
    wanted = bl::select(held, total, wanted);
  }
  memory.gives_way = bl::select(wanted < total, Int(1), none);
  return single<L>(wanted, reasons);
}

template <class L>
HWY_INLINE Vote<L> vote_target_aws(const PolicyShape& shape, const PolicyNumbers<L>& numbers,
                                   const Signal<L>& metric, const Observation<L>& observation,
                                   typename L::Mask cooldown, PolicyState<L>& memory) {
  using Int = typename L::Int;
  using Mask = typename L::Mask;
  const Int none(0);
  const Int total = observation.in_service + observation.launching;
  const Mask above = metric.value > numbers.target && !metric.missing;
  const Mask below =
      metric.value < numbers.target * (numbers.in_below - typename L::Float(kSlack)) && !metric.missing;
  // A missing sample neither counts nor ends a run.
  memory.out_run =
      bl::select(metric.missing, memory.out_run, bl::select(above, memory.out_run + Int(1), none));
  memory.in_run = bl::select(metric.missing, memory.in_run, bl::select(below, memory.in_run + Int(1), none));
  const Mask out = above && memory.out_run >= numbers.periods_out;
  const Mask in = below && memory.in_run >= numbers.periods_in;

  const Int ready = observation.in_service - observation.warming;
  const Int proposed = proportional<L>(ready, metric.value, numbers.target);
  const Mask warming = observation.launching + observation.warming > none;
  const Mask held_out = out && (cooldown || proposed <= total);
  const Mask held_in = in && (cooldown || warming || proposed >= total);
  Int reasons = reason_if<L>(metric.missing, Reason::missing_metric) |
                reason_if<L>(above, Reason::above_threshold) | reason_if<L>(below, Reason::below_threshold) |
                reason_if<L>(!(metric.missing || above || below), Reason::within_band) |
                reason_if<L>((above && !out) || (below && !in), Reason::not_enough_datapoints) |
                reason_if<L>((out || in) && cooldown, Reason::cooldown) |
                reason_if<L>((out && proposed <= total) || (in && warming), Reason::in_progress);
  const Mask act_out = out && !held_out;
  const Mask act_in = in && !held_in;
  Int desired = bl::select(act_out || act_in, proposed, total);
  if (!shape.scale_in) {
    // It has no say in how many may go, so that another policy can see to that.
    reasons = reasons | reason_if<L>(act_in, Reason::scale_in_disabled);
    desired = bl::select(above || metric.missing, desired, Int(kAbstain));
  }
  memory.gives_way = bl::select(desired < total, Int(1), none);
  return single<L>(desired, reasons);
}

// ceil(per * load + plus), and as many as the standing order adds. What may go: what serves beyond that
// (spare), or what serves and is launching beyond it (serving).
template <class L>
HWY_INLINE Vote<L> vote_proportional(const PolicyShape& shape, const PolicyNumbers<L>& numbers,
                                     const Signal<L>& load, const Observation<L>& observation,
                                     PolicyState<L>& memory) {
  using Float = typename L::Float;
  using Int = typename L::Int;
  using Mask = typename L::Mask;
  const Int none(0);
  const Int total = observation.in_service + observation.launching;
  const Float exact = (numbers.per_rps * load.value + numbers.plus) * Float(1.0f - kSlack);
  const Float most(static_cast<float>(kMaxInstances));
  const Int target = bl::ceil_to_int(bl::min(bl::max(exact, Float(0.0f)), most));
  const Mask above = target > total && !load.missing;
  const Mask below = target < total && !load.missing;

  Vote<L> vote;
  vote.reasons = reason_if<L>(load.missing, Reason::missing_metric) |
                 reason_if<L>(above, Reason::above_threshold) | reason_if<L>(below, Reason::below_threshold) |
                 reason_if<L>(!(load.missing || above || below), Reason::within_band);
  vote.desired = bl::select(load.missing, total, target);
  vote.add = vote.remove = none;
  memory.gives_way = bl::select(below, Int(1), none);
  if (!shape.pairs) return vote;

  // Without a load nothing goes, so nothing is ordered to take its place either.
  const Int missing_to_target = bl::max(none, target - total);
  vote.add = bl::select(load.missing, none, bl::max(missing_to_target, numbers.order));
  vote.reasons = vote.reasons | reason_if<L>(vote.add > missing_to_target, Reason::standing_order);
  const Int surplus = shape.removal == Removal::serving ? total - target : observation.in_service - target;
  vote.remove = bl::select(load.missing, none, bl::max(none, bl::min(surplus, observation.in_service)));
  vote.desired = total + vote.add - vote.remove;
  return vote;
}

// Whether the entry covers the instant; one that ends at or before its start runs over midnight and belongs
// to the day on which it starts.
inline bool covers(const ScheduleEntryShape& entry, const Now& now) {
  const bool today = (entry.days >> now.weekday & 1) != 0;
  const bool yesterday = (entry.days >> ((now.weekday + 6) % 7) & 1) != 0;
  if (entry.from_ms < entry.to_ms)
    return today && now.ms_of_day >= entry.from_ms && now.ms_of_day < entry.to_ms;
  return (today && now.ms_of_day >= entry.from_ms) || (yesterday && now.ms_of_day < entry.to_ms);
}

// What the schedule asks for at least; kAbstain: no entry covers the instant.
template <class L>
HWY_INLINE typename L::Int scheduled(const Now& now, const PolicyShape& shape,
                                     const PolicyNumbers<L>& numbers) {
  using Int = typename L::Int;
  Int wanted(kAbstain);
  for (int k = 0; k < shape.entries; ++k) {
    if (covers(shape.entry[k], now)) wanted = bl::max(wanted, numbers.at_least[k]);
  }
  return wanted;
}

HWY_INLINE bool is_due(const PolicyShape& shape, std::int32_t tick) {
  return tick >= shape.first && (shape.every == 1 || (tick - shape.first) % shape.every == 0);
}

template <class L>
HWY_INLINE void remember_sample(const Observation<L>& observation, State<L>& state) {
  using Float = typename L::Float;
  const int slot = state.samples & (kMaxWindowSamples - 1);
  for (int metric = 0; metric < kSignals; ++metric) {
    state.sample[metric][slot] =
        bl::select(observation.missing[metric], Float(0.0f), observation.value[metric]);
    state.present[metric][slot] = bl::select(observation.missing[metric], Float(0.0f), Float(1.0f));
  }
  ++state.samples;
}

template <class L>
HWY_INLINE void reset(const Shape& shape, State<L>& state) {
  using Int = typename L::Int;
  state.last_out = Int(kLongAgo);
  state.last_in = Int(kLongAgo);
  state.last_busy = Int(kLongAgo);
  state.rate_out_sum = Int(0);
  state.rate_in_sum = Int(0);
  for (int k = 0; k < shape.rate_out_ticks; ++k) state.rate_out_ring[k] = Int(0);
  for (int k = 0; k < shape.rate_in_ticks; ++k) state.rate_in_ring[k] = Int(0);
  state.samples = 0;
  for (int p = 0; p < shape.policies; ++p) {
    PolicyState<L>& memory = state.policy[p];
    memory.out_bits = Int(0);
    memory.in_bits = Int(0);
    memory.out_run = Int(0);
    memory.in_run = Int(0);
    memory.gives_way = Int(0);
    memory.evaluations = 0;
  }
}

// A decision before its limits. Where `paired`, its add and remove are the winner's; elsewhere they are not
// set yet.
template <class L>
struct Recommendation {
  Decision<L> decision;
  typename L::Mask paired;
};

// The recommendation: the largest vote, and at least what the schedules ask for. A policy between its
// evaluations holds what there is, unless it wanted fewer or had no say when it was last asked: then it
// leaves the word to those that are due. Where all abstain, what there is stays; where there are only
// schedules, they alone say how many, and min where they are silent.
template <class L>
HWY_INLINE Recommendation<L> recommend(const Now& now, const Observation<L>& observation, const Shape& shape,
                                       const Numbers<L>& numbers, State<L>& state) {
  using Int = typename L::Int;
  const Int total = observation.in_service + observation.launching;
  Int best(kAbstain);
  Int policy(-1);
  Int reasons(0);
  Int reasons_abstained(shape.policies == 0 ? bit(Reason::not_due) : 0);
  Int add(0);
  Int remove(0);
  typename L::Mask paired(false);
  bool due_any = false;
  bool only_schedules = shape.policies > 0;
  for (int p = 0; p < shape.policies; ++p) {
    const PolicyShape& s = shape.policy[p];
    PolicyState<L>& memory = state.policy[p];
    if (s.kind == Kind::schedule) continue;
    only_schedules = false;
    Vote<L> vote;
    if (is_due(s, now.tick)) {
      const Signal<L> metric = signal<L>(s, observation, state);
      if (s.kind == Kind::step) {
        vote = vote_step<L>(now.tick, shape, s, numbers.policy[p], metric, observation, state, memory);
      } else if (s.kind == Kind::proportional) {
        vote = vote_proportional<L>(s, numbers.policy[p], metric, observation, memory);
      } else {
        const auto cooldown = cooling_down<L>(Int(now.tick), numbers.policy[p], state);
        vote = s.target_semantics == TargetSemantics::hpa
                   ? vote_target_hpa<L>(s, numbers.policy[p], metric, observation, cooldown, memory)
                   : vote_target_aws<L>(s, numbers.policy[p], metric, observation, cooldown, memory);
      }
      ++memory.evaluations;
      due_any = true;
    } else {
      vote =
          single<L>(bl::select(memory.gives_way > Int(0), Int(kAbstain), total), Int(bit(Reason::not_due)));
    }
    reasons_abstained = reasons_abstained | bl::select(vote.desired == Int(kAbstain), vote.reasons, Int(0));
    const auto wins = vote.desired > best;
    best = bl::select(wins, vote.desired, best);
    policy = bl::select(wins, Int(p), policy);
    reasons = bl::select(wins, vote.reasons, reasons);
    if (shape.any_pair) {
      add = bl::select(wins, vote.add, add);
      remove = bl::select(wins, vote.remove, remove);
      paired = (paired && !wins) || (wins && typename L::Mask(s.pairs && is_due(s, now.tick)));
    }
  }
  const auto silent = best == Int(kAbstain);
  best = bl::select(silent, only_schedules ? Int(0) : total, best);
  reasons = bl::select(silent, only_schedules ? Int(bit(Reason::not_due)) : reasons_abstained, reasons);
  for (int p = 0; p < shape.policies; ++p) {
    if (shape.policy[p].kind != Kind::schedule) continue;
    const Int wanted = scheduled<L>(now, shape.policy[p], numbers.policy[p]);
    const auto wins = wanted > best;
    best = bl::select(wins, wanted, best);
    policy = bl::select(wins, Int(p), policy);
    reasons = bl::select(wins, Int(bit(Reason::schedule)), reasons);
    paired = paired && !wins;
    due_any = true;
  }
  Recommendation<L> made;
  made.decision.recommended = best;
  made.decision.policy = policy;
  made.decision.reasons = reasons;
  made.decision.due = due_any;
  made.decision.add = add;
  made.decision.remove = remove;
  made.paired = paired;
  return made;
}

// The limits, in their order; each leaves its reason where it changed the figure.
template <class L>
HWY_INLINE void bound(const Observation<L>& observation, const Shape& shape, const Numbers<L>& numbers,
                      const State<L>& state, Decision<L>& decision) {
  using Int = typename L::Int;
  const Int none(0);
  const Int total = observation.in_service + observation.launching;

  Int change = bl::max(none - numbers.step_in, bl::min(decision.recommended - total, numbers.step_out));
  decision.after_step = total + change;
  decision.reasons =
      decision.reasons | reason_if<L>(!(decision.after_step == decision.recommended), Reason::step_limit);

  if (shape.rate_out_ticks > 0) {
    change = bl::min(change, bl::max(none, numbers.rate_out - state.rate_out_sum));
  }
  if (shape.rate_in_ticks > 0) {
    change = bl::max(change, none - bl::max(none, numbers.rate_in - state.rate_in_sum));
  }
  decision.after_rate = total + change;
  decision.reasons =
      decision.reasons | reason_if<L>(!(decision.after_rate == decision.after_step), Reason::rate_limit);

  const Int bounded = bl::max(numbers.min, bl::min(decision.after_rate, numbers.max));
  decision.reasons = decision.reasons | reason_if<L>(bounded < decision.after_rate, Reason::at_max) |
                     reason_if<L>(bounded > decision.after_rate, Reason::at_min);
  decision.add = bl::max(none, bounded - total);
  // What is launching cannot be called back, and what serves does not make up for it: no more are removed
  // than leave the number asked for in service.
  decision.remove = bl::max(none, observation.in_service - bounded);
  decision.desired = total + decision.add - decision.remove;
  decision.reasons = decision.reasons | reason_if<L>(decision.desired > bounded, Reason::in_progress);
}

// The same limits on a pair, each side for itself: no more are removed than leave min in service, and no more
// added than fit beside those that are there, for a removal may take its time or fail.
template <class L>
HWY_INLINE void bound_pair(const Observation<L>& observation, const Shape& shape, const Numbers<L>& numbers,
                           const State<L>& state, Decision<L>& decision) {
  using Int = typename L::Int;
  const Int none(0);
  const Int total = observation.in_service + observation.launching;
  const auto differ = [](Int a, Int b) { return !(a == b); };

  const Int add = bl::min(decision.add, numbers.step_out);
  const Int remove = bl::min(decision.remove, numbers.step_in);
  decision.after_step = total + add - remove;
  decision.reasons =
      decision.reasons |
      reason_if<L>(differ(add, decision.add) || differ(remove, decision.remove), Reason::step_limit);

  Int add_rated = add;
  Int remove_rated = remove;
  if (shape.rate_out_ticks > 0) {
    add_rated = bl::min(add, bl::max(none, numbers.rate_out - state.rate_out_sum));
  }
  if (shape.rate_in_ticks > 0) {
    remove_rated = bl::min(remove, bl::max(none, numbers.rate_in - state.rate_in_sum));
  }
  decision.after_rate = total + add_rated - remove_rated;
  decision.reasons = decision.reasons |
                     reason_if<L>(differ(add_rated, add) || differ(remove_rated, remove), Reason::rate_limit);

  const Int spared = bl::min(remove_rated, bl::max(none, observation.in_service - numbers.min));
  decision.remove = bl::max(spared, observation.in_service - numbers.max);
  const Int left = total - decision.remove;
  const Int fitting = bl::min(add_rated, bl::max(none, numbers.max - total));
  decision.add = bl::max(fitting, numbers.min - left);
  decision.reasons = decision.reasons |
                     reason_if<L>(decision.remove > spared || fitting < add_rated, Reason::at_max) |
                     reason_if<L>(spared < remove_rated || decision.add > fitting, Reason::at_min);
  decision.desired = left + decision.add;
}

template <class L>
HWY_INLINE void remember_action(const Now& now, const Observation<L>& observation, const Shape& shape,
                                const Decision<L>& decision, State<L>& state) {
  using Int = typename L::Int;
  const Int tick(now.tick);
  state.last_out = bl::select(decision.add > Int(0), tick, state.last_out);
  state.last_in = bl::select(decision.remove > Int(0), tick, state.last_in);
  state.last_busy = bl::select(observation.launching + decision.add > Int(0), tick, state.last_busy);
  if (shape.rate_out_ticks > 0) {
    Int& slot = state.rate_out_ring[now.tick % shape.rate_out_ticks];
    state.rate_out_sum = state.rate_out_sum + decision.add;
    slot = decision.add;
  }
  if (shape.rate_in_ticks > 0) {
    Int& slot = state.rate_in_ring[now.tick % shape.rate_in_ticks];
    state.rate_in_sum = state.rate_in_sum + decision.remove;
    slot = decision.remove;
  }
}

// Takes what leaves the windows of the rate limits at this tick out of their sums.
template <class L>
HWY_INLINE void age_rates(const Now& now, const Shape& shape, State<L>& state) {
  if (shape.rate_out_ticks > 0) {
    state.rate_out_sum = state.rate_out_sum - state.rate_out_ring[now.tick % shape.rate_out_ticks];
  }
  if (shape.rate_in_ticks > 0) {
    state.rate_in_sum = state.rate_in_sum - state.rate_in_ring[now.tick % shape.rate_in_ticks];
  }
}

// Requires: called once per tick, ticks consecutive from 0, `state` from reset() or the call before.
template <class L>
HWY_INLINE Decision<L> decide(const Now& now, const Observation<L>& observation, const Shape& shape,
                              const Numbers<L>& numbers, State<L>& state) {
  age_rates<L>(now, shape, state);
  if (shape.any_window && observation.fresh) remember_sample<L>(observation, state);
  const Recommendation<L> recommended = recommend<L>(now, observation, shape, numbers, state);
  Decision<L> decision = recommended.decision;
  bound<L>(observation, shape, numbers, state, decision);
  if (shape.any_pair && bl::any(recommended.paired)) {
    Decision<L> pair = recommended.decision;
    bound_pair<L>(observation, shape, numbers, state, pair);
    const auto choose = [&](typename L::Int& single, typename L::Int of_pair) {
      single = bl::select(recommended.paired, of_pair, single);
    };
    choose(decision.after_step, pair.after_step);
    choose(decision.after_rate, pair.after_rate);
    choose(decision.desired, pair.desired);
    choose(decision.add, pair.add);
    choose(decision.remove, pair.remove);
    choose(decision.reasons, pair.reasons);
  }
  remember_action<L>(now, observation, shape, decision, state);
  return decision;
}

}  // namespace headroom::policy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
