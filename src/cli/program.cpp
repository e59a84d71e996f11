#include "cli/program.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <ostream>

namespace headroom::cli {

std::string_view version() { return HEADROOM_VERSION; }

void fail(Context& context, const base::Error& error) {
  context.err << "headroom: " << base::to_string(error) << '\n';
  context.exit_code = error.kind == base::ErrorKind::bad_input ? ExitCode::bad_input : ExitCode::unavailable;
}

ExitCode run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app("Autoscaling that is rehearsed before it runs", "headroom");
  app.set_version_flag("--version", "headroom " + std::string(version()), "print the version and exit");
  app.set_help_flag("-h,--help", "print this help and exit");
  app.require_subcommand(1);
  Context context{out, err};

  // The order of --help.
  add_init(app, context);
  add_check(app, context);
  add_simulate(app, context);
  add_tune(app, context);
  add_limits(app, context);
  add_fit(app, context);
  add_schema(app, context);
  add_doctor(app, context);
  add_completion(app, context);
  add_man(app, context);

  if (arguments.empty()) {
    err << app.help();
    return ExitCode::bad_input;
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
