#include "daemon/up_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "environment/read.hpp"
#include "store/file.hpp"

namespace headroom::daemon {
namespace {

constexpr std::uint64_t kLargestInput = 64 << 20;

base::Result<Plan> plan_from(const std::filesystem::path& file, const std::string& variant,
                             const environment::ReadFile& read_file) {
  const base::Result<std::string> text = read_file(file.string());
  if (!text) return text.error();
  const base::Result<environment::Loaded> loaded =
      environment::read(*text, file.string(), read_file, variant);
  if (!loaded) return loaded.error();
  return plan_of(*loaded, file.parent_path());
}

}  // namespace

// What a file refers to lies beside it, whatever the folder of the daemon is.
base::Result<ReadPlan> read_plan(const UpRequest& request) {
  Files files;
  const environment::ReadFile read_input = [&files](const std::string& path) {
    base::Result<std::string> text = store::read_file(path, kLargestInput);
    if (text) files[path] = *text;
    return text;
  };
  base::Result<Plan> plan = plan_from(request.file, request.variant, read_input);
  if (!plan) return plan.error();
  return ReadPlan{std::move(*plan), std::make_shared<const Files>(std::move(files))};
}

base::Result<Plan> kept_plan(const EnvironmentRecord& record) {
  return plan_from(
      record.file, record.variant, [&record](const std::string& path) -> base::Result<std::string> {
        if (const auto kept = record.files->find(path); kept != record.files->end()) return kept->second;
        return base::unavailable(fmt::format("{} was not kept", path),
                                 "`headroom up` reads it again, `headroom down` removes the environment");
      });
}

base::Result<void> expect_same(const EnvironmentRecord& known, const UpRequest& request, const Plan& plan) {
  if (known.file != request.file.string()) {
    return base::bad_input(fmt::format("an environment {} runs already, from {}", known.name, known.file),
                           "give this one another name, or take that one down");
  }
  for (const auto& [zone, index] : known.zones) {
    if (std::find(plan.zones.begin(), plan.zones.end(), zone) == plan.zones.end()) {
      return base::bad_input(
          fmt::format("{} runs in zone {}, which the file no longer has", known.name, zone),
          "an environment that runs may get zones, but loses none: `headroom down` first");
    }
  }
  return {};
}

}  // namespace headroom::daemon
