#include "balancer/balancer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "balancer/process.hpp"
#include "base/units.hpp"
#include "store/file.hpp"
#include "store/system_error.hpp"

namespace headroom::balancer {
namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;
constexpr base::Milliseconds kLookEvery{10};

base::Milliseconds now() {
  return std::chrono::duration_cast<base::Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
}

base::Result<void> create_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return store::failed_to("write", folder, error.value());
  return {};
}

// The forced states of a server in `show servers state` (Management Guide, 9.3, srv_admin_state).
struct Forced {
  std::string name;
  bool maint = false;
  bool drain = false;
};

std::vector<Forced> read_forced(const std::string& text) {
  constexpr std::uint64_t kMaint = 0x01;
  constexpr std::uint64_t kDrain = 0x08;
  std::vector<Forced> servers;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string field; words >> field;) fields.push_back(field);
    if (fields.size() < 7 || fields[0] == "#" || fields[1] != "servers") continue;
    const std::uint64_t forced = base::parse_unsigned(fields[6]).value_or(0);
    servers.push_back({fields[3], (forced & kMaint) != 0, (forced & kDrain) != 0});
  }
  return servers;
}

bool fixed_part_binds(const std::string& fixed, const Bind& bind) {
  return fixed.find(fmt::format("\n  bind {}\n", to_string(bind))) != std::string::npos ||
         fixed.find(fmt::format("\n  bind {} ", to_string(bind))) != std::string::npos;
}

base::Error unknown(std::string_view name) {
  return base::bad_input(fmt::format("the balancer has no server {}", base::in_quotes(name)));
}

}  // namespace

base::Result<void> stop(const Settings& settings, base::Milliseconds grace) {
  if (auto fine = check(settings); !fine) return fine;
  if (const std::optional<Process> process = find_running(settings)) {
    // HAProxy takes an open connection to its admin socket for work that it has to finish: without its name a
    // request log lets go of it.
    std::error_code ignored;
    fs::remove(admin_socket_file(settings), ignored);
    if (auto ended = end(*process, grace); !ended) return ended;
  }
  for (const fs::path& file :
       {configuration_file(settings), process_file(settings), admin_socket_file(settings)}) {
    std::error_code error;
    fs::remove(file, error);
    if (error) return store::failed_to("write", file, error.value());
  }
  return {};
}

Balancer::Balancer(Settings settings, Account account, Members members)
    : settings_(std::move(settings)),
      account_(account),
      socket_(admin_socket_file(settings_)),
      members_(std::move(members)) {}

base::Result<Balancer> Balancer::start(const Settings& settings, base::Milliseconds patience) {
  if (auto fine = check(settings); !fine) return fine.error();
  const base::Result<Account> account = account_of(settings);
  if (!account) return account.error();
  for (const fs::path& folder : {settings.folder, admin_socket_file(settings).parent_path()}) {
    if (auto created = create_folder(folder); !created) return created.error();
  }

  std::string text;
  if (fs::exists(configuration_file(settings))) {
    const base::Result<std::string> read = store::read_file(configuration_file(settings));
    if (!read) return read.error();
    text = *read;
  }
  const Written written = read_configuration(text);
  Balancer balancer(settings, *account, written.members);
  std::optional<Process> running = find_running(settings);
  if (running) {
    const bool answers = balancer.reach(running->pid, base::Milliseconds(0)).has_value();
    // The file names the process that was started with it.
    if (answers && written.members.process == *running && written.fixed == fixed_part(settings, *account)) {
      if (auto brought = balancer.bring_to_what_is_written(); !brought) return brought.error();
      return balancer;
    }
    if (!answers) {
      if (auto ended = end(*running, base::Milliseconds(0)); !ended) return ended.error();
      running.reset();
    }
  }

  fs::path program = settings.program;
  if (program.empty()) {
    const base::Result<fs::path> found = find_program();
    if (!found) return found.error();
    program = *found;
  }
  std::vector<Bind> new_binds;
  for (const Bind& bind : settings.binds) {
    if (!running || !fixed_part_binds(written.fixed, bind)) new_binds.push_back(bind);
  }
  if (auto free = ports_are_free(new_binds); !free) return free.error();

  balancer.members_.process = {};
  balancer.members_.departed_server_errors = 0;
  if (auto wrote = balancer.write(); !wrote) return wrote.error();
  const base::Result<Process> process = launch(settings, program, running, patience);
  if (!process) {
    // The one that runs goes on with its own file.
    if (running) {
      if (auto back = store::write_file_atomically(configuration_file(settings), text); !back)
        return back.error();
    }
    return process.error();
  }
  balancer.members_.process = *process;
  if (auto wrote = balancer.write(); !wrote) return wrote.error();
  if (auto reached = balancer.reach(process->pid, patience); !reached) return reached.error();
  if (auto brought = balancer.bring_to_what_is_written(); !brought) return brought.error();
  return balancer;
}

