#include "control/tear_down.hpp"

#include <fmt/format.h>

namespace headroom::control {

std::vector<cloud::Action> tear_down(base::Milliseconds now, const cloud::Observed& observed,
                                     const Settings& settings) {
  std::vector<cloud::Action> actions;
  for (const cloud::Instance& instance : observed.instances) {
    if (instance.service != settings.service) continue;
    // "down" keeps its tokens apart from those of the steps.
    actions.push_back({fmt::format("{}-down-{}-{}", settings.token_prefix, now.count(), actions.size()),
                       cloud::Retire{instance.id, settings.drain, cloud::Afterwards::gone},
                       "the service is taken down"});
  }
  return actions;
}

}  // namespace headroom::control
