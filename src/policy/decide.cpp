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

}  // namespace headroom::policy
