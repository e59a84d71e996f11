// StateFolder: where a daemon keeps what it knows, and how it and what it makes is found again.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace headroom::daemon {

struct StateFolder {
  std::filesystem::path root;     // /var/lib/headroom, ~/.local/state/headroom
  std::filesystem::path sockets;  // /run/headroom, $XDG_RUNTIME_DIR/headroom: sockets have short paths only
  std::string realm;  // 4 letters or digits, of this folder: what is made on the machine carries it

  std::filesystem::path api_socket() const { return sockets / "api.sock"; }
  std::filesystem::path database() const { return root / "state.db"; }
  std::filesystem::path lock() const { return root / "daemon.lock"; }
  std::filesystem::path log() const { return root / "daemon.log"; }
  std::filesystem::path environment(const std::string& name) const { return root / "environments" / name; }
  bool operator==(const StateFolder&) const = default;
};

// From HEADROOM_STATE, where it is set; else the user's own. Nothing is created. Errors: no home folder; a
// path for sockets that is too long.
using Variable = std::function<std::optional<std::string>(const std::string& name)>;
base::Result<StateFolder> locate(const Variable& variable, bool is_root);
base::Result<StateFolder> locate();  // of this process

// A folder of the state with the rights that others have to it, also where it is there already. Errors: it
// cannot be made.
base::Result<void> make_folder(const std::filesystem::path& folder, mode_t mode);

}  // namespace headroom::daemon
