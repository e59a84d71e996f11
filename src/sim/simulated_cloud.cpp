#include "sim/simulated_cloud.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "base/math.hpp"
#include "base/philox.hpp"
#include "control/placement.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using cloud::InstanceState;
using cloud::TicketState;
using environment::Drill;
using environment::DrillKind;

constexpr Milliseconds kTicketsKept{2 *
                                    3'600'000};  // after they are finished; the contract asks for one hour
constexpr Milliseconds kThereBefore{24 * 3'600'000};   // the first instances are warm, as those of the lanes
constexpr std::uint32_t kStartupStream = 0x7374'6172;  // "star"
constexpr double kQuantile95 = 1.6448536269514722;     // of the standard normal distribution

}  // namespace

SimulatedCloud::SimulatedCloud(SimulatedSettings settings)
    : settings_(std::move(settings)),
      faults_(settings_.faults, settings_.serving.start, tick(), settings_.serving.seed),
      serving_(settings_.serving),
      now_(settings_.serving.start - kThereBefore) {
  std::vector<control::ZoneCount> zones;
  for (const std::string& zone : settings_.zones) zones.push_back({zone, 0});
  for (const control::ZoneCount& zone : control::spread(zones, settings_.initial)) {
    for (int k = 0; k < zone.instances; ++k) {
      Instance& instance = create(settings_.version, zone.zone, "");
      enter(instance, InstanceState::in_service);
      // Warm long before, and paid for from here on.
      lives_[instance.life].started = tick_start();
      lives_[instance.life].in_service = tick_start();
    }
  }
  now_ = tick_start();
  begin_faults();
  begin_tick();
}

void SimulatedCloud::advance(Milliseconds to) {
  while (tick_start() + tick() <= to) {
    end_tick();
    ++tick_;
    now_ = tick_start();
    carry_out_calls();
    begin_faults();
    begin_tick();
  }
  now_ = to;
}

Condition SimulatedCloud::condition(const Instance& instance) const {
  const Trouble& trouble = instance.trouble;
  if (now_ < trouble.restarts) return Condition::restarts;
  if (now_ < trouble.hung) return Condition::hung;
  return now_ < trouble.paused ? Condition::paused : Condition::works;
}

// ---- a tick

void SimulatedCloud::carry_out_calls() {
  std::vector<Call> waiting;
  for (Call& call : std::exchange(calls_, {})) {
    if (call.fault == CallFault::hangs && faults_.holds(DrillKind::calls_hang, now_)) {
      waiting.push_back(std::move(call));
    } else {
      carry_out(call);
    }
  }
  calls_ = std::move(waiting);
}

void SimulatedCloud::begin_faults() {
  for (const std::size_t number : faults_.begun(now_)) {
    const Drill& drill = faults_.drill(number);
    Instance* instance = pick(drill.instance);
    if (instance == nullptr) {
      faults_.misses(number, count(InstanceState::in_service));
      continue;
    }
    if (drill.kind == DrillKind::crash) {
      end_life(*instance);
      instances_.erase(instances_.begin() + (instance - instances_.data()));
    } else {
      Trouble& trouble = instance->trouble;
      const bool for_good = drill.duration == Milliseconds(0);
      const Milliseconds until = for_good ? Milliseconds::max() : now_ + drill.duration;
      if (drill.kind == DrillKind::pause) trouble.paused = std::max(trouble.paused, until);
      if (drill.kind == DrillKind::hang) trouble.hung = std::max(trouble.hung, until);
      // It ends what was before it, and takes a tick at least.
      if (drill.kind == DrillKind::reboot) {
        trouble = {};
        trouble.restarts = now_ + std::max(drill.duration, tick());
      }
    }
  }
  std::erase_if(instances_, [&](const Instance& instance) {
    if (!faults_.is_lost(instance.seen.zone, now_)) return false;
    end_life(instance);
    return true;
  });
}

