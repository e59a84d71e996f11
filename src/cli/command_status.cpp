#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <ostream>
#include <string>

#include "api/messages.hpp"
#include "base/units.hpp"
#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/program.hpp"
#include "cli/reach_daemon.hpp"
#include "cli/status_text.hpp"
#include "report/layout.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  std::string environment;
  bool json = false;
};

// Without a daemon.
void say_that_nothing_runs(const daemon::StateFolder& folder, const Arguments& arguments, Context& context) {
  const std::vector<std::string> left = left_behind(folder);
  if (!arguments.environment.empty() && left.empty()) {
    return fail(context,
                base::bad_input(fmt::format("no environment {} runs", base::in_quotes(arguments.environment)),
                                "nothing runs; `headroom up` starts the environment of a headroom.yaml"));
  }
  if (arguments.json) {
    daemon::Status status;
    status.version = version();
    status.state_folder = folder.root.string();
    context.out << api::to_json(status, report::JsonLayout::indented) << '\n';
  } else if (left.empty()) {
    context.out << "Nothing runs. Begin with a headroom.yaml:\n"
                   "  headroom up PATH      # builds it, starts it, and follows its logs\n"
                   "  headroom init PATH    # where there is none yet\n";
  } else {
    context.out << report::wrapped(
        "",
        fmt::format("No daemon runs. An earlier one has left {} in {}: what it had started may run on, but "
                    "nobody replaces what fails. `headroom up`, `headroom down` or `headroom daemon` takes "
                    "it over.",
                    fmt::join(left, ", "), folder.root.string()));
  }
}

void run(const Arguments& arguments, Context& context) {
  const auto folder = daemon::locate();
  if (!folder) return fail(context, folder.error());
  const auto client = api::Client::find(folder->api_socket());
  if (!client) return fail(context, client.error());
  if (!*client) return say_that_nothing_runs(*folder, arguments, context);
  auto status = (*client)->status();
  if (!status) {
    // It may have ended in this moment, as nothing ran any more.
    const auto living = api::Client::find(folder->api_socket());
    if (living && !*living) return say_that_nothing_runs(*folder, arguments, context);
    return fail(context, status.error());
  }
  if (!arguments.environment.empty()) {
    auto chosen = choose_environment(*status, arguments.environment, ".");
    if (!chosen) return fail(context, chosen.error());
    status->environments = {std::move(*chosen)};
  }
  if (arguments.json) {
    context.out << api::to_json(*status, report::JsonLayout::indented) << '\n';
  } else {
    show_status(*status, context);
  }
}

}  // namespace

void add_status(Command program, Context& context) {
  Command command =
      program.add_command("status", "what runs: services, instances by zone, and how they are confined");
  command.footer("Example:\n  headroom status shop");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("ENVIRONMENT", arguments->environment,
                     "its name, or the path of its file (default: all of them)");
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
