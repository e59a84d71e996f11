#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/duration_option.hpp"
#include "cli/events_text.hpp"
#include "cli/project.hpp"
#include "cli/reach_daemon.hpp"
#include "cli/terminal.hpp"

namespace headroom::cli {
namespace {

using base::Milliseconds;

constexpr auto kBetweenLooks = std::chrono::milliseconds(1'000);
constexpr auto kSlice = std::chrono::milliseconds(50);
// What happened in the same moment as the last that was told can be written after it.
constexpr Milliseconds kOverlap{10'000};
constexpr int kMostAtOnce = 10'000;

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

// Which entries were printed. One that goes on is told when it begins; that it was repeated is no news.
class Told {
 public:
  // Requires: entries in the order of their time.
  std::vector<history::Entry> news(const std::vector<history::Entry>& entries) {
    std::vector<history::Entry> news;
    for (const history::Entry& entry : entries) {
      if (entry.event.at < known_since_) continue;
      if (known_.emplace(entry.event.at, key_of(entry)).second) news.push_back(entry);
    }
    known_since_ = std::max(known_since_, newest() - kOverlap);
    known_.erase(known_.begin(), known_.lower_bound({known_since_, {}}));
    return news;
  }
  Milliseconds newest() const { return known_.empty() ? Milliseconds(0) : known_.rbegin()->first; }
  bool anything() const { return !known_.empty(); }

 private:
  static std::string key_of(const history::Entry& entry) {
    const history::Event& event = entry.event;
    return fmt::format("{}\n{}\n{}\n{}\n{}", event.service, event.kind, event.subject,
                       entry.decision ? entry.decision->group : std::string(), event.text);
  }

  std::set<std::pair<Milliseconds, std::string>> known_;
  Milliseconds known_since_{0};  // what is older was told, or is of no interest
};

// False: Ctrl-C was pressed, or nobody reads any more.
bool wait_for_more(const Context& context) {
  for (auto waited = std::chrono::milliseconds(0); waited < kBetweenLooks; waited += kSlice) {
    if (Interrupt::stop() || !context.out) return false;
    std::this_thread::sleep_for(kSlice);
  }
  return true;
}

void run(const Arguments& arguments, Context& context) {
  const auto since = duration_of("--since", arguments.since);
  if (!since) return fail(context, since.error());
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
  Told told;
  api::Client client = reached->client;
  for (;;) {
    auto entries = client.events(environment.name, query);
    if (!entries && arguments.follow && !Interrupt::stop()) {
      // Its daemon has ended: the next one knows what happened.
      const auto next = reach_environment(environment.name, context.err);
      if (!next) return fail(context, entries.error());
      client = next->client;
      entries = client.events(environment.name, query);
    }
    if (!entries) return fail(context, entries.error());
    if (arguments.json && !arguments.follow) {
      context.out << api::to_json(api::Events{*entries}, report::JsonLayout::indented) << '\n';
      return;
    }
    for (const history::Entry& entry : told.news(*entries))
      context.out << (arguments.json ? api::to_json(api::Events{{entry}}) + "\n" : event_text(entry));
    context.out.flush();
    // The number was for what had happened before.
    query.most = kMostAtOnce;
    query.since = std::max(query.since, told.newest() - kOverlap);
    if (!arguments.follow || !wait_for_more(context)) break;
  }
  if (!told.anything() && !arguments.follow)
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
