// CalledProgram: the whole program run in the process of a test, as a user calls it.
#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "store/file.hpp"

namespace headroom::cli {

// What it left: the exit code, standard output and standard error.
struct Outcome {
  ExitCode exit_code;
  std::string out;
  std::string err;
};

inline Outcome run_with(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const ExitCode exit_code = run(arguments, out, err);
  return {exit_code, out.str(), err.str()};
}

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::string text_of(const std::filesystem::path& path) {
  return store::read_file(path).value_or("cannot be read");
}

}  // namespace headroom::cli
