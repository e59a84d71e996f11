#include "balancer/settings.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/units.hpp"

namespace headroom::balancer {
namespace fs = std::filesystem;

namespace {

// HAProxy binds a socket under a temporary name of 11 characters more and then renames it.
constexpr std::size_t kLongestSocketPath = sizeof(sockaddr_un::sun_path) - 1 - 11;

// HAProxy keeps times in milliseconds of 32 bits, of which it uses 31.
constexpr base::Milliseconds kLongest = std::chrono::hours(24 * 24);

bool is_host(std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const std::string host(text);
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

// In the strong quotes of the configuration every character stands for itself but the quote.
bool can_be_quoted(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c != '\'' && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

bool is_path_of_request(std::string_view text) {
  return text.starts_with('/') && text.size() <= 1000 && std::all_of(text.begin(), text.end(), [](char c) {
           return c > 0x20 && c < 0x7f && c != '\'' && c != '#';
         });
}

}  // namespace

std::string to_string(const Bind& bind) {
  return bind.host.find(':') == std::string::npos ? fmt::format("{}:{}", bind.host, bind.port)
                                                  : fmt::format("[{}]:{}", bind.host, bind.port);
}

std::string_view to_string(Algorithm algorithm) {
  return algorithm == Algorithm::roundrobin ? "roundrobin" : "leastconn";
}

fs::path configuration_file(const Settings& settings) { return settings.folder / "haproxy.cfg"; }
fs::path process_file(const Settings& settings) { return settings.folder / "haproxy.pid"; }

namespace {
const fs::path& socket_folder(const Settings& settings) {
  return settings.sockets.empty() ? settings.folder : settings.sockets;
}
}  // namespace

fs::path admin_socket_file(const Settings& settings) { return socket_folder(settings) / "admin.sock"; }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto port = base::parse_unsigned(text.substr(colon + 1));
  return port && *port >= 1 && *port <= 65'535 && is_host(host) &&
         brackets == (host.find(':') != std::string_view::npos);
}

base::Result<void> check(const Settings& settings) {
  std::vector<base::Fault> faults;
  const auto fault = [&](std::string what, std::string fix) {
    faults.push_back({{}, std::move(what), std::move(fix)});
  };
  if (!is_name(settings.service)) {
    fault(fmt::format("{} is no name of a service", base::in_quotes(settings.service)),
          "use 1 to 63 letters, digits and hyphens");
  }
  for (const fs::path& folder : {settings.folder, socket_folder(settings)}) {
    if (!folder.is_absolute() || !can_be_quoted(folder.string())) {
      fault(fmt::format("{} cannot be the folder of a balancer", base::in_quotes(folder.string())),
            "give an absolute path without quotes and control characters");
    }
  }
  if (const std::string socket = admin_socket_file(settings).string(); socket.size() > kLongestSocketPath) {
    fault(fmt::format("{}: {} bytes are too many for the path of a socket, of which HAProxy takes {}",
                      base::in_quotes(socket), socket.size(), kLongestSocketPath),
          "give the socket a folder with a shorter path");
  }
  if (settings.binds.empty()) {
    fault(fmt::format("the balancer of {} listens nowhere", settings.service), "give a port");
  }
  for (const Bind& bind : settings.binds) {
    if (!is_host(bind.host)) {
      fault(fmt::format("{} is no address to listen on", base::in_quotes(bind.host)),
            "write an address such as 127.0.0.1 or ::1");
    }
    if (bind.port < 1 || bind.port > 65'535) {
      fault(fmt::format("{} is no port", bind.port), "use a port from 1 to 65535");
    }
    if (!bind.certificate.empty() &&
        (!bind.certificate.is_absolute() || !can_be_quoted(bind.certificate.string()))) {
      fault(fmt::format("{} cannot be the path of a certificate", base::in_quotes(bind.certificate.string())),
            "give an absolute path without quotes and control characters");
    }
  }
  const Health& health = settings.health;
  if (!is_path_of_request(health.path)) {
    fault(fmt::format("{} is no path for health checks", base::in_quotes(health.path)),
          "write a path such as /health: printable characters without blanks, quotes and #");
  }
  if (health.unhealthy_after < 1 || health.healthy_after < 1 || health.unhealthy_after > 100'000 ||
      health.healthy_after > 100'000) {
    fault("a number of health checks is not between 1 and 100000", "use a small number such as 3");
  }
  const Timeouts& timeouts = settings.timeouts;
  for (const base::Milliseconds time : {health.interval, timeouts.connect, timeouts.server, timeouts.client,
                                        timeouts.request, timeouts.keep_alive}) {
    if (time < base::Milliseconds(1) || time > kLongest) {
      fault(fmt::format("{} is no time for the balancer", base::format_duration(time)),
            "use a time from 1ms to 24d");
    }
  }
  if (health.timeout < base::Milliseconds(0) || health.timeout > kLongest) {
    fault(fmt::format("{} is no timeout of a health check", base::format_duration(health.timeout)),
          "use a time from 1ms to 24d, or 0");
  }
  if (!settings.user.empty() && !can_be_quoted(settings.user)) {
    fault(fmt::format("{} is no user", base::in_quotes(settings.user)), "name a user of this machine");
  }
  if (!faults.empty()) return base::Error{base::ErrorKind::bad_input, std::move(faults)};
  return {};
}

base::Result<fs::path> find_program() {
  std::string places;
  if (const char* path = std::getenv("PATH"); path != nullptr) places = std::string(path) + ":";
  places += "/usr/sbin:/usr/local/sbin:/usr/local/bin";
  for (std::size_t begin = 0; begin <= places.size();) {
    const std::size_t end = std::min(places.find(':', begin), places.size());
    const fs::path candidate = fs::path(places.substr(begin, end - begin)) / "haproxy";
    if (candidate.is_absolute() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return base::unavailable("HAProxy, the balancer of services on this machine, is not installed",
                           "install the package haproxy (apt-get install haproxy)");
}

}  // namespace headroom::balancer
