#include "sim/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/units.hpp"
#include "capacity/evaluate.hpp"
#include "policy/compile.hpp"
#include "sim/strength.hpp"
#include "sim/worth.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using environment::Environment;
using environment::Service;

// Between these factors of the limit float32 may stand on the other side of it than double: a utilisation
// goes through five roundings of at most 2^-24 each.
constexpr double kFloatMargin = 2e-6;

// What one instance serves at most, in requests per second.
double full_rps(const capacity::CapacityModel& model) {
  return std::max(0.0, (100 - model.intercept_percent) / model.slope_percent_per_rps);
}

// What a tick asks of each of the instances in service, and what of it is beyond them.
struct Load {
  base::Rate per_instance;
  base::Percent utilisation;
  double failed_per_second = 0;
};
Load load_of(const capacity::CapacityModel& model, double requests_per_second, std::int32_t in_service,
             double strength) {
  Load load;
  const auto instances = static_cast<double>(in_service);
  load.per_instance = base::Rate(requests_per_second / instances);
  load.utilisation = capacity::utilisation(model, base::Rate(load.per_instance.value() / strength));
  load.failed_per_second = std::max(0.0, requests_per_second - instances * full_rps(model) * strength);
  return load;
}

class Compiler {
 public:
  Compiler(const Environment& environment, const Service& service)
      : environment_(environment), service_(service), tick_(tick_of(environment)) {}

  base::Result<Scenario> run() {
    refuse_what_has_no_counts();
    scenario_.environment = environment_.name;
    scenario_.service = service_.name;
    scenario_.tick = tick_;
    scenario_.capacity = service_.capacity;
    scenario_.price_usd_per_hour = service_.instance.price.value();
    scenario_.launching_is_free = service_.instance.billing.from_in_service;
    policy();
    fleet();
    metrics();
    warm_up();
    capacity();
    objective();
    if (!error_.faults.empty()) return error_;
    return std::move(scenario_);
  }

 private:
  void fault(const std::string& path, std::string what, std::string fix) {
    error_.faults.push_back({{}, std::move(what), std::move(fix), "services." + service_.name + "." + path});
  }
  void environment_fault(const std::string& path, std::string what, std::string fix) {
    error_.faults.push_back({{}, std::move(what), std::move(fix), path});
  }

  // What needs instances with identities: `simulate` then rehearses with them, a search cannot.
  void refuse_what_has_no_counts() {
    const auto& scale = service_.scale;
    if (scale.per_zone) {
      fault("scale.per", "counts do not tell zones apart",
            "`simulate` rehearses groups per zone with instances; or use `per: fleet`");
    }
    if (scale.pool > 0) {
      fault("scale.pool", "counts do not tell which instances are in a warm pool",
            "`simulate` rehearses it with instances; or use `pool: 0`");
    }
    if (scale.scaling.limits.min < 1) {
      fault("scale.min",
            "scaling to zero is not rehearsed yet: an empty fleet has no utilisation to decide on",
            "use `min: 1` or more");
    }
    const environment::Billing& billing = service_.instance.billing;
    const auto needs_instances = [&](std::string what) {
      fault("instance.billing", std::move(what),
            "`simulate` rehearses it with instances; or use `billing: per-second`");
    };
    if (billing.model != environment::BillingModel::per_second) {
      needs_instances("hourly billing depends on when each instance started, which counts do not tell");
    } else if (billing.minimum > Milliseconds(0)) {
      needs_instances("a minimum per start depends on how long each instance ran, which counts do not tell");
    }
    for (std::size_t p = 0; p < scale.scaling.policies.size(); ++p) {
      const auto* step = std::get_if<policy::StepPolicy>(&scale.scaling.policies[p]);
      if (step == nullptr || step->newest_records == 0) continue;
      fault(fmt::format("scale.policies[{}].step.newest_records", p),
            "samples of the newest instance are not counted where instances have no identity",
            "use `newest_records: 0`");
    }
    const auto instances_only = [&](bool written, const char* path, const char* what, std::string instead) {
      if (!written) return;
      fault(path, fmt::format("{}, which counts do not tell", what),
            fmt::format("`simulate` rehearses it with instances; or {}", instead));
    };
    instances_only(service_.instance.credits.has_value(), "instance.credits",
                   "CPU credits depend on what each instance used before", "remove them");
    instances_only(scale.drain > Milliseconds(0), "scale.drain",
                   "draining depends on what each instance has in work", "use `drain: 0s`");
    instances_only(scale.hold_to_paid_hour, "scale.in_at",
                   "the paid hour depends on when each instance started", "use `in_at: now`");
    // The start-up time from the warm pool needs no word of its own: the pool is refused.
    instances_only(service_.capacity.startup_spread.has_value(), "capacity.startup",
                   "start-up times that differ make each instance another",
                   fmt::format("use `startup: {}`, their mean",
                               base::format_duration(service_.capacity.startup.value_or(Milliseconds(0)))));
    instances_only(service_.capacity.queue.has_value(), "capacity.queue",
                   "requests that wait are a state of each instance", "remove `queue`");
    if (environment_.metrics.first_fresh > Milliseconds(0) ||
        environment_.metrics.first_pool > Milliseconds(0)) {
      environment_fault("metrics.first", "counts do not tell when an instance had its first metric",
                        "`simulate` rehearses it with instances; or use 0s");
    }
    if (!environment_.faults.empty()) {
      environment_fault("faults", "planned failures need instances with an identity",
                        "`simulate` rehearses them with instances; or remove them");
    }
  }

