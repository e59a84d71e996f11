#include <fmt/format.h>

#include <memory>
#include <ostream>
#include <string>

#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/reach_daemon.hpp"
#include "cli/terminal.hpp"
#include "report/json.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  std::string service;
  std::string environment;
  bool json = false;
};

void run(const Arguments& arguments, Context& context) {
  const auto reached = reach_service(arguments.environment, arguments.service, context.err);
  if (!reached) return fail(context, reached.error());
  const daemon::ServiceStatus& service = reached->service;
  const auto back = reached->client.rollback(reached->environment, {service.name}, lines_to(context.err));
  if (!back) return fail(context, back.error());
  if (arguments.json) {
    report::JsonWriter json;
    json.begin_object().key("environment").text(reached->environment).key("service").text(service.name);
    json.key("previous_version").text(service.version).key("version").text(service.previous).end_object();
    context.out << json.str() << '\n';
    return;
  }
  context.out << fmt::format("{} / {}: back to version {}, from {}.\n", reached->environment, service.name,
                             service.previous, service.version);
}

}  // namespace

void add_rollback(Command program, Context& context) {
  Command command =
      program.add_command("rollback", "take a service back to the version before, without building");
  command.footer("Example:\n  headroom rollback web");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("SERVICE", arguments->service, "its name (default: the only one)");
  add_environment_option(command, arguments->environment);
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
