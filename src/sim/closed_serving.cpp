#include "sim/closed_serving.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "sim/strength.hpp"

namespace headroom::sim {
namespace {

constexpr float kFullPercent = 100;
// No answer takes less, or a user who does not think would ask a service that costs nothing endlessly in no
// time.
constexpr double kLeastAnswerSeconds = 0.001;

Nanoseconds nanoseconds(double seconds) {
  return Nanoseconds(static_cast<std::int64_t>(std::ceil(seconds * 1e9)));
}

SharedShape shape_of(const ServingSettings& settings) {
  const double cores = settings.cpu.value();
  SharedShape shape;
  shape.request_core_seconds = settings.capacity.slope_percent_per_rps / 100 * cores;
  shape.background_cores = settings.capacity.intercept_percent / 100 * cores;
  shape.alone_seconds = shape.request_core_seconds / std::min(1.0, cores);
  if (settings.capacity.queue) shape.longest_wait = *settings.capacity.queue;
  return shape;
}

Nanoseconds elsewhere(const ServingSettings& settings, const SharedShape& shape) {
  const auto& latency = settings.capacity.latency;
  const double measured_seconds = latency.empty() ? 0 : latency.front().p50_ms / 1000;
  const double answer_seconds = std::max(measured_seconds, kLeastAnswerSeconds);
  return nanoseconds(std::max(0.0, answer_seconds - shape.alone_seconds));
}

}  // namespace

ClosedServing::ClosedServing(const ServingSettings& settings)
    : settings_(settings),
      shape_(shape_of(settings)),
      elsewhere_(elsewhere(settings, shape_)),
      users_(std::get<workload::Closed>(settings.traffic), settings.seed) {}

ServedTick ClosedServing::tick(std::span<const Server> servers) {
  const Nanoseconds begin = tick_ * Nanoseconds(settings_.tick);
  const Nanoseconds end = begin + settings_.tick;
  ++tick_;
  sent_ = answered_ = failed_ = 0;
  latency_ms_ = {};
  change(servers, begin);

  for (;;) {
    // What servers do comes before what users do at the same time, servers in the order of their numbers.
    Host* first = nullptr;
    Nanoseconds at = kNever;
    for (auto& [id, host] : hosts_) {
      if (host.processor.next() >= at) continue;
      at = host.processor.next();
      first = &host;
    }
    const Nanoseconds users = users_.next();
    // Who sends at the end of the tick meets the servers of the next one.
    if (std::min(at, users) >= end) break;
    if (at <= users) {
      pass(*first, at);
    } else if (const auto user = users_.happen()) {
      send(*user, users);
    }
  }

  for (auto& [id, host] : hosts_) pass(host, end);

  ServedTick served;
  served.servers.resize(servers.size());
  const double length = base::seconds(settings_.tick);
  std::size_t waiting = 0;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    Host& host = hosts_.find(servers[i].id)->second;
    ServerOutcome& outcome = served.servers[i];
    outcome.id = servers[i].id;
    const double percent =
        host.processor.processor().percent(host.processor.take_used_core_seconds() / length);
    outcome.cpu_percent = static_cast<float>(percent);
    if (!host.processor.processor().of_baseline()) {
      outcome.cpu_percent = std::min(outcome.cpu_percent, kFullPercent);
    }
    served.receiving += host.receives ? 1 : 0;
    served.answering += host.receives && servers[i].condition == Condition::works ? 1 : 0;
    if (host.receives) served.cpu_percent += double{outcome.cpu_percent};
    outcome.requests_per_second = static_cast<float>(static_cast<double>(host.sent) / length);
    outcome.failed_per_second = static_cast<double>(host.failed) / length;
    outcome.waiting = static_cast<double>(host.processor.waiting());
    waiting += host.processor.waiting();
  }
  if (served.receiving > 0) served.cpu_percent /= served.receiving;
  served.offered_per_second = static_cast<double>(sent_) / length;
  served.served_per_second = static_cast<double>(answered_) / length;
  served.failed_per_second = static_cast<double>(failed_) / length;
  served.p50_ms = latency_ms_.quantile(0.50);
  served.p95_ms = latency_ms_.quantile(0.95);
  served.p99_ms = latency_ms_.quantile(0.99);
  served.stage = users_.stage();
  served.over = users_.over() && waiting == 0;
  return served;
}

// Who is there in this tick, and what is the matter with whom. In the order of numbers, whatever order they
// are named in.
void ClosedServing::change(std::span<const Server> servers, Nanoseconds now) {
  std::vector<Server> named(servers.begin(), servers.end());
  std::sort(named.begin(), named.end(), [](const Server& a, const Server& b) { return a.id < b.id; });
  for (auto host = hosts_.begin(); host != hosts_.end();) {
    const auto place = std::lower_bound(named.begin(), named.end(), host->first,
                                        [](const Server& server, std::int64_t id) { return server.id < id; });
    if (place != named.end() && place->id == host->first) {
      ++host;
      continue;
    }
    while (host->second.processor.waiting() > 0) leave(nullptr, host->second.processor.fail_oldest(), now);
    host = hosts_.erase(host);
  }
  const double strength_now =
      strength(settings_.capacity.noise, settings_.seed,
               settings_.start + std::chrono::duration_cast<base::Milliseconds>(now), settings_.tick);
  for (const Server& server : named) {
    const Processor fresh(settings_.cpu, settings_.credits);
    Host& host = hosts_.try_emplace(server.id, Host{SharedProcessor(shape_, fresh, now)}).first->second;
    host.receives = server.receives;
    host.sent = host.failed = 0;
    const Condition before = std::exchange(host.condition, server.condition);
    const bool loses = refuses(host) || has_lost(before, host.condition);
    while (loses && host.processor.waiting() > 0) leave(&host, host.processor.fail_oldest(), now);
    host.processor.set_hung(server.condition != Condition::works);
    host.processor.set_strength(strength_now);
  }
}

bool ClosedServing::refuses(const Host& host) const {
  return host.condition == Condition::restarts || (host.condition == Condition::hung && !shape_.longest_wait);
}

void ClosedServing::send(std::size_t user, Nanoseconds now) {
  ++sent_;
  const auto receives = [](const auto& entry) { return entry.second.receives; };
  auto turn = last_ ? hosts_.upper_bound(*last_) : hosts_.begin();
  turn = std::find_if(turn, hosts_.end(), receives);
  if (turn == hosts_.end()) turn = std::find_if(hosts_.begin(), hosts_.end(), receives);
  if (turn == hosts_.end()) {
    ++failed_;
    users_.refused(user, now);
    return;
  }
  last_ = turn->first;
  Host& host = turn->second;
  ++host.sent;
  if (refuses(host)) {
    ++host.failed;
    ++failed_;
    users_.refused(user, now);
    return;
  }
  pass(host, now);
  host.processor.send(user, now);
}

void ClosedServing::pass(Host& host, Nanoseconds now) {
  while (const auto left = host.processor.pass(now)) leave(&host, *left, now);
}

void ClosedServing::leave(Host* host, const SharedProcessor::Left& left, Nanoseconds now) {
  if (!left.answered) {
    ++failed_;
    if (host != nullptr) ++host->failed;
    if (now > left.sent) {
      users_.went(left.user, now);
    } else {
      users_.refused(left.user, now);
    }
    return;
  }
  ++answered_;
  const Nanoseconds got = now + elsewhere_;
  latency_ms_.add(static_cast<double>((got - left.sent).count()) / 1e6);
  users_.went(left.user, got);
}

}  // namespace headroom::sim
