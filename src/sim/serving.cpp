#include "sim/serving.hpp"

#include <utility>

namespace headroom::sim {

Serving::Serving(ServingSettings settings) : serving_(std::move(settings)) {}

ServedTick Serving::tick(std::span<const Server> servers) { return serving_.tick(servers); }

}  // namespace headroom::sim
