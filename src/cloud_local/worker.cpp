#include "cloud_local/worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "cloud_local/cell_of.hpp"

namespace headroom::cloud_local {
namespace {

using base::Milliseconds;
using base::Result;
using cloud::Afterwards;
using cloud::InstanceState;
using cloud::TicketState;
using isolation::Phase;

// How often the thread looks at everything where nobody wakes it.
constexpr Milliseconds kPace{200};
// Between SIGTERM and SIGKILL.
constexpr Milliseconds kGrace{10'000};
constexpr Milliseconds kTicketsKept{3'600'000 + 60'000};
constexpr std::size_t kFailedKept = 3;
constexpr Milliseconds kBalancerGrace{2'000};

int lowest_free(std::set<int>& taken) {
  int free = 0;
  while (taken.contains(free)) ++free;
  taken.insert(free);
  return free;
}

std::string how_it_ended(const isolation::State& state) {
  switch (state.phase) {
    case Phase::out_of_memory:
      return "it used more memory than it may and was ended";
    case Phase::signalled:
      return fmt::format("it was ended by signal {}", state.code);
    case Phase::exited:
      return fmt::format("it exited with {}", state.code);
    case Phase::absent:
      return "its process is gone";
    case Phase::running:
      break;
  }
  return "it runs";
}

std::string first_fault(const base::Error& error) {
  return error.faults.empty() ? std::string("unknown") : error.faults.front().what;
}

}  // namespace

LocalCloud::Worker::Worker(isolation::Machine& machine, std::filesystem::path folder,
                           std::filesystem::path sockets, Specification specification, Clock clock,
                           Records records)
    : machine_(machine),
      folder_(std::move(folder)),
      sockets_(std::move(sockets)),
      clock_(std::move(clock)),
      records_(std::move(records)),
      specification_(std::move(specification)) {}

LocalCloud::Worker::~Worker() {
  stop_ = true;
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// ---- what is known

const Zone* LocalCloud::Worker::find_zone(const std::string& name) const {
  const auto found = std::find_if(specification_.zones.begin(), specification_.zones.end(),
                                  [&](const Zone& zone) { return zone.name == name; });
  return found == specification_.zones.end() ? nullptr : &*found;
}

const Service* LocalCloud::Worker::find_service(const std::string& name) const {
  const auto found = std::find_if(specification_.services.begin(), specification_.services.end(),
                                  [&](const Service& service) { return service.name == name; });
  return found == specification_.services.end() ? nullptr : &*found;
}

const Version* LocalCloud::Worker::find_version(const std::string& service, const std::string& name) const {
  const auto found = std::find_if(versions_.begin(), versions_.end(), [&](const Version& version) {
    return version.service == service && version.name == name;
  });
  return found == versions_.end() ? nullptr : &*found;
}

bool LocalCloud::Worker::is_job(const Instance& instance) const {
  const Service* service = find_service(instance.record.service);
  return service != nullptr && service->is_job;
}

LocalCloud::Worker::Instance* LocalCloud::Worker::find(const std::string& id) {
  for (auto& [number, instance] : instances_) {
    if (instance.record.id() == id && !gone_.contains(number)) return &instance;
  }
  return nullptr;
}

std::string LocalCloud::Worker::cell_of(const Instance& instance) const {
  const Zone* zone = find_zone(instance.record.zone);
  return cell_name(instance.record, zone == nullptr ? 0 : zone->index);
}

// ---- the beginning

Result<void> LocalCloud::Worker::begin() {
  Result<std::vector<InstanceRecord>> instances = records_.instances();
  if (!instances) return instances.error();
  for (InstanceRecord& record : *instances) instances_[record.number].record = std::move(record);
  Result<std::vector<TicketRecord>> tickets = records_.tickets();
  if (!tickets) return tickets.error();
  for (TicketRecord& ticket : *tickets) tickets_.emplace(ticket.action.token, std::move(ticket));
  Result<std::vector<Version>> versions = records_.versions();
  if (!versions) return versions.error();
  versions_ = std::move(*versions);
  Result<std::vector<DrillRecord>> drills = records_.drills();
  if (!drills) return drills.error();
  for (DrillRecord& drill : *drills) drills_.emplace(drill.subject, std::move(drill));

  for (const Zone& zone : specification_.zones) {
    if (auto made = machine_.make_zone(zone.index); !made) return made.error();
  }
  for (const Service& service : specification_.services) {
    if (service.is_job) continue;
    if (auto raised = raise(service); !raised) return raised.error();
  }
  adopt_strangers();
  thread_ = std::thread([this] { run(); });
  return {};
}

// What an earlier process has made and not written down, or written off and not removed.
void LocalCloud::Worker::adopt_strangers() {
  for (const std::string& name : machine_.found()) {
    const bool ours =
        std::any_of(specification_.zones.begin(), specification_.zones.end(),
                    [&](const Zone& zone) { return name.ends_with(fmt::format("-z{}", zone.index)); });
    const bool known = std::any_of(instances_.begin(), instances_.end(),
                                   [&](const auto& each) { return cell_of(each.second) == name; });
    if (ours && !known) [[maybe_unused]]
      const auto removed = machine_.remove(name);
  }
  for (auto& [name, front] : fronts_) {
    if (!front.balancer) continue;
    const Result<balancer::Seen> seen = front.balancer->observe();
    if (!seen) continue;
    for (const balancer::Server& server : seen->servers) {
      Instance* instance = find(server.name);
      if (instance != nullptr) {
        instance->joined = true;
      } else {
        [[maybe_unused]] const auto left = front.balancer->leave(server.name, Milliseconds(0));
      }
    }
  }
}

void LocalCloud::Worker::run() {
  while (!stop_) {
    {
      const std::lock_guard stepping(step_mutex_);
      step();
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kPace, [&] { return stop_.load(); });
  }
}

void LocalCloud::Worker::step() {
  look_at_balancers();
  keep_drills();
  carry_out_tickets();
  for (auto& [number, instance] : instances_) {
    if (!gone_.contains(number)) advance(instance);
  }
  forget_old_failures();
  measure();
  const std::lock_guard lock(mutex_);
  for (const std::int64_t number : gone_) instances_.erase(number);
  gone_.clear();
  listed_at_ = now();
  if (now() - cleaned_at_ < Milliseconds(60'000)) return;
  cleaned_at_ = now();
  const Milliseconds then = now() - kTicketsKept;
  [[maybe_unused]] const auto removed = records_.remove_tickets_before(then);
  std::erase_if(tickets_, [&](const auto& each) {
    return each.second.report.state != TicketState::pending && each.second.report.since < then;
  });
}

// ---- orders

cloud::Ticket LocalCloud::Worker::submit(const cloud::Action& action) {
  const std::lock_guard lock(mutex_);
  if (tickets_.contains(action.token)) return {action.token};
  TicketRecord ticket{action, {{action.token}, TicketState::pending, now(), 0, "", false}};
  if (auto saved = records_.save(ticket); !saved) {
    ticket.report.state = TicketState::failed;
    ticket.report.why = first_fault(saved.error());
    ticket.report.retriable = true;
  }
  tickets_.emplace(action.token, std::move(ticket));
  wake_.notify_all();
  return {action.token};
}

void LocalCloud::Worker::carry_out_tickets() {
  std::vector<TicketRecord*> pending;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [token, ticket] : tickets_) {
      if (ticket.report.state == TicketState::pending) pending.push_back(&ticket);
    }
  }
  std::sort(pending.begin(), pending.end(),
            [](const auto* a, const auto* b) { return a->report.since < b->report.since; });
  for (TicketRecord* ticket : pending) {
    std::visit([&](const auto& what) { carry_out(*ticket, what); }, ticket->action.what);
  }
}

void LocalCloud::Worker::finish(TicketRecord& ticket, TicketState state, std::string why, bool retriable) {
  const std::lock_guard lock(mutex_);
  ticket.report.state = state;
  ticket.report.since = now();
  ticket.report.why = std::move(why);
  ticket.report.retriable = retriable;
  if (state == TicketState::failed) ticket.report.affected = 0;
  // Where this is lost, the order is carried out again by the next process, and has no further effect.
  if (auto saved = records_.save(ticket); !saved) record_fault_ = first_fault(saved.error());
}

void LocalCloud::Worker::carry_out(TicketRecord& ticket, const cloud::Launch& launch) {
  const Version* version = find_version(launch.service, launch.version);
  const Zone* zone = find_zone(launch.zone);
  if (find_service(launch.service) == nullptr)
    return finish(ticket, TicketState::failed, fmt::format("there is no service {}", launch.service));
  if (zone == nullptr)
    return finish(ticket, TicketState::failed, fmt::format("there is no zone {}", launch.zone));
  if (version == nullptr) {
    return finish(ticket, TicketState::failed,
                  fmt::format("{} has no version {}", launch.service, launch.version));
  }
  const auto machine_cores = static_cast<double>(std::max(1U, std::thread::hardware_concurrency()));
  double promised = 0;
  std::set<int> slots;
  for (const auto& [number, instance] : instances_) {
    const InstanceRecord& record = instance.record;
    if (record.zone == launch.zone) slots.insert(record.slot);
    if (record.state == InstanceState::stopped || record.state == InstanceState::failed) continue;
    const Version* of = find_version(record.service, record.version);
    if (of != nullptr) promised += of->cores.value();
  }
  // As many as there is room for; for the rest the order has failed, and may be repeated later.
  const double left = machine_cores - promised;
  const int fit = std::min(static_cast<int>(left / version->cores.value() + 1e-9),
                           isolation::kSlotsMost - static_cast<int>(slots.size()));
  const int count = std::clamp(fit, 0, launch.count);

  const std::lock_guard lock(mutex_);
  Result<store::Transaction> change = records_.begin();
  std::vector<InstanceRecord> launched;
  bool written = change.has_value();
  const TicketRecord before = ticket;
  for (int k = 0; k < count && written; ++k) {
    InstanceRecord record;
    record.service = launch.service;
    record.version = launch.version;
    record.zone = launch.zone;
    record.slot = lowest_free(slots);

    record.since = record.started = now();
    record.token = ticket.action.token;
    record.boots_until = now() + version->boot;
    written = records_.add(record).has_value();
    launched.push_back(std::move(record));
  }
  ticket.report.state = count == launch.count ? TicketState::done : TicketState::failed;
  ticket.report.since = now();
  ticket.report.affected = count;
  if (count < launch.count) {
    ticket.report.retriable = true;
    ticket.report.why = fmt::format(
        "{:g} of the {:g} cores of this machine are promised to instances, and zone {} has {} of {}",
        promised, machine_cores, launch.zone, slots.size(), isolation::kSlotsMost);
  }
  written = written && records_.save(ticket).has_value() && change->commit().has_value();
  if (!written) {  // tried again in the next step: a disk that is full now may not be then
    ticket = before;
    record_fault_ = "the launch could not be written down";
    return;
  }
  for (InstanceRecord& record : launched) instances_[record.number].record = std::move(record);
}

void LocalCloud::Worker::carry_out(TicketRecord& ticket, const cloud::Start& start) {
  Instance* instance = find(start.instance);
  if (instance == nullptr)
    return finish(ticket, TicketState::failed, fmt::format("there is no instance {}", start.instance));
  if (instance->record.state != InstanceState::stopped) {
    return finish(ticket, TicketState::failed,
                  fmt::format("{} is {}, not stopped", start.instance, to_string(instance->record.state)));
  }
  if (instance->work) return;  // what it was is still being removed
  {
    const std::lock_guard lock(mutex_);
    ticket.report.affected = 1;
    instance->record.started = now();
    instance->record.boots_until = now();
  }
  enter(*instance, InstanceState::launching);
  finish(ticket, TicketState::done);
}

void LocalCloud::Worker::carry_out(TicketRecord& ticket, const cloud::Retire& retire) {
  Instance* instance = find(retire.instance);
  if (instance == nullptr) {
    // Carried out, and not written down any more; or it never was.
    if (ticket.report.affected > 0) return finish(ticket, TicketState::done);
    return finish(ticket, TicketState::failed, fmt::format("there is no instance {}", retire.instance));
  }
  InstanceRecord& record = instance->record;
  const bool rests = record.state == InstanceState::stopped || record.state == InstanceState::failed;
  if (ticket.report.affected > 0) {
    // Under way since an earlier step: done when it rests.
    if (rests) finish(ticket, TicketState::done);
    return;
  }
  if (rests && retire.afterwards == Afterwards::pool && record.state == InstanceState::failed) {
    return finish(ticket, TicketState::failed,
                  fmt::format("{} has failed and is not used again", retire.instance));
  }
  {
    const std::lock_guard lock(mutex_);
    ticket.report.affected = 1;
    record.afterwards = retire.afterwards;
    const Milliseconds until = now() + retire.drain;
    record.drains_until =
        record.state == InstanceState::draining ? std::min(record.drains_until, until) : until;
    if (auto saved = records_.save(ticket); !saved) record_fault_ = first_fault(saved.error());
  }
  if (!rests || retire.afterwards == Afterwards::gone) {
    if (record.state == InstanceState::draining) {
      const std::lock_guard lock(mutex_);
      if (auto saved = records_.save(record); !saved) record_fault_ = first_fault(saved.error());
    } else {
      enter(*instance, InstanceState::draining);
    }
    return;
  }
  if (retire.afterwards == Afterwards::inspect && record.state == InstanceState::stopped)
    enter(*instance, InstanceState::failed);
  finish(ticket, TicketState::done);
}

// ---- one instance, one step nearer to what is wanted

void LocalCloud::Worker::advance(Instance& instance) {
  switch (instance.record.state) {
    case InstanceState::launching:
      return launch(instance);
    case InstanceState::warming:
      return warm(instance);
    case InstanceState::in_service:
      return watch(instance);
    case InstanceState::draining:
      return drain(instance);
    case InstanceState::stopped:
    case InstanceState::failed:
      return clear(instance);
  }
}

void LocalCloud::Worker::begin_work(Instance& instance, Work::Kind kind, std::function<Result<void>()> work) {
  instance.work.emplace(Work{kind, std::async(std::launch::async, std::move(work))});
}

bool LocalCloud::Worker::has_finished(Instance& instance) {
  return instance.work &&
         instance.work->result.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void LocalCloud::Worker::enter(Instance& instance, InstanceState state) {
  const std::lock_guard lock(mutex_);
  instance.record.state = state;
  instance.record.since = now();
  instance.health.reset();
  if (state != InstanceState::in_service) instance.metrics.reset();
  if (auto saved = records_.save(instance.record); !saved) record_fault_ = first_fault(saved.error());
}

void LocalCloud::Worker::fail(Instance& instance, std::string why) {
  {
    const std::lock_guard lock(mutex_);
    instance.record.why = std::move(why);
  }
  enter(instance, InstanceState::failed);
}

void LocalCloud::Worker::launch(Instance& instance) {
  if (now() < instance.record.boots_until) return;
  if (!has_volume(instance)) return;
  const bool started_now = instance.work.has_value();
  if (started_now) {
    if (!has_finished(instance)) return;
    const Result<void> started = instance.work->result.get();
    instance.work.reset();
    if (!started) return fail(instance, first_fault(started.error()));
  }
  const isolation::State state = machine_.state(cell_of(instance));
  // A job can have ended before this look.
  if (state.phase == Phase::running || (started_now && is_job(instance)))
    return enter(instance, InstanceState::warming);
  if (started_now) return fail(instance, how_it_ended(state) + " before it served");
  const Version* version = find_version(instance.record.service, instance.record.version);
  if (version == nullptr)
    return fail(instance, fmt::format("there is no version {}", instance.record.version));
  begin_work(
      instance, Work::Kind::start,
      [this, record = instance.record, version = *version, specification = specification_]() -> Result<void> {
        const auto cell = cloud_local::cell_of(record, version, specification, machine_, folder_);
        if (!cell) return cell.error();
        // Half of an earlier start can be there.
        if (auto removed = machine_.remove(cell->name); !removed) return removed.error();
        if (auto started = machine_.start(*cell); !started) return started.error();
        return {};
      });
}

// A volume is of one running instance at a time: one that is still ending has its own.
bool LocalCloud::Worker::has_volume(Instance& instance) {
  const Service* service = find_service(instance.record.service);
  if (service == nullptr || !service->keeps_volume || instance.record.volume) return true;
  std::set<int> taken;
  for (const auto& [number, other] : instances_) {
    const InstanceRecord& record = other.record;
    if (record.service != service->name || gone_.contains(number)) continue;
    if (record.state == InstanceState::draining || (other.work && &other != &instance)) return false;
    if (record.volume && record.state != InstanceState::stopped && record.state != InstanceState::failed)
      taken.insert(*record.volume);
  }
  const std::lock_guard lock(mutex_);
  instance.record.volume = lowest_free(taken);
  if (auto saved = records_.save(instance.record); !saved) record_fault_ = first_fault(saved.error());
  return true;
}

void LocalCloud::Worker::warm(Instance& instance) {
  if (is_job(instance)) return enter(instance, InstanceState::in_service);
  const isolation::State state = machine_.state(cell_of(instance));
  if (state.phase != Phase::running) return fail(instance, how_it_ended(state) + " before it served");
  Front& front = fronts_[instance.record.service];
  if (!front.balancer) return;
  const Zone* zone = find_zone(instance.record.zone);
  if (!instance.joined) {
    const std::string address =
        fmt::format("{}:{}", machine_.address({zone->index, instance.record.slot}), kPort);
    instance.joined = front.balancer->join(instance.record.id(), address).has_value();
    return;
  }
  if (!front.seen) return;
  for (const balancer::Server& server : front.seen->servers) {
    if (server.name == instance.record.id() && server.state == balancer::ServerState::up)
      return enter(instance, InstanceState::in_service);
  }
}

void LocalCloud::Worker::watch(Instance& instance) {
  const isolation::State state = machine_.state(cell_of(instance));
  if (is_job(instance) && state.phase == Phase::exited && state.code == 0)
    return enter(instance, InstanceState::stopped);
  if (state.phase != Phase::running) return fail(instance, how_it_ended(state));
  if (is_job(instance)) return;
  const Front& front = fronts_[instance.record.service];
  if (!front.seen) return;
  for (const balancer::Server& server : front.seen->servers) {
    if (server.name != instance.record.id() || server.checked_at < instance.record.since) continue;
    const std::lock_guard lock(mutex_);
    instance.health = {std::min(server.checked_at, now()), server.last_check, server.failed_checks};
  }
}

// Out of rotation first, then its requests, then its process; then what it is to become.
void LocalCloud::Worker::drain(Instance& instance) {
  InstanceRecord& record = instance.record;
  Front& front = fronts_[record.service];
  if (instance.work) {
    if (!has_finished(instance)) return;
    const Work::Kind kind = instance.work->kind;
    const Result<void> ended = instance.work->result.get();
    instance.work.reset();
    if (kind == Work::Kind::end) {
      if (!ended) {
        const std::lock_guard lock(mutex_);
        record.why = first_fault(ended.error());
      } else if (leave_balancer(instance)) {
        if (record.afterwards == Afterwards::pool) return enter(instance, InstanceState::stopped);
        if (record.afterwards == Afterwards::inspect) return enter(instance, InstanceState::failed);
        return forget(instance);
      }
    }
  }
  const std::string cell = cell_of(instance);
  if (instance.joined && front.balancer && machine_.state(cell).phase == Phase::running) {
    if (!front.balancer->drain(record.id())) return;
    const Result<std::uint64_t> sessions = front.balancer->sessions(record.id());
    if (sessions && *sessions > 0 && now() < record.drains_until) return;
  }
  begin_work(instance, Work::Kind::end, [this, cell] { return machine_.terminate(cell, kGrace); });
}

// Stopped or failed: nothing of it runs or is listed.
void LocalCloud::Worker::clear(Instance& instance) {
  if (instance.work) {
    if (!has_finished(instance)) return;
    [[maybe_unused]] const auto ended = instance.work->result.get();
    instance.work.reset();
  }
  if (!leave_balancer(instance)) return;
  const std::string cell = cell_of(instance);
  if (machine_.state(cell).phase == Phase::absent) return;
  begin_work(instance, Work::Kind::end, [this, cell] { return machine_.terminate(cell, kGrace); });
}

bool LocalCloud::Worker::leave_balancer(Instance& instance) {
  if (!instance.joined) return true;
  Front& front = fronts_[instance.record.service];
  if (!front.balancer || !front.balancer->leave(instance.record.id(), Milliseconds(0))) return false;
  instance.joined = false;
  return true;
}

void LocalCloud::Worker::forget(Instance& instance) {
  const std::string id = instance.record.id();
  std::error_code ignored;
  std::filesystem::remove_all(instance_folder(folder_, instance.record), ignored);
  {
    const std::lock_guard lock(mutex_);
    if (auto removed = records_.remove(instance.record); !removed) {
      record_fault_ = first_fault(removed.error());
      return;  // once more in the next step
    }
    gone_.insert(instance.record.number);
    drills_.erase(id);
    [[maybe_unused]] const auto removed = records_.remove(DrillRecord{id, {}, {}});
  }
}

// Those that failed by themselves, and jobs that have ended, stay to be looked at, but not for ever.
void LocalCloud::Worker::forget_old_failures() {
  std::map<std::string, std::vector<Instance*>> failed;
  for (auto& [number, instance] : instances_) {
    const bool has_ended = instance.record.state == InstanceState::failed ||
                           (instance.record.state == InstanceState::stopped && is_job(instance));
    if (has_ended && !instance.work && !gone_.contains(number))
      failed[instance.record.service].push_back(&instance);
  }
  for (auto& [service, instances] : failed) {
    if (instances.size() <= kFailedKept) continue;
    std::sort(instances.begin(), instances.end(),
              [](const auto* a, const auto* b) { return a->record.since > b->record.since; });
    for (std::size_t k = kFailedKept; k < instances.size(); ++k) {
      if (!instances[k]->joined && machine_.state(cell_of(*instances[k])).phase == Phase::absent)
        forget(*instances[k]);
    }
  }
}

// ---- drills

void LocalCloud::Worker::keep_drills() {
  std::vector<DrillRecord> over;
  for (const auto& [subject, drill] : drills_) {
    if (now() >= drill.until) over.push_back(drill);
  }
  for (const DrillRecord& drill : over) {
    Result<void> ended;
    if (drill.what == "cut") {
      const Zone* zone = find_zone(drill.subject);
      if (zone != nullptr) ended = machine_.cut_zone(zone->index, false);
    } else if (const Instance* instance = find(drill.subject)) {
      const std::string cell = cell_of(*instance);
      ended = drill.what == "hang" ? machine_.unhang(cell) : machine_.resume(cell);
    }
    const std::lock_guard lock(mutex_);
    if (!ended) {
      record_fault_ = first_fault(ended.error());
      continue;
    }
    [[maybe_unused]] const auto removed = records_.remove(drill);
    drills_.erase(drill.subject);
  }
}

Result<void> LocalCloud::Worker::drill(const DrillRecord& drill, Trouble trouble) {
  const std::lock_guard stepping(step_mutex_);
  const bool ends = drill.until <= now();
  std::string cell;
  if (drill.what == "cut") {
    if (find_zone(drill.subject) == nullptr)
      return base::bad_input(fmt::format("there is no zone {}", drill.subject));
  } else {
    Instance* instance = find(drill.subject);
    if (instance == nullptr) return base::bad_input(fmt::format("there is no instance {}", drill.subject));
    cell = cell_of(*instance);
    if (machine_.state(cell).phase != Phase::running)
      return base::bad_input(fmt::format("{} does not run", drill.subject));
    if (trouble == Trouble::crash) return machine_.crash(cell);
  }
  {
    // Written down first: what this process does not live to undo, the next one does.
    const std::lock_guard lock(mutex_);
    if (!ends || drills_.contains(drill.subject)) {
      if (auto saved = records_.save(drill); !saved) return saved.error();
      drills_[drill.subject] = drill;
    }
  }
  if (ends) {
    keep_drills();
    return {};
  }
  if (drill.what == "cut") return machine_.cut_zone(find_zone(drill.subject)->index, true);
  return trouble == Trouble::hang ? machine_.hang(cell) : machine_.pause(cell);
}

// ---- for others

cloud::Observed LocalCloud::Worker::observe() {
  const std::lock_guard lock(mutex_);
  cloud::Observed seen;
  seen.instances_at = listed_at_;
  for (const auto& [number, instance] : instances_) {
    // Until the thread has looked at them, what is written is all that is known.
    if (!listed_at_ || gone_.contains(number)) continue;
    const InstanceRecord& record = instance.record;
    cloud::Instance shown;
    shown.id = record.id();
    shown.service = record.service;
    shown.version = record.version;
    shown.zone = record.zone;
    if (const Zone* zone = find_zone(record.zone))
      shown.address = fmt::format("{}:{}", machine_.address({zone->index, record.slot}), kPort);
    shown.state = record.state;
    shown.since = record.since;
    shown.started = record.started;
    shown.launched_by = record.token;
    shown.health = instance.health;
    shown.metrics = instance.metrics;
    seen.instances.push_back(std::move(shown));
  }
  std::sort(seen.instances.begin(), seen.instances.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  for (const Zone& zone : specification_.zones) seen.zones.push_back({zone.name, true});
  std::sort(seen.zones.begin(), seen.zones.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& [name, front] : fronts_) {
    if (front.metrics) seen.services.push_back(*front.metrics);
  }
  for (const auto& [token, ticket] : tickets_) seen.tickets.push_back(ticket.report);
  seen.at = now();
  return seen;
}

Result<void> LocalCloud::Worker::define(const Version& version) {
  const std::lock_guard lock(mutex_);
  if (const Version* known = find_version(version.service, version.name)) {
    if (*known == version) return {};
    return base::bad_input(fmt::format("{} has another version {} already", version.service, version.name));
  }
  if (auto saved = records_.save(version); !saved) return saved.error();
  versions_.push_back(version);
  return {};
}

std::vector<Version> LocalCloud::Worker::versions() {
  const std::lock_guard lock(mutex_);
  return versions_;
}

std::vector<Details> LocalCloud::Worker::details() {
  const std::lock_guard lock(mutex_);
  std::vector<Details> all;
  for (const auto& [number, instance] : instances_) {
    Details shown;
    shown.id = instance.record.id();
    shown.why = instance.record.why;
    shown.memory_bytes = instance.usage.memory_bytes;
    shown.processes = instance.usage.processes;
    shown.log = instance_folder(folder_, instance.record) / "log";
    if (const auto drill = drills_.find(shown.id); drill != drills_.end())
      shown.trouble = drill->second.what == "hang" ? Trouble::hang : Trouble::pause;
    all.push_back(std::move(shown));
  }
  return all;
}

std::vector<std::string> LocalCloud::Worker::cut_zones() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> zones;
  for (const auto& [subject, drill] : drills_) {
    if (drill.what == "cut") zones.push_back(subject);
  }
  return zones;
}

Result<void> LocalCloud::Worker::change(Specification specification) {
  const std::lock_guard stepping(step_mutex_);
  for (const Zone& zone : specification.zones) {
    if (auto made = machine_.make_zone(zone.index); !made) return made.error();
  }
  std::vector<Service> gone;
  {
    const std::lock_guard lock(mutex_);
    for (const Service& service : specification_.services) {
      const bool stays = std::any_of(specification.services.begin(), specification.services.end(),
                                     [&](const Service& other) { return other.name == service.name; });
      if (!stays) gone.push_back(service);
    }
  }
  for (const Service& service : gone) {
    {
      const std::lock_guard lock(mutex_);
      fronts_.erase(service.name);  // its connections would hold the balancer up
    }
    const auto stopped = balancer::stop(settings_of(service), kBalancerGrace);
    if (!stopped) return stopped.error();
    std::error_code ignored;
    std::filesystem::remove_all(settings_of(service).folder, ignored);
    std::filesystem::remove_all(settings_of(service).sockets, ignored);
  }
  {
    const std::lock_guard lock(mutex_);
    specification_ = std::move(specification);
  }
  for (const Service& service : specification_.services) {
    if (service.is_job) continue;
    if (auto raised = raise(service); !raised) return raised.error();
  }
  return {};
}

Result<void> LocalCloud::Worker::remove(bool volumes) {
  stop_ = true;
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard stepping(step_mutex_);
  base::Error error{base::ErrorKind::unavailable, {}};
  const auto take = [&](const Result<void>& done) {
    if (!done)
      error.faults.insert(error.faults.end(), done.error().faults.begin(), done.error().faults.end());
  };
  // Balancers first: nobody is sent to what is ending.
  for (const Service& service : specification_.services) {
    fronts_.erase(service.name);
    take(balancer::stop(settings_of(service), kBalancerGrace));
  }
  std::vector<std::future<Result<void>>> ending;
  for (auto& [number, instance] : instances_) {
    if (instance.work) instance.work->result.wait();
    ending.push_back(std::async(
        std::launch::async, [this, cell = cell_of(instance)] { return machine_.terminate(cell, kGrace); }));
  }
  for (auto& ended : ending) take(ended.get());
  adopt_strangers();
  for (const Zone& zone : specification_.zones) take(machine_.remove_zone(zone.index));
  if (!error.faults.empty()) return error;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, failed)) {
    if (!volumes && entry.path().filename() == "volumes") continue;
    std::filesystem::remove_all(entry.path(), failed);
  }
  std::filesystem::remove(folder_, failed);  // where it is empty
  std::filesystem::remove_all(sockets_, failed);
  return {};
}

}  // namespace headroom::cloud_local
