#include "sim/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/units.hpp"
#include "capacity/evaluate.hpp"
#include "sim/assumptions.hpp"
#include "sim/figures.hpp"
#include "sim/promise.hpp"
#include "sim/strength.hpp"

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
    note_warm_up(service_.scale.scaling, scenario_.lanes.fleet.warm_up * tick_,
                 (scenario_.lanes.metric_period + scenario_.lanes.metric_lag) * tick_, scenario_.notes);
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

  void add(const std::vector<base::Fault>& faults) {
    error_.faults.insert(error_.faults.end(), faults.begin(), faults.end());
  }

  void policy() {
    const auto compiled = policy_of(environment_, service_);
    if (!compiled) return add(compiled.error().faults);
    scenario_.lanes.policy = compiled->shape;
    scenario_.lanes.fleet.warm_up = compiled->warm_up_ticks;
    scenario_.numbers = compiled->numbers;
  }

  void fleet() {
    if (!service_.capacity.startup) return;  // a fault of the capacity
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
    note_startup(written, tick_, scenario_.notes);
    scenario_.lanes.fleet.startup = static_cast<std::int32_t>(ticks);
  }

  void metrics() {
    if (environment_.metrics.period <= Milliseconds(0)) {
      environment_fault("metrics.period", "is not positive", "use 1m, say");
      return;
    }
    const auto period = policy::in_ticks(environment_.metrics.period, tick_, "metrics.period");
    const auto lag_ticks = policy::in_ticks(metric_lag_of(environment_, service_), tick_, "metrics.lag");
    for (const auto* part : {&period, &lag_ticks}) {
      if (!*part) add(part->error().faults);
    }
    if (!period || !lag_ticks) return;
    if (*period + *lag_ticks >= kMaxMetricTicks) {
      environment_fault("metrics", "period and lag are too many ticks", "set a longer `tick:`");
      return;
    }
    scenario_.lanes.metric_period = *period;
    scenario_.lanes.metric_lag = *lag_ticks;
  }

  void capacity() {
    const std::vector<base::Fault> faults = capacity_faults(service_);
    if (!faults.empty()) return add(faults);
    const capacity::CapacityModel& model = service_.capacity;
    scenario_.lanes.slope_percent_per_rps = static_cast<float>(model.slope_percent_per_rps);
    scenario_.lanes.intercept_percent = static_cast<float>(model.intercept_percent);
    scenario_.lanes.full_rps = static_cast<float>(full_rps(model));
  }

  void objective() {
    const Promise promise = promise_of(service_, true);
    add(promise.faults);
    scenario_.notes.insert(scenario_.notes.end(), promise.notes.begin(), promise.notes.end());
    const environment::Objective& objective = service_.objective;
    // The lanes have counted a tick beyond a share of failures only where float32 is sure of it.
    scenario_.available_share = promise.available_share;
    scenario_.profit = objective.profit;
    scenario_.lanes.counts_failures = objective.profit || objective.availability;
    scenario_.lanes.downtime_below =
        static_cast<float>(objective.profit ? objective.profit->downtime_below : kDowntimeBelow);
    scenario_.lanes.available_low = static_cast<float>(scenario_.available_share * (1 - kFloatMargin));
    scenario_.lanes.available_high = static_cast<float>(scenario_.available_share * (1 + kFloatMargin));
    const double limit = promise.cpu_limit_percent();
    scenario_.cpu_limit_percent = limit;
    scenario_.objective_share = promise.share;
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

Milliseconds metric_lag_of(const Environment& environment, const Service& service) {
  return environment.metrics.lag.value_or(service.capacity.metric_lag.value_or(Milliseconds(0)));
}

base::Result<policy::Compiled> policy_of(const Environment& environment, const Service& service) {
  auto compiled = policy::compile(service.scale.scaling, tick_of(environment), environment.metrics.period,
                                  metric_lag_of(environment, service));
  if (compiled) return compiled;
  base::Error error = compiled.error();
  for (base::Fault& fault : error.faults) fault.path = "services." + service.name + ".scale." + fault.path;
  return error;
}

std::vector<base::Fault> capacity_faults(const Service& service) {
  std::vector<base::Fault> faults;
  const auto unknown = [&](const char* what, const char* key) {
    faults.push_back({{},
                      fmt::format("the {} is not known", what),
                      fmt::format("measure it with `headroom fit`, or write `{}` into `capacity`", key),
                      "services." + service.name + ".capacity"});
  };
  const double slope = service.capacity.slope_percent_per_rps;
  if (!(slope > 0) || !std::isfinite(slope)) unknown("utilisation per request", "cpu_per_rpm: 0.00087");
  if (!service.capacity.startup) unknown("start-up time", "startup: 4m");
  return faults;
}

base::Result<Scenario> compile(const Environment& environment, const Service& service) {
  return Compiler(environment, service).run();
}

Summary summarise(const Scenario& scenario, const base::Series& requests_per_second,
                  const Trajectory& trajectory, std::uint64_t seed) {
  const std::size_t ticks = trajectory.in_service.size();
  const capacity::CapacityModel& model = scenario.capacity;
  const std::vector<double> strong = strengths(scenario, requests_per_second, seed);
  Figures figures({scenario.tick, scenario.objective_share, scenario.profit, scenario.numbers.min,
                   scenario.numbers.max, 1});
  std::optional<base::Percent> busiest;
  for (std::size_t t = 0; t < ticks; ++t) {
    const double offered = requests_per_second.values[t];
    const Load load = load_of(model, offered, trajectory.in_service[t], strong.empty() ? 1 : strong[t]);
    const double cpu = load.utilisation.value();
    const bool violates = cpu > scenario.cpu_limit_percent ||
                          serves_less(offered, load.failed_per_second, scenario.available_share);
    figures.add({offered, load.failed_per_second, cpu, violates});
    if (offered > 0) busiest = std::max(busiest.value_or(load.utilisation), load.utilisation);
  }
  Summary summary = figures.summary(trajectory);
  const double price = scenario.price_usd_per_hour;
  summary.cost_in_service_usd = summary.instance_hours * price;
  summary.cost_launching_usd = scenario.launching_is_free ? 0 : summary.launching_hours * price;
  summary.cost_draining_usd = summary.draining_hours * price;
  summary.cost_usd = summary.cost_in_service_usd + summary.cost_launching_usd + summary.cost_draining_usd;
  figures.add_worth(summary);
  // Where nothing is asked there is no answer that could be late.
  const auto p95 = busiest ? capacity::latency_ms(model, capacity::Quantile::p95, *busiest) : std::nullopt;
  summary.p95_ms_max = p95 ? p95->milliseconds : 0.0;
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
  Extrapolated extrapolated(scenario.capacity);
  for (std::size_t t = 0; t < rates.size(); ++t) {
    const Load load = load_of(scenario.capacity, traffic.requests_per_second.values[t],
                              rehearsal.trajectory.in_service[t], strong.empty() ? 1 : strong[t]);
    const base::Percent cpu = load.utilisation;
    rehearsal.cpu_percent.push_back(cpu.value());
    extrapolated.add(load.per_instance, cpu);
    if (scenario.lanes.counts_failures) {
      rehearsal.failed_requests_per_second.push_back(load.failed_per_second);
    }
    if (!latency) continue;
    const auto p95 = capacity::latency_ms(scenario.capacity, capacity::Quantile::p95, cpu);
    const bool asked = traffic.requests_per_second.values[t] > 0;
    rehearsal.p95_ms.push_back(asked ? p95->milliseconds : std::numeric_limits<double>::quiet_NaN());
  }
  extrapolated.note(rehearsal.notes);
  return rehearsal;
}

}  // namespace headroom::sim
