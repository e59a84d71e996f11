// The HAProxy process of one service: found, started as a daemon of its own, ended.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "balancer/configuration.hpp"

namespace headroom::balancer {

// The living process of this number; one that has ended and was not collected by its parent is none.
std::optional<Process> process_of(int pid);

bool runs(const Process& process);

// When it was started, since 1970-01-01 UTC.
base::Milliseconds started_at(const Process& process);

// The HAProxy that runs with the configuration of these settings, by its process file and its command line.
std::optional<Process> find_running(const Settings& settings);

// Starts it and returns when it listens. It is a daemon: its own session, no descriptor and no environment of
// ours, and it goes on when we end. `replaced` hands over its listening sockets, so that no connection is
// refused, and ends when its requests have ended.
// Errors: what HAProxy says of the configuration.
base::Result<Process> launch(const Settings& settings, const std::filesystem::path& program,
                             const std::optional<Process>& replaced, base::Milliseconds patience);

// Lets it finish its requests for at most `grace`, then ends it at once. Nothing happens to one that has
// ended.
base::Result<void> end(const Process& process, base::Milliseconds grace);

// A fault for an address of which somebody else holds the port: who, where that can be seen.
// `running` holds its own ports.
base::Result<void> ports_are_free(const std::vector<Bind>& binds);

}  // namespace headroom::balancer
