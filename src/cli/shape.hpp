// The commands and options of the program as plain values: what completion and manual pages are made from.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.hpp"

namespace headroom::cli {

// What may stand where a value is expected. Both empty: any text.
struct Values {
  std::string placeholder;           // "PATH"; empty for a flag, which takes no value
  std::vector<std::string> choices;  // in the order of their definition
  bool files = false;                // a path on this machine
  bool operator==(const Values&) const = default;
};

struct OptionShape {
  std::vector<std::string> names;  // "-e", "--environment"; for a positional argument only "PATH"
  std::string description;
  Values values;
  bool positional = false;
  bool required = false;
  bool operator==(const OptionShape&) const = default;
};

struct CommandShape {
  std::string name;
  std::string description;
  std::string footer;  // the example of --help
  std::vector<OptionShape> options;
  std::vector<CommandShape> commands;
  bool operator==(const CommandShape&) const = default;
};

// Hidden commands and options (those of the empty group) are left out, in every depth.
CommandShape describe(const Command& described);

}  // namespace headroom::cli
