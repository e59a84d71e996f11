#include "sim/open_serving.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "capacity/evaluate.hpp"
#include "sim/strength.hpp"

namespace headroom::sim {
namespace {

using capacity::Quantile;

constexpr float kFullPercent = 100;  // a meter shows no more

// Answers of one server: those that waited alike, at its utilisation.
struct Answers {
  Waited waited;
  base::Percent utilisation;
};

// Requests whose latency is evenly spread between two values.
struct Spread {
  double from_ms = 0;
  double to_ms = 0;
  double requests = 0;
};

// The latency that so many of all requests do not exceed, in a mixture of even spreads.
double quantile_ms(const std::vector<Spread>& spreads, double share) {
  double low = spreads.front().from_ms;
  double high = spreads.front().to_ms;
  double requests = 0;
  for (const Spread& spread : spreads) {
    low = std::min(low, spread.from_ms);
    high = std::max(high, spread.to_ms);
    requests += spread.requests;
  }
  const auto up_to = [&](double ms) {
    double sum = 0;
    for (const Spread& s : spreads) {
      if (ms >= s.to_ms) {
        sum += s.requests;
      } else if (ms > s.from_ms) {
        sum += s.requests * (ms - s.from_ms) / (s.to_ms - s.from_ms);
      }
    }
    return sum;
  };
  // Halved until it is known to a part in 10^12 of the range; where all took the same time there is no range.
  for (int halving = 0; halving < 40 && low < high; ++halving) {
    const double middle = 0.5 * (low + high);
    (up_to(middle) >= share * requests ? high : low) = middle;
  }
  return high;
}

// The quantile of the capacity model for each server, and over all of them the same quantile of the wait.
std::optional<double> latency_ms(const capacity::CapacityModel& model, const std::vector<Answers>& answers,
                                 Quantile quantile, double share) {
  if (answers.empty() || model.latency.empty()) return std::nullopt;
  std::vector<Spread> spreads;
  for (const Answers& some : answers) {
    const double served = capacity::latency_ms(model, quantile, some.utilisation)->milliseconds;
    const double from = served + 1000 * some.waited.from_seconds;
    const double to = served + 1000 * some.waited.to_seconds;
    spreads.push_back({std::min(from, to), std::max(from, to), some.waited.requests});
  }
  return quantile_ms(spreads, share);
}

}  // namespace

OpenServing::OpenServing(ServingSettings settings) : settings_(std::move(settings)) {
  const double cores = settings_.cpu.value();
  shape_.request_core_seconds = settings_.capacity.slope_percent_per_rps / 100 * cores;
  shape_.background_cores = settings_.capacity.intercept_percent / 100 * cores;
  shape_.longest_wait_seconds = settings_.capacity.queue ? base::seconds(*settings_.capacity.queue) : 0;
  shape_.tick_seconds = base::seconds(settings_.tick);
}

ServedTick OpenServing::tick(std::span<const Server> servers) {
  const base::Series& traffic = std::get<base::Series>(settings_.traffic);
  const double offered = tick_ < traffic.size() ? traffic.values[tick_] : 0;
  const double strength_now =
      strength(settings_.capacity.noise, settings_.seed,
               settings_.start + static_cast<std::int64_t>(tick_) * settings_.tick, settings_.tick);
  ++tick_;
  const double length = shape_.tick_seconds;

  // By number, so that sums do not depend on the order in which servers are named.
  std::vector<std::pair<std::int64_t, std::size_t>> named;
  for (std::size_t i = 0; i < servers.size(); ++i) named.emplace_back(servers[i].id, i);
  std::sort(named.begin(), named.end());

  double failed = 0;  // requests
  double answered = 0;
  double waiting = 0;
  // As a difference to the first, so that the mean of equal ones is exactly what each is.
  std::optional<double> cpu_first;
  double cpu_more = 0;
  for (auto host = hosts_.begin(); host != hosts_.end();) {
    const auto place = std::lower_bound(named.begin(), named.end(), std::pair(host->first, std::size_t{0}));
    if (place != named.end() && place->first == host->first) {
      ++host;
      continue;
    }
    failed += host->second.queue.waiting();
    host = hosts_.erase(host);
  }

  const auto receiving =
      std::count_if(servers.begin(), servers.end(), [](const Server& server) { return server.receives; });
  const float requests = receiving == 0 ? 0.0f : static_cast<float>(offered) / static_cast<float>(receiving);
  const double share = receiving == 0 ? 0 : offered / static_cast<double>(receiving);
  if (receiving == 0) failed += offered * length;

  // Over 1, which changes no bit, where there is no noise.
  const float slope =
      static_cast<float>(settings_.capacity.slope_percent_per_rps) / static_cast<float>(strength_now);
  ServedTick served;
  served.servers.resize(servers.size());
  served.receiving = static_cast<std::int32_t>(receiving);
  std::vector<Answers> answers;
  for (const auto& [id, index] : named) {
    const Server& server = servers[index];
    auto known = hosts_.find(id);
    if (known == hosts_.end()) {
      FluidQueue fresh(shape_, Processor(settings_.cpu, settings_.credits));
      known = hosts_.emplace(id, Host{std::move(fresh)}).first;
    }
    Host& host = known->second;
    FluidQueue& queue = host.queue;
    const Condition before = std::exchange(host.condition, server.condition);
    const bool stands = server.condition != Condition::works;
    const bool refuses = server.condition == Condition::restarts;
    const double sent = server.receives ? share : 0;
    const double rate = refuses ? 0 : sent;
    const double lost = has_lost(before, server.condition) ? queue.lose() : 0;
    FluidTick done = queue.tick(rate, stands, strength_now);
    done.failed += lost + (sent - rate) * length;

    ServerOutcome& outcome = served.servers[index];
    outcome.id = id;
    outcome.requests_per_second = server.receives ? requests : 0.0f;
    outcome.failed_per_second = done.failed / length;
    outcome.waiting = done.waiting;
    base::Percent utilisation = capacity::utilisation(settings_.capacity, base::Rate(rate / strength_now));
    const bool as_asked = !done.limited && !stands;
    const bool plain = !queue.processor().burstable() && shape_.longest_wait_seconds == 0 && !stands;
    served.answering += server.receives && !stands ? 1 : 0;
    if (plain || (as_asked && !queue.processor().of_baseline())) {
      const float cpu =
          static_cast<float>(settings_.capacity.intercept_percent) + slope * outcome.requests_per_second;
      outcome.cpu_percent = std::min(cpu, kFullPercent);
    } else {
      outcome.cpu_percent = static_cast<float>(queue.processor().percent(done.used_core_seconds / length));
    }
    // As the lanes have it, in double: the demand.
    if (server.receives) {
      const double cpu = plain ? utilisation.value() : double{outcome.cpu_percent};
      cpu_first = cpu_first.value_or(cpu);
      cpu_more += cpu - *cpu_first;
    }
    if (!as_asked || queue.processor().burstable()) {
      utilisation = base::Percent(100 * done.used_core_seconds / done.available_core_seconds);
    }
    for (const Waited& waited : done.waits) answers.push_back({waited, utilisation});

    failed += done.failed;
    answered += done.answered;
    waiting += done.waiting;
  }

  if (cpu_first) served.cpu_percent = *cpu_first + cpu_more / static_cast<double>(receiving);
  served.offered_per_second = offered;
  served.served_per_second = answered / length;
  served.failed_per_second = failed / length;
  served.p50_ms = latency_ms(settings_.capacity, answers, Quantile::p50, 0.50);
  served.p95_ms = latency_ms(settings_.capacity, answers, Quantile::p95, 0.95);
  served.p99_ms = latency_ms(settings_.capacity, answers, Quantile::p99, 0.99);
  served.over = tick_ >= traffic.size() && waiting == 0;
  return served;
}

}  // namespace headroom::sim
