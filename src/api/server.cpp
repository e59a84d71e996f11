#include "api/server.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "api/connection.hpp"
#include "api/listener.hpp"
#include "api/queries.hpp"
#include "base/units.hpp"

namespace headroom::api {
namespace {

using httplib::Request;
using httplib::Response;
using ServerOptions = Server::Options;  // the library has a function of that name

constexpr const char* kJson = "application/json";
constexpr const char* kLines = "application/x-ndjson";
constexpr std::int64_t kHeadBytesMost = 32 * 1024;  // of a request; curl sends less than 300

enum class Call { status, up, preview, rollback, scale, pause, resume, drill, down, logs, events, samples };

struct Endpoint {
  Call call;
  std::string_view method;
  std::string_view path;  // NAME stands for an environment
};
constexpr Endpoint kEndpoints[] = {
    {Call::status, "GET", "/v1/status"},
    {Call::up, "POST", "/v1/environments"},
    {Call::preview, "POST", "/v1/preview"},
    {Call::rollback, "POST", "/v1/environments/NAME/rollback"},
    {Call::scale, "POST", "/v1/environments/NAME/scale"},
    {Call::pause, "POST", "/v1/environments/NAME/pause"},
    {Call::resume, "POST", "/v1/environments/NAME/resume"},
    {Call::drill, "POST", "/v1/environments/NAME/drill"},
    {Call::down, "POST", "/v1/environments/NAME/down"},
    {Call::logs, "GET", "/v1/environments/NAME/logs"},
    {Call::events, "GET", "/v1/environments/NAME/events"},
    {Call::samples, "GET", "/v1/environments/NAME/samples"},
};

struct Asked {
  const Endpoint* endpoint = nullptr;
  std::string environment;
};

std::optional<Asked> find(std::string_view path) {
  constexpr std::string_view kName = "NAME";
  for (const Endpoint& endpoint : kEndpoints) {
    const std::size_t at = endpoint.path.find(kName);
    if (at == std::string_view::npos) {
      if (path == endpoint.path) return Asked{&endpoint, {}};
      continue;
    }
    const std::string_view before = endpoint.path.substr(0, at);
    const std::string_view after = endpoint.path.substr(at + kName.size());
    if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after))
      continue;
    const std::string_view name = path.substr(before.size(), path.size() - before.size() - after.size());
    if (name.find('/') == std::string_view::npos) return Asked{&endpoint, std::string(name)};
  }
  return std::nullopt;
}

void refuse(Response& response, int status, const base::Error& error) {
  response.status = status;
  response.set_content(error_line(error) + "\n", kJson);
}

int status_of(const base::Error& error) { return error.kind == base::ErrorKind::bad_input ? 400 : 503; }

void answer(Response& response, const auto& result) {
  if (!result) return refuse(response, status_of(result.error()), result.error());
  response.set_content(result_line(*result) + "\n", kJson);
}

base::Result<Done> done(base::Result<void> result) {
  if (!result) return result.error();
  return Done{};
}

base::Error broken(const std::exception& exception) {
  return base::unavailable(fmt::format("the daemon failed at this: {}", exception.what()),
                           "please report it, with the log of the daemon");
}

}  // namespace

