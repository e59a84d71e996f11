#include "cli/shape.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

namespace headroom::cli {
namespace {

// CLI11 keeps the choices of an option only inside its type name: "TEXT:{bash,zsh}".
std::vector<std::string> choices_in(const std::string& type_name) {
  std::vector<std::string> choices;
  const std::size_t open = type_name.find('{');
  const std::size_t close = type_name.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return choices;
  std::string choice;
  for (const char c : type_name.substr(open + 1, close - open - 1)) {
    if (c == ',') {
      choices.push_back(std::move(choice));
      choice.clear();
    } else {
      choice += c;
    }
  }
  if (!choice.empty()) choices.push_back(std::move(choice));
  return choices;
}

Values values_of(const CLI::Option& option) {
  Values values;
  if (option.get_items_expected_max() == 0) return values;
  const std::string type_name = option.get_type_name();
  values.choices = choices_in(type_name);
  values.placeholder = type_name.substr(0, type_name.find(':'));
  if (option.get_positional()) values.placeholder = option.get_name(true);
  // The words that stand for something on disk: our placeholders and those of CLI11's own validators.
  for (const std::string_view word : {"PATH", "FILE", "FOLDER", "DIR"}) {
    values.files = values.files || values.placeholder.find(word) != std::string::npos ||
                   (values.choices.empty() && type_name.find(word) != std::string::npos);
  }
  return values;
}

OptionShape option_of(const CLI::Option& option) {
  OptionShape shape;
  shape.positional = option.get_positional();
  if (shape.positional) {
    shape.names.push_back(option.get_name(true));
  } else {
    for (const std::string& name : option.get_snames()) shape.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) shape.names.push_back("--" + name);
  }
  shape.description = option.get_description();
  shape.required = option.get_required();
  shape.values = values_of(option);
  return shape;
}

}  // namespace

CommandShape describe(const Command& described) {
  const CLI::App& app = described.app();
  CommandShape shape;
  shape.name = app.get_name();
  shape.description = app.get_description();
  shape.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) shape.options.push_back(option_of(*option));
  }
  for (CLI::App* command : described.app().get_subcommands([](CLI::App*) { return true; })) {
    if (!command->get_group().empty()) shape.commands.push_back(describe(Command(*command)));
  }
  return shape;
}

}  // namespace headroom::cli
