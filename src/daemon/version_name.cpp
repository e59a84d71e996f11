#include "daemon/version_name.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headroom::daemon {
namespace {

bool same_but_name(const cloud_local::Version& a, cloud_local::Version b) {
  b.name = a.name;
  return a == b;
}

}  // namespace

bool runs_already(const ServiceRecord& record, const std::vector<cloud_local::Version>& known,
                  const cloud_local::Version& version) {
  return std::any_of(known.begin(), known.end(), [&](const cloud_local::Version& one) {
    return one.service == record.name && one.name == record.version && same_but_name(one, version);
  });
}

std::string next_version_name(const ServiceRecord& record, const std::vector<cloud_local::Version>& known) {
  // One that was defined and never named by a record was cut short by a kill.
  for (int number = record.versions + 1;; ++number) {
    std::string name = fmt::format("v{}", number);
    const bool is_taken = std::any_of(known.begin(), known.end(), [&](const cloud_local::Version& one) {
      return one.service == record.name && one.name == name;
    });
    if (!is_taken) return name;
  }
}

}  // namespace headroom::daemon
