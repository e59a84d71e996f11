#include "sim/instance_rehearsal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/units.hpp"
#include "fleet/billing.hpp"
#include "policy/compile.hpp"
#include "sim/assumptions.hpp"
#include "sim/figures.hpp"
#include "sim/lane_model.hpp"
#include "sim/scenario.hpp"
#include "workload/compile.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using cloud::InstanceState;
using environment::Environment;
using environment::Service;

// Closed traffic that never ends: a year, or what fits the number of a tick.
constexpr Milliseconds kLongest{366LL * 24 * 3'600'000};

std::int64_t most_ticks(Milliseconds tick) {
  return std::min<std::int64_t>(kLongest / tick, std::numeric_limits<std::int32_t>::max() - 1);
}

bool is_closed(const InstanceScenario& scenario) {
  return std::holds_alternative<workload::Closed>(scenario.cloud.serving.traffic);
}

// ---- from the file to the settings of the cloud and the controller

class Compiler {
 public:
  Compiler(const Environment& environment, const Service& service, const workload::Traffic& traffic,
           std::uint64_t seed)
      : environment_(environment), service_(service), traffic_(traffic), tick_(tick_of(environment)) {
    scenario_.seed = seed;
  }

  base::Result<InstanceScenario> run() {
    scenario_.environment = environment_.name;
    scenario_.service = service_;
    scenario_.has_zones = !environment_.zones.empty();
    add(capacity_faults(service_));
    traffic();
    metrics();
    policy();
    objective();
    if (!error_.faults.empty()) return error_;
    cloud();
    control();
    assumptions();
    return std::move(scenario_);
  }

 private:
  void add(const std::vector<base::Fault>& faults) {
    error_.faults.insert(error_.faults.end(), faults.begin(), faults.end());
  }

  void traffic() {
    ServingSettings& serving = scenario_.cloud.serving;
    serving.tick = tick_;
    serving.seed = scenario_.seed;
    serving.capacity = service_.capacity;
    serving.cpu = service_.instance.cpu.value_or(base::Cores(1));
    serving.credits = service_.instance.credits;
    if (const auto* closed = std::get_if<workload::Closed>(&traffic_.shape)) {
      serving.traffic = *closed;
      return;
    }
    auto open = workload::compile(traffic_, tick_, scenario_.seed);
    if (!open) return add(open.error().faults);
    traffic_notes_ = std::move(open->notes);
    serving.start = open->requests_per_second.start;
    serving.traffic = std::move(open->requests_per_second);
  }

  void metrics() {
    SimulatedSettings& cloud = scenario_.cloud;
    cloud.metric_period = environment_.metrics.period;
    cloud.metric_lag = metric_lag_of(environment_, service_);
    cloud.first_fresh = environment_.metrics.first_fresh;
    cloud.first_pool = environment_.metrics.first_pool;
    const auto period = policy::in_ticks(cloud.metric_period, tick_, "metrics.period");
    if (!period) add(period.error().faults);
  }

  void policy() {
    const auto compiled = policy_of(environment_, service_);
    if (!compiled) return add(compiled.error().faults);
    scenario_.control.policy = *compiled;
  }

  void objective() {
    scenario_.promise = promise_of(service_, !is_closed(scenario_));
    add(scenario_.promise.faults);
  }

  void assumptions() {
    const SimulatedSettings& cloud = scenario_.cloud;
    if (!cloud.startup_spread) note_startup(cloud.startup + cloud.in_service_delay, tick_, scenario_.notes);
    note_warm_up(service_.scale.scaling, scenario_.control.policy.warm_up_ticks * tick_,
                 cloud.metric_period + cloud.metric_lag, scenario_.notes);
    for (const auto* notes : {&scenario_.promise.notes, &traffic_notes_}) {
      scenario_.notes.insert(scenario_.notes.end(), notes->begin(), notes->end());
    }
  }

  void cloud() {
    SimulatedSettings& cloud = scenario_.cloud;
    const capacity::CapacityModel& model = service_.capacity;
    cloud.service = service_.name;
    cloud.zones = environment_.zones.empty() ? std::vector<std::string>{"a"} : environment_.zones;
    std::sort(cloud.zones.begin(), cloud.zones.end());
    const int groups = service_.scale.per_zone ? static_cast<int>(cloud.zones.size()) : 1;
    cloud.initial = scenario_.control.policy.numbers.initial * groups;
    cloud.startup = *model.startup;
    cloud.startup_spread = model.startup_spread;
    cloud.startup_pool = model.startup_pool;
    cloud.in_service_delay = model.in_service_delay.value_or(Milliseconds(0));
    cloud.health = service_.health;
    cloud.faults = environment_.faults;
  }