// Instances whose start-up is over arrive, those that have drained leave.
void SimulatedCloud::begin_tick() {
  for (Instance& instance : instances_) {
    if (instance.seen.state == InstanceState::launching && instance.ready_at <= now_) {
      enter(instance, InstanceState::warming);
    }
    if (instance.seen.state == InstanceState::warming &&
        instance.ready_at + settings_.in_service_delay <= now_) {
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
    if (instance.seen.state != InstanceState::draining ||
        instance.seen.since + instance.leaving.drain > now_) {
      return false;
    }
    end_life(instance);
    return true;
  });
  if (tick_ % (settings_.metric_period / tick()) == 0) begin_metric_period();
  if (faults_.lists_late()) {
    listed_.push_back({now_, list()});
    // The newest that is as old as the oldest list that may be asked for is still needed.
    const auto is_old = [&](const Listed& listed) { return listed.at <= shown_at_; };
    while (listed_.size() > 1 && is_old(listed_[0]) && is_old(listed_[1])) listed_.pop_front();
  }
}

// The checks that end with the tick or within it, which tell how the instance was in it: what is the matter
// with an instance changes between ticks only. Between two ticks, too, it leaves rotation and comes back.
void SimulatedCloud::check_health(Instance& instance) const {
  if (instance.seen.state != InstanceState::in_service) return;
  const Milliseconds interval = settings_.health.interval;
  const auto ended = [&](Milliseconds at) { return (at - instance.seen.since) / interval; };
  const std::int64_t last = ended(tick_start() + tick());
  const std::int64_t checks = last - ended(tick_start());
  if (checks == 0) return;
  const bool healthy = condition(instance) == Condition::works;
  instance.good_checks = healthy ? instance.good_checks + checks : 0;
  const std::int64_t before = instance.seen.health ? instance.seen.health->failures : 0;
  const std::int64_t failures =
      healthy ? 0 : std::min<std::int64_t>(before + checks, std::numeric_limits<int>::max());
  if (failures >= settings_.health.unhealthy_after) instance.in_rotation = false;
  if (instance.good_checks >= settings_.health.healthy_after) instance.in_rotation = true;
  instance.seen.health = cloud::HealthCheck{instance.seen.since + last * interval, healthy ? "" : "no answer",
                                            static_cast<int>(failures)};
}

void SimulatedCloud::begin_metric_period() {
  for (Instance& instance : instances_) {
    instance.cpu_sum = instance.requests_sum = 0;
    instance.serves_whole_period = instance.seen.state == InstanceState::in_service;
  }
}

// The traffic of the tick, into the metrics. In float32 and in the order of the lanes, for the same bits.
void SimulatedCloud::end_tick() {
  std::vector<Server> servers;
  std::vector<Instance*> behind;
  for (Instance& instance : instances_) {
    const bool serves = instance.seen.state == InstanceState::in_service;
    if (!serves && instance.seen.state != InstanceState::draining) continue;
    const bool receives = serves && instance.in_rotation && !faults_.is_cut(instance.seen.zone, now_);
    servers.push_back({instance.number, condition(instance), receives});
    behind.push_back(&instance);
  }
  served_ = serving_.tick(servers);
  const bool period_ends = (tick_ + 1) % (settings_.metric_period / tick()) == 0;
  for (std::size_t k = 0; k < behind.size(); ++k) {
    if (behind[k]->seen.state == InstanceState::in_service) {
      measure(*behind[k], served_.servers[k], period_ends);
    }
  }
  for (Instance& instance : instances_) check_health(instance);
  measure_service(period_ends);
}

// What the balancer counts, whoever serves it.
void SimulatedCloud::measure_service(bool period_ends) {
  offered_sum_ += static_cast<float>(served_.offered_per_second);
  if (!period_ends) return;
  const Milliseconds end = tick_start() + tick();
  const std::int64_t period = settings_.metric_period / tick();
  const float mean = period == 1 ? offered_sum_ : offered_sum_ / static_cast<float>(period);
  offered_sum_ = 0;
  ServiceSample sample;
  sample.metrics = {settings_.service,
                    end + faults_.skew(end),
                    settings_.metric_period,
                    base::Rate(static_cast<double>(mean)),
                    {},
                    {}};
  sample.visible_at = end + settings_.metric_lag;
  if (faults_.holds(DrillKind::metrics, sample.visible_at)) return;
  if (faults_.holds(DrillKind::metrics_frozen, end) && !service_samples_.empty()) {
    sample.metrics.requests = service_samples_.back().metrics.requests;
  }
  service_samples_.push_back(sample);
}

