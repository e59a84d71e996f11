#include "cli/find_capacity.hpp"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <atomic>
#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/units.hpp"
#include "capacity/evaluate.hpp"
#include "cli/fit_output.hpp"
#include "cli/terminal.hpp"
#include "environment/capacity_file.hpp"
#include "load/drive_rate.hpp"
#include "load/find_capacity.hpp"
#include "report/json.hpp"
#include "report/layout.hpp"
#include "sources/utilisation.hpp"
#include "store/file.hpp"
#include "store/run_folder.hpp"

namespace headroom::cli {
namespace {

// Shorter windows scatter by 4 to 16 points of utilisation (docs/load-testing.md).
constexpr base::Milliseconds kMeasureLeast{1000};

struct Plan {
  load::CapacitySearch search;
  load::StepTiming timing;
};

base::Result<Plan> plan_of(const FindCapacityArguments& arguments, const load::Job& job) {
  Plan plan;
  plan.search.seed = job.options.seed;
  base::Error error;
  const auto whole_seconds = [&](const char* option, const std::string& text, base::Milliseconds& into,
                                 base::Milliseconds least) {
    if (text.empty()) return;
    const auto duration = base::parse_duration(text);
    if (!duration || *duration < least || *duration % base::Milliseconds(1000) != base::Milliseconds(0)) {
      error.faults.push_back({{},
                              fmt::format("{}: expected whole seconds, at least {}, found {}", option,
                                          base::format_duration(least), base::in_quotes(text)),
                              "write it as 10s"});
      return;
    }
    into = *duration;
  };
  const auto rate = [&](const char* option, const std::string& text, base::Rate& into) {
    if (text.empty()) return;
    const auto read = base::parse_rate(text);
    if (!read || read->value() <= 0) {
      error.faults.push_back(
          {{},
           fmt::format("{}: expected a rate above 0, found {}", option, base::in_quotes(text)),
           "write it as '50 rps'"});
      return;
    }
    into = *read;
  };
  whole_seconds("--step", arguments.step, plan.timing.measure, kMeasureLeast);
  whole_seconds("--settle", arguments.settle, plan.timing.settle, base::Milliseconds(0));
  rate("--first", arguments.first, plan.search.first);
  rate("--most", arguments.most, plan.search.most);
  if (arguments.rounds > 0) plan.search.repeats_least = plan.search.repeats_most = arguments.rounds;
  if (arguments.metrics.empty()) {
    error.faults.push_back({{},
                            "--find-capacity needs --metrics: where the utilisation of the instance is read",
                            "write --metrics cgroup:/sys/fs/cgroup/FOLDER or --metrics "
                            "'prometheus:http://HOST:PORT?query=...'"});
  }
  if (!error.faults.empty()) return error;
  return plan;
}

base::Nanoseconds steady_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

std::string steps_table(const std::vector<load::CapacityStep>& steps) {
  const auto latency = [](const std::optional<double>& ms) {
    return ms ? fmt::format("{:.1f} ms", *ms) : std::string("-");
  };
  std::string text = fmt::format("{:>5}{:>12}{:>12}{:>9}{:>12}{:>12}{:>9}\n", "round", "offered", "answered",
                                 "CPU", "p50", "p95", "errors");
  for (const load::CapacityStep& step : steps) {
    text += fmt::format("{:>5}{:>8.1f} rps{:>8.1f} rps{:>7.1f} %{:>12}{:>12}{:>7.1f} %{}\n", step.round,
                        step.offered.value(), step.answered.value(), step.utilisation.value(),
                        latency(step.p50_ms), latency(step.p95_ms), 100 * step.error_share,
                        step.saturated() ? "  full" : "");
  }
  return text;
}

FitAnswers answers_of(const capacity::Fit& fit) {
  FitAnswers answers;
  answers.rate_at_cpu = capacity::rate_at(fit, answers.cpu);
  return answers;
}

std::string json_of(const load::FoundCapacity& found) {
  report::JsonWriter json;
  json.begin_object();
  write_fit(found.fit, answers_of(found.fit), json);
  json.key("saturation_rps");
  found.saturation ? json.number(found.saturation->value()) : json.null();
  json.key("drift_percent").number(100 * found.drift);
  json.key("interrupted").boolean(found.interrupted);
  json.key("warnings").begin_array();
  for (const std::string& note : found.notes) json.text(note);
  json.end_array();
  json.key("steps").begin_array();
  for (const load::CapacityStep& step : found.steps) {
    json.begin_object();
    json.key("round").integer(step.round);
    json.key("offered_rps").number(step.offered.value());
    json.key("answered_rps").number(step.answered.value());
    json.key("cpu_percent").number(step.utilisation.value());
    for (const auto& [name, value] : {std::pair("p50_ms", step.p50_ms), std::pair("p95_ms", step.p95_ms),
                                      std::pair("p99_ms", step.p99_ms)}) {
      json.key(name);
      value ? json.number(*value) : json.null();
    }
    json.key("error_percent").number(100 * step.error_share);
    json.key("saturated").boolean(step.saturated());
    json.end_object();
  }
  json.end_array().end_object();
  return json.str() + "\n";
}

using Files = std::vector<std::pair<const char*, std::string>>;

base::Result<std::string> keep(const RunArguments& run, const Files& files) {
  if (run.none) return std::string();
  const auto now =
      std::chrono::duration_cast<base::Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  auto folder = store::RunFolder::create(run.folder, now, "capacity");
  if (!folder) return folder.error();
  for (const auto& [name, text] : files) {
    if (auto written = folder->write(name, text); !written) return written.error();
  }
  auto finished = folder->finish();
  if (!finished) return finished.error();
  return finished->string();
}

}  // namespace

void add_find_capacity_arguments(CLI::App& command, FindCapacityArguments& arguments) {
  const std::string group = "Capacity of one instance";
  command
      .add_flag("--find-capacity", arguments.wanted,
                "step the rate until the instance is saturated, and learn its capacity")
      ->group(group);
  command
      .add_option("--metrics", arguments.metrics,
                  "where its utilisation is read: cgroup:/sys/fs/cgroup/FOLDER or "
                  "prometheus:http://HOST:PORT?query=EXPRESSION")
      ->type_name("SOURCE")
      ->group(group);
  command.add_option("--step", arguments.step, "how long each rate is measured (default 10s)")
      ->type_name("DURATION")
      ->group(group);
  command.add_option("--settle", arguments.settle, "driven before that, not measured (default 2s)")
      ->type_name("DURATION")
      ->group(group);
  command.add_option("--first", arguments.first, "the first rate (default 1 rps)")
      ->type_name("RATE")
      ->group(group);
  command.add_option("--most", arguments.most, "the highest rate (default 1000000 rps)")
      ->type_name("RATE")
      ->group(group);
  command
      .add_option("--rounds", arguments.rounds,
                  "drive every rate so often (default: 3 to 6 times, until the slope is known to 5 %)")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 100))
      ->group(group);
  command.add_option("-o,--output", arguments.output, "write the capacity model here")
      ->type_name("FILE")
      ->group(group);
}

