// Client: a daemon as its callers see it, over its socket.
//
//   const auto found = Client::find(folder.api_socket());   // *found is empty where no daemon runs
//   (*found)->up(request, [](std::string_view line) { ... });
//
// Errors      Those of the daemon, with their places; unavailable where it does not answer.
// Threads     Each function may be called from any thread; each call has a connection of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "api/messages.hpp"
#include "base/result.hpp"

namespace headroom::api {

class Client {
 public:
  // Nothing: no daemon listens there. Errors: it belongs to another user.
  static base::Result<std::optional<Client>> find(const std::filesystem::path& socket);

  // A call that takes time ends early, as an error, when this returns true; what it has begun goes on.
  void give_up_when(std::function<bool()> asked) { give_up_ = std::move(asked); }

  // Where a daemon has ended, or is about to, before it has said a word, status(), up() and preview() ask
  // once more: the next daemon that listens there, or the one that this has started. True: it has.
  void revive_with(std::function<bool()> revive) { revive_ = std::move(revive); }

  base::Result<daemon::Status> status() const;
  base::Result<daemon::UpResult> up(const daemon::UpRequest& request, const daemon::Say& say) const;
  base::Result<daemon::Preview> preview(const daemon::UpRequest& request) const;
  base::Result<void> rollback(const std::string& environment, const RollbackRequest& request,
                              const daemon::Say& say) const;
  base::Result<void> scale(const std::string& environment, const ScaleRequest& request) const;
  base::Result<void> pause(const std::string& environment, const PauseRequest& request) const;
  base::Result<void> resume(const std::string& environment, const ResumeRequest& request) const;
  base::Result<void> drill(const std::string& environment, const DrillRequest& request) const;
  base::Result<void> down(const std::string& environment, const DownRequest& request,
                          const daemon::Say& say) const;
  base::Result<std::vector<daemon::LogPiece>> logs(const std::string& environment,
                                                   const LogsRequest& request) const;
  base::Result<std::vector<history::Entry>> events(const std::string& environment,
                                                   const history::Query& query) const;
  // Of one service; their `service` is left empty.
  base::Result<std::vector<history::Sample>> samples(const std::string& environment,
                                                     const SamplesRequest& request) const;

 private:
  explicit Client(std::filesystem::path socket) : socket_(std::move(socket)) {}

  // Of what is done at once and answered with nothing.
  template <class Request>
  base::Result<void> tell(const std::string& environment, const char* path, const Request& request) const;

  struct Call;
  struct Answered;
  Answered ask(const Call& call) const;
  base::Result<std::string> last_line(const Call& call) const;

  std::filesystem::path socket_;
  std::function<bool()> give_up_;
  std::function<bool()> revive_;
};

}  // namespace headroom::api
