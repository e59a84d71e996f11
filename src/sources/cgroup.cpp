#include "sources/cgroup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <thread>

#include "base/units.hpp"
#include "isolation/kernel_file.hpp"

namespace headroom::sources {
namespace {

using isolation::number_behind;
using isolation::number_in;
using isolation::text_of;

// The same group in the hierarchy `other`, where hierarchies are apart.
std::filesystem::path twin_of(const std::filesystem::path& folder) {
  std::filesystem::path twin;
  bool swapped = false;
  for (const auto& part : folder) {
    const bool swap = !swapped && (part == "cpuacct" || part == "cpu");
    twin /= swap ? std::filesystem::path(part == "cpu" ? "cpuacct" : "cpu") : part;
    swapped = swapped || swap;
  }
  return swapped && std::filesystem::is_directory(twin) ? twin : folder;
}

}  // namespace

Cgroup::Cgroup(const std::filesystem::path& folder, Clock clock)
    : folder_(folder), twin_(twin_of(folder)), clock_(std::move(clock)) {}

base::Result<std::unique_ptr<Utilisation>> Cgroup::open(const std::filesystem::path& folder, Clock clock) {
  std::unique_ptr<Cgroup> group(new Cgroup(folder, std::move(clock)));
  if (!group->used()) {
    return base::bad_input(
        fmt::format("{} is no control group with CPU accounting", base::in_quotes(folder.string())),
        "name its folder, which holds cpu.stat (version 2) or cpuacct.usage (version 1)");
  }
  return std::unique_ptr<Utilisation>(std::move(group));
}

std::optional<base::Nanoseconds> Cgroup::used() const {
  for (const auto& folder : {folder_, twin_}) {
    if (const auto nanoseconds = number_in(folder / "cpuacct.usage")) return base::Nanoseconds(*nanoseconds);
  }
  const auto text = text_of(folder_ / "cpu.stat");
  const auto microseconds = text ? number_behind(*text, "usage_usec") : std::nullopt;
  if (!microseconds) return std::nullopt;
  return base::Nanoseconds(*microseconds * 1000);
}

double Cgroup::cores() const {
  const double all = std::max(1U, std::thread::hardware_concurrency());
  std::optional<std::int64_t> quota;
  std::optional<std::int64_t> period;
  for (const auto& folder : {folder_, twin_}) {
    if (!quota) quota = number_in(folder / "cpu.cfs_quota_us");
    if (!period) period = number_in(folder / "cpu.cfs_period_us");
  }
  if (const auto text = text_of(folder_ / "cpu.max")) {
    const std::size_t blank = text->find(' ');
    quota = base::parse_integer(text->substr(0, blank));  // "max": none
    period = blank == std::string::npos ? std::nullopt : base::parse_integer(text->substr(blank + 1));
  }
  if (!quota || !period || *quota <= 0 || *period <= 0) return all;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

base::Result<base::Percent> Cgroup::since_last() {
  const auto used = this->used();
  const base::Nanoseconds at = clock_();
  if (!used) {
    return base::unavailable(fmt::format("the control group {} has gone", folder_.string()),
                             "was the instance ended?");
  }
  double percent = 0;
  if (used_ && at > at_) {
    percent = 100 * static_cast<double>((*used - *used_).count()) / static_cast<double>((at - at_).count()) /
              cores();
  }
  used_ = used;
  at_ = at;
  // The kernel lets a group run over its limit by a period and takes it back in the next one.
  return base::Percent(std::min(percent, 100.0));
}

}  // namespace headroom::sources
