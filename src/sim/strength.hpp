// strength(): what instances take in one tick, as a factor of what they usually take: the noise of capacity.
//
//   strength = max(0.05, 1 + noise * z)    z normal, one draw per tick for the whole fleet
//   utilisation = intercept + (slope / strength) * requests
// Worked example: noise 10 %, z -2: an instance that usually takes 300 requests a minute takes 240 in this
// tick, and 120 ask for 50 % of it instead of 40 %.
#pragma once

#include <cstdint>

#include "base/quantity.hpp"

namespace headroom::sim {

// The stream of Philox that it draws from.
inline constexpr std::uint32_t kStrengthStream = 0x5101;

// The draw is keyed by the seed and the number of the tick since 1970, as arrivals are: the same whatever
// happened in other ticks. Requires: noise finite and not negative; begin a whole number of ticks since 1970,
// or the draws of two ticks may be one.
double strength(double noise, std::uint64_t seed, base::Milliseconds begin, base::Milliseconds tick);

}  // namespace headroom::sim
