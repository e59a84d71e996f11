#include "isolation/tier.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "isolation/groups.hpp"
#include "isolation/kernel_file.hpp"
#include "isolation/launcher.hpp"
#include "isolation/network.hpp"

namespace headroom::isolation {
namespace {

namespace fs = std::filesystem;
using base::Result;

std::string probe_name() { return fmt::format("probe-{}", ::getpid()); }

Result<void> try_limits(Limits limits) {
  auto groups = Groups::open(limits, probe_name());
  if (!groups) return groups.error();
  auto made = groups->make("probe", {base::Cores(0.5), 64 << 20, 16});
  if (made) made = remove(groups->named("probe"));
  groups->remove_realm();
  return made;
}

// A folder for one trial, removed afterwards.
class Trial {
 public:
  Trial() {
    std::string pattern = (fs::temp_directory_path(error_) / "headroom-probe-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) folder_ = pattern;
    // The instance, of another user, must come by here.
    if (!folder_.empty()) fs::permissions(folder_, fs::perms(0755), error_);
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial() {
    if (!folder_.empty()) fs::remove_all(folder_, error_);
  }

  Result<void> run(bool own_users, bool own_files) {
    for (const char* name : {"image", "private", "record", "hidden"})
      fs::create_directory(folder_ / name, error_);
    if (folder_.empty() || error_) {
      return failed("no folder for a trial can be made", error_.value(),
                    "is the folder for temporary files full?");
    }
    Order order;
    order.name = "probe";
    order.own_files = own_files;
    order.user = own_users ? kUserOfProbe : -1;
    order.hidden = (folder_ / "hidden").string();
    order.image = (folder_ / "image").string();
    order.private_folder = (folder_ / "private").string();
    order.log = (folder_ / "log").string();
    order.log_bytes_max = 4096;
    order.record = (folder_ / "record").string();
    order.run = "true";
    order.shared_memory_bytes = 1 << 20;
    const auto started = launch(order);
    if (!started) return started.error();
    (void)wait_for_end(*started, base::Milliseconds(10'000));
    const auto exit = text_of(folder_ / "record" / "exit");
    if (exit == "exited 0") return {};
    return base::unavailable(
        fmt::format("a confined process that does nothing did not end well: '{}'", exit.value_or("")),
        "see the messages of the kernel (dmesg)");
  }

 private:
  static constexpr std::int64_t kUserOfProbe = 0x70000001;  // below those of Addresses::user

  std::error_code error_;
  fs::path folder_;
};

Result<void> try_confinement(bool own_users, bool own_files) { return Trial().run(own_users, own_files); }

std::string reason(const base::Error& error) { return error.faults.front().what; }

void tell_what_is_lost(Tier& tier, const std::string& network_reason, const std::string& files_reason) {
  const auto lost = [&](std::string sentence) { tier.lost.push_back(std::move(sentence)); };
  if (tier.limits == Limits::none) {
    lost(
        "CPU is not limited: instances take it from each other, and utilisation is no measure of an "
        "instance.");
    lost(
        "Memory is limited per process, not per instance, and what an instance uses is not measured "
        "exactly.");
    if (!tier.own_users) lost("The number of processes is not limited: a fork bomb takes the machine.");
  }
  if (tier.network == Network::loopback) {
    lost(
        "All instances share the network of the machine: each can reach every service on it and listen at "
        "the "
        "address of another, and a zone cannot be cut off." +
        (network_reason.empty() ? "" : " The reason: " + network_reason + "."));
  }
  if (!tier.own_users && tier.own_files) {
    lost("Instances run as the user of the daemon; only their view of files and processes keeps them apart.");
  }
  if (!tier.own_files) {
    lost("Instances see the files and processes of the machine" +
         std::string(tier.own_users
                         ? ", with the rights of a user who owns none of them."
                         : " and can do to them what the user of the daemon can: run only code that you "
                           "would run yourself.") +
         (files_reason.empty() ? "" : " The reason: " + files_reason + "."));
  }
  if (tier.own_files) return;
  lost("The image of an instance is read-only only by the owner of its files.");
}

}  // namespace

std::string_view to_string(Limits limits) {
  switch (limits) {
    case Limits::cgroup_v2:
      return "cgroup v2";
    case Limits::cgroup_v1:
      return "cgroup v1";
    case Limits::delegated:
      return "delegated cgroup v2";
    case Limits::none:
      return "no limits but of single processes";
  }
  return "";
}

std::string_view to_string(Network network) {
  return network == Network::namespaces ? "network namespaces" : "loopback addresses";
}

std::string describe(const Tier& tier) {
  return fmt::format("{}, {}, {}, {}", to_string(tier.limits), to_string(tier.network),
                     tier.own_users ? "own users" : "one user",
                     tier.own_files ? "own files" : "shared files");
}

Result<Tier> probe(const Asked& asked) {
  Tier tier;
  std::string limits_reason;
  for (const Limits limits : {Limits::cgroup_v2, Limits::cgroup_v1, Limits::delegated, Limits::none}) {
    if (asked.limits && *asked.limits != limits) continue;
    const auto tried = try_limits(limits);
    if (!tried && asked.limits) return tried.error();
    if (!tried) {
      limits_reason += (limits_reason.empty() ? "" : "; ") + reason(tried.error());
      continue;
    }
    tier.limits = limits;
    break;
  }
  std::string network_reason;
  if (asked.network != Network::loopback) {
    const auto tried = try_networks(probe_name());
    if (tried) tier.network = Network::namespaces;
    if (!tried && asked.network) return tried.error();
    if (!tried) network_reason = reason(tried.error());
  }
  std::string files_reason;
  // Both together first: it is the usual case.
  const bool root = ::geteuid() == 0;
  const bool users = asked.own_users && root;
  if (const auto both = try_confinement(users, asked.own_files); both) {
    tier.own_users = users;
    tier.own_files = asked.own_files;
  } else {
    files_reason = reason(both.error());
    tier.own_users = users && try_confinement(true, false);
    tier.own_files = asked.own_files && try_confinement(false, true);
    // Where even nothing at all fails, instances cannot be started.
    if (!tier.own_users && !tier.own_files) {
      if (const auto plain = try_confinement(false, false); !plain) return plain.error();
    }
    // Each alone, but not together: of the two, other files protect more.
    if (tier.own_users && tier.own_files) tier.own_users = false;
  }
  tell_what_is_lost(tier, network_reason, files_reason);
  if (tier.limits == Limits::none && !asked.limits)
    tier.lost.front() += " The reason: " + limits_reason + ".";
  return tier;
}

}  // namespace headroom::isolation
