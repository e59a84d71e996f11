// Which version of a service something is: the one that runs, or the next one.
#pragma once

#include <string>
#include <vector>

#include "cloud_local/specification.hpp"
#include "daemon/catalogue.hpp"

namespace headroom::daemon {

// Whether the version of this record, which is one of `known`, is the same but for its name.
bool runs_already(const ServiceRecord& record, const std::vector<cloud_local::Version>& known,
                  const cloud_local::Version& version);

// "v3", which none of `known` has.
std::string next_version_name(const ServiceRecord& record, const std::vector<cloud_local::Version>& known);

}  // namespace headroom::daemon
