// Preview: what `up` would do, found without doing any of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud_local/specification.hpp"
#include "daemon/catalogue.hpp"
#include "daemon/plan.hpp"
#include "daemon/up_request.hpp"

namespace headroom::daemon {

struct ZoneShare {
  std::string zone;
  int instances = 0;
};

struct ServicePreview {
  std::string name;
  std::string version;   // that it would run: "v2"
  std::string replaces;  // that it runs now; the same: it stays; empty: none
  bool builds = false;   // its build command would run; an image that is there already is used
  int instances = 0;
  int instances_before = 0;
  std::vector<ZoneShare> zones;  // where they would be, in the order of the file
  std::string address;           // where clients would reach it; empty: not published
  double cores = 0;              // of each instance, as the next
  std::optional<std::int64_t> memory_bytes;
};

struct Preview {
  std::string environment;
  std::string file;
  bool runs = false;                     // already
  std::vector<ServicePreview> services;  // in the order in which they would be deployed
  std::vector<std::string> ends;         // services that the file no longer has
  double promised_cores = 0;             // to all instances of the environment
  double machine_cores = 0;
  std::vector<std::string> warnings;
};

// What is there already.
struct There {
  std::optional<EnvironmentRecord> record;     // nothing: it would be new
  std::vector<cloud_local::Version> versions;  // that its services have had
  double promised_to_others = 0;               // cores, to other environments
};

// `state`: the folder of the daemon, which need not exist. Errors: those for which up() would refuse it.
base::Result<Preview> preview(const UpRequest& request, const Plan& plan, const There& there,
                              const std::filesystem::path& state);

}  // namespace headroom::daemon
