// Network: addresses of a realm, its bridges (one per zone) and the network namespaces of its instances.
//
// In namespaces, instance and zone are 10.BLOCK.zone.10+slot and 10.BLOCK.zone.1 (the gateway: the host's end
// of the bridge); on loopback 127.BLOCK.... The block is the realm's alone on this machine: it follows from
// the realm, passes by what is routed or listened on already, and is kept in a file.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "isolation/cell.hpp"
#include "isolation/tier.hpp"

namespace headroom::isolation {

class Addresses {
 public:
  // Requires: the folder exists. Errors: no block is free; `ip` is missing.
  static base::Result<Addresses> open(Network network, const std::string& realm,
                                      const std::filesystem::path& kept);

  std::string of(Position position) const;
  std::string gateway(int zone) const;
  std::string block() const;  // "10.77.0.0/16"
  // Without a name, from a range that nobody gives to people or packages. The last three bytes of the
  // address.
  uid_t user(Position position) const;

 private:
  Addresses(Network network, int block) : network_(network), block_(block) {}

  Network network_;
  int block_;
};

std::string bridge_name(const std::string& realm, int zone);         // "hr-abcd-z1"
std::string port_name(const std::string& realm, Position position);  // "hr-abcd-1s3", the host's end
std::string namespace_name(const std::string& realm, const std::string& cell);  // "headroom-abcd-web-3"
std::filesystem::path namespace_file(const std::string& realm, const std::string& cell);

// The hardware address that belongs to "10.77.0.12": "02:00:0a:4d:00:0c". It follows from the address, so
// that what a neighbour remembers of an address stays true when another instance gets it; with one of chance,
// a new instance was not reached for up to 40 s.
std::string hardware_address(const std::string& address);

// The zones that have a bridge, the cells that have a namespace, the host's ends in a zone: by their names.
std::vector<int> zones_found(const std::string& realm);
std::vector<std::string> namespaces_found(const std::string& realm);
std::vector<std::string> ports_found(const std::string& realm, int zone);

// Makes and removes a bridge, a namespace and a cable. Errors: why this machine cannot.
base::Result<void> try_networks(const std::string& name);

// Each is without effect where it is done already. Errors: what `ip` says.
base::Result<void> claim_block(const std::string& block);
void release_block(const std::string& block);
base::Result<void> make_bridge(const std::string& realm, int zone, const Addresses& addresses);
base::Result<void> remove_bridge(const std::string& realm, int zone);
base::Result<void> cut_bridge(const std::string& realm, int zone, bool cut);
// Requires: the bridge. A namespace with an interface eth0 and a way to the gateway; cut where the zone is.
base::Result<void> connect(const std::string& realm, const std::string& cell, Position position,
                           const Addresses& addresses);
bool bridge_is_cut(const std::string& realm, int zone);
// `position`: nothing where it is not known; the cable then goes with the namespace.
base::Result<void> disconnect(const std::string& realm, const std::string& cell,
                              std::optional<Position> position);

}  // namespace headroom::isolation
