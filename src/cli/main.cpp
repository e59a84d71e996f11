#include <iostream>

#include "cli/program.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return static_cast<int>(headroom::cli::run(arguments, std::cout, std::cerr));
}
