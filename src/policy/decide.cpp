#include "policy/decide-inl.hpp"

namespace headroom::policy {

State<base::One> initial_state() {
  State<base::One> state{};
  state.last_out = kLongAgo;
  state.last_in = kLongAgo;
  state.last_busy = kLongAgo;
  return state;
}

Decision<base::One> decide(const Now& now, const Observation<base::One>& observation, const Shape& shape,
                           const Numbers<base::One>& numbers, State<base::One>& state) {
  return HWY_NAMESPACE::decide<base::One>(now, observation, shape, numbers, state);
}

void skip(std::int32_t from, std::int32_t to, bool busy, const Shape& shape, State<base::One>& state) {
  if (to <= from) return;
  if (busy) state.last_busy = to - 1;
  // After this many ticks the windows are empty, and more change nothing.
  for (std::int32_t tick = to - from > kMaxRateTicks ? to - kMaxRateTicks : from; tick < to; ++tick) {
    HWY_NAMESPACE::age_rates<base::One>({.tick = tick}, shape, state);
    if (shape.rate_out_ticks > 0) state.rate_out_ring[tick % shape.rate_out_ticks] = 0;
    if (shape.rate_in_ticks > 0) state.rate_in_ring[tick % shape.rate_in_ticks] = 0;
  }
}

}  // namespace headroom::policy