  Milliseconds metric_lag() const {
    return environment_.metrics.lag.value_or(service_.capacity.metric_lag.value_or(Milliseconds(0)));
  }

  void policy() {
    auto compiled = policy::compile(service_.scale.scaling, tick_, environment_.metrics.period, metric_lag());
    if (!compiled) {
      for (base::Fault found : compiled.error().faults) {
        found.path = "services." + service_.name + ".scale." + found.path;
        error_.faults.push_back(std::move(found));
      }
      return;
    }
    scenario_.lanes.policy = compiled->shape;
    scenario_.lanes.fleet.warm_up = compiled->warm_up_ticks;
    scenario_.numbers = compiled->numbers;
  }

  void fleet() {
    if (!service_.capacity.startup) {
      fault("capacity", "the start-up time is not known",
            "measure it with `headroom fit`, or write `startup: 4m` into `capacity`");
      return;
    }
    const Milliseconds written =
        *service_.capacity.startup + service_.capacity.in_service_delay.value_or(Milliseconds(0));
    const auto ticks = (written + tick_ - Milliseconds(1)) / tick_;
    if (ticks + scenario_.lanes.fleet.warm_up + 2 > fleet::kMaxRing) {
      const std::string warm_up = base::format_duration(scenario_.lanes.fleet.warm_up * tick_);
      fault("capacity.startup",
            fmt::format("{}{} are too many ticks of {}", base::format_duration(written),
                        scenario_.lanes.fleet.warm_up > 0 ? " and a warm-up of " + warm_up : "",
                        base::format_duration(tick_)),
            "set a longer `tick:`");
      return;
    }
    if (written != ticks * tick_) {
      scenario_.notes.push_back(fmt::format(
          "The start-up time of {} counts as {}, whole ticks of {}.", base::format_duration(written),
          base::format_duration(ticks * tick_), base::format_duration(tick_)));
    }
    scenario_.lanes.fleet.startup = static_cast<std::int32_t>(ticks);
  }

  void metrics() {
    if (environment_.metrics.period <= Milliseconds(0)) {
      environment_fault("metrics.period", "is not positive", "use 1m, say");
      return;
    }
    const auto period = policy::in_ticks(environment_.metrics.period, tick_, "metrics.period");
    const auto lag_ticks = policy::in_ticks(metric_lag(), tick_, "metrics.lag");
    for (const auto* part : {&period, &lag_ticks}) {
      if (!*part)
        error_.faults.insert(error_.faults.end(), part->error().faults.begin(), part->error().faults.end());
    }
    if (!period || !lag_ticks) return;
    if (*period + *lag_ticks >= kMaxMetricTicks) {
      environment_fault("metrics", "period and lag are too many ticks", "set a longer `tick:`");
      return;
    }
    scenario_.lanes.metric_period = *period;
    scenario_.lanes.metric_lag = *lag_ticks;
  }

