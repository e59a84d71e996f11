// The processes of a build, found wherever they went by a variable that they inherit.
#pragma once

#include <filesystem>
#include <string>

namespace headroom::versions {

// "HEADROOM_BUILD=FOLDER", which every process of a build in this folder has in its environment.
std::string build_mark(const std::filesystem::path& folder);

// Ends every process of a build in this folder or below it at once, also of a build that an earlier process
// had begun, and waits until it is gone, some seconds at most. One that has emptied its environment is not
// found. Returns how many there were. Requires: no build that is to go on.
int end_builds_in(const std::filesystem::path& folder);

}  // namespace headroom::versions
