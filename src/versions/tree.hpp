// Folders with everything in them, removed or made read-only without ever following a link: what lies in them
// was written by programs that are not trusted.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace headroom::versions {

// Removes the folder and what is in it, read-only folders and any depth included; a link is removed, not what
// it names. A folder that does not exist is removed already.
base::Result<void> remove_tree(const std::filesystem::path& folder);

// Makes everything in the folder read-only (0444, 0555 where it could be executed) and owned by this process.
// A file with further names outside of the folder is replaced by a copy, since they could be written to.
// Links stay as they are, also those that lead out: a virtual environment has one to the interpreter.
// Requires: no process that writes in it lives. Errors: a device, socket or pipe, folders deeper than 200.
base::Result<void> seal_tree(const std::filesystem::path& folder);

}  // namespace headroom::versions
