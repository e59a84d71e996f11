// Groups: the control groups of a realm, the same in version 1 and version 2 of the kernel's hierarchies.
//
// A group is the list of its folders: one in version 2, one per hierarchy in version 1. The list is kept with
// the instance, for a user's next daemon can stand in another delegated group than its last.
// Source: the kernel's documentation, admin-guide/cgroup-v2.rst and admin-guide/cgroup-v1/.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "isolation/tier.hpp"

namespace headroom::isolation {

using Group = std::vector<std::filesystem::path>;

struct GroupLimits {
  base::Cores cores{1};
  std::optional<std::int64_t> memory_bytes;
  int processes_max = 256;
};

struct GroupUsage {
  base::Nanoseconds cpu{0};
  base::Nanoseconds throttled{0};  // time in which it was held back, summed over processors
  std::int64_t memory_bytes = 0;   // without the files that could be dropped
  int processes = 0;               // threads included
  std::int64_t out_of_memory_kills = 0;
};

class Groups {
 public:
  // Errors: this machine has no such hierarchies, or this user may not make groups in them.
  static base::Result<Groups> open(Limits limits, const std::string& realm);

  // Requires: no such group exists. Errors: a setting is refused; nothing is left then.
  base::Result<void> make(const std::string& name, const GroupLimits& limits) const;
  Group named(const std::string& name) const;  // its folders, whether it exists or not
  std::vector<std::string> names() const;
  // The folders of the realm, when they are empty.
  void remove_realm() const;

 private:
  Groups(Limits limits, std::string name, std::vector<std::filesystem::path> realm)
      : limits_(limits), name_(std::move(name)), realm_(std::move(realm)) {}

  Limits limits_;
  std::string name_;                          // of the realm
  std::vector<std::filesystem::path> realm_;  // no folders: limits of single processes only
};

// Of any group. What is gone has no processes and uses nothing.
std::vector<pid_t> processes_of(const Group& group);
GroupUsage usage_of(const Group& group);
// Waits until all of it stands still; true: it does.
bool freeze(const Group& group);
void thaw(const Group& group);
// Errors: processes are still in it.
base::Result<void> remove(const Group& group);

}  // namespace headroom::isolation
