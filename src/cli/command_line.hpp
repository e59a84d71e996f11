// Command, Option: how a command says what it takes, and how --help shows it.
//
//   Command command = program.add_command("scale", "run so many instances of a service");
//   command.add_option("SERVICE", arguments->service, "its name").required();
//   command.add_option("--lines", arguments->lines, "at most so many").type_name("LINES").range(0, 1000);
//   command.when_called([arguments, &context] { run(*arguments, context); });
//
// Behind it is CLI11, which only command_line.cpp, program.cpp and shape.cpp read: each file that does takes
// four times as long to compile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace headroom::cli {

// Both are handles: copies are the same option or command.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option& type_name(const std::string& name);  // "FILE", for the value
  Option& group(const std::string& name);      // the heading under which it is listed
  Option& default_shown();                     // the value that it has now is the default
  Option& required();
  Option& one_of(const std::vector<std::string>& words);
  // A whole number in decimal: 010 is ten, 0x10 none.
  Option& range(std::int64_t least, std::int64_t most);
  // Of a list: each use of the option gives one element, and does not take the words after it, too.
  Option& one_each();
  Option& separated_by(char separator);

 private:
  CLI::Option* option_;
};

class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}
  CLI::App& app() const { return *app_; }

  Command add_command(const std::string& name, const std::string& about);
  Command& hidden();
  Command& footer(const std::string& text);  // an example, below --help

  // `names`: "-o,--output", or "FILE" for one that is told by its place. `value` outlives the parsing.
  Option add_option(const std::string& names, std::string& value, const std::string& about);
  Option add_option(const std::string& names, std::vector<std::string>& value, const std::string& about);
  Option add_option(const std::string& names, int& value, const std::string& about);
  Option add_option(const std::string& names, std::size_t& value, const std::string& about);
  Option add_option(const std::string& names, std::optional<int>& value, const std::string& about);
  // `take` says what is wrong with the text; nothing: it has taken it.
  using Take = std::function<std::optional<std::string>(const std::string& text)>;
  Option add_option(const std::string& names, const Take& take, const std::string& about);
  Option add_flag(const std::string& names, bool& value, const std::string& about);

  void when_called(std::function<void()> run);

 private:
  CLI::App* app_;
};

}  // namespace headroom::cli