base::Result<void> Balancer::write() const {
  return store::write_file_atomically(configuration_file(settings_),
                                      fixed_part(settings_, account_) + members_part(settings_, members_));
}

base::Result<void> Balancer::reach(int pid, base::Milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (;;) {
    socket_ = AdminSocket(admin_socket_file(settings_));
    const base::Result<std::string> info = socket_.ask("show info");
    if (info && read_info(*info, "Pid") == static_cast<std::uint64_t>(pid)) return {};
    if (Clock::now() >= until) {
      if (!info) return info.error();
      return base::unavailable(
          fmt::format("{}: another process than {} answers", admin_socket_file(settings_).string(), pid),
          "see who uses this folder");
    }
    std::this_thread::sleep_for(kLookEvery);
  }
}

base::Result<std::vector<Row>> Balancer::statistics() {
  const base::Result<std::string> text = socket_.ask("show stat");
  if (!text) return text.error();
  return read_statistics(*text);
}

Member* Balancer::find(std::string_view name) {
  const auto found = std::find_if(members_.list.begin(), members_.list.end(),
                                  [&](const Member& member) { return member.name == name; });
  return found == members_.list.end() ? nullptr : &*found;
}

base::Result<void> Balancer::add(const Member& member) {
  // It begins in maintenance, without checks.
  const base::Result<std::string> answer = socket_.ask(
      fmt::format("add server servers/{} {} {}", member.name, member.address, server_options(settings_)));
  if (!answer) return answer.error();
  if (answer->find("New server registered") == std::string::npos) {
    return base::unavailable(
        fmt::format("the balancer does not take server {} at {}: {}", member.name, member.address, *answer));
  }
  return bring_into_state(member);
}

base::Result<void> Balancer::bring_into_state(const Member& member) {
  const auto tell = [&](std::string_view command) {
    return socket_.tell(fmt::format(fmt::runtime(command), "servers/" + member.name));
  };
  if (member.cut) return tell("set server {} state maint");
  // A server that comes out of maintenance is taken for up, and "health down" means nothing before. In drain
  // it gets no requests meanwhile, so that none reaches it before its checks have passed.
  if (auto told = tell("set server {} state drain"); !told) return told;
  if (auto told = tell("enable health {}"); !told) return told;
  if (member.draining) return {};
  if (auto told = tell("set server {} health down"); !told) return told;
  return tell("set server {} state ready");
}

base::Result<void> Balancer::bring_to_what_is_written() {
  const base::Result<std::string> text = socket_.ask("show servers state servers");
  if (!text) return text.error();
  const std::vector<Forced> present = read_forced(*text);
  for (const Forced& server : present) {
    if (find(server.name) != nullptr) continue;
    // It had begun to leave. Where its connections are still open it takes no requests, and goes another
    // time.
    if (auto removed = remove(server.name, base::Milliseconds(0)); !removed) continue;
  }
  for (const Member& member : members_.list) {
    const auto server = std::find_if(present.begin(), present.end(),
                                     [&](const Forced& forced) { return forced.name == member.name; });
    if (server == present.end()) {
      if (auto added = add(member); !added) return added;
    } else if (server->maint != member.cut || server->drain != (member.draining && !member.cut)) {
      if (auto brought = bring_into_state(member); !brought) return brought;
    }
  }
  return {};
}

base::Result<void> Balancer::join(std::string_view name, std::string_view address) {
  if (!is_name(name)) {
    return base::bad_input(fmt::format("{} is no name of a server", base::in_quotes(name)),
                           "use 1 to 63 letters, digits and hyphens");
  }
  if (!is_address(address)) {
    return base::bad_input(fmt::format("{} is no address of a server", base::in_quotes(address)),
                           "write it as 10.0.0.2:8080 or [fd00::2]:8080");
  }
  if (Member* known = find(name)) {
    if (known->address != address) {
      return base::bad_input(
          fmt::format("the balancer knows server {} at {}, not at {}", name, known->address, address),
          "let it leave first, or use another name");
    }
    if (!known->draining) return {};
    known->draining = false;
    known->up = false;
    if (auto wrote = write(); !wrote) return wrote;
    return bring_into_state(*known);
  }
  members_.list.push_back({std::string(name), std::string(address)});
  if (auto wrote = write(); !wrote) {
    members_.list.pop_back();
    return wrote;
  }
  auto added = add(members_.list.back());
  if (!added) {
    // What is half added goes as well; where HAProxy does not answer, start() takes it out.
    const base::Result<void> removed = remove(std::string(name), base::Milliseconds(0));
    members_.list.pop_back();
    if (auto wrote = write(); removed && !wrote) return wrote;
  }
  return added;
}

