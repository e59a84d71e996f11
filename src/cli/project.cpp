#include "cli/project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "base/units.hpp"
#include "store/file.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

// The largest input read: sixteen years of one-minute rows are a quarter of it.
constexpr std::uint64_t kLargestInput = 1ULL << 30U;

}  // namespace

void add_project_arguments(Command command, ProjectArguments& arguments, const ProjectOptions& options) {
  command.add_option("PATH", arguments.path, "a folder with a headroom.yaml, or the file (default: here)");
  command
      .add_option("-e,--environment", arguments.variant,
                  "lay the overrides of environments.NAME over the file")
      .type_name("NAME");
  if (options.service) {
    command.add_option("--service", arguments.service, "the service, where there are several")
        .type_name("NAME");
  }
  if (options.traffic) {
    command
        .add_option("--traffic", arguments.traffic,
                    "a traffic file (YAML or CSV) instead of the one in the file")
        .type_name("FILE");
    // Beyond what the library reads as a number.
    const auto take_seed = [&arguments](const std::string& text) -> std::optional<std::string> {
      arguments.seed = base::parse_unsigned(text);
      if (arguments.seed) return std::nullopt;
      return fmt::format("expected a whole number from 0 to {}, found {}",
                         std::numeric_limits<std::uint64_t>::max(), base::in_quotes(text));
    };
    command.add_option("--seed", take_seed, "the seed instead of the one in the file").type_name("NUMBER");
  }
}

base::Result<std::string> read_text(const std::string& path) { return store::read_file(path, kLargestInput); }

base::Error Project::located(base::Error error, const environment::Service& service) const {
  for (base::Fault& fault : error.faults) {
    if (fault.path.empty() || !fault.place.file.empty()) continue;
    const bool of_traffic = fault.path == "traffic" || fault.path.starts_with("traffic.");
    if (of_traffic && !arguments.traffic.empty()) {
      fault.place.file = arguments.traffic;
      continue;
    }
    if (of_traffic && service.traffic) fault.path = fmt::format("services.{}.{}", service.name, fault.path);
    fault.place = loaded.place_of(fault.path);
  }
  return error;
}

base::Result<Project> open_project(const ProjectArguments& given) {
  ProjectArguments arguments = given;
  fs::path file = arguments.path;
  std::error_code ignored;
  if (fs::exists(file / "inputs" / kRecordFile, ignored)) file /= "inputs";
  if (fs::is_directory(file, ignored)) file /= "headroom.yaml";
  if (!fs::exists(file, ignored)) {
    return base::bad_input(fmt::format("there is no {}", file.string()),
                           "name a folder that has a headroom.yaml, or start one with `headroom init`");
  }
  // "./headroom.yaml" reads better as "headroom.yaml".
  const std::string name = file.lexically_normal().string();
  auto text = read_text(name);
  if (!text) return text.error();
  const fs::path folder = fs::path(name).parent_path();
  std::optional<RunRecord> record;
  if (const std::string path = (folder / kRecordFile).string(); fs::exists(path, ignored)) {
    auto record_text = read_text(path);
    if (!record_text) return record_text.error();
    auto read = read_record(*record_text, path);
    if (!read) return read.error();
    record = std::move(*read);
    if (arguments.variant.empty()) arguments.variant = record->variant;
    if (arguments.service.empty()) arguments.service = record->service;
    if (arguments.traffic.empty() && !record->traffic.empty())
      arguments.traffic = (folder / record->traffic).string();
    if (!arguments.seed) arguments.seed = record->seed;
  }
  Inputs inputs(folder, std::move(record));
  const environment::ReadFile read_input = [&inputs](const std::string& path) { return inputs.read(path); };
  auto loaded = environment::read(*text, name, read_input, arguments.variant);
  if (!loaded) return loaded.error();
  Project project{std::move(*loaded), std::move(*text), {}, arguments};
  if (arguments.seed) project.environment().seed = *arguments.seed;
  if (!arguments.traffic.empty()) {
    auto traffic_text = inputs.read(arguments.traffic);
    if (!traffic_text) return traffic_text.error();
    auto traffic = environment::read_traffic(*traffic_text, arguments.traffic, read_input);
    if (!traffic) return traffic.error();
    project.environment().traffic = std::move(*traffic);
    for (environment::Service& service : project.environment().services) service.traffic.reset();
  }
  project.inputs = std::move(inputs);
  return project;
}

base::Result<environment::Service> choose_service(const Project& project, const ProjectArguments& arguments) {
  const auto& services = project.environment().services;
  const std::string& wanted = arguments.service.empty() ? project.arguments.service : arguments.service;
  if (wanted.empty()) {
    if (services.size() == 1) return services.front();
    std::string names;
    for (const auto& service : services) names += (names.empty() ? "" : ", ") + service.name;
    return base::bad_input("there are several services", "choose one with --service: " + names);
  }
  std::string names;
  for (const auto& service : services) {
    if (service.name == wanted) return service;
    names += (names.empty() ? "" : ", ") + service.name;
  }
  return base::bad_input(fmt::format("there is no service \"{}\"", wanted), "choose one of " + names);
}

}  // namespace headroom::cli
