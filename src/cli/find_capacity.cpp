#include "cli/find_capacity.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <memory>
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
  if (arguments.metrics.empty() && !arguments.output.empty()) {
    error.faults.push_back({{},
                            "-o: without the utilisation of the instance there is no capacity model",
                            "add --metrics SOURCE, or join a CSV of it afterwards: headroom fit RUN --cpu "
                            "FILE.csv -o capacity.yaml"});
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
    const char* mark = step.saturated() ? "  full" : step.breaks_objective ? "  slow" : "";
    text +=
        fmt::format("{:>5}{:>8.1f} rps{:>8.1f} rps{:>9}{:>12}{:>12}{:>7.1f} %{}\n", step.round,
                    step.offered.value(), step.answered.value(),
                    step.utilisation ? fmt::format("{:.1f} %", step.utilisation->value()) : std::string("-"),
                    latency(step.p50_ms), latency(step.p95_ms), 100 * step.error_share, mark);
  }
  return text;
}

FitAnswers answers_of(const capacity::Fit& fit) {
  FitAnswers answers;
  answers.rate_at_cpu = capacity::rate_at(fit, answers.cpu);
  return answers;
}

InputFile measurements_of(const std::vector<load::CapacityStep>& steps) {
  return {"measurements.csv", load::measurements_csv(steps)};
}

std::string json_of(const load::FoundCapacity& found) {
  report::JsonWriter json;
  json.begin_object();
  const auto number_or_null = [&](const char* name, const std::optional<double>& value) {
    json.key(name);
    value ? json.number(*value) : json.null();
  };
  const auto value_of = [](const auto& quantity) {
    return quantity ? std::optional(quantity->value()) : std::nullopt;
  };
  if (found.fit) {
    write_fit(*found.fit, answers_of(*found.fit), json);
  } else {
    number_or_null("knee_rps", found.knee_rate ? std::optional(found.knee_rate->at) : std::nullopt);
    if (found.knee_rate) {
      const capacity::Interval& range = found.knee_rate->at_95;
      json.key("knee_rps_interval_95").begin_array().number(range.low).number(range.high).end_array();
    }
    number_or_null("saturation_rps", value_of(found.saturation));
  }
  number_or_null("objective_kept_rps", value_of(found.objective_kept));
  json.key("drift_percent").number(100 * found.drift);
  json.key("interrupted").boolean(found.interrupted);
  json.key("warnings").begin_array();
  for (const std::string& note : found.notes) json.text(note);
  json.end_array();
  json.key("steps").begin_array();
  for (const load::CapacityStep& step : found.steps) {
    json.begin_object();
    json.key("round").integer(step.round);
    json.key("begin").text(base::format_instant(step.when.from));
    json.key("end").text(base::format_instant(step.when.to));
    json.key("offered_rps").number(step.offered.value());
    json.key("answered_rps").number(step.answered.value());
    number_or_null("cpu_percent", value_of(step.utilisation));
    number_or_null("p50_ms", step.p50_ms);
    number_or_null("p95_ms", step.p95_ms);
    number_or_null("p99_ms", step.p99_ms);
    json.key("error_percent").number(100 * step.error_share);
    json.key("saturated").boolean(step.saturated());
    json.key("breaks_objective").boolean(step.breaks_objective);
    json.end_object();
  }
  json.end_array().end_object();
  return json.str() + "\n";
}

std::string open_end(const capacity::BrokenLine& bend) {
  if (bend.open_below && bend.open_above) return ", or beyond both";
  return bend.open_below ? " or less" : bend.open_above ? " or more" : "";
}

// What is known of the rate alone.
void write_rates(const load::FoundCapacity& found, std::ostream& out) {
  if (!found.fit) {
    const auto& knee = found.knee_rate;
    out << fmt::format("{:<22}{:<26}{}\n", "", "", "95 % interval");
    out << (knee ? fmt::format("{:<22}{:<26}{:.6g} to {:.6g}{}\n", "knee of latency",
                               fmt::format("{:.1f} requests/s (p95)", knee->at), knee->at_95.low,
                               knee->at_95.high, open_end(*knee))
                 : fmt::format("{:<22}not found\n", "knee of latency"));
    out << (found.saturation ? fmt::format("{:<22}{:.1f} requests/s answered when full\n", "saturation",
                                           found.saturation->value())
                             : fmt::format("{:<22}not reached\n", "saturation"));
  }
  if (found.objective_kept) {
    out << fmt::format("{:<22}kept up to {:.1f} requests/s\n", "objective", found.objective_kept->value());
  }
  if (found.fit) {
    out << fmt::format("{:<22}{:+.1f} % from the first round to the last\n", "drift", 100 * found.drift);
  }
}

}  // namespace

