#include "isolation/machine.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include "isolation/kernel_file.hpp"
#include "isolation/launcher.hpp"

namespace headroom::isolation {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr auto kPatience = std::chrono::seconds(10);  // for the kernel to end what is killed
constexpr std::int64_t kSharedMemoryBytes =
    64 << 20;  // as containers have it; counted as memory of the instance

base::Error not_there(const std::string& name) {
  return base::bad_input(fmt::format("instance '{}' does not run", name), "see what is found()");
}

// Absolute and without links, as the launcher needs it to find the place again in the instance's view.
fs::path plain(const fs::path& path) {
  std::error_code ignored;
  fs::path found = fs::canonical(path, ignored);
  return ignored ? path : found;
}

bool has_marker(pid_t pid, const std::string& marker) {
  const auto text = text_of(fmt::format("/proc/{}/environ", pid));
  return text && ('\0' + *text + '\0').find('\0' + marker + '\0') != std::string::npos;
}

std::string hosts_of(const Cell& cell, const std::string& address) {
  std::string text = fmt::format("127.0.0.1 localhost\n::1 localhost\n{} {}\n", address, cell.name);
  for (const auto& [other, name] : cell.hosts) text += fmt::format("{} {}\n", other, name);
  return text;
}

std::vector<std::string> environment_of(const Cell& cell, const std::string& marker) {
  std::map<std::string, std::string> all{
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"HOME", cell.private_folder.string()},
      {"TMPDIR", (cell.private_folder / "tmp").string()},
      {"LANG", "C.UTF-8"}};
  for (const auto& [key, value] : cell.environment) all[key] = value;
  std::vector<std::string> pairs{marker};
  for (const auto& [key, value] : all) pairs.push_back(key + '=' + value);
  return pairs;
}

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::absent:
      return "absent";
    case Phase::running:
      return "running";
    case Phase::exited:
      return "exited";
    case Phase::signalled:
      return "ended by a signal";
    case Phase::out_of_memory:
      return "out of memory";
  }
  return "";
}

Result<Machine> Machine::open(MachineOptions options) {
  const std::string& realm = options.realm;
  if (realm.size() != 4 || !std::all_of(realm.begin(), realm.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      })) {
    return base::bad_input(fmt::format("'{}' is no realm", realm), "use 4 lower-case letters or digits");
  }
  std::error_code error;
  options.state = fs::canonical(options.state, error);
  const fs::path folder = options.state / "isolation";
  if (!error) fs::create_directories(folder / "cells", error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error)
    return failed(fmt::format("{} cannot be made", folder.string()), error.value(), "check the state folder");
  auto groups = Groups::open(options.tier.limits, realm);
  if (!groups) return groups.error();
  // That it can be made is known now. It is made again with the first instance: a daemon that never has one
  // would leave it for ever.
  groups->remove_realm();
  auto addresses = Addresses::open(options.tier.network, realm, folder);
  if (!addresses) return addresses.error();
  return Machine(std::move(options), std::move(*groups), *addresses);
}

Result<void> Machine::make_zone(int zone) {
  if (zone < 0 || zone >= kZonesMost) {
    return base::bad_input(fmt::format("there is no zone {}", zone),
                           fmt::format("zones are 0 to {}", kZonesMost - 1));
  }
  if (options_.tier.network == Network::loopback) return {};
  if (auto claimed = claim_block(addresses_.block()); !claimed) return claimed;
  return make_bridge(options_.realm, zone, addresses_);
}

Result<void> Machine::remove_zone(int zone) {
  for (const std::string& name : found()) {
    const auto kept = record(name);
    if (!kept || kept->position.zone != zone) continue;
    return base::bad_input(fmt::format("zone {} still has instance '{}'", zone, name),
                           "remove its instances first");
  }
  if (options_.tier.network == Network::loopback) return {};
  return remove_bridge(options_.realm, zone);
}

Result<void> Machine::cut_zone(int zone, bool cut) {
  if (options_.tier.network == Network::loopback) {
    return base::unavailable(
        fmt::format("zone {} cannot be cut off: its instances share one network interface with everything",
                    zone),
        "use the tier with network namespaces (as root), or pause or crash its instances");
  }
  const std::vector<int> zones = zones_found(options_.realm);
  if (std::find(zones.begin(), zones.end(), zone) == zones.end()) {
    return base::bad_input(fmt::format("there is no zone {}", zone), "make it first");
  }
  return cut_bridge(options_.realm, zone, cut);
}

