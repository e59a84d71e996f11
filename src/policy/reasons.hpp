// Reasons: why a decision is what it is, as a set of enumerated facts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::policy {

// One bit each. The names are stable: they stand in decisions.jsonl and in the documentation.
enum class Reason : std::uint32_t {
  above_threshold = 1u << 0,        // the metric breached a scale-out threshold or target
  below_threshold = 1u << 1,        // the metric breached a scale-in threshold or target
  within_band = 1u << 2,            // between the thresholds, or within the tolerance of the target
  missing_metric = 1u << 3,         // no sample to judge by: never a reason to scale in
  not_enough_datapoints = 1u << 4,  // breached, but not in enough periods yet
  cooldown = 1u << 5,               // held back: too soon after the last action
  in_progress = 1u << 6,            // held back: instances are launching or warming
  stabilised = 1u << 7,             // held back by the stabilisation window
  scale_in_disabled = 1u << 8,
  schedule = 1u << 9,     // a schedule entry asked for at least this many
  step_limit = 1u << 10,  // bounded per decision
  rate_limit = 1u << 11,  // bounded per time
  at_max = 1u << 12,      // bounded by max
  at_min = 1u << 13,      // bounded by min
  not_due = 1u << 14,  // the policy that counted was between its evaluations, or no schedule entry covers now
  newest_unmeasured = 1u << 15,  // held back: the newest instance has too few samples yet
  standing_order = 1u << 16,     // added at every evaluation, whatever the metric
};
inline constexpr int kReasonCount = 17;

struct Reasons {
  std::uint32_t bits = 0;

  constexpr bool has(Reason reason) const { return (bits & static_cast<std::uint32_t>(reason)) != 0; }
  constexpr bool operator==(const Reasons&) const = default;
};

// "above_threshold" and so on; the i-th is that of bit i.
std::string_view name(Reason reason);
std::vector<std::string_view> names(Reasons reasons);

// One line for people: "above the threshold; bounded by max".
std::string sentence(Reasons reasons);

}  // namespace headroom::policy
