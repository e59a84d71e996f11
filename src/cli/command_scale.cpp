#include <fmt/format.h>

#include <memory>
#include <ostream>
#include <string>

#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/override_length.hpp"
#include "cli/project.hpp"
#include "cli/reach_daemon.hpp"
#include "report/json.hpp"
#include "report/layout.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  std::string service;
  int instances = 0;
  std::string length;
  std::string environment;
  bool json = false;
};

void run(const Arguments& arguments, Context& context) {
  const auto length = override_length(arguments.length);
  if (!length) return fail(context, length.error());
  const auto reached = reach_service(arguments.environment, arguments.service, context.err);
  if (!reached) return fail(context, reached.error());
  const daemon::ServiceStatus& service = reached->service;
  const auto scaled =
      reached->client.scale(reached->environment, {service.name, arguments.instances, *length});
  if (!scaled) return fail(context, scaled.error());
  if (arguments.json) {
    report::JsonWriter json;
    json.begin_object().key("environment").text(reached->environment).key("service").text(service.name);
    json.key("previous_instances").integer(service.desired).key("instances").integer(arguments.instances);
    write_length(json, *length);
    json.end_object();
    context.out << json.str() << '\n';
    return;
  }
  context.out << report::wrapped(
      "",
      fmt::format("{} / {}: {} instances (before: {}) {}, whatever the policy says. `headroom status` shows "
                  "how far it is.",
                  reached->environment, service.name, arguments.instances, service.desired,
                  length_text(*length)));
}

}  // namespace

void add_scale(Command program, Context& context) {
  Command command =
      program.add_command("scale", "run so many instances of a service, whatever its policy says");
  command.footer("Example:\n  headroom scale web 8 --for 2h\n  headroom resume web");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("SERVICE", arguments->service, "its name").required();
  command.add_option("INSTANCES", arguments->instances, "how many").required().range(0, 10'000);
  add_length_option(command, arguments->length);
  add_environment_option(command, arguments->environment);
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
