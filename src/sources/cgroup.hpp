// Cgroup: the utilisation of the processes in a control group, over the CPU that the group may use.
//
// Version 2: usage_usec of cpu.stat, the limit in cpu.max. Version 1: cpuacct.usage, the limit in
// cpu.cfs_quota_us and cpu.cfs_period_us, which may stand in hierarchies of their own: of .../cpuacct/NAME
// the limit is looked for in .../cpu/NAME as well. A group without a limit may use all CPUs of the machine.
// Source: the kernel's documentation, admin-guide/cgroup-v2.rst and cgroup-v1/cpuacct.rst.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "sources/utilisation.hpp"

namespace headroom::sources {

class Cgroup : public Utilisation {
 public:
  // Errors: no control group with CPU accounting there.
  static base::Result<std::unique_ptr<Utilisation>> open(const std::filesystem::path& folder, Clock clock);

  base::Result<base::Percent> since_last() override;

 private:
  Cgroup(const std::filesystem::path& folder, Clock clock);

  std::optional<base::Nanoseconds> used() const;
  double cores() const;

  std::filesystem::path folder_;
  std::filesystem::path twin_;  // in the other hierarchy of version 1; the same where there is none
  Clock clock_;
  std::optional<base::Nanoseconds> used_;
  base::Nanoseconds at_{0};
};

}  // namespace headroom::sources
