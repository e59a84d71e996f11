// Settings: what one service asks of its balancer on this machine.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::balancer {

// Where the balancer listens.
struct Bind {
  std::string host = "127.0.0.1";     // an address, not a name; "0.0.0.0" and "::" are all of the machine
  int port = 0;                       // 1 to 65535
  std::filesystem::path certificate;  // PEM with certificate, chain and key: TLS; empty: plain HTTP
  bool operator==(const Bind&) const = default;
};
std::string to_string(const Bind& bind);  // "127.0.0.1:8080", "[::1]:8080"

// As `health` of headroom.yaml (environment::Health), with what is the balancer's own matter.
struct Health {
  std::string path = "/";
  base::Milliseconds interval{5'000};
  int unhealthy_after = 3;
  int healthy_after = 2;
  base::Milliseconds timeout{0};  // of one check; 0: the interval, and no more than 5 s
  bool operator==(const Health&) const = default;
};

enum class Algorithm { leastconn, roundrobin };
std::string_view to_string(Algorithm algorithm);

struct Timeouts {
  base::Milliseconds connect{1'000};   // to an instance, for each attempt
  base::Milliseconds server{30'000};   // until an instance begins to answer, and between parts of the answer
  base::Milliseconds client{30'000};   // for a client that stops sending or reading
  base::Milliseconds request{10'000};  // until the header of a request is complete
  base::Milliseconds keep_alive{60'000};
  bool operator==(const Timeouts&) const = default;
};

struct Settings {
  std::string service;            // 1 to 63 letters, digits and hyphens
  std::filesystem::path folder;   // of configuration and process number; created where it is missing
  std::filesystem::path sockets;  // of the admin socket, whose path may have 96 bytes; empty: `folder`
  std::vector<Bind> binds;
  Health health;
  Algorithm algorithm = Algorithm::leastconn;
  Timeouts timeouts;
  std::filesystem::path program;  // empty: find_program()
  std::string user;               // as whom it runs where we are root; empty: haproxy, else nobody
};

std::filesystem::path configuration_file(const Settings& settings);
std::filesystem::path process_file(const Settings& settings);
std::filesystem::path admin_socket_file(const Settings& settings);

// Everything about the settings themselves that HAProxy would refuse or take for something else.
base::Result<void> check(const Settings& settings);

// Letters, digits and hyphens, 1 to 63, as names of services and servers are: such a name cannot end a
// command or begin another one.
bool is_name(std::string_view text);

// "10.0.0.2:8080" or "[fd00::2]:8080".
bool is_address(std::string_view text);

// HAProxy in PATH, /usr/sbin, /usr/local/sbin or /usr/local/bin. Errors: which package it comes with.
base::Result<std::filesystem::path> find_program();

}  // namespace headroom::balancer
