// Variations of compiled traffic: cut in two for training and judging, higher, steeper.
//
// They take the rate, not drawn arrivals: draw (arrivals.hpp) from the varied series, for the scatter of
// counts does not grow with the rate as the rate does, and a ramp is steeper while its scatter is not.
#pragma once

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "base/series.hpp"

namespace headroom::workload {

struct Split {
  base::Series before;
  base::Series after;
};

// Before and from a time since the start of the series on. Errors: the time leaves one part empty or lies
// within a tick.
base::Result<Split> split(const base::Series& series, base::Milliseconds since_start);

// Every value times the factor. Requires: 0 <= factor, finite.
base::Series scaled(const base::Series& series, double factor);

// The same peaks, at the same time and height, reached `factor` times as fast.
//
// Time is stretched and compressed between the turning points: each trough moves towards the peak that
// follows it, so that the rise takes 1/factor of its time, and the fall before it takes what becomes free.
// Before the first rise the first trough is held. Turning points are those of swings of at least a fifth of
// the range of the series: a smaller wiggle moves along with the rise or fall that it sits on. A factor below
// 1 makes rises slower, as far as the peak before (or the start of the series) leaves room.
//
// Worked example: 1, 1, 1, 1, 2, 3, 4, 5 rises over 4 ticks; steepened by 2 over 2 ticks: the 5 stays where
// it is, before it comes a 3, before that 1.
//
// Requires: 0 < factor, finite.
base::Series steepen(const base::Series& series, double factor);

}  // namespace headroom::workload
