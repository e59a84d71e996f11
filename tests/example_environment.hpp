// An example of examples/, read as the program reads it, for tests.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "environment/read.hpp"

namespace headroom::environment {

// Throws where the example cannot be read: a test cannot go on.
inline Environment example_environment(const std::string& name, const std::string& variant = {}) {
  const auto read_file = [](const std::string& path) -> base::Result<std::string> {
    std::ifstream in(path);
    if (!in) return base::bad_input("cannot open " + path, "is it part of the checkout?");
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  };
  const std::string file = std::string(HEADROOM_SOURCE_DIR) + "/examples/" + name + "/headroom.yaml";
  const auto text = read_file(file);
  if (!text) throw std::runtime_error("cannot open " + file);
  auto loaded = read(*text, file, read_file, variant);
  if (!loaded) throw std::runtime_error(base::to_string(loaded.error()));
  return std::move(loaded->environment);
}

}  // namespace headroom::environment