  void control() {
    scenario_.control = control_settings(scenario_.cloud, service_, scenario_.control.policy);
  }

  const Environment& environment_;
  const Service& service_;
  const workload::Traffic& traffic_;
  Milliseconds tick_;
  InstanceScenario scenario_;
  std::vector<std::string> traffic_notes_;
  base::Error error_;
};

// ---- the run

// Counts by state and zone, tick by tick.
class Recorder {
 public:
  Recorder(const SimulatedCloud& cloud, const std::vector<std::string>& zones) : cloud_(cloud) {
    for (const std::string& zone : zones) zones_.push_back({zone, {}, {}, {}, {}, {}});
  }

  void record(Trajectory& trajectory) {
    std::int32_t in_service = 0;
    std::int32_t launching = 0;
    std::int32_t draining = 0;
    for (ZoneCounts& zone : zones_) {
      const auto count = [&](InstanceState state) { return cloud_.count(state, zone.zone); };
      zone.in_service.push_back(count(InstanceState::in_service));
      zone.launching.push_back(count(InstanceState::launching) + count(InstanceState::warming));
      zone.draining.push_back(count(InstanceState::draining));
      zone.stopped.push_back(count(InstanceState::stopped));
      zone.failed.push_back(count(InstanceState::failed));
      in_service += zone.in_service.back();
      launching += zone.launching.back();
      draining += zone.draining.back();
    }
    trajectory.in_service.push_back(in_service);
    trajectory.launching.push_back(launching);
    trajectory.draining.push_back(draining);
  }

  std::vector<ZoneCounts> take() { return std::move(zones_); }

 private:
  const SimulatedCloud& cloud_;
  std::vector<ZoneCounts> zones_;
};

// Calls `each(tick, step)` at the start of each tick, and `served(tick)` when it is over, until that returns
// false.
template <class Each, class Served>
void run(SimulatedCloud& cloud, const control::Settings& control, Each&& each, Served&& served) {
  control::State state;
  for (std::int32_t tick = 0;; ++tick) {
    const Milliseconds now = control.start + tick * control.tick;
    control::Step step = control::step(now, cloud.observe(), std::move(state), control);
    state = std::move(step.state);
    each(tick, step);
    for (const cloud::Action& action : step.actions) cloud.submit(action);
    cloud.advance(now + control.tick);
    if (!served(tick)) return;
  }
}

void record_decisions(const control::Step& step, Trajectory& trajectory) {
  for (const control::Decided& decided : step.decided) {
    if (auto made = record_of(decided.tick, decided.seen, decided.decision)) {
      made->group = decided.group;
      trajectory.decisions.push_back(*made);
    }
  }
}

std::size_t ticks_of(const ServingSettings& serving) {
  const auto* open = std::get_if<base::Series>(&serving.traffic);
  return open == nullptr ? 0 : open->size();
}

// ---- the figures

class Summariser {
 public:
  Summariser(const InstanceScenario& scenario, Rehearsal& rehearsal)
      : scenario_(scenario),
        rehearsal_(rehearsal),
        figures_(measure_of(scenario)),
        extrapolated_(scenario.service.capacity) {}

  // One tick that is over.
  void add(const ServedTick& served) {
    rehearsal_.cpu_percent.push_back(served.cpu_percent);
    rehearsal_.requests_per_second.values.push_back(served.offered_per_second);
    rehearsal_.failed_requests_per_second.push_back(served.failed_per_second);
    rehearsal_.p95_ms.push_back(served.p95_ms.value_or(std::numeric_limits<double>::quiet_NaN()));
    figures_.add({served.offered_per_second, served.failed_per_second, served.cpu_percent, violates(served)});
    waiting_ = 0;
    for (const ServerOutcome& server : served.servers) waiting_ += server.waiting;
    // Users find out by themselves how long answers take; nothing is looked up for them.
    if (is_closed(scenario_) || served.receiving == 0) return;
    extrapolated_.add(base::Rate(served.offered_per_second / served.receiving),
                      base::Percent(served.cpu_percent));
  }

