#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "cli/command.hpp"
#include "cli/project.hpp"
#include "cli/run_files.hpp"
#include "report/records.hpp"
#include "report/text.hpp"
#include "tune/search.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  ProjectArguments project;
  RunArguments run;
  int seeds = 1;
  bool json = false;
};

void run(const Arguments& arguments, Context& context) {
  const auto project = open_project(arguments.project);
  if (!project) return fail(context, project.error());
  const auto service = choose_service(*project, arguments.project);
  if (!service) return fail(context, service.error());
  const environment::Environment& environment = project->environment();
  const auto scenario = sim::compile(environment, *service);
  if (!scenario) return fail(context, project->located(scenario.error()));
  const auto& traffic = service->traffic ? service->traffic : environment.traffic;
  if (!traffic) {
    return fail(context, base::bad_input("there is no traffic to rehearse",
                                         "name one: --traffic FILE, or `traffic:` in the file"));
  }
  const auto load = tune::make_load("traffic", *traffic, scenario->tick, environment.seed, arguments.seeds);
  if (!load) return fail(context, project->located(load.error()));

  const tune::Replica& first = load->replicas.front();
  sim::Rehearsal rehearsal = sim::rehearse(*scenario, {first.requests_per_second, load->notes}, first.seed);
  std::optional<tune::Replications> replications;
  if (load->replicas.size() > 1) {
    replications =
        tune::Replications{static_cast<int>(load->replicas.size()), tune::score(*scenario, {*load})};
  }
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
  add_run_arguments(*command, arguments->run);
  command->add_flag("--json", arguments->json, "print JSON");
  command->callback([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
