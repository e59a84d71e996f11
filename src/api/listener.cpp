#include "api/listener.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "store/system_error.hpp"

namespace headroom::api {
namespace {

namespace fs = std::filesystem;
using store::Descriptor;

constexpr int kWaitingMost = 32;  // connections that were not accepted yet

base::Result<sockaddr_un> address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() >= sizeof address.sun_path) {
    return base::bad_input(fmt::format("{}: too long for a socket, which has at most {} bytes", text,
                                       sizeof address.sun_path - 1),
                           "set HEADROOM_STATE to a folder with a short path");
  }
  std::memcpy(address.sun_path, text.c_str(), text.size());
  return address;
}

// The system takes every kind of address as the first of its family.
const sockaddr* general(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

base::Result<void> prepare(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return store::failed_to("create", folder, failed.value());
  struct stat seen {};
  if (::lstat(folder.c_str(), &seen) != 0) return store::failed_to("read", folder, errno);
  if (!S_ISDIR(seen.st_mode) || seen.st_uid != ::geteuid()) {
    return base::bad_input(fmt::format("{}: is no folder of this user", folder.string()),
                           "remove it, or set HEADROOM_STATE to a folder of your own");
  }
  // Who can write to it could put a socket of his own there.
  constexpr mode_t kOthers = S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;
  if ((seen.st_mode & kOthers) != 0 && ::chmod(folder.c_str(), seen.st_mode & 07777U & ~kOthers) != 0)
    return store::failed_to("write", folder, errno);
  return {};
}

base::Error in_use(const fs::path& path) {
  return base::unavailable(fmt::format("{}: a daemon listens there already", path.string()),
                           "`headroom status` asks it; or set HEADROOM_STATE to another folder");
}

}  // namespace

base::Result<std::optional<Descriptor>> connect_to(const fs::path& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.open()) return store::failed_to("create", path, errno);
  int failed = 0;
  do {
    failed = ::connect(socket.number(), general(*address), sizeof *address) == 0 ? 0 : errno;
  } while (failed == EINTR);
  if (failed == 0) return std::optional<Descriptor>(std::move(socket));
  if (failed == ENOENT || failed == ENOTDIR || failed == ECONNREFUSED) return std::optional<Descriptor>();
  if (failed == EACCES) {
    return base::bad_input(fmt::format("{}: belongs to another user", path.string()),
                           "run the command as the user who started the daemon (of root: with sudo)");
  }
  return base::unavailable(
      fmt::format("{}: cannot be connected to: {}", path.string(), std::strerror(failed)));
}

base::Result<Listener> Listener::open(const fs::path& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  if (auto prepared = prepare(path.parent_path()); !prepared) return prepared.error();

  const fs::path lock_path = path.string() + ".lock";
  Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.open()) return store::failed_to("create", lock_path, errno);
  // Two that start at the same time would both find a dead socket, and the second would remove that of the
  // first.
  if (store::try_lock(lock) == store::Lock::held) return in_use(path);
  const auto living = connect_to(path);
  if (!living) return living.error();
  if (*living) return in_use(path);
  struct stat seen {};
  if (::lstat(path.c_str(), &seen) == 0) {
    if (!S_ISSOCK(seen.st_mode)) {
      return base::bad_input(fmt::format("{}: is there, and no socket", path.string()),
                             "move it away; the daemon listens there");
    }
    if (::unlink(path.c_str()) != 0) return store::failed_to("remove", path, errno);
  }

  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open()) return store::failed_to("create", path, errno);
  // Before bind(), so that there is no moment in which others may connect: Linux gives the name this mode,
  // less the umask (unix_bind in net/unix/af_unix.c). A umask of our own would be that of all threads.
  if (::fchmod(socket.number(), 0600) != 0 ||
      ::bind(socket.number(), general(*address), sizeof *address) != 0)
    return store::failed_to("create", path, errno);
  Listener listener(path, std::move(lock), std::move(socket));
  if (::lstat(path.c_str(), &seen) != 0) return store::failed_to("read", path, errno);
  if ((seen.st_mode & 0777U & ~0600U) != 0 || seen.st_uid != ::geteuid()) {
    return base::unavailable(
        fmt::format("{}: others could use this socket (mode {:o})", path.string(), seen.st_mode & 0777U),
        "set HEADROOM_STATE to a folder on a file system with permissions");
  }
  if (::listen(listener.number(), kWaitingMost) != 0) return store::failed_to("create", path, errno);
  return listener;
}

Listener::~Listener() {
  if (socket_.open()) ::unlink(path_.c_str());
}

std::optional<Descriptor> Listener::accept() const {
  Descriptor connection(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!connection.open()) return std::nullopt;
  ucred peer{};
  socklen_t length = sizeof peer;
  // The mode of the socket says the same, unless somebody changed it.
  if (::getsockopt(connection.number(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
      (peer.uid != 0 && peer.uid != ::geteuid()))
    return std::nullopt;
  return connection;
}

}  // namespace headroom::api
