#include "cli/choose_environment.hpp"

#include <fmt/format.h>

#include <system_error>
#include <vector>

#include "base/units.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

std::string names_of(const auto& all) {
  std::string names;
  for (const auto& one : all) names += (names.empty() ? "" : ", ") + one.name;
  return names;
}

std::vector<daemon::EnvironmentStatus> of_file(const daemon::Status& status, const fs::path& file) {
  std::vector<daemon::EnvironmentStatus> found;
  for (const auto& environment : status.environments)
    if (fs::path(environment.file) == file) found.push_back(environment);
  return found;
}

}  // namespace

void add_environment_option(Command command, std::string& environment) {
  command
      .add_option("--environment", environment,
                  "the environment, or the path of its file (default: of the headroom.yaml here, else the "
                  "only one)")
      .type_name("NAME");
}

fs::path file_of(const fs::path& path) {
  std::error_code failed;
  const fs::path file = fs::is_directory(path, failed) ? path / "headroom.yaml" : path;
  fs::path canonical = fs::weakly_canonical(fs::absolute(file), failed);
  return failed ? file : canonical;
}

base::Result<daemon::EnvironmentStatus> choose_environment(const daemon::Status& status,
                                                           const std::string& wanted, const fs::path& here) {
  if (status.environments.empty())
    return base::bad_input("no environment runs", "`headroom up` starts that of a headroom.yaml");
  const std::string fix = "there are " + names_of(status.environments);
  if (!wanted.empty()) {
    for (const auto& environment : status.environments)
      if (environment.name == wanted) return environment;
    auto found = of_file(status, file_of(wanted));
    if (found.size() == 1) return found.front();
    if (found.size() > 1) {
      return base::bad_input(fmt::format("{} runs as several environments", base::in_quotes(wanted)),
                             "choose one by its name: " + names_of(found));
    }
    return base::bad_input(fmt::format("no environment {} runs", base::in_quotes(wanted)), fix);
  }
  auto found = of_file(status, file_of(here));
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    return base::bad_input("the headroom.yaml here runs as several environments",
                           "choose one by its name: " + names_of(found));
  }
  if (status.environments.size() == 1) return status.environments.front();
  return base::bad_input("several environments run",
                         "choose one by its name: " + names_of(status.environments));
}

base::Result<daemon::ServiceStatus> choose_service(const daemon::EnvironmentStatus& environment,
                                                   const std::string& wanted) {
  for (const auto& service : environment.services)
    if (service.name == wanted || (wanted.empty() && environment.services.size() == 1)) return service;
  if (wanted.empty())
    return base::bad_input("there are several services", "name one of " + names_of(environment.services));
  return base::bad_input(fmt::format("{} has no service {}", environment.name, base::in_quotes(wanted)),
                         "choose one of " + names_of(environment.services));
}

}  // namespace headroom::cli
