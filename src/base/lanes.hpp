// The lane type: arithmetic written once over `L`, run on one lane or on many.
//
// `L` names three types: Float (float32), Int (int32) and Mask (a truth value per lane). `One` has plain
// scalars; `Many` (lanes-inl.hpp) has vectors as wide as the processor's registers, chosen at run time.
// Code over a lane type uses + - * / and comparisons, select() instead of if, && || ! on masks, and the
// functions of lanes-inl.hpp. Every operation is exact or rounds as IEEE 754 says, so a lane of Many gives
// the bits of One. Requires: no NaN, and to_int() only within the range of int32.
#pragma once

#include <cstdint>

namespace headroom::base {

struct One {
  using Float = float;
  using Int = std::int32_t;
  using Mask = bool;
  static constexpr int width() { return 1; }
};

}  // namespace headroom::base