base::Result<void> Balancer::change(std::string_view name, bool Member::*wanted, bool value) {
  Member* known = find(name);
  if (known == nullptr) return unknown(name);
  if (known->*wanted == value) return {};
  known->*wanted = value;
  known->up = known->up && !value;
  if (auto wrote = write(); !wrote) return wrote;
  return bring_into_state(*known);
}

base::Result<void> Balancer::drain(std::string_view name) { return change(name, &Member::draining, true); }
base::Result<void> Balancer::cut(std::string_view name) { return change(name, &Member::cut, true); }
base::Result<void> Balancer::mend(std::string_view name) { return change(name, &Member::cut, false); }

base::Result<std::uint64_t> Balancer::sessions(std::string_view name) {
  const base::Result<std::vector<Row>> rows = statistics();
  if (!rows) return rows.error();
  return sessions_of(*rows, name);
}

base::Result<void> Balancer::remove(const std::string& name, base::Milliseconds patience) {
  const auto until = Clock::now() + patience;
  const base::Result<std::string> told = socket_.ask(fmt::format("set server servers/{} state maint", name));
  if (!told) return told.error();
  if (told->find("No such server") != std::string::npos) return {};
  if (!told->empty()) return base::unavailable(fmt::format("server {} cannot leave: {}", name, *told));
  for (;;) {
    const base::Result<std::vector<Row>> rows = statistics();
    if (!rows) return rows.error();
    const base::Result<std::string> answer = socket_.ask(fmt::format("del server servers/{}", name));
    if (!answer) return answer.error();
    if (answer->find("Server deleted") != std::string::npos) {
      members_.departed_server_errors += server_errors_of(*rows, name);
      return {};
    }
    if (Clock::now() >= until) {
      return base::unavailable(fmt::format("server {} cannot leave yet: {}", name, *answer),
                               "end its instance and try again");
    }
    std::this_thread::sleep_for(kLookEvery);
  }
}

base::Result<void> Balancer::leave(std::string_view name, base::Milliseconds patience) {
  if (!is_name(name)) return unknown(name);
  const std::string kept(name);  // it may be the name in the list
  const std::size_t known = std::erase_if(members_.list, [&](const Member& m) { return m.name == kept; });
  if (known > 0) {
    if (auto wrote = write(); !wrote) return wrote;
  }
  const std::uint64_t departed = members_.departed_server_errors;
  if (auto removed = remove(kept, patience); !removed) return removed;
  return departed == members_.departed_server_errors ? base::Result<void>() : write();
}

base::Result<void> Balancer::stop(base::Milliseconds grace) {
  socket_ = AdminSocket(admin_socket_file(settings_));
  return balancer::stop(settings_, grace);
}

base::Result<Seen> Balancer::observe() {
  const base::Result<std::string> info = socket_.ask("show info");
  if (!info) return info.error();
  const base::Result<std::vector<Row>> rows = statistics();
  if (!rows) return rows.error();
  const base::Result<std::string> rings = socket_.ask("show events");
  if (!rings) return rings.error();
  if (read_info(*info, "Pid") != static_cast<std::uint64_t>(members_.process.pid)) {
    return base::unavailable(fmt::format("another HAProxy than process {} answers", members_.process.pid),
                             "starting the service adopts it");
  }
  Seen seen = seen_from({*rows, members_, settings_.health.interval, now()}, failed_checks_);
  seen.started = started_at(members_.process);
  seen.lost_log_lines = read_dropped(*rings);
  bool changed = false;
  for (const Server& server : seen.servers) {
    Member* member = find(server.name);
    if (member == nullptr || member->draining || member->cut) continue;
    const bool up = server.state == ServerState::up;
    changed = changed || up != member->up;
    member->up = up;
    member->served = member->served || up;
  }
  if (changed) {
    if (auto wrote = write(); !wrote) return wrote.error();
  }
  return seen;
}

}  // namespace headroom::balancer
