// kept_versions: which versions of its services an environment may need again.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cloud_local/specification.hpp"
#include "daemon/catalogue.hpp"

namespace headroom::daemon {

// Of each service of the record the version that it runs, the one that `rollback` goes back to, and the
// `newest` ones. `versions` are in the order in which they were defined.
std::map<std::string, std::set<std::string>> kept_versions(const EnvironmentRecord& record,
                                                           const std::vector<cloud_local::Version>& versions,
                                                           int newest);

}  // namespace headroom::daemon