// The library parses and routes; connections are ours, for it would leave them open to the processes that the
// daemon starts, and read a request without an end for ever.
class Server::Loop : private httplib::Server {
 public:
  Loop(Operations operations, ServerOptions options, Listener listener, store::Descriptor wake)
      : operations_(std::move(operations)),
        options_(std::move(options)),
        listener_(std::move(listener)),
        wake_(std::move(wake)) {
    svr_sock_ = listener_.number();  // without one the library takes itself for shutting down
    set_payload_max_length(static_cast<std::size_t>(options_.body_bytes_max));
    set_pre_routing_handler(
        [this](const Request& request, Response& response) { return look_at(request, response); });
    Get("/v1/.*", [this](const Request& request, Response& response) { serve(request, response); });
    Post("/v1/.*", [this](const Request& request, Response& response) { serve(request, response); });
    set_exception_handler([](const Request&, Response& response, const std::exception_ptr& thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception& exception) {
        refuse(response, 500, broken(exception));
      }
    });
    // Also called for what the library refuses by itself: with an empty body then.
    set_error_handler(httplib::Server::Handler([this](const Request&, Response& response) {
      if (!response.body.empty()) return;
      const bool large = response.status == 413;
      refuse(response, response.status,
             large ? base::bad_input(fmt::format("the body has more than {} bytes", options_.body_bytes_max))
                   : base::bad_input("this is no request that can be understood"));
    }));
    thread_ = std::thread([this] { run(); });
  }

  ~Loop() override { close(std::nullopt); }

  bool close(std::optional<base::Milliseconds> patience) {
    stopping_ = true;
    wake();
    if (thread_.joinable()) thread_.join();
    std::unique_lock lock(mutex_);
    const auto none = [this] { return active_ == 0; };
    if (!patience) {
      ended_.wait(lock, none);
    } else if (!ended_.wait_for(lock, *patience, none)) {
      return false;
    }
    lock.unlock();
    for (Worker& worker : workers_)
      if (worker.thread.joinable()) worker.thread.join();
    workers_.clear();
    return true;
  }

 private:
  struct Worker {
    std::thread thread;
    std::atomic<bool> ended = false;
  };

  void wake() const { [[maybe_unused]] const int ignored = ::eventfd_write(wake_.number(), 1); }

  void run() {
    while (!stopping_) {
      const bool full = workers_.size() >= static_cast<std::size_t>(options_.connections_max);
      pollfd waited[] = {{wake_.number(), POLLIN, 0}, {full ? -1 : listener_.number(), POLLIN, 0}};
      ::poll(waited, 2, -1);
      eventfd_t ignored = 0;
      ::eventfd_read(wake_.number(), &ignored);
      workers_.remove_if([](Worker& worker) {
        if (!worker.ended) return false;
        if (worker.thread.joinable()) worker.thread.join();
        return true;
      });
      if (stopping_ || waited[1].revents == 0) continue;
      if (auto connection = listener_.accept()) begin(std::move(*connection));
    }
  }

  void begin(store::Descriptor socket) {
    {
      const std::lock_guard lock(mutex_);
      ++active_;
    }
    const Connection::Limits limits{kHeadBytesMost + options_.body_bytes_max, options_.request_max,
                                    options_.write_max};
    Worker& worker = workers_.emplace_back();
    const auto end = [this, &worker] {
      worker.ended = true;
      wake();
      const std::lock_guard lock(mutex_);
      --active_;
      ended_.notify_all();
    };
    try {
      worker.thread = std::thread([this, end, limits, socket = std::move(socket)]() mutable {
        {
          Connection connection(std::move(socket), limits);
          bool closed = false;
          process_request(connection, true, closed, nullptr);
        }
        end();
      });
    } catch (const std::system_error&) {
      end();  // no more threads: the client sees its connection closed
    }
  }

  // Before the body is read. What is refused here ends the connection, its body unread.
  HandlerResponse look_at(const Request& request, Response& response) const {
    const std::optional<Asked> asked = find(request.path);
    if (!asked) {
      std::string known;
      for (const Endpoint& endpoint : kEndpoints)
        known += fmt::format("{}{} {}", known.empty() ? "" : ", ", endpoint.method, endpoint.path);
      refuse(response, 404,
             base::bad_input(fmt::format("there is no {}", base::in_quotes(request.path)),
                             "there are " + known));
      return HandlerResponse::Handled;
    }
    if (request.method != asked->endpoint->method) {
      response.set_header("Allow", std::string(asked->endpoint->method));
      refuse(response, 405,
             base::bad_input(fmt::format("{} takes no {}", request.path, base::in_quotes(request.method)),
                             fmt::format("use {}", asked->endpoint->method)));
      return HandlerResponse::Handled;
    }
    // What unpacks or comes without a length has no limit in the library.
    if (request.has_header("Content-Encoding") || request.has_header("Transfer-Encoding")) {
      refuse(response, 411,
             base::bad_input("a body must be sent as it is, with its length", "send Content-Length alone"));
      return HandlerResponse::Handled;
    }
    return HandlerResponse::Unhandled;
  }

  void serve(const Request& request, Response& response) {
    const Asked asked = *find(request.path);  // as look_at() has seen
    const std::string& name = asked.environment;
    switch (asked.endpoint->call) {
      case Call::status:
        return answer(response, base::Result<daemon::Status>(operations_.status()));
      case Call::up:
        return stream<daemon::UpRequest>(
            request, response,
            [this](const daemon::UpRequest& asked_for, const daemon::Say& say, const daemon::Left& left) {
              return operations_.up(asked_for, say, left);
            });
      case Call::preview: {
        const auto asked_for = request_of<daemon::UpRequest>(request.body);
        if (!asked_for) return refuse(response, 400, asked_for.error());
        return answer(response, operations_.preview(*asked_for));
      }
      case Call::rollback:
        return stream<RollbackRequest>(
            request, response,
            [this, name](const RollbackRequest& asked_for, const daemon::Say& say, const daemon::Left&) {
              return done(operations_.rollback(name, asked_for, say));
            });
      case Call::down:
        return stream<DownRequest>(
            request, response,
            [this, name](const DownRequest& asked_for, const daemon::Say& say, const daemon::Left&) {
              return done(operations_.down(name, asked_for, say));
            });
      case Call::scale:
        return change<ScaleRequest>(request, response, [&](const ScaleRequest& asked_for) {
          return operations_.scale(name, asked_for);
        });
      case Call::pause:
        return change<PauseRequest>(request, response, [&](const PauseRequest& asked_for) {
          return operations_.pause(name, asked_for);
        });
      case Call::resume:
        return change<ResumeRequest>(request, response, [&](const ResumeRequest& asked_for) {
          return operations_.resume(name, asked_for);
        });
      case Call::drill:
        return change<DrillRequest>(request, response, [&](const DrillRequest& asked_for) {
          return operations_.drill(name, asked_for);
        });
      case Call::logs: {
        const auto asked_for = logs_request(request.params);
        if (!asked_for) return refuse(response, 400, asked_for.error());
        auto pieces = operations_.logs(name, *asked_for);
        if (!pieces) return refuse(response, status_of(pieces.error()), pieces.error());
        return answer(response, base::Result<Logs>(Logs{std::move(*pieces)}));
      }
      case Call::events: {
        const auto query = events_query(request.params);
        if (!query) return refuse(response, 400, query.error());
        auto entries = operations_.events(name, *query);
        if (!entries) return refuse(response, status_of(entries.error()), entries.error());
        return answer(response, base::Result<Events>(Events{std::move(*entries)}));
      }
      case Call::samples: {
        const auto asked_for = samples_request(request.params);
        if (!asked_for) return refuse(response, 400, asked_for.error());
        auto samples = operations_.samples(name, *asked_for);
        if (!samples) return refuse(response, status_of(samples.error()), samples.error());
        return answer(response, base::Result<Measured>(Measured{std::move(*samples)}));
      }
    }
  }

  // What is done at once.
  template <class T>
  void change(const Request& request, Response& response, const auto& work) {
    const auto asked_for = request_of<T>(request.body);
    if (!asked_for) return refuse(response, 400, asked_for.error());
    const base::Result<Done> result = done(work(*asked_for));
    log_of(request, result);
    answer(response, result);
  }

  // What takes time: its lines as they come, and then its result.
  template <class T, class Work>
  void stream(const Request& request, Response& response, Work work) {
    auto asked_for = request_of<T>(request.body);
    if (!asked_for) return refuse(response, 400, asked_for.error());
    log("begins", request);
    response.set_chunked_content_provider(
        kLines, [this, &request, work = std::move(work), asked_for = std::move(*asked_for)](
                    std::size_t, httplib::DataSink& sink) {
          std::mutex mutex;
          const auto write = [&](const std::string& line) {
            const std::lock_guard lock(mutex);
            // A client that has gone away, or takes nothing, does not hinder the work.
            sink.write((line + "\n").data(), line.size() + 1);
          };
          const daemon::Say say = [&](std::string_view line) { write(say_line(line)); };
          const daemon::Left left = [&] {
            const std::lock_guard lock(mutex);
            return !sink.is_writable();
          };
          try {
            const auto result = work(asked_for, say, left);
            log_of(request, result);
            write(result ? result_line(*result) : error_line(result.error()));
          } catch (const std::exception& exception) {
            write(error_line(broken(exception)));
          }
          sink.done();
          return true;
        });
  }

  void log(std::string_view what, const Request& request) const {
    if (options_.log)
      options_.log(fmt::format("{} {} {}: {}", request.method, request.path, request.body, what));
  }
  void log_of(const Request& request, const auto& result) const {
    log(result ? "done" : base::to_string(result.error()), request);
  }

  Operations operations_;
  ServerOptions options_;
  Listener listener_;
  store::Descriptor wake_;
  std::list<Worker> workers_;  // of the thread, and of close() after it
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  int active_ = 0;
  std::thread thread_;
};

base::Result<std::unique_ptr<Server>> Server::open(Operations operations, Options options) {
  auto listener = Listener::open(options.socket);
  if (!listener) return listener.error();
  store::Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.open()) return base::unavailable("no event descriptor can be made", "raise `ulimit -n`");
  return std::unique_ptr<Server>(new Server(std::make_unique<Loop>(std::move(operations), std::move(options),
                                                                   std::move(*listener), std::move(wake))));
}

Server::Server(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Server::~Server() = default;

bool Server::stop(base::Milliseconds patience) { return loop_->close(patience); }

}  // namespace headroom::api
