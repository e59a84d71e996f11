// The time of day, as the clouds and the controllers take it: milliseconds since 1970.
#pragma once

#include <chrono>

#include "base/quantity.hpp"

namespace headroom::daemon {

inline base::Milliseconds now() {
  return std::chrono::duration_cast<base::Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
}

}  // namespace headroom::daemon
