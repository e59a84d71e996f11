// The part of Worker that concerns balancers, and what is measured through them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cloud_local/worker.hpp"
#include "telemetry/histogram.hpp"

namespace headroom::cloud_local {
namespace {

using base::Milliseconds;
using base::Nanoseconds;
using base::Result;

// The last requests of a period are in the log of requests by then.
constexpr Milliseconds kLogLag{2'000};

std::int64_t counter_of(const balancer::Seen& seen) { return seen.started.count(); }

Nanoseconds steady() {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

balancer::Settings LocalCloud::Worker::settings_of(const Service& service) const {
  balancer::Settings settings;
  settings.service = service.name;
  settings.folder = folder_ / "balancers" / service.name;
  settings.sockets = sockets_ / service.name;
  if (service.listen) settings.binds.push_back(*service.listen);
  for (const Zone& zone : specification_.zones) {
    const balancer::Bind inner{machine_.gateway(zone.index), service.internal_port, {}};
    if (std::find(settings.binds.begin(), settings.binds.end(), inner) == settings.binds.end())
      settings.binds.push_back(inner);
  }
  settings.health = service.health;
  settings.algorithm = service.algorithm;
  return settings;
}

LocalCloud::Worker::Front* LocalCloud::Worker::find_front(const std::string& service) {
  const auto found = fronts_.find(service);
  return found == fronts_.end() ? nullptr : &found->second;
}

Result<void> LocalCloud::Worker::raise(const Service& service) {
  const balancer::Settings settings = settings_of(service);
  Result<balancer::Balancer> balancer = balancer::Balancer::start(settings);
  const std::lock_guard lock(mutex_);
  Front& front = fronts_[service.name];
  front.fault.clear();
  if (!balancer) {
    front.fault = balancer.error().faults.front().what;
    return balancer.error();
  }
  front.balancer.emplace(std::move(*balancer));
  if (!front.log) {
    // Without it there are no percentiles, and everything else goes on.
    if (Result<balancer::RequestLog> log = balancer::RequestLog::open(settings)) {
      front.log.emplace(std::move(*log));
    } else {
      front.fault = log.error().faults.front().what;
    }
  }
  return {};
}

void LocalCloud::Worker::look_at_balancers() {
  for (const Service& service : specification_.services) {
    if (service.is_job) continue;
    if (Front* front = find_front(service.name)) {
      front->seen.reset();
      if (front->balancer) {
        if (Result<balancer::Seen> seen = front->balancer->observe()) {
          front->seen = std::move(*seen);
          continue;
        }
      }
    }
    [[maybe_unused]] const auto raised = raise(service);  // what hinders it is kept
  }
}

void LocalCloud::Worker::measure() {
  const Milliseconds period = specification_.metric_period;
  const Milliseconds end = Milliseconds(now().count() / period.count() * period.count());
  for (auto& [name, front] : fronts_) {
    if (front.log) {
      for (balancer::Second& second : front.log->take(now())) front.seconds.push_back(std::move(second));
      while (!front.seconds.empty() && front.seconds.front().at < end - 2 * period - kLogLag)
        front.seconds.pop_front();
    }
    if (!front.waiting || now() < front.waiting->end + kLogLag) continue;
    telemetry::Histogram latency;
    for (const balancer::Second& second : front.seconds) {
      if (second.at >= front.waiting->end - front.waiting->length && second.at < front.waiting->end)
        latency.merge(second.latency_ms);
    }
    if (const auto p95 = latency.quantile(0.95)) front.waiting->p95 = Milliseconds(std::llround(*p95));
    const std::lock_guard lock(mutex_);
    front.metrics = std::exchange(front.waiting, std::nullopt);
  }
  if (end <= period_end_) return;
  period_end_ = end;

  for (auto& [name, front] : fronts_) {
    if (!front.seen) continue;
    const Front::Totals totals{end, steady(), front.seen->requests,
                               front.seen->server_errors + front.seen->balancer_errors,
                               counter_of(*front.seen)};
    const std::optional<Front::Totals> before = std::exchange(front.totals, totals);
    const bool follows = before && before->end == end - period && before->counter_of == totals.counter_of &&
                         before->requests <= totals.requests && before->failed <= totals.failed;
    if (!follows) continue;
    const double seconds = static_cast<double>((totals.at - before->at).count()) / 1e9;
    cloud::ServiceMetrics metrics;
    metrics.service = name;
    metrics.end = end;
    metrics.length = period;
    metrics.requests = base::per_second(static_cast<double>(totals.requests - before->requests) / seconds);
    metrics.failed = base::per_second(static_cast<double>(totals.failed - before->failed) / seconds);
    front.waiting = std::move(metrics);
  }
  for (auto& [number, instance] : instances_) {
    if (instance.record.state != cloud::InstanceState::in_service) continue;
    const Version* version = find_version(instance.record.service, instance.record.version);
    if (version == nullptr) continue;
    const isolation::Usage usage = machine_.usage(cell_of(instance));
    Reading reading;
    reading.at = steady();
    reading.cpu = usage.cpu;
    const Front* front = find_front(instance.record.service);
    if (front != nullptr && front->seen) {
      reading.counter_of = counter_of(*front->seen);
      for (const balancer::Server& server : front->seen->servers) {
        if (server.name == instance.record.id()) reading.requests = server.requests;
      }
    }
    const auto metrics = instance.meter.turn(end, period, reading, version->cores);
    const std::lock_guard lock(mutex_);
    instance.usage = usage;
    // Nothing is shown of the time before it served.
    if (metrics && metrics->end - metrics->length >= instance.record.since) instance.metrics = metrics;
  }
}

}  // namespace headroom::cloud_local
