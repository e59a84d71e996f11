#include "policy/compile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/units.hpp"

namespace headroom::policy {
namespace {

using base::Milliseconds;

constexpr double kFullPercent = 100;  // a meter shows no more (sim/lane_engine-inl.hpp)

// Collects the faults of one scaling; every method returns a usable value so that reading goes on.
class Compiler {
 public:
  Compiler(Milliseconds tick, Milliseconds metric_period) : tick_(tick), metric_period_(metric_period) {}

  std::int32_t ticks(Milliseconds duration, const std::string& path) {
    auto result = in_ticks(duration, tick_, path);
    if (result) return *result;
    faults_.insert(faults_.end(), result.error().faults.begin(), result.error().faults.end());
    return 0;
  }
  std::int32_t period(Milliseconds duration, const std::string& path) {
    const std::int32_t n = ticks(duration, path);
    if (duration <= Milliseconds(0))
      fault(path, fmt::format("{} is too short for a period", base::format_duration(duration)),
            "use at least one tick");
    return std::max(n, 1);
  }
  std::int32_t count(int value, int low, int high, const std::string& path) {
    if (value < low || value > high) {
      fault(path, fmt::format("{} is out of range", value), fmt::format("use {} to {}", low, high));
    }
    return std::clamp(value, low, high);
  }
  float number(double value, double low, double high, const std::string& path) {
    if (!(value >= low && value <= high)) {
      fault(path, fmt::format("{} is out of range", value), fmt::format("use {} to {}", low, high));
      return static_cast<float>(low);
    }
    return static_cast<float>(value);
  }
  void fault(const std::string& path, const std::string& what, const std::string& fix) {
    faults_.push_back({{}, what, fix, path});
  }

  // A policy that counts breaches must not count one sample twice.
  void counts_samples(Milliseconds every, const std::string& path) {
    if (every >= metric_period_ || every <= Milliseconds(0)) return;
    fault(path,
          fmt::format("{} is shorter than the metric period ({}), so one sample would count as several",
                      base::format_duration(every), base::format_duration(metric_period_)),
          "use at least metrics.period");
  }

  // Samples in a window of means.
  std::int32_t window(Milliseconds window, const std::string& path) {
    if (window < Milliseconds(0)) fault(path, "is negative", "use 0s, the latest sample, or more");
    if (window <= metric_period_) return 1;
    if (window % metric_period_ != Milliseconds(0)) {
      fault(path,
            fmt::format("{} is no whole number of metric periods ({})", base::format_duration(window),
                        base::format_duration(metric_period_)),
            "use a multiple of metrics.period");
      return 1;
    }
    const auto samples = window / metric_period_;
    if (samples > kMaxWindowSamples) {
      fault(path, fmt::format("a window of {} samples is too long", samples),
            fmt::format("use at most {} metric periods", kMaxWindowSamples));
      return 1;
    }
    return static_cast<std::int32_t>(samples);
  }

  void step(const StepPolicy& policy, const std::string& path, PolicyShape& shape,
            PolicyNumbers<base::One>& numbers) {
    shape.kind = Kind::step;
    shape.signal = static_cast<std::int32_t>(policy.metric);
    shape.every = period(policy.every, path + ".every");
    shape.first = ticks(policy.first, path + ".first");
    shape.window_samples = window(policy.window, path + ".window");
    shape.step_semantics = policy.semantics;
    if (policy.out.empty() && policy.in.empty())
      fault(path, "a step policy without a step", "give it `out` or `in` steps");
    shape.outs =
        steps(policy.out, path + ".out", shape.out_inclusive, numbers.out_threshold, numbers.out_change);
    shape.ins = steps(policy.in, path + ".in", shape.in_inclusive, numbers.in_threshold, numbers.in_change);
    for (std::size_t o = 0; o < policy.out.size() && policy.metric == Metric::cpu; ++o) {
      const Step& step = policy.out[o];
      if (step.threshold > kFullPercent || (step.threshold == kFullPercent && !step.inclusive)) {
        fault(fmt::format("{}.out[{}]", path, o),
              fmt::format("{} {} % is never reached", step.inclusive ? "at least" : "above", step.threshold),
              "utilisation is seen as 100 % at most; use a lower threshold");
      }
    }
    for (std::size_t o = 0; o < policy.out.size(); ++o) {
      for (std::size_t i = 0; i < policy.in.size(); ++i) {
        if (policy.in[i].threshold > policy.out[o].threshold) {
          fault(fmt::format("{}.in[{}]", path, i),
                fmt::format("scales in below {}, which is above the scale-out threshold {} of out[{}]",
                            policy.in[i].threshold, policy.out[o].threshold, o),
                "keep every scale-in threshold at or below every scale-out threshold");
        }
      }
    }
    shape.periods = count(policy.periods, 1, kMaxPeriods, path + ".periods");
    numbers.datapoints = count(policy.datapoints, 1, shape.periods, path + ".datapoints");
    shape.fresh_only = policy.fresh_only;
    if (policy.fresh_only && policy.semantics != StepSemantics::aws_simple) {
      fault(path + ".fresh", "only simple scaling waits for fresh metrics",
            "use `semantics: aws-simple`, or `fresh: false`");
    }
    shape.newest_records = count(policy.newest_records, 0, shape.window_samples, path + ".newest_records");
    if (shape.periods > 1) counts_samples(policy.every, path + ".every");
    numbers.cooldown_out = ticks(policy.cooldown_out, path + ".cooldown.out");
    numbers.cooldown_in = ticks(policy.cooldown_in, path + ".cooldown.in");
  }

