#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "base/units.hpp"
#include "cli/choose_environment.hpp"
#include "cli/command.hpp"
#include "cli/duration_option.hpp"
#include "cli/project.hpp"
#include "cli/reach_daemon.hpp"
#include "cli/samples_csv.hpp"
#include "report/layout.hpp"
#include "report/words.hpp"
#include "store/file.hpp"

namespace headroom::cli {
namespace {

using base::Milliseconds;

constexpr std::string_view kLocal = "local:";

struct Arguments {
  std::string source;
  std::string since = "1h";
  std::string output;
  std::string environment;
  bool json = false;
};

base::Result<std::string> service_of(const std::string& source) {
  if (source.starts_with(kLocal) && source.size() > kLocal.size()) return source.substr(kLocal.size());
  for (const std::string_view later : {"aws:", "prometheus:", "beanstalk:"}) {
    if (source.starts_with(later))
      return base::bad_input(
          fmt::format("this version pulls from what runs on this machine only, not from {}", source),
          "write local:SERVICE");
  }
  return base::bad_input(fmt::format("{} is no source", base::in_quotes(source)), "write local:SERVICE");
}

void run(const Arguments& arguments, Context& context) {
  const auto wanted = service_of(arguments.source);
  if (!wanted) return fail(context, wanted.error());
  const auto since = duration_of("--since", arguments.since);
  if (!since) return fail(context, since.error());
  const auto reached = reach_service(arguments.environment, *wanted, context.err);
  if (!reached) return fail(context, reached.error());
  const auto now =
      std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const auto samples = reached->client.samples(
      reached->environment, {reached->service.name, std::max(Milliseconds(0), now - *since)});
  if (!samples) return fail(context, samples.error());
  if (samples->empty()) {
    return fail(context, base::unavailable(fmt::format("nothing was measured of {} within {}",
                                                       reached->service.name, report::duration_text(*since)),
                                           "measurements begin one metric period after it has come up"));
  }
  const std::string text = arguments.json
                               ? api::to_json(api::Measured{*samples}, report::JsonLayout::indented) + "\n"
                               : samples_csv(of_one_length(*samples));
  if (arguments.output.empty()) {
    context.out << text;
    return;
  }
  if (auto written = store::write_file_atomically(arguments.output, text); !written)
    return fail(context, written.error());
  context.out << report::wrapped(
      "", fmt::format("{} to {} of {} / {} are in {}. `headroom simulate --traffic {}` rehearses them.",
                      report::utc_text(samples->front().at),
                      report::utc_text(samples->back().at + samples->back().length), reached->environment,
                      reached->service.name, arguments.output, arguments.output));
}

}  // namespace

void add_pull(Command program, Context& context) {
  Command command =
      program.add_command("pull", "what was measured of a service that runs, as recorded traffic");
  command.footer(
      "Example:\n  headroom pull local:web --since 1h -o live.csv\n  headroom tune --traffic live.csv");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("SOURCE", arguments->source, "local:SERVICE").required();
  command.add_option("--since", arguments->since, "of the last so much time; a week is kept")
      .type_name("DURATION")
      .default_shown();
  command.add_option("-o,--output", arguments->output, "write it into this file").type_name("FILE");
  add_environment_option(command, arguments->environment);
  command.add_flag("--json", arguments->json, "JSON instead of CSV");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
