#include "cli/reach_daemon.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/choose_environment.hpp"
#include "report/layout.hpp"
#include "store/descriptor.hpp"
#include "store/system_error.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kStartMost = std::chrono::seconds(10);
constexpr auto kBetweenLooks = std::chrono::milliseconds(20);
constexpr std::size_t kLogLines = 8;

// Of what was written to the log from `begin` on, the last lines, each after two spaces.
std::string end_of_log(const fs::path& log, std::uintmax_t begin) {
  std::ifstream file(log, std::ios::binary);
  std::error_code failed;
  // One that has become too large was moved away meanwhile.
  if (fs::file_size(log, failed) >= begin) file.seekg(static_cast<std::streamoff>(begin));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back("  " + report::visible(line));
    if (lines.size() > kLogLines) lines.erase(lines.begin());
  }
  std::string text;
  for (const std::string& line : lines) text += "\n" + line;
  return text;
}

struct Spawned {
  pid_t process = 0;
  int failed = 0;
};

// In a session of its own, so that Ctrl-C and the end of a terminal are not its concern.
Spawned spawn_daemon(const daemon::StateFolder& folder) {
  // As the folder is known here: a relative one would mean another one in the daemon's own folder.
  std::vector<std::string> texts;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string text = *one;
    texts.push_back(text.starts_with("HEADROOM_STATE=") && text.size() > std::strlen("HEADROOM_STATE=")
                        ? "HEADROOM_STATE=" + folder.root.string()
                        : text);
  }
  std::vector<char*> variables;
  for (std::string& text : texts) variables.push_back(text.data());
  variables.push_back(nullptr);
  std::string name = "headroom";
  std::string command = "daemon";
  std::string option = "--while-used";
  char* arguments[] = {name.data(), command.data(), option.data(), nullptr};

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, folder.log().c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  // The user's own folder could not be unmounted while it runs.
  posix_spawn_file_actions_addchdir_np(&actions, folder.root.c_str());
  Spawned spawned;
  spawned.failed =
      ::posix_spawn(&spawned.process, "/proc/self/exe", &actions, &attributes, arguments, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return spawned;
}

}  // namespace

base::Result<api::Client> start_daemon(const daemon::StateFolder& folder, std::ostream& err) {
  auto found = api::Client::find(folder.api_socket());
  if (!found) return found.error();
  if (*found) return **found;

  std::error_code failed;
  if (fs::create_directories(folder.root, failed))
    fs::permissions(folder.root, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec,
                    failed);
  if (failed) return store::failed_to("create", folder.root, failed.value());
  const std::uintmax_t log_size = fs::exists(folder.log(), failed) ? fs::file_size(folder.log(), failed) : 0;
  const Spawned spawned = spawn_daemon(folder);
  if (spawned.failed != 0) {
    return base::unavailable(fmt::format("the daemon cannot be started: {}", std::strerror(spawned.failed)),
                             fmt::format("is {} writable?", folder.log().string()));
  }
  const auto until = std::chrono::steady_clock::now() + kStartMost;
  for (bool ended = false; !ended && std::chrono::steady_clock::now() < until;) {
    // Looked at before the socket: another one may have won, so that ours ended and a daemon is there.
    ended = ::waitpid(spawned.process, nullptr, WNOHANG) == spawned.process;
    found = api::Client::find(folder.api_socket());
    if (found && *found) {
      err << fmt::format("Started the daemon of {}.\n", folder.root.string());
      return **found;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return base::unavailable(
      fmt::format("the daemon does not come; the end of {}:{}", folder.log().string(),
                  end_of_log(folder.log(), log_size)),
      "`headroom daemon` runs it in the foreground, `headroom doctor` looks at this machine");
}

std::vector<std::string> left_behind(const daemon::StateFolder& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder.root / "environments", failed)) {
    std::error_code unread;
    const fs::directory_iterator inside(entry.path(), unread);
    // `down` keeps the data of stateful services: nothing of such an environment runs.
    const bool only_data = !unread && inside != fs::directory_iterator() &&
                           std::all_of(begin(inside), end(inside), [](const fs::directory_entry& one) {
                             return one.path().filename() == "volumes";
                           });
    if (!only_data) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

base::Result<std::optional<api::Client>> reach_daemon(std::ostream& err) {
  const auto folder = daemon::locate();
  if (!folder) return folder.error();
  auto found = api::Client::find(folder->api_socket());
  if (!found || *found || left_behind(*folder).empty()) return found;
  auto started = start_daemon(*folder, err);
  if (!started) return started.error();
  return std::optional<api::Client>(std::move(*started));
}

daemon::Say lines_to(std::ostream& err) {
  return [&err](std::string_view line) { err << report::visible(line) << '\n' << std::flush; };
}

base::Result<Reached> reach_environment(const std::string& wanted, std::ostream& err) {
  auto client = reach_daemon(err);
  if (!client) return client.error();
  if (!*client)
    return base::bad_input("nothing runs", "`headroom up` starts the environment of a headroom.yaml");
  const auto status = (*client)->status();
  if (!status) return status.error();
  auto environment = choose_environment(*status, wanted, ".");
  if (!environment) return environment.error();
  return Reached{std::move(**client), std::move(*environment)};
}

base::Result<ReachedService> reach_service(const std::string& environment, const std::string& service,
                                           std::ostream& err) {
  auto reached = reach_environment(environment, err);
  if (!reached) return reached.error();
  auto chosen = choose_service(reached->environment, service);
  if (!chosen) return chosen.error();
  return ReachedService{std::move(reached->client), reached->environment.name, std::move(*chosen)};
}

}  // namespace headroom::cli
