// DueTimes: when each request of open traffic is due, from its number alone.
//
// Let N(t) be the area under the rate from the start to t. Request k (0, 1, ...) is due when N(t) = k; with
// Poisson arrivals, when N(t) is the sum of k + 1 exponential draws of mean 1 (an inhomogeneous Poisson
// process by the time change N). So nothing drifts, however long the traffic, and a request is due at the
// same instant whoever sends it.
//
// Worked example: a ramp from 0 to 100/s within 10 s: N(t) = 5 t^2, request 20 is due at 2 s, and there are
// 500 requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/philox.hpp"
#include "base/quantity.hpp"
#include "workload/profile.hpp"
#include "workload/share.hpp"

namespace headroom::workload {

class DueTimes {
 public:
  // Requires: a profile that starts at 0.
  DueTimes(const Profile& profile, Arrivals arrivals, std::uint64_t seed, Share share = {});

  // Of the next request of this share, since the start; kNever: there is none.
  base::Nanoseconds next() const { return next_; }
  // Of that request, among those of all shares.
  std::uint64_t number() const { return number_; }
  // The piece of the profile in which it is due.
  std::size_t piece() const { return piece_; }
  // Requires: next() is not kNever.
  void advance();

 private:
  void draw();
  void plan();

  std::vector<Piece> pieces_;
  std::vector<double> area_;  // N where each piece begins, and at the end
  Arrivals arrivals_;
  base::Rng rng_;
  Share share_;
  std::size_t piece_ = 0;
  std::uint64_t number_ = 0;
  double position_ = 0;  // N where request number_ is due
  base::Nanoseconds next_ = base::kNever;
};

}  // namespace headroom::workload
