#include <fmt/format.h>

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
  std::optional<int> seeds;
  std::string engine;  // empty: what fits the file
  bool json = false;
};

tune::Engine engine_of(const std::string& name) {
  if (name == "counts") return tune::Engine::counts;
  return name == "instances" ? tune::Engine::instances : tune::Engine::fitting;
}

void run(const Arguments& arguments, Context& context) {
  sweep_runs(arguments.run, context.err);
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
  const RunRecord* earlier = recorded(*project, "simulate");
  const int seeds = arguments.seeds.value_or(earlier != nullptr ? earlier->seeds.value_or(1) : 1);
  const std::string engine = !arguments.engine.empty() ? arguments.engine
                             : earlier != nullptr      ? earlier->engine
                                                       : std::string();
  const auto rehearsed = [&] {
    // One rehearsal has no part that would be worth keeping: there Ctrl-C ends the program, as it always
    // does.
    std::optional<Interrupt> interrupt;
    if (seeds > 1) interrupt.emplace();
    ProgressLine line(context.err);
    tune::Workers workers;
    if (interrupt) workers.stop = &Interrupt::stop();
    workers.progress = [&line](const tune::Progress& progress) {
      line.show(progress.phase, static_cast<double>(progress.done) / static_cast<double>(progress.total));
    };
    return tune::rehearse(environment, *service, *traffic, engine_of(engine), seeds, workers);
  }();
  if (!rehearsed) return fail(context, project->located(rehearsed.error(), *service));
  const sim::Rehearsal& rehearsal = rehearsed->rehearsal;
  const auto& replications = rehearsed->replications;
  const std::string summary = report::summary_json(rehearsal, replications);
  // After a stop the run holds the seeds that were rehearsed, and a run of so many gives the same bytes.
  const int kept = rehearsed->stopped_early ? rehearsed->seeds : seeds;
  const auto folder =
      keep_run(arguments.run, {context.words, kept, {}, engine}, *project, rehearsal, *service, summary);
  if (!folder) return fail(context, folder.error());
  const std::string stopped =
      rehearsed->stopped_early
          ? fmt::format("STOPPED EARLY: {} of {} seeds were rehearsed.", rehearsed->seeds, seeds)
          : std::string();
  if (arguments.json) {
    context.out << summary;
    if (!stopped.empty()) context.err << stopped << '\n';
  } else {
    context.out << report::rehearsal_text(rehearsal, *service);
    if (!stopped.empty()) context.out << "\n" << stopped << "\n";
    if (replications) context.out << report::replications_text(*replications);
    if (!folder->empty()) context.out << "\nReport: " << *folder << "/report.html\n";
  }
  if (!rehearsal.summary.objective_met) context.exit_code = ExitCode::not_met;
}

}  // namespace

void add_simulate(Command program, Context& context) {
  Command command = program.add_command("simulate", "rehearse the traffic against the policy of the file");
  command.footer(
      "Exit code 1: the objective is not met.\n"
      "Example:\n  headroom simulate examples/conf42 --json");
  auto arguments = std::make_shared<Arguments>();
  add_project_arguments(command, arguments->project);
  command
      .add_option("--seeds", arguments->seeds,
                  "replications, for intervals where the traffic is drawn (default 1)")
      .type_name("COUNT")
      .range(1, 1000);
  command
      .add_option("--engine", arguments->engine,
                  "counts: instances are all alike, fast; instances: the controller in the simulated cloud, "
                  "with zones, pools and failures; otherwise what the file needs")
      .type_name("ENGINE")
      .one_of({"counts", "instances"});
  add_run_arguments(command, arguments->run);
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
