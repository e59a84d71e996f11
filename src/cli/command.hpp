// The commands: each function adds one to the program; its code is in command_<name>.cpp.
//
// A new command is a file command_<name>.cpp, a line here, a line in program.cpp, and a section in
// docs/reference/commands.md.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace CLI {
class App;
}

namespace headroom::cli {

// docs/reference/commands.md states what each means.
enum class ExitCode { fine = 0, not_met = 1, bad_input = 2, unavailable = 3 };

// Where a command writes, and what it leaves behind. Results go to `out`, everything else to `err`.
struct Context {
  std::ostream& out;
  std::ostream& err;
  ExitCode exit_code = ExitCode::fine;
  std::vector<std::string> words{};  // the arguments, as a run folder records them
};

// Writes every fault to `err` and leaves the exit code that belongs to the kind of the error.
void fail(Context& context, const base::Error& error);

// Shape of all: `app` is the whole program; both arguments outlive the parsing.
void add_check(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);
void add_daemon(CLI::App& app, Context& context);
void add_deploy(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_down(CLI::App& app, Context& context);
void add_drill(CLI::App& app, Context& context);
void add_fit(CLI::App& app, Context& context);
void add_import(CLI::App& app, Context& context);
void add_init(CLI::App& app, Context& context);
void add_limits(CLI::App& app, Context& context);
void add_load(CLI::App& app, Context& context);
void add_logs(CLI::App& app, Context& context);
void add_man(CLI::App& app, Context& context);
void add_merge(CLI::App& app, Context& context);
void add_rollback(CLI::App& app, Context& context);
void add_scale(CLI::App& app, Context& context);
void add_schema(CLI::App& app, Context& context);
void add_simulate(CLI::App& app, Context& context);
void add_status(CLI::App& app, Context& context);
void add_tune(CLI::App& app, Context& context);
void add_up(CLI::App& app, Context& context);

}  // namespace headroom::cli
