#include "daemon/rollout.hpp"

#include <fmt/format.h>

namespace headroom::daemon {

Judgement judge(Rollout& rollout, const cloud::Observed& observed, bool proven) {
  int serving = 0;
  int others = 0;
  int failed = 0;
  for (const cloud::Instance& instance : observed.instances) {
    if (instance.service != rollout.service) continue;
    const bool new_one = instance.version == rollout.version;
    if (instance.state == cloud::InstanceState::in_service) ++(new_one ? serving : others);
    if (instance.state == cloud::InstanceState::draining && !new_one) ++others;
    if (instance.state == cloud::InstanceState::failed && new_one && instance.since >= rollout.began)
      ++failed;
  }
  if (serving > rollout.most || rollout.progress_at < rollout.began) rollout.progress_at = observed.at;
  rollout.most = std::max(rollout.most, serving);
  if (failed >= 2)
    return {Verdict::failed, fmt::format("{} instances of {} failed", failed, rollout.version)};
  const bool all = serving >= rollout.desired && others == 0;
  if (all && proven) return {Verdict::done, {}};
  if (!all && observed.at - rollout.progress_at > rollout.patience) {
    return {Verdict::failed,
            fmt::format("{} of {} instances of {} came into service, and no more within {} s", serving,
                        rollout.desired, rollout.version, rollout.patience.count() / 1000)};
  }
  return {Verdict::goes_on,
          fmt::format("{} of {} instances run {}", serving, rollout.desired, rollout.version)};
}

}  // namespace headroom::daemon