  // Which warm-up was used, and what comes of one that is over before the metric shows the new instances.
  void warm_up() {
    const policy::Scaling& scaling = service_.scale.scaling;
    if (std::none_of(scaling.policies.begin(), scaling.policies.end(), policy::leaves_out_warming)) return;
    const Milliseconds counted = scenario_.lanes.fleet.warm_up * tick_;
    if (!scaling.warm_up) {
      scenario_.notes.push_back(fmt::format(
          "`warm_up` is not written: an instance counts as warming for its first {}, AWS's default of {}{}.",
          base::format_duration(counted), base::format_duration(policy::kAwsWarmUp),
          counted == policy::kAwsWarmUp ? "" : " in whole ticks"));
    }
    // The first sample in which a new instance has its share ends a period after it serves, and is seen a lag
    // later; until then the load it takes over still stands in the metric.
    const Milliseconds unseen = (scenario_.lanes.metric_period + scenario_.lanes.metric_lag) * tick_;
    if (counted < unseen) {
      scenario_.notes.push_back(
          fmt::format("`warm_up: {}` is over before the metric shows a new instance ({} for its period and "
                      "lag): the load is "
                      "answered twice and the fleet swings. At least {} avoids it; AWS's default is {}.",
                      base::format_duration(counted), base::format_duration(unseen),
                      base::format_duration(unseen), base::format_duration(policy::kAwsWarmUp)));
    }
  }

  void capacity() {
    const capacity::CapacityModel& model = service_.capacity;
    if (!(model.slope_percent_per_rps > 0) || !std::isfinite(model.slope_percent_per_rps)) {
      fault("capacity", "the utilisation per request is not known",
            "measure it with `headroom fit`, or write `cpu_per_rpm: 0.00087` into `capacity`");
      return;
    }
    scenario_.lanes.slope_percent_per_rps = static_cast<float>(model.slope_percent_per_rps);
    scenario_.lanes.intercept_percent = static_cast<float>(model.intercept_percent);
    scenario_.lanes.full_rps = static_cast<float>(full_rps(model));
  }

  void objective() {
    const environment::Objective& objective = service_.objective;
    double limit = std::numeric_limits<double>::infinity();
    if (objective.cpu) limit = objective.cpu->value();
    const auto latency = [&](const std::optional<Milliseconds>& bound, capacity::Quantile quantile,
                             const char* name) {
      if (!bound) return;
      const std::string path = fmt::format("objective.{}", name);
      if (service_.capacity.latency.empty()) {
        fault(path, "the latency of an instance is not known",
              "measure it with `headroom fit`, or state the objective as `cpu:`");
        return;
      }
      const auto at =
          capacity::utilisation_at_latency(service_.capacity, quantile, static_cast<double>(bound->count()));
      if (!at.percent) {
        fault(path, fmt::format("an instance is above {} at any load", base::format_duration(*bound)),
              "raise the limit, or measure again");
        return;
      }
      if (!at.reached) {
        scenario_.notes.push_back(
            fmt::format("The measured {} never reaches {}: the highest measured utilisation, {} %, is taken "
                        "as the limit.",
                        name, base::format_duration(*bound), base::format_number(at.percent->value())));
      }
      limit = std::min(limit, at.percent->value());
    };
    latency(objective.p50, capacity::Quantile::p50, "p50");
    latency(objective.p95, capacity::Quantile::p95, "p95");
    latency(objective.p99, capacity::Quantile::p99, "p99");
    // The lanes have counted a tick beyond a share of failures only where float32 is sure of it.
    if (objective.availability) scenario_.available_share = objective.availability->value() / 100;
    scenario_.profit = objective.profit;
    scenario_.lanes.counts_failures = objective.profit || objective.availability;
    scenario_.lanes.downtime_below =
        static_cast<float>(objective.profit ? objective.profit->downtime_below : kDowntimeBelow);
    scenario_.lanes.available_low = static_cast<float>(scenario_.available_share * (1 - kFloatMargin));
    scenario_.lanes.available_high = static_cast<float>(scenario_.available_share * (1 + kFloatMargin));
    scenario_.cpu_limit_percent = limit;
    scenario_.objective_share = objective.share;
    scenario_.lanes.cpu_limit_low = static_cast<float>(limit * (1 - kFloatMargin));
    scenario_.lanes.cpu_limit_high = static_cast<float>(limit * (1 + kFloatMargin));
  }

