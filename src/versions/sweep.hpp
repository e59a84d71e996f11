// sweep: removes the images and artifacts that nobody needs any more.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace headroom::versions {

// What stays. An artifact stays also as long as an image of it does.
struct Kept {
  std::set<std::string> images;     // keys
  std::set<std::string> artifacts;  // hashes
  // And so many images and so many artifacts, those that were wanted last: what one may go back to.
  int newest = 3;
};

struct Swept {
  std::vector<std::string> images;     // keys
  std::vector<std::string> artifacts;  // hashes
};

// Requires: `kept` names what runs and what prepare() has returned and is going to run. What is being built
// is never removed; half of a build that nobody goes on with always is. Files that are none of Headroom's
// stay. Errors: what could not be removed, all of it; the rest is gone.
base::Result<Swept> sweep(const std::filesystem::path& images, const std::filesystem::path& artifacts,
                          const Kept& kept);

}  // namespace headroom::versions
