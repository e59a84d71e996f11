// LoadFiles: what a load test leaves in `runs/TIME-load-NAME/`, and reading it again.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/inputs.hpp"
#include "cli/run_files.hpp"
#include "report/load_run.hpp"

namespace headroom::cli {

// series.csv, summary.json, histograms.json, report.html and the inputs. Returns the folder; empty where no
// run is kept.
base::Result<std::string> keep_load(const RunArguments& arguments, const report::LoadRun& run,
                                    const std::vector<InputFile>& inputs);

// The report page alone; an empty name: nothing.
base::Result<void> write_load_report(const std::string& file, const report::LoadRun& run);

// Of a run folder. Errors: it is none of a load test.
base::Result<report::LoadRun> read_load(const std::string& folder);

// The words of a command line, with the values of headers replaced that may be secrets.
std::vector<std::string> without_secrets(const std::vector<std::string>& words);

}  // namespace headroom::cli