std::vector<int> Machine::zones() const { return zones_found(options_.realm); }
bool Machine::is_cut(int zone) const { return bridge_is_cut(options_.realm, zone); }
std::string Machine::gateway(int zone) const { return addresses_.gateway(zone); }
std::string Machine::address(Position position) const { return addresses_.of(position); }

std::string Machine::marker(const std::string& name) const {
  return fmt::format("HEADROOM_INSTANCE={}/{}", options_.realm, name);
}

std::optional<Machine::Record> Machine::record(const std::string& name) const {
  const auto text = text_of(folder_of(name) / "cell");
  const auto kept = nlohmann::json::parse(text.value_or(""), nullptr, false);
  if (!kept.is_object()) return std::nullopt;
  Record found;
  found.position = {kept.value("zone", 0), kept.value("slot", 0)};
  found.user = kept.value("user", std::int64_t{-1});
  for (const auto& folder : kept.value("group", std::vector<std::string>{})) found.group.emplace_back(folder);
  std::istringstream process(text_of(folder_of(name) / "process").value_or(""));
  Identity identity;
  std::string boot;
  if (process >> identity.pid >> identity.start_ticks >> boot &&
      boot == text_of("/proc/sys/kernel/random/boot_id").value_or("-")) {
    found.process = identity;
  }
  found.exit = text_of(folder_of(name) / "exit").value_or("");
  return found;
}

Result<Machine::Record> Machine::keep(const Cell& cell) const {
  Record kept;
  kept.position = cell.position;
  if (options_.tier.own_users) kept.user = addresses_.user(cell.position);
  kept.group = groups_.named(cell.name);
  nlohmann::json text{{"zone", kept.position.zone}, {"slot", kept.position.slot}, {"user", kept.user}};
  text["group"] = nlohmann::json::array();
  for (const fs::path& folder : kept.group) text["group"].push_back(folder.string());
  std::error_code ignored;
  fs::create_directories(folder_of(cell.name), ignored);
  std::ofstream stream(folder_of(cell.name) / "cell");
  stream << text.dump() << '\n';
  stream.close();
  if (stream) return kept;
  return base::unavailable(fmt::format("{} cannot be written", (folder_of(cell.name) / "cell").string()),
                           "is the disk full?");
}

Result<void> Machine::make(const Cell& cell) const {
  // One more: the first process, which is ours.
  auto made = groups_.make(cell.name, {cell.cores, cell.memory_bytes, cell.processes_max + 1});
  if (!made) return made;
  if (options_.tier.network == Network::loopback) return {};
  return connect(options_.realm, cell.name, cell.position, addresses_);
}

Result<Identity> Machine::start(const Cell& cell) {
  if (auto checked = check(cell); !checked) return checked.error();
  for (const std::string& other : found()) {
    const auto theirs = record(other);
    if (other == cell.name) {
      return base::bad_input(
          fmt::format("instance '{}' is there already, {}", other, to_string(state(other).phase)),
          "remove it first");
    }
    // Two of one slot would have one address and one user.
    if (theirs && theirs->position == cell.position) {
      return base::bad_input(fmt::format("instance '{}': slot {} of zone {} is that of '{}'", cell.name,
                                         cell.position.slot, cell.position.zone, other),
                             "take another slot");
    }
  }
  // Before anything is made, so that whatever a kill leaves behind is found with its position.
  auto kept = keep(cell);
  if (!kept) return kept.error();
  auto made = make(cell);
  Result<Identity> started = made ? Result<Identity>(Identity{}) : Result<Identity>(made.error());
  if (made) {
    Order order;
    order.name = cell.name;
    for (const fs::path& folder : kept->group) order.groups.push_back(folder.string());
    if (options_.tier.network == Network::namespaces) {
      order.network = namespace_file(options_.realm, cell.name).string();
    }
    order.own_files = options_.tier.own_files;
    order.user = kept->user;
    order.hidden = options_.state.string();
    order.image = plain(cell.image).string();
    order.private_folder = plain(cell.private_folder).string();
    if (cell.volume) order.volume = plain(*cell.volume).string();
    order.log = cell.log.string();
    order.log_bytes_max = cell.log_bytes_max;
    order.record = folder_of(cell.name).string();
    order.hosts = hosts_of(cell, address(cell.position));
    order.run = cell.run;
    order.environment = environment_of(cell, marker(cell.name));
    order.shared_memory_bytes = std::min(kSharedMemoryBytes, cell.memory_bytes.value_or(kSharedMemoryBytes));
    if (options_.tier.limits == Limits::none) {
      order.memory_bytes = cell.memory_bytes.value_or(0);
      // Of the user: one for each instance, or else all processes of the person would count.
      if (options_.tier.own_users) order.processes_max = cell.processes_max + 1;
    }
    started = launch(order);
  }
  if (!started) (void)remove(cell.name);
  return started;
}

