#include <cstdlib>
#include <iostream>

#include "cli/program.hpp"
#include "isolation/launcher.hpp"

int main(int argc, char** argv) {
  // The daemon starts this program once more for each instance, and this is what it does then.
  if (argc > 1 && argv[1] == headroom::isolation::kLauncherArgument)
    return headroom::isolation::launch_main();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const headroom::cli::ExitCode code = headroom::cli::run(arguments, std::cout, std::cerr);
  // A result that did not arrive is a failure: a full disk, say.
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "headroom: the output could not be written\n";
    return static_cast<int>(headroom::cli::ExitCode::unavailable);
  }
  return static_cast<int>(code);
}
