// Cgroup: the utilisation of the processes in a control group, over the CPU that the group may use.
//
// Version 2: usage_usec of cpu.stat, the limit in cpu.max. Version 1: cpuacct.usage, the limit in
// cpu.cfs_quota_us and cpu.cfs_period_us. A group without a limit may use all CPUs of the machine.
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
  Cgroup(std::filesystem::path folder, Clock clock) : folder_(std::move(folder)), clock_(std::move(clock)) {}

  std::optional<base::Nanoseconds> used() const;
  double cores() const;

  std::filesystem::path folder_;
  Clock clock_;
  std::optional<base::Nanoseconds> used_;
  base::Nanoseconds at_{0};
};

}  // namespace headroom::sources
