// LoadRecords: a load test as JSON and CSV, and read again from there without loss; every name is stated in
// docs/reference/json.md.
#pragma once

#include <string>

#include "base/result.hpp"
#include "report/json.hpp"
#include "report/load_run.hpp"

namespace headroom::report {

// series.csv: a heading and one row per second. Ends with a newline, as the other files do.
std::string load_series_csv(const LoadRun& run);

// summary.json, and what `load --json` and `merge --json` print.
std::string load_summary_json(const LoadRun& run);

// The same as one value, for the page.
void write_load_summary(JsonWriter& json, const LoadRun& run);

// histograms.json: all there is to know of the run.
std::string load_histograms_json(const LoadRun& run);

// Reads it. `file` names the text in faults.
base::Result<LoadRun> read_load_histograms(const std::string& text, const std::string& file);

}  // namespace headroom::report
