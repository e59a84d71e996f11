// The daemon of this user's state folder: found, or started where none runs.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "api/client.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"
#include "daemon/state_folder.hpp"

namespace headroom::cli {

// The one that runs, else a new one in the background, which this says on `err`. Errors: it does not come,
// with the end of its log.
base::Result<api::Client> start_daemon(const daemon::StateFolder& folder, std::ostream& err);

// Environments that an earlier daemon has left in its folder; their instances may run on. Not those of which
// `down` has kept the data of stateful services.
std::vector<std::string> left_behind(const daemon::StateFolder& folder);

// For commands on what runs: the daemon, started where it has left environments behind. Nothing: nothing
// runs.
base::Result<std::optional<api::Client>> reach_daemon(std::ostream& err);

// Prints what a daemon says while it works, a line each.
daemon::Say lines_to(std::ostream& err);

// What a command on one environment works on: its daemon, and how it stands.
struct Reached {
  api::Client client;
  daemon::EnvironmentStatus environment;
};
// The environment that is wanted, as choose_environment() has it. Errors: nothing runs, too.
base::Result<Reached> reach_environment(const std::string& wanted, std::ostream& err);

// The same for a command on one service, as choose_service() has it.
struct ReachedService {
  api::Client client;
  std::string environment;
  daemon::ServiceStatus service;
};
base::Result<ReachedService> reach_service(const std::string& environment, const std::string& service,
                                           std::ostream& err);

}  // namespace headroom::cli
