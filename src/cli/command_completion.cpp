#include <memory>
#include <ostream>

#include "cli/command.hpp"
#include "cli/completion.hpp"

namespace headroom::cli {

void add_completion(Command program, Context& context) {
  Command command = program.add_command("completion", "print the completion script of a shell");
  command.footer("Example:\n  source <(headroom completion bash)");
  auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "the shell to complete in").required().one_of({"bash", "zsh"});
  command.when_called([program, &context, shell] {
    const CommandShape shape = describe(program);
    context.out << (*shell == "bash" ? bash_completion(shape) : zsh_completion(shape));
  });
}

}  // namespace headroom::cli