std::vector<Identity> Machine::processes(const std::string& name, const std::optional<Record>& kept) const {
  std::vector<pid_t> pids;
  const Group group = kept ? kept->group : groups_.named(name);
  std::map<pid_t, Process> seen;
  if (!group.empty()) {
    pids = processes_of(group);
  } else {
    // Nothing holds them together but their user, or that they descend from the first, or what they were
    // given.
    for (const pid_t pid : all_processes()) {
      if (const auto one = process(pid)) seen.emplace(pid, *one);
    }
    for (const auto& [pid, one] : seen) {
      bool ours = false;
      if (kept && kept->user >= 0) {
        ours = user_of(pid) == static_cast<uid_t>(kept->user);
      } else {
        pid_t ancestor = kept && kept->process && runs(*kept->process) ? pid : 0;
        for (int steps = 0; ancestor > 1 && steps < 10'000; ++steps) {
          if (ancestor == kept->process->pid) ours = true;
          const auto next = seen.find(ancestor);
          ancestor = ours || next == seen.end() ? 0 : next->second.parent;
        }
        ours = ours || has_marker(pid, marker(name));
      }
      if (ours) pids.push_back(pid);
    }
  }
  std::vector<Identity> found;
  for (const pid_t pid : pids) {
    const auto one = process(pid);
    if (one && one->state != 'Z' && one->state != 'X') found.push_back(one->identity);
  }
  return found;
}

