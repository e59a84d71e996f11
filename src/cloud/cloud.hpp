// Cloud: the seam between the controller and real things. Start here to write another cloud.
//
// The controller looks (observe), decides (control::step, pure) and asks (submit), about once a second. The
// simulated cloud, the local one, AWS and Kubernetes implement these two functions and nothing else.
//
// What every implementation keeps (the conformance suite checks it):
//   Blocking    Neither function waits for the cloud: observe() returns what was last learned, submit()
//   queues. Threads     Both are called from one thread; implementations may work on threads of their own.
//   Ownership   Everything is a value; nothing returned refers into the implementation.
//   Time        All times are on the caller's clock and no later than Observed::at. Metrics alone are on the
//               clock of their source, which can differ by hours: Observed::metrics_clock tells what it
//               shows.
//   Idempotence Submitting a token again has no further effect, whatever became of the first, also after a
//               restart and after an answer that was lost; an uncertain one may then be answered. Every
//               instance names the token that launched it.
//   Consistency Eventual: an observation may be older than an action that has succeeded. An instance that was
//               launched can appear later than its ticket says `done`, and one that is gone can linger.
//               Instances are never invented: one that is listed exists or existed.
//   Absence     What is not known is absent or old (each part has its own time), never zero and never empty.
//   Order       Instances by id, tickets by token, metrics by service, zones by name; each at most once.
//   Failure     Reported in tickets and by the age of what is seen; nothing is thrown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/quantity.hpp"

namespace headroom::cloud {

enum class InstanceState {
  launching,   // ordered or starting; not ready
  warming,     // runs, not yet behind the balancer
  in_service,  // behind the balancer
  draining,    // takes no new requests, finishes those it has
  stopped,     // in the warm pool
  failed,      // kept for inspection, never used again
};
std::string_view to_string(InstanceState state);  // "in service"

// The latest finished health check, and how many have failed in a row: more than one can finish between two
// looks, and balancer and controller must count the same ones.
struct HealthCheck {
  base::Milliseconds at{0};
  std::string detail;  // "connection refused"; for people
  int failures = 0;    // in a row since the instance entered service, this one included; 0: it was good
  bool healthy() const { return failures == 0; }
  bool operator==(const HealthCheck&) const = default;
};

// Means over [end - length, end), by the clock of the metrics.
struct InstanceMetrics {
  base::Milliseconds end{0};
  base::Milliseconds length{0};
  std::optional<base::Percent> cpu;  // of what the instance is allowed
  std::optional<base::Rate> requests;
  bool operator==(const InstanceMetrics&) const = default;
};

struct Instance {
  std::string id;
  std::string service;
  std::string version;  // of the service that it runs
  std::string zone;
  std::string address;  // host:port; empty while it has none
  InstanceState state = InstanceState::launching;
  base::Milliseconds since{0};    // when it entered this state
  base::Milliseconds started{0};  // its last launch or start: where its paid time begins
  std::string launched_by;        // token; empty: found, not launched by us
  std::optional<HealthCheck> health;
  std::optional<InstanceMetrics> metrics;
  bool operator==(const Instance&) const = default;
};

// Of a service as its balancer sees it, over [end - length, end) by the clock of the metrics.
struct ServiceMetrics {
  std::string service;
  base::Milliseconds end{0};
  base::Milliseconds length{0};
  std::optional<base::Rate> requests;  // offered
  std::optional<base::Rate> failed;
  std::optional<base::Milliseconds> p95;
  bool operator==(const ServiceMetrics&) const = default;
};

struct Zone {
  std::string name;
  bool in_rotation = true;  // false: cut from the balancer; its instances serve nobody
  bool operator==(const Zone&) const = default;
};

// Names one submitted action. The token is the controller's: 1 to 64 letters, digits and hyphens (what EC2
// takes as a ClientToken), never used for two different actions.
struct Ticket {
  std::string token;
  auto operator<=>(const Ticket&) const = default;
};

enum class TicketState {
  pending,
  done,       // the cloud has confirmed it
  failed,     // it had no effect, or no more than `affected` says
  uncertain,  // no answer, or a contradictory one: the instances will show; the same token may be sent again
};
std::string_view to_string(TicketState state);

struct TicketReport {
  Ticket ticket;
  TicketState state = TicketState::pending;
  base::Milliseconds since{0};
  int affected = 0;        // instances acted on so far: a launch of 3 can fail after 2
  std::string why;         // for failed and uncertain: what was tried and what the cloud answered
  bool retriable = false;  // failed for a reason that passes (throttling, no capacity), under a new token
  bool operator==(const TicketReport&) const = default;
};

struct Observed {
  base::Milliseconds at{0};                         // now, when observe() returned
  std::optional<base::Milliseconds> metrics_clock;  // what the clock of the metrics shows now; absent: `at`
  std::optional<base::Milliseconds> instances_at;   // when the list was true; absent: never learned so far
  std::vector<Instance> instances;                  // of all services; removed ones disappear
  std::vector<Zone> zones;
  std::vector<ServiceMetrics> services;
  // Pending tickets, and finished ones for at least an hour. One that is not listed is not pending (it may
  // have been forgotten in a restart): judge by the instances.
  std::vector<TicketReport> tickets;
  bool operator==(const Observed&) const = default;
};

// New instances; they pass launching and warming and enter service by themselves.
struct Launch {
  std::string service;
  std::string version;
  std::string zone;
  int count = 1;
  bool operator==(const Launch&) const = default;
};

// A stopped instance of the warm pool; it enters service by itself. Fails on any other state.
struct Start {
  std::string instance;
  bool operator==(const Start&) const = default;
};

enum class Afterwards {
  pool,     // stopped, to be started again
  gone,     // deleted
  inspect,  // stopped and kept as failed
};
std::string_view to_string(Afterwards afterwards);

// Out of the balancer; drained for at most `drain` (less where it has no requests left); then `afterwards`.
// From any state; a stopped or failed instance can so be deleted. On one that is draining already it goes on
// from there: how the controller resumes after a restart.
struct Retire {
  std::string instance;
  base::Milliseconds drain{0};
  Afterwards afterwards = Afterwards::gone;
  bool operator==(const Retire&) const = default;
};

struct Action {
  std::string token;
  std::variant<Launch, Start, Retire> what;
  std::string why;  // the reason, for events and logs; no effect
  bool operator==(const Action&) const = default;
};
std::string to_string(const Action& action);  // "launch 2 of web v3 in zone a (web-17)"
std::string words(const Action& action);      // the same without the token

class Cloud {
 public:
  virtual ~Cloud() = default;
  virtual Observed observe() = 0;
  // Requires: action_faults(action) is empty. What the cloud refuses is a failed ticket.
  virtual Ticket submit(const Action& action) = 0;
};

// The rules above that one value can show to be broken, in sentences; empty: none. For conformance tests and
// for what implementations check at their border.
std::vector<std::string> observed_faults(const Observed& observed);
std::vector<std::string> action_faults(const Action& action);

}  // namespace headroom::cloud
