// Manual pages, made from the commands themselves so that the two cannot drift apart.
#pragma once

#include <string>
#include <vector>

#include "cli/shape.hpp"

namespace headroom::cli {

struct ManualPage {
  std::string file;  // "headroom-tune.1"
  std::string text;  // for man(7)
};

// headroom.1, and one page for each command and subcommand.
std::vector<ManualPage> manual(const CommandShape& root, const std::string& version);

}  // namespace headroom::cli
