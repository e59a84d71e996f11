#include "api/operations.hpp"

namespace headroom::api {

Operations operations_of(daemon::Daemon& daemon) {
  Operations operations;
  operations.status = [&daemon] { return daemon.status(); };
  operations.up = [&daemon](const daemon::UpRequest& request, const daemon::Say& say,
                            const daemon::Left& left) { return daemon.up(request, say, left); };
  operations.preview = [&daemon](const daemon::UpRequest& request) { return daemon.preview(request); };
  operations.rollback = [&daemon](const std::string& environment, const RollbackRequest& request,
                                  const daemon::Say& say) {
    return daemon.rollback(environment, request.service, say);
  };
  operations.scale = [&daemon](const std::string& environment, const ScaleRequest& request) {
    return daemon.scale(environment, request.service, request.instances, request.length);
  };
  operations.pause = [&daemon](const std::string& environment, const PauseRequest& request) {
    return daemon.pause(environment, request.service, request.length);
  };
  operations.resume = [&daemon](const std::string& environment, const ResumeRequest& request) {
    return daemon.resume(environment, request.service);
  };
  operations.drill = [&daemon](const std::string& environment, const DrillRequest& request) {
    if (request.instance.empty()) return daemon.drill_zone(environment, request.zone, request.length);
    return daemon.drill_instance(environment, request.instance, request.trouble.value(), request.length);
  };
  operations.down = [&daemon](const std::string& environment, const DownRequest& request,
                              const daemon::Say& say) {
    return daemon.down(environment, request.volumes, say);
  };
  operations.logs = [&daemon](const std::string& environment, const LogsRequest& request) {
    return daemon.logs(environment, request.of, request.from, request.tail_bytes);
  };
  operations.events = [&daemon](const std::string& environment, const history::Query& query) {
    return daemon.events(environment, query);
  };
  operations.samples = [&daemon](const std::string& environment, const SamplesRequest& request) {
    return daemon.samples(environment, request.service, request.since);
  };
  return operations;
}

}  // namespace headroom::api
