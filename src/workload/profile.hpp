// Profile: a rate as a function of continuous time, made of straight pieces, to be sampled on any tick.
#pragma once

#include <vector>

#include "base/quantity.hpp"
#include "base/series.hpp"
#include "workload/traffic.hpp"

namespace headroom::workload {

// The rate goes in a straight line from `rate_from` at `from` to `rate_to` at `to`. Rates in requests per
// second.
struct Piece {
  base::Milliseconds from{0};
  base::Milliseconds to{0};
  double rate_from = 0;
  double rate_to = 0;
  bool operator==(const Piece&) const = default;
};

// Requires: pieces ascend without gaps or overlaps, and each has from < to.
struct Profile {
  std::vector<Piece> pieces;

  base::Milliseconds from() const { return pieces.empty() ? base::Milliseconds{0} : pieces.front().from; }
  base::Milliseconds to() const { return pieces.empty() ? base::Milliseconds{0} : pieces.back().to; }
};

// The part within [from, to).
//
// Requires: it lies within the profile.
Profile part(const Profile& profile, base::Milliseconds from, base::Milliseconds to);

double peak(const Profile& profile);

// As many whole ticks as fit. mean: the integral over the tick by its length, exact for straight pieces;
// start, end: the rate at that instant, seen from within the tick where the rate jumps there.
base::Series sample(const Profile& profile, base::Milliseconds tick, SampleAt at);

}  // namespace headroom::workload
