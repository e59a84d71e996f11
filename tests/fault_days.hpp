// Fault days: a random day of one service, with faults, as data: drawn from a seed, made smaller, told in
// words. What must hold on such a day is in src/sim/fault_days_test.cpp.
//
// Until `kSettled` traffic jumps and things fail; from then on the traffic is steady and nothing fails any
// more, so the controller must come to rest.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/philox.hpp"
#include "control/step.hpp"
#include "policy/compile.hpp"
#include "sim/instance_rehearsal.hpp"
#include "sim/simulated_cloud.hpp"

namespace headroom::sim {

using base::Milliseconds;

inline constexpr Milliseconds kMinute{60'000};
inline constexpr Milliseconds kDay = 1440 * kMinute;
inline constexpr Milliseconds kSettled = 600 * kMinute;
inline constexpr double kSlope = 1;  // percent of one instance for a request per second

// The controller ends and starts again. What it had submitted before is on its way.
struct Restart {
  enum class Kind {
    forgets,  // its state is gone
    unsent,   // its state is as last written, but it ended before it submitted what that state says
    partly,   // as before, but the first of the actions were submitted
  };
  Milliseconds at{0};
  bool acting = false;  // not before it orders something, or an hour has passed
  Kind kind = Kind::forgets;
  int blind = 0;  // looks until the cloud has told its instances again
  // What stands between it and the cloud began anew with it, and no longer lists the tickets that are finished.
  // Never on a day on which the state is lost: from no memory at all nothing can be concluded.
  bool tickets_gone = false;
};

struct Level {
  Milliseconds from{0};
  double requests_per_second = 0;
};

struct FaultDay {
  std::uint64_t seed = 0;
  int zones = 1;
  bool per_zone = false;
  Milliseconds tick = kMinute;
  int looks = 1;  // of the controller in a tick
  Milliseconds startup{0};
  std::optional<capacity::StartupSpread> startup_spread;
  std::optional<Milliseconds> startup_pool;
  Milliseconds in_service_delay{0};
  int metric_ticks = 1;
  Milliseconds metric_lag{0};
  Milliseconds first_fresh{0};
  Milliseconds first_pool{0};
  environment::Health health;
  int pool = 0;
  Milliseconds drain{0};
  bool paid_hour = false;
  policy::Scaling scaling;
  bool restful = true;  // the policy waits until it sees what came of its last decision
  std::vector<Level> traffic;
  std::vector<environment::Drill> faults;
  std::vector<Restart> restarts;
};

inline Milliseconds longest_startup(const FaultDay& day) {
  Milliseconds longest = std::max(day.startup, day.startup_pool.value_or(Milliseconds(0)));
  if (day.startup_spread) {
    // Of the log-normal: 4.5 standard deviations above the median, less than one in 100,000.
    const bool uniform = day.startup_spread->kind == capacity::StartupSpread::Kind::uniform;
    longest = std::max(longest, uniform ? day.startup_spread->b : day.startup_spread->b * 6);
  }
  return longest + day.in_service_delay;
}

// ---- drawn from a seed

class FaultDayDraw {
 public:
  explicit FaultDayDraw(std::uint64_t seed) : rng_(seed, 0x6461'7973) { day_.seed = seed; }  // "days"

  FaultDay operator()() {
    fleet();
    metrics();
    limits();
    policies();
    traffic();
    for (int k = between(0, 12); k > 0; --k) day_.faults.push_back(fault());
    for (int k = one_in(3) ? 0 : between(1, 4); k > 0; --k) day_.restarts.push_back(restart());
    std::stable_sort(day_.faults.begin(), day_.faults.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    std::stable_sort(day_.restarts.begin(), day_.restarts.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    const bool forgets = std::any_of(day_.restarts.begin(), day_.restarts.end(),
                                     [](const Restart& r) { return r.kind == Restart::Kind::forgets; });
    for (Restart& made : day_.restarts) made.tickets_gone = !forgets && one_in(2);
    return day_;
  }

 private:
  int between(int low, int high) {
    return low + static_cast<int>(rng_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool one_in(int n) { return rng_.below(static_cast<std::uint64_t>(n)) == 0; }
  Milliseconds seconds(int low, int high) { return Milliseconds(1000) * between(low, high); }
  // Often none, as it is the default of most keys.
  Milliseconds some_seconds(int most) { return one_in(3) ? Milliseconds(0) : seconds(1, most); }
  Milliseconds some_minutes(int most) { return one_in(3) ? Milliseconds(0) : kMinute * between(1, most); }

  void fleet() {
    day_.zones = between(1, 3);
    day_.per_zone = day_.zones > 1 && one_in(2);
    day_.tick = one_in(4) ? Milliseconds(30'000) : kMinute;
    day_.looks = one_in(3) ? 2 : 1;
    day_.startup = some_seconds(300);
    if (one_in(4)) {
      day_.startup_spread = {capacity::StartupSpread::Kind::uniform, seconds(10, 60), seconds(61, 300)};
    } else if (one_in(4)) {
      day_.startup_spread = {capacity::StartupSpread::Kind::lognormal, seconds(60, 90), seconds(100, 120)};
    }
    if (one_in(2)) day_.startup_pool = some_seconds(60);
    day_.in_service_delay = some_seconds(120);
    if (one_in(2)) day_.pool = between(1, 3);
    day_.drain = some_seconds(300);
    day_.paid_hour = one_in(4);
    day_.health.interval = seconds(5, 60);
    day_.health.unhealthy_after = between(1, 5);
    day_.health.healthy_after = between(1, 3);
    day_.health.replace_after = between(1, 4);
    day_.health.grace = one_in(3) ? seconds(0, 120) : Milliseconds(0);
  }

  void metrics() {
    day_.metric_ticks = one_in(2) ? 1 : between(1, 3);
    day_.metric_lag = some_seconds(180);
    if (one_in(4)) day_.first_fresh = kMinute * between(1, 12);
    if (one_in(4)) day_.first_pool = kMinute * between(1, 3);
  }

  void limits() {
    policy::Limits& limits = day_.scaling.limits;
    limits.min = between(1, 3);
    limits.max = limits.min + (one_in(8) ? 0 : between(1, 8));
    if (one_in(4)) limits.step_out = between(1, 4);
    if (one_in(4)) limits.step_in = between(1, 2);
    if (one_in(5)) limits.rate_out = policy::RateLimit{between(1, 4), kMinute * between(1, 5)};
    if (one_in(5)) limits.rate_in = policy::RateLimit{between(1, 3), kMinute * between(1, 5)};
    day_.scaling.initial = between(limits.min, limits.max);
    day_.scaling.warm_up = some_minutes(5);
  }

  // Policies that come to rest under steady traffic: what is left after one instance more or fewer asks for
  // no way back. A group that removes r at a time has r + 1 at least, so the rest carries at most r + 1 times
  // as much each: `below` is as much less than `above`.
  void policies() {
    day_.restful = !one_in(3);
    if (!one_in(8)) {
      if (one_in(2)) {
        day_.scaling.policies.emplace_back(step());
      } else {
        day_.scaling.policies.emplace_back(target());
      }
    }
    if (!one_in(4)) return;
    policy::SchedulePolicy schedule;
    for (int k = between(1, 2); k > 0; --k) {
      policy::ScheduleEntry entry;
      const int from = between(0, 8);
      entry.from = std::chrono::hours(from);
      entry.to = std::chrono::hours(one_in(4) ? 24 : between(from + 1, 10));
      entry.at_least = between(1, 8);
      schedule.entries.push_back(entry);
    }
    day_.scaling.policies.emplace_back(schedule);
  }

  Milliseconds evaluation() {
    return day_.tick * (day_.metric_ticks > 1 ? day_.metric_ticks : between(1, 3));
  }

  // Until the metrics show what came of a decision: they cover a whole period, and come with their lag.
  Milliseconds cooldown(Milliseconds startup) {
    if (!day_.restful) return day_.tick * (one_in(2) ? 0 : between(1, 3));
    const Milliseconds sees = startup + day_.metric_lag + 2 * day_.tick * day_.metric_ticks;
    return day_.tick * (sees / day_.tick + between(2, 4));
  }

  policy::StepPolicy step() {
    policy::StepPolicy made;
    made.every = evaluation();
    const double above = between(50, 90);
    const int remove = between(1, 2);
    made.out = {{above, one_in(2), between(1, 3)}};
    if (one_in(2)) made.out.push_back({above + 5, one_in(2), between(2, 4)});
    made.in = {{0.95 * above / (remove + 1), one_in(2), remove}};
    made.periods = one_in(3) ? between(1, 3) : 1;
    made.datapoints = between(1, made.periods);
    made.cooldown_out = cooldown(longest_startup(day_));
    made.cooldown_in = cooldown(Milliseconds(0));
    made.semantics = one_in(3)   ? policy::StepSemantics::aws_simple
                     : one_in(2) ? policy::StepSemantics::aws_step
                                 : policy::StepSemantics::plain;
    return made;
  }

  policy::TargetPolicy target() {
    policy::TargetPolicy made;
    made.every = evaluation();
    made.target = between(30, 80);
    made.semantics = one_in(2) ? policy::TargetSemantics::hpa : policy::TargetSemantics::aws;
    made.periods_out = between(1, 3);
    made.periods_in = between(1, 5);
    made.stabilise_out = made.every * (one_in(2) ? 0 : between(1, 3));
    made.stabilise_in = made.every * (one_in(2) ? 0 : between(1, 5));
    made.cooldown_out = cooldown(longest_startup(day_));
    made.cooldown_in = cooldown(Milliseconds(0));
    made.scale_in = !one_in(6);
    return made;
  }

  // Up to one and a half times what the largest fleet can take.
  void traffic() {
    const int groups = day_.per_zone ? day_.zones : 1;
    const int most = 150 * day_.scaling.limits.max * groups;
    for (Milliseconds from{0}; from < kSettled; from += kMinute * between(5, 150)) {
      day_.traffic.push_back({from, static_cast<double>(one_in(6) ? 0 : between(0, most))});
    }
  }

  environment::Drill fault() {
    using Kind = environment::DrillKind;
    environment::Drill drill;
    drill.kind = static_cast<Kind>(between(0, static_cast<int>(Kind::calls_late)));
    if (one_in(4))
      drill.kind =
          static_cast<Kind>(between(static_cast<int>(Kind::calls_fail), static_cast<int>(Kind::calls_late)));
    drill.at = seconds(0, static_cast<int>(kSettled.count() / 1000) - 3600);
    // Half of them near another one: troubles that meet are the ones that nobody has thought of.
    if (!day_.faults.empty() && one_in(2)) {
      const Milliseconds other = day_.faults[rng_.below(day_.faults.size())].at;
      drill.at = std::clamp(other + seconds(-600, 600), Milliseconds(0), kSettled - kMinute * 60);
    }
    drill.duration = one_in(2) ? seconds(1, 600) : seconds(600, 3600);
    const bool of_zone = drill.kind == Kind::cut || drill.kind == Kind::lost;
    if (of_zone) drill.zone = std::string(1, static_cast<char>('a' + between(0, day_.zones - 1)));
    const bool of_instance = drill.kind == Kind::crash || drill.kind == Kind::hang ||
                             drill.kind == Kind::reboot || drill.kind == Kind::pause;
    if (of_instance) {
      drill.instance = one_in(3) ? "newest" : one_in(2) ? "oldest" : std::to_string(between(1, 4));
      if (drill.kind == Kind::crash || (drill.kind == Kind::hang && one_in(2)))
        drill.duration = Milliseconds(0);
    }
    if (drill.kind == Kind::metrics_skewed) drill.by = seconds(-3600, 3600);
    if (drill.kind == Kind::calls_late) drill.by = seconds(1, 1200);
    const bool of_calls =
        drill.kind == Kind::calls_fail || drill.kind == Kind::calls_hang || drill.kind == Kind::calls_lie;
    if (of_calls && one_in(2)) drill.share = 0.1 * between(2, 9);
    return drill;
  }

  Restart restart() {
    Restart made;
    // Near a fault more often than not: that is when it hurts.
    made.at = seconds(60, static_cast<int>(kSettled.count() / 1000) - 60);
    if (!day_.faults.empty() && !one_in(3)) {
      const auto which = rng_.below(day_.faults.size());
      const environment::Drill& drill = day_.faults[which];
      made.at = std::min(drill.at + drill.duration + kMinute * between(-10, 3), kSettled - kMinute);
      made.at = std::max(made.at, kMinute);
    }
    made.acting = one_in(2);
    made.kind = one_in(2) ? Restart::Kind::forgets : static_cast<Restart::Kind>(between(1, 2));
    made.blind = one_in(3) ? between(1, 5) : 0;
    return made;
  }

  base::Rng rng_;
  FaultDay day_;
};

// ---- as settings

inline std::vector<std::string> zones_of(const FaultDay& day) {
  std::vector<std::string> zones;
  for (int z = 0; z < day.zones; ++z) zones.emplace_back(1, static_cast<char>('a' + z));
  return zones;
}

inline SimulatedSettings cloud_of(const FaultDay& day) {
  SimulatedSettings made;
  made.service = "web";
  made.zones = zones_of(day);
  made.initial = day.scaling.initial * (day.per_zone ? day.zones : 1);
  made.startup = day.startup;
  made.startup_spread = day.startup_spread;
  made.startup_pool = day.startup_pool;
  made.in_service_delay = day.in_service_delay;
  made.metric_period = day.tick * day.metric_ticks;
  made.metric_lag = day.metric_lag;
  made.first_fresh = day.first_fresh;
  made.first_pool = day.first_pool;
  made.health = day.health;
  made.faults = day.faults;
  made.serving.seed = day.seed;
  made.serving.tick = day.tick;
  made.serving.capacity.slope_percent_per_rps = kSlope;
  base::Series series{Milliseconds(0), day.tick, {}};
  std::size_t level = 0;
  for (Milliseconds at{0}; at < kDay; at += day.tick) {
    while (level + 1 < day.traffic.size() && day.traffic[level + 1].from <= at) ++level;
    series.values.push_back(day.traffic.empty() ? 0 : day.traffic[level].requests_per_second);
  }
  made.serving.traffic = std::move(series);
  return made;
}

// As `headroom simulate` sets it up.
inline control::Settings control_of(const FaultDay& day) {
  const SimulatedSettings cloud = cloud_of(day);
  environment::Service service;
  service.name = cloud.service;
  service.health = day.health;
  service.instance.billing = {.model = fleet::BillingModel::hourly};
  service.scale = {.scaling = day.scaling,
                   .per_zone = day.per_zone,
                   .pool = day.pool,
                   .drain = day.drain,
                   .hold_to_paid_hour = day.paid_hour};
  const auto policy = policy::compile(day.scaling, day.tick, cloud.metric_period, day.metric_lag);
  return control_settings(cloud, service, policy.value());
}

// ---- in words

inline std::string clock(Milliseconds at) {
  const auto s = at.count() / 1000;
  return fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

inline std::string words(const environment::Drill& drill) {
  std::string made = fmt::format("{} {}", clock(drill.at), name(drill.kind));
  if (!drill.zone.empty()) made += " of zone " + drill.zone;
  if (!drill.instance.empty()) made += " of instance " + drill.instance;
  if (drill.duration > Milliseconds(0)) made += fmt::format(" for {} s", drill.duration.count() / 1000);
  if (drill.by != Milliseconds(0)) made += fmt::format(" by {} s", drill.by.count() / 1000);
  if (drill.share < 1) made += fmt::format(", {:.0f} % of the calls", 100 * drill.share);
  return made;
}

inline std::string words(const Restart& restart) {
  static constexpr const char* kHow[] = {"having lost its state", "before it sent its actions",
                                         "before it sent the last of its actions"};
  std::string made =
      fmt::format("{} the controller restarts {}{}", clock(restart.at), kHow[static_cast<int>(restart.kind)],
                  restart.acting ? ", when it next acts" : "");
  if (restart.blind > 0) made += fmt::format(" and is blind for {} looks", restart.blind);
  if (restart.tickets_gone) made += ", the tickets gone";
  return made;
}

inline std::string words(const policy::Policy& policy) {
  if (const auto* step = std::get_if<policy::StepPolicy>(&policy)) {
    return fmt::format(
        "step every {} s: above {} add {}, below {:.1f} remove {}, {} of {} periods, "
        "cooldowns {} and {} s, semantics {}",
        step->every.count() / 1000, step->out[0].threshold, step->out[0].change, step->in[0].threshold,
        step->in[0].change, step->datapoints, step->periods, step->cooldown_out.count() / 1000,
        step->cooldown_in.count() / 1000, static_cast<int>(step->semantics));
  }
  if (const auto* target = std::get_if<policy::TargetPolicy>(&policy)) {
    return fmt::format("target {} every {} s, semantics {}, {}", target->target, target->every.count() / 1000,
                       static_cast<int>(target->semantics), target->scale_in ? "in and out" : "out only");
  }
  std::string made = "schedule";
  for (const policy::ScheduleEntry& entry : std::get<policy::SchedulePolicy>(policy).entries) {
    made += fmt::format(" {}-{} at least {}", clock(entry.from), clock(entry.to), entry.at_least);
  }
  return made;
}

inline std::string words(const FaultDay& day) {
  std::string made =
      fmt::format("{} zones, {}; {} to {} instances, {} at the start; tick {} s, {} looks\n", day.zones,
                  day.per_zone ? "a group each" : "one fleet", day.scaling.limits.min, day.scaling.limits.max,
                  day.scaling.initial, day.tick.count() / 1000, day.looks);
  made +=
      fmt::format("start-up {} s{}, from the pool {} s, delay {} s; pool {}, drain {} s{}\n",
                  day.startup.count() / 1000, day.startup_spread ? " (spread)" : "",
                  day.startup_pool.value_or(day.startup).count() / 1000, day.in_service_delay.count() / 1000,
                  day.pool, day.drain.count() / 1000, day.paid_hour ? ", held to the paid hour" : "");
  made += fmt::format(
      "metrics of {} ticks, {} s late, the first {} s (pool {} s); a check each {} s, "
      "replaced after {}\n",
      day.metric_ticks, day.metric_lag.count() / 1000, day.first_fresh.count() / 1000,
      day.first_pool.count() / 1000, day.health.interval.count() / 1000, day.health.replace_after);
  for (const policy::Policy& policy : day.scaling.policies) made += words(policy) + "\n";
  made += "traffic:";
  for (const Level& level : day.traffic) {
    made += fmt::format(" {} {:.0f} rps,", clock(level.from), level.requests_per_second);
  }
  made += "\n";
  for (const environment::Drill& drill : day.faults) made += words(drill) + "\n";
  for (const Restart& restart : day.restarts) made += words(restart) + "\n";
  return made;
}

// ---- made smaller

// Days that are a little simpler than this one, each in one respect.
inline std::vector<FaultDay> simpler(const FaultDay& day) {
  std::vector<FaultDay> all;
  const auto with = [&](auto&& change) {
    FaultDay made = day;
    change(made);
    all.push_back(std::move(made));
  };
  const auto without_each = [&](auto member) {
    for (std::size_t k = 0; k < (day.*member).size(); ++k) {
      with([&](FaultDay& d) { (d.*member).erase((d.*member).begin() + static_cast<std::ptrdiff_t>(k)); });
    }
  };
  without_each(&FaultDay::faults);
  without_each(&FaultDay::restarts);
  without_each(&FaultDay::traffic);
  if (day.scaling.policies.size() > 1) with([](FaultDay& d) { d.scaling.policies.pop_back(); });
  const auto clear = [&](auto member) {
    const FaultDay plain;
    if (!(day.*member == plain.*member)) with([&](FaultDay& d) { d.*member = plain.*member; });
  };
  clear(&FaultDay::per_zone);
  clear(&FaultDay::looks);
  clear(&FaultDay::startup_spread);
  clear(&FaultDay::startup_pool);
  clear(&FaultDay::startup);
  clear(&FaultDay::in_service_delay);
  clear(&FaultDay::metric_lag);
  clear(&FaultDay::first_fresh);
  clear(&FaultDay::first_pool);
  clear(&FaultDay::pool);
  clear(&FaultDay::drain);
  clear(&FaultDay::paid_hour);
  for (std::size_t k = 0; k < day.restarts.size(); ++k) {
    if (day.restarts[k].blind > 0) with([&](FaultDay& d) { d.restarts[k].blind = 0; });
    if (day.restarts[k].tickets_gone) with([&](FaultDay& d) { d.restarts[k].tickets_gone = false; });
  }
  for (std::size_t k = 0; k < day.faults.size(); ++k) {
    if (day.faults[k].share < 1) with([&](FaultDay& d) { d.faults[k].share = 1; });
  }
  return all;
}

}  // namespace headroom::sim
