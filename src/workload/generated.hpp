// Generated traffic: a made-up daily and weekly wave with noise and spikes, the same for the same seed.
//
//   rate(t) = (base + (peak - base) * (1 + cos(2 pi (t - peak_at) / 1 day)) / 2) * (weekend on Sat and Sun)
//   a tick  = (mean of rate over it) * (1 + noise * N(0, 1)) + (mean of the spikes over it), not below 0
//
// Spikes begin at random, on average per_day of them a day; one rises at once by height * peak and falls to 0
// in a straight line over its duration; those that overlap add up. They are drawn per minute of time and the
// noise per tick, so spikes do not depend on the tick or on where the shape is cut.
//
// Worked example: base 10,
// peak 50, peak_at 12h, weekend 0.5: 50 rps on Monday noon, 10 at midnight, 25 on Saturday noon.
#pragma once

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "base/series.hpp"
#include "workload/traffic.hpp"

namespace headroom::workload {

// Where generated traffic begins: Monday 1970-01-05 00:00 UTC.
inline constexpr base::Milliseconds generated_origin{4LL * 86'400'000};

// All that is wrong with the numbers; no faults: they can be used.
base::Error check(const Generated& generated);

// The ticks of [from, to), counted from generated_origin.
//
// Requires: check() found nothing, to - from is a
// whole number of ticks.
base::Series generate(const Generated& generated, base::Milliseconds from, base::Milliseconds to,
                      base::Milliseconds tick);

}  // namespace headroom::workload
