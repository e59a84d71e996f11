#include "isolation/groups.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <sstream>
#include <system_error>
#include <thread>

#include "base/units.hpp"
#include "isolation/kernel_file.hpp"

namespace headroom::isolation {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr std::array kControllers{"cpu", "cpuacct", "memory", "pids", "freezer"};  // of version 1
// A CPU limit is a time per period. With a short one an instance behaves like a slower processor, with the
// kernel's 100 ms like one that works in bursts: the tail of its latency is then the period's. The kernel
// takes no time below 1 ms.
constexpr double kPeriodUs = 20'000;
constexpr double kLeastQuotaUs = 1'000;
constexpr auto kPatience = std::chrono::seconds(5);  // with the kernel, which needs milliseconds

template <class Condition>
bool wait_until(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

struct Mount {
  fs::path place;
  std::string type;
  std::vector<std::string> options;  // of the file system: for version 1, the controllers
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::vector<Mount> group_mounts() {
  std::vector<Mount> mounts;
  for (const std::string& line : split(text_of("/proc/self/mountinfo").value_or(""), '\n')) {
    // "30 24 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu"
    const std::vector<std::string> words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 5 || words.end() - dash < 4 || !dash[1].starts_with("cgroup")) continue;
    mounts.push_back({words[4], dash[1], split(dash[3], ',')});
  }
  return mounts;
}

std::optional<fs::path> place_of_v1(const std::string& controller) {
  for (const Mount& mount : group_mounts()) {
    if (mount.type == "cgroup" && std::count(mount.options.begin(), mount.options.end(), controller) > 0) {
      return mount.place;
    }
  }
  return std::nullopt;
}

std::optional<fs::path> place_of_v2() {
  for (const Mount& mount : group_mounts()) {
    if (mount.type == "cgroup2") return mount.place;
  }
  return std::nullopt;
}

Result<void> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return failed(fmt::format("the control group {} cannot be made", folder.string()), errno,
                "run as root, or within systemd-run --user --scope -p Delegate=yes");
}

Result<std::vector<fs::path>> realm_in_v1(const std::string& name) {
  std::vector<fs::path> folders;
  for (const char* controller : kControllers) {
    const auto place = place_of_v1(controller);
    if (!place) {
      return base::unavailable(
          fmt::format("version 1 of the control groups has no controller '{}' here", controller),
          "mount it, or use another tier");
    }
    const fs::path folder = *place / name;
    // cpu and cpuacct are one hierarchy on many machines.
    std::error_code ignored;
    const bool known = std::any_of(folders.begin(), folders.end(), [&](const fs::path& other) {
      return fs::equivalent(other, folder, ignored);
    });
    if (known) continue;
    if (auto made = make_folder(folder); !made) return made.error();
    folders.push_back(folder);
  }
  return folders;
}

Result<void> check_controllers(const fs::path& folder) {
  const std::string have = ' ' + text_of(folder / "cgroup.controllers").value_or("") + ' ';
  for (const char* controller : {"cpu", "memory", "pids"}) {
    if (have.find(fmt::format(" {} ", controller)) == std::string::npos) {
      return base::unavailable(
          fmt::format("version 2 of the control groups has no controller '{}' in {}", controller,
                      folder.string()),
          "boot without version 1 (systemd.unified_cgroup_hierarchy=1), delegate it, or use another tier");
    }
  }
  return {};
}

// Lets the children of the group have the controllers of an instance.
Result<void> give_controllers(const fs::path& folder) {
  if (auto checked = check_controllers(folder); !checked) return checked;
  return set(folder / "cgroup.subtree_control", "+cpu +memory +pids");
}

Result<std::vector<fs::path>> realm_in_v2(const fs::path& parent, const std::string& name) {
  if (auto given = give_controllers(parent); !given) return given.error();
  const fs::path folder = parent / name;
  if (auto made = make_folder(folder); !made) return made.error();
  if (auto given = give_controllers(folder); !given) return given.error();
  return std::vector{folder};
}

Result<std::vector<fs::path>> realm_in_delegated(const std::string& name) {
  static const char* const kOurs = "headroom-processes";
  const auto place = place_of_v2();
  std::string own;  // "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope"
  for (const std::string& line : split(text_of("/proc/self/cgroup").value_or(""), '\n')) {
    if (line.starts_with("0::/")) own = line.substr(4);
  }
  if (!place || own.empty()) {
    return base::unavailable("this process is in no group of version 2 that could have been delegated to it",
                             "start it with systemd-run --user --scope -p Delegate=yes");
  }
  fs::path group = *place / own;
  if (group.filename() == kOurs) group = group.parent_path();
  if (::access((group / "cgroup.subtree_control").c_str(), W_OK) != 0) {
    return failed(fmt::format("the control group {} is not delegated to this user", group.string()), errno,
                  "start it with systemd-run --user --scope -p Delegate=yes");
  }
  if (auto checked = check_controllers(group); !checked) return checked.error();
  // Only a group without processes can give controllers to its children.
  if (auto made = make_folder(group / kOurs); !made) return made.error();
  for (int round = 0; round < 10; ++round) {
    const std::vector<pid_t> pids = processes_of({group});
    if (pids.empty()) break;
    for (const pid_t pid : pids) (void)set(group / kOurs / "cgroup.procs", std::to_string(pid));
  }
  return realm_in_v2(group, name);
}

// The first folder of the group that has the file.
std::optional<fs::path> file_in(const Group& group, const char* name) {
  for (const fs::path& folder : group) {
    if (::access((folder / name).c_str(), F_OK) == 0) return folder / name;
  }
  return std::nullopt;
}

std::optional<std::int64_t> number_in(const Group& group, const char* name) {
  const auto file = file_in(group, name);
  return file ? isolation::number_in(*file) : std::nullopt;
}

std::string text_in(const Group& group, const char* name) {
  const auto file = file_in(group, name);
  return file ? text_of(*file).value_or("") : "";
}

Result<void> limit(const Group& group, const GroupLimits& limits) {
  const double period = limits.cores.value() * kPeriodUs < kLeastQuotaUs ? 5 * kPeriodUs : kPeriodUs;
  const std::int64_t quota = std::llround(std::max(kLeastQuotaUs, limits.cores.value() * period));
  std::vector<std::pair<const char*, std::string>> settings;
  if (file_in(group, "cpu.max")) {
    settings.emplace_back("cpu.max", fmt::format("{} {}", quota, std::llround(period)));
  } else {
    settings.emplace_back("cpu.cfs_period_us", std::to_string(std::llround(period)));
    settings.emplace_back("cpu.cfs_quota_us", std::to_string(quota));
  }
  settings.emplace_back("pids.max", std::to_string(limits.processes_max));
  if (limits.memory_bytes) {
    const std::string bytes = std::to_string(*limits.memory_bytes);
    if (file_in(group, "memory.max")) {
      settings.emplace_back("memory.max", bytes);
      // Without swap: an instance that is slow for want of memory would pass for one of little CPU.
      if (file_in(group, "memory.swap.max")) settings.emplace_back("memory.swap.max", "0");
    } else {
      settings.emplace_back("memory.limit_in_bytes", bytes);
      if (file_in(group, "memory.memsw.limit_in_bytes"))
        settings.emplace_back("memory.memsw.limit_in_bytes", bytes);
    }
  }
  for (const auto& [name, text] : settings) {
    const auto file = file_in(group, name);
    if (!file) {
      return base::unavailable(
          fmt::format("the control group {} has no setting {}", group.front().string(), name),
          "is the controller enabled in the kernel? use another tier");
    }
    if (auto done = set(*file, text); !done) return done;
  }
  return {};
}

}  // namespace

