// Rehearsal: the outcome of one simulated run of one service, tick by tick, and its summary.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "fleet/billing.hpp"
#include "policy/reasons.hpp"
#include "telemetry/series.hpp"

namespace headroom::sim {

// What the policy saw and what became of it, at one tick where it was evaluated. `desired` counts instances
// in service plus launching.
struct DecisionRecord {
  std::int32_t tick = 0;
  std::int32_t group = 0;      // index into Rehearsal::groups
  float cpu_percent_seen = 0;  // NaN: missing
  float requests_per_second_per_instance_seen = 0;
  // Of the whole service. NaN: missing, or no policy looks at it.
  float requests_per_second_seen = std::numeric_limits<float>::quiet_NaN();
  std::int32_t in_service = 0;
  std::int32_t launching = 0;
  std::int32_t recommended = 0;  // desired by the policies, before any limit
  std::int32_t after_step = 0;   // after the limit per decision
  std::int32_t after_rate = 0;   // after the limit per time
  std::int32_t desired = 0;      // after min and max: what was done
  std::int32_t add = 0;
  std::int32_t remove = 0;
  std::int32_t policy = -1;  // index of the policy whose recommendation counted; -1: none
  policy::Reasons reasons;
  bool operator==(const DecisionRecord& other) const;  // bit for bit, so that what is missing equals itself
};

// The integer trajectory; one element per tick.
struct Trajectory {
  std::vector<std::int32_t> in_service;
  std::vector<std::int32_t> launching;
  std::vector<std::int32_t> draining;
  std::vector<DecisionRecord> decisions;  // the ticks where the policy was evaluated
  bool operator==(const Trajectory&) const = default;
};

// The instances of one zone by state; one element per tick.
struct ZoneCounts {
  std::string zone;
  std::vector<std::int32_t> in_service;
  std::vector<std::int32_t> launching;  // ordered, starting or warming
  std::vector<std::int32_t> draining;
  std::vector<std::int32_t> stopped;  // in the warm pool
  std::vector<std::int32_t> failed;   // kept for inspection
  bool operator==(const ZoneCounts&) const = default;
};

// A rehearsed failure, over the ticks [from, to).
struct FaultPeriod {
  std::int32_t from = 0;
  std::int32_t to = 0;
  std::string kind;   // as in the file: "cut"
  std::string where;  // zone or instance; empty: everywhere
  bool operator==(const FaultPeriod&) const = default;
};

// Something that happened and is no decision: a failed instance, an order that failed, the maximum reached.
struct EventRecord {
  std::int32_t tick = 0;
  std::string name;     // stable: "instance_failed"
  std::string subject;  // instance, zone or token; may be empty
  std::string why;      // for people
  bool operator==(const EventRecord&) const = default;
};

// What became of one instance, and what it cost.
struct InstanceRecord {
  std::string id;
  std::string zone;
  std::int32_t launches = 0;  // its first one, and each start out of the pool
  double runtime_minutes = 0;
  double charged_hours = 0;
  double cost_usd = 0;
  bool operator==(const InstanceRecord&) const = default;
};

// The record of an instance from its launches, in time order, until the end of the rehearsal at the latest.
InstanceRecord instance_record(std::string id, std::string zone, std::span<const fleet::Launch> launches,
                               const fleet::Billing& billing, base::UsdPerHour price);

// Figures of one rehearsal, computed in double from the integer trajectory. Means are over time.
struct Summary {
  double cpu_percent_mean = 0;  // demand over what is allowed; above 100 the service is overloaded
  double cpu_percent_max = 0;
  std::int32_t instances_max = 0;  // in service
  double instances_mean = 0;       // in service
  double instance_hours = 0;       // in service
  double launching_hours = 0;
  double draining_hours = 0;
  double cost_in_service_usd = 0;
  double cost_launching_usd = 0;
  double cost_draining_usd = 0;
  double cost_usd = 0;  // the sum of the three
  // Where instances have identities; 0 where a rehearsal knows counts only.
  std::int32_t launches = 0;  // starts, those out of the pool included
  double charged_hours = 0;   // what is paid for; billing by the hour rounds up
  double requests = 0;        // offered
  double requests_failed = 0;
  double requests_waiting = 0;        // at the end: neither answered nor failed
  double availability_percent = 100;  // of the requests
  double downtime_minutes = 0;        // in which fewer than the objective's share were served (worth.hpp)
  std::optional<double> profit_usd;   // unset: the objective states none
  double objective_violation_minutes = 0;
  double objective_violation_percent = 0;  // of the minutes
  bool objective_met = true;
  std::int32_t scale_outs = 0;  // decisions that added instances
  std::int32_t scale_ins = 0;
  double minutes_at_max = 0;  // desired at `max`
  double minutes_at_min = 0;
  std::int32_t warnings_at_max = 0;  // evaluations that wanted more than `max` allows
  double p95_ms_max = 0;             // 0 where latency is not known
  bool operator==(const Summary&) const = default;
};

// Whether the policy found the load above its threshold when as many instances as `max` were there or on
// their way, cooldown or not (requirements M06). `max`: of the decision's group.
bool wants_more_than_max(const DecisionRecord& decision, std::int32_t max);

// Puts what the instances cost into a summary whose hours by state are known. The states share the cost by
// their hours; launching costs nothing where billing begins in service.
void add_charges(std::span<const InstanceRecord> instances, const fleet::Billing& billing, Summary& summary);

struct Rehearsal {
  std::string environment;
  std::string service;
  std::uint64_t seed = 1;
  telemetry::Series requests_per_second;  // offered to the whole service
  std::vector<double> cpu_percent;        // per tick; same length
  std::vector<double> p95_ms;             // empty where latency is not known
  Trajectory trajectory;
  std::vector<std::string> groups;  // that scale apart, by name; empty: the whole fleet is one
  // Where instances have identities; empty where a rehearsal knows counts only.
  std::vector<ZoneCounts> zones;
  std::vector<FaultPeriod> faults;
  std::vector<EventRecord> events;
  std::vector<InstanceRecord> instances;           // by id
  std::vector<double> failed_requests_per_second;  // per tick; empty where none can fail
  Summary summary;
  std::vector<std::string> notes;  // what was assumed, inferred or extrapolated, in whole sentences
};

}  // namespace headroom::sim
