#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "base/units.hpp"
#include "capacity/evaluate.hpp"
#include "capacity/fit.hpp"
#include "cli/command.hpp"
#include "cli/fit_output.hpp"
#include "cli/load_files.hpp"
#include "cli/project.hpp"
#include "environment/capacity_file.hpp"
#include "load/find_capacity.hpp"
#include "report/json.hpp"
#include "store/file.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  std::string file;
  std::string cpu;
  std::string cpu_unit;
  std::string output;
  std::string at_rate;
  std::string at_cpu;
  bool json = false;
};

// Of a load test windows as long as the steps of --find-capacity, or longer, where the utilisation was
// recorded seldom: each needs several values.
constexpr base::Milliseconds kSettle{2000};
constexpr base::Milliseconds kWindowLeast{10'000};
constexpr std::int64_t kIntervalsOfWindow = 5;
constexpr base::Milliseconds kSecond{1000};

// What was measured, as CSV, and its name in faults.
struct Source {
  std::string name;
  std::string csv;
};

// Of a run folder the file of what was measured.
base::Result<Source> source_of(const std::string& given, const capacity::UtilisationSeries* joined) {
  const std::filesystem::path path(given);
  if (!std::filesystem::is_directory(path)) {
    auto text = read_text(given);
    if (!text) return text.error();
    return Source{given, std::move(*text)};
  }
  const std::string measurements = (path / "measurements.csv").string();
  if (std::filesystem::exists(measurements)) return source_of(measurements, joined);
  if (!std::filesystem::exists(path / "histograms.json")) {
    return source_of((path / "series.csv").string(), joined);
  }
  if (joined == nullptr) {
    return base::bad_input(
        fmt::format("{} is a load test, which does not measure the utilisation of the instance", given),
        "add a CSV of it: --cpu FILE.csv, or measure with `headroom load --find-capacity`");
  }
  const auto run = read_load(given);
  if (!run) return run.error();
  const base::Milliseconds needed = kIntervalsOfWindow * joined->interval;
  const base::Milliseconds window =
      std::max(kWindowLeast, (needed + kSecond - base::Milliseconds(1)) / kSecond * kSecond);
  const auto steps = load::steps_of(run->measured, run->start, kSettle, window);
  if (steps.empty()) {
    return base::bad_input(
        fmt::format(
            "{} lasted {}: too short for one window of {} after its first {}", given,
            base::format_duration(std::chrono::duration_cast<base::Milliseconds>(run->measured.duration)),
            base::format_duration(window), base::format_duration(kSettle)),
        "drive it for longer, or record the utilisation more often");
  }
  return Source{given, load::measurements_csv(steps)};
}

void run(const Arguments& arguments, Context& context) {
  FitAnswers answers;
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
  std::optional<capacity::UtilisationSeries> joined;
  if (!arguments.cpu.empty()) {
    const auto text = read_text(arguments.cpu);
    if (!text) return fail(context, text.error());
    std::optional<capacity::UtilisationUnit> unit;
    if (arguments.cpu_unit == "percent") unit = capacity::UtilisationUnit::percent;
    if (arguments.cpu_unit == "ratio") unit = capacity::UtilisationUnit::ratio;
    auto series = capacity::read_utilisation(*text, arguments.cpu, unit);
    if (!series) return fail(context, series.error());
    joined = std::move(*series);
  } else if (!arguments.cpu_unit.empty()) {
    return fail(context, base::bad_input("--cpu-unit says the unit of no file", "add --cpu FILE.csv"));
  }
  const auto source = source_of(arguments.file, joined ? &*joined : nullptr);
  if (!source) return fail(context, source.error());
  const auto measurements = joined ? capacity::read_measurements(source->csv, source->name, *joined)
                                   : capacity::read_measurements(source->csv, source->name);
  if (!measurements) return fail(context, measurements.error());
  const auto fit = capacity::fit(*measurements);
  if (!fit) return fail(context, fit.error());
  if (answers.rate) answers.cpu_at_rate = capacity::utilisation_at(*fit, *answers.rate);
  answers.rate_at_cpu = capacity::rate_at(*fit, answers.cpu);

  if (arguments.json) {
    report::JsonWriter json;
    json.begin_object();
    write_fit(*fit, answers, json);
    json.end_object();
    context.out << json.str() << '\n';
  } else {
    write_fit(*fit, answers, context.out);
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

void add_fit(Command program, Context& context) {
  Command command =
      program.add_command("fit", "learn the capacity of one instance from the rows of a load test");
  command.footer(
      "Example:\n  headroom fit examples/conf42/one-instance.csv --at-rate '40000 rpm' -o capacity.yaml");
  auto arguments = std::make_shared<Arguments>();
  command
      .add_option("RUN or CSV", arguments->file,
                  "the run folder of a load test, or a CSV with the columns: requests (rpm, rps), cpu, and "
                  "optionally p50_ms, p95_ms, p99_ms, errors")
      .required();
  command
      .add_option("--cpu", arguments->cpu,
                  "the utilisation recorded elsewhere: a CSV of timestamp,value, joined to the rows by time")
      .type_name("CSV");
  command.add_option("--cpu-unit", arguments->cpu_unit, "of --cpu: percent or ratio (default: told from it)")
      .type_name("UNIT")
      .one_of({"percent", "ratio"});
  command.add_option("-o,--output", arguments->output, "write the capacity model here").type_name("FILE");
  command.add_option("--at-rate", arguments->at_rate, "also print the utilisation at this rate per instance")
      .type_name("RATE");
  command.add_option("--at-cpu", arguments->at_cpu, "print the rate at this utilisation (default 50%)")
      .type_name("PERCENT");
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
