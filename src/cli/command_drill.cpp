#include <fmt/format.h>

#include <memory>
#include <ostream>
#include <string>

#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/duration_option.hpp"
#include "cli/reach_daemon.hpp"
#include "report/json.hpp"
#include "report/words.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  std::string what;
  std::string name;
  std::string length = "60s";
  std::string how;
  std::string environment;
  bool json = false;
};

base::Result<api::DrillRequest> read(const Arguments& arguments) {
  api::DrillRequest request;
  const auto length = duration_of("--for", arguments.length);
  if (!length) return length.error();
  request.length = *length;
  if (arguments.what == "zone") {
    if (!arguments.how.empty())
      return base::bad_input("--how is for a drill of an instance; a zone is cut off", "leave it out");
    request.zone = arguments.name;
    return request;
  }
  request.instance = arguments.name;
  request.trouble = cloud_local::Trouble::crash;
  using cloud_local::Trouble;
  for (const Trouble trouble : {Trouble::crash, Trouble::hang, Trouble::pause})
    if (arguments.how == to_string(trouble)) request.trouble = trouble;
  return request;
}

void run(const Arguments& arguments, Context& context) {
  const auto request = read(arguments);
  if (!request) return fail(context, request.error());
  const auto reached = reach_environment(arguments.environment, context.err);
  if (!reached) return fail(context, reached.error());
  const daemon::EnvironmentStatus& environment = reached->environment;
  const auto drilled = reached->client.drill(environment.name, *request);
  if (!drilled) return fail(context, drilled.error());
  if (arguments.json) {
    report::JsonWriter json;
    json.begin_object().key("environment").text(environment.name).key("what").text(arguments.what);
    json.key("name").text(arguments.name).key("how");
    if (request->trouble) {
      json.text(to_string(*request->trouble));
    } else {
      json.text("cut");
    }
    json.key("length_ms").integer(request->length.count()).end_object();
    context.out << json.str() << '\n';
    return;
  }
  if (request->trouble == cloud_local::Trouble::crash) {
    context.out << fmt::format("{}: instance {} was killed; `headroom status` shows what replaces it.\n",
                               environment.name, arguments.name);
    return;
  }
  const std::string what = !request->trouble                                 ? "is cut off"
                           : *request->trouble == cloud_local::Trouble::hang ? "hangs"
                                                                             : "stands still";
  context.out << fmt::format("{}: {} {} {} for {}; this ends by itself.\n", environment.name, arguments.what,
                             arguments.name, what, report::duration_text(request->length));
}

}  // namespace

void add_drill(Command program, Context& context) {
  Command command = program.add_command("drill", "fail a zone or an instance on purpose, for a while");
  command.footer(
      "Example:\n  headroom drill zone a --for 60s\n  headroom drill instance web-17 --how hang --for 30s");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("WHAT", arguments->what, "what fails").required().one_of({"zone", "instance"});
  command.add_option("NAME", arguments->name, "of the zone or the instance").required();
  command.add_option("--for", arguments->length, "how long; it ends by itself")
      .type_name("DURATION")
      .default_shown();
  command
      .add_option(
          "--how", arguments->how,
          "of an instance: it is killed (crash, the default), takes connections and answers nothing (hang), "
          "or stands still (pause)")
      .one_of({"crash", "hang", "pause"});
  add_environment_option(command, arguments->environment);
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