  const Environment& environment_;
  const Service& service_;
  Milliseconds tick_;
  Scenario scenario_;
  base::Error error_;
};

}  // namespace

Milliseconds tick_of(const Environment& environment) {
  return environment.tick.value_or(environment.metrics.period);
}

base::Result<Scenario> compile(const Environment& environment, const Service& service) {
  return Compiler(environment, service).run();
}

bool keeps_objective(const Scenario& scenario, std::int64_t violations, std::int64_t ticks) {
  // A whole number of ticks may be in violation; the small addition keeps 99.9 % of 1000 at one.
  const double allowed = (1 - scenario.objective_share) * static_cast<double>(ticks);
  return static_cast<double>(violations) <= std::floor(allowed + 1e-6);
}

Summary summarise(const Scenario& scenario, const base::Series& requests_per_second,
                  const Trajectory& trajectory, std::uint64_t seed) {
  Summary summary;
  const std::size_t ticks = trajectory.in_service.size();
  if (ticks == 0) return summary;
  const capacity::CapacityModel& model = scenario.capacity;
  std::int64_t in_service = 0;
  std::int64_t launching = 0;
  std::int64_t draining = 0;
  std::int64_t violations = 0;
  double cpu_sum = 0;
  double cpu_max = 0;
  const std::vector<double> strong = strengths(scenario, requests_per_second, seed);
  Worth worth(scenario.profit, scenario.tick);
  for (std::size_t t = 0; t < ticks; ++t) {
    const Load load = load_of(model, requests_per_second.values[t], trajectory.in_service[t],
                              strong.empty() ? 1 : strong[t]);
    worth.add(requests_per_second.values[t], load.failed_per_second);
    const double cpu = load.utilisation.value();
    cpu_sum += cpu;
    cpu_max = std::max(cpu_max, cpu);
    const bool available =
        !serves_less(requests_per_second.values[t], load.failed_per_second, scenario.available_share);
    violations += cpu > scenario.cpu_limit_percent || !available ? 1 : 0;
    in_service += trajectory.in_service[t];
    launching += trajectory.launching[t];
    draining += trajectory.draining[t];
    summary.instances_max = std::max(summary.instances_max, trajectory.in_service[t]);
  }
  const double tick_hours = base::hours(scenario.tick);
  const double tick_minutes = base::minutes(scenario.tick);
  const auto count = static_cast<double>(ticks);
  summary.cpu_percent_mean = cpu_sum / count;
  summary.cpu_percent_max = cpu_max;
  summary.instances_mean = static_cast<double>(in_service) / count;
  summary.instance_hours = static_cast<double>(in_service) * tick_hours;
  summary.launching_hours = static_cast<double>(launching) * tick_hours;
  summary.draining_hours = static_cast<double>(draining) * tick_hours;
  summary.cost_in_service_usd = summary.instance_hours * scenario.price_usd_per_hour;
  summary.cost_launching_usd =
      scenario.launching_is_free ? 0 : summary.launching_hours * scenario.price_usd_per_hour;
  summary.cost_draining_usd = summary.draining_hours * scenario.price_usd_per_hour;
  summary.cost_usd = summary.cost_in_service_usd + summary.cost_launching_usd + summary.cost_draining_usd;
  worth.fill(summary);
  summary.objective_violation_minutes = static_cast<double>(violations) * tick_minutes;
  summary.objective_violation_percent = 100.0 * static_cast<double>(violations) / count;
  summary.objective_met = keeps_objective(scenario, violations, static_cast<std::int64_t>(ticks));
  for (const DecisionRecord& decision : trajectory.decisions) {
    summary.scale_outs += decision.add > 0 ? 1 : 0;
    summary.scale_ins += decision.remove > 0 ? 1 : 0;
    summary.warnings_at_max += wants_more_than_max(decision, scenario.numbers.max) ? 1 : 0;
  }
  const auto p95 = capacity::latency_ms(model, capacity::Quantile::p95, base::Percent(cpu_max));
  summary.p95_ms_max = p95 ? p95->milliseconds : 0.0;
  // Desired at a tick is what is in service and launching at the next.
  for (std::size_t t = 0; t + 1 < ticks; ++t) {
    const std::int32_t next = trajectory.in_service[t + 1] + trajectory.launching[t + 1];
    summary.minutes_at_max += next >= scenario.numbers.max ? tick_minutes : 0.0;
    summary.minutes_at_min += next <= scenario.numbers.min ? tick_minutes : 0.0;
  }
  return summary;
}

