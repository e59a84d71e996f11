#include "daemon/hosted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/clock.hpp"
#include "daemon/controller_settings.hpp"
#include "policy/kernel.hpp"
#include "policy/reasons.hpp"

namespace headroom::daemon {
namespace {

using base::Milliseconds;
using base::Result;

constexpr Milliseconds kDay{24 * 3'600'000};
// By then what was measured until the end of a second is seen.
constexpr Milliseconds kSeen{500};
// Between two looks.
constexpr Milliseconds kPace{500};
constexpr Milliseconds kReopenHistory{10'000};

}  // namespace

Hosted::Hosted(isolation::Machine& machine, Settings settings, EnvironmentRecord record, Plan plan)
    : machine_(machine),
      settings_(std::move(settings)),
      start_(now() / kDay * kDay + kSeen),
      record_(std::move(record)),
      plan_(std::move(plan)) {}

Hosted::~Hosted() {
  stop_ = true;
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

cloud_local::Specification Hosted::specification_of(const EnvironmentRecord& record, const Plan& plan) {
  cloud_local::Specification specification;
  specification.environment = plan.environment;
  specification.metric_period = plan.metric_period;
  for (const std::string& zone : plan.zones) specification.zones.push_back({zone, record.zones.at(zone)});
  for (const ServicePlan& service : plan.services) {
    specification.services.push_back(service.service);
    specification.services.back().internal_port = record.services.at(service.service.name).internal_port;
  }
  return specification;
}

Result<std::unique_ptr<Hosted>> Hosted::open(isolation::Machine& machine, Settings settings,
                                             EnvironmentRecord record, Plan plan) {
  std::unique_ptr<Hosted> hosted(
      new Hosted(machine, std::move(settings), std::move(record), std::move(plan)));
  auto cloud = cloud_local::LocalCloud::open(machine, hosted->settings_.folder, hosted->settings_.sockets,
                                             specification_of(hosted->record_, hosted->plan_), now);
  if (!cloud) return cloud.error();
  hosted->cloud_ = std::move(*cloud);
  hosted->open_history();
  for (const auto& [name, service] : hosted->record_.services) {
    if (service.rolling && hosted->find(name) != nullptr) hosted->begin_rollout(name);
  }
  hosted->thread_ = std::thread([raw = hosted.get()] { raw->run(); });
  return hosted;
}

Result<void> Hosted::undo_open(isolation::Machine& machine, const Settings& settings,
                               const EnvironmentRecord& record, const Plan& plan) {
  return cloud_local::LocalCloud::undo_open(machine, settings.folder, settings.sockets,
                                            specification_of(record, plan), now);
}

const ServicePlan* Hosted::find(const std::string& service) const {
  const auto found = std::find_if(plan_.services.begin(), plan_.services.end(),
                                  [&](const ServicePlan& plan) { return plan.service.name == service; });
  return found == plan_.services.end() ? nullptr : &*found;
}

EnvironmentRecord Hosted::record() const {
  const std::lock_guard lock(mutex_);
  return record_;
}

Plan Hosted::plan() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

// ---- the loop

void Hosted::run() {
  while (!stop_) {
    std::vector<std::string> services;
    {
      const std::lock_guard lock(mutex_);
      for (const ServicePlan& plan : plan_.services) services.push_back(plan.service.name);
    }
    for (const std::string& service : services) step(service);
    // A tick is decided as it begins: what it sees is half a second old, not half a second and a look more.
    const Milliseconds left = kPace - (now() - start_ + kDay) % kPace;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, left, [&] { return stop_.load(); });
  }
}

void Hosted::step(const std::string& service) {
  const cloud::Observed observed = cloud_->observe();
  const std::lock_guard lock(mutex_);
  tell_joins(observed);
  seen_ = observed;
  const ServicePlan* const found = find(service);
  if (found == nullptr) return;  // change() has dropped it meanwhile
  const ServicePlan& plan = *found;
  ServiceRecord& record = record_.services.at(service);
  if (record.version.empty()) return;
  if (plan.service.is_job) return follow_job(plan, observed);
  Controlled& controlled = controlled_[service];
  keep_sample(plan, observed, controlled);
  const Milliseconds at = std::max(now(), observed.at);
  end_override(record, at);
  if (controlled.state.next_tick > (at - start_) / plan.tick + 1) decide_anew(plan, controlled);
  const control::Settings with =
      controller_settings(plan_, plan, record, settings_.realm, start_, controlled.begins);
  control::Step next = control::step(at, observed, std::move(controlled.state), with);
  controlled.state = std::move(next.state);
  follow_decisions(plan, next, of_all_groups(with.policy.numbers.min, plan, plan_));
  for (const cloud::Action& action : next.actions) cloud_->submit(action);
  tell(plan, next, at);
  follow_rollout(service, observed);
}

// ---- what was decided

void Hosted::end_override(ServiceRecord& record, Milliseconds now) {
  if (!record.override || !record.override->is_over(now)) return;
  const bool pauses = record.override->pauses_after;
  record.override = pauses ? std::optional(Override{std::nullopt, now, std::nullopt, false}) : std::nullopt;
  save_or_tell(controlled_[record.name]);
  note(record.name, "override_ended", "",
       pauses ? "the time of the number by hand is over: paused again"
              : "the time of what was asked for by hand is over: the policy decides again");
}

// As many as were decided last are there again after everything was gone, such as after a reboot.
void Hosted::follow_decisions(const ServicePlan& plan, const control::Step& step, int least) {
  if (step.decided.empty()) return;
  Controlled& controlled = controlled_[plan.service.name];
  int desired = 0;
  for (const control::Decided& decided : step.decided) {
    desired += decided.decision.desired;
    if (decided.decision.due) controlled.decided[decided.group] = decided;
  }
  // What is on its way beyond them cannot be called back: it goes when it serves.
  if ((controlled.begins || plan.policy.shape.policies == 0) && desired > least) return;
  controlled.begins = false;
  ServiceRecord& record = record_.services.at(plan.service.name);
  if (std::exchange(record.desired, desired) != desired) save_or_tell(controlled);
}

void Hosted::tell(const ServicePlan& plan, const control::Step& step, Milliseconds now) {
  const std::string& service = plan.service.name;
  for (const control::Decided& decided : step.decided) {
    const std::string group =
        plan.per_zone ? plan_.zones[static_cast<std::size_t>(decided.group)] : std::string();
    if (history_) keep(history_->decided(service, group, decided, why_of(plan, decided)));
  }
  const std::string by_hand = by_hand_of(plan);
  for (const cloud::Action& action : step.actions) {
    note(service, "action", action.token,
         fmt::format("{}: {}", cloud::words(action), by_hand.empty() ? action.why : by_hand));
  }
  Controlled& controlled = controlled_[service];
  for (const control::Note& one : step.notes) {
    note(service, std::string(control::to_string(one.happened)), one.subject, one.why);
    if (one.happened == control::Happened::outgoing || one.happened == control::Happened::recalled) continue;
    controlled.doing = one.subject.empty() ? one.why : fmt::format("{}: {}", one.subject, one.why);
  }
  if (!history_ && now >= open_history_at_) open_history();
  if (history_) keep(history_->keep(now));
}

// A full disk must not end the control of what runs: it goes on untold, and status says so.
void Hosted::open_history() {
  open_history_at_ = now() + kReopenHistory;
  auto opened = history::History::open(settings_.folder / "history.db");
  if (opened) {
    history_ = std::move(*opened);
  } else {
    keep(opened.error());
  }
}

void Hosted::keep(const Result<void>& kept) {
  unkept_ = kept ? std::string() : base::to_string(kept.error());
}

// What a person has asked for is no limit of the file.
std::string Hosted::by_hand_of(const ServicePlan& plan) const {
  const std::optional<Override>& override = record_.services.at(plan.service.name).override;
  if (!override) return {};
  if (override->is_pause()) return "paused";
  const int all = of_all_groups(*override->instances, plan, plan_);
  return fmt::format("by hand: {} instance{}", all, all == 1 ? "" : "s");
}

std::string Hosted::why_of(const ServicePlan& plan, const control::Decided& decided) const {
  policy::Reasons reasons{static_cast<std::uint32_t>(decided.decision.reasons)};
  const std::string by_hand = by_hand_of(plan);
  if (by_hand.empty()) return policy::sentence(reasons);
  for (const policy::Reason bound :
       {policy::Reason::at_max, policy::Reason::at_min, policy::Reason::step_limit, policy::Reason::not_due})
    reasons.bits &= ~static_cast<std::uint32_t>(bound);
  const std::string rest = policy::sentence(reasons);
  return rest.empty() ? by_hand : rest + "; " + by_hand;
}

// When capacity that was ordered serves is what an order came to.
void Hosted::tell_joins(const cloud::Observed& observed) {
  if (seen_.instances_at == std::nullopt) return;  // what an earlier daemon has seen join is not told again
  for (const cloud::Instance& instance : observed.instances) {
    if (instance.state != cloud::InstanceState::in_service) continue;
    const auto before = std::find_if(seen_.instances.begin(), seen_.instances.end(),
                                     [&](const cloud::Instance& one) { return one.id == instance.id; });
    if (before != seen_.instances.end() && before->state == cloud::InstanceState::in_service) continue;
    note(instance.service, "in_service", instance.id,
         fmt::format("serves in zone {}, {:.1f} s after it was ordered", instance.zone,
                     static_cast<double>((instance.since - instance.started).count()) / 1000));
  }
}

void Hosted::keep_sample(const ServicePlan& plan, const cloud::Observed& observed, Controlled& controlled) {
  const auto metrics =
      std::find_if(observed.services.begin(), observed.services.end(),
                   [&](const cloud::ServiceMetrics& one) { return one.service == plan.service.name; });
  if (metrics == observed.services.end() || metrics->end <= controlled.sampled_until) return;
  controlled.sampled_until = metrics->end;
  history::Sample sample;
  sample.at = metrics->end - metrics->length;
  sample.length = metrics->length;
  sample.service = plan.service.name;
  if (metrics->requests) sample.requests_per_second = metrics->requests->value();
  if (metrics->failed) sample.failed_per_second = metrics->failed->value();
  if (metrics->p95) sample.p95_ms = static_cast<double>(metrics->p95->count());
  double cpu = 0;
  int measured = 0;
  for (const cloud::Instance& instance : observed.instances) {
    if (instance.service != plan.service.name) continue;
    if (instance.state == cloud::InstanceState::in_service) ++sample.in_service;
    if (instance.state == cloud::InstanceState::stopped) ++sample.stopped;
    if (instance.state == cloud::InstanceState::launching || instance.state == cloud::InstanceState::warming)
      ++sample.launching;
    // Those of the same period.
    if (!instance.metrics || !instance.metrics->cpu || instance.metrics->end <= sample.at) continue;
    cpu += instance.metrics->cpu->value();
    ++measured;
  }
  if (measured > 0) sample.cpu_percent = cpu / measured;
  if (history_) history_->add(std::move(sample));
}

void Hosted::note(const std::string& service, std::string kind, std::string subject, std::string text) {
  if (history_) keep(history_->add({now(), service, std::move(kind), std::move(subject), std::move(text)}));
}

void Hosted::save_or_tell(Controlled& controlled) {
  if (auto saved = settings_.save(record_); !saved) controlled.doing = saved.error().faults.front().what;
}

// Another policy looks at what it sees from now on, or the clock was set back; what was done last still holds
// its cooldown, where it is counted in the same ticks and not in the future.
void Hosted::decide_anew(const ServicePlan& service, Controlled& controlled) const {
  const auto ticks = static_cast<std::int32_t>((now() - start_) / service.tick);
  const ServicePlan* before = find(service.service.name);
  const bool same_ticks =
      before != nullptr && before->tick == service.tick && controlled.state.next_tick <= ticks + 1;
  for (control::GroupState& group : controlled.state.groups) {
    const policy::State<base::One> known = std::exchange(group.policy, policy::initial_state());
    if (!same_ticks) continue;
    group.policy.last_out = known.last_out;
    group.policy.last_in = known.last_in;
    group.policy.last_busy = known.last_busy;
  }
  if (!same_ticks) controlled.state.next_tick = ticks;
  controlled.decided.clear();
}

// One instance for each version that is deployed, and its end is the end of the deployment.
void Hosted::follow_job(const ServicePlan& plan, const cloud::Observed& observed) {
  Controlled& controlled = controlled_[plan.service.name];
  if (!controlled.deployment.goes_on) return;
  ServiceRecord& record = record_.services.at(plan.service.name);
  if (controlled.job.empty()) {
    // An earlier daemon has begun it: a version of a job runs once.
    for (const cloud::Instance& instance : observed.instances) {
      if (instance.service == plan.service.name && instance.version == record.version)
        controlled.job = instance.launched_by;
    }
  }
  if (controlled.job.empty() && observed.instances_at) {
    controlled.job =
        fmt::format("{}-{}-{}-{}", settings_.realm, record.internal_port, record.version, now().count());
    cloud_->submit({controlled.job, cloud::Launch{plan.service.name, record.version, plan_.zones.front(), 1},
                    "it is deployed"});
    controlled.deployment.text = fmt::format("{} runs", record.version);
    return;
  }
  for (const cloud::TicketReport& ticket : observed.tickets) {
    if (ticket.ticket.token == controlled.job && ticket.state == cloud::TicketState::failed)
      controlled.deployment = {false, true, ticket.why};
  }
  for (const cloud::Instance& instance : observed.instances) {
    if (instance.launched_by != controlled.job) continue;
    if (instance.state == cloud::InstanceState::stopped) controlled.deployment = {};
    if (instance.state == cloud::InstanceState::failed)
      controlled.deployment = {false, true, fmt::format("{} failed", instance.id)};
  }
  if (controlled.deployment.goes_on) return;
  record.rolling = false;
  save_or_tell(controlled);
}

void Hosted::follow_rollout(const std::string& service, const cloud::Observed& observed) {
  Controlled& controlled = controlled_[service];
  if (!controlled.rollout) return;
  ServiceRecord& record = record_.services.at(service);
  controlled.rollout->desired = record.desired;
  // The controller has seen it as long as the cloud has: what is outgoing waits for its proof.
  const bool proven = controlled.state.outgoing.empty() && controlled.state.orders.empty();
  const Judgement judged = judge(*controlled.rollout, observed, proven);
  controlled.deployment = {judged.verdict == Verdict::goes_on, false, judged.why};
  if (judged.verdict == Verdict::goes_on) return;
  const std::string version = controlled.rollout->version;
  controlled.rollout.reset();
  record.rolling = false;
  if (judged.verdict == Verdict::done) {
    controlled.doing.clear();
    save_or_tell(controlled);
    note(service, "deployment_done", version, "all instances run it");
    return;
  }
  controlled.deployment = {false, true, judged.why};
  if (record.previous.empty() || record.previous == version) {
    controlled.doing = fmt::format("{} does not come into service: {}", version, judged.why);
    note(service, "deployment_failed", version, judged.why);
    save_or_tell(controlled);
    return;
  }
  record.version = std::exchange(record.previous, std::string());
  controlled.doing = fmt::format("{} was taken back: {}", version, judged.why);
  controlled.deployment.text = fmt::format("{}; {} serves as before", judged.why, record.version);
  note(service, "deployment_failed", version, controlled.deployment.text);
  save_or_tell(controlled);
}

// ---- what was

Result<history::History*> Hosted::history() const {
  const std::lock_guard lock(mutex_);
  if (history_) return history_.get();
  return base::unavailable("there is no history: " + unkept_, "`headroom status` says what hinders it");
}

Result<std::vector<history::Entry>> Hosted::events(const history::Query& query) const {
  const Result<history::History*> history = this->history();
  if (!history) return history.error();
  return (*history)->entries(query);
}

Result<std::vector<history::Sample>> Hosted::samples(const std::string& service, Milliseconds since) const {
  const Result<history::History*> history = this->history();
  if (!history) return history.error();
  return (*history)->samples(service, since);
}

Deployment Hosted::deployment(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const auto found = controlled_.find(service);
  return found == controlled_.end() ? Deployment{} : found->second.deployment;
}

Result<void> Hosted::remove(bool volumes) {
  stop_ = true;
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  return cloud_->remove(volumes);
}

}  // namespace headroom::daemon
