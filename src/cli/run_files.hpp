// RunFiles: what a rehearsal or a tuning leaves in `runs/TIME-NAME/`.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command_line.hpp"
#include "cli/project.hpp"
#include "tune/outcome.hpp"

namespace headroom::cli {

struct RunArguments {
  std::string folder = "runs";
  bool none = false;
};
void add_run_arguments(Command command, RunArguments& arguments);

// Removes what killed commands left where this one keeps its run, and says so on `err`.
void sweep_runs(const RunArguments& arguments, std::ostream& err);

// How the command was called, as far as the project does not know it.
struct Call {
  std::vector<std::string> words;
  std::optional<int> seeds;
  std::optional<int> samples;
  std::string engine = {};
};

// What an earlier run of the same command recorded where PATH is that run.
const RunRecord* recorded(const Project& project, const char* command);

// These files in a run folder of this name, which is returned; empty where no run is kept.
base::Result<std::string> keep_files(const RunArguments& arguments, const std::string& name,
                                     const std::vector<InputFile>& files);

// Both write the inputs as used (inputs.hpp), series.csv, decisions.jsonl, summary.json and report.html of
// one rehearsal, and return the folder; empty where no run is kept.
base::Result<std::string> keep_run(const RunArguments& arguments, const Call& call, const Project& project,
                                   const sim::Rehearsal& rehearsal, const environment::Service& service,
                                   const std::string& summary_json);
base::Result<std::string> keep_run(const RunArguments& arguments, const Call& call, const Project& project,
                                   const tune::Outcome& outcome, const environment::Service& service);

}  // namespace headroom::cli
