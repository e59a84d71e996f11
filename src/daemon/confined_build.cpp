#include "daemon/confined_build.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "versions/image.hpp"

namespace headroom::daemon {
namespace {

namespace fs = std::filesystem;

// Nobody can log in as it, and nothing else on the machine is owned by it.
constexpr unsigned kBuilder = 64'999;

}  // namespace

base::Result<int> build_confined(const fs::path& folder, const std::string& command, const fs::path& log,
                                 base::Milliseconds timeout) {
  if (::geteuid() != 0) return versions::run_plainly(folder, command, log, timeout);
  std::error_code error;
  const auto give = [&](const fs::path& path) {
    if (::lchown(path.c_str(), kBuilder, kBuilder) != 0) error.assign(errno, std::generic_category());
  };
  give(folder);
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) give(entry.path());
  if (error) {
    return base::unavailable(
        fmt::format("{}: cannot be given to the build: {}", folder.string(), error.message()));
  }
  std::string quoted;
  for (const char c : command) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const std::string confined = fmt::format(
      "export HOME={0}; exec setpriv --reuid={1} --regid={1} --clear-groups --no-new-privs --inh-caps=-all "
      "/bin/sh -c '{2}'",
      folder.string(), kBuilder, quoted);
  return versions::run_plainly(folder, confined, log, timeout);
}

}  // namespace headroom::daemon
