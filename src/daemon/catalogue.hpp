// Catalogue: which environments there are and what was asked of them, in STATE/state.db.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/override.hpp"
#include "store/database.hpp"

namespace headroom::daemon {

struct ServiceRecord {
  std::string name;
  int internal_port = 0;  // of one service of this machine
  int desired = 0;        // as was decided last; where everything is gone, it begins again with so many
  std::optional<Override> override;
  std::string version;   // what new instances run; empty: none was deployed so far
  std::string previous;  // what it was before
  int versions = 0;      // so many were named so far
  bool rolling = false;  // `version` is not proven yet
  bool operator==(const ServiceRecord&) const = default;
};

// headroom.yaml and what it names, by path: as they were when it came up, so that a later daemon runs the
// same whatever became of them.
using Files = std::map<std::string, std::string>;

struct EnvironmentRecord {
  std::string name;
  std::string file;
  std::string variant;
  std::shared_ptr<const Files> files;
  bool removing = false;             // it is being taken down
  bool volumes = false;              // with its volumes
  std::map<std::string, int> zones;  // index on this machine, by name
  std::map<std::string, ServiceRecord> services;
};

class Catalogue {
 public:
  static base::Result<Catalogue> open(const std::filesystem::path& file);

  base::Result<std::vector<EnvironmentRecord>> all();
  // The whole record of an environment, new or changed, at once.
  base::Result<void> save(const EnvironmentRecord& record);
  base::Result<void> remove(const std::string& environment);

  // Indexes and ports that no environment has, the lowest first.
  base::Result<void> complete(EnvironmentRecord& record, const std::vector<std::string>& zones,
                              const std::vector<std::string>& services);

 private:
  explicit Catalogue(store::Database database) : database_(std::move(database)) {}
  base::Result<void> save_files(const EnvironmentRecord& record);

  store::Database database_;
  std::map<std::string, std::shared_ptr<const Files>> files_;  // as they are kept, by environment
};

}  // namespace headroom::daemon
