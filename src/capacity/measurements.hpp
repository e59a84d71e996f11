// Measurements: the rows of a load test of one service, read from CSV.
//
// Columns are found by their headings, in any order and without regard to case and signs:
//   timestamp, time, ts, date       optional; needed where requests are counted per interval
//   rpm, rps, requests, ...         requests, per service or (..._per_instance, ..._per_host) per instance
//   cpu, cpu_percent, utilisation   percent; shares of 1 are recognised by having no value above 1
//   p50_ms, p95_ms, p99_ms          optional; also in seconds (p95_s); median_ms; latency_ms without a
//   quantile errors or error_percent         optional instances or hosts              optional; requests are
//   divided by it
// Other columns are left alone. What was inferred is said in `notes`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::capacity {

struct Measurement {
  int line = 0;  // in the file; 0: not from a file
  base::Rate per_instance;
  base::Percent utilisation;
  std::optional<double> p50_ms;
  std::optional<double> p95_ms;
  std::optional<double> p99_ms;
  std::optional<double> error_share;  // of the requests, 0 to 1
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

}  // namespace headroom::capacity
