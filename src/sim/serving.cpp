#include "sim/serving.hpp"

#include <utility>

namespace headroom::sim {
namespace {

std::variant<OpenServing, ClosedServing> serving_of(ServingSettings settings) {
  if (std::holds_alternative<workload::Closed>(settings.traffic)) return ClosedServing(settings);
  return OpenServing(std::move(settings));
}

}  // namespace

Serving::Serving(ServingSettings settings) : serving_(serving_of(std::move(settings))) {}

ServedTick Serving::tick(std::span<const Server> servers) {
  return std::visit([&](auto& serving) { return serving.tick(servers); }, serving_);
}

}  // namespace headroom::sim
