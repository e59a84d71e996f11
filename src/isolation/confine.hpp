// The steps by which the launcher and its child leave the machine's network, files, processes and rights.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "isolation/launcher.hpp"

namespace headroom::isolation {

base::Result<void> enter_network(const std::string& namespace_file);

// New namespaces for mounts, processes (of the next child on), names and shared memory; without root also of
// users, in which this user may do what follows. Requires: one thread.
base::Result<void> separate(const std::string& host_name);

// Everything of the machine read-only and without set-user-id, but: the hidden folder is empty and /run,
// /tmp, /var/tmp and /dev are its own; in them the image (read-only), the private folder and the volume stand
// where they stood. Requires: the first process of new namespaces.
base::Result<void> take_own_view(const Order& order);

// The user and group (-1: those of now), no others; no capability, and no way to any (no_new_privs).
base::Result<void> drop_rights(std::int64_t user);

}  // namespace headroom::isolation
