// Series: one number per tick, from a start time on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/quantity.hpp"

namespace headroom::base {

// values[i] belongs to the interval [start + i*tick, start + (i+1)*tick). The unit is the owner's to say.
struct Series {
  Milliseconds start{0};  // since 1970-01-01 UTC
  Milliseconds tick{60'000};
  std::vector<double> values;

  std::size_t size() const { return values.size(); }
  Milliseconds duration() const { return tick * static_cast<std::int64_t>(values.size()); }
  bool operator==(const Series&) const = default;
};

}  // namespace headroom::base
