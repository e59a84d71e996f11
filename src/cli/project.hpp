// Project: the headroom.yaml that a command works on, and what it takes from it.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "cli/command_line.hpp"
#include "cli/inputs.hpp"
#include "environment/read.hpp"
#include "sim/scenario.hpp"

namespace headroom::cli {

// The arguments that every command on a project has.
struct ProjectArguments {
  std::string path = ".";  // a folder with a headroom.yaml, or the file
  std::string variant;     // -e NAME: the overrides of environments.NAME
  std::string service;     // --service NAME
  std::string traffic;     // --traffic FILE instead of what the file names
  std::optional<std::uint64_t> seed;
};

struct ProjectOptions {
  bool service = true;
  bool traffic = true;
};
void add_project_arguments(Command command, ProjectArguments& arguments, const ProjectOptions& options = {});

struct Project {
  environment::Loaded loaded;
  std::string text;            // of headroom.yaml
  Inputs inputs;               // what was read beside it
  ProjectArguments arguments;  // as given, and what they leave open as recorded where PATH is a run

  environment::Environment& environment() { return loaded.environment; }
  const environment::Environment& environment() const { return loaded.environment; }

  // Gives faults that know their field, but not where it stands, their place in the file. "traffic" means
  // that of `service`, where it has its own, and with --traffic that file.
  base::Error located(base::Error error, const environment::Service& service) const;
};

// PATH may also be a run folder or the inputs/ in it.
base::Result<Project> open_project(const ProjectArguments& arguments);

// The service a command works on: the one named, or the only one. The traffic of the arguments is its own.
base::Result<environment::Service> choose_service(const Project& project, const ProjectArguments& arguments);

// Reads a file that another file or an option names.
base::Result<std::string> read_text(const std::string& path);

}  // namespace headroom::cli
