#include <fmt/format.h>

#include <memory>
#include <ostream>
#include <string>

#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/project.hpp"
#include "cli/reach_daemon.hpp"
#include "report/json.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  std::string service;
  int instances = 0;
  std::string environment;
  bool json = false;
};

void run(const Arguments& arguments, Context& context) {
  const auto reached = reach_environment(arguments.environment, context.err);
  if (!reached) return fail(context, reached.error());
  const daemon::EnvironmentStatus& environment = reached->environment;
  const auto service = choose_service(environment, arguments.service);
  if (!service) return fail(context, service.error());
  const auto scaled = reached->client.scale(environment.name, {service->name, arguments.instances});
  if (!scaled) return fail(context, scaled.error());
  if (arguments.json) {
    report::JsonWriter json;
    json.begin_object().key("environment").text(environment.name).key("service").text(service->name);
    json.key("previous_instances").integer(service->desired).key("instances").integer(arguments.instances);
    json.end_object();
    context.out << json.str() << '\n';
    return;
  }
  context.out << fmt::format(
      "{} / {}: {} instances are desired (before: {}). `headroom status` shows how far it is.\n",
      environment.name, service->name, arguments.instances, service->desired);
}

}  // namespace

void add_scale(Command program, Context& context) {
  Command command =
      program.add_command("scale", "run so many instances of a service, until that is changed again");
  command.footer("Example:\n  headroom scale web 5");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("SERVICE", arguments->service, "its name").required();
  command.add_option("INSTANCES", arguments->instances, "how many").required().range(0, 10'000);
  add_environment_option(command, arguments->environment);
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
