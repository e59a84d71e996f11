// The command of a build, as somebody who may nothing but write what is built and use the network.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::daemon {

// As versions::run_while_wanted. As root: as a user that owns nothing else, without rights, and, where the
// machine can, seeing no other processes; then all of it ends with this process, however that ends. As
// another user, who has nothing to confine with: as that user.
base::Result<int> build_confined(const std::filesystem::path& folder, const std::string& command,
                                 const std::filesystem::path& log, base::Milliseconds timeout,
                                 const std::function<bool()>& unwanted);

}  // namespace headroom::daemon
