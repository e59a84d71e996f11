// Machine: instances as confined processes on this machine. Start here.
//
//   const auto tier = probe();                                           // what this machine can do
//   auto machine = Machine::open({"k3x9", *tier, "/var/lib/headroom"});  // what the daemon keeps
//   machine->make_zone(0);
//   machine->start(cell);                                                // 10.BLOCK.0.10 serves
//   machine->terminate("web-1", 30s);
//
// An instance goes on when the daemon ends, however it ends; the next Machine of the same realm finds it.
// Everything made carries the realm in its name: the control groups headroom-REALM/NAME, the network
// namespace headroom-REALM-NAME, bridges and cables hr-REALM-..., and the folder STATE/isolation.
//
// Blocking    Every function waits for its effect: start about 0.1 s, terminate up to the grace.
// Threads     Functions on different instances may be called at the same time, on the same one and on the
//             same zone not.
// Names       Of an instance that is not there, functions say so by their value, not by an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "isolation/cell.hpp"
#include "isolation/groups.hpp"
#include "isolation/network.hpp"
#include "isolation/process.hpp"
#include "isolation/tier.hpp"

namespace headroom::isolation {

enum class Phase {
  absent,         // nothing is left of it, or it never was
  running,        // also while paused or hung
  exited,         // by itself
  signalled,      // ended by a signal; also by crash(), or a start that was cut short
  out_of_memory,  // ended by the kernel, at its memory limit
};
std::string_view to_string(Phase phase);

struct State {
  Phase phase = Phase::absent;
  std::optional<Identity> process;  // the first of its processes, while it runs
  int code = 0;                     // exited: the status; signalled and out_of_memory: the signal
  bool operator==(const State&) const = default;
};

struct Usage {
  base::Nanoseconds cpu{0};  // since its start
  base::Nanoseconds throttled{
      0};  // held back at its CPU limit, summed over processors; 0 without control groups
  std::int64_t memory_bytes = 0;         // without what the kernel could drop
  int processes = 0;                     // threads included
  std::int64_t out_of_memory_kills = 0;  // of its processes, the application survived them perhaps
};

struct MachineOptions {
  std::string realm;            // 4 lower-case letters or digits, of this state folder alone
  Tier tier;                    // of probe()
  std::filesystem::path state;  // exists; instances do not see it, but for their own folders
};

class Machine {
 public:
  // Errors: a realm that is none, control groups or addresses that cannot be had.
  static base::Result<Machine> open(MachineOptions options);

  const Tier& tier() const { return options_.tier; }

  // Zones. make_zone: without effect where it exists. A zone that is cut loses all packets from and to its
  // instances, also those started meanwhile. Errors: what `ip` says; cutting where the tier has no networks.
  base::Result<void> make_zone(int zone);
  base::Result<void> remove_zone(int zone);
  base::Result<void> cut_zone(int zone, bool cut);
  // What there is of zones, also of an earlier daemon's; on loopback none is made and none is cut.
  std::vector<int> zones() const;
  bool is_cut(int zone) const;
  // Where the instances of the zone reach the machine itself: the balancer and other services listen there.
  std::string gateway(int zone) const;
  // By which the instance is reached from the machine, and on which it must listen. The same in every call.
  std::string address(Position position) const;

  // Requires: the zone (in tiers with network namespaces). Errors: what is wrong with the cell, a name or
  // position that is taken, what this machine refused. Nothing is left then, but what was written into the
  // folders of the instance.
  base::Result<Identity> start(const Cell& cell);

  // SIGTERM to the application; after `grace` SIGKILL to all that is left; then remove(). Also of one that is
  // paused or hung.
  base::Result<void> terminate(const std::string& name, base::Milliseconds grace);
  // SIGKILL to all of it now. Its traces stay, so that state() tells of it.
  base::Result<void> crash(const std::string& name);
  // All of it stands still, without a sign to it. In the tier without limits as hang().
  base::Result<void> pause(const std::string& name);
  base::Result<void> resume(const std::string& name);
  // SIGSTOP and SIGCONT to its processes.
  base::Result<void> hang(const std::string& name);
  base::Result<void> unhang(const std::string& name);

  State state(const std::string& name) const;
  Usage usage(const std::string& name) const;  // of one that is not there: nothing
  // The names of all of this realm that is on the machine in some form, sorted.
  std::vector<std::string> found() const;

  // Whatever is left of it, running or not. Errors: what cannot be removed, and how to see why.
  base::Result<void> remove(const std::string& name);
  // All instances, zones and traces of the realm. Errors: all that cannot be removed; the rest is.
  base::Result<void> remove_everything();

 private:
  // What is kept of an instance, to find it again.
  struct Record {
    Position position;
    std::int64_t user = -1;
    Group group;
    std::optional<Identity> process;  // nothing: it was not started, or in an earlier boot of the machine
    std::string exit;                 // "exited 3"
  };

  Machine(MachineOptions options, Groups groups, const Addresses& addresses)
      : options_(std::move(options)), groups_(std::move(groups)), addresses_(addresses) {}

  std::filesystem::path folder() const { return options_.state / "isolation"; }
  std::filesystem::path folder_of(const std::string& name) const { return folder() / "cells" / name; }
  std::optional<Record> record(const std::string& name) const;
  base::Result<Record> keep(const Cell& cell) const;
  base::Result<void> make(const Cell& cell) const;
  std::vector<Identity> processes(const std::string& name, const std::optional<Record>& record) const;
  base::Result<void> kill(const std::string& name, const std::optional<Record>& record) const;
  base::Result<void> signal_application(const std::string& name, int signal, bool stopped) const;
  std::string marker(const std::string& name) const;

  MachineOptions options_;
  Groups groups_;
  Addresses addresses_;
};

}  // namespace headroom::isolation
