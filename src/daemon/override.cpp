#include "daemon/override.hpp"

namespace headroom::daemon {

policy::Numbers<base::One> bounded(policy::Numbers<base::One> numbers, const Override& override) {
  if (override.instances) {
    numbers.min = *override.instances;
    numbers.max = *override.instances;
  } else {
    numbers.step_out = 0;
    numbers.step_in = 0;
  }
  return numbers;
}

}  // namespace headroom::daemon