  void target(const TargetPolicy& policy, const std::string& path, PolicyShape& shape,
              PolicyNumbers<base::One>& numbers) {
    shape.kind = Kind::target;
    shape.signal = static_cast<std::int32_t>(policy.metric);
    shape.every = period(policy.every, path + ".every");
    shape.first = ticks(policy.first, path + ".first");
    shape.window_samples = window(policy.window, path + ".window");
    shape.target_semantics = policy.semantics;
    shape.scale_in = policy.scale_in;
    shape.stabilise_out = stabilise(policy.stabilise_out, policy.every, path + ".stabilise.out");
    shape.stabilise_in = stabilise(policy.stabilise_in, policy.every, path + ".stabilise.in");
    if (policy.semantics == TargetSemantics::aws && std::max(policy.periods_out, policy.periods_in) > 1)
      counts_samples(policy.every, path + ".every");
    numbers.target =
        number(policy.target, 1e-3, policy.metric == Metric::cpu ? kFullPercent : 1e6, path + ".value");
    numbers.tolerance = number(policy.tolerance, 0, 1, path + ".tolerance");
    numbers.in_below = number(policy.in_below, 0, 1, path + ".in_below");
    numbers.periods_out = count(policy.periods_out, 1, 1000, path + ".periods.out");
    numbers.periods_in = count(policy.periods_in, 1, 1000, path + ".periods.in");
    numbers.cooldown_out = ticks(policy.cooldown_out, path + ".cooldown.out");
    numbers.cooldown_in = ticks(policy.cooldown_in, path + ".cooldown.in");
  }

  void schedule(const SchedulePolicy& policy, const std::string& path, PolicyShape& shape,
                PolicyNumbers<base::One>& numbers) {
    shape.kind = Kind::schedule;
    if (policy.entries.empty() || policy.entries.size() > kMaxScheduleEntries) {
      fault(path, fmt::format("{} entries", policy.entries.size()),
            fmt::format("use 1 to {}", kMaxScheduleEntries));
      return;
    }
    shape.entries = static_cast<std::int32_t>(policy.entries.size());
    for (std::size_t k = 0; k < policy.entries.size(); ++k) {
      const ScheduleEntry& entry = policy.entries[k];
      for (int day = 0; day < 7; ++day) {
        if (entry.days[static_cast<std::size_t>(day)]) shape.entry[k].days |= 1 << day;
      }
      if (shape.entry[k].days == 0)
        fault(fmt::format("{}[{}].days", path, k), "an entry without a day", "name at least one day");
      if (entry.from == std::chrono::hours(24))
        fault(fmt::format("{}[{}].from", path, k), "24:00 begins no day", "use 00:00 of the next day");
      const auto of_day = [&](Milliseconds time, const char* field) {
        if (time < Milliseconds(0) || time > std::chrono::hours(24)) {
          fault(fmt::format("{}[{}].{}", path, k, field), "is no time of a day", "use 00:00 to 24:00");
          return 0;
        }
        return static_cast<std::int32_t>(time.count());
      };
      shape.entry[k].from_ms = of_day(entry.from, "from");
      shape.entry[k].to_ms = of_day(entry.to, "to");
      numbers.at_least[k] = count(entry.at_least, 1, kMaxInstances, fmt::format("{}[{}].at_least", path, k));
    }
  }

