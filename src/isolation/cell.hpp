// Cell: what is to run confined: one instance.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::isolation {

// Where an instance stands; its address and its user follow from it.
struct Position {
  int zone = 0;  // index, 0 to 99
  int slot = 0;  // within the zone, 0 to 199; of one instance at a time
  bool operator==(const Position&) const = default;
};
inline constexpr int kZonesMost = 100;
inline constexpr int kSlotsMost = 200;

struct Cell {
  std::string name;  // "web-3": 1 to 40 lower-case letters, digits and hyphens
  Position position;
  base::Cores cores{1};                      // at least 0.01
  std::optional<std::int64_t> memory_bytes;  // nothing: as much as the machine has
  int processes_max = 256;                   // threads included
  std::string run;                           // a command line, given to `sh -c`
  // Added to PATH, HOME (the private folder), TMPDIR and LANG, which it may replace.
  std::vector<std::pair<std::string, std::string>> environment;
  // All folders are absolute, exist, and are seen by the instance at the same path. The image is its working
  // directory, must be readable for everybody, and is read-only in tiers with own files.
  std::filesystem::path image;
  // Writable: HOME, TMPDIR, and in tiers with own files also what it sees as /tmp and /var/tmp. These and the
  // volume are given to the user of the instance, with all that is in them.
  std::filesystem::path private_folder;
  std::optional<std::filesystem::path> volume;
  // Standard output and error are appended. At `log_bytes_max` its content moves to FILE.1, so that an
  // instance fills twice as much at most. Its folder exists.
  std::filesystem::path log;
  std::int64_t log_bytes_max = 8 << 20;
  std::vector<std::pair<std::string, std::string>> hosts;  // (address, name), for names of other services
};

// Errors: all that is wrong with it, at once.
base::Result<void> check(const Cell& cell);

}  // namespace headroom::isolation
