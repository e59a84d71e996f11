#include "sim/rehearsal.hpp"

#include <bit>
#include <tuple>

namespace headroom::sim {

bool DecisionRecord::operator==(const DecisionRecord& other) const {
  const auto all = [](const DecisionRecord& d) {
    return std::make_tuple(d.tick, d.group, std::bit_cast<std::uint32_t>(d.cpu_percent_seen),
                           std::bit_cast<std::uint32_t>(d.requests_per_second_per_instance_seen),
                           d.in_service, d.launching, d.recommended, d.after_step, d.after_rate, d.desired,
                           d.add, d.remove, d.policy, d.reasons.bits);
  };
  return all(*this) == all(other);
}

}  // namespace headroom::sim
