// ClosedServing: instances under users who wait for an answer before they ask again, event by event.
//
// The balancer sends each request to the next server in turn, by number, of those that receive, hung ones
// included. What a server does with it says shared_processor.hpp, what the user does closed_users.hpp; noise
// of the capacity (strength.hpp) makes it slower or faster for a tick. Where the capacity model has
// latencies, an answer takes besides what part of the lowest measured p50 is no processor time (a database,
// the network):
//   latency = time in the server + max(0, p50 at the lowest utilisation - W / min(1, cores))
// (W the processor time of a request) and no answer takes less than 1 ms.
// Requests fail that no server receives or that meet a hung one where there is no queue (at once), that have
// waited longer than the queue allows, and whose server vanishes.
//
// Worked example: 2 users, W 0.36 s on one core, no think time, no queue: both requests share the core, each
// is answered after 0.72 s, and the instance answers 2 / 0.72 = 2.78 rps, which is 1 / W: it is saturated,
// and more users only wait longer. With a think time of 6.48 s two users ask for 2 / 7.2 = 0.28 rps at most.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "sim/served.hpp"
#include "sim/shared_processor.hpp"
#include "telemetry/histogram.hpp"
#include "workload/closed_users.hpp"

namespace headroom::sim {

class ClosedServing {
 public:
  // Requires: the traffic of the settings is closed.
  explicit ClosedServing(const ServingSettings& settings);

  // The next tick. Requires: no id twice.
  ServedTick tick(std::span<const Server> servers);

 private:
  struct Host {
    SharedProcessor processor;
    bool receives = false;
    Condition condition = Condition::works;
    std::size_t sent = 0;  // in this tick
    std::size_t failed = 0;
  };

  void change(std::span<const Server> servers, Nanoseconds now);
  void send(std::size_t user, Nanoseconds now);
  bool refuses(const Host& host) const;
  // Lets time pass on one server, and its requests leave that are due.
  void pass(Host& host, Nanoseconds now);
  void leave(Host* host, const SharedProcessor::Left& left, Nanoseconds now);

  ServingSettings settings_;
  SharedShape shape_;
  Nanoseconds elsewhere_{0};  // of an answer, that is no processor time
  workload::ClosedUsers users_;
  std::map<std::int64_t, Host> hosts_;  // by server
  std::optional<std::int64_t> last_;    // server to which a request was sent
  std::int64_t tick_ = 0;

  // Of this tick.
  std::size_t sent_ = 0;
  std::size_t answered_ = 0;
  std::size_t failed_ = 0;
  telemetry::Histogram latency_ms_;
};

}  // namespace headroom::sim
