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
  std::string length;
  std::string environment;
  bool json = false;
};

report::JsonWriter begin_json(const std::string& environment, const std::string& service) {
  report::JsonWriter json;
  json.begin_object().key("environment").text(environment).key("service").text(service);
  return json;
}

void pause(const Arguments& arguments, Context& context) {
  const auto length = override_length(arguments.length);
  if (!length) return fail(context, length.error());
  const auto reached = reach_service(arguments.environment, arguments.service, context.err);
  if (!reached) return fail(context, reached.error());
  const daemon::ServiceStatus& service = reached->service;
  const auto paused = reached->client.pause(reached->environment, {service.name, *length});
  if (!paused) return fail(context, paused.error());
  if (arguments.json) {
    report::JsonWriter json = begin_json(reached->environment, service.name);
    json.key("instances").integer(service.desired);
    write_length(json, *length);
    json.end_object();
    context.out << json.str() << '\n';
    return;
  }
  context.out << report::wrapped(
      "",
      fmt::format("{} / {}: paused at {} instances {}. One that fails is still replaced; `headroom events` "
                  "tells what the policy would do.",
                  reached->environment, service.name, service.desired, length_text(*length)));
}

void resume(const Arguments& arguments, Context& context) {
  const auto reached = reach_service(arguments.environment, arguments.service, context.err);
  if (!reached) return fail(context, reached.error());
  const daemon::ServiceStatus& service = reached->service;
  const auto resumed = reached->client.resume(reached->environment, {service.name});
  if (!resumed) return fail(context, resumed.error());
  if (arguments.json) {
    report::JsonWriter json = begin_json(reached->environment, service.name);
    json.key("was_overridden").boolean(service.override.has_value()).end_object();
    context.out << json.str() << '\n';
    return;
  }
  context.out << fmt::format("{} / {}: {}.\n", reached->environment, service.name,
                             service.override ? "the policy decides again" : "the policy decides, as before");
}

void add_arguments(Command& command, Arguments& arguments) {
  command.add_option("SERVICE", arguments.service, "its name").required();
  add_environment_option(command, arguments.environment);
  command.add_flag("--json", arguments.json, "print JSON");
}

}  // namespace

void add_pause(Command program, Context& context) {
  Command command = program.add_command("pause", "stop scaling a service: it keeps the instances it has");
  command.footer("Example:\n  headroom pause web --for 1h");
  auto arguments = std::make_shared<Arguments>();
  add_arguments(command, *arguments);
  add_length_option(command, arguments->length);
  command.when_called([arguments, &context] { pause(*arguments, context); });
}

void add_resume(Command program, Context& context) {
  Command command = program.add_command("resume", "let the policy decide again, after `scale` or `pause`");
  command.footer("Example:\n  headroom resume web");
  auto arguments = std::make_shared<Arguments>();
  add_arguments(command, *arguments);
  command.when_called([arguments, &context] { resume(*arguments, context); });
}

}  // namespace headroom::cli
