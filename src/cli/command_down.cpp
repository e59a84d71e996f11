#include <fmt/format.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/reach_daemon.hpp"
#include "cli/terminal.hpp"
#include "report/json.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  std::string environment;
  bool volumes = false;
  bool all = false;
  bool json = false;
};

base::Result<std::vector<std::string>> names_to_end(const Arguments& arguments,
                                                    const daemon::Status& status) {
  std::vector<std::string> names;
  if (arguments.all || (arguments.environment.empty() && status.environments.empty())) {
    for (const auto& environment : status.environments) names.push_back(environment.name);
    return names;
  }
  const auto chosen = choose_environment(status, arguments.environment, ".");
  if (!chosen) return chosen.error();
  return std::vector<std::string>{chosen->name};
}

void run(const Arguments& arguments, Context& context) {
  if (arguments.all && !arguments.environment.empty())
    return fail(context,
                base::bad_input("--all and an environment exclude each other", "leave one of them out"));
  const auto client = reach_daemon(context.err);
  if (!client) return fail(context, client.error());
  std::vector<std::string> ended;
  base::Error error;
  if (*client) {
    const auto status = (*client)->status();
    if (!status) return fail(context, status.error());
    const auto names = names_to_end(arguments, *status);
    if (!names) return fail(context, names.error());
    for (const std::string& name : *names) {
      const auto down = (*client)->down(name, {arguments.volumes}, lines_to(context.err));
      if (down) {
        ended.push_back(name);
      } else {
        error.kind = down.error().kind;
        error.faults.insert(error.faults.end(), down.error().faults.begin(), down.error().faults.end());
      }
    }
  } else if (!arguments.environment.empty()) {
    error = base::bad_input(fmt::format("no environment {} runs", base::in_quotes(arguments.environment)),
                            "nothing runs");
  }
  if (arguments.json) {
    report::JsonWriter json;
    json.begin_object().key("ended").begin_array();
    for (const std::string& name : ended) json.text(name);
    json.end_array().end_object();
    context.out << json.str() << '\n';
  } else {
    for (const std::string& name : ended) context.out << name << " is down.\n";
    if (ended.empty() && error.faults.empty()) context.out << "Nothing runs.\n";
  }
  if (!error.faults.empty()) fail(context, error);
}

}  // namespace

void add_down(Command program, Context& context) {
  Command command = program.add_command("down", "end an environment, and keep the data of stateful services");
  command.footer("Example:\n  headroom down shop");
  auto arguments = std::make_shared<Arguments>();
  command.add_option(
      "ENVIRONMENT", arguments->environment,
      "its name, or the path of its file (default: of the headroom.yaml here, else the only one)");
  command.add_flag("--volumes", arguments->volumes, "remove the data of stateful services, too");
  command.add_flag("--all", arguments->all, "all environments");
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
