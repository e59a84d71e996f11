#include "sim/simulated_cloud.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/placement.hpp"
#include "sim/lane_model.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using cloud::InstanceState;
using cloud::TicketState;

constexpr Milliseconds kTicketsKept{2 *
                                    3'600'000};  // after they are finished; the contract asks for one hour
constexpr Milliseconds kThereBefore{24 * 3'600'000};  // the first instances are warm, as those of the lanes
constexpr float kFullPercent = 100;                   // a meter shows no more

}  // namespace

SimulatedCloud::SimulatedCloud(SimulatedSettings settings)
    : settings_(std::move(settings)), now_(settings_.requests_per_second.start - kThereBefore) {
  std::vector<control::ZoneCount> zones;
  for (const std::string& zone : settings_.zones) zones.push_back({zone, 0});
  for (const control::ZoneCount& zone : control::spread(zones, settings_.initial)) {
    for (int k = 0; k < zone.instances; ++k) {
      enter(create(settings_.version, zone.zone, ""), InstanceState::in_service);
    }
  }
  now_ = tick_start();
  begin_tick();
}

Milliseconds SimulatedCloud::tick_start() const {
  return settings_.requests_per_second.start + tick_ * settings_.requests_per_second.tick;
}

void SimulatedCloud::advance(Milliseconds to) {
  while (tick_start() + settings_.requests_per_second.tick <= to) {
    end_tick();
    ++tick_;
    now_ = tick_start();
    begin_tick();
  }
  now_ = to;
}

// Orders take hold, instances whose start-up is over arrive, those that have drained leave.
void SimulatedCloud::begin_tick() {
  for (const cloud::Action& action : std::exchange(submitted_, {})) carry_out(action);
  for (Instance& instance : instances_) {
    if (instance.seen.state == InstanceState::launching && instance.seen.since + settings_.startup <= now_) {
      enter(instance, InstanceState::in_service);
    }
    if (instance.seen.state == InstanceState::draining &&
        instance.seen.since + instance.leaving.drain <= now_) {
      if (instance.leaving.afterwards == cloud::Afterwards::pool) enter(instance, InstanceState::stopped);
      if (instance.leaving.afterwards == cloud::Afterwards::inspect) enter(instance, InstanceState::failed);
    }
  }
  // What is still draining after its time is to be gone.
  std::erase_if(instances_, [&](const Instance& instance) {
    return instance.seen.state == InstanceState::draining &&
           instance.seen.since + instance.leaving.drain <= now_;
  });

  const std::int64_t period = settings_.metric_period / settings_.requests_per_second.tick;
  if (tick_ % period != 0) return;
  for (Instance& instance : instances_) {
    instance.cpu_sum = instance.requests_sum = 0;
    instance.serves_whole_period = instance.seen.state == InstanceState::in_service;
  }
}

// The traffic of the tick, into the metrics. In float32 and in the order of the lanes, for the same bits.
void SimulatedCloud::end_tick() {
  const base::Series& traffic = settings_.requests_per_second;
  const int serving = count(InstanceState::in_service);
  if (serving == 0) return;
  const auto tick = static_cast<std::size_t>(tick_);
  const float rate = tick < traffic.size() ? static_cast<float>(traffic.values[tick]) : 0.0f;
  const float requests = rate / static_cast<float>(serving);
  const float cpu = static_cast<float>(settings_.intercept_percent) +
                    static_cast<float>(settings_.slope_percent_per_rps) * requests;

  const std::int64_t period = settings_.metric_period / traffic.tick;
  const bool period_ends = (tick_ + 1) % period == 0;
  const Milliseconds end = tick_start() + traffic.tick;
  for (Instance& instance : instances_) {
    if (instance.seen.state != InstanceState::in_service) continue;
    instance.cpu_sum += std::min(cpu, kFullPercent);
    instance.requests_sum += requests;
    if (!period_ends || !instance.serves_whole_period) continue;
    const auto ticks = static_cast<float>(period);
    const auto mean = [&](float sum) { return static_cast<double>(period == 1 ? sum : sum / ticks); };
    instance.metrics.push_back({end, settings_.metric_period, base::Percent(mean(instance.cpu_sum)),
                                base::Rate(mean(instance.requests_sum))});
  }
}

void SimulatedCloud::carry_out(const cloud::Action& action) {
  int affected = 0;
  const std::optional<Failure> failure =
      std::visit([&](const auto& what) { return carry_out(action, what, affected); }, action.what);
  for (cloud::TicketReport& report : tickets_) {
    if (report.ticket.token != action.token) continue;
    report.state = failure ? TicketState::failed : TicketState::done;
    report.since = now_;
    report.affected = affected;
    if (failure) {
      report.why = fmt::format("{}: {}", cloud::to_string(action), failure->why);
      report.retriable = failure->retriable;
    }
  }
}

std::optional<SimulatedCloud::Failure> SimulatedCloud::carry_out(const cloud::Action& action,
                                                                 const cloud::Launch& launch, int& affected) {
  if (launch.service != settings_.service) return Failure{"there is no such service", false};
  if (std::find(settings_.zones.begin(), settings_.zones.end(), launch.zone) == settings_.zones.end()) {
    return Failure{"there is no such zone", false};
  }
  for (affected = 0; affected < launch.count; ++affected) {
    if (settings_.room && static_cast<int>(instances_.size()) >= *settings_.room) {
      return Failure{"there is no room for more instances now", true};
    }
    enter(create(launch.version, launch.zone, action.token), InstanceState::launching);
  }
  return std::nullopt;
}

