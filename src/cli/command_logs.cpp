#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>

#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/instance_logs.hpp"
#include "cli/project.hpp"
#include "cli/reach_daemon.hpp"
#include "cli/terminal.hpp"
#include "report/json.hpp"
#include "report/layout.hpp"

namespace headroom::cli {
namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(500);

struct Arguments {
  std::string of;
  bool follow = false;
  int lines = 100;
  std::string environment;
  bool json = false;
};

void run(const Arguments& arguments, Context& context) {
  const auto reached = reach_environment(arguments.environment, context.err);
  if (!reached) return fail(context, reached.error());
  const daemon::EnvironmentStatus& environment = reached->environment;

  // The lines of one instance stand alone, those of several after its name.
  const bool is_service =
      std::any_of(environment.services.begin(), environment.services.end(),
                  [&](const daemon::ServiceStatus& service) { return service.name == arguments.of; });
  const bool safe = is_terminal(context.out);
  const LogLines::Take print = [&](const std::string& instance, std::string_view line) {
    if (arguments.json) {
      report::JsonWriter json(report::JsonLayout::one_line);
      json.begin_object().key("instance").text(instance).key("text").text(line).end_object();
      context.out << json.str() << '\n';
      return;
    }
    if (is_service) context.out << instance << " | ";
    // What a service prints must not move the cursor of the one who reads it.
    context.out << (safe ? report::visible(line) : std::string(line)) << '\n';
  };
  // Without -f nothing asks whether Ctrl-C was pressed: it ends the program, as it does everywhere.
  std::optional<Interrupt> interrupt;
  if (arguments.follow) interrupt.emplace("");
  LogLines lines(arguments.lines);
  do {
    const auto pieces =
        reached->client.logs(environment.name, {arguments.of, lines.tail_bytes(), lines.positions()});
    if (!pieces) return fail(context, pieces.error());
    lines.add(*pieces, print);
    context.out.flush();
    if (arguments.follow && !Interrupt::stop() && context.out) std::this_thread::sleep_for(kBetweenLooks);
  } while (arguments.follow && !Interrupt::stop() && context.out);
  lines.finish(print);
}

}  // namespace

void add_logs(Command program, Context& context) {
  Command command = program.add_command("logs", "what the instances of a service have printed");
  command.footer("Example:\n  headroom logs web -f");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("NAME", arguments->of, "a service, or one instance").required();
  command.add_flag("-f,--follow", arguments->follow, "go on with what they print, until Ctrl-C");
  command.add_option("-n,--lines", arguments->lines, "at most so many of each instance")
      .type_name("LINES")
      .range(0, 1'000'000)
      .default_shown();
  add_environment_option(command, arguments->environment);
  command.add_flag("--json", arguments->json, "print JSON, one object per line");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
