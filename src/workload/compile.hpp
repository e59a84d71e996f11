// compile(): the rate that traffic offers per tick; start here to use traffic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/series.hpp"
#include "workload/profile.hpp"
#include "workload/traffic.hpp"

namespace headroom::workload {

struct Compiled {
  base::Series requests_per_second;  // one value per tick, not negative, finite
  std::vector<std::string> notes;    // what was inferred, filled in, dropped or assumed, in whole sentences
  bool operator==(const Compiled&) const = default;
};

// The shape is cut, scaled, repeated and shifted, in this order, and sampled on ticks that begin where the
// cut does. `seed` is used by arrivals: poisson alone; a generated shape has a seed of its own.
//
// Start of the series: recorded traffic, its first timestamp; open traffic, 0 (1970-01-01 00:00 UTC);
// generated traffic, Monday 1970-01-05 00:00 UTC, so that weekdays mean the same to it and to a schedule.
// `cut` moves the start to where it begins, `shift` moves it later. scale_peak: the peak is that of the shape
// itself (a corner of the stages, a recorded value), whatever the tick; of a generated shape the highest
// tick.
//
// Errors: all faults of a recorded file with line and column (at most 20 are listed); impossible
// values; a duration that is no whole number of ticks (recorded traffic: the rest is left out and a note says
// so); closed traffic, whose rate follows from the answers of the service.
base::Result<Compiled> compile(const Traffic& traffic, base::Milliseconds tick, std::uint64_t seed);

struct Offered {
  Profile profile;                 // from 0 on
  std::vector<std::string> notes;  // as of Compiled
};

// The same rate over continuous time, for whoever sends real requests: the straight lines of open traffic as
// they are, recorded traffic straight between the centres of its intervals, a generated shape in steps of a
// minute (or a second, where it is no whole number of minutes). Arrivals are not drawn here (due_times.hpp),
// and nobody waits for a shift. Errors: as compile().
base::Result<Offered> offered(const Traffic& traffic);

}  // namespace headroom::workload