void SimulatedCloud::measure(Instance& instance, const ServerOutcome& outcome, bool period_ends) {
  instance.cpu_sum += outcome.cpu_percent;
  instance.requests_sum += outcome.requests_per_second;
  if (!period_ends || !instance.serves_whole_period) return;
  const Milliseconds end = tick_start() + tick();
  const std::int64_t period = settings_.metric_period / tick();
  const auto ticks = static_cast<float>(period);
  const auto mean = [&](float sum) { return period == 1 ? sum : sum / ticks; };
  Sample sample;
  sample.visible_at = std::max(end + settings_.metric_lag, instance.metrics_from);
  sample.metrics = {end + faults_.skew(end), settings_.metric_period,
                    base::Percent(static_cast<double>(metered(mean(instance.cpu_sum)))),
                    base::Rate(static_cast<double>(mean(instance.requests_sum)))};
  if (faults_.holds(DrillKind::metrics, sample.visible_at)) return;
  if (faults_.holds(DrillKind::metrics_frozen, end) && !instance.samples.empty()) {
    sample.metrics.cpu = instance.samples.back().metrics.cpu;
    sample.metrics.requests = instance.samples.back().metrics.requests;
  }
  instance.samples.push_back(sample);
}

// ---- calls

void SimulatedCloud::carry_out(const Call& call) {
  const cloud::Action& action = call.action;
  if (call.asks_again) return answer(call);
  int affected = 0;
  std::optional<Failure> failure;
  if (call.fault == CallFault::refused) {
    failure = Failure{"the cloud refuses calls at the moment", true};
  } else {
    failure = std::visit([&](const auto& what) { return carry_out(action, what, affected); }, action.what);
  }
  for (cloud::TicketReport& report : tickets_) {
    if (report.ticket.token != action.token) continue;
    report.state = failure ? TicketState::failed : TicketState::done;
    report.since = now_;
    report.affected = affected;
    if (failure) {
      report.why = fmt::format("{}: {}", cloud::to_string(action), failure->why);
      report.retriable = failure->retriable;
    }
    if (call.fault == CallFault::answered_wrongly) {
      wrongly_answered_[action.token] = report;
      report.state = TicketState::uncertain;
      report.affected = 0;
      report.retriable = false;
      report.why = fmt::format("{}: the answer was an error of the cloud", cloud::to_string(action));
    }
  }
}

std::optional<SimulatedCloud::Failure> SimulatedCloud::carry_out(const cloud::Action& action,
                                                                 const cloud::Launch& launch, int& affected) {
  if (launch.service != settings_.service) return Failure{"there is no such service", false};
  if (std::find(settings_.zones.begin(), settings_.zones.end(), launch.zone) == settings_.zones.end()) {
    return Failure{"there is no such zone", false};
  }
  if (faults_.is_lost(launch.zone, now_)) return Failure{"the zone cannot be reached", true};
  for (affected = 0; affected < launch.count; ++affected) {
    if (settings_.room && static_cast<int>(instances_.size()) >= *settings_.room) {
      return Failure{"there is no room for more instances now", true};
    }
    Instance& instance = create(launch.version, launch.zone, action.token);
    start(instance, startup_of(instance.number), settings_.first_fresh);
  }
  return std::nullopt;
}

