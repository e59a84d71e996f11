#include "cli/run_files.hpp"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <vector>

#include "report/page.hpp"
#include "report/records.hpp"
#include "store/run_folder.hpp"

namespace headroom::cli {
namespace {

struct NamedText {
  std::string name;
  std::string text;
};

base::Result<std::string> keep(const RunArguments& arguments, const std::string& name,
                               const std::vector<NamedText>& files) {
  const auto now =
      std::chrono::duration_cast<base::Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  auto run = store::RunFolder::create(arguments.folder, now, name);
  if (!run) return run.error();
  for (const NamedText& file : files) {
    if (auto written = run->write(file.name, file.text); !written) return written.error();
  }
  auto folder = run->finish();
  if (!folder) return folder.error();
  return folder->string();
}

}  // namespace

void add_run_arguments(CLI::App& command, RunArguments& arguments) {
  command.add_option("--runs", arguments.folder, "where the run folder goes")
      ->type_name("FOLDER")
      ->capture_default_str();
  command.add_flag("--no-run", arguments.none, "keep no run folder");
}

base::Result<std::string> keep_run(const RunArguments& arguments, const Project& project,
                                   const sim::Rehearsal& rehearsal, const environment::Service& service,
                                   const std::string& summary_json) {
  if (arguments.none) return std::string();
  return keep(arguments, "simulate-" + project.environment().name,
              {{"headroom.yaml", project.text},
               {"series.csv", report::series_csv(rehearsal)},
               {"decisions.jsonl", report::decisions_jsonl(rehearsal)},
               {"summary.json", summary_json},
               {"report.html", report::report_html(rehearsal, service)}});
}

base::Result<std::string> keep_run(const RunArguments& arguments, const Project& project,
                                   const tune::Outcome& outcome, const environment::Service& service) {
  if (arguments.none) return std::string();
  return keep(arguments, "tune-" + project.environment().name,
              {{"headroom.yaml", project.text},
               {"series.csv", report::series_csv(outcome.rehearsal)},
               {"decisions.jsonl", report::decisions_jsonl(outcome.rehearsal)},
               {"summary.json", report::outcome_json(outcome)},
               {"report.html", report::report_html(outcome, service)}});
}

}  // namespace headroom::cli
