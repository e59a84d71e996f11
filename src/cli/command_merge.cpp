#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/load_files.hpp"
#include "cli/program.hpp"
#include "cli/run_files.hpp"
#include "load/threshold.hpp"
#include "report/load_records.hpp"
#include "report/load_text.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  std::vector<std::string> runs;
  std::vector<std::string> fail_if;
  bool partial = false;
  RunArguments run;
  std::string report;
  bool json = false;
};

base::Result<std::vector<report::LoadRun>> read_runs(const std::vector<std::string>& folders) {
  std::vector<report::LoadRun> runs;
  base::Error error;
  for (const std::string& folder : folders) {
    if (auto run = read_load(folder)) {
      runs.push_back(std::move(*run));
    } else {
      error.kind = run.error().kind;
      error.faults.insert(error.faults.end(), run.error().faults.begin(), run.error().faults.end());
    }
  }
  if (!error.faults.empty()) return error;
  return runs;
}

base::Result<std::vector<load::Threshold>> read_thresholds(const std::vector<std::string>& texts) {
  std::vector<load::Threshold> thresholds;
  base::Error error;
  for (const std::string& text : texts) {
    if (auto threshold = load::parse_threshold(text)) {
      thresholds.push_back(std::move(*threshold));
    } else {
      error.faults.insert(error.faults.end(), threshold.error().faults.begin(),
                          threshold.error().faults.end());
    }
  }
  if (!error.faults.empty()) return error;
  return thresholds;
}

void run(const Arguments& arguments, Context& context) {
  sweep_runs(arguments.run, context.err);
  const auto thresholds = read_thresholds(arguments.fail_if);
  if (!thresholds) return fail(context, thresholds.error());
  const auto runs = read_runs(arguments.runs);
  if (!runs) return fail(context, runs.error());
  auto merged = report::merged(*runs, arguments.runs, arguments.partial);
  if (!merged) return fail(context, merged.error());
  if (!thresholds->empty()) merged->verdicts = load::judge_all(*thresholds, merged->measured);

  RunRecord record;
  record.version = version();
  record.command = context.words;
  record.seed = merged->seed;
  const auto folder =
      keep_load(arguments.run, *merged, {{std::string("inputs/") + kRecordFile, write_record(record)}});
  if (!folder) return fail(context, folder.error());
  if (auto written = write_load_report(arguments.report, *merged); !written)
    return fail(context, written.error());
  if (arguments.json) {
    context.out << report::load_summary_json(*merged);
  } else {
    context.out << report::load_text(*merged);
    if (!folder->empty()) context.out << "\nReport: " << *folder << "/report.html\n";
  }
  if (load::any_met(merged->verdicts)) context.exit_code = ExitCode::not_met;
}

}  // namespace

void add_merge(Command program, Context& context) {
  Command command = program.add_command("merge", "join the runs of a load test that several machines drove");
  command.footer(
      "Exit code 1: a condition of --fail-if is true, by default of those of the first run.\n"
      "Example:\n  headroom merge shard-1 shard-2 shard-3 --fail-if 'p99 > 500ms'");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("RUN", arguments->runs, "run folders of `headroom load --shard`").required();
  command.add_flag("--partial", arguments->partial, "merge what there is, though shards are missing");
  command
      .add_option("--fail-if", arguments->fail_if,
                  "judge by these conditions instead of those of the first run")
      .type_name("CONDITION")
      .one_each();
  command.add_option("--report", arguments->report, "write the report page here, too").type_name("FILE");
  add_run_arguments(command, arguments->run);
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
