// Share: the part of a traffic that one thread of one machine drives.
#pragma once

#include <cstdint>

namespace headroom::workload {

// Of things numbered from 0 those with number % of == index. Requires: index < of.
struct Share {
  std::uint64_t index = 0;
  std::uint64_t of = 1;

  bool holds(std::uint64_t number) const { return number % of == index; }
  // This share's share `part` of `parts`.
  Share divided(std::uint64_t part, std::uint64_t parts) const { return {index + of * part, of * parts}; }
  bool operator==(const Share&) const = default;
};

}  // namespace headroom::workload