std::optional<SimulatedCloud::Failure> SimulatedCloud::carry_out(const cloud::Action&,
                                                                 const cloud::Start& start_it,
                                                                 int& affected) {
  Instance* instance = find(start_it.instance);
  if (instance == nullptr) return Failure{"there is no such instance", false};
  if (instance->seen.state != InstanceState::stopped) {
    return Failure{fmt::format("it is {}, not stopped", cloud::to_string(instance->seen.state)), false};
  }
  start(*instance, settings_.startup_pool ? *settings_.startup_pool : startup_of(instance->number),
        settings_.first_pool);
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

// The same token again: the answer that the first call should have had.
void SimulatedCloud::answer(const Call& call) {
  const auto owed = wrongly_answered_.find(call.action.token);
  const bool fails = call.fault == CallFault::refused || call.fault == CallFault::answered_wrongly;
  if (owed == wrongly_answered_.end() || fails) return;
  for (cloud::TicketReport& report : tickets_) {
    if (report.ticket.token == call.action.token) report = owed->second;
  }
  wrongly_answered_.erase(owed);
}

// ---- instances

SimulatedCloud::Instance& SimulatedCloud::create(const std::string& version, const std::string& zone,
                                                 const std::string& token) {
  Instance instance;
  instance.number = ++launched_;
  instance.seen.id = fmt::format("i-{:08}", instance.number);
  instance.seen.service = settings_.service;
  instance.seen.version = version;
  instance.seen.zone = zone;
  instance.seen.started = now_;
  instance.seen.launched_by = token;
  instance.life = lives_.size();
  lives_.push_back({instance.seen.id, zone, now_, {}, {}});
  return instances_.emplace_back(std::move(instance));
}

void SimulatedCloud::start(Instance& instance, Milliseconds startup, Milliseconds first_metric) {
  if (instance.seen.state == InstanceState::stopped) {
    instance.life = lives_.size();
    lives_.push_back({instance.seen.id, instance.seen.zone, now_, {}, {}});
  }
  instance.seen.started = now_;
  instance.ready_at = now_ + startup;
  instance.metrics_from = now_ + first_metric;
  instance.trouble = {};  // it boots anew
  enter(instance, InstanceState::launching);
}

Milliseconds SimulatedCloud::startup_of(std::int64_t launch) const {
  if (!settings_.startup_spread) return settings_.startup;
  const capacity::StartupSpread& spread = *settings_.startup_spread;
  const double u = base::open_uniform(
      base::random_block(settings_.serving.seed, kStartupStream, static_cast<std::uint64_t>(launch))
          .bits64(0));
  const auto a = static_cast<double>(spread.a.count());
  const auto b = static_cast<double>(spread.b.count());
  const double ms = spread.kind == capacity::StartupSpread::Kind::uniform
                        ? a + (b - a) * u
                        : a * base::exp(base::log(b / a) / kQuantile95 * base::normal_quantile(u));
  return Milliseconds(static_cast<std::int64_t>(std::floor(ms + 0.5)));
}

SimulatedCloud::Instance* SimulatedCloud::find(const std::string& id) {
  for (Instance& instance : instances_) {
    if (instance.seen.id == id) return &instance;
  }
  return nullptr;
}

// Of those in service, in the order of their start: the newest, the oldest, or the n-th.
SimulatedCloud::Instance* SimulatedCloud::pick(const std::string& which) {
  std::vector<Instance*> serving;
  for (Instance& instance : instances_) {
    if (instance.seen.state == InstanceState::in_service) serving.push_back(&instance);
  }
  if (serving.empty()) return nullptr;
  std::stable_sort(serving.begin(), serving.end(),
                   [](const Instance* a, const Instance* b) { return a->seen.started < b->seen.started; });
  if (which == "newest") return serving.back();
  if (which == "oldest") return serving.front();
  std::size_t n = 0;
  std::from_chars(which.data(), which.data() + which.size(), n);
  return n >= 1 && n <= serving.size() ? serving[n - 1] : nullptr;
}

void SimulatedCloud::end_life(const Instance& instance) {
  Life& life = lives_[instance.life];
  if (!life.ended) life.ended = now_;
}

void SimulatedCloud::enter(Instance& instance, InstanceState state) {
  if (state == InstanceState::stopped || state == InstanceState::failed) end_life(instance);
  if (state == InstanceState::in_service) lives_[instance.life].in_service = now_;
  instance.seen.state = state;
  instance.seen.since = now_;
  if (state == InstanceState::in_service) instance.seen.address = instance.seen.id + ":8080";
  if (state == InstanceState::draining || state == InstanceState::in_service) return;
  instance.seen.address.clear();
  instance.seen.health.reset();
  instance.samples.clear();
  instance.serves_whole_period = false;
  instance.good_checks = 0;
  instance.in_rotation = true;
}

// ---- what is seen

std::vector<cloud::Instance> SimulatedCloud::list() {
  std::vector<cloud::Instance> all;
  all.reserve(instances_.size());
  for (Instance& instance : instances_) {
    const auto is_visible = [&](const Sample& sample) { return sample.visible_at <= now_; };
    while (instance.samples.size() > 1 && is_visible(instance.samples[1])) instance.samples.pop_front();
    cloud::Instance& seen = all.emplace_back(instance.seen);
    if (instance.samples.empty() || !is_visible(instance.samples.front())) continue;
    seen.metrics = instance.samples.front().metrics;
  }
  return all;
}

cloud::Observed SimulatedCloud::observe() {
  cloud::Observed observed;
  observed.at = now_;
  observed.metrics_clock = now_ + faults_.skew(now_);
  const Milliseconds age = faults_.list_age(now_);
  if (faults_.lists_late() && (age > Milliseconds(0) || shown_at_ > now_)) {
    // Never an older list than one that was shown.
    const Milliseconds until = std::max(now_ - age, shown_at_);
    const Listed* shown = &listed_.front();
    for (const Listed& listed : listed_) {
      if (listed.at <= until) shown = &listed;
    }
    // Nothing changes within a tick, so the list of its start is also true at the instant that was shown
    // last.
    observed.instances_at = std::max(shown->at, shown_at_);
    observed.instances = shown->instances;
  } else {
    observed.instances_at = now_;
    observed.instances = list();
  }
  shown_at_ = *observed.instances_at;
  for (const std::string& zone : settings_.zones) {
    observed.zones.push_back({zone, !faults_.is_cut(zone, now_)});
  }
  while (service_samples_.size() > 1 && service_samples_[1].visible_at <= now_) service_samples_.pop_front();
  if (!service_samples_.empty() && service_samples_.front().visible_at <= now_) {
    observed.services.push_back(service_samples_.front().metrics);
  }
  std::erase_if(tickets_, [&](const cloud::TicketReport& report) {
    return report.state != TicketState::pending && now_ - report.since > kTicketsKept;
  });
  observed.tickets = tickets_;
  return observed;
}

cloud::Ticket SimulatedCloud::submit(const cloud::Action& action) {
  cloud::Ticket ticket{action.token};
  if (!tokens_.insert(action.token).second) {
    // Nothing happens twice, but one that was not clearly answered is answered now.
    const bool asked = std::any_of(calls_.begin(), calls_.end(),
                                   [&](const Call& call) { return call.action.token == action.token; });
    if (wrongly_answered_.contains(action.token) && !asked) {
      calls_.push_back({action, faults_.meets_call(called_++, now_), true});
    }
    return ticket;
  }
  const auto place = std::lower_bound(
      tickets_.begin(), tickets_.end(), ticket,
      [](const cloud::TicketReport& report, const cloud::Ticket& t) { return report.ticket < t; });
  tickets_.insert(place, {ticket, TicketState::pending, now_, 0, "", false});
  calls_.push_back({action, faults_.meets_call(called_++, now_), false});
  return ticket;
}

int SimulatedCloud::answering(const std::string& zone) const {
  return static_cast<int>(std::count_if(instances_.begin(), instances_.end(), [&](const Instance& i) {
    return i.seen.state == InstanceState::in_service && i.seen.zone == zone &&
           condition(i) == Condition::works;
  }));
}

int SimulatedCloud::count(InstanceState state) const {
  return static_cast<int>(std::count_if(instances_.begin(), instances_.end(),
                                        [&](const Instance& i) { return i.seen.state == state; }));
}

int SimulatedCloud::count(InstanceState state, const std::string& zone) const {
  return static_cast<int>(std::count_if(instances_.begin(), instances_.end(), [&](const Instance& i) {
    return i.seen.state == state && i.seen.zone == zone;
  }));
}

}  // namespace headroom::sim
