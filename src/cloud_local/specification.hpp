// Specification: what the local cloud is told of an environment: its zones, services and their versions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balancer/settings.hpp"
#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::cloud_local {

using Variables = std::vector<std::pair<std::string, std::string>>;

// What instances of one version are started from; it never changes: another text is another version.
struct Version {
  std::string service;
  std::string name;             // "v3"
  std::filesystem::path image;  // the folder that instances see as theirs, read-only
  std::string run;              // a command line, which listens on $HOST:$PORT
  Variables environment;
  Variables secrets;  // name and file; read when an instance starts, kept nowhere
  base::Cores cores{1};
  std::optional<std::int64_t> memory_bytes;
  int processes_max = 256;
  base::Milliseconds boot{
      0};  // added before the process is started, so that this machine feels like a slower one
  bool operator==(const Version&) const = default;
};

struct Service {
  std::string name;
  // Where clients reach it; nothing: other services only.
  std::optional<balancer::Bind> listen;
  // The port on which other services of the environment reach it, on the gateways of their zones.
  int internal_port = 0;
  balancer::Health health;
  balancer::Algorithm algorithm = balancer::Algorithm::leastconn;
  // Services whose addresses its instances find in their environment: of "db" DB_HOST, DB_PORT and DB_URL.
  std::vector<std::string> depends_on;
  // Its instances keep a folder, $VOLUME, from start to start: the n-th instance that runs has the n-th
  // folder.
  bool keeps_volume = false;
  // Its instances run to their end, with no balancer before them: in service while they run, stopped when
  // they exited with 0, else failed.
  bool is_job = false;
};

struct Zone {
  std::string name;
  int index = 0;  // of isolation::Machine; no other environment on this machine has it
};

struct Specification {
  std::string environment;
  std::vector<Zone> zones;
  std::vector<Service> services;
  base::Milliseconds metric_period{5'000};
};

// What happens to an instance in a drill.
enum class Trouble {
  crash,  // all its processes are killed
  hang,   // its processes are stopped: connections are taken, and nothing answers
  pause,  // it stands still
};
std::string_view to_string(Trouble trouble);  // "hang"

// "DB_HOST" of "db" and "HOST": capital letters, and _ for everything that a variable cannot hold.
std::string variable_name(const std::string& service, const std::string& what);

}  // namespace headroom::cloud_local
