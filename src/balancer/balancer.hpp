// Balancer: the load balancer of one service on this machine, an HAProxy process that outlives us.
//
//   Balancer balancer = Balancer::start(settings).value();   // adopts the one that runs, else starts one
//   balancer.join("web-1", "10.80.0.2:8080");                // requests come once it has passed its checks
//   balancer.drain("web-1");                                 // no new ones; wait for sessions("web-1") == 0,
//   balancer.leave("web-1");                                 // end the instance, and take it off the list
//   balancer.stop(2s);
//
// To forget the object changes nothing: the process goes on, and start() finds it again.
//
// Order       What is wanted is written to `haproxy.cfg` before HAProxy is told: start() brings HAProxy to
// what
//             is written, be it after a kill -9 of us or of HAProxy.
// Threads     One at a time.
// Blocking    Commands take about 0.1 ms, and 2 s where HAProxy does not answer; stop() and leave() as long
// as
//             they are told.
// Idempotence join, drain, leave, cut, mend and stop may be repeated: what is so already is done.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "balancer/admin_socket.hpp"
#include "balancer/configuration.hpp"
#include "balancer/seen.hpp"
#include "balancer/settings.hpp"

namespace headroom::balancer {

// Ends the balancer of these settings, if one runs: requests in work may finish for `grace`. Removes its
// files, the list of servers included.
base::Result<void> stop(const Settings& settings, base::Milliseconds grace);

class Balancer {
 public:
  // Adopts the process that runs with this folder where its configuration is the one of these settings. One
  // with another configuration hands its sockets to a new process, and finishes its requests. One that has
  // crashed is started again with its servers: those that were up take requests at once, the others when they
  // have passed their checks. Errors: settings, a port in use, a certificate that cannot be read, HAProxy
  // missing.
  static base::Result<Balancer> start(const Settings& settings,
                                      base::Milliseconds patience = base::Milliseconds(10'000));

  // A server that takes requests as soon as it has passed `healthy_after` checks, and none before.
  // Errors: the name is taken by another address.
  base::Result<void> join(std::string_view name, std::string_view address);
  // Takes no new requests; those it has go on. join() takes it back.
  base::Result<void> drain(std::string_view name);
  // Requests in it now, waiting ones included; 0 for one that is not there.
  base::Result<std::uint64_t> sessions(std::string_view name);
  // Takes it off the list. HAProxy waits for its connections to close: those of a process that has ended are,
  // idle ones are closed within seconds.
  // Errors: some were still open after `patience`; it takes no requests any more, call it again.
  base::Result<void> leave(std::string_view name, base::Milliseconds patience = base::Milliseconds(5'000));

  // Out of rotation with its zone, without draining: no requests, no checks; what it has goes on.
  base::Result<void> cut(std::string_view name);
  // Back in rotation: as after join(), it must pass its checks.
  base::Result<void> mend(std::string_view name);

  // Errors: HAProxy does not answer. start() brings it back.
  base::Result<Seen> observe();

  base::Result<void> stop(base::Milliseconds grace);

  const Process& process() const { return members_.process; }
  const Settings& settings() const { return settings_; }

 private:
  Balancer(Settings settings, Account account, Members members);

  base::Result<void> write() const;
  // Waits until the process of this number answers.
  base::Result<void> reach(int pid, base::Milliseconds patience);
  base::Result<void> add(const Member& member);
  base::Result<void> bring_into_state(const Member& member);
  base::Result<void> bring_to_what_is_written();
  base::Result<void> remove(const std::string& name, base::Milliseconds patience);
  base::Result<std::vector<Row>> statistics();
  Member* find(std::string_view name);
  base::Result<void> change(std::string_view name, bool Member::*wanted, bool value);

  Settings settings_;
  Account account_;
  AdminSocket socket_;
  Members members_;
  FailedChecksByServer failed_checks_;
};

}  // namespace headroom::balancer
