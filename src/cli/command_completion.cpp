#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <ostream>

#include "cli/command.hpp"
#include "cli/completion.hpp"

namespace headroom::cli {

void add_completion(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("completion", "print the completion script of a shell");
  command->footer("Example:\n  source <(headroom completion bash)");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "the shell to complete in")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([&app, &context, shell] {
    const CommandShape shape = describe(app);
    context.out << (*shell == "bash" ? bash_completion(shape) : zsh_completion(shape));
  });
}

}  // namespace headroom::cli
