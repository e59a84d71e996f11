// Policies and limits as a user writes them: wall-clock durations, percents, counts.
//
// compile.hpp turns them into the tick-grid parameters that the decision kernel (decide-inl.hpp) reads.
// The rules of each kind, and where they come from, are stated in docs/reference/policies.md.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/quantity.hpp"

namespace headroom::policy {

// What a policy looks at. The unit of its thresholds follows: percent, or requests per second per instance.
enum class Metric { cpu, requests };

// One step: beyond `threshold` the policy adds (or removes) `change` instances.
struct Step {
  double threshold = 0;    // in the metric's unit
  bool inclusive = false;  // above/below: strict; at_least/at_most: inclusive
  int change = 1;          // positive
  bool operator==(const Step&) const = default;
};

enum class StepSemantics {
  plain,       // every evaluation acts on its own; instances still starting do not hold it back
  aws_simple,  // nothing while an action is in progress, then the cooldown counts from its end
  aws_step,    // instances still warming count as already added; no scale-in while any is warming
};

struct StepPolicy {
  Metric metric = Metric::cpu;
  base::Milliseconds every{60'000};  // evaluation period
  base::Milliseconds first{0};       // time of the first evaluation
  base::Milliseconds window{0};      // mean over the samples of this window; 0: the latest sample
  std::vector<Step> out;             // of the steps breached, the largest change counts
  std::vector<Step> in;
  int periods = 1;                     // evaluation periods looked at (M of N: N)
  int datapoints = 1;                  // of which this many must breach (M)
  base::Milliseconds cooldown_out{0};  // after a scale-out nothing for so long
  base::Milliseconds cooldown_in{0};   // after a scale-in
  StepSemantics semantics = StepSemantics::plain;
  bool fresh_only = false;  // aws_simple: only samples that began after the last change of capacity count
  int newest_records = 0;   // no scale-out unless the newest in service has so many samples in the window
  bool operator==(const StepPolicy&) const = default;
};

enum class TargetSemantics {
  hpa,  // Kubernetes: ceil(instances * metric / target), tolerance, stabilisation windows
  aws,  // 3 of 3 periods above the target scale out in proportion, 15 of 15 below 90 % of it scale in
};

struct TargetPolicy {
  Metric metric = Metric::cpu;
  double target = 50;  // in the metric's unit
  base::Milliseconds every{60'000};
  base::Milliseconds first{0};
  base::Milliseconds window{0};
  TargetSemantics semantics = TargetSemantics::hpa;
  double tolerance = 0.1;                    // hpa: no action within target * (1 +- tolerance)
  base::Milliseconds stabilise_out{0};       // hpa: the smallest recommendation of this window counts
  base::Milliseconds stabilise_in{300'000};  // hpa: the largest recommendation of this window counts
  int periods_out = 3;                       // aws
  int periods_in = 15;                       // aws
  double in_below = 0.9;                     // aws: scale in when below this share of the target
  base::Milliseconds cooldown_out{0};
  base::Milliseconds cooldown_in{0};
  bool scale_in = true;
  bool operator==(const TargetPolicy&) const = default;
};

// On these days, from `from` until `to` (of the day, UTC; `to` at or before `from` runs over midnight and
// belongs to the day on which it starts), at least so many instances.
struct ScheduleEntry {
  std::array<bool, 7> days{true, true, true, true, true, true, true};  // Monday first
  base::Milliseconds from{0};
  base::Milliseconds to{24 * 3'600'000};
  int at_least = 1;
  bool operator==(const ScheduleEntry&) const = default;
};

// A floor under what other policies ask for. Where there is no other policy, it alone says how many, and min
// where no entry covers the instant.
struct SchedulePolicy {
  std::vector<ScheduleEntry> entries;
  bool operator==(const SchedulePolicy&) const = default;
};

// Of the samples of a window.
enum class Statistic { mean, max };

// What may go when less is desired.
enum class Removal {
  spare,    // no more than leave the desired number in service
  serving,  // instances in service, as soon as they and those launching are more than desired
};

// desired = ceil(per_rps * load + plus), where load is the requests per second of the whole service.
struct ProportionalPolicy {
  double per_rps = 0;  // instances per request a second
  double plus = 0;     // instances, whatever the load
  base::Milliseconds every{60'000};
  base::Milliseconds first{0};
  base::Milliseconds window{0};  // 0: the latest sample
  Statistic statistic = Statistic::mean;
  int order = 0;  // instances added at each evaluation, whatever the load
  Removal remove = Removal::spare;
  bool operator==(const ProportionalPolicy&) const = default;
};

using Policy = std::variant<StepPolicy, TargetPolicy, SchedulePolicy, ProportionalPolicy>;

// At most `count` instances within any `per`.
struct RateLimit {
  int count = 1;
  base::Milliseconds per{60'000};
  bool operator==(const RateLimit&) const = default;
};

// Applied after the policies, in this order: step, rate, min and max. Each leaves its reason.
struct Limits {
  int min = 1;
  int max = 10;
  std::optional<int> step_out;  // per decision
  std::optional<int> step_in;
  std::optional<RateLimit> rate_out;
  std::optional<RateLimit> rate_in;
  bool operator==(const Limits&) const = default;
};

// How one service scales.
struct Scaling {
  int initial = 1;
  Limits limits;
  // After start-up: how long an instance counts as warming, for policies that look at it. Unset:
  // warm_up_of().
  std::optional<base::Milliseconds> warm_up;
  std::vector<Policy> policies;  // the largest desired wins
  bool operator==(const Scaling&) const = default;
};

// Whether the policy leaves out what is warming: semantics aws and aws-step. (AWS simple scaling waits for
// its cooldown instead.)
bool leaves_out_warming(const Policy& policy);

// AWS's instance warm-up where none is set: that of the group, or else its default cooldown, 300 seconds.
// Source: Amazon EC2 Auto Scaling API reference, PutScalingPolicy, EstimatedInstanceWarmup, and
// CreateAutoScalingGroup, DefaultCooldown.
inline constexpr base::Milliseconds kAwsWarmUp{300'000};

// The warm-up that counts: as set, else kAwsWarmUp where a policy leaves out what is warming, else none.
base::Milliseconds warm_up_of(const Scaling& scaling);

}  // namespace headroom::policy
