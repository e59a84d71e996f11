// Which of the environments that a daemon hosts a command is about, and which service of it.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "cli/command_line.hpp"
#include "daemon/status.hpp"

namespace headroom::cli {

// --environment NAME, which may also be the path of its headroom.yaml.
void add_environment_option(Command command, std::string& environment);

// The headroom.yaml that PATH means, a folder or the file; absolute, without symbolic links.
std::filesystem::path file_of(const std::filesystem::path& path);

// The one that is named; else that of the headroom.yaml in `here`; else the only one.
// Errors: there is none of that name; several, and nothing says which. They list those there are.
base::Result<daemon::EnvironmentStatus> choose_environment(const daemon::Status& status,
                                                           const std::string& wanted,
                                                           const std::filesystem::path& here);

// The one that is named, else the only one. Errors: as above.
base::Result<daemon::ServiceStatus> choose_service(const daemon::EnvironmentStatus& environment,
                                                   const std::string& wanted);

}  // namespace headroom::cli