  void proportional(const ProportionalPolicy& policy, const std::string& path, PolicyShape& shape,
                    PolicyNumbers<base::One>& numbers) {
    shape.kind = Kind::proportional;
    shape.signal = kLoad;
    shape.every = period(policy.every, path + ".every");
    shape.first = ticks(policy.first, path + ".first");
    shape.window_samples = window(policy.window, path + ".window");
    shape.statistic = policy.statistic;
    shape.removal = policy.remove;
    shape.pairs = policy.remove == Removal::serving || policy.order > 0;
    numbers.per_rps = number(policy.per_rps, 0, 1e6, path + ".per_rps");
    // Below 0 where part of the fleet is there anyhow, such as what a standing order brings each time.
    numbers.plus = number(policy.plus, -1e6, 1e6, path + ".plus");
    numbers.order = count(policy.order, 0, kMaxInstances, path + ".order");
  }

  std::int32_t rate(const std::optional<RateLimit>& limit, const std::string& path, std::int32_t& number) {
    number = kMaxInstances;
    if (!limit) return 0;
    number = count(limit->count, 1, kMaxInstances, path);
    const std::int32_t n = period(limit->per, path);
    if (n > kMaxRateTicks) {
      fault(path, fmt::format("a window of {} ticks is too long", n),
            fmt::format("use at most {} ticks, or a longer tick", kMaxRateTicks));
    }
    return std::min(n, kMaxRateTicks);
  }

  std::vector<base::Fault> take_faults() { return std::move(faults_); }

 private:
  std::int32_t steps(const std::vector<Step>& steps, const std::string& path, bool* inclusive,
                     float* threshold, std::int32_t* change) {
    if (steps.size() > kMaxSteps) {
      fault(path, fmt::format("{} steps", steps.size()), fmt::format("use at most {}", kMaxSteps));
    }
    const std::size_t n = std::min<std::size_t>(steps.size(), kMaxSteps);
    for (std::size_t k = 0; k < n; ++k) {
      inclusive[k] = steps[k].inclusive;
      threshold[k] = number(steps[k].threshold, 0, 1e6, fmt::format("{}[{}]", path, k));
      change[k] = count(steps[k].change, 1, kMaxInstances, fmt::format("{}[{}]", path, k));
    }
    return static_cast<std::int32_t>(n);
  }

  std::int32_t stabilise(Milliseconds window, Milliseconds every, const std::string& path) {
    if (window < Milliseconds(0) || every <= Milliseconds(0)) {
      if (window < Milliseconds(0)) fault(path, "is negative", "use 0s or more");
      return 1;
    }
    // The evaluations less than a window old, the present one included: one that is exactly a window old no
    // longer counts (stabilizeRecommendationWithBehaviors of horizontal.go in Kubernetes).
    const auto n = std::max<std::int64_t>(1, (window + every - Milliseconds(1)) / every);
    if (n > kMaxStabilise) {
      fault(path, fmt::format("a window of {} evaluations is too long", n),
            fmt::format("use at most {} evaluations", kMaxStabilise));
      return 1;
    }
    return static_cast<std::int32_t>(n);
  }

