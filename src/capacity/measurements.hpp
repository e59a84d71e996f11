// Measurements: the rows of a load test of one service, read from CSV.
//
// Columns are found by their headings, in any order and without regard to case and signs:
//   timestamp, time, ts, date       optional; needed where requests are counted per interval
//   rpm, rps, requests, ...         requests, per service or (..._per_instance, ..._per_host) per instance
//   cpu, cpu_percent, utilisation   percent; shares of 1 are recognised by having no value above 1
//   p50_ms, p95_ms, p99_ms          optional; also in seconds (p95_s); median_ms; latency_ms without quantile
//   errors or error_percent         optional
//   instances or hosts              optional; requests are divided by it
//   begin, end                      optional; of the time that the row is about
//   full                            optional; 1 where the instance was saturated
// Other columns are left alone. What was inferred is said in `notes`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "capacity/utilisation_series.hpp"

namespace headroom::capacity {

struct Measurement {
  int line = 0;  // in the file; 0: not from a file
  base::Rate per_instance;
  base::Percent utilisation;
  std::optional<double> p50_ms;
  std::optional<double> p95_ms;
  std::optional<double> p99_ms;
  std::optional<double> error_share;  // of the requests, 0 to 1
  bool full = false;                  // saturated, as whoever measured it says
  bool operator==(const Measurement&) const = default;
};

struct Measurements {
  std::string file;
  std::vector<Measurement> rows;
  std::vector<std::string> notes;
};

// Errors: all faults with line and column, at most 20 listed. A row without a rate or a utilisation is left
// out with a note.
base::Result<Measurements> read_measurements(std::string_view csv, const std::string& file);

// The same with the utilisation from elsewhere, joined by time: the mean over each row's `begin` to `end`, or
// where it has none from its timestamp to one interval later. A row in which the series has too few values is
// left out and named in the notes.
//
// Errors: also rows that say no time; a series of another time, with both.
base::Result<Measurements> read_measurements(std::string_view csv, const std::string& file,
                                             const UtilisationSeries& utilisation);

}  // namespace headroom::capacity
