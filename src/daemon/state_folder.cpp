#include "daemon/state_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace headroom::daemon {
namespace {

// 108 bytes of a socket's path, less what stands behind this folder: /ENVIRONMENT/SERVICE/admin.sock.
constexpr std::size_t kLongestSocketFolder = 60;

// FNV-1a, for names only: two folders of one machine that fall together are found by what they leave there.
// Source: Fowler, Noll, Vo, "The FNV Non-Cryptographic Hash Algorithm", IETF draft-eastlake-fnv.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::string realm_of(const std::filesystem::path& root) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::uint64_t hash = hash_of(root.lexically_normal().string());
  std::string realm;
  for (int k = 0; k < 4; ++k) {
    realm += kLetters[hash % kLetters.size()];
    hash /= kLetters.size();
  }
  return realm;
}

}  // namespace

base::Result<StateFolder> locate(const Variable& variable, bool is_root) {
  StateFolder folder;
  if (const auto state = variable("HEADROOM_STATE"); state && !state->empty()) {
    folder.root = std::filesystem::absolute(*state).lexically_normal();
    if (!folder.root.has_filename()) folder.root = folder.root.parent_path();
    folder.sockets = folder.root / "run";
  } else if (is_root) {
    folder.root = "/var/lib/headroom";
    folder.sockets = "/run/headroom";
  } else {
    const auto home = variable("HOME");
    const auto data = variable("XDG_STATE_HOME");
    if ((!home || home->empty()) && (!data || data->empty()))
      return base::bad_input("there is no home folder",
                             "set HOME, or HEADROOM_STATE to a folder of your own");
    folder.root = (data && !data->empty() ? std::filesystem::path(*data)
                                          : std::filesystem::path(*home) / ".local" / "state") /
                  "headroom";
    const auto runtime = variable("XDG_RUNTIME_DIR");
    folder.sockets =
        runtime && !runtime->empty() ? std::filesystem::path(*runtime) / "headroom" : folder.root / "run";
  }
  if (folder.sockets.string().size() > kLongestSocketFolder) {
    return base::bad_input(
        fmt::format("{}: too long for sockets, which have at most 108 bytes", folder.sockets.string()),
        "set HEADROOM_STATE to a folder with a short path");
  }
  folder.realm = realm_of(folder.root);
  return folder;
}

base::Result<StateFolder> locate() {
  const Variable variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return locate(variable, ::geteuid() == 0);
}

base::Result<void> make_folder(const std::filesystem::path& folder, mode_t mode) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && ::chmod(folder.c_str(), mode) != 0) error.assign(errno, std::generic_category());
  if (!error) return {};
  return base::bad_input(fmt::format("{}: cannot be made: {}", folder.string(), error.message()),
                         "set HEADROOM_STATE to a folder of your own");
}

}  // namespace headroom::daemon