Result<Groups> Groups::open(Limits limits, const std::string& realm) {
  const std::string name = "headroom-" + realm;
  Result<std::vector<fs::path>> folders = std::vector<fs::path>{};
  switch (limits) {
    case Limits::cgroup_v1:
      folders = realm_in_v1(name);
      break;
    case Limits::cgroup_v2:
      if (const auto place = place_of_v2()) {
        folders = realm_in_v2(*place, name);
      } else {
        return base::unavailable("no hierarchy of version 2 of the control groups is mounted",
                                 "use another tier");
      }
      break;
    case Limits::delegated:
      folders = realm_in_delegated(name);
      break;
    case Limits::none:
      break;
  }
  if (!folders) return folders.error();
  return Groups(limits, realm, std::move(*folders));
}

Result<void> Groups::make(const std::string& name, const GroupLimits& limits) const {
  // The realm's own folders again: they are removed together with all that is of the realm.
  if (const auto realm = open(limits_, name_); !realm) return realm.error();
  const Group group = named(name);
  Result<void> made;
  for (const fs::path& folder : group) {
    if (made) made = make_folder(folder);
  }
  if (made && !group.empty()) made = limit(group, limits);
  if (!made) (void)isolation::remove(group);
  return made;
}

Group Groups::named(const std::string& name) const {
  Group group;
  for (const fs::path& realm : realm_) group.push_back(realm / name);
  return group;
}

