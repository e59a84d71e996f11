// Operations: what the interface asks of a daemon, so that a test can stand in its place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/messages.hpp"
#include "base/result.hpp"
#include "daemon/daemon.hpp"

namespace headroom::api {

// Each as the function of Daemon of that name. Threads: called from several at once.
struct Operations {
  std::function<daemon::Status()> status;
  std::function<base::Result<daemon::UpResult>(const daemon::UpRequest&, const daemon::Say&,
                                               const daemon::Left&)>
      up;
  std::function<base::Result<daemon::Preview>(const daemon::UpRequest&)> preview;
  std::function<base::Result<void>(const std::string& environment, const RollbackRequest&,
                                   const daemon::Say&)>
      rollback;
  std::function<base::Result<void>(const std::string& environment, const ScaleRequest&)> scale;
  std::function<base::Result<void>(const std::string& environment, const PauseRequest&)> pause;
  std::function<base::Result<void>(const std::string& environment, const ResumeRequest&)> resume;
  std::function<base::Result<void>(const std::string& environment, const DrillRequest&)> drill;
  std::function<base::Result<void>(const std::string& environment, const DownRequest&, const daemon::Say&)>
      down;
  std::function<base::Result<std::vector<daemon::LogPiece>>(const std::string& environment,
                                                            const LogsRequest&)>
      logs;
  std::function<base::Result<std::vector<history::Entry>>(const std::string& environment,
                                                          const history::Query&)>
      events;
  std::function<base::Result<std::vector<history::Sample>>(const std::string& environment,
                                                           const SamplesRequest&)>
      samples;
};

// `daemon` outlives them.
Operations operations_of(daemon::Daemon& daemon);

}  // namespace headroom::api
