// Daemon: the process that keeps the user's environments up. Start here.
//
//   Daemon::open(options)   adopts what an earlier daemon has left running, and goes on with it
//
// It keeps a list of environments in STATE/state.db, and each as a folder: STATE/environments/NAME.
// Everything that is asked of it is written there before it is done, so that a daemon that is killed at any
// moment is followed by one that finishes it.
//
// Threads     All functions may be called from any thread. Those with `Say` wait for their effect and tell
// how it
//             goes, line by line; the others do not wait.
// Errors      bad_input: what was asked cannot be; unavailable: it could not be done on this machine, now.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cloud_local/local_cloud.hpp"
#include "daemon/log_reader.hpp"
#include "daemon/preview.hpp"
#include "daemon/state_folder.hpp"
#include "daemon/status.hpp"
#include "daemon/up_request.hpp"
#include "history/history.hpp"

namespace headroom::daemon {

using Say = std::function<void(std::string_view line)>;
// Whether whoever asked has gone away.
using Left = std::function<bool()>;

struct UpResult {
  std::string environment;
  std::vector<std::string> changes;  // "web: version v2"; empty: nothing differs
  std::vector<std::string> warnings;
};

class Keeper;

class Daemon {
 public:
  struct Options {
    StateFolder folder;
    std::string version;  // of the program
    // Asked while another daemon has the folder; true: look again. Without it: that is an error at once.
    std::function<bool()> wait_for_other = {};
  };
  // Errors: another daemon has the folder; the database is damaged; this machine cannot run instances at all.
  static base::Result<std::unique_ptr<Daemon>> open(Options options);
  // Everything goes on running.
  ~Daemon();

  // Creates the environment of the file, or changes what differs: packs and builds what its services deploy,
  // and waits until as many instances as are desired serve it. A version that does not come into service is
  // taken back, and is an error.
  // A build ends early, as an error, where `down` is asked of the environment meanwhile, or where the request
  // is for as long as it is watched, and `left`.
  base::Result<UpResult> up(const UpRequest& request, const Say& say, const Left& left = {});
  // What up() would do now; nothing is changed.
  base::Result<Preview> preview(const UpRequest& request) const;
  // Back to the version before, without building.
  base::Result<void> rollback(const std::string& environment, const std::string& service, const Say& say);
  // Over the policy, for so long or until it is resumed: so many instances; what the policy says is told, not
  // done.
  base::Result<void> scale(const std::string& environment, const std::string& service, int instances,
                           std::optional<base::Milliseconds> length);
  base::Result<void> pause(const std::string& environment, const std::string& service,
                           std::optional<base::Milliseconds> length);
  base::Result<void> resume(const std::string& environment, const std::string& service);
  // What happened and what was decided, and why; a service that is not there has none.
  base::Result<std::vector<history::Entry>> events(const std::string& environment,
                                                   const history::Query& query) const;
  // What was measured of a service, by metric period, and by minute where that is more than an hour ago.
  base::Result<std::vector<history::Sample>> samples(const std::string& environment,
                                                     const std::string& service,
                                                     base::Milliseconds since) const;
  // A planned failure, undone after `length`.
  base::Result<void> drill_zone(const std::string& environment, const std::string& zone,
                                base::Milliseconds length);
  base::Result<void> drill_instance(const std::string& environment, const std::string& instance,
                                    cloud_local::Trouble trouble, base::Milliseconds length);
  // Ends all of it and removes every trace but the volumes of stateful services, and those too where
  // `volumes`.
  base::Result<void> down(const std::string& environment, bool volumes, const Say& say);

  Status status() const;
  // What the instances of a service (or one instance) have printed, oldest first. `from`: of each instance,
  // where to go on; at first empty, for the last `tail_bytes` of each.
  base::Result<std::vector<LogPiece>> logs(const std::string& environment,
                                           const std::string& service_or_instance,
                                           const std::vector<LogPiece>& from, std::int64_t tail_bytes) const;

 private:
  explicit Daemon(std::unique_ptr<Keeper> keeper);
  std::unique_ptr<Keeper> keeper_;
};

}  // namespace headroom::daemon
