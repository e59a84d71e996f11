// From a policy as the user wrote it to the parameters of the decision kernel on a tick grid.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "policy/kernel.hpp"
#include "policy/policy.hpp"

namespace headroom::policy {

struct Compiled {
  Shape shape;
  Numbers<base::One> numbers;
  std::int32_t warm_up_ticks = 0;
};

// A duration in ticks. `path` names the field in the error.
// Errors: the duration is no whole number of ticks, or negative.
base::Result<std::int32_t> in_ticks(base::Milliseconds duration, base::Milliseconds tick,
                                    std::string_view path);

// The metric lag counts where a policy looks at fresh metrics only; it is taken in whole ticks, rounded up.
// Requires: tick and metric_period above 0, metric_lag not below.
// Errors: one fault per field that is no whole number of ticks, lies outside what the kernel holds, or
// contradicts another. Each carries the field's path below `scale`: "policies[0].step.cooldown.out".
base::Result<Compiled> compile(const Scaling& scaling, base::Milliseconds tick,
                               base::Milliseconds metric_period, base::Milliseconds metric_lag);

}  // namespace headroom::policy
