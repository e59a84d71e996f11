#include "isolation/network.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

#include "base/units.hpp"
#include "isolation/command.hpp"
#include "isolation/kernel_file.hpp"

namespace headroom::isolation {
namespace {

namespace fs = std::filesystem;
using base::Result;

// Blocks below are what people, containers and the resolver (127.0.0.53) use most.
constexpr int kFirstBlock = 64;
constexpr int kBlocks = 190;
constexpr int kFirstHost = 10;
// From here to 2147483647 systemd's table of users has nothing: https://systemd.io/UIDS-GIDS
constexpr uid_t kFirstUser = 0x70000000;

Result<std::string> ip(std::vector<std::string> words, const std::string& lines = {}) {
  words.insert(words.begin(), "ip");
  auto ran = run(words, lines);
  if (!ran) return ran.error();
  if (ran->status == 0) return std::move(ran->out);
  std::string said = ran->err.substr(0, ran->err.find('\n'));
  return base::unavailable(fmt::format("'{}' failed: {}", fmt::join(words, " "), said),
                           "is iproute2 installed, and is this root? else use the loopback tier");
}

// Several commands in one run of ip; within a namespace where one is given.
Result<void> ip_lines(const std::string& within, const std::string& lines) {
  std::vector<std::string> words;
  if (!within.empty()) words = {"-n", within};
  words.insert(words.end(), {"-batch", "-"});
  auto done = ip(words, lines);
  if (!done) return done.error();
  return {};
}

bool interface_exists(const std::string& name) {
  std::error_code ignored;
  return fs::exists(fs::path("/sys/class/net") / name, ignored);
}

std::vector<std::string> names_in(const fs::path& folder, const std::string& prefix) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored)) {
    std::string name = at->path().filename().string();
    if (name.starts_with(prefix)) names.push_back(name.substr(prefix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

int block_wished(const std::string& realm) {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const char c : realm) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return kFirstBlock + static_cast<int>(hash % kBlocks);
}

// The second number of the address where it starts with the first: 77 of "10.77.0.0".
std::optional<int> block_of(std::string_view address, std::string_view first) {
  if (!address.starts_with(first)) return std::nullopt;
  address.remove_prefix(first.size());
  const auto number = base::parse_integer(address.substr(0, address.find('.')));
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

// A route to all of 10.0.0.0/8 does not count: ours are narrower, and there is no block outside of it.
Result<std::set<int>> blocks_routed() {
  auto out = ip({"-json", "-4", "route", "show", "table", "all"});
  if (!out) return out.error();
  std::set<int> blocks;
  const auto routes = nlohmann::json::parse(out->empty() ? "[]" : *out, nullptr, false);
  for (const auto& route : routes.is_array() ? routes : nlohmann::json::array()) {
    const std::string to = route.value("dst", "");
    const std::size_t slash = to.find('/');
    const auto length =
        slash == std::string::npos ? 32 : base::parse_integer(to.substr(slash + 1)).value_or(32);
    const auto block = block_of(to, "10.");
    if (!block || length <= 8) continue;
    // A route to less than 16 bits covers several blocks.
    const int covered = length >= 16 ? 1 : 1 << (16 - length);
    for (int next = *block; next < *block + covered; ++next) blocks.insert(next);
  }
  return blocks;
}

// Blocks of 127.0.0.0/8 in which somebody listens: another realm, most likely.
std::set<int> blocks_listened() {
  std::set<int> blocks;
  std::istringstream lines(text_of("/proc/net/tcp").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    // "   0: 0100007F:1F90 ...": 127.0.0.1, its bytes backwards.
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos || line.size() < colon + 10) continue;
    const std::uint32_t bytes =
        static_cast<std::uint32_t>(std::strtoul(line.substr(colon + 2, 8).c_str(), nullptr, 16));
    if ((bytes & 0xFFU) == 127) blocks.insert(static_cast<int>((bytes >> 8U) & 0xFFU));
  }
  return blocks;
}

// Where the state folder was lost but the bridges were not.
std::optional<int> block_of_bridges(const std::string& realm) {
  if (zones_found(realm).empty()) return std::nullopt;
  const auto out = ip({"-json", "-4", "addr", "show"});
  const auto interfaces = nlohmann::json::parse(out ? *out : "", nullptr, false);
  for (const auto& one : interfaces.is_array() ? interfaces : nlohmann::json::array()) {
    if (!one.value("ifname", "").starts_with(fmt::format("hr-{}-z", realm))) continue;
    for (const auto& address : one.value("addr_info", nlohmann::json::array())) {
      if (const auto block = block_of(address.value("local", ""), "10.")) return block;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Addresses> Addresses::open(Network network, const std::string& realm, const fs::path& kept) {
  const bool namespaces = network == Network::namespaces;
  const fs::path file = kept / (namespaces ? "block" : "block-of-loopback");
  std::optional<int> block;
  if (const auto number = number_in(file)) {
    block = static_cast<int>(*number);
  } else if (namespaces) {
    block = block_of_bridges(realm);
  }
  if (!block) {
    std::set<int> taken;
    if (namespaces) {
      auto routed = blocks_routed();
      if (!routed) return routed.error();
      taken = std::move(*routed);
    } else {
      taken = blocks_listened();
    }
    for (int step = 0; step < kBlocks && !block; ++step) {
      const int next = kFirstBlock + (block_wished(realm) - kFirstBlock + step) % kBlocks;
      if (!taken.contains(next)) block = next;
    }
  }
  if (!block) {
    return base::unavailable(fmt::format("every network from 10.{}.0.0/16 to 10.{}.0.0/16 is routed already",
                                         kFirstBlock, kFirstBlock + kBlocks - 1),
                             "remove what is left of other realms, or use the loopback tier");
  }
  std::ofstream stream(file);
  stream << *block << '\n';
  stream.close();
  if (!stream)
    return base::unavailable(fmt::format("{} cannot be written", file.string()), "is the disk full?");
  return Addresses(network, *block);
}

std::string Addresses::of(Position position) const {
  return fmt::format("{}.{}.{}.{}", network_ == Network::namespaces ? 10 : 127, block_, position.zone,
                     kFirstHost + position.slot);
}

std::string Addresses::gateway(int zone) const {
  return fmt::format("{}.{}.{}.1", network_ == Network::namespaces ? 10 : 127, block_, zone);
}

std::string Addresses::block() const {
  return fmt::format("{}.{}.0.0/16", network_ == Network::namespaces ? 10 : 127, block_);
}

uid_t Addresses::user(Position position) const {
  return kFirstUser + static_cast<uid_t>((block_ << 16) + (position.zone << 8) + kFirstHost + position.slot);
}

std::string bridge_name(const std::string& realm, int zone) { return fmt::format("hr-{}-z{}", realm, zone); }

std::string port_name(const std::string& realm, Position position) {
  return fmt::format("hr-{}-{}s{}", realm, position.zone, position.slot);
}

std::string namespace_name(const std::string& realm, const std::string& cell) {
  return fmt::format("headroom-{}-{}", realm, cell);
}

fs::path namespace_file(const std::string& realm, const std::string& cell) {
  return fs::path("/run/netns") / namespace_name(realm, cell);
}

std::vector<int> zones_found(const std::string& realm) {
  std::vector<int> zones;
  for (const std::string& name : names_in("/sys/class/net", fmt::format("hr-{}-z", realm))) {
    if (const auto zone = base::parse_integer(name)) zones.push_back(static_cast<int>(*zone));
  }
  std::sort(zones.begin(), zones.end());
  return zones;
}

std::vector<std::string> namespaces_found(const std::string& realm) {
  return names_in("/run/netns", fmt::format("headroom-{}-", realm));
}

std::vector<std::string> ports_found(const std::string& realm, int zone) {
  const std::string prefix = fmt::format("hr-{}-{}s", realm, zone);
  std::vector<std::string> ports = names_in("/sys/class/net", prefix);
  for (std::string& port : ports) port = prefix + port;
  return ports;
}

std::string hardware_address(const std::string& address) {
  std::array<std::uint8_t, 4> bytes{};
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) != 1) return {};
  // The 2 says that nobody's factory has given it out.
  return fmt::format("02:00:{:02x}:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

Result<void> try_networks(const std::string& name) {
  // 15 characters at most: the number of the process, which makes them unique, has 7.
  const std::string number = name.substr(name.rfind('-') + 1);
  const std::string bridge = "hr-" + number + "-z";
  const std::string port = "hr-" + number + "-s";
  const std::string space = "headroom-" + name;
  auto made = ip({"netns", "add", space});
  Result<void> tried;
  if (!made) return made.error();
  tried = ip_lines({}, fmt::format("link add {} type bridge\nlink add {} type veth peer name eth0 netns {}\n"
                                   "link set {} master {}\nlink set {} up\n",
                                   bridge, port, space, port, bridge, bridge));
  (void)ip({"link", "del", port});
  (void)ip({"link", "del", bridge});
  (void)ip({"netns", "del", space});
  return tried;
}

Result<void> claim_block(const std::string& block) {
  // Packets to instances that are gone end here, instead of leaving the machine by its default route. And
  // no other realm takes the block.
  auto routes = ip({"-4", "route", "show", "type", "blackhole", "exact", block});
  if (!routes) return routes.error();
  if (!routes->empty()) return {};
  auto added = ip({"route", "add", "blackhole", block});
  if (!added) return added.error();
  return {};
}

void release_block(const std::string& block) { (void)ip({"route", "del", "blackhole", block}); }

Result<void> make_bridge(const std::string& realm, int zone, const Addresses& addresses) {
  const std::string name = bridge_name(realm, zone);
  if (!interface_exists(name)) {
    const std::string hardware = hardware_address(addresses.gateway(zone));
    if (auto made = ip({"link", "add", name, "address", hardware, "type", "bridge"}); !made)
      return made.error();
  }
  // No instance reaches the world through this machine, nor another zone but through what listens at the
  // gateway, also where the machine forwards for others.
  (void)set(fs::path("/proc/sys/net/ipv4/conf") / name / "forwarding", "0");
  (void)set(fs::path("/proc/sys/net/ipv6/conf") / name / "disable_ipv6", "1");
  return ip_lines(
      {}, fmt::format("addr replace {}/24 dev {}\nlink set {} up\n", addresses.gateway(zone), name, name));
}

Result<void> remove_bridge(const std::string& realm, int zone) {
  const std::string name = bridge_name(realm, zone);
  if (!interface_exists(name)) return {};
  auto done = ip({"link", "del", name});
  if (!done && interface_exists(name)) return done.error();
  return {};
}

Result<void> cut_bridge(const std::string& realm, int zone, bool cut) {
  const std::string name = bridge_name(realm, zone);
  // The bridge remembers it, for instances that are started meanwhile and for the next daemon.
  std::string lines = fmt::format("link set {} alias {}\n", name, cut ? "cut" : "whole");
  // The host's ends of the cables: packets get lost without an answer, as behind a dead switch.
  for (const std::string& port : ports_found(realm, zone)) {
    lines += fmt::format("link set {} {}\n", port, cut ? "down" : "up");
  }
  return ip_lines({}, lines);
}

bool bridge_is_cut(const std::string& realm, int zone) {
  return text_of(fs::path("/sys/class/net") / bridge_name(realm, zone) / "ifalias") == "cut";
}

Result<void> connect(const std::string& realm, const std::string& cell, Position position,
                     const Addresses& addresses) {
  const std::string space = namespace_name(realm, cell);
  const std::string bridge = bridge_name(realm, position.zone);
  const std::string port = port_name(realm, position);
  if (!interface_exists(bridge)) {
    return base::bad_input(fmt::format("instance '{}': zone {} has no network", cell, position.zone),
                           "make the zone first");
  }
  if (interface_exists(port)) {
    return base::bad_input(
        fmt::format("instance '{}': slot {} of zone {} is taken", cell, position.slot, position.zone),
        "remove what runs there, or take another slot");
  }
  if (auto made = ip({"netns", "add", space}); !made) return made.error();
  auto within =
      ip_lines({}, fmt::format("link add {} type veth peer name eth0 netns {}\nlink set {} master {}\n", port,
                               space, port, bridge));
  if (!within) return within.error();
  (void)set(fs::path("/proc/sys/net/ipv6/conf") / port / "disable_ipv6", "1");
  within = ip_lines(space, fmt::format("link set lo up\nlink set eth0 address {}\naddr add {}/24 dev eth0\n"
                                       "link set eth0 up\nroute add default via {}\n",
                                       hardware_address(addresses.of(position)), addresses.of(position),
                                       addresses.gateway(position.zone)));
  if (!within) return within.error();
  if (bridge_is_cut(realm, position.zone)) return {};
  return ip_lines({}, fmt::format("link set {} up\n", port));
}

Result<void> disconnect(const std::string& realm, const std::string& cell, std::optional<Position> position) {
  const std::string port = position ? port_name(realm, *position) : "";
  if (position && interface_exists(port)) {
    // It may go by itself at this moment, together with its namespace.
    auto done = ip({"link", "del", port});
    if (!done && interface_exists(port)) return done.error();
  }
  std::error_code ignored;
  if (fs::exists(namespace_file(realm, cell), ignored)) {
    auto done = ip({"netns", "del", namespace_name(realm, cell)});
    if (!done && fs::exists(namespace_file(realm, cell), ignored)) return done.error();
  }
  return {};
}

}  // namespace headroom::isolation
