#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ostream>

#include "base/units.hpp"
#include "cli/command.hpp"
#include "cli/project.hpp"
#include "cli/run_files.hpp"
#include "cli/terminal.hpp"
#include "environment/edit.hpp"
#include "report/outcome_text.hpp"
#include "report/records.hpp"
#include "store/file.hpp"
#include "tune/tune.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  ProjectArguments project;
  RunArguments run;
  std::optional<int> samples;
  std::optional<int> seeds;
  int threads = 0;
  bool apply = false;
  bool json = false;
};

// Writes the winner into headroom.yaml, with `variant` under its name; everything else in the file stays as
// it is. The new text is read once before it replaces the old.
base::Result<void> apply(const Project& project, const environment::Service& service,
                         const tune::Outcome& outcome, const std::string& variant) {
  std::vector<environment::Change> changes;
  const auto fields = environment::fields(service);
  const std::vector<environment::SearchField>& search = project.environment().tune.search;
  for (const auto& [name, value] : outcome.best.parameters) {
    const auto searched = std::find_if(search.begin(), search.end(),
                                       [&name = name](const auto& each) { return each.name == name; });
    auto field = environment::resolve(
        searched->path.substr(std::string("services..").size() + service.name.size()), fields);
    if (!field) return field.error();
    changes.push_back({searched->path, value, field->unit});
  }
  const std::string& file = project.loaded.file;
  auto text = environment::edited(project.text, file, changes, variant);
  if (!text) return text.error();
  const auto again = environment::read(*text, file, read_text, variant);
  if (!again) return again.error();
  environment::Service expected = service;
  for (const environment::Service& each : again->environment.services) {
    if (each.name != service.name) continue;
    for (const auto& [name, value] : outcome.best.parameters) {
      if (auto set = environment::set_field(expected, name, value); !set) return set.error();
      const auto read_back = environment::field_value(each, name);
      if (read_back && *read_back == *environment::field_value(expected, name)) continue;
      return base::bad_input({file, 0, 0}, name + " would not read back as what was found",
                             "change it by hand: " + base::format_number(value));
    }
  }
  return store::write_file_atomically(project.loaded.file, *text);
}

void run(const Arguments& arguments, Context& context) {
  sweep_runs(arguments.run, context.err);
  const auto project = open_project(arguments.project);
  if (!project) return fail(context, project.error());
  const auto service = choose_service(*project, arguments.project);
  if (!service) return fail(context, service.error());
  if (arguments.apply && project->inputs.record()) {
    return fail(context, base::bad_input("--apply would change the inputs that a run recorded",
                                         "tune the environment itself: " + project->inputs.record()->folder));
  }

  tune::Options options;
  options.samples = arguments.samples;
  options.seeds = arguments.seeds;
  if (const RunRecord* earlier = recorded(*project, "tune")) {
    if (!options.samples) options.samples = earlier->samples;
    if (!options.seeds) options.seeds = earlier->seeds;
  }
  options.workers.threads = arguments.threads;
  base::Result<tune::Outcome> outcome = [&] {
    const Interrupt interrupt;
    ProgressLine line(context.err);
    options.workers.stop = &Interrupt::stop();
    options.workers.progress = [&line](const tune::Progress& progress) {
      line.show(progress.phase, static_cast<double>(progress.done) / static_cast<double>(progress.total));
    };
    return tune::tune(project->environment(), *service, options);
  }();
  if (!outcome) return fail(context, project->located(outcome.error(), *service));
  if (outcome->evaluated == 0) {
    context.err << "Stopped before the first policy was tried: nothing was found, nothing is kept.\n";
    context.exit_code = ExitCode::not_met;
    return;
  }
  const auto folder =
      keep_run(arguments.run, {context.words, options.seeds, options.samples}, *project, *outcome, *service);
  if (!folder) return fail(context, folder.error());
  if (arguments.json) {
    context.out << report::outcome_json(*outcome);
  } else {
    context.out << report::outcome_text(*outcome, service->objective);
    if (!folder->empty()) context.out << "\nReport: " << *folder << "/report.html\n";
  }
  const bool kept = outcome->found && outcome->unseen.front().score.objective_met;
  if (!kept) context.exit_code = ExitCode::not_met;
  if (!arguments.apply) return;
  if (!kept) {
    context.err << "Not written: the winner misses the objective"
                << (outcome->found ? " on the unseen traffic.\n" : ".\n");
    return;
  }
  const std::string& variant = arguments.project.variant;
  if (auto written = apply(*project, *service, *outcome, variant); !written)
    return fail(context, written.error());
  context.err << "Written to " << project->loaded.file
              << (variant.empty() ? "" : ", under environments: " + variant) << ".\n";
}

}  // namespace

void add_tune(Command program, Context& context) {
  Command command =
      program.add_command("tune", "search the policy that keeps the objective at the lowest cost");
  command.footer(
      "The winner is judged on traffic it was not tuned on. Ctrl-C keeps what was found;\n"
      "a second one ends at once and keeps nothing.\n"
      "Exit code 1: the winner does not keep the objective, or not on the unseen traffic.\n"
      "Example:\n  headroom tune examples/shop");
  auto arguments = std::make_shared<Arguments>();
  add_project_arguments(command, arguments->project);
  const auto count = [&](const char* name, auto& value, const char* about, int least, int most) {
    command.add_option(name, value, about).type_name("COUNT").range(least, most);
  };
  count("--samples", arguments->samples, "try so many policies instead of all", 1, 10'000'000);
  count("--seeds", arguments->seeds, "replications instead of those in the file", 1, 1000);
  count("--threads", arguments->threads, "threads (default: one per core)", 0, 1024);
  command.add_flag("--apply", arguments->apply,
                   "write the winner into the file, with -e under environments.NAME; comments stay");
  add_run_arguments(command, arguments->run);
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
