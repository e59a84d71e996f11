// find_capacity(): what one instance takes, from steps of constant rate that bracket its saturation.
//
// First the rate rises until the instance is saturated: of what is asked more than 5 % (and more than three
// requests, for a few are always under way) is left over, or fails, or it uses 97 % of its CPU. Then rates
// from a sixth of that up to a little above it are driven in a random order, again and again, so that a drift
// of the machine falls on all of them alike: at least `repeats_least` times, until the 95 % interval of the
// slope is within `slope_within` of it, at most `repeats_most` times. The line, the knee and their intervals
// are those of capacity::fit.
//
// Drift: the mean deviation from the line of the last round against that of the first, as a share.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "capacity/fit.hpp"

namespace headroom::load {

// What a constant rate came to.
struct CapacityStep {
  base::Rate offered;
  base::Rate answered;
  base::Percent utilisation;
  std::optional<double> p50_ms;  // from the schedule
  std::optional<double> p95_ms;
  std::optional<double> p99_ms;
  double error_share = 0;
  std::uint64_t due = 0;    // requests within the seconds that were measured
  std::uint64_t ended = 0;  // answered or failed within them
  int round = 0;            // 0: while the rate rose

  bool saturated() const;
  bool operator==(const CapacityStep&) const = default;
};

struct CapacitySearch {
  base::Rate first{1};
  base::Rate most{1e6};
  int rates = 8;
  int repeats_least = 3;
  int repeats_most = 6;
  double slope_within = 0.05;
  std::uint64_t seed = 1;  // of the order
};

struct FoundCapacity {
  std::vector<CapacityStep> steps;  // in the order in which they were driven
  capacity::Fit fit;
  std::optional<base::Rate> saturation;  // the median of what was answered by a saturated instance
  double drift = 0;
  bool interrupted = false;
  std::vector<std::string> notes;
};

// Drives one rate. Unset: it was interrupted.
using DriveRate = std::function<base::Result<std::optional<CapacityStep>>(base::Rate)>;

// Called before each step with the share that is done, as far as it is known.
using CapacityProgress =
    std::function<void(base::Rate next, const std::vector<CapacityStep>& so_far, double share)>;

// Errors: those of `drive`; too few usable steps for a line; an instance that `search.most` does not saturate
// is none, the notes say so.
base::Result<FoundCapacity> find_capacity(const CapacitySearch& search, const DriveRate& drive,
                                          const CapacityProgress& progress);

// The steps as `headroom fit` reads them.
std::string measurements_csv(const std::vector<CapacityStep>& steps);

}  // namespace headroom::load
