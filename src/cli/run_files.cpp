#include "cli/run_files.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <ostream>

#include "cli/program.hpp"
#include "report/page.hpp"
#include "report/records.hpp"
#include "store/run_folder.hpp"

namespace headroom::cli {
namespace {

std::vector<InputFile> inputs_of(const Call& call, const Project& project, const std::string& service) {
  RunRecord record;
  record.version = version();
  record.command = call.words;
  record.folder = std::filesystem::path(project.loaded.file).parent_path().string();
  record.variant = project.arguments.variant;
  record.service = service;
  if (!project.arguments.traffic.empty()) record.traffic = project.inputs.name_of(project.arguments.traffic);
  record.seed = project.environment().seed;
  record.seeds = call.seeds;
  record.samples = call.samples;
  record.engine = call.engine;
  std::vector<InputFile> files = project.inputs.files(record);
  files.push_back({"headroom.yaml", project.text});
  files.push_back({kRecordFile, write_record(record)});
  for (InputFile& file : files) file.name.insert(0, "inputs/");
  return files;
}

std::vector<InputFile> together(std::vector<InputFile> files, const std::vector<InputFile>& inputs) {
  files.insert(files.end(), inputs.begin(), inputs.end());
  return files;
}

}  // namespace

void add_run_arguments(Command command, RunArguments& arguments) {
  command.add_option("--runs", arguments.folder, "where the run folder goes")
      .type_name("FOLDER")
      .default_shown();
  command.add_flag("--no-run", arguments.none, "keep no run folder");
}

void sweep_runs(const RunArguments& arguments, std::ostream& err) {
  const auto removed = store::sweep(arguments.folder);
  if (!removed) return;  // keeping a run there will say why it cannot be done
  for (const auto& folder : *removed) {
    err << "Removed " << folder.string() << ", which a killed command left unfinished.\n";
  }
}

const RunRecord* recorded(const Project& project, const char* command) {
  const auto& record = project.inputs.record();
  return record && record->name() == command ? &*record : nullptr;
}

base::Result<std::string> keep_files(const RunArguments& arguments, const std::string& name,
                                     const std::vector<InputFile>& files) {
  if (arguments.none) return std::string();
  const auto now =
      std::chrono::duration_cast<base::Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  auto run = store::RunFolder::create(arguments.folder, now, name);
  if (!run) return run.error();
  for (const InputFile& file : files) {
    if (auto written = run->write(file.name, file.text); !written) return written.error();
  }
  auto folder = run->finish();
  if (!folder) return folder.error();
  return folder->string();
}

base::Result<std::string> keep_run(const RunArguments& arguments, const Call& call, const Project& project,
                                   const sim::Rehearsal& rehearsal, const environment::Service& service,
                                   const std::string& summary_json) {
  if (arguments.none) return std::string();
  return keep_files(arguments, "simulate-" + project.environment().name,
                    together({{"series.csv", report::series_csv(rehearsal)},
                              {"decisions.jsonl", report::decisions_jsonl(rehearsal)},
                              {"summary.json", summary_json},
                              {"report.html", report::report_html(rehearsal, service)}},
                             inputs_of(call, project, service.name)));
}

base::Result<std::string> keep_run(const RunArguments& arguments, const Call& call, const Project& project,
                                   const tune::Outcome& outcome, const environment::Service& service) {
  if (arguments.none) return std::string();
  return keep_files(arguments, "tune-" + project.environment().name,
                    together({{"series.csv", report::series_csv(outcome.rehearsal)},
                              {"decisions.jsonl", report::decisions_jsonl(outcome.rehearsal)},
                              {"summary.json", report::outcome_json(outcome)},
                              {"report.html", report::report_html(outcome, service)}},
                             inputs_of(call, project, service.name)));
}

}  // namespace headroom::cli
