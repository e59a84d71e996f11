// RunFiles: what a rehearsal or a tuning leaves in `runs/TIME-NAME/`.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/project.hpp"
#include "tune/outcome.hpp"

namespace CLI {
class App;
}

namespace headroom::cli {

struct RunArguments {
  std::string folder = "runs";
  bool none = false;
};
void add_run_arguments(CLI::App& command, RunArguments& arguments);

// Both write the inputs as used, series.csv, decisions.jsonl, summary.json and report.html of one rehearsal,
// and return the folder; empty where no run is kept.
base::Result<std::string> keep_run(const RunArguments& arguments, const Project& project,
                                   const sim::Rehearsal& rehearsal, const environment::Service& service,
                                   const std::string& summary_json);
base::Result<std::string> keep_run(const RunArguments& arguments, const Project& project,
                                   const tune::Outcome& outcome, const environment::Service& service);

}  // namespace headroom::cli
