#include "cli/manual.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headroom::cli {
namespace {

// Text as roff reads it: a backslash and a hyphen stand for themselves only when escaped, and a line that
// starts with a dot or a quote would be a request.
std::string escaped(const std::string& text) {
  std::string result;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    line_start = c == '\n';
  }
  return result;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string hyphenated(std::string route) {
  std::replace(route.begin(), route.end(), ' ', '-');
  return route;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string synopsis(const std::string& route, const CommandShape& command) {
  std::string text = ".B " + escaped(route) + "\n[\\fIOPTIONS\\fR]\n";
  if (!command.commands.empty()) text += "\\fICOMMAND\\fR\n";
  for (const OptionShape& option : command.options) {
    if (!option.positional) continue;
    const std::string name = fmt::format("\\fI{}\\fR", escaped(option.names.front()));
    text += option.required ? name + "\n" : "[" + name + "]\n";
  }
  return text;
}

std::string option_entry(const OptionShape& option) {
  std::string heading;
  for (const std::string& name : option.names) {
    if (!heading.empty()) heading += ", ";
    heading += fmt::format("\\fB{}\\fR", escaped(name));
  }
  if (!option.positional && !option.values.placeholder.empty()) {
    heading += fmt::format(" \\fI{}\\fR", escaped(option.values.placeholder));
  }
  std::string text = ".TP\n" + heading + "\n" + escaped(option.description) + "\n";
  if (!option.values.choices.empty()) {
    std::string choices;
    for (const std::string& choice : option.values.choices) choices += (choices.empty() ? "" : ", ") + choice;
    text += "(" + escaped(choices) + ")\n";
  }
  return text;
}

void add_pages(const std::string& route, const CommandShape& command, const std::string& version,
               std::vector<ManualPage>& pages) {
  std::string text =
      fmt::format(".TH {} 1 \"\" \"headroom {}\" \"User Commands\"\n", upper(hyphenated(route)), version);
  text += fmt::format(".SH NAME\n{} \\- {}\n", escaped(hyphenated(route)),
                      escaped(first_line(command.description)));
  text += ".SH SYNOPSIS\n" + synopsis(route, command);
  text += ".SH DESCRIPTION\n" + escaped(command.description) + "\n";
  if (!command.commands.empty()) {
    text += ".SH COMMANDS\n";
    for (const CommandShape& sub : command.commands) {
      text += fmt::format(".TP\n\\fB{}\\fR(1)\n{}\n", escaped(hyphenated(route + " " + sub.name)),
                          escaped(first_line(sub.description)));
    }
  }
  if (!command.options.empty()) {
    text += ".SH OPTIONS\n";
    for (const OptionShape& option : command.options) text += option_entry(option);
  }
  text += ".SH EXIT STATUS\n.TP\n0\nfine\n.TP\n1\nthe objective or threshold was not met\n";
  text += ".TP\n2\nbad input or usage\n.TP\n3\nthe machine, the cloud or the network failed\n";
  if (!command.footer.empty()) text += ".SH NOTES\n.nf\n" + escaped(command.footer) + "\n.fi\n";
  pages.push_back({hyphenated(route) + ".1", text});
  for (const CommandShape& sub : command.commands) add_pages(route + " " + sub.name, sub, version, pages);
}

}  // namespace

std::vector<ManualPage> manual(const CommandShape& root, const std::string& version) {
  std::vector<ManualPage> pages;
  add_pages(root.name, root, version, pages);
  return pages;
}

}  // namespace headroom::cli
