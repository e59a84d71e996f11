// The fleet in time: arrivals and removals at the start of a tick, orders at its end, over a lane type.
#if defined(HEADROOM_FLEET_COUNTS_INL_HPP_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEADROOM_FLEET_COUNTS_INL_HPP_
#undef HEADROOM_FLEET_COUNTS_INL_HPP_
#else
#define HEADROOM_FLEET_COUNTS_INL_HPP_
#endif

#include "base/lanes-inl.hpp"
#include "fleet/counts.hpp"

HWY_BEFORE_NAMESPACE();
namespace headroom::fleet::HWY_NAMESPACE {

namespace bl = base::HWY_NAMESPACE;

// Slots a ring needs so that an order at tick t does not meet what is still remembered of older ticks.
inline std::int32_t arrival_slots(const Shape& shape) { return shape.startup + shape.warm_up + 2; }
inline std::int32_t departure_slots(const Shape& shape) { return shape.drain > 0 ? shape.drain : 1; }

template <class L>
HWY_INLINE void reset(const Shape& shape, typename L::Int initial, Counts<L>& counts) {
  using Int = typename L::Int;
  counts.in_service = initial;
  counts.launching = Int(0);
  counts.draining = Int(0);
  counts.warming = Int(0);
  counts.leaving = Int(0);
  counts.slot = arrival_slots(shape) - 1;
  counts.drain_slot = departure_slots(shape) - 1;
  for (int k = 0; k < arrival_slots(shape); ++k) counts.arrivals[k] = Int(0);
  for (int k = 0; k < departure_slots(shape); ++k) counts.departures[k] = Int(0);
}

// The start of a tick: instances whose start-up is over arrive, then those removed a tick ago leave.
template <class L>
HWY_INLINE void begin_tick(const Shape& shape, Counts<L>& counts) {
  using Int = typename L::Int;
  const std::int32_t slots = arrival_slots(shape);
  counts.slot = counts.slot + 1 == slots ? 0 : counts.slot + 1;
  const Int arrived = counts.arrivals[counts.slot];
  counts.in_service = counts.in_service + arrived - counts.leaving;
  counts.launching = counts.launching - arrived;
  if (shape.warm_up > 0) {
    const std::int32_t warm = counts.slot - shape.warm_up;
    const std::int32_t over = warm < 0 ? warm + slots : warm;
    counts.warming = counts.warming + arrived - counts.arrivals[over];
    counts.arrivals[over] = Int(0);
  } else {
    counts.arrivals[counts.slot] = Int(0);
  }
  if (shape.drain > 0) {
    const std::int32_t drain_slots = departure_slots(shape);
    counts.drain_slot = counts.drain_slot + 1 == drain_slots ? 0 : counts.drain_slot + 1;
    counts.draining = counts.draining + counts.leaving - counts.departures[counts.drain_slot];
    counts.departures[counts.drain_slot] = counts.leaving;
  }
  counts.leaving = Int(0);
}

// The newest leave first: what of them is warming comes off the arrivals that it came with.
template <class L>
HWY_INLINE void remove_warming(const Shape& shape, typename L::Int remove, Counts<L>& counts) {
  using Int = typename L::Int;
  if (!bl::any(remove > Int(0) && counts.warming > Int(0))) return;
  const std::int32_t slots = arrival_slots(shape);
  Int left = bl::min(remove, counts.warming);
  counts.warming = counts.warming - left;
  for (std::int32_t age = 0; age < shape.warm_up; ++age) {
    const std::int32_t slot = counts.slot - age;
    auto& arrived = counts.arrivals[slot < 0 ? slot + slots : slot];
    const Int taken = bl::min(left, arrived);
    arrived = arrived - taken;
    left = left - taken;
  }
}

// The end of a tick: instances ordered arrive after their start-up, instances removed leave at the next tick.
template <class L>
HWY_INLINE void order(const Shape& shape, typename L::Int add, typename L::Int remove, Counts<L>& counts) {
  const std::int32_t slots = arrival_slots(shape);
  const std::int32_t ahead = counts.slot + shape.startup + 1;
  auto& slot = counts.arrivals[ahead >= slots ? ahead - slots : ahead];
  slot = slot + add;
  counts.launching = counts.launching + add;
  counts.leaving = remove;
  if (shape.warm_up > 0) remove_warming<L>(shape, remove, counts);
}

}  // namespace headroom::fleet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
