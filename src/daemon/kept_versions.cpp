#include "daemon/kept_versions.hpp"

namespace headroom::daemon {

std::map<std::string, std::set<std::string>> kept_versions(const EnvironmentRecord& record,
                                                           const std::vector<cloud_local::Version>& versions,
                                                           int newest) {
  std::map<std::string, std::set<std::string>> kept;
  for (const auto& [name, service] : record.services) {
    std::set<std::string>& names = kept[name];
    int count = 0;
    for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
      if (version->service != name) continue;
      const bool runs = version->name == service.version || version->name == service.previous;
      if (count++ < newest || runs) names.insert(version->name);
    }
  }
  return kept;
}

}  // namespace headroom::daemon