std::optional<SimulatedCloud::Failure> SimulatedCloud::carry_out(const cloud::Action&,
                                                                 const cloud::Start& start, int& affected) {
  Instance* instance = find(start.instance);
  if (instance == nullptr) return Failure{"there is no such instance", false};
  if (instance->seen.state != InstanceState::stopped) {
    return Failure{fmt::format("it is {}, not stopped", cloud::to_string(instance->seen.state)), false};
  }
  instance->seen.started = now_;
  enter(*instance, InstanceState::launching);
  affected = 1;
  return std::nullopt;
}

std::optional<SimulatedCloud::Failure> SimulatedCloud::carry_out(const cloud::Action&,
                                                                 const cloud::Retire& retire, int& affected) {
  Instance* instance = find(retire.instance);
  if (instance == nullptr) return Failure{"there is no such instance", false};
  const bool serves = instance->seen.state == InstanceState::in_service;
  const bool drains = instance->seen.state == InstanceState::draining;
  instance->leaving = retire;
  // Only what serves has requests to finish; what drains already goes on from where it is.
  if (!serves && !drains) instance->leaving.drain = Milliseconds(0);
  if (!drains) enter(*instance, InstanceState::draining);
  affected = 1;
  return std::nullopt;
}

SimulatedCloud::Instance& SimulatedCloud::create(const std::string& version, const std::string& zone,
                                                 const std::string& token) {
  Instance instance;
  instance.seen.id = fmt::format("i-{:08}", ++launched_);
  instance.seen.service = settings_.service;
  instance.seen.version = version;
  instance.seen.zone = zone;
  instance.seen.started = now_;
  instance.seen.launched_by = token;
  return instances_.emplace_back(std::move(instance));
}

SimulatedCloud::Instance* SimulatedCloud::find(const std::string& id) {
  for (Instance& instance : instances_) {
    if (instance.seen.id == id) return &instance;
  }
  return nullptr;
}

void SimulatedCloud::enter(Instance& instance, InstanceState state) {
  instance.seen.state = state;
  instance.seen.since = now_;
  if (state == InstanceState::in_service) instance.seen.address = instance.seen.id + ":8080";
  if (state == InstanceState::draining || state == InstanceState::in_service) return;
  instance.seen.address.clear();
  instance.metrics.clear();
  instance.serves_whole_period = false;
}

cloud::Observed SimulatedCloud::observe() {
  cloud::Observed observed;
  observed.at = now_;
  observed.instances_at = now_;
  for (Instance& instance : instances_) {
    const auto visible = [&](const cloud::InstanceMetrics& metrics) {
      return metrics.end + settings_.metric_lag <= now_;
    };
    while (instance.metrics.size() > 1 && visible(instance.metrics[1])) instance.metrics.pop_front();
    cloud::Instance& seen = observed.instances.emplace_back(instance.seen);
    if (!instance.metrics.empty() && visible(instance.metrics.front())) {
      seen.metrics = instance.metrics.front();
    }
  }
  for (const std::string& zone : settings_.zones) observed.zones.push_back({zone, true});
  std::erase_if(tickets_, [&](const cloud::TicketReport& report) {
    return report.state != TicketState::pending && now_ - report.since > kTicketsKept;
  });
  observed.tickets = tickets_;
  return observed;
}

cloud::Ticket SimulatedCloud::submit(const cloud::Action& action) {
  cloud::Ticket ticket{action.token};
  if (!tokens_.insert(action.token).second) return ticket;
  const auto place = std::lower_bound(
      tickets_.begin(), tickets_.end(), ticket,
      [](const cloud::TicketReport& report, const cloud::Ticket& t) { return report.ticket < t; });
  tickets_.insert(place, {ticket, TicketState::pending, now_, 0, "", false});
  submitted_.push_back(action);
  return ticket;
}

int SimulatedCloud::count(InstanceState state) const {
  return static_cast<int>(std::count_if(instances_.begin(), instances_.end(),
                                        [&](const Instance& i) { return i.seen.state == state; }));
}

Trajectory rehearse_with_control(const SimulatedSettings& settings, const control::Settings& control) {
  SimulatedCloud cloud(settings);
  control::State state;
  Trajectory trajectory;
  const base::Series& traffic = settings.requests_per_second;
  for (std::size_t tick = 0; tick < traffic.size(); ++tick) {
    const Milliseconds now = traffic.start + static_cast<std::int64_t>(tick) * traffic.tick;
    cloud.advance(now);
    trajectory.in_service.push_back(cloud.count(InstanceState::in_service));
    trajectory.launching.push_back(cloud.count(InstanceState::launching));
    trajectory.draining.push_back(cloud.count(InstanceState::draining));
    control::Step step = control::step(now, cloud.observe(), std::move(state), control);
    state = std::move(step.state);
    for (const cloud::Action& action : step.actions) cloud.submit(action);
    for (const control::Decided& decided : step.decided) {
      if (const auto made = record_of(decided.tick, decided.seen, decided.decision)) {
        trajectory.decisions.push_back(*made);
      }
    }
  }
  return trajectory;
}

}  // namespace headroom::sim
