#include "cli/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

namespace headroom::cli {
namespace {

// Both scripts follow one plan: walk the words before the cursor to find the command (its "route", as in
// "headroom completion"), complete the value of the option before the cursor if it takes one, else offer
// the options of the command (after a dash) or its subcommands, choices and files.

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else if (c != '\n') {
      result += c;
    } else {
      result += ' ';
    }
  }
  return result + "'";
}

using Visit = std::function<void(const std::string& route, const CommandShape& command)>;

void walk(const std::string& route, const CommandShape& command, const Visit& visit) {
  visit(route, command);
  for (const CommandShape& sub : command.commands) walk(route + " " + sub.name, sub, visit);
}

std::vector<std::string> quoted_routes_below(const CommandShape& root) {
  std::vector<std::string> routes;
  walk(root.name, root, [&](const std::string& route, const CommandShape&) {
    if (route != root.name) routes.push_back(quoted(route));
  });
  return routes;
}

// The pattern of a case branch: every name of one option under one route.
std::string option_pattern(const std::string& route, const OptionShape& option) {
  std::vector<std::string> patterns;
  for (const std::string& name : option.names) patterns.push_back(quoted(route + " " + name));
  return fmt::format("{}", fmt::join(patterns, "|"));
}

bool takes_value(const OptionShape& option) {
  return !option.positional && !option.values.placeholder.empty();
}

// "name:description" as zsh's _describe reads it, where a colon of the name is escaped.
std::string described(const std::string& name, const std::string& description) {
  std::string escaped;
  for (const char c : name) escaped += c == ':' ? "\\:" : std::string(1, c);
  return quoted(escaped + ":" + description.substr(0, description.find('\n')));
}

}  // namespace

std::string bash_completion(const CommandShape& root) {
  std::string script =
      fmt::format("# Completion of {0} for bash, written by `{0} completion bash`.\n", root.name);
  script += fmt::format("_{}() {{\n", root.name);
  script += "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n";
  script += fmt::format("  local route={} words='' files='' i\n", root.name);
  script += "  COMPREPLY=()\n";
  if (const auto routes = quoted_routes_below(root); !routes.empty()) {
    script += "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case \"$route ${COMP_WORDS[i]}\" in\n";
    script += fmt::format("      {}) route=\"$route ${{COMP_WORDS[i]}}\" ;;\n", fmt::join(routes, "|"));
    script += "    esac\n  done\n";
  }
  script += "  case \"$route $previous\" in\n";
  walk(root.name, root, [&](const std::string& route, const CommandShape& command) {
    for (const OptionShape& option : command.options) {
      if (!takes_value(option)) continue;
      script += fmt::format("    {}) words={} files={} ;;\n", option_pattern(route, option),
                            quoted(fmt::format("{}", fmt::join(option.values.choices, " "))),
                            option.values.files ? "yes" : "");
    }
  });
  script += "    *)\n      case \"$route\" in\n";
  walk(root.name, root, [&](const std::string& route, const CommandShape& command) {
    std::vector<std::string> names;
    std::vector<std::string> words;
    bool files = false;
    for (const CommandShape& sub : command.commands) words.push_back(sub.name);
    for (const OptionShape& option : command.options) {
      if (option.positional) {
        words.insert(words.end(), option.values.choices.begin(), option.values.choices.end());
        files = files || option.values.files;
      } else {
        names.insert(names.end(), option.names.begin(), option.names.end());
      }
    }
    script += fmt::format("        {})\n          if [[ $current == -* ]]; then words={}\n", quoted(route),
                          quoted(fmt::format("{}", fmt::join(names, " "))));
    script += fmt::format("          else words={} files={}; fi ;;\n",
                          quoted(fmt::format("{}", fmt::join(words, " "))), files ? "yes" : "");
  });
  script += "      esac ;;\n  esac\n";
  script += "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n";
  script += "  if [[ -n $files ]]; then\n    compopt -o filenames 2>/dev/null\n";
  script += "    mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$current\")\n  fi\n}\n";
  script += fmt::format("complete -F _{0} {0}\n", root.name);
  return script;
}

std::string zsh_completion(const CommandShape& root) {
  std::string script =
      fmt::format("#compdef {0}\n# Completion of {0} for zsh, written by `{0} completion zsh`.\n", root.name);
  script += fmt::format("_{}() {{\n", root.name);
  script += fmt::format("  local route={} i\n  local -a offers\n", root.name);
  if (const auto routes = quoted_routes_below(root); !routes.empty()) {
    script += "  for ((i = 2; i < CURRENT; i++)); do\n    case \"$route $words[i]\" in\n";
    script += fmt::format("      {}) route=\"$route $words[i]\" ;;\n", fmt::join(routes, "|"));
    script += "    esac\n  done\n";
  }
  script += "  case \"$route $words[CURRENT-1]\" in\n";
  walk(root.name, root, [&](const std::string& route, const CommandShape& command) {
    for (const OptionShape& option : command.options) {
      if (!takes_value(option)) continue;
      std::string action = "_message " + quoted(option.values.placeholder);
      if (option.values.files) action = "_files";
      if (!option.values.choices.empty()) {
        std::vector<std::string> choices;
        for (const std::string& choice : option.values.choices) choices.push_back(quoted(choice));
        action = fmt::format("compadd -- {}", fmt::join(choices, " "));
      }
      script += fmt::format("    {}) {}; return ;;\n", option_pattern(route, option), action);
    }
  });
  script += "  esac\n  case \"$route\" in\n";
  walk(root.name, root, [&](const std::string& route, const CommandShape& command) {
    std::vector<std::string> options;
    std::vector<std::string> commands;
    std::vector<std::string> choices;
    bool files = false;
    for (const CommandShape& sub : command.commands) commands.push_back(described(sub.name, sub.description));
    for (const OptionShape& option : command.options) {
      if (option.positional) {
        for (const std::string& choice : option.values.choices) choices.push_back(quoted(choice));
        files = files || option.values.files;
      } else {
        for (const std::string& name : option.names) options.push_back(described(name, option.description));
      }
    }
    script += fmt::format("    {})\n      if [[ $words[CURRENT] == -* ]]; then\n", quoted(route));
    script +=
        fmt::format("        offers=({}); _describe -o option offers\n      else\n", fmt::join(options, " "));
    if (!commands.empty()) {
      script += fmt::format("        offers=({}); _describe command offers\n", fmt::join(commands, " "));
    }
    if (!choices.empty()) script += fmt::format("        compadd -- {}\n", fmt::join(choices, " "));
    script += files ? "        _files\n" : "        :\n";
    script += "      fi ;;\n";
  });
  script += "  esac\n}\n";
  script +=
      fmt::format("if [[ $funcstack[1] == _{0} ]]; then _{0} \"$@\"; else compdef _{0} {0}; fi\n", root.name);
  return script;
}

}  // namespace headroom::cli
