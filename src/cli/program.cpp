#include "cli/program.hpp"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>
#include <ostream>
#include <sstream>

#include "base/units.hpp"
#include "environment/definition.hpp"

namespace headroom::cli {

namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kDescription = 30;  // where CLI11 lets the descriptions begin

// CLI11 leaves long lines to the terminal, which breaks them within words.
class Help : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    std::istringstream lines(CLI::Formatter::make_help(app, std::move(name), mode));
    std::string text;
    for (std::string line; std::getline(lines, line);) {
      const std::size_t indent = line.starts_with("  ") ? kDescription : 0;
      while (line.size() > kColumns) {
        const std::size_t end = line.rfind(' ', kColumns);
        if (end == std::string::npos || end <= indent) break;  // one long word
        text += line.substr(0, end) + '\n';
        line = std::string(indent, ' ') + line.substr(end + 1);
      }
      text += line + '\n';
    }
    return text;
  }
};

}  // namespace

std::string_view version() { return HEADROOM_VERSION; }

void fail(Context& context, const base::Error& error) {
  context.err << "headroom: " << base::to_string(error) << '\n';
  context.exit_code = error.kind == base::ErrorKind::bad_input ? ExitCode::bad_input : ExitCode::unavailable;
}

ExitCode run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app("Autoscaling that is rehearsed before it runs", "headroom");
  app.formatter(std::make_shared<Help>());
  app.set_version_flag("--version", "headroom " + std::string(version()), "print the version and exit");
  app.set_help_flag("-h,--help", "print this help and exit");
  app.require_subcommand(1);
  Context context{out, err, ExitCode::fine, arguments};
  Command program(app);

  // The order of --help.
  add_init(program, context);
  add_check(program, context);
  add_simulate(program, context);
  add_tune(program, context);
  add_limits(program, context);
  add_fit(program, context);
  add_load(program, context);
  add_merge(program, context);
  add_import(program, context);
  add_up(program, context);
  add_deploy(program, context);
  add_rollback(program, context);
  add_status(program, context);
  add_events(program, context);
  add_pull(program, context);
  add_scale(program, context);
  add_pause(program, context);
  add_resume(program, context);
  add_logs(program, context);
  add_drill(program, context);
  add_down(program, context);
  add_daemon(program, context);
  add_schema(program, context);
  add_doctor(program, context);
  add_completion(program, context);
  add_man(program, context);

  if (arguments.empty()) {
    err << app.help();
    return ExitCode::bad_input;
  }
  if (!arguments.front().starts_with('-')) {
    std::vector<std::string> known;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(command->get_name());
    if (std::find(known.begin(), known.end(), arguments.front()) == known.end()) {
      const auto near = environment::nearest(arguments.front(), known);
      fail(context, base::bad_input(fmt::format("there is no command {}", base::in_quotes(arguments.front())),
                                    near ? fmt::format("did you mean \"{}\"?", *near)
                                         : "the commands are " + environment::joined(known, "and")));
      return context.exit_code;
    }
  }
  try {
    // CLI11 takes the last argument first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    // CLI11 numbers its faults from 100 on; for our users each of them is bad usage.
    return app.exit(error, out, err) == 0 ? ExitCode::fine : ExitCode::bad_input;
  }
  return context.exit_code;
}

}  // namespace headroom::cli
