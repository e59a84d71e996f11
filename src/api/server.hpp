// Server: a daemon's interface, HTTP and JSON on a Unix socket. Start here; docs/reference/api.md states it.
//
//   auto server = Server::open(operations_of(daemon), {folder.api_socket()});
//
// One connection carries one request. What a request has begun goes on when its client goes away.
#pragma once

#include <filesystem>
#include <memory>

#include "api/operations.hpp"
#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::api {

class Server {
 public:
  struct Options {
    std::filesystem::path socket;
    int connections_max = 64;  // at the same time; further ones wait
    std::int64_t body_bytes_max = 64 * 1024;
    base::Milliseconds request_max{10'000};  // until a request is there
    base::Milliseconds write_max{10'000};    // until a client takes what is written
    daemon::Say log;                         // what was asked that changes something, and how it ended
  };

  // Serves from now on, from threads of its own. Errors: those of Listener.
  static base::Result<std::unique_ptr<Server>> open(Operations operations, Options options);
  // Waits for what is under way.
  ~Server();

  // Takes no new requests, and waits so long for those under way. False: some are not done.
  bool stop(base::Milliseconds patience);

 private:
  class Loop;
  explicit Server(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace headroom::api
