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

// How often the thread looks at everything, while something changes and while nothing does. A second is a
// multiple of both: what is measured at the end of a metric period is measured on time.
constexpr Milliseconds kPace{200};
constexpr Milliseconds kPaceAtRest{500};
constexpr Milliseconds kBalancerGrace{2'000};

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
  remove_unknown_cells();
  compare_with_balancers();
  thread_ = std::thread([this] { run(); });
  return {};
}

// What an earlier process has made and not written down, or written off and not removed.
void LocalCloud::Worker::remove_unknown_cells() {
  for (const std::string& name : machine_.found()) {
    const bool ours =
        std::any_of(specification_.zones.begin(), specification_.zones.end(),
                    [&](const Zone& zone) { return name.ends_with(fmt::format("-z{}", zone.index)); });
    const bool known = std::any_of(instances_.begin(), instances_.end(),
                                   [&](const auto& each) { return cell_of(each.second) == name; });
    if (ours && !known) [[maybe_unused]]
      const auto removed = machine_.remove(name);
  }
}

// The balancers have gone on meanwhile: which instances they have, and none that is gone.
void LocalCloud::Worker::compare_with_balancers() {
  for (auto& [name, front] : fronts_) {
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
    const Milliseconds pace = is_at_rest() ? kPaceAtRest : kPace;
    wake_.wait_for(lock, pace - now() % pace, [&] { return stop_.load() || is_asked_; });
    is_asked_ = false;
  }
}

// Requires: the mutex.
bool LocalCloud::Worker::is_at_rest() const {
  if (!drills_.empty()) return false;
  for (const auto& [number, instance] : instances_) {
    const cloud::InstanceState state = instance.record.state;
    if (state == cloud::InstanceState::launching || state == cloud::InstanceState::warming ||
        state == cloud::InstanceState::draining || (instance.health && !instance.health->healthy()))
      return false;
  }
  return std::all_of(fronts_.begin(), fronts_.end(),
                     [](const auto& front) { return front.second.seen.has_value(); });
}

void LocalCloud::Worker::step() {
  look_at_balancers();
  end_drills_that_are_over();
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
  forget_old_tickets();
}

// Requires: the mutex.
bool LocalCloud::Worker::wrote(const Result<void>& written) {
  record_fault_ = written ? std::string() : written.error().faults.front().what;
  return written.has_value();
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
  const std::lock_guard stepping(step_mutex_);
  const std::lock_guard lock(mutex_);
  if (const Version* known = find_version(version.service, version.name)) {
    if (*known == version) return {};
    return base::bad_input(fmt::format("{} has another version {} already", version.service, version.name));
  }
  if (auto saved = records_.save(version); !saved) return saved.error();
  versions_.push_back(version);
  return {};
}

Result<void> LocalCloud::Worker::keep_versions(const std::string& service,
                                               const std::set<std::string>& names) {
  const std::lock_guard stepping(step_mutex_);
  const std::lock_guard lock(mutex_);
  std::set<std::string> kept = names;
  for (const auto& [number, instance] : instances_) {
    if (instance.record.service == service) kept.insert(instance.record.version);
  }
  // An order that waits may launch its version yet.
  for (const auto& [token, ticket] : tickets_) {
    const auto* launch = std::get_if<cloud::Launch>(&ticket.action.what);
    if (launch != nullptr && launch->service == service && ticket.report.state == cloud::TicketState::pending)
      kept.insert(launch->version);
  }
  for (auto version = versions_.begin(); version != versions_.end();) {
    if (version->service != service || kept.contains(version->name)) {
      ++version;
      continue;
    }
    if (auto removed = records_.remove(*version); !removed) return removed.error();
    version = versions_.erase(version);
  }
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
      shown.trouble = drill->second.trouble;
    all.push_back(std::move(shown));
  }
  return all;
}

std::vector<std::string> LocalCloud::Worker::hindrances() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  if (!record_fault_.empty())
    all.push_back(fmt::format("what happens cannot be written down: {}", record_fault_));
  for (const auto& [service, front] : fronts_) {
    if (!front.fault.empty()) all.push_back(fmt::format("the balancer of {}: {}", service, front.fault));
  }
  for (const auto& [number, instance] : instances_) {
    if (!instance.fault.empty())
      all.push_back(fmt::format("{} does not end: {}", instance.record.id(), instance.fault));
  }
  return all;
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
    {
      const std::lock_guard lock(mutex_);
      fronts_.erase(service.name);
    }
    take(balancer::stop(settings_of(service), kBalancerGrace));
  }
  std::vector<std::future<Result<void>>> ending;
  for (auto& [number, instance] : instances_) {
    if (instance.work.valid()) instance.work.wait();
    ending.push_back(std::async(
        std::launch::async, [this, cell = cell_of(instance)] { return machine_.terminate(cell, kGrace); }));
  }
  for (auto& ended : ending) take(ended.get());
  remove_unknown_cells();
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
