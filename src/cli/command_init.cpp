#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <ostream>

#include "cli/command.hpp"
#include "report/json.hpp"
#include "store/file.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

// The smallest environment that can be rehearsed and tuned; program_test.cpp checks that it can.
constexpr const char* kHeadroomYaml =
    R"(# What Headroom rehearses, tunes and runs. `headroom check` reads it; docs/reference/file.md states every key.
name: {name}
services:
  web:
    instance:
      price: 0.0104 USD/h            # of one instance
    capacity:                        # what one instance takes: measure it with `headroom fit LOADTEST.csv`
      cpu_per_rpm: 0.0087            # percent of CPU per request per minute
      startup: 3m                    # from the decision until it serves
    scale:
      initial: 4
      min: 2
      max: 40
      policies:
        - step:
            every: 1m
            out: [{{above: 50%, add: 2}}]
            in: [{{below: 25%, remove: 1}}]
            cooldown: {{out: 0s, in: 5m}}
    objective: {{cpu: 60%, for: 99.9% of minutes}}
traffic: traffic.yaml
tune:
  search:
    out.above: 30..55
    out.add: 1..6
    in.below: round(0.5 * out.above)
seed: 1
)";
constexpr const char* kTrafficYaml =
    R"(# Two weeks between 20,000 and 200,000 requests per minute, quieter at weekends. A recorded CSV of
# `timestamp,value` can stand here instead: `csv: {{file: requests.csv}}`.
generate:
  for: 14d
  base: 20000 rpm
  peak: 200000 rpm
  weekend: 0.6
  noise: 0.03
arrivals: poisson
)";

struct Arguments {
  std::string folder = ".";
  bool json = false;
};

void run(const Arguments& arguments, Context& context) {
  const std::string& folder = arguments.folder;
  const fs::path path = folder;
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) {
    return fail(context, base::bad_input(fmt::format("{}: cannot be created: {}", folder, failed.message()),
                                         "choose a folder that you may write to"));
  }
  for (const char* name : {"headroom.yaml", "traffic.yaml"}) {
    if (fs::exists(path / name, failed)) {
      return fail(context, base::bad_input(fmt::format("{} exists already", (path / name).string()),
                                           "choose another folder; nothing was written"));
    }
  }
  std::string name = fs::absolute(path).lexically_normal().filename().string();
  if (name.empty()) name = fs::absolute(path).lexically_normal().parent_path().filename().string();
  // A name of an environment: letters, digits and hyphens.
  for (char& letter : name) {
    const bool fine = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
    if (letter >= 'A' && letter <= 'Z')
      letter = static_cast<char>(letter - 'A' + 'a');
    else if (!fine)
      letter = '-';
  }
  if (name.empty() || name.front() < 'a' || name.front() > 'z') name = "web-" + name;
  const auto write = [&](const char* file, const std::string& text) {
    return store::write_file_atomically(path / file, text);
  };
  for (const auto& written : {write("traffic.yaml", fmt::format(kTrafficYaml)),
                              write("headroom.yaml", fmt::format(kHeadroomYaml, fmt::arg("name", name)))}) {
    if (!written) return fail(context, written.error());
  }
  if (arguments.json) {
    report::JsonWriter json;
    json.begin_object().key("written").begin_array();
    for (const char* file : {"headroom.yaml", "traffic.yaml"}) {
      json.text((path / file).lexically_normal().string());
    }
    json.end_array().end_object();
    context.out << json.str() << '\n';
    return;
  }
  const std::string shown = (path / "headroom.yaml").lexically_normal().string();
  context.out << fmt::format(
      "Wrote {} and traffic.yaml beside it. Next:\n  headroom check {}\n  headroom tune {}\n", shown, folder,
      folder);
}

}  // namespace

void add_init(Command program, Context& context) {
  Command command =
      program.add_command("init", "start a headroom.yaml that can be rehearsed and tuned at once");
  command.footer("Example:\n  headroom init shop && headroom tune shop");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("FOLDER", arguments->folder, "where the files go; nothing there is overwritten")
      .default_shown();
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
