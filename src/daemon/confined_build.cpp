#include "daemon/confined_build.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "versions/image.hpp"

namespace headroom::daemon {
namespace {

namespace fs = std::filesystem;

// Nobody can log in as it, and nothing else on the machine is owned by it.
constexpr unsigned kBuilder = 64'999;

// One word of a command for the shell, whatever it holds.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

// The first process of a namespace of processes takes all others with it, those that have left its session,
// too. It stays root's, so that it is told when this process ends: whoever changes the user is not any more.
constexpr std::string_view kNamespace = "unshare --pid --fork --kill-child=KILL --mount-proc";

}  // namespace

base::Result<int> build_confined(const fs::path& folder, const std::string& command, const fs::path& log,
                                 base::Milliseconds timeout, const std::function<bool()>& unwanted) {
  if (::geteuid() != 0) return versions::run_while_wanted(folder, command, log, timeout, unwanted);
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
  // The exit after the command keeps the shell there until it has ended.
  const std::string confined = fmt::format(
      "export HOME={0}; set -- setpriv --reuid={1} --regid={1} --clear-groups --no-new-privs --inh-caps=-all "
      "--pdeathsig=KILL /bin/sh -c {2}; "
      "if {3} true 2>/dev/null; then exec {3} /bin/sh -c '\"$@\"; exit $?' sh \"$@\"; fi; exec \"$@\"",
      quoted(folder.string()), kBuilder, quoted(command), kNamespace);
  return versions::run_while_wanted(folder, confined, log, timeout, unwanted);
}

}  // namespace headroom::daemon
