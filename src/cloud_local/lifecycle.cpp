// The part of Worker that takes one instance a step nearer to what is wanted of it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "cloud_local/cell_of.hpp"
#include "cloud_local/worker.hpp"

namespace headroom::cloud_local {
namespace {

using base::Milliseconds;
using base::Result;
using cloud::Afterwards;
using cloud::InstanceState;
using isolation::Phase;

constexpr std::size_t kFailedKept = 3;

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

}  // namespace

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

void LocalCloud::Worker::begin_work(Instance& instance, std::function<Result<void>()> work) {
  instance.work = std::async(std::launch::async, std::move(work));
}

void LocalCloud::Worker::begin_to_end(Instance& instance) {
  begin_work(instance, [this, cell = cell_of(instance)] { return machine_.terminate(cell, kGrace); });
}

// An end that failed is tried again; `why` is not touched, which says for what reason it is to end.
void LocalCloud::Worker::note_end(Instance& instance) {
  if (!instance.work.valid()) return;
  const Result<void> ended = instance.work.get();
  const std::lock_guard lock(mutex_);
  instance.fault = ended ? std::string() : ended.error().faults.front().what;
}

bool LocalCloud::Worker::is_at_work(const Instance& instance) {
  return instance.work.valid() &&
         instance.work.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

// Requires: the mutex.
void LocalCloud::Worker::has_entered(Instance& instance, InstanceState state) {
  instance.health.reset();
  if (state != InstanceState::in_service) instance.metrics.reset();
}

void LocalCloud::Worker::enter(Instance& instance, InstanceState state) {
  const std::lock_guard lock(mutex_);
  instance.record.state = state;
  instance.record.since = now();
  has_entered(instance, state);
  wrote(records_.save(instance.record));
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
  if (!has_volume(instance) || is_at_work(instance)) return;
  const bool was_started = instance.work.valid();
  if (was_started) {
    if (const Result<void> started = instance.work.get(); !started)
      return fail(instance, started.error().faults.front().what);
  }
  const isolation::State state = machine_.state(cell_of(instance));
  // A job can have ended before this look.
  if (state.phase == Phase::running || (was_started && is_job(instance)))
    return enter(instance, InstanceState::warming);
  if (was_started) return fail(instance, how_it_ended(state) + " before it served");
  const Version* version = find_version(instance.record.service, instance.record.version);
  if (version == nullptr)
    return fail(instance, fmt::format("there is no version {}", instance.record.version));
  begin_work(
      instance,
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
    if (record.state == InstanceState::draining || (other.work.valid() && &other != &instance)) return false;
    if (record.volume && record.state != InstanceState::stopped && record.state != InstanceState::failed)
      taken.insert(*record.volume);
  }
  const std::lock_guard lock(mutex_);
  instance.record.volume = lowest_free(taken);
  wrote(records_.save(instance.record));
  return true;
}

void LocalCloud::Worker::warm(Instance& instance) {
  if (is_job(instance)) return enter(instance, InstanceState::in_service);
  const isolation::State state = machine_.state(cell_of(instance));
  if (state.phase != Phase::running) return fail(instance, how_it_ended(state) + " before it served");
  Front* front = find_front(instance.record.service);
  if (front == nullptr || !front->balancer) return;
  const Zone* zone = find_zone(instance.record.zone);
  if (!instance.joined) {
    const std::string address =
        fmt::format("{}:{}", machine_.address({zone->index, instance.record.slot}), kPort);
    instance.joined = front->balancer->join(instance.record.id(), address).has_value();
    return;
  }
  if (!front->seen) return;
  for (const balancer::Server& server : front->seen->servers) {
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
  const Front* front = find_front(instance.record.service);
  if (front == nullptr || !front->seen) return;
  for (const balancer::Server& server : front->seen->servers) {
    if (server.name != instance.record.id() || server.checked_at < instance.record.since) continue;
    const std::lock_guard lock(mutex_);
    instance.health = {std::min(server.checked_at, now()), server.last_check, server.failed_checks};
  }
}

// Out of rotation first, then its requests, then its process; then what it is to become.
void LocalCloud::Worker::drain(Instance& instance) {
  InstanceRecord& record = instance.record;
  if (is_at_work(instance)) return;
  note_end(instance);
  const Phase phase = machine_.state(cell_of(instance)).phase;
  if (phase == Phase::absent) {
    if (!leave_balancer(instance)) return;
    if (record.afterwards == Afterwards::pool) return enter(instance, InstanceState::stopped);
    if (record.afterwards == Afterwards::inspect) return enter(instance, InstanceState::failed);
    return forget(instance);
  }
  Front* front = find_front(record.service);
  if (instance.joined && phase == Phase::running && front != nullptr && front->balancer) {
    if (!front->balancer->drain(record.id())) return;
    const Result<std::uint64_t> sessions = front->balancer->sessions(record.id());
    if (sessions && *sessions > 0 && now() < record.drains_until) return;
  }
  begin_to_end(instance);
}

// Stopped or failed: nothing of it runs or is listed.
void LocalCloud::Worker::clear(Instance& instance) {
  if (is_at_work(instance)) return;
  note_end(instance);
  if (!leave_balancer(instance)) return;
  if (machine_.state(cell_of(instance)).phase != Phase::absent) begin_to_end(instance);
}

bool LocalCloud::Worker::leave_balancer(Instance& instance) {
  if (!instance.joined) return true;
  Front* front = find_front(instance.record.service);
  if (front == nullptr || !front->balancer) return false;
  if (!front->balancer->leave(instance.record.id(), Milliseconds(0))) return false;
  instance.joined = false;
  return true;
}

void LocalCloud::Worker::forget(Instance& instance) {
  std::error_code ignored;
  std::filesystem::remove_all(instance_folder(folder_, instance.record), ignored);
  const std::lock_guard lock(mutex_);
  if (!wrote(records_.remove(instance.record))) return;  // once more in the next step
  gone_.insert(instance.record.number);
  if (drills_.erase(instance.record.id()) > 0) wrote(records_.remove(DrillRecord{instance.record.id()}));
}

// Those that failed by themselves, and jobs that have ended, stay to be looked at, but not for ever.
void LocalCloud::Worker::forget_old_failures() {
  std::map<std::string, std::vector<Instance*>> failed;
  for (auto& [number, instance] : instances_) {
    const bool has_ended = instance.record.state == InstanceState::failed ||
                           (instance.record.state == InstanceState::stopped && is_job(instance));
    if (has_ended && !instance.work.valid() && !gone_.contains(number))
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

}  // namespace headroom::cloud_local
