#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "base/units.hpp"
#include "cli/command.hpp"
#include "cli/project.hpp"
#include "report/json.hpp"
#include "report/layout.hpp"
#include "tune/limits.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  ProjectArguments project;
  std::string from;
  bool json = false;
};

std::string rate_text(base::Rate rate) { return fmt::format("{:.1f}", rate.value()); }

void write_text(const tune::Surges& surges, std::int32_t max, std::ostream& out) {
  out << report::wrapped("",
                         fmt::format("Surges from a steady {} requests/s. The largest fleet ({} instances) "
                                     "takes {} requests/s within the objective.",
                                     rate_text(surges.base), max, rate_text(surges.ceiling)))
      << '\n';
  out << fmt::format("{:>12}  {:>16}  {:>8}  {}\n", "rise within", "survived up to", "of base",
                     "what stops it");
  for (const tune::Surge& surge : surges.highest) {
    const std::string ramp = surge.ramp.count() == 0 ? "at once" : base::format_duration(surge.ramp);
    if (!surge.peak) {
      out << fmt::format("{:>12}  {:>16}  {:>8}  {}\n", ramp, "none", "",
                         "scaling is too slow for any tried");
      continue;
    }
    // From no traffic at all, every surge is infinitely many times as much.
    const std::string times =
        surges.base.value() > 0 ? fmt::format("{:.2f}x", *surge.peak / surges.base) : "-";
    out << fmt::format("{:>12}  {:>10} req/s  {:>8}  {}\n", ramp, rate_text(*surge.peak), times,
                       surge.at_ceiling ? "max" : "scaling is too slow");
  }
  const auto steepest = [&](const std::optional<base::Milliseconds>& ramp) {
    if (!ramp) return std::string("not within a day");
    return ramp->count() == 0 ? std::string("at once") : "within " + base::format_duration(*ramp);
  };
  out << fmt::format("\nSteepest rise to {} req/s (all that max takes): {}\n", rate_text(surges.ceiling),
                     steepest(surges.steepest_to_ceiling));
  if (!surges.traffic_peak) return;
  if (*surges.traffic_peak > surges.ceiling) {
    out << fmt::format("The traffic peaks at {} req/s, more than the largest fleet takes.\n",
                       rate_text(*surges.traffic_peak));
  } else {
    out << fmt::format("Steepest rise to {} req/s (the peak of the traffic): {}\n",
                       rate_text(*surges.traffic_peak), steepest(surges.steepest_to_traffic_peak));
  }
}

std::string json_of(const tune::Surges& surges) {
  report::JsonWriter json;
  const auto duration = [&](const char* key, const std::optional<base::Milliseconds>& value) {
    json.key(key);
    if (value) {
      json.number(base::minutes(*value));
    } else {
      json.null();
    }
  };
  const auto rate = [&](const char* key, const std::optional<base::Rate>& value) {
    json.key(key);
    if (value) {
      json.number(value->value());
    } else {
      json.null();
    }
  };
  json.begin_object();
  rate("base_requests_per_second", surges.base);
  rate("ceiling_requests_per_second", surges.ceiling);
  json.key("highest").begin_array();
  for (const tune::Surge& surge : surges.highest) {
    json.begin_object();
    duration("ramp_minutes", surge.ramp);
    rate("peak_requests_per_second", surge.peak);
    json.key("at_ceiling").boolean(surge.at_ceiling).end_object();
  }
  json.end_array();
  duration("steepest_to_ceiling_minutes", surges.steepest_to_ceiling);
  rate("traffic_peak_requests_per_second", surges.traffic_peak);
  duration("steepest_to_traffic_peak_minutes", surges.steepest_to_traffic_peak);
  json.end_object();
  return json.str() + "\n";
}

void run(const Arguments& arguments, Context& context) {
  const auto project = open_project(arguments.project);
  if (!project) return fail(context, project.error());
  const auto service = choose_service(*project, arguments.project);
  if (!service) return fail(context, service.error());
  const auto scenario = sim::compile(project->environment(), *service);
  if (!scenario) return fail(context, project->located(scenario.error(), *service));
  std::optional<base::Series> series;
  if (const auto& traffic = service->traffic ? service->traffic : project->environment().traffic) {
    auto compiled = workload::compile(*traffic, scenario->tick, project->environment().seed);
    if (!compiled) return fail(context, project->located(compiled.error(), *service));
    series = std::move(compiled->requests_per_second);
  }
  tune::SurgeOptions options;
  if (!arguments.from.empty()) {
    auto rate = base::parse_rate(arguments.from);
    if (!rate) return fail(context, rate.error());
    options.base = *rate;
  }
  const auto surges = tune::limits(*scenario, series, options);
  if (!surges) return fail(context, project->located(surges.error(), *service));
  if (arguments.json) {
    context.out << json_of(*surges);
  } else {
    write_text(*surges, scenario->numbers.max, context.out);
  }
}

}  // namespace

void add_limits(Command program, Context& context) {
  Command command =
      program.add_command("limits", "find the highest and the steepest surge that the policy survives");
  command.footer("Example:\n  headroom limits examples/shop --from '200 rps'");
  auto arguments = std::make_shared<Arguments>();
  add_project_arguments(command, arguments->project);
  command
      .add_option("--from", arguments->from, "the rate before the surge (default: the median of the traffic)")
      .type_name("RATE");
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
