// The commands: each function adds one to the program; its code is in command_<name>.cpp.
//
// A new command is a file command_<name>.cpp, a line here, a line in program.cpp, and a section in
// docs/reference/commands.md.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command_line.hpp"

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
void add_check(Command program, Context& context);
void add_completion(Command program, Context& context);
void add_daemon(Command program, Context& context);
void add_deploy(Command program, Context& context);
void add_doctor(Command program, Context& context);
void add_down(Command program, Context& context);
void add_drill(Command program, Context& context);
void add_events(Command program, Context& context);
void add_fit(Command program, Context& context);
void add_import(Command program, Context& context);
void add_init(Command program, Context& context);
void add_limits(Command program, Context& context);
void add_load(Command program, Context& context);
void add_logs(Command program, Context& context);
void add_man(Command program, Context& context);
void add_merge(Command program, Context& context);
void add_pause(Command program, Context& context);
void add_pull(Command program, Context& context);
void add_resume(Command program, Context& context);
void add_rollback(Command program, Context& context);
void add_scale(Command program, Context& context);
void add_schema(Command program, Context& context);
void add_simulate(Command program, Context& context);
void add_status(Command program, Context& context);
void add_tune(Command program, Context& context);
void add_up(Command program, Context& context);

}  // namespace headroom::cli
