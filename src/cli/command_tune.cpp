#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <ostream>

#include "cli/command.hpp"
#include "cli/project.hpp"
#include "cli/run_files.hpp"
#include "cli/terminal.hpp"
#include "environment/edit.hpp"
#include "report/records.hpp"
#include "report/text.hpp"
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

// Writes the winner into headroom.yaml; everything else in the file stays as it is.
base::Result<void> apply(const Project& project, const environment::Service& service,
                         const tune::Outcome& outcome) {
  std::vector<environment::Change> changes;
  const auto fields = environment::fields(service);
  for (const auto& [name, value] : outcome.best.parameters) {
    auto field = environment::resolve(name, fields);
    if (!field) return field.error();
    changes.push_back({"services." + service.name + "." + field->path, value, field->unit});
  }
  auto text = environment::edited(project.text, project.loaded.file, changes);
  if (!text) return text.error();
  return store::write_file_atomically(project.loaded.file, *text);
}

void run(const Arguments& arguments, Context& context) {
  const auto project = open_project(arguments.project);
  if (!project) return fail(context, project.error());
  const auto service = choose_service(*project, arguments.project);
  if (!service) return fail(context, service.error());
  if (arguments.apply && !arguments.project.variant.empty()) {
    return fail(context, base::bad_input("--apply with -e could change what other environments inherit",
                                         "tune without -e, or copy the values into environments." +
                                             arguments.project.variant + " by hand"));
  }

  tune::Options options;
  options.samples = arguments.samples;
  options.seeds = arguments.seeds;
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
  if (!outcome) return fail(context, project->located(outcome.error()));
  if (outcome->evaluated == 0) {
    return fail(context,
                base::bad_input("stopped before the first policy was tried", "let it run a little longer"));
  }
  const auto folder = keep_run(arguments.run, *project, *outcome, *service);
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
  if (auto written = apply(*project, *service, *outcome); !written) return fail(context, written.error());
  context.err << "Written to " << project->loaded.file << ".\n";
}

}  // namespace

void add_tune(CLI::App& app, Context& context) {
  CLI::App* command =
      app.add_subcommand("tune", "search the policy that keeps the objective at the lowest cost");
  command->footer(
      "The winner is judged on traffic it was not tuned on. Ctrl-C keeps what was found.\n"
      "Exit code 1: the winner does not keep the objective, or not on the unseen traffic.\n"
      "Example:\n  headroom tune examples/shop");
  auto arguments = std::make_shared<Arguments>();
  add_project_arguments(*command, arguments->project);
  command->add_option("--samples", arguments->samples, "try so many policies instead of all")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 10'000'000));
  command->add_option("--seeds", arguments->seeds, "replications instead of those in the file")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 1000));
  command->add_option("--threads", arguments->threads, "threads (default: one per core)")
      ->type_name("COUNT")
      ->check(CLI::Range(0, 1024));
  command->add_flag("--apply", arguments->apply, "write the winner into the file; its comments stay");
  add_run_arguments(*command, arguments->run);
  command->add_flag("--json", arguments->json, "print JSON");
  command->callback([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
