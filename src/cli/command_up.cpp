#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/instance_logs.hpp"
#include "cli/preview_text.hpp"
#include "cli/program.hpp"
#include "cli/project.hpp"
#include "cli/reach_daemon.hpp"
#include "cli/status_text.hpp"
#include "cli/terminal.hpp"
#include "report/layout.hpp"

namespace headroom::cli {
namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(500);
constexpr auto kBeforeDown = std::chrono::seconds(3);  // to press Ctrl-C once more

struct Arguments {
  ProjectArguments project;
  bool background = false;
  bool plan = false;
  bool observe = false;
  bool json = false;
};

// What `up` and `deploy` share: the result, or nothing after an error was said.
std::optional<daemon::UpResult> bring_up(const api::Client& client, const daemon::UpRequest& request,
                                         bool json, Context& context) {
  const auto result = client.up(request, lines_to(context.err));
  if (!result) {
    if (!Interrupt::stop()) fail(context, result.error());  // whoever pressed Ctrl-C knows
    return std::nullopt;
  }
  for (const std::string& warning : result->warnings) context.err << report::wrapped("note: ", warning);
  if (json) {
    context.out << api::to_json(*result, report::JsonLayout::indented) << '\n';
    return *result;
  }
  if (result->changes.empty()) context.out << "Nothing differs from what runs.\n";
  for (const std::string& change : result->changes) context.out << report::wrapped("  ", change);
  auto status = client.status();
  if (!status) {
    fail(context, status.error());
    return std::nullopt;
  }
  const auto environment = choose_environment(*status, result->environment, ".");
  if (!environment) return *result;  // taken down by somebody else meanwhile
  if (status->version != version()) {
    context.err << report::wrapped(
        "note: ",
        fmt::format("the daemon is of version {}, this program of {}; end the daemon, and the next command "
                    "starts the new one",
                    status->version, version()));
  }
  status->environments = {*environment};
  context.out << "\n";
  show_status(*status, context);
  if (const std::string addresses = addresses_text(*environment); !addresses.empty())
    context.out << "\n" << addresses;
  context.out.flush();
  return *result;
}

// Prints what instances print and what services do, until Ctrl-C.
base::Result<void> follow(const api::Client& client, const std::string& name, Context& context) {
  std::map<std::string, LogLines> logs;
  std::map<std::string, std::string> doing;
  const bool safe = is_terminal(context.out);
  const LogLines::Take print = [&](const std::string& instance, std::string_view line) {
    context.out << instance << " | " << (safe ? report::visible(line) : std::string(line)) << '\n';
  };
  while (!Interrupt::stop()) {
    const auto status = client.status();
    if (!status) return status.error();
    const auto environment = choose_environment(*status, name, ".");
    if (!environment) return environment.error();
    for (const daemon::ServiceStatus& service : environment->services) {
      const std::string now = fmt::format("{}: {} of {} in service{}{}", service.name, service.in_service,
                                          service.desired, service.doing.empty() ? "" : "; ", service.doing);
      if (std::string& before = doing[service.name]; before != now) {
        if (!before.empty()) context.err << report::wrapped("", now) << std::flush;
        before = now;
      }
      LogLines& lines = logs.try_emplace(service.name, 10).first->second;
      const auto pieces = client.logs(name, {service.name, lines.tail_bytes(), lines.positions()});
      if (pieces) lines.add(*pieces, print);  // none of a service that has just come or gone
    }
    context.out.flush();
    for (auto waited = std::chrono::milliseconds(0); waited < kBetweenLooks && !Interrupt::stop();
         waited += std::chrono::milliseconds(50))
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return {};
}

// What `up` would do: asked of the daemon that runs, else found here, where nothing of it can run.
base::Result<daemon::Preview> preview(const daemon::UpRequest& request, const daemon::StateFolder& folder) {
  const auto client = api::Client::find(folder.api_socket());
  if (!client) return client.error();
  if (*client) return (*client)->preview(request);
  const auto plan = daemon::read_plan(request);
  if (!plan) return plan.error();
  auto found = daemon::preview(request, plan->plan, {}, folder.root);
  const std::vector<std::string> left = left_behind(folder);
  if (found && !left.empty()) {
    found->warnings.push_back(fmt::format(
        "no daemon runs, and an earlier one has left {} in {}: what of it runs is not known here; "
        "`headroom up` takes it over",
        fmt::join(left, ", "), folder.root.string()));
  }
  return found;
}

void show_plan(const Arguments& arguments, const std::filesystem::path& file,
               const daemon::StateFolder& folder, Context& context) {
  const auto found = preview({file, arguments.project.variant, false}, folder);
  if (!found) return fail(context, found.error());
  context.out << (arguments.json ? api::to_json(*found, report::JsonLayout::indented) + "\n"
                                 : preview_text(*found));
}

void up(const Arguments& arguments, Context& context) {
  // Read here first: faults of the file need no daemon, and are named as the user names the file.
  ProjectArguments here = arguments.project;
  const std::filesystem::path file = file_of(here.path);
  const auto project = open_project(here);
  if (!project) return fail(context, project.error());
  const std::string name = project->environment().name;

  const auto folder = daemon::locate();
  if (!folder) return fail(context, folder.error());
  if (arguments.plan) return show_plan(arguments, file, *folder, context);
  auto client = start_daemon(*folder, context.err);
  if (!client) return fail(context, client.error());
  client->revive_with([&] { return start_daemon(*folder, context.err).has_value(); });
  const daemon::UpRequest request{file, arguments.project.variant, false, true, arguments.observe};
  const bool stays = !arguments.background && !arguments.json;
  if (!stays) {
    bring_up(*client, request, arguments.json, context);
    return;
  }

  const Interrupt interrupt(
      fmt::format("\nCtrl-C: {} is taken down in 3 s. Ctrl-C once more: it stays up.\n", name));
  api::Client patient = *client;
  patient.give_up_when([] { return Interrupt::stop().load(); });
  auto result = bring_up(patient, request, false, context);
  if (!result && !Interrupt::stop()) return;
  if (result) {
    context.err << "\nCtrl-C ends it; `headroom up -d` would leave it in the background.\n" << std::flush;
    if (const auto followed = follow(*client, result->environment, context); !followed)
      return fail(context, followed.error());
  }
  std::this_thread::sleep_for(kBeforeDown);  // a second Ctrl-C ends this program here
  context.exit_code = ExitCode::fine;
  const auto down = client->down(result ? result->environment : name, {false}, lines_to(context.err));
  if (!down) return fail(context, down.error());
  context.out << (result ? result->environment : name) << " is down.\n";
}

void deploy(const Arguments& arguments, Context& context) {
  const auto project = open_project(arguments.project);
  if (!project) return fail(context, project.error());
  const auto client = reach_daemon(context.err);
  if (!client) return fail(context, client.error());
  if (!*client)
    return fail(context, base::bad_input(fmt::format("{} does not run", project->environment().name),
                                         "`headroom up` starts it"));
  bring_up(**client, {file_of(arguments.project.path), arguments.project.variant, true, true}, arguments.json,
           context);
}

}  // namespace

void add_up(Command program, Context& context) {
  Command command =
      program.add_command("up", "run an environment on this machine, or change what differs from its file");
  command.footer("Example:\n  headroom up shop -d");
  auto arguments = std::make_shared<Arguments>();
  add_project_arguments(command, arguments->project, {false, false});
  command.add_flag("-d,--background", arguments->background,
                   "return when it serves; without it, its logs follow, and Ctrl-C takes it down");
  command.add_flag("--plan", arguments->plan, "print what would be done, and do nothing");
  command.add_flag(
      "--observe", arguments->observe,
      "decide without acting: `headroom events` tells what would be done, `headroom resume` does it");
  command.add_flag("--json", arguments->json, "print JSON, and return when it serves");
  command.when_called([arguments, &context] { up(*arguments, context); });
}

void add_deploy(Command program, Context& context) {
  Command command =
      program.add_command("deploy", "bring a new version of what runs into service, without a gap");
  command.footer("Example:\n  headroom deploy shop");
  auto arguments = std::make_shared<Arguments>();
  add_project_arguments(command, arguments->project, {false, false});
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { deploy(*arguments, context); });
}

}  // namespace headroom::cli
