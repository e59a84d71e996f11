#include "importers/plan_scope.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "importers/plan_elements.hpp"

namespace headroom::importers {
namespace {

// What no plan that people write comes near to; it keeps the cost of a hostile one low.
constexpr std::size_t kScopeMost = 50;

}  // namespace

Scope extended(Scope scope, const std::vector<Element>& level, PlanReport& report) {
  for (const Element& element : level) {
    if (scope.timers.size() + scope.headers.size() + scope.defaults.size() > kScopeMost) {
      report.fault(element.line,
                   fmt::format("more than {} timers, headers and defaults apply to one request", kScopeMost));
      return {};
    }
    if (!element.enabled) continue;
    if (is_timer(element)) scope.timers.push_back(&element);
    if (element.type == "HeaderManager") scope.headers.push_back(&element);
    if (is_defaults(element)) scope.defaults.push_back(&element);
  }
  return scope;
}

std::string setting(const Element& sampler, const Scope& scope, std::string_view property,
                    PlanValues& values) {
  std::string own = values.value(sampler, property);
  for (auto defaults = scope.defaults.rbegin(); own.empty() && defaults != scope.defaults.rend();
       ++defaults) {
    own = values.value(**defaults, property);
  }
  return own;
}

}  // namespace headroom::importers