  void finish(const SimulatedCloud& cloud, Milliseconds end) {
    Summary& summary = rehearsal_.summary;
    summary = figures_.summary(rehearsal_.trajectory);
    const bool latency = std::any_of(rehearsal_.p95_ms.begin(), rehearsal_.p95_ms.end(),
                                     [](double p95) { return !std::isnan(p95); });
    if (!latency) rehearsal_.p95_ms.clear();
    for (const double p95 : rehearsal_.p95_ms) {
      if (p95 > summary.p95_ms_max) summary.p95_ms_max = p95;
    }
    bills(cloud, end, summary);
    figures_.add_worth(summary, waiting_);
    extrapolated_.note(rehearsal_.notes);
  }

 private:
  static Measure measure_of(const InstanceScenario& scenario) {
    const policy::Numbers<base::One>& numbers = scenario.control.policy.numbers;
    return {scenario.control.tick,
            scenario.promise.share,
            scenario.service.objective.profit,
            numbers.min,
            numbers.max,
            static_cast<std::int32_t>(control::group_names(scenario.control).size())};
  }

  bool violates(const ServedTick& served) const {
    const environment::Objective& objective = scenario_.service.objective;
    const Promise& promise = scenario_.promise;
    // Where nobody answers there is neither a utilisation nor a latency that could keep a limit.
    const bool limited = objective.cpu || objective.p50 || objective.p95 || objective.p99;
    if (limited && served.offered_per_second > 0 && served.answering == 0) return true;
    const auto above = [](const std::optional<double>& ms, const std::optional<Milliseconds>& limit) {
      return ms && limit && *ms > static_cast<double>(limit->count());
    };
    return served.cpu_percent > promise.cpu_limit_percent() ||
           serves_less(served.offered_per_second, served.failed_per_second, promise.available_share) ||
           above(served.p50_ms, objective.p50) || above(served.p95_ms, objective.p95) ||
           above(served.p99_ms, objective.p99);
  }

  void bills(const SimulatedCloud& cloud, Milliseconds end, Summary& summary);

  const InstanceScenario& scenario_;
  Rehearsal& rehearsal_;
  Figures figures_;
  Extrapolated extrapolated_;
  double waiting_ = 0;  // requests, at the end of the latest tick
};

void Summariser::bills(const SimulatedCloud& cloud, Milliseconds end, Summary& summary) {
  const environment::Instance& instance = scenario_.service.instance;
  std::map<std::string, std::pair<std::string, std::vector<fleet::Launch>>>
      launches;  // by id: zone, launches
  for (const Life& life : cloud.lives()) {
    auto& [zone, made] = launches[life.id];
    if (scenario_.has_zones) zone = life.zone;
    made.push_back({life.started, life.in_service, std::min(life.ended.value_or(end), end)});
  }
  for (const auto& [id, found] : launches) {
    rehearsal_.instances.push_back(
        instance_record(id, found.first, found.second, instance.billing, instance.price));
  }
  add_charges(rehearsal_.instances, instance.billing, summary);
}

void note_events(std::int32_t tick, const control::Step& step, Rehearsal& rehearsal) {
  for (const control::Note& note : step.notes) {
    rehearsal.events.push_back({tick, std::string(to_string(note.happened)), note.subject, note.why});
  }
}

}  // namespace

base::Result<InstanceScenario> compile_instances(const Environment& environment, const Service& service,
                                                 const workload::Traffic& traffic, std::uint64_t seed) {
  return Compiler(environment, service, traffic, seed).run();
}

control::Settings control_settings(const SimulatedSettings& cloud, const Service& service,
                                   const policy::Compiled& policy) {
  control::Settings made;
  made.service = service.name;
  made.version = cloud.version;
  made.zones = cloud.zones;
  made.per_zone = service.scale.per_zone;
  made.token_prefix = "rehearsal";
  made.start = cloud.serving.start;
  made.tick = cloud.serving.tick;
  made.policy = policy;
  made.metric_period = cloud.metric_period;
  made.max_age = cloud.metric_lag + 2 * cloud.metric_period;
  made.drain = service.scale.drain;
  made.pool = service.scale.pool;
  if (service.scale.hold_to_paid_hour) made.hold_while_paid = service.instance.billing;
  made.replace_after = service.health.replace_after;
  made.grace = service.health.grace;
  made.appear_within = std::max(made.appear_within, 3 * made.tick);
  return made;
}

