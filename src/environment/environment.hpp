// Environment: headroom.yaml as types (docs/reference/file.md states every key).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/quantity.hpp"
#include "capacity/model.hpp"
#include "fleet/billing.hpp"
#include "policy/policy.hpp"
#include "workload/traffic.hpp"

namespace headroom::environment {

enum class CloudKind { local, aws, kubernetes };

using fleet::Billing;
using fleet::BillingModel;

// Of a burstable instance type: it runs at `Instance::cpu` while it has credit, else at `baseline`. Credit is
// processor time; it is earned at the baseline rate and spent by what is used, up to `most`.
struct Credits {
  base::Cores baseline;
  base::Milliseconds initial{0};  // of an instance that starts
  base::Milliseconds most{0};
  bool of_baseline =
      false;  // the metric cpu is usage over the baseline, at most 100 %; else over what is allowed
  bool operator==(const Credits&) const = default;
};

struct Instance {
  std::optional<base::Cores> cpu;
  std::string type;  // of the cloud, such as t3.micro
  std::optional<std::int64_t> memory_bytes;
  base::UsdPerHour price;
  Billing billing;
  std::optional<Credits> credits;
  bool operator==(const Instance&) const = default;
};

struct Health {
  std::string path = "/";
  base::Milliseconds interval{5'000};
  int unhealthy_after = 3;
  int healthy_after = 2;
  int replace_after = 3;        // failed checks in a row until it is taken out for good, kept and replaced
  base::Milliseconds grace{0};  // after it entered service failed checks do not count for so long
  bool operator==(const Health&) const = default;
};

struct Listen {
  int port = 0;  // 0: the service is not published
  std::string address = "127.0.0.1";
  std::string certificate;
  bool operator==(const Listen&) const = default;
};

struct Profit {
  base::Usd revenue_per_request;
  base::Usd downtime_penalty;     // per minute of downtime
  double downtime_below = 0.995;  // share of requests served below which a minute counts as downtime
  bool operator==(const Profit&) const = default;
};

// What the service promises. Every limit that is set must hold in `share` of the minutes.
struct Objective {
  std::optional<base::Percent> cpu;
  std::optional<base::Milliseconds> p50;
  std::optional<base::Milliseconds> p95;
  std::optional<base::Milliseconds> p99;
  std::optional<base::Percent> availability;
  double share = 1.0;  // `for: 99.9% of minutes` is 0.999
  std::optional<Profit> profit;
  bool operator==(const Objective&) const = default;
};

struct Scale {
  policy::Scaling scaling;
  bool per_zone = false;           // one group per zone
  int pool = 0;                    // warm pool
  base::Milliseconds drain{0};     // an instance finishes its requests for so long before it is removed
  bool hold_to_paid_hour = false;  // it goes at the end of the hour that is paid for
  bool operator==(const Scale&) const = default;
};

struct Service {
  std::string name;
  std::string source;
  std::string build;
  std::string run;
  std::vector<std::pair<std::string, std::string>> env;  // in file order
  std::vector<std::pair<std::string, std::string>>
      secrets;  // name to reference (file: or ssm:), never the value
  std::vector<std::string> depends_on;
  bool job = false;     // it runs to its end, once per version
  bool volume = false;  // its instances keep a folder from start to start
  Listen listen;
  Instance instance;
  Health health;
  capacity::CapacityModel capacity;  // measured file, with what headroom.yaml overrides
  Scale scale;
  Objective objective;
  std::optional<workload::Traffic> traffic;  // else the environment's
  bool operator==(const Service&) const = default;
};

// What the controller sees, and when.
struct Metrics {
  base::Milliseconds period{60'000};
  std::optional<base::Milliseconds> lag;  // default: the metric_lag measured in the capacity file, else 0
  base::Milliseconds first_fresh{0};      // after its launch no metric of a fresh instance is seen
  base::Milliseconds first_pool{0};
  bool operator==(const Metrics&) const = default;
};

enum class DrillKind {
  cut,             // of a zone: no traffic reaches its instances
  lost,            // of a zone: its instances are gone, and none can be launched
  crash,           // of an instance: it is gone
  hang,            // of an instance: it takes requests and never answers them
  reboot,          // of an instance: it loses its work, is away, and is the same one afterwards
  pause,           // of an instance: it stands still; what it has in work waits, and goes on
  metrics,         // none arrive
  metrics_frozen,  // the last value is repeated
  metrics_skewed,  // their timestamps are off by `by`
  calls_fail,      // calls of the cloud are refused
  calls_hang,      // they are answered after the fault only
  calls_lie,       // they are done but answered with an error
  calls_late,      // what is listed is as old as `by`
};

// A rehearsed failure (`faults:` in the file).
struct Drill {
  base::Milliseconds at{0};
  base::Milliseconds duration{0};  // 0: hang, pause: until it is replaced; reboot: one tick
  std::string zone;
  std::string instance;  // newest, oldest, or a number: the n-th in service, in start order
  DrillKind kind = DrillKind::cut;
  base::Milliseconds by{0};  // metrics_skewed (may be negative), calls_late
  double share = 1.0;        // of the calls that meet the fault (calls_*)
  bool operator==(const Drill&) const = default;
};

// The values one field may take in a search, in the unit of that field (as field_value() of fields.hpp).
struct SearchRange {
  double low = 0;
  double high = 0;
  double step = 1;
  bool operator==(const SearchRange&) const = default;
};
struct SearchList {
  std::vector<double> values;
  bool operator==(const SearchList&) const = default;
};
struct SearchExpression {
  std::string text;  // over the names of other searched fields: "round(0.7 * out.above)"
  // For each of Expression::names(): which field of the same search it means; never an expression itself.
  std::vector<std::size_t> operands;
  bool operator==(const SearchExpression&) const = default;
};

struct SearchField {
  std::string name;  // as written: "out.add" or "web.step.out.add"
  std::string path;  // the full path of the field: "services.web.scale.policies[0].step.out[0].add"
  std::variant<SearchRange, SearchList, SearchExpression> values;
  bool operator==(const SearchField&) const = default;
};

enum class Aim {
  cheapest,     // lowest cost that keeps the objective
  utilisation,  // highest mean utilisation that keeps the objective (the conf42 talk's "efficiency")
};

// Another set of policies to compare the winner with on unseen traffic.
struct Rival {
  std::string name;
  std::vector<policy::Policy> policies;
  std::vector<SearchField> search;  // paths relative to the rival: "policies[0].target.value"; empty: as set
  bool operator==(const Rival&) const = default;
};

struct Tune {
  Aim aim = Aim::cheapest;
  std::vector<SearchField> search;
  std::optional<int> samples;  // sampled search with so many policies; default: exhaustive while it is small
  int seeds = 5;               // replications
  // What the policy is judged on: a named file, or what follows after `train` of the traffic (default two
  // thirds).
  std::optional<base::Milliseconds> train;
  std::optional<workload::Traffic> holdout;
  std::vector<workload::Traffic> also;  // further traffic to tune on
  // Variations the winner must survive too: factors of height, steepness and start-up time.
  std::vector<double> vary_height;
  std::vector<double> vary_ramp;
  std::vector<double> vary_startup;
  std::vector<Rival> against;
  bool operator==(const Tune&) const = default;
};

struct Environment {
  std::string name;
  CloudKind cloud = CloudKind::local;
  std::vector<std::string> zones;
  std::vector<Service> services;  // in file order
  std::optional<workload::Traffic> traffic;
  Tune tune;
  Metrics metrics;
  std::optional<base::Milliseconds> tick;  // of the rehearsal; default metrics.period
  std::vector<Drill> faults;
  std::uint64_t seed = 1;
  bool operator==(const Environment&) const = default;
};

}  // namespace headroom::environment
