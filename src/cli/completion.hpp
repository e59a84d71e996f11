// Completion scripts for shells, made from the commands themselves so that the two cannot drift apart.
#pragma once

#include <string>

#include "cli/shape.hpp"

namespace headroom::cli {

// A script for bash 4 or later; needs no package beside bash itself.
std::string bash_completion(const CommandShape& root);

// A script for zsh: as `_headroom` in a folder of $fpath, or sourced after compinit.
std::string zsh_completion(const CommandShape& root);

}  // namespace headroom::cli