Trajectory run_with_control(const SimulatedSettings& settings, const control::Settings& control) {
  SimulatedCloud cloud(settings);
  Trajectory trajectory;
  Recorder recorder(cloud, settings.zones);
  const auto ticks = static_cast<std::int32_t>(ticks_of(settings.serving));
  if (ticks == 0) return trajectory;
  run(
      cloud, control,
      [&](std::int32_t, const control::Step& step) {
        recorder.record(trajectory);
        record_decisions(step, trajectory);
      },
      [&](std::int32_t tick) { return tick + 1 < ticks; });
  return trajectory;
}

Rehearsal rehearse(const InstanceScenario& scenario) {
  SimulatedCloud cloud(scenario.cloud);
  Rehearsal rehearsal;
  rehearsal.environment = scenario.environment;
  rehearsal.service = scenario.service.name;
  rehearsal.seed = scenario.seed;
  rehearsal.requests_per_second = {scenario.control.start, scenario.control.tick, {}};
  rehearsal.notes = scenario.notes;
  if (scenario.control.per_zone) rehearsal.groups = control::group_names(scenario.control);

  Recorder recorder(cloud, scenario.cloud.zones);
  Summariser summariser(scenario, rehearsal);
  std::size_t begun = 0;  // stages of closed traffic
  const bool closed = is_closed(scenario);
  const std::int64_t most = closed ? most_ticks(scenario.control.tick)
                                   : static_cast<std::int64_t>(ticks_of(scenario.cloud.serving));
  run(
      cloud, scenario.control,
      [&](std::int32_t tick, const control::Step& step) {
        recorder.record(rehearsal.trajectory);
        record_decisions(step, rehearsal.trajectory);
        note_events(tick, step, rehearsal);
      },
      [&](std::int32_t tick) {
        const ServedTick& served = cloud.served();
        for (; served.stage && begun <= *served.stage; ++begun) {
          const auto& stages = std::get<workload::Closed>(scenario.cloud.serving.traffic).stages;
          rehearsal.events.push_back({tick, "stage_begins", std::to_string(begun + 1),
                                      fmt::format("{} users", stages[begun].users)});
        }
        summariser.add(served);
        return tick + 1 < most && !(closed && served.over);
      });
  const auto ticks = static_cast<std::int32_t>(rehearsal.trajectory.in_service.size());
  rehearsal.zones = recorder.take();
  rehearsal.faults = cloud.faults().periods(ticks);
  for (std::string& note : cloud.faults().notes(ticks)) rehearsal.notes.push_back(std::move(note));
  summariser.finish(cloud, scenario.control.start + ticks * scenario.control.tick);
  if (closed && ticks >= most) {
    rehearsal.notes.emplace_back("The users were not done after a year; the rehearsal ends there.");
  }
  return rehearsal;
}

std::vector<std::string> needs_instances(const Environment& environment, const Service& service,
                                         const workload::Traffic& traffic) {
  std::vector<std::string> why;
  const auto needs = [&](bool condition, const char* what) {
    if (condition) why.emplace_back(what);
  };
  const environment::Billing& billing = service.instance.billing;
  needs(service.scale.per_zone, "a group per zone");
  needs(service.scale.pool > 0, "a warm pool");
  needs(service.scale.drain > Milliseconds(0), "draining");
  needs(service.scale.hold_to_paid_hour, "removals at the end of the paid hour");
  needs(billing.model != environment::BillingModel::per_second, "hourly billing");
  needs(billing.minimum > Milliseconds(0), "a minimum per start");
  needs(service.instance.credits.has_value(), "processor credits");
  needs(service.capacity.startup_spread.has_value(), "start-up times that differ");
  needs(service.capacity.queue.has_value(), "requests that queue");
  needs(environment.metrics.first_fresh > Milliseconds(0) || environment.metrics.first_pool > Milliseconds(0),
        "a delay of the first metric");
  needs(!environment.faults.empty(), "planned failures");
  needs(std::holds_alternative<workload::Closed>(traffic.shape), "closed traffic");
  for (const policy::Policy& policy : service.scale.scaling.policies) {
    const auto* step = std::get_if<policy::StepPolicy>(&policy);
    needs(step != nullptr && step->newest_records > 0, "a look at the newest instance's records");
  }
  return why;
}

}  // namespace headroom::sim
