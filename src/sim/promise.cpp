#include "sim/promise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/units.hpp"
#include "capacity/evaluate.hpp"

namespace headroom::sim {

using base::Milliseconds;

Promise promise_of(const environment::Service& service, bool by_model) {
  const environment::Objective& objective = service.objective;
  Promise promise;
  promise.share = objective.share;
  if (objective.cpu) promise.cpu_percent = objective.cpu->value();
  if (objective.availability) promise.available_share = objective.availability->value() / 100;
  const auto latency = [&](const std::optional<Milliseconds>& bound, capacity::Quantile quantile,
                           const char* name) {
    if (!bound || !by_model) return;
    const std::string path = fmt::format("services.{}.objective.{}", service.name, name);
    if (service.capacity.latency.empty()) {
      promise.faults.push_back({{},
                                "the latency of an instance is not known",
                                "measure it with `headroom fit`, or state the objective as `cpu:`",
                                path});
      return;
    }
    const auto at =
        capacity::utilisation_at_latency(service.capacity, quantile, static_cast<double>(bound->count()));
    if (!at.percent) {
      promise.faults.push_back(
          {{},
           fmt::format("an instance is above {} at any load", base::format_duration(*bound)),
           "raise the limit, or measure again",
           path});
      return;
    }
    if (!at.reached) {
      promise.notes.push_back(fmt::format(
          "The measured {} never reaches {}: the highest measured utilisation, {} %, is taken as the limit.",
          name, base::format_duration(*bound), base::format_number(at.percent->value())));
    }
    promise.cpu_percent_by_latency = std::min(promise.cpu_percent_by_latency, at.percent->value());
  };
  latency(objective.p50, capacity::Quantile::p50, "p50");
  latency(objective.p95, capacity::Quantile::p95, "p95");
  latency(objective.p99, capacity::Quantile::p99, "p99");
  return promise;
}

bool keeps(double share, std::int64_t violations, std::int64_t ticks) {
  // A whole number of ticks may be in violation; the small addition keeps 99.9 % of 1000 at one.
  const double allowed = (1 - share) * static_cast<double>(ticks);
  return static_cast<double>(violations) <= std::floor(allowed + 1e-6);
}

}  // namespace headroom::sim
