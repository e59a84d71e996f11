// Measured: what came of the requests of a load test, in counts and histograms that merge without loss.
//
// Latency is counted twice: from when a request was due to its last byte, and from when its sending began.
// What a request waits before it is sent (for a free connection, for a server that stands still) is in the
// first only; whoever looks at the second alone sees a stall through the few requests that were under way in
// it. In closed traffic a request is due when its user asks, so that the two differ by the connection alone.
//
// A request that had no answer is in the first histogram too, with the time after which it was given up;
// leaving it out would make a service that hangs look fast.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "telemetry/histogram.hpp"

namespace headroom::load {

enum class Outcome {
  answered,       // with a status, whatever it is
  refused,        // nobody listens
  reset,          // the connection was cut
  closed,         // the server closed its side before the answer was complete
  timed_out,      // no complete answer within the time limit
  malformed,      // the answer is no HTTP/1.1
  no_descriptor,  // this machine gives no more sockets: the fault of the generator
  no_port,        // this machine has no more ports towards the address: the fault of the generator
  unreachable,    // no way to the address
  tls,            // no agreement on a secure connection
  not_sent,       // no connection became free within the time limit
  redirected,     // too many times, or to another host
};
inline constexpr std::size_t kOutcomes = 12;

// "answered", "timed out": for people. The name in JSON and CSV is the same with "_".
std::string_view words(Outcome outcome);

struct Counts {
  std::array<std::uint64_t, kOutcomes> outcomes{};
  std::map<int, std::uint64_t> statuses;  // of those answered

  std::uint64_t all() const;
  // Answered with a status of 400 or more, or not answered.
  std::uint64_t failed() const;
  void merge(const Counts& other);
  bool operator==(const Counts&) const = default;
};

// What came of a group of requests. Latencies in milliseconds.
struct Tally {
  Counts counts;
  telemetry::Histogram from_schedule_ms;  // of all
  telemetry::Histogram from_sending_ms;   // of those answered
  std::uint64_t body_bytes = 0;

  void merge(const Tally& other);
  bool operator==(const Tally&) const = default;
};

// One second, counted from the start of the test: what ended in it.
struct Second {
  std::uint64_t due = 0;       // requests that became due in it
  std::uint64_t sent = 0;      // whose sending began in it
  std::uint64_t answered = 0;  // with a status below 400
  std::uint64_t failed = 0;
  Counts counts;                     // of both
  std::uint64_t under_way_most = 0;  // requests due but not ended; of several machines the sum of their most
  telemetry::Histogram from_schedule_ms;
  telemetry::Histogram from_sending_ms;
  double generator_cores = 0;  // processor time that the generator used, per second

  void merge(const Second& other);
  // A test of a day has 86,400: once it is over, its histograms are kept small.
  void compact();
  bool operator==(const Second&) const = default;
};

struct Group {
  std::string name;
  Tally tally;
  bool operator==(const Group&) const = default;
};

struct Measured {
  std::vector<Second> seconds;
  std::vector<Group> stages;    // in the order of the traffic
  std::vector<Group> requests;  // in the order of the traffic
  base::Nanoseconds duration{0};
  base::Nanoseconds generator_cpu{0};
  int generator_threads = 0;
  telemetry::Histogram lateness_ms;  // of the generator: from due to when it turned to the request
  std::uint64_t connections = 0;     // that were opened
  std::uint64_t retried = 0;         // sent again: the server had closed an idle connection just then
  std::uint64_t interrupted = 0;     // under way when the test was stopped; in no other count
  std::string first_fault;           // of the first request without an answer, for people

  // Of all requests.
  Tally total() const;
  // Requests answered with a status below 400, over the duration.
  double answered_per_second() const;
  // Requests whose turn came more than kLateMs after they were due.
  std::uint64_t late() const;
  // Of the time of the generator's threads, 0 to 1, while there was something to send.
  double generator_share() const;
  // Requires: groups of the same names. The duration is the longer one.
  void merge(const Measured& other);
  bool operator==(const Measured&) const = default;
};

// Above it the generator, not the service, may have been the limit.
inline constexpr double kGeneratorShareMost = 0.7;
// Requests that it turned to later than this are called late.
inline constexpr double kLateMs = 10;

}  // namespace headroom::load
