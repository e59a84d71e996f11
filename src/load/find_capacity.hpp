// find_capacity(): what one instance takes, from steps of constant rate that bracket its saturation.
//
// First the rate rises until it is too much: the instance is saturated (of what is asked more than 5 %, and
// more than three requests, for a few are always under way, is left over, or fails, or it uses 97 % of its
// CPU, where that is known), or breaks the objective. Then rates from a sixth of that up to a little above it
// are driven in a random order, again and again, so that a drift of the machine falls on all of them alike:
// at least `repeats_least` times, until the 95 % interval of the slope is within `slope_within` of it, at
// most `repeats_most` times. Last, rates between the highest that is still fast and the lowest that is slow
// halve that stretch, for evenly spread rates seldom show the knee: at most `knee_steps_most`, until it is
// within `knee_within` of the saturation. Slow: saturated, or p95 is more than twice that of the lowest
// rates.
//
// The line, the knee and their intervals are those of capacity::fit. Without the utilisation there is no
// line; the knee is then one over the request rate.
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
#include "capacity/utilisation_series.hpp"
#include "load/measured.hpp"

namespace headroom::load {

// What a constant rate came to.
struct CapacityStep {
  capacity::Window when;  // was measured
  base::Rate offered;
  base::Rate answered;
  std::optional<base::Percent> utilisation;  // unset: it is not known now
  std::optional<double> p50_ms;              // from the schedule
  std::optional<double> p95_ms;
  std::optional<double> p99_ms;
  double error_share = 0;
  std::uint64_t due = 0;    // requests within the seconds that were measured
  std::uint64_t ended = 0;  // answered or failed within them
  int round = 0;            // 0: while the rate rose; one more than the last of all rates: near the knee
  bool breaks_objective = false;
  std::string fault;  // of the first request that failed, for people; empty: none did

  bool saturated() const;
  bool too_much() const { return saturated() || breaks_objective; }
  bool operator==(const CapacityStep&) const = default;
};

struct CapacitySearch {
  base::Rate first{1};
  base::Rate most{1e6};
  int rates = 8;
  int repeats_least = 3;
  int repeats_most = 6;
  double slope_within = 0.05;
  int knee_steps_most = 8;
  double knee_within = 0.03;
  std::uint64_t seed = 1;  // of the order
};

struct FoundCapacity {
  std::vector<CapacityStep> steps;                // in the order in which they were driven
  std::optional<capacity::Fit> fit;               // unset: the utilisation is not known
  std::optional<capacity::BrokenLine> knee_rate;  // without `fit`: the knee of p95 over the rate
  std::optional<base::Rate> saturation;           // the median of what was answered by a saturated instance
  std::optional<base::Rate> objective_kept;       // the highest rate up to which no step broke it
  double drift = 0;
  bool interrupted = false;
  std::vector<std::string> notes;
};

// Drives one rate. Unset: it was interrupted.
using DriveRate = std::function<base::Result<std::optional<CapacityStep>>(base::Rate)>;

// Called before each step with the share that is done, as far as it is known.
using CapacityProgress =
    std::function<void(base::Rate next, const std::vector<CapacityStep>& so_far, double share)>;

// Errors: those of `drive`; too few usable steps for a line, with the faults seen; an instance that
// `search.most` does not saturate is none, the notes say so.
base::Result<FoundCapacity> find_capacity(const CapacitySearch& search, const DriveRate& drive,
                                          const CapacityProgress& progress);

// The steps as `headroom fit` reads them.
std::string measurements_csv(const std::vector<CapacityStep>& steps);

// What these seconds of a test come to as one step; `start`: of the test, since 1970. Of the utilisation and
// the objective it says nothing. Requires: a length of whole seconds.
CapacityStep step_of(const Measured& measured, base::Milliseconds start, base::Milliseconds from,
                     base::Milliseconds length);

// A whole load test as steps, one after the other, without its first `settle`; what is left at its end is no
// step.
std::vector<CapacityStep> steps_of(const Measured& measured, base::Milliseconds start,
                                   base::Milliseconds settle, base::Milliseconds length);

}  // namespace headroom::load
