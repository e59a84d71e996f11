#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <memory>
#include <ostream>

#include "base/units.hpp"
#include "capacity/evaluate.hpp"
#include "capacity/fit.hpp"
#include "cli/command.hpp"
#include "cli/fit_output.hpp"
#include "cli/project.hpp"
#include "environment/capacity_file.hpp"
#include "report/json.hpp"
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

// Of a run folder the file of what was measured.
std::string measurements_of(const std::string& given) {
  const std::filesystem::path path(given);
  if (!std::filesystem::is_directory(path)) return given;
  for (const char* name : {"measurements.csv", "series.csv"}) {
    if (std::filesystem::exists(path / name)) return (path / name).string();
  }
  return given;
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
  const std::string file = measurements_of(arguments.file);
  const auto text = read_text(file);
  if (!text) return fail(context, text.error());
  const auto measurements = capacity::read_measurements(*text, file);
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

void add_fit(CLI::App& app, Context& context) {
  CLI::App* command =
      app.add_subcommand("fit", "learn the capacity of one instance from the rows of a load test");
  command->footer(
      "Example:\n  headroom fit examples/conf42/one-instance.csv --at-rate '40000 rpm' -o capacity.yaml");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("RUN or CSV", arguments->file,
                   "the run folder of a load test, or a CSV with the columns: requests (rpm, rps), cpu, and "
                   "optionally p50_ms, p95_ms, p99_ms, errors")
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
