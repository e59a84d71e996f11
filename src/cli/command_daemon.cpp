#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>

#include "api/server.hpp"
#include "base/units.hpp"
#include "cli/command.hpp"
#include "cli/program.hpp"
#include "daemon/daemon.hpp"
#include "report/layout.hpp"

namespace headroom::cli {
namespace {

constexpr base::Milliseconds kStopPatience{5'000};

// Lines with the time, from any thread.
class Log {
 public:
  explicit Log(std::ostream& stream) : stream_(stream) {}

  void say(std::string_view what) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto since_1970 = std::chrono::duration_cast<base::Milliseconds>(now.time_since_epoch());
    const std::lock_guard lock(mutex_);
    stream_ << base::format_instant(since_1970) << ' ' << report::visible(what) << std::endl;
  }

 private:
  std::ostream& stream_;
  std::mutex mutex_;
};

void run(Context& context) {
  Log log(context.err);
  // For all threads to come: the one below alone takes these signals, in the order in which things end.
  sigset_t ending;
  sigemptyset(&ending);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ending, signal);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &ending, &before);

  const auto folder = daemon::locate();
  if (!folder) return fail(context, folder.error());
  auto daemon = daemon::Daemon::open({*folder, std::string(version())});
  if (!daemon) return fail(context, daemon.error());
  api::Server::Options options;
  options.socket = folder->api_socket();
  options.log = [&log](std::string_view line) { log.say(line); };
  auto server = api::Server::open(api::operations_of(**daemon), std::move(options));
  if (!server) return fail(context, server.error());
  log.say(fmt::format("headroom {} keeps {} and listens at {}", version(), folder->root.string(),
                      folder->api_socket().string()));

  int signal = 0;
  sigwait(&ending, &signal);
  log.say(fmt::format("{}: the daemon ends; instances and balancers go on", sigabbrev_np(signal)));
  if (!(*server)->stop(kStopPatience)) {
    // Whatever is half done was written down before it was begun, and the next daemon finishes it: to wait
    // for it would be to keep whoever stops us waiting, perhaps for minutes.
    log.say("what was under way is left to the next daemon");
    std::_Exit(0);
  }
  server->reset();
  daemon->reset();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

void add_daemon(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand(
      "daemon", "keep environments up, in the foreground; `up` starts it in the background by itself");
  command->footer("Example:\n  headroom daemon 2>daemon.log");
  command->callback([&context] { run(context); });
}

}  // namespace headroom::cli
