#include "daemon/controller_settings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headroom::daemon {
namespace {

using base::Milliseconds;

// The shortest time of good service that proves a version.
constexpr Milliseconds kProven{2'000};

}  // namespace

control::Settings controller_settings(const Plan& plan, const ServicePlan& service,
                                      const ServiceRecord& record, const std::string& realm,
                                      Milliseconds start, bool begins) {
  control::Settings with;
  with.service = service.service.name;
  with.version = record.version;
  with.zones = plan.zones;
  with.per_zone = service.per_zone;
  with.token_prefix = fmt::format("{}-{}", realm, record.internal_port);
  with.start = start;
  with.tick = service.tick;
  with.policy = service.policy;
  policy::Numbers<base::One>& numbers = with.policy.numbers;
  const bool by_hand = record.override && record.override->instances;
  // Without a policy nothing would take away what a failure or a deployment has left beyond it.
  const bool holds = begins || service.policy.shape.policies == 0;
  if (holds && !by_hand) {
    const int groups = of_all_groups(1, service, plan);
    numbers.min = std::clamp((record.desired + groups - 1) / groups, numbers.min, numbers.max);
    numbers.max = numbers.min;
  }
  if (record.override) numbers = bounded(numbers, *record.override);
  with.metric_period = plan.metric_period;
  with.max_age = 3 * plan.metric_period;
  with.drain = service.drain;
  with.pool = service.pool;
  with.hold_while_paid = service.hold_while_paid;
  with.replace_after = service.replace_after;
  with.grace = service.grace;
  with.roll_at_once = std::max(1, record.desired / 4);
  with.roll_stops_first = service.service.keeps_volume;
  with.proven_after = std::max(kProven, service.service.health.interval);
  with.start_within = service.version.boot + kStartWithin;
  return with;
}

}  // namespace headroom::daemon
