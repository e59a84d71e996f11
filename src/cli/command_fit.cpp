#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "base/units.hpp"
#include "capacity/evaluate.hpp"
#include "capacity/fit.hpp"
#include "cli/command.hpp"
#include "cli/project.hpp"
#include "environment/capacity_file.hpp"
#include "report/json.hpp"
#include "report/layout.hpp"
#include "store/file.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  std::string file;
  std::string output;
  std::string at_rate;
  std::string at_cpu;
  bool json = false;
};

struct Answers {
  std::optional<base::Rate> rate;
  std::optional<capacity::Prediction> cpu_at_rate;
  base::Percent cpu{50};
  std::optional<capacity::Prediction> rate_at_cpu;
};

void write_text(const capacity::Fit& fit, const Answers& answers, std::ostream& out) {
  const capacity::Line& line = fit.line;
  const auto interval = [](const capacity::Interval& range, double factor) {
    return fmt::format("{:.6g} to {:.6g}", range.low * factor, range.high * factor);
  };
  out << fmt::format("{} rows used, {:.0f} to {:.0f} requests/min per instance\n\n", fit.rows_used,
                     fit.measured_from.value() * 60, fit.measured_up_to.value() * 60);
  out << fmt::format("{:<22}{:<26}{}\n", "", "", "95 % interval");
  out << fmt::format("{:<22}{:<26}{}\n", "CPU per request/min", fmt::format("{:.7f} %", line.slope / 60),
                     interval(line.slope_95, 1.0 / 60));
  out << fmt::format("{:<22}{:<26}{}\n", "CPU at no load", fmt::format("{:.4g} %", line.intercept),
                     interval(line.intercept_95, 1));
  out << fmt::format("{:<22}{:.4f}\n", "R2", line.r_squared);
  out << fmt::format("{:<22}{}\n", "straight line",
                     fit.curved
                         ? fmt::format("no, curved {} (p {:.2g})",
                                       fit.curvature.upward ? "upward" : "downward", fit.curvature.p_value)
                         : fmt::format("yes (p {:.2g} for a curve)", fit.curvature.p_value));
  if (fit.knee) {
    out << fmt::format("{:<22}{:<26}{}\n", "knee of latency",
                       fmt::format("{:.1f} % ({})", fit.knee->utilisation.value(), fit.knee->quantile),
                       interval(fit.knee->interval_95_percent, 1));
  } else {
    out << fmt::format("{:<22}not found\n", "knee of latency");
  }
  const auto mark = [](const capacity::Prediction& prediction) {
    return prediction.extrapolated ? fmt::format("{:<22}beyond what was measured\n", "") : std::string();
  };
  if (answers.rate_at_cpu) {
    out << fmt::format("{:<22}{:<26}{}\n{}", fmt::format("rate at {:g} % CPU", answers.cpu.value()),
                       fmt::format("{:.0f} requests/min", answers.rate_at_cpu->value * 60),
                       interval(answers.rate_at_cpu->interval_95, 60), mark(*answers.rate_at_cpu));
  }
  if (answers.cpu_at_rate) {
    out << fmt::format("{:<22}{:<26}{}\n{}", fmt::format("CPU at {:.0f}/min", answers.rate->value() * 60),
                       fmt::format("{:.2f} %", answers.cpu_at_rate->value),
                       interval(answers.cpu_at_rate->interval_95, 1), mark(*answers.cpu_at_rate));
  }
  if (!fit.model.latency.empty()) {
    out << fmt::format("\n{:>8}{:>12}{:>12}{:>12}\n", "CPU", "p50", "p95", "p99");
    for (const capacity::LatencyPoint& point : fit.model.latency) {
      out << fmt::format("{:>6.1f} %{:>9.1f} ms{:>9.1f} ms{:>9.1f} ms\n", point.utilisation.value(),
                         point.p50_ms, point.p95_ms, point.p99_ms);
    }
  }
  if (!fit.notes.empty()) out << '\n';
  for (const std::string& note : fit.notes) out << report::wrapped("- ", note);
}

