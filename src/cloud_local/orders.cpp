// The part of Worker that concerns orders: what was submitted, written down and is carried out.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "cloud_local/worker.hpp"

namespace headroom::cloud_local {
namespace {

using base::Milliseconds;
using base::Result;
using cloud::Afterwards;
using cloud::InstanceState;
using cloud::TicketState;

constexpr Milliseconds kTicketsKept{3'600'000 + 60'000};
constexpr Milliseconds kTicketsForgottenEvery{60'000};

}  // namespace

int lowest_free(std::set<int>& taken) {
  int free = 0;
  while (taken.contains(free)) ++free;
  taken.insert(free);
  return free;
}

cloud::Ticket LocalCloud::Worker::submit(const cloud::Action& action) {
  const std::lock_guard lock(mutex_);
  if (tickets_.contains(action.token)) return {action.token};
  TicketRecord ticket{action, {{action.token}, TicketState::pending, now(), 0, "", false}};
  if (auto saved = records_.save(ticket); !saved) {
    ticket.report.state = TicketState::failed;
    ticket.report.why = saved.error().faults.front().what;
    ticket.report.retriable = true;
  }
  tickets_.emplace(action.token, std::move(ticket));
  is_asked_ = true;
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

void LocalCloud::Worker::finish(TicketRecord& ticket, TicketState state, std::string why) {
  const std::lock_guard lock(mutex_);
  ticket.report.state = state;
  ticket.report.since = now();
  ticket.report.why = std::move(why);
  if (state == TicketState::failed) ticket.report.affected = 0;
  // Where this is lost, the order is carried out again by the next process, and has no further effect.
  wrote(records_.save(ticket));
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

  TicketRecord next = ticket;
  next.report.state = count == launch.count ? TicketState::done : TicketState::failed;
  next.report.since = now();
  next.report.affected = count;
  if (count < launch.count) {
    next.report.retriable = true;
    next.report.why = fmt::format(
        "{:g} of the {:g} cores of this machine are promised to instances, and zone {} has {} of {}",
        promised, machine_cores, launch.zone, slots.size(), isolation::kSlotsMost);
  }
  const std::lock_guard lock(mutex_);
  // Where it cannot be written down, the next step tries it again: a disk that is full now may not be then.
  Result<store::Transaction> change = records_.begin();
  if (!change) {
    wrote(change.error());
    return;
  }
  std::vector<InstanceRecord> launched;
  for (int k = 0; k < count; ++k) {
    InstanceRecord record;
    record.service = launch.service;
    record.version = launch.version;
    record.zone = launch.zone;
    record.slot = lowest_free(slots);
    record.since = record.started = now();
    record.token = ticket.action.token;
    record.boots_until = now() + version->boot;
    if (!wrote(records_.add(record))) return;
    launched.push_back(std::move(record));
  }
  if (!wrote(records_.save(next)) || !wrote(change->commit())) return;
  ticket = std::move(next);
  for (InstanceRecord& record : launched) instances_[record.number].record = std::move(record);
}

// What an order and its instance become: both or nothing, on disk and in memory. Where it is nothing, the
// next step tries it again.
bool LocalCloud::Worker::write(TicketRecord& ticket, TicketRecord next_ticket, Instance& instance,
                               InstanceRecord next_record) {
  const std::lock_guard lock(mutex_);
  Result<store::Transaction> change = records_.begin();
  if (!change) return wrote(change.error());
  if (!wrote(records_.save(next_record)) || !wrote(records_.save(next_ticket)) || !wrote(change->commit()))
    return false;
  if (next_record.state != instance.record.state) has_entered(instance, next_record.state);
  instance.record = std::move(next_record);
  ticket = std::move(next_ticket);
  return true;
}

void LocalCloud::Worker::carry_out(TicketRecord& ticket, const cloud::Start& start) {
  Instance* instance = find(start.instance);
  if (instance == nullptr)
    return finish(ticket, TicketState::failed, fmt::format("there is no instance {}", start.instance));
  if (instance->record.state != InstanceState::stopped) {
    return finish(ticket, TicketState::failed,
                  fmt::format("{} is {}, not stopped", start.instance, to_string(instance->record.state)));
  }
  if (instance->work.valid()) return;  // what it was is still being removed
  InstanceRecord record = instance->record;
  record.state = InstanceState::launching;
  record.since = record.started = record.boots_until = now();
  TicketRecord done = ticket;
  done.report.state = TicketState::done;
  done.report.since = now();
  done.report.affected = 1;
  write(ticket, std::move(done), *instance, std::move(record));
}

void LocalCloud::Worker::carry_out(TicketRecord& ticket, const cloud::Retire& retire) {
  Instance* instance = find(retire.instance);
  const bool is_under_way = ticket.report.affected > 0;  // since an earlier step
  if (instance == nullptr) {
    if (is_under_way) return finish(ticket, TicketState::done);
    return finish(ticket, TicketState::failed, fmt::format("there is no instance {}", retire.instance));
  }
  InstanceRecord record = instance->record;
  const bool rests = record.state == InstanceState::stopped || record.state == InstanceState::failed;
  if (is_under_way) {
    if (rests) finish(ticket, TicketState::done);
    return;
  }
  if (retire.afterwards == Afterwards::pool && record.state == InstanceState::failed) {
    return finish(ticket, TicketState::failed,
                  fmt::format("{} has failed and is not used again", retire.instance));
  }
  TicketRecord next = ticket;
  next.report.affected = 1;
  if (rests && retire.afterwards != Afterwards::gone) {
    // Nothing of it runs: it is only called otherwise.
    next.report.state = TicketState::done;
    next.report.since = now();
    if (retire.afterwards == Afterwards::inspect && record.state == InstanceState::stopped) {
      record.state = InstanceState::failed;
      record.since = now();
      record.why = ticket.action.why;
    }
  } else {
    const Milliseconds until = now() + retire.drain;
    const bool drains = record.state == InstanceState::draining;
    record.drains_until = drains ? std::min(record.drains_until, until) : until;
    record.afterwards = retire.afterwards;
    if (retire.afterwards == Afterwards::inspect) record.why = ticket.action.why;
    if (!drains) record.since = now();
    record.state = InstanceState::draining;
  }
  write(ticket, std::move(next), *instance, std::move(record));
}

// Requires: the mutex.
void LocalCloud::Worker::forget_old_tickets() {
  if (now() - tickets_forgotten_at_ < kTicketsForgottenEvery) return;
  tickets_forgotten_at_ = now();
  const Milliseconds then = now() - kTicketsKept;
  wrote(records_.remove_tickets_before(then));
  std::erase_if(tickets_, [&](const auto& each) {
    return each.second.report.state != TicketState::pending && each.second.report.since < then;
  });
}

}  // namespace headroom::cloud_local
