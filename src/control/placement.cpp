#include "control/placement.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace headroom::control {

std::vector<ZoneCount> spread(std::vector<ZoneCount> present, int add) {
  std::vector<ZoneCount> added;
  for (const ZoneCount& zone : present) added.push_back({zone.zone, 0});
  for (int k = 0; k < add; ++k) {
    std::size_t fewest = 0;
    for (std::size_t z = 1; z < present.size(); ++z) {
      if (present[z].instances < present[fewest].instances) fewest = z;
    }
    ++present[fewest].instances;
    ++added[fewest].instances;
  }
  std::erase_if(added, [](const ZoneCount& zone) { return zone.instances == 0; });
  return added;
}

bool fails_checks(const cloud::Instance& instance) { return instance.health && !instance.health->healthy(); }

namespace {

using Instances = std::vector<const cloud::Instance*>;

// Moves `remove` of `from`, or as many as there are, to the end of `picked`.
void take_from_fullest(const Instances& from, std::size_t remove, Instances& picked) {
  const auto older = [](const cloud::Instance* a, const cloud::Instance* b) {
    return std::tie(a->started, a->id) < std::tie(b->started, b->id);
  };
  std::map<std::string, Instances> zones;  // each with its newest last
  for (const cloud::Instance* instance : from) zones[instance->zone].push_back(instance);
  for (auto& [zone, instances] : zones) std::sort(instances.begin(), instances.end(), older);

  for (std::size_t left = std::min(remove, from.size()); left > 0; --left) {
    Instances* fullest = nullptr;
    for (auto& [zone, instances] : zones) {
      if (instances.empty()) continue;
      if (fullest == nullptr || instances.size() > fullest->size() ||
          (instances.size() == fullest->size() && older(fullest->back(), instances.back()))) {
        fullest = &instances;
      }
    }
    picked.push_back(fullest->back());
    fullest->pop_back();
  }
}

}  // namespace

Instances pick_for_removal(const Instances& in_service, int remove) {
  Instances failing;
  Instances sound;
  for (const cloud::Instance* instance : in_service) {
    (fails_checks(*instance) ? failing : sound).push_back(instance);
  }
  Instances picked;
  const auto count = static_cast<std::size_t>(remove);
  take_from_fullest(failing, count, picked);
  take_from_fullest(sound, count - picked.size(), picked);
  return picked;
}

}  // namespace headroom::control
