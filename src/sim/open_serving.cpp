#include "sim/open_serving.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "capacity/evaluate.hpp"

namespace headroom::sim {
namespace {

constexpr float kFullPercent = 100;  // a meter shows no more

// What one instance answers at most, in requests per second.
double saturation(const capacity::CapacityModel& model) {
  if (model.slope_percent_per_rps <= 0) return std::numeric_limits<double>::infinity();
  return std::max(0.0, (100 - model.intercept_percent) / model.slope_percent_per_rps);
}

}  // namespace

OpenServing::OpenServing(ServingSettings settings) : settings_(std::move(settings)) {}

ServedTick OpenServing::tick(std::span<const Server> servers) {
  const base::Series& traffic = std::get<base::Series>(settings_.traffic);
  const double offered = tick_ < traffic.size() ? traffic.values[tick_] : 0;
  ++tick_;

  ServedTick served;
  served.offered_per_second = offered;
  served.over = tick_ >= traffic.size();
  const auto receiving =
      std::count_if(servers.begin(), servers.end(), [](const Server& s) { return s.receives; });
  const float requests = receiving == 0 ? 0.0f : static_cast<float>(offered) / static_cast<float>(receiving);
  const double share = receiving == 0 ? 0 : offered / static_cast<double>(receiving);
  const double answered = std::min(share, saturation(settings_.capacity));
  for (const Server& server : servers) {
    ServerOutcome outcome{server.id};
    if (server.receives) outcome.requests_per_second = requests;
    if (server.receives) outcome.failed_per_second = server.hung ? share : share - answered;
    if (server.receives && !server.hung) served.served_per_second += answered;
    if (!server.hung) {
      const float cpu =
          static_cast<float>(settings_.capacity.intercept_percent) +
          static_cast<float>(settings_.capacity.slope_percent_per_rps) * outcome.requests_per_second;
      outcome.cpu_percent = std::min(cpu, kFullPercent);
    }
    served.failed_per_second += outcome.failed_per_second;
    served.servers.push_back(outcome);
  }
  if (receiving == 0) served.failed_per_second += offered;

  if (served.served_per_second > 0) {
    const base::Percent busy(
        std::min(100.0, capacity::utilisation(settings_.capacity, base::Rate(share)).value()));
    const auto at = [&](capacity::Quantile quantile) -> std::optional<double> {
      const auto latency = capacity::latency_ms(settings_.capacity, quantile, busy);
      if (!latency) return std::nullopt;
      return latency->milliseconds;
    };
    served.p50_ms = at(capacity::Quantile::p50);
    served.p95_ms = at(capacity::Quantile::p95);
    served.p99_ms = at(capacity::Quantile::p99);
  }
  return served;
}

}  // namespace headroom::sim
