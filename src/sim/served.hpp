// What goes into Serving and what comes out of it, as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/quantity.hpp"
#include "base/series.hpp"
#include "capacity/model.hpp"
#include "environment/environment.hpp"
#include "workload/traffic.hpp"

namespace headroom::sim {

// Requires: tick above 0; slope and intercept finite and not negative; a series has this start and tick.
struct ServingSettings {
  capacity::CapacityModel capacity;  // slope and intercept at full speed
  base::Cores cpu{1};                // of an instance at full speed
  std::optional<environment::Credits> credits;
  // Requests per second offered to the whole service in each tick (none after its end), or users.
  std::variant<base::Series, workload::Closed> traffic;
  base::Milliseconds start{0};
  base::Milliseconds tick{60'000};
  std::uint64_t seed = 1;
};

// What is the matter with an instance. In none but the first does it work on anything.
enum class Condition {
  works,
  paused,    // what it has and what it gets waits, for as long as the queue allows, and it goes on afterwards
  hung,      // the same, but it has lost its requests when it works again; without a queue they fail at once
  restarts,  // what it had in work fails at once, and what it gets
};

// Whether it has lost what it had in work, going from one tick into the next.
constexpr bool has_lost(Condition before, Condition now) {
  return now == Condition::restarts || (before == Condition::hung && now != Condition::hung);
}

// An instance that can have requests.
struct Server {
  std::int64_t id = 0;
  Condition condition = Condition::works;
  bool receives = true;  // in rotation; otherwise it only finishes what it has (draining, cut)
  bool operator==(const Server&) const = default;
};

struct ServerOutcome {
  std::int64_t id = 0;
  // Used over what is allowed, at most 100; or over the baseline, where the credits say so. Then it may be
  // above 100 in a tick, and the meter shows at most 100 of its mean over the metric period (metered()).
  float cpu_percent = 0;
  float requests_per_second = 0;  // sent to it
  double failed_per_second = 0;
  double waiting = 0;  // requests in it at the end of the tick: sent, not yet answered or failed
  bool operator==(const ServerOutcome&) const = default;
};

// What a meter shows of the mean over a metric period.
constexpr float metered(float mean_percent) { return mean_percent < 100 ? mean_percent : 100; }

// One tick. With d the length of the tick in seconds and W what waits in all servers:
//   offered * d + W before = (served + failed) * d + W after
// The failures of the whole are more than those of the servers where a server vanished, or where none
// receives.
struct ServedTick {
  std::vector<ServerOutcome> servers;  // in the order in which the servers were named
  // Demand over what is allowed, the mean of the servers that receive; above 100 where what is beyond them
  // fails at once. 0: none receives.
  double cpu_percent = 0;
  std::int32_t receiving = 0;  // servers in rotation
  std::int32_t answering = 0;  // those of them that work
  double offered_per_second = 0;
  double served_per_second = 0;
  double failed_per_second = 0;
  // Of the requests that were answered in this tick; unset: none was, or the latency is not known.
  std::optional<double> p50_ms;
  std::optional<double> p95_ms;
  std::optional<double> p99_ms;
  std::optional<std::size_t> stage;  // of closed traffic: the latest that has begun by the end of the tick
  bool over = false;                 // nothing comes any more and nothing waits
  bool operator==(const ServedTick&) const = default;
};

}  // namespace headroom::sim
