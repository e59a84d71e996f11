// Placement: into which zones instances go, and which instances go first.
#pragma once

#include <string>
#include <vector>

#include "cloud/cloud.hpp"

namespace headroom::control {

struct ZoneCount {
  std::string zone;
  int instances = 0;
  bool operator==(const ZoneCount&) const = default;
};

// How many of `add` go into each zone: one after the other into the zone with the fewest instances, of equal
// zones into the first. Zones that get none are left out.
// Requires: a zone in `present`, each once.
std::vector<ZoneCount> spread(std::vector<ZoneCount> present, int add);

// Its last health check failed; none has told of it yet: no.
bool fails_checks(const cloud::Instance& instance);

// `remove` of these instances, in the order in which they go. First those that fail their checks. Of the same
// kind, from the zone that has most, of equal zones and within a zone the newest (latest start; of equal ones
// the greater id). So zones stay balanced, and the oldest instance, which has the longest record of metrics,
// goes last.
// Requires: instances as many as `remove` at least.
std::vector<const cloud::Instance*> pick_for_removal(const std::vector<const cloud::Instance*>& in_service,
                                                     int remove);

}  // namespace headroom::control