std::vector<double> strengths(const Scenario& scenario, const base::Series& requests_per_second,
                              std::uint64_t seed) {
  std::vector<double> varying;
  if (scenario.capacity.noise <= 0) return varying;
  varying.reserve(requests_per_second.size());
  for (std::size_t t = 0; t < requests_per_second.size(); ++t) {
    varying.push_back(strength(scenario.capacity.noise, seed,
                               requests_per_second.start + static_cast<std::int64_t>(t) * scenario.tick,
                               scenario.tick));
  }
  return varying;
}

std::vector<float> lane_rates(const std::vector<double>& values) {
  std::vector<float> rates;
  rates.reserve(values.size());
  for (const double value : values) rates.push_back(static_cast<float>(value));
  return rates;
}
std::vector<float> lane_rates(const base::Series& requests_per_second) {
  return lane_rates(requests_per_second.values);
}

Rehearsal rehearse(const Scenario& scenario, const workload::Compiled& traffic, std::uint64_t seed) {
  Rehearsal rehearsal;
  rehearsal.environment = scenario.environment;
  rehearsal.service = scenario.service;
  rehearsal.seed = seed;
  rehearsal.requests_per_second = traffic.requests_per_second;
  const std::vector<float> rates = lane_rates(traffic.requests_per_second);
  const std::vector<double> strong = strengths(scenario, traffic.requests_per_second, seed);
  const std::vector<float> lane_strengths = lane_rates(strong);
  const LaneTraffic lanes{traffic.requests_per_second.start.count(), scenario.tick.count(), rates,
                          lane_strengths};
  rehearsal.trajectory = run_one_lane(scenario.lanes, scenario.numbers, lanes);
  rehearsal.summary = summarise(scenario, traffic.requests_per_second, rehearsal.trajectory, seed);
  rehearsal.notes = scenario.notes;
  rehearsal.notes.insert(rehearsal.notes.end(), traffic.notes.begin(), traffic.notes.end());

  const bool latency = !scenario.capacity.latency.empty();
  double beyond_rate = 0;
  std::size_t beyond_latency = 0;
  for (std::size_t t = 0; t < rates.size(); ++t) {
    const Load load = load_of(scenario.capacity, traffic.requests_per_second.values[t],
                              rehearsal.trajectory.in_service[t], strong.empty() ? 1 : strong[t]);
    const base::Rate rate = load.per_instance;
    const base::Percent cpu = load.utilisation;
    rehearsal.cpu_percent.push_back(cpu.value());
    if (scenario.lanes.counts_failures) {
      rehearsal.failed_requests_per_second.push_back(load.failed_per_second);
    }
    if (scenario.capacity.measured_up_to && rate > *scenario.capacity.measured_up_to) {
      beyond_rate = std::max(beyond_rate, rate.value());
    }
    if (latency) {
      const auto p95 = capacity::latency_ms(scenario.capacity, capacity::Quantile::p95, cpu);
      rehearsal.p95_ms.push_back(p95->milliseconds);
      beyond_latency += p95->beyond_measured ? std::size_t{1} : std::size_t{0};
    }
  }
  if (beyond_rate > 0) {
    rehearsal.notes.push_back(fmt::format(
        "The utilisation is extrapolated: instances get up to {} requests per second, measured were {}.",
        base::format_number(std::round(beyond_rate * 10) / 10),
        base::format_number(scenario.capacity.measured_up_to->value())));
  }
  if (beyond_latency > 0) {
    rehearsal.notes.push_back(
        fmt::format("In {} ticks the utilisation is above what latency was measured for; the last measured "
                    "latency is shown.",
                    beyond_latency));
  }
  return rehearsal;
}

}  // namespace headroom::sim
