#include "isolation/cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace headroom::isolation {
namespace {

constexpr std::size_t kLongestName = 40;
constexpr double kFewestCores = 0.01;
constexpr std::int64_t kLeastMemoryBytes = 4 << 20;  // below, not even a shell starts

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '-' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool one_word(const std::string& text) {
  return !text.empty() && text.find_first_of(std::string(" \t\n#\0", 5)) == std::string::npos;
}

}  // namespace

base::Result<void> check(const Cell& cell) {
  base::Error error{base::ErrorKind::bad_input, {}};
  const auto wrong = [&](std::string what, std::string fix) {
    error.faults.push_back({{}, fmt::format("instance '{}': {}", cell.name, what), std::move(fix), {}});
  };
  const auto folder = [&](const char* which, const std::filesystem::path& path) {
    std::error_code ignored;
    if (!path.is_absolute() || !std::filesystem::is_directory(path, ignored)) {
      wrong(fmt::format("its {}, '{}', is no absolute path of a folder", which, path.string()),
            "create it first");
    }
  };
  if (!is_name(cell.name)) {
    wrong("not a name", fmt::format("use 1 to {} lower-case letters, digits and hyphens", kLongestName));
  }
  if (cell.position.zone < 0 || cell.position.zone >= kZonesMost) {
    wrong(fmt::format("there is no zone {}", cell.position.zone),
          fmt::format("zones are 0 to {}", kZonesMost - 1));
  }
  if (cell.position.slot < 0 || cell.position.slot >= kSlotsMost) {
    wrong(fmt::format("there is no slot {}", cell.position.slot),
          fmt::format("slots are 0 to {}", kSlotsMost - 1));
  }
  if (!(cell.cores.value() >= kFewestCores && cell.cores.value() <= 1024)) {
    wrong(fmt::format("{} cores cannot be given", cell.cores.value()),
          fmt::format("give {} or more", kFewestCores));
  }
  if (cell.memory_bytes && *cell.memory_bytes < kLeastMemoryBytes) {
    wrong(fmt::format("{} bytes of memory start nothing", *cell.memory_bytes),
          fmt::format("give {} or more", kLeastMemoryBytes));
  }
  if (cell.processes_max < 1) wrong("it may have no process", "give at least 1");
  if (cell.run.empty() || cell.run.find('\0') != std::string::npos) {
    wrong("there is no command line to run", "name one");
  }
  for (const auto& [key, value] : cell.environment) {
    if (key.empty() || key.find_first_of(std::string("=\0", 2)) != std::string::npos ||
        value.find('\0') != std::string::npos) {
      wrong(fmt::format("'{}' cannot be the name of an environment variable with its value", key),
            "leave out '=' and NUL");
    }
  }
  folder("image folder", cell.image);
  folder("private folder", cell.private_folder);
  if (cell.volume) folder("volume folder", *cell.volume);
  folder("log's folder", cell.log.parent_path());
  if (cell.log_bytes_max < 4096) wrong("its log may hold too little", "give at least 4096 bytes");
  for (const auto& [address, name] : cell.hosts) {
    if (!one_word(address) || !one_word(name)) {
      wrong(fmt::format("'{} {}' is no line of /etc/hosts", address, name), "give one address and one name");
    }
  }
  if (!error.faults.empty()) return error;
  return {};
}

}  // namespace headroom::isolation
