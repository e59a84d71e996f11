// Counts: the instances of one service as numbers in start order, over a lane type.
//
// An instance ordered at tick t with a start-up time of s ticks serves from tick t + s + 1 on; one that is
// removed at tick t serves until the end of t, then drains. Instances are alike, so counts are enough;
// instances with identities are control's (control/step.hpp), and give the same counts.
#pragma once

#include <cstdint>

#include "base/lanes.hpp"

namespace headroom::fleet {

inline constexpr int kMaxRing = 2048;  // ticks of start-up plus warm-up, and of draining, that fit

// What the lanes of a batch share; durations in ticks.
struct Shape {
  std::int32_t startup = 0;
  std::int32_t warm_up = 0;  // after it serves, for the semantics that ask for it
  std::int32_t drain = 0;    // after it left service: still paid for
  bool operator==(const Shape&) const = default;
};

template <class L>
struct Counts {
  using Int = typename L::Int;
  Int in_service;
  Int launching;
  Int draining;
  Int warming;  // of those in service
  Int leaving;  // in service, gone at the next tick
  // Rings by tick. Slots of `arrivals` keep what has arrived until the warm-up of it is over.
  std::int32_t slot;        // of the present tick in `arrivals`
  std::int32_t drain_slot;  // of the present tick in `departures`
  Int arrivals[kMaxRing];
  Int departures[kMaxRing];
};

}  // namespace headroom::fleet