  Milliseconds tick_;
  Milliseconds metric_period_;
  std::vector<base::Fault> faults_;
};

}  // namespace

bool leaves_out_warming(const Policy& policy) {
  if (const auto* step = std::get_if<StepPolicy>(&policy)) return step->semantics == StepSemantics::aws_step;
  const auto* target = std::get_if<TargetPolicy>(&policy);
  return target != nullptr && target->semantics == TargetSemantics::aws;
}

Milliseconds warm_up_of(const Scaling& scaling) {
  if (scaling.warm_up) return *scaling.warm_up;
  const bool left_out = std::any_of(scaling.policies.begin(), scaling.policies.end(), leaves_out_warming);
  return left_out ? kAwsWarmUp : Milliseconds(0);
}

base::Result<std::int32_t> in_ticks(Milliseconds duration, Milliseconds tick, std::string_view path) {
  const auto refuse = [&](std::string what, std::string fix) {
    base::Error error = base::bad_input(base::format_duration(duration) + std::move(what), std::move(fix));
    error.faults.front().path = path;
    return error;
  };
  if (duration < Milliseconds(0)) return refuse(" is negative", "use 0s or more");
  if (duration % tick != Milliseconds(0)) {
    return refuse(fmt::format(" is no whole number of ticks of {}", base::format_duration(tick)),
                  "use a multiple of the tick, or set a shorter `tick:` at the top of headroom.yaml");
  }
  if (duration / tick > (1 << 28)) return refuse(" is too long", "use a longer tick");
  return static_cast<std::int32_t>(duration / tick);
}

base::Result<Compiled> compile(const Scaling& scaling, Milliseconds tick, Milliseconds metric_period,
                               Milliseconds metric_lag) {
  Compiler compiler(tick, metric_period);
  Compiled compiled{};
  Shape& shape = compiled.shape;
  Numbers<base::One>& numbers = compiled.numbers;
  const auto rounded_up = [&](Milliseconds duration) {
    return static_cast<std::int32_t>(
        std::min<std::int64_t>((duration + tick - Milliseconds(1)) / tick, 1 << 28));
  };
  shape.metric_period = std::max(rounded_up(metric_period), 1);
  shape.metric_lag = rounded_up(metric_lag);

  // Without an instance there is no utilisation to decide by, and nothing that would start the first one.
  numbers.min = compiler.count(scaling.limits.min, 1, kMaxInstances, "min");
  numbers.max = compiler.count(scaling.limits.max, 1, kMaxInstances, "max");
  if (scaling.limits.min > scaling.limits.max) {
    compiler.fault("min", fmt::format("{} is above max {}", scaling.limits.min, scaling.limits.max),
                   "lower min or raise max");
  }
  numbers.initial =
      compiler.count(scaling.initial, std::min(numbers.min, numbers.max), numbers.max, "initial");
  numbers.step_out =
      compiler.count(scaling.limits.step_out.value_or(kMaxInstances), 1, kMaxInstances, "step.out");
  numbers.step_in =
      compiler.count(scaling.limits.step_in.value_or(kMaxInstances), 1, kMaxInstances, "step.in");
  shape.rate_out_ticks = compiler.rate(scaling.limits.rate_out, "rate.out", numbers.rate_out);
  shape.rate_in_ticks = compiler.rate(scaling.limits.rate_in, "rate.in", numbers.rate_in);
  // What nobody wrote is made to fit: rounded up to whole ticks.
  compiled.warm_up_ticks =
      scaling.warm_up ? compiler.ticks(*scaling.warm_up, "warm_up")
                      : static_cast<std::int32_t>((warm_up_of(scaling) + tick - Milliseconds(1)) / tick);

  if (scaling.policies.size() > kMaxPolicies) {
    compiler.fault("policies", fmt::format("{} policies", scaling.policies.size()),
                   fmt::format("use at most {}", kMaxPolicies));
  }
  shape.policies = static_cast<std::int32_t>(std::min<std::size_t>(scaling.policies.size(), kMaxPolicies));
  for (int p = 0; p < shape.policies; ++p) {
    const Policy& policy = scaling.policies[static_cast<std::size_t>(p)];
    const std::string path = fmt::format("policies[{}]", p);
    if (const auto* step = std::get_if<StepPolicy>(&policy)) {
      compiler.step(*step, path + ".step", shape.policy[p], numbers.policy[p]);
    } else if (const auto* target = std::get_if<TargetPolicy>(&policy)) {
      compiler.target(*target, path + ".target", shape.policy[p], numbers.policy[p]);
    } else if (const auto* schedule = std::get_if<SchedulePolicy>(&policy)) {
      compiler.schedule(*schedule, path + ".schedule", shape.policy[p], numbers.policy[p]);
    } else {
      compiler.proportional(std::get<ProportionalPolicy>(policy), path + ".proportional", shape.policy[p],
                            numbers.policy[p]);
    }
    shape.any_load = shape.any_load || shape.policy[p].signal == kLoad;
    shape.any_pair = shape.any_pair || shape.policy[p].pairs;
    shape.any_window = shape.any_window || shape.policy[p].window_samples > 1;
    if (shape.policy[p].newest_records > 0) {
      shape.newest_window_samples = std::max(shape.newest_window_samples, shape.policy[p].window_samples);
    }
  }

  base::Error error;
  error.faults = compiler.take_faults();
  if (!error.faults.empty()) return error;
  return compiled;
}

}  // namespace headroom::policy
