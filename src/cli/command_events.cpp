#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

#include "base/units.hpp"
#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/events_text.hpp"
#include "cli/project.hpp"
#include "cli/reach_daemon.hpp"
#include "cli/terminal.hpp"

namespace headroom::cli {
namespace {

using base::Milliseconds;

constexpr auto kBetweenLooks = std::chrono::milliseconds(1'000);

struct Arguments {
  std::string service;
  std::string since = "1h";
  int most = 1'000;
  bool follow = false;
  std::string environment;
  bool json = false;
};

Milliseconds now() {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
}

void run(const Arguments& arguments, Context& context) {
  const auto since = base::parse_duration(arguments.since);
  if (!since) {
    base::Error error = since.error();
    for (base::Fault& fault : error.faults) fault.what = "--since: " + fault.what;
    return fail(context, error);
  }
  const auto reached = reach_environment(arguments.environment, context.err);
  if (!reached) return fail(context, reached.error());
  const daemon::EnvironmentStatus& environment = reached->environment;
  history::Query query;
  query.since = std::max(Milliseconds(0), now() - *since);
  query.most = arguments.most;
  if (!arguments.service.empty()) {
    const auto service = choose_service(environment, arguments.service);
    if (!service) return fail(context, service.error());
    query.service = service->name;
  }

  std::optional<Interrupt> interrupt;
  if (arguments.follow) interrupt.emplace("");
  bool told = false;
  // A decision that goes on is told when it begins; that it was repeated is no news.
  Milliseconds told_until{-1};
  for (;;) {
    const auto entries = reached->client.events(environment.name, query);
    if (!entries) return fail(context, entries.error());
    if (arguments.json && !arguments.follow) {
      context.out << api::to_json(api::Events{*entries}, report::JsonLayout::indented) << '\n';
      return;
    }
    for (const history::Entry& entry : *entries) {
      if (entry.event.at <= told_until) continue;
      told = true;
      context.out << (arguments.json ? api::to_json(api::Events{{entry}}) + "\n" : event_text(entry));
    }
    if (!entries->empty()) told_until = std::max(told_until, entries->back().event.at);
    query.since = std::max(query.since, told_until);
    context.out.flush();
    if (!arguments.follow || Interrupt::stop() || !context.out) break;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  if (!told && !arguments.follow)
    context.out << fmt::format("Nothing happened in {} within {}.\n", environment.name, arguments.since);
}

}  // namespace

void add_events(Command program, Context& context) {
  Command command =
      program.add_command("events", "what happened, what was decided and why, and why nothing was done");
  command.footer("Example:\n  headroom events web --since 10m -f");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("SERVICE", arguments->service, "of this service only, and of the whole environment");
  command.add_option("--since", arguments->since, "of the last so much time; a week is kept")
      .type_name("DURATION")
      .default_shown();
  command.add_option("-n,--most", arguments->most, "at most so many, the newest")
      .type_name("COUNT")
      .range(1, 100'000)
      .default_shown();
  command.add_flag("-f,--follow", arguments->follow, "go on with what happens, until Ctrl-C");
  add_environment_option(command, arguments->environment);
  command.add_flag("--json", arguments->json, "print JSON; with -f one object per line");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
