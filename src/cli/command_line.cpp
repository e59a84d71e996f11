#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <utility>

#include "base/units.hpp"

namespace headroom::cli {
namespace {

// The library would read 010 as 8 and 0x10 as 16.
std::string in_decimal(const std::string& name, const std::string& text) {
  const std::string digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos)
    throw CLI::ValidationError(name, fmt::format("expected a whole number, found {}", base::in_quotes(text)));
  const std::string sign = text.substr(0, text.size() - digits.size());
  return sign + digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1));
}

}  // namespace

Option& Option::type_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Option& Option::group(const std::string& name) {
  option_->group(name);
  return *this;
}

Option& Option::default_shown() {
  option_->capture_default_str();
  return *this;
}

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

Option& Option::range(std::int64_t least, std::int64_t most) {
  option_->check(CLI::Range(least, most));
  option_->transform(
      [name = option_->get_name()](const std::string& text) { return in_decimal(name, text); });
  return *this;
}

Option& Option::one_each() {
  option_->allow_extra_args(false);
  return *this;
}

Option& Option::separated_by(char separator) {
  option_->delimiter(separator);
  return *this;
}

Command Command::add_command(const std::string& name, const std::string& about) {
  return Command(*app_->add_subcommand(name, about));
}

Command& Command::hidden() {
  app_->group("");
  return *this;
}

Command& Command::footer(const std::string& text) {
  app_->footer(text);
  return *this;
}

Option Command::add_option(const std::string& names, std::string& value, const std::string& about) {
  return Option(*app_->add_option(names, value, about));
}
Option Command::add_option(const std::string& names, std::vector<std::string>& value,
                           const std::string& about) {
  return Option(*app_->add_option(names, value, about));
}
Option Command::add_option(const std::string& names, int& value, const std::string& about) {
  return Option(*app_->add_option(names, value, about));
}
Option Command::add_option(const std::string& names, std::size_t& value, const std::string& about) {
  return Option(*app_->add_option(names, value, about));
}
Option Command::add_option(const std::string& names, std::optional<int>& value, const std::string& about) {
  return Option(*app_->add_option(names, value, about));
}

Option Command::add_option(const std::string& names, const Take& take, const std::string& about) {
  const std::string name = names.substr(names.rfind(',') + 1);
  const auto or_throw = [take, name](const std::string& text) {
    if (const auto fault = take(text)) throw CLI::ValidationError(name, *fault);
  };
  return Option(*app_->add_option_function<std::string>(names, or_throw, about));
}

Option Command::add_flag(const std::string& names, bool& value, const std::string& about) {
  return Option(*app_->add_flag(names, value, about));
}

void Command::when_called(std::function<void()> run) { app_->callback(std::move(run)); }

}  // namespace headroom::cli