void add_find_capacity_arguments(Command command, FindCapacityArguments& arguments) {
  const std::string group = "Capacity of one instance";
  const auto option = [&](const char* name, std::string& into, const char* type, const char* what) {
    command.add_option(name, into, what).type_name(type).group(group);
  };
  command
      .add_flag("--find-capacity", arguments.wanted,
                "step the rate until the instance is saturated or --fail-if is true, and learn its capacity")
      .group(group);
  option("--metrics", arguments.metrics, "SOURCE",
         "where its utilisation is read: cgroup:/sys/fs/cgroup/FOLDER or "
         "prometheus:http://HOST:PORT?query=EXPRESSION; without it, see `headroom fit --cpu`");
  option("--step", arguments.step, "DURATION", "how long each rate is measured (default 10s)");
  option("--settle", arguments.settle, "DURATION", "driven before that, not measured (default 2s)");
  option("--first", arguments.first, "RATE", "the first rate (default 1 rps)");
  option("--most", arguments.most, "RATE", "the highest rate (default 1000000 rps)");
  command
      .add_option("--rounds", arguments.rounds,
                  "drive every rate so often (default: 3 to 6 times, until the slope is known to 5 %)")
      .type_name("COUNT")
      .range(1, 100)
      .group(group);
  option("-o,--output", arguments.output, "FILE", "write the capacity model here");
}

void find_capacity(const FindCapacityArguments& arguments, const load::Job& job,
                   const std::vector<load::Threshold>& objective, const RunArguments& run, bool json,
                   Context& context) {
  const auto plan = plan_of(arguments, job);
  if (!plan) return fail(context, plan.error());
  load::ReadUtilisation utilisation;
  std::unique_ptr<sources::Utilisation> source;
  if (!arguments.metrics.empty()) {
    auto opened = sources::utilisation_of(arguments.metrics, &steady_now);
    if (!opened) return fail(context, opened.error());
    source = std::move(*opened);
    utilisation = [&source] { return source->since_last(); };
  }

  const Interrupt interrupt;
  std::vector<load::CapacityStep> driven;
  const auto found = [&] {
    ProgressLine line(context.err);
    return load::find_capacity(
        plan->search,
        [&](base::Rate rate) {
          auto step = load::drive_rate(job, rate, plan->timing, utilisation, objective, Interrupt::stop());
          if (step && *step) driven.push_back(**step);
          return step;
        },
        [&](base::Rate next, const std::vector<load::CapacityStep>& so_far, double share) {
          const std::string last = so_far.empty() || !so_far.back().utilisation
                                       ? std::string()
                                       : fmt::format(", last {:.1f} %", so_far.back().utilisation->value());
          line.show(fmt::format("step {}: {:.1f} rps{}", so_far.size() + 1, next.value(), last), share);
        });
  }();
  if (!found) {
    // Nothing that was measured is lost.
    const auto kept = driven.empty() ? base::Result<std::string>(std::string())
                                     : keep_files(run, "capacity", {measurements_of(driven)});
    if (kept && !kept->empty()) {
      context.err << fmt::format("The {} steps that were driven are kept in {}.\n", driven.size(), *kept);
    }
    return fail(context, found.error());
  }

  std::vector<InputFile> files{measurements_of(found->steps), {"summary.json", json_of(*found)}};
  if (found->fit) files.push_back({"capacity.yaml", environment::write_capacity(found->fit->model)});
  const auto folder = keep_files(run, "capacity", files);
  if (!folder) return fail(context, folder.error());
  if (json) {
    context.out << json_of(*found);
  } else {
    context.out << steps_table(found->steps) << '\n';
    if (found->fit) write_fit(*found->fit, answers_of(*found->fit), context.out);
    write_rates(*found, context.out);
    for (const std::string& note : found->notes) context.out << report::wrapped("WARNING: ", note);
    if (found->interrupted)
      context.out << "STOPPED EARLY: the capacity is from the steps that were driven.\n";
    if (!found->fit) {
      context.out << report::wrapped(
          "", fmt::format("The utilisation is not known. With a CSV of it: headroom fit {} --cpu FILE.csv",
                          folder->empty() ? "RUN (leave out --no-run)" : *folder));
    }
    if (!folder->empty()) context.out << "\nRun: " << *folder << '\n';
  }
  if (!arguments.output.empty()) {
    if (auto written =
            store::write_file_atomically(arguments.output, environment::write_capacity(found->fit->model));
        !written) {
      return fail(context, written.error());
    }
    context.err << "Written to " << arguments.output
                << "; a load test shows no start-up time: add `startup: 4m`.\n";
  }
}

}  // namespace headroom::cli
