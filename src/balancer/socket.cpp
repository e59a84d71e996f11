#include "balancer/socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace headroom::balancer {

Connection connect_to(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.size() >= sizeof address.sun_path) return {{}, ENAMETOOLONG};
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  store::Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.open()) return {{}, errno};
  if (::connect(made.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {{}, errno};
  return {std::move(made), 0};
}

}  // namespace headroom::balancer
