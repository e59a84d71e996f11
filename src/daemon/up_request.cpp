#include "daemon/up_request.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "environment/read.hpp"
#include "store/file.hpp"

namespace headroom::daemon {
namespace {

constexpr std::uint64_t kLargestInput = 64 << 20;

}  // namespace

// What a file refers to lies beside it, whatever the folder of the daemon is.
base::Result<Plan> read_plan(const UpRequest& request) {
  const base::Result<std::string> text = store::read_file(request.file, kLargestInput);
  if (!text) return text.error();
  const environment::ReadFile read_input = [](const std::string& path) {
    return store::read_file(path, kLargestInput);
  };
  const base::Result<environment::Loaded> loaded =
      environment::read(*text, request.file.string(), read_input, request.variant);
  if (!loaded) return loaded.error();
  return plan_of(*loaded, request.file.parent_path());
}

base::Result<void> expect_same_file(const EnvironmentRecord& known, const UpRequest& request) {
  if (known.file == request.file.string()) return {};
  return base::bad_input(fmt::format("an environment {} runs already, from {}", known.name, known.file),
                         "give this one another name, or take that one down");
}

}  // namespace headroom::daemon