void find_capacity(const FindCapacityArguments& arguments, const load::Job& job, const RunArguments& run,
                   bool json, Context& context) {
  const auto plan = plan_of(arguments, job);
  if (!plan) return fail(context, plan.error());
  const auto source = sources::utilisation_of(arguments.metrics, &steady_now);
  if (!source) return fail(context, source.error());

  const Interrupt interrupt;
  std::vector<load::CapacityStep> driven;
  const auto found = [&] {
    ProgressLine line(context.err);
    return load::find_capacity(
        plan->search,
        [&](base::Rate rate) {
          auto step = load::drive_rate(
              job, rate, plan->timing, [&] { return (*source)->since_last(); }, Interrupt::stop());
          if (step && *step) driven.push_back(**step);
          return step;
        },
        [&](base::Rate next, const std::vector<load::CapacityStep>& so_far, double share) {
          const std::string last = so_far.empty()
                                       ? std::string()
                                       : fmt::format(", last {:.1f} %", so_far.back().utilisation.value());
          line.show(fmt::format("step {}: {:.1f} rps{}", so_far.size() + 1, next.value(), last), share);
        });
  }();
  if (!found) {
    // Nothing that was measured is lost.
    const auto kept = driven.empty() ? base::Result<std::string>(std::string())
                                     : keep(run, {{"measurements.csv", load::measurements_csv(driven)}});
    if (kept && !kept->empty()) {
      context.err << fmt::format("The {} steps that were driven are kept in {}.\n", driven.size(), *kept);
    }
    return fail(context, found.error());
  }

  const auto folder = keep(run, {{"measurements.csv", load::measurements_csv(found->steps)},
                                 {"summary.json", json_of(*found)},
                                 {"capacity.yaml", environment::write_capacity(found->fit.model)}});
  if (!folder) return fail(context, folder.error());
  if (json) {
    context.out << json_of(*found);
  } else {
    context.out << steps_table(found->steps) << '\n';
    write_fit(found->fit, answers_of(found->fit), context.out);
    if (found->saturation) {
      context.out << fmt::format("{:<22}{:.1f} requests/s answered when full\n", "saturation",
                                 found->saturation->value());
    }
    context.out << fmt::format("{:<22}{:+.1f} % from the first round to the last\n", "drift",
                               100 * found->drift);
    for (const std::string& note : found->notes) context.out << report::wrapped("WARNING: ", note);
    if (found->interrupted)
      context.out << "STOPPED EARLY: the capacity is from the steps that were driven.\n";
    if (!folder->empty()) context.out << "\nRun: " << *folder << '\n';
  }
  if (!arguments.output.empty()) {
    if (auto written =
            store::write_file_atomically(arguments.output, environment::write_capacity(found->fit.model));
        !written) {
      return fail(context, written.error());
    }
    context.err << "Written to " << arguments.output
                << "; a load test shows no start-up time: add `startup: 4m`.\n";
  }
}

}  // namespace headroom::cli
