// A connection to the Unix socket on which an HAProxy takes commands.
#pragma once

#include <filesystem>

#include "store/descriptor.hpp"

namespace headroom::balancer {

struct Connection {
  store::Descriptor socket;  // does not block
  int failed = 0;            // the error number; 0: connected
};
Connection connect_to(const std::filesystem::path& path);

}  // namespace headroom::balancer
