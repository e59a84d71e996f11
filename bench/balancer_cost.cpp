// What a request costs HAProxy, with and without the request log; started by bench/balancer/cost.py.
//
// usage: balancer_cost FOLDER BACKEND_PORT PORT SECONDS
// Prints a line for each measurement: the variant, connections, requests, microseconds of CPU of HAProxy and
// of this process (the reader of the log) per request, lines lost.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "balancer/balancer.hpp"
#include "balancer/process.hpp"
#include "balancer/request_log.hpp"
#include "store/file.hpp"

namespace {

using namespace headroom;
using namespace headroom::balancer;

template <class T>
T must(base::Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "balancer_cost: {}\n", base::to_string(result.error()));
  std::exit(1);
}

// Of user and system, from fields 14 and 15 of /proc/PID/stat.
double cpu_seconds(int pid) {
  const std::string text = must(store::read_file(fmt::format("/proc/{}/stat", pid)));
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double own_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::string without_line(std::string text, const std::string& beginning) {
  const std::size_t begin = text.find("\n" + beginning);
  if (begin == std::string::npos) {
    fmt::print(stderr, "balancer_cost: no line '{}' in the configuration\n", beginning);
    std::exit(1);
  }
  text.erase(begin, text.find('\n', begin + 1) - begin);
  return text;
}

void measure(const char* variant, const Settings& settings, int connections, int seconds) {
  AdminSocket socket(admin_socket_file(settings));
  const auto figure = [&](const char* name) {
    return read_info(must(socket.ask("show info")), name).value_or(0);
  };
  const int pid = static_cast<int>(figure("Pid"));
  const std::uint64_t requests = figure("CumReq");
  const std::uint64_t lost = read_dropped(must(socket.ask("show events")));
  const double cpu = cpu_seconds(pid);
  const double own = own_cpu_seconds();
  const std::string command = fmt::format("wrk -t 1 -c {} -d {} http://127.0.0.1:{}/ >/dev/null", connections,
                                          seconds, settings.binds[0].port);
  if (std::system(command.c_str()) != 0) std::exit(1);
  const auto count = static_cast<double>(figure("CumReq") - requests);
  fmt::print("{} {} {:.0f} {:.2f} {:.2f} {}\n", variant, connections, count,
             (cpu_seconds(pid) - cpu) / count * 1e6, (own_cpu_seconds() - own) / count * 1e6,
             read_dropped(must(socket.ask("show events"))) - lost);
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) return 2;
  Settings settings;
  settings.service = "bench";
  settings.folder = std::filesystem::path(words[1]) / "logged";
  settings.binds = {{"127.0.0.1", std::atoi(words[3]), {}}};
  settings.health.interval = base::Milliseconds(200);
  const int seconds = std::atoi(words[4]);
  Balancer balancer = must(Balancer::start(settings));
  if (const auto joined = balancer.join("bench-1", fmt::format("127.0.0.1:{}", words[2])); !joined) return 1;
  for (;;) {
    const Seen seen = must(balancer.observe());
    if (seen.servers[0].state == ServerState::up) break;
    std::this_thread::sleep_for(base::Milliseconds(50));
  }
  // The same without what the log needs.
  Settings silent = settings;
  silent.folder = std::filesystem::path(words[1]) / "silent";
  silent.binds[0].port += 1;
  std::filesystem::create_directories(silent.folder);
  const Account account = must(account_of(silent));
  Members members;
  members.list = {{"static", fmt::format("127.0.0.1:{}", words[2]), false, false, true, true}};
  std::string text = fixed_part(silent, account) + members_part(silent, members);
  text += fmt::format("  server slot 0.0.0.0:1 {} disabled\n", server_options(silent));
  for (const char* line : {"  log ring@", "  log-format", "  http-request set-var(txn.begin)"}) {
    text = without_line(std::move(text), line);
  }
  if (!store::write_file_atomically(configuration_file(silent), text)) return 1;
  must(launch(silent, must(find_program()), {}, base::Milliseconds(5'000)));
  AdminSocket socket(admin_socket_file(silent));
  must(
      socket.ask(fmt::format("add server servers/joined 127.0.0.1:{} {}", words[2], server_options(silent))));
  must(socket.ask(fmt::format("set server servers/slot addr 127.0.0.1 port {}", words[2])));
  const auto use = [&](std::string_view used) {
    for (const std::string_view server : {"static", "slot", "joined"}) {
      const std::string_view state = server == used ? "ready" : "maint";
      must(socket.ask(fmt::format("set server servers/{} state {}", server, state)));
    }
  };

  for (const int connections : {1, 8, 64}) {
    for (int round = 0; round < 3; ++round) {
      use("static");
      measure("reuse", silent, connections, seconds);
      use("slot");
      measure("slot", silent, connections, seconds);
      use("joined");
      measure("without", silent, connections, seconds);
      measure("unread", settings, connections, seconds);
      std::optional<RequestLog> log(must(RequestLog::open(settings)));
      measure("read", settings, connections, seconds);
    }
  }
  const base::Milliseconds at_once(0);
  const bool fine = stop(silent, at_once) && balancer.stop(at_once);
  return fine ? 0 : 1;
}
