// Tier: how well this machine can confine the processes of instances, found by really trying.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::isolation {

// What holds an instance to its CPU, memory and number of processes.
enum class Limits {
  cgroup_v2,  // a group of our own at the root of version 2
  cgroup_v1,  // one in each of the hierarchies cpu, cpuacct, memory, pids and freezer
  delegated,  // within the group of version 2 that was given to this user: systemd-run --user --scope -p
              // Delegate=yes
  none,       // limits of single processes only (setrlimit)
};
std::string_view to_string(Limits limits);  // "cgroup v2"

enum class Network {
  namespaces,  // an interface of its own, at a bridge per zone
  loopback,    // an address 127.x.y.z of its own on the interface that all share
};
std::string_view to_string(Network network);

struct Tier {
  Limits limits = Limits::none;
  Network network = Network::loopback;
  bool own_users = false;  // a user and group per instance, without name or rights
  bool own_files = false;  // its own view of files, processes and names (mount, pid, ipc, uts namespaces)
  std::vector<std::string> lost;  // in sentences: which fidelity or protection this machine cannot give
};
std::string describe(const Tier& tier);  // "cgroup v1, network namespaces, own users, own files"

// Less than the machine could give, so that one machine can try several tiers.
struct Asked {
  std::optional<Limits> limits;    // nothing: the best there is
  std::optional<Network> network;  // nothing: the best there is
  bool own_users = true;           // false: not even where it could
  bool own_files = true;
};

// The best tier within what is asked. Blocks for about 0.2 s: makes a control group, a network namespace and
// a confined process, and removes them. In a delegated group it moves the processes of that group into a
// child, for the kernel gives controllers to the children of empty groups only.
// Requires: main() hands over to launch_main (launcher.hpp).
// Errors: a tier that is asked for by name and that this machine does not have, with the reason.
base::Result<Tier> probe(const Asked& asked = {});

}  // namespace headroom::isolation
