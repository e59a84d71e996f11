// PlanScope: what stands above a request of a test plan and acts on it; internal to this module.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "importers/plan_document.hpp"
#include "importers/plan_report.hpp"
#include "importers/plan_values.hpp"

namespace headroom::importers {

// From the outermost level to the innermost.
struct Scope {
  std::vector<const Element*> timers;
  std::vector<const Element*> headers;
  std::vector<const Element*> defaults;
};

// Elements of a level apply to all of that level and below, wherever among them they stand.
Scope extended(Scope scope, const std::vector<Element>& level, PlanReport& report);

// The sampler's own value, or that of the nearest request defaults which have one.
std::string setting(const Element& sampler, const Scope& scope, std::string_view property,
                    PlanValues& values);

}  // namespace headroom::importers
