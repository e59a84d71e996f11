#include "daemon/override.hpp"

#include <algorithm>

namespace headroom::daemon {

policy::Numbers<base::One> bounded(policy::Numbers<base::One> numbers, const Override& override) {
  if (override.instances) {
    numbers.max = std::clamp(*override.instances, 1, numbers.max);
    numbers.min = numbers.max;
  } else {
    numbers.step_out = 0;
    numbers.step_in = 0;
  }
  return numbers;
}

}  // namespace headroom::daemon
