#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "cli/command.hpp"
#include "cli/project.hpp"
#include "cli/run_files.hpp"
#include "cli/terminal.hpp"
#include "report/records.hpp"
#include "report/text.hpp"
#include "tune/replicate.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  ProjectArguments project;
  RunArguments run;
  int seeds = 1;
  tune::Engine engine = tune::Engine::fitting;
  bool json = false;
};

void run(const Arguments& arguments, Context& context) {
  const auto project = open_project(arguments.project);
  if (!project) return fail(context, project.error());
  const auto service = choose_service(*project, arguments.project);
  if (!service) return fail(context, service.error());
  const environment::Environment& environment = project->environment();
  const auto& traffic = service->traffic ? service->traffic : environment.traffic;
  if (!traffic) {
    return fail(context, base::bad_input("there is no traffic to rehearse",
                                         "name one: --traffic FILE, or `traffic:` in the file"));
  }
  const auto rehearsed = [&] {
    const Interrupt interrupt;
    ProgressLine line(context.err);
    tune::Workers workers;
    workers.stop = &Interrupt::stop();
    workers.progress = [&line](const tune::Progress& progress) {
      line.show(progress.phase, static_cast<double>(progress.done) / static_cast<double>(progress.total));
    };
    return tune::rehearse(environment, *service, *traffic, arguments.engine, arguments.seeds, workers);
  }();
  if (!rehearsed) return fail(context, project->located(rehearsed.error()));
  const sim::Rehearsal& rehearsal = rehearsed->rehearsal;
  const auto& replications = rehearsed->replications;
  const std::string summary = report::summary_json(rehearsal, replications);
  const auto folder = keep_run(arguments.run, *project, rehearsal, *service, summary);
  if (!folder) return fail(context, folder.error());
  if (arguments.json) {
    context.out << summary;
  } else {
    context.out << report::rehearsal_text(rehearsal, *service);
    if (replications) context.out << report::replications_text(*replications);
    if (!folder->empty()) context.out << "\nReport: " << *folder << "/report.html\n";
  }
  if (!rehearsal.summary.objective_met) context.exit_code = ExitCode::not_met;
}

}  // namespace

void add_simulate(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("simulate", "rehearse the traffic against the policy of the file");
  command->footer(
      "Exit code 1: the objective is not met.\n"
      "Example:\n  headroom simulate examples/conf42 --json");
  auto arguments = std::make_shared<Arguments>();
  add_project_arguments(*command, arguments->project);
  command->add_option("--seeds", arguments->seeds, "replications, for intervals where the traffic is drawn")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--engine", arguments->engine,
                   "counts: instances are all alike, fast; instances: the controller in the simulated cloud, "
                   "with zones, pools and failures; otherwise what the file needs")
      ->type_name("ENGINE")
      ->transform(CLI::CheckedTransformer(std::map<std::string, tune::Engine>{
          {"counts", tune::Engine::counts}, {"instances", tune::Engine::instances}}));
  add_run_arguments(*command, arguments->run);
  command->add_flag("--json", arguments->json, "print JSON");
  command->callback([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
