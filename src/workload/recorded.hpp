// Recorded traffic: a `timestamp,value` CSV as the common tools write it, read into rates over time.
//
// A value at timestamp t covers [t, t + interval). Counts become rates by the length of the interval. The
// text is read by base/csv.hpp and base/timestamp.hpp; what this file adds:
//   - unit and interval given or inferred: the unit from the heading (rpm, rps, requests, ...), else a count
//     per interval; the interval as the most frequent distance of two rows;
//   - rows out of order are sorted; equal rows count once; rows that differ at the same timestamp are
//   averaged,
//     and refused where they are so many that the file must hold several series;
//   - missing rows and missing values (empty, NaN, null) are filled by a straight line between the centres of
//     the neighbouring intervals, at the ends of the file left out;
//   - a local clock set forward or back by an hour is recognised by its gap or its repeated hour, and named.
// Each of these leaves a note. Negative and infinite values, unreadable rows and times outside 1990..2099 are
// faults with line and column.
#pragma once

#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "workload/profile.hpp"
#include "workload/traffic.hpp"

namespace headroom::workload {

// The mean rate over one interval (or what a shorter distance to the next row leaves of it).
struct Cell {
  base::Milliseconds from{0};  // since 1970-01-01 UTC
  base::Milliseconds to{0};
  double requests_per_second = 0;
  bool filled = false;  // not recorded
  bool operator==(const Cell&) const = default;
};

struct Recording {
  std::vector<Cell> cells;  // ascending, without gaps, not empty
  base::Milliseconds interval{0};
  std::vector<std::string> notes;
};

base::Result<Recording> read_recording(const Recorded& recorded);

// The recording for ticks as long as the interval or longer: each rate holds for its cell, so that a tick is
// the mean of its cells.
Profile steps(const Recording& recording);

// The recording for shorter ticks: straight lines between the centres of the cells, level before the first
// and after the last centre. Never negative, never above the highest recorded rate; the total is kept exactly
// where cells are equally long (each inner cell adds half its height to either side).
Profile lines(const Recording& recording);

}  // namespace headroom::workload
