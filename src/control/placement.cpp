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

std::vector<const cloud::Instance*> pick_for_removal(const std::vector<const cloud::Instance*>& in_service,
                                                     int remove) {
  const auto older = [](const cloud::Instance* a, const cloud::Instance* b) {
    return std::tie(a->started, a->id) < std::tie(b->started, b->id);
  };
  std::map<std::string, std::vector<const cloud::Instance*>> zones;  // each with its newest last
  for (const cloud::Instance* instance : in_service) zones[instance->zone].push_back(instance);
  for (auto& [zone, instances] : zones) std::sort(instances.begin(), instances.end(), older);

  std::vector<const cloud::Instance*> picked;
  for (int k = 0; k < remove; ++k) {
    std::vector<const cloud::Instance*>* from = nullptr;
    for (auto& [zone, instances] : zones) {
      if (instances.empty()) continue;
      if (from == nullptr || instances.size() > from->size() ||
          (instances.size() == from->size() && older(from->back(), instances.back()))) {
        from = &instances;
      }
    }
    if (from == nullptr) break;
    picked.push_back(from->back());
    from->pop_back();
  }
  return picked;
}

}  // namespace headroom::control