std::vector<std::string> Groups::names() const {
  std::vector<std::string> names;
  for (const fs::path& realm : realm_) {
    std::error_code ignored;
    for (fs::directory_iterator at(realm, ignored), end; !ignored && at != end; at.increment(ignored)) {
      if (at->is_directory(ignored)) names.push_back(at->path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void Groups::remove_realm() const {
  for (const fs::path& realm : realm_) ::rmdir(realm.c_str());
}

std::vector<pid_t> processes_of(const Group& group) {
  std::vector<pid_t> pids;
  for (const fs::path& folder : group) {
    for (const std::string& line : split(text_of(folder / "cgroup.procs").value_or(""), '\n')) {
      if (const auto pid = base::parse_integer(line)) pids.push_back(static_cast<pid_t>(*pid));
    }
  }
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

GroupUsage usage_of(const Group& group) {
  GroupUsage usage;
  const std::string cpu = text_in(group, "cpu.stat");
  if (const auto nanoseconds = number_in(group, "cpuacct.usage")) {
    usage.cpu = base::Nanoseconds(*nanoseconds);
    usage.throttled = base::Nanoseconds(number_behind(cpu, "throttled_time").value_or(0));
  } else {
    usage.cpu = base::Nanoseconds(number_behind(cpu, "usage_usec").value_or(0) * 1000);
    usage.throttled = base::Nanoseconds(number_behind(cpu, "throttled_usec").value_or(0) * 1000);
  }
  const std::string memory = text_in(group, "memory.stat");
  if (const auto bytes = number_in(group, "memory.current")) {
    usage.memory_bytes = *bytes - number_behind(memory, "inactive_file").value_or(0);
    usage.out_of_memory_kills = number_behind(text_in(group, "memory.events"), "oom_kill").value_or(0);
  } else {
    usage.memory_bytes = number_in(group, "memory.usage_in_bytes").value_or(0) -
                         number_behind(memory, "total_inactive_file").value_or(0);
    usage.out_of_memory_kills = number_behind(text_in(group, "memory.oom_control"), "oom_kill").value_or(0);
  }
  usage.processes = static_cast<int>(number_in(group, "pids.current").value_or(0));
  return usage;
}

bool freeze(const Group& group) {
  if (const auto file = file_in(group, "cgroup.freeze")) {
    return set(*file, "1") &&
           wait_until([&] { return number_behind(text_in(group, "cgroup.events"), "frozen") == 1; });
  }
  const auto file = file_in(group, "freezer.state");
  return file && set(*file, "FROZEN") && wait_until([&] { return text_of(*file) == "FROZEN"; });
}

void thaw(const Group& group) {
  if (const auto file = file_in(group, "cgroup.freeze")) {
    (void)set(*file, "0");
  } else if (const auto older = file_in(group, "freezer.state")) {
    (void)set(*older, "THAWED");
  }
}

Result<void> remove(const Group& group) {
  for (const fs::path& folder : group) {
    int number = 0;
    // A group is busy for a moment after its last process has ended.
    const bool gone = wait_until([&] {
      number = ::rmdir(folder.c_str()) == 0 ? 0 : errno;
      return number == 0 || number == ENOENT || number != EBUSY;
    });
    if (!gone || (number != 0 && number != ENOENT)) {
      return failed(fmt::format("the control group {} cannot be removed", folder.string()), number,
                    "do processes still run in it? see its cgroup.procs");
    }
  }
  return {};
}

}  // namespace headroom::isolation
