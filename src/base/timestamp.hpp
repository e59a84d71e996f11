// Timestamps as the common tools write them into files; what people write is read by units.hpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "base/quantity.hpp"

namespace headroom::base {

struct Timestamp {
  Milliseconds at{
      0};  // since 1970-01-01; UTC if has_zone, else local time of a zone that the text leaves open
  bool has_zone = false;  // Z, UTC, an offset, or seconds since the epoch
  bool operator==(const Timestamp&) const = default;
};

// Reads "2024-02-16T21:00:00Z", "2024-02-16 21:00", "2024/02/16 21:00:00.250+01:00", "2024-02-16", or a
// number since the epoch: seconds, milliseconds, microseconds or nanoseconds, told apart by their magnitude.
// Errors: what is wrong with the text, in words. Years outside 1990..2099 are errors: in every case seen they
// were a wrong unit or a placeholder.
tl::expected<Timestamp, std::string> parse_timestamp(std::string_view text);

// The most frequent distance of two neighbours and how often it occurs: the interval at which a file was
// recorded. Of several equally frequent ones the shortest; unset for fewer than two times.
//
// Requires: ascending order.
struct Distance {
  Milliseconds length{0};
  std::size_t times = 0;
};
std::optional<Distance> most_frequent_distance(const std::vector<Milliseconds>& times);

}  // namespace headroom::base
