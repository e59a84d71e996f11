#include "capacity/evaluate.hpp"

namespace headroom::capacity {
namespace {

double of(const LatencyPoint& point, Quantile quantile) {
  switch (quantile) {
    case Quantile::p50:
      return point.p50_ms;
    case Quantile::p95:
      return point.p95_ms;
    case Quantile::p99:
      break;
  }
  return point.p99_ms;
}

}  // namespace

base::Percent utilisation(const CapacityModel& model, base::Rate per_instance) {
  return base::Percent(model.intercept_percent + model.slope_percent_per_rps * per_instance.value());
}

std::optional<Latency> latency_ms(const CapacityModel& model, Quantile quantile, base::Percent utilisation) {
  if (model.latency.empty()) return std::nullopt;
  const LatencyPoint* before = &model.latency.front();
  if (utilisation <= before->utilisation) return Latency{of(*before, quantile), false};
  for (const LatencyPoint& point : model.latency) {
    if (utilisation <= point.utilisation) {
      const double share = (utilisation - before->utilisation) / (point.utilisation - before->utilisation);
      return Latency{of(*before, quantile) + share * (of(point, quantile) - of(*before, quantile)), false};
    }
    before = &point;
  }
  return Latency{of(model.latency.back(), quantile), true};
}

LatencyLimit utilisation_at_latency(const CapacityModel& model, Quantile quantile, double limit_ms) {
  const LatencyPoint* before = nullptr;
  for (const LatencyPoint& point : model.latency) {
    if (of(point, quantile) > limit_ms) {
      if (before == nullptr) return {std::nullopt, true};
      const double share = (limit_ms - of(*before, quantile)) / (of(point, quantile) - of(*before, quantile));
      return {before->utilisation + share * (point.utilisation - before->utilisation), true};
    }
    before = &point;
  }
  return {before->utilisation, false};
}

}  // namespace headroom::capacity