std::string json_of(const capacity::Fit& fit, const Answers& answers) {
  report::JsonWriter json;
  const auto interval = [&](const char* key, const capacity::Interval& range, double factor) {
    json.key(key).begin_array().number(range.low * factor).number(range.high * factor).end_array();
  };
  const auto prediction = [&](const char* key, const std::optional<capacity::Prediction>& value,
                              double factor) {
    json.key(key);
    if (!value) {
      json.null();
      return;
    }
    json.begin_object().key("value").number(value->value * factor);
    interval("interval_95", value->interval_95, factor);
    json.key("extrapolated").boolean(value->extrapolated).end_object();
  };
  json.begin_object();
  json.key("rows_used").natural(fit.rows_used);
  json.key("rows_saturated").natural(fit.rows_saturated);
  json.key("rows_failing").natural(fit.rows_failing);
  json.key("cpu_percent_per_rpm").number(fit.line.slope / 60);
  interval("cpu_percent_per_rpm_interval_95", fit.line.slope_95, 1.0 / 60);
  json.key("intercept_percent").number(fit.line.intercept);
  interval("intercept_percent_interval_95", fit.line.intercept_95, 1);
  json.key("r_squared").number(fit.line.r_squared);
  json.key("curved").boolean(fit.curved);
  json.key("curved_p_value").number(fit.curvature.p_value);
  json.key("measured_from_rpm").number(fit.measured_from.value() * 60);
  json.key("measured_up_to_rpm").number(fit.measured_up_to.value() * 60);
  json.key("knee_percent");
  if (fit.knee) {
    json.number(fit.knee->utilisation.value());
    interval("knee_percent_interval_95", fit.knee->interval_95_percent, 1);
  } else {
    json.null();
  }
  json.key("at_cpu_percent").number(answers.cpu.value());
  prediction("rate_rpm", answers.rate_at_cpu, 60);
  if (answers.rate) {
    json.key("at_rate_rpm").number(answers.rate->value() * 60);
    prediction("cpu_percent", answers.cpu_at_rate, 1);
  }
  json.key("latency").begin_array();
  for (const capacity::LatencyPoint& point : fit.model.latency) {
    json.begin_object().key("cpu_percent").number(point.utilisation.value());
    json.key("p50_ms")
        .number(point.p50_ms)
        .key("p95_ms")
        .number(point.p95_ms)
        .key("p99_ms")
        .number(point.p99_ms);
    json.end_object();
  }
  json.end_array().key("notes").begin_array();
  for (const std::string& note : fit.notes) json.text(note);
  json.end_array().end_object();
  return json.str() + "\n";
}

void run(const Arguments& arguments, Context& context) {
  Answers answers;
  if (!arguments.at_rate.empty()) {
    auto rate = base::parse_rate(arguments.at_rate);
    if (!rate) return fail(context, rate.error());
    answers.rate = *rate;
  }
  if (!arguments.at_cpu.empty()) {
    auto cpu = base::parse_percent(arguments.at_cpu);
    if (!cpu) return fail(context, cpu.error());
    answers.cpu = *cpu;
  }
  const auto text = read_text(arguments.file);
  if (!text) return fail(context, text.error());
  const auto measurements = capacity::read_measurements(*text, arguments.file);
  if (!measurements) return fail(context, measurements.error());
  const auto fit = capacity::fit(*measurements);
  if (!fit) return fail(context, fit.error());
  if (answers.rate) answers.cpu_at_rate = capacity::utilisation_at(*fit, *answers.rate);
  answers.rate_at_cpu = capacity::rate_at(*fit, answers.cpu);

  if (arguments.json) {
    context.out << json_of(*fit, answers);
  } else {
    write_text(*fit, answers, context.out);
  }
  if (!arguments.output.empty()) {
    if (auto written =
            store::write_file_atomically(arguments.output, environment::write_capacity(fit->model));
        !written) {
      return fail(context, written.error());
    }
    context.err << "Written to " << arguments.output
                << "; a load test shows no start-up time: add `startup: 4m`.\n";
  }
}

}  // namespace

void add_fit(CLI::App& app, Context& context) {
  CLI::App* command =
      app.add_subcommand("fit", "learn the capacity of one instance from the rows of a load test");
  command->footer(
      "Example:\n  headroom fit examples/conf42/one-instance.csv --at-rate '40000 rpm' -o capacity.yaml");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("CSV", arguments->file,
                   "columns: requests (rpm, rps), cpu, and optionally p50_ms, p95_ms, p99_ms, errors")
      ->required();
  command->add_option("-o,--output", arguments->output, "write the capacity model here")->type_name("FILE");
  command->add_option("--at-rate", arguments->at_rate, "also print the utilisation at this rate per instance")
      ->type_name("RATE");
  command->add_option("--at-cpu", arguments->at_cpu, "print the rate at this utilisation (default 50%)")
      ->type_name("PERCENT");
  command->add_flag("--json", arguments->json, "print JSON");
  command->callback([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
