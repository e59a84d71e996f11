#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "api/client.hpp"
#include "api/server.hpp"
#include "cli/command.hpp"
#include "cli/daemon_log.hpp"
#include "cli/program.hpp"
#include "daemon/daemon.hpp"

namespace headroom::cli {
namespace {

constexpr base::Milliseconds kStopPatience{5'000};
constexpr base::Milliseconds kBetweenLooks{20};
// Without an environment for so long, a daemon that is there only while it is used ends.
constexpr int kUnusedSecondsMost = 10;

// The signal that ends it; nothing: it is not used any more.
std::optional<int> wait_for_end(const sigset_t& ending, const daemon::Daemon& daemon, bool while_used) {
  const timespec second{1, 0};
  for (int unused = 0; !while_used || unused < kUnusedSecondsMost;) {
    const int signal = sigtimedwait(&ending, nullptr, &second);
    if (signal > 0) return signal;
    unused = while_used && daemon.status().environments.empty() ? unused + 1 : 0;
  }
  return std::nullopt;
}

// Tries again while an earlier daemon, which nobody can reach any more, is about to end.
base::Result<std::unique_ptr<daemon::Daemon>> open_daemon(const daemon::StateFolder& folder,
                                                          bool while_used) {
  const auto until = std::chrono::steady_clock::now() + kStopPatience;
  daemon::Daemon::Options options{folder, std::string(version()), {}};
  options.wait_for_other = [&] {
    std::this_thread::sleep_for(kBetweenLooks);
    const auto living = api::Client::find(folder.api_socket());
    return while_used && living && !*living && std::chrono::steady_clock::now() < until;
  };
  return daemon::Daemon::open(std::move(options));
}

void run(Context& context, bool while_used) {
  // For all threads to come: the one below alone takes these signals, in the order in which things end.
  sigset_t ending;
  sigemptyset(&ending);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ending, signal);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &ending, &before);

  const auto folder = daemon::locate();
  if (!folder) return fail(context, folder.error());
  DaemonLog log(context.err, folder->log());
  auto daemon = open_daemon(*folder, while_used);
  if (!daemon) return fail(context, daemon.error());
  api::Server::Options options;
  options.socket = folder->api_socket();
  options.log = [&log](std::string_view line) { log.say(line); };
  auto server = api::Server::open(api::operations_of(**daemon), options);
  if (!server) return fail(context, server.error());
  log.say(fmt::format("headroom {} keeps {} and listens at {}", version(), folder->root.string(),
                      folder->api_socket().string()));

  std::optional<int> signal = wait_for_end(ending, **daemon, while_used);
  while (!signal) {
    // Something may have been asked in this moment: it is done first, and may be a reason to stay.
    const timespec none{0, 0};
    while (!signal && !(*server)->stop(kStopPatience)) {
      if (const int taken = sigtimedwait(&ending, nullptr, &none); taken > 0) signal = taken;
    }
    if (signal || (*daemon)->status().environments.empty()) break;
    server->reset();
    server = api::Server::open(api::operations_of(**daemon), options);
    if (!server) return fail(context, server.error());
    signal = wait_for_end(ending, **daemon, while_used);
  }
  log.say(signal ? fmt::format("{}: the daemon ends; instances and balancers go on", sigabbrev_np(*signal))
                 : std::string("no environment is left: the daemon ends"));
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

void add_daemon(Command program, Context& context) {
  Command command = program.add_command(
      "daemon", "keep environments up, in the foreground; `up` starts it in the background by itself");
  const auto while_used = std::make_shared<bool>(false);
  command.add_flag("--while-used", *while_used, "end when no environment is left (how `up` starts it)");
  command.footer("Example:\n  headroom daemon 2>daemon.log");
  command.when_called([&context, while_used] { run(context, *while_used); });
}

}  // namespace headroom::cli
