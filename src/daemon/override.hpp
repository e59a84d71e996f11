// Override: what a person has put over the policy of a service: exactly so many instances, or a pause.
//
// The policy goes on being asked, so that what it would do is known and can be told; what it says is bounded.
#pragma once

#include <optional>

#include "base/quantity.hpp"
#include "policy/kernel.hpp"

namespace headroom::daemon {

struct Override {
  std::optional<int> instances;  // of each group exactly so many; none: it is paused, those that run stay
  base::Milliseconds since{0};
  std::optional<base::Milliseconds> until;  // it ends by itself; none: when a person ends it
  bool pauses_after = false;                // then what it was put over: a pause, until a person ends it
  bool operator==(const Override&) const = default;

  bool is_pause() const { return !instances; }
  bool is_over(base::Milliseconds now) const { return until && now >= *until; }
};

// The limits of the policy under it; what was asked for stays within the limits of the file, which can have
// become narrower since.
policy::Numbers<base::One> bounded(policy::Numbers<base::One> numbers, const Override& override);

}  // namespace headroom::daemon