Result<void> Machine::kill(const std::string& name, const std::optional<Record>& kept) const {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  const Group group = kept ? kept->group : groups_.named(name);
  // With the first process the kernel ends all others of its namespace. Without one they must not fork while
  // they are ended one by one.
  if (!options_.tier.own_files && !group.empty()) (void)freeze(group);
  if (kept && kept->process) send(*kept->process, SIGKILL);
  while (true) {
    const std::vector<Identity> left = processes(name, kept);
    for (const Identity& identity : left) send(identity, SIGKILL);
    // What is frozen ends when it thaws, before it does anything else.
    thaw(group);
    if (left.empty() && !(kept && kept->process && runs(*kept->process))) return {};
    if (std::chrono::steady_clock::now() > end) {
      return base::unavailable(
          fmt::format("instance '{}': {} processes do not end after SIGKILL", name, left.size()),
          "do they wait for a disk? see the state D in ps");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<void> Machine::terminate(const std::string& name, base::Milliseconds grace) {
  const auto kept = record(name);
  if (kept && kept->process && runs(*kept->process)) {
    (void)resume(name);
    (void)unhang(name);
    send(*kept->process, SIGTERM);
    (void)wait_for_end(*kept->process, grace);
  }
  return remove(name);
}

Result<void> Machine::crash(const std::string& name) {
  const auto kept = record(name);
  if (!kept || !kept->process || !runs(*kept->process)) return not_there(name);
  return kill(name, kept);
}

Result<void> Machine::pause(const std::string& name) {
  const auto kept = record(name);
  if (!kept || !kept->process || !runs(*kept->process)) return not_there(name);
  if (kept->group.empty()) return hang(name);
  if (freeze(kept->group)) return {};
  thaw(kept->group);
  return base::unavailable(fmt::format("instance '{}': its control group does not freeze", name),
                           "does one of its processes wait for a disk?");
}

Result<void> Machine::resume(const std::string& name) {
  const auto kept = record(name);
  if (!kept || !kept->process || !runs(*kept->process)) return not_there(name);
  if (kept->group.empty()) return unhang(name);
  thaw(kept->group);
  return {};
}

Result<void> Machine::signal_application(const std::string& name, int signal, bool stopped) const {
  const auto kept = record(name);
  if (!kept || !kept->process || !runs(*kept->process)) return not_there(name);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  // Again until none is left: one may fork while others are signalled.
  while (true) {
    bool done = true;
    for (const Identity& identity : processes(name, kept)) {
      if (identity == *kept->process) continue;
      const auto one = process(identity.pid);
      if (!one || one->identity != identity || (one->state == 'T') == stopped) continue;
      send(identity, signal);
      done = false;
    }
    if (done) return {};
    if (std::chrono::steady_clock::now() > end) {
      return base::unavailable(
          fmt::format("instance '{}': its processes do not {}", name, stopped ? "stop" : "go on"),
          "do they wait for a disk, or is it paused?");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Result<void> Machine::hang(const std::string& name) { return signal_application(name, SIGSTOP, true); }
Result<void> Machine::unhang(const std::string& name) { return signal_application(name, SIGCONT, false); }

State Machine::state(const std::string& name) const {
  auto kept = record(name);
  if (!kept) {
    const std::vector<std::string> names = found();
    const bool left = std::find(names.begin(), names.end(), name) != names.end();
    return left ? State{Phase::signalled, {}, SIGKILL} : State{};
  }
  if (kept->process && runs(*kept->process)) return {Phase::running, kept->process, 0};
  kept = record(name);  // what it wrote at its end
  if (!kept) return {};
  std::istringstream text(kept->exit);
  std::string word;
  int code = 0;
  State ended{Phase::signalled, {}, SIGKILL};
  if (text >> word >> code) ended = {word == "exited" ? Phase::exited : Phase::signalled, {}, code};
  // A shell around the application tells of its signal by a status.
  const bool killed = ended.code == (ended.phase == Phase::exited ? 128 + SIGKILL : SIGKILL);
  if (killed && usage_of(kept->group).out_of_memory_kills > 0) return {Phase::out_of_memory, {}, SIGKILL};
  return ended;
}

Usage Machine::usage(const std::string& name) const {
  const auto kept = record(name);
  if (!kept) return {};
  if (!kept->group.empty()) {
    const GroupUsage used = usage_of(kept->group);
    return {used.cpu, used.throttled, used.memory_bytes, used.processes, used.out_of_memory_kills};
  }
  Usage used;
  for (const Identity& identity : processes(name, kept)) {
    const auto one = process(identity.pid);
    if (!one) continue;
    used.cpu += one->cpu + one->cpu_ended;
    used.memory_bytes += one->memory_bytes;
    used.processes += one->threads;
  }
  return used;
}

std::vector<std::string> Machine::found() const {
  std::set<std::string> names;
  std::error_code ignored;
  for (fs::directory_iterator at(folder() / "cells", ignored), end; !ignored && at != end;
       at.increment(ignored)) {
    names.insert(at->path().filename().string());
  }
  for (std::string& name : groups_.names()) names.insert(std::move(name));
  for (std::string& name : namespaces_found(options_.realm)) names.insert(std::move(name));
  return {names.begin(), names.end()};
}

Result<void> Machine::remove(const std::string& name) {
  const auto kept = record(name);
  if (auto killed = kill(name, kept); !killed) return killed;
  const Group group = kept ? kept->group : groups_.named(name);
  if (auto removed = isolation::remove(group); !removed) return removed;
  // Whatever the tier is now: it may have been another when this was started.
  if (auto gone = disconnect(options_.realm, name, kept ? std::optional(kept->position) : std::nullopt);
      !gone) {
    return gone;
  }
  std::error_code error;
  fs::remove_all(folder_of(name), error);
  if (error)
    return failed(fmt::format("{} cannot be removed", folder_of(name).string()), error.value(),
                  "check its owner");
  return {};
}

Result<void> Machine::remove_everything() {
  base::Error error{base::ErrorKind::unavailable, {}};
  // What cannot be removed is no reason to leave the rest.
  const auto note = [&](const Result<void>& done) {
    if (!done)
      error.faults.insert(error.faults.end(), done.error().faults.begin(), done.error().faults.end());
  };
  for (const std::string& name : found()) note(remove(name));
  for (const int zone : zones_found(options_.realm)) note(remove_bridge(options_.realm, zone));
  if (options_.tier.network == Network::namespaces) release_block(addresses_.block());
  groups_.remove_realm();
  if (!error.faults.empty()) return error;
  return {};
}

}  // namespace headroom::isolation
