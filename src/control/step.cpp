#include "control/step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/clock.hpp"
#include "control/group.hpp"
#include "control/orders.hpp"
#include "control/placement.hpp"
#include "control/watch.hpp"
#include "policy/reasons.hpp"

namespace headroom::control {
namespace {

using base::Milliseconds;
using base::One;
using cloud::Afterwards;
using cloud::Instance;
using cloud::InstanceState;
using cloud::Launch;
using cloud::Retire;
using cloud::Start;

// 1970-01-01 was a Thursday (weekday 3, Monday being 0).
policy::Now instant(const Settings& settings, std::int32_t tick) {
  constexpr std::int64_t kDay = 86'400'000;
  const std::int64_t ms = (settings.start + tick * settings.tick).count();
  const std::int64_t day = ms >= 0 ? ms / kDay : -((kDay - 1 - ms) / kDay);
  return {.tick = tick,
          .weekday = static_cast<std::int32_t>(((day + 3) % 7 + 7) % 7),
          .ms_of_day = static_cast<std::int32_t>(ms - day * kDay)};
}

// One step; `next` is what comes out of it.
class Stepper {
 public:
  Stepper(Milliseconds now, const cloud::Observed& observed, const Settings& settings, Step& next)
      : now_(now),
        observed_(observed),
        settings_(settings),
        next_(next),
        state_(next.state),
        orders_(now, observed, settings, next) {
    const auto count = static_cast<std::int32_t>(group_names(settings).size());
    state_.groups.resize(static_cast<std::size_t>(count));
    for (std::int32_t g = 0; g < count; ++g)
      groups_.emplace_back(g, now, observed, settings, orders_, state_);
  }

  void run() {
    std::erase_if(state_.avoided, [&](const Avoided& avoided) {
      return now_ >= avoided.until && avoided.failed_starts == 0;
    });
    for (const Group& group : groups_) hasten(group);
    for (Order& order : orders_.follow_up()) place_anew(std::move(order));
    replace();
    forget_marks();
    if (now_ >= settings_.start) {
      const auto tick = static_cast<std::int32_t>((now_ - settings_.start) / settings_.tick);
      if (tick >= state_.next_tick) {
        for (Group& group : groups_) decide(group, tick);
        state_.next_tick = tick + 1;
      }
    }
    release_marked();
    for (const Group& group : groups_) roll(group);
  }

 private:
  // ---- failures

  Group& group_of(const std::string& zone) {
    if (!settings_.per_zone) return groups_.front();
    for (Group& group : groups_) {
      if (group.name() == zone) return group;
    }
    return groups_.front();
  }

  // A launch goes to where there is room now, not to where it has failed. A removal that waited is dropped
  // where failures have made the instance needed since.
  void place_anew(Order order) {
    const Group& group = group_of(orders_.zone_of(order));
    if (std::holds_alternative<Launch>(order.action.what)) return supply(group, std::move(order));
    if (std::holds_alternative<Start>(order.action.what)) {
      if (group.room() > 0) return orders_.place(std::move(order));
      return orders_.place_later(std::move(order), Milliseconds(0));
    }
    const Retire& retire = std::get<Retire>(order.action.what);
    const Instance* instance = find_instance(observed_, retire.instance);
    const bool serves = instance != nullptr && instance->state == InstanceState::in_service;
    if (retire.afterwards != Afterwards::inspect && serves && group.needs(*instance)) {
      return orders_.note(Happened::taken_back, retire.instance,
                          "its removal waited, and now the instance is needed for the minimum");
    }
    orders_.place(std::move(order));
  }

  // As many as this order for a launch says: from the pool, then new ones. What there is no room for yet
  // waits until what is to go has gone.
  void supply(const Group& group, Order order) {
    const int wanted = order.expected;
    const int now = std::min(wanted, group.room());
    int missing = now;
    for (; missing > 0; --missing) {
      const std::vector<const Instance*> pool = group.pool();
      if (pool.empty()) break;
      Order start;
      start.action = {"", Start{pool.front()->id}, order.action.why};
      orders_.place(std::move(start));
    }
    const std::vector<ZoneCount> present = group.present_by_zone();
    for (const ZoneCount& zone : spread(present, missing)) {
      Order part = order;
      part.action.what = Launch{settings_.service, settings_.version, zone.zone, zone.instances};
      part.expected = zone.instances;
      orders_.place(std::move(part));
    }
    if (wanted == now) return;
    order.expected = wanted - now;
    order.action.what = Launch{settings_.service, settings_.version, present.front().zone, order.expected};
    orders_.place_later(std::move(order), Milliseconds(0));
  }

  // The cloud has refused what the minimum needs, and may answer again any time.
  void hasten(const Group& group) {
    int missing = group.missing_for_minimum();
    for (Order& order : state_.orders) {
      const bool is_refused = order.not_before && order.attempts > 1;
      const int some = is_refused ? orders_.outstanding(order, group.zones()) : 0;
      if (missing <= 0 || some == 0) continue;
      order.not_before = std::min(*order.not_before, order.submitted + settings_.retry_for_minimum);
      missing -= some;
    }
  }

  // Takes failed instances out and orders one for each that has ended, at once and whatever the policy's
  // cooldowns say: it keeps the number that was decided. Where instances are lost before they serve, launches
  // wait longer each time, so that a version that cannot start is not launched without end; those that are
  // lost together have failed once.
  void replace() {
    const Watching ended = watch(now_, observed_, settings_, orders_, state_);
    std::vector<std::string> failing;
    const auto avoid = [&](const Ended& one) {
      if (one.served || contains(failing, one.zone)) return;
      failing.push_back(one.zone);
      Avoided& zone = avoided(state_, one.zone);
      zone.until = std::max(zone.until, now_ + wait_after(zone.failed_starts++, settings_));
    };
    for (const Ended& failed : ended.failed) avoid(failed);
    for (const Ended& lost : ended.lost) avoid(lost);

    for (const Ended& failed : ended.failed) {
      orders_.note(Happened::instance_failed, failed.id, failed.why);
      const bool was_to_go = forget(failed.id);
      Order order;
      order.action.what = Retire{failed.id, Milliseconds(0), Afterwards::inspect};
      order.action.why = failed.why;
      orders_.place(std::move(order));
      if (!was_to_go) replace(failed);
    }
    for (const Ended& lost : ended.lost) {
      orders_.note(Happened::instance_lost, lost.id, lost.why);
      if (!forget(lost.id)) replace(lost);
    }
  }

  // Whether it was to go anyway.
  bool forget(const std::string& id) {
    return std::erase(state_.marked, id) + std::erase(state_.outgoing, id) > 0;
  }

  void replace(const Ended& ended) {
    Group& group = group_of(ended.zone);
    if (group.total() >= settings_.policy.numbers.max) return;
    const std::string why = fmt::format("replaces {}: {}", ended.id, ended.why);
    const Milliseconds opens_at = group.opens_at();
    if (ended.served || opens_at == now_) return grow(group, 1, why);
    Order order;
    order.action.what = Launch{settings_.service, settings_.version, group.present_by_zone().front().zone, 1};
    order.action.why = why;
    orders_.place_later(std::move(order), opens_at - now_);
  }

  // ---- the decision

  void decide(Group& group, std::int32_t tick) {
    const policy::Compiled& policy = settings_.policy;
    const policy::Observation<One> seen = group.see();
    policy::State<One>& memory = group.memory().policy;
    policy::skip(state_.next_tick, tick, seen.launching > 0, policy.shape, memory);
    const policy::Decision<One> decision =
        policy::decide(instant(settings_, tick), seen, policy.shape, policy.numbers, memory);
    const auto index = static_cast<std::int32_t>(&group - groups_.data());
    next_.decided.push_back({index, tick, now_, seen, decision});

    const std::string why = policy::sentence({static_cast<std::uint32_t>(decision.reasons)});
    if (decision.add > 0) grow(group, decision.add, why);
    // What the policy no longer wants and the cloud has not got yet is not ordered anew.
    const int wanted = std::max(policy.numbers.min, std::min(decision.after_rate, policy.numbers.max));
    const int surplus = seen.in_service + seen.launching - decision.remove - wanted;
    if (surplus > 0) take_back_starts(group, surplus);
    if (decision.remove > 0) shrink(group, decision.remove, why);
    trim_pool(group);
  }

  // Nobody starts what is beyond the pool's size, which can have become smaller; it only costs.
  void trim_pool(const Group& group) {
    for (const Instance* instance : group.beyond_pool()) {
      Order order;
      order.action = {"", Retire{instance->id, Milliseconds(0), Afterwards::gone},
                      fmt::format("the warm pool holds {}", settings_.pool)};
      orders_.place(std::move(order));
    }
  }

  void take_back_starts(const Group& group, int surplus) {
    const int taken = orders_.take_back<Launch>(surplus, group.zones());
    orders_.take_back<Start>(surplus - taken, group.zones());
  }

  // From what is nearest to serving to what is farthest: an instance whose removal has failed so far or waits
  // for the end of its paid time stays; then the warm pool; then new ones.
  void grow(const Group& group, int add, const std::string& why) {
    add -= orders_.take_back<Retire>(add, group.zones());
    add -= recall(group, add);
    if (add <= 0) return;
    Order order;
    order.action.why = why;
    order.expected = add;
    supply(group, std::move(order));
  }

  void shrink(const Group& group, int remove, const std::string& why) {
    for (const Instance* instance : pick_for_removal(group.serving(), remove)) {
      if (settings_.hold_while_paid) {
        state_.marked.push_back(instance->id);
        orders_.note(Happened::marked, instance->id, why);
      } else {
        retire(group, *instance, why);
      }
    }
  }

  void retire(const Group& group, const Instance& instance, const std::string& why) {
    const Afterwards afterwards = group.pooled() < settings_.pool && instance.version == settings_.version
                                      ? Afterwards::pool
                                      : Afterwards::gone;
    Order order;
    order.action.what = Retire{instance.id, settings_.drain, afterwards};
    order.action.why = why;
    orders_.place(std::move(order));
  }

  // ---- paid time

  // The latest mark first. Returns how many stay.
  int recall(const Group& group, int count) {
    const std::vector<const Instance*> marked = group.marked();
    int recalled = 0;
    for (auto it = marked.rbegin(); it != marked.rend() && recalled < count; ++it, ++recalled) {
      recall(**it, "needed again before its paid time ended");
    }
    return recalled;
  }

  void recall(const Instance& instance, std::string why) {
    std::erase(state_.marked, instance.id);
    orders_.note(Happened::recalled, instance.id, std::move(why));
  }

  // After those that are lost were not replaced because of their marks.
  void forget_marks() {
    std::erase_if(state_.marked, [&](const std::string& id) {
      const Instance* instance = find_instance(observed_, id);
      return instance == nullptr || instance->state != InstanceState::in_service || orders_.is_leaving(id);
    });
  }

  // Removed now it is gone at `ends`: the order takes hold within a tick, and a drain ends with one where
  // time goes in ticks. Where a tick later would cost no more, it still serves.
  void release_marked() {
    if (!settings_.hold_while_paid) return;
    const fleet::Billing& billing = *settings_.hold_while_paid;
    const std::int64_t drain_ticks = (settings_.drain + settings_.tick - Milliseconds(1)) / settings_.tick;
    const Milliseconds ends = now_ + settings_.tick * (1 + drain_ticks);
    for (Group& group : groups_) {
      for (const Instance* instance : group.marked()) {
        const Milliseconds began = billing.from_in_service ? instance->since : instance->started;
        const Milliseconds paid = fleet::paid_until(began, ends, billing);
        if (fleet::paid_until(began, ends + settings_.tick, billing) == paid) continue;
        if (group.needs(*instance)) {
          recall(*instance, "needed for the minimum when its paid time ended");
          continue;
        }
        std::erase(state_.marked, instance->id);
        retire(group, *instance, "its paid time ends");
        // The others carry more from now on, which the metrics will show later: as after any removal.
        group.memory().policy.last_in = state_.next_tick - 1;
      }
    }
  }

  // ---- another version

  // In batches: replacements come into service beside those that they replace, above max if need be, and only
  // when they are proven do the old ones drain. The policy sees the number that was decided all the while.
  void roll(const Group& group) {
    if (settings_.roll_at_once <= 0) return;
    take_back_replacements(group);
    if (!group.is_proven()) return;
    const std::vector<const Instance*> outgoing = group.outgoing();
    if (!outgoing.empty()) {
      for (const Instance* instance : outgoing) {
        std::erase(state_.outgoing, instance->id);
        dismiss(*instance, fmt::format("replaced by version {}", settings_.version));
      }
      return;
    }
    if (group.sheds_outdated()) return;
    const std::vector<const Instance*> outdated = group.outdated(false);
    const int count = std::min(static_cast<int>(outdated.size()), settings_.roll_at_once);
    if (count > 0 && settings_.roll_stops_first) {
      // The decision on the next tick orders what is missing then.
      const Instance& first = *pick_for_removal(outdated, 1).front();
      dismiss(first, fmt::format("version {} takes its place", settings_.version));
    } else if (count > 0) {
      const std::string why =
          fmt::format("version {} replaces {}", settings_.version, outdated.front()->version);
      for (const Instance* instance : pick_for_removal(outdated, count)) {
        state_.outgoing.push_back(instance->id);
        orders_.note(Happened::outgoing, instance->id, why);
      }
      for (const ZoneCount& zone : spread(group.present_by_zone(), count)) {
        Order order;
        order.action = {"", Launch{settings_.service, settings_.version, zone.zone, zone.instances}, why};
        order.expected = zone.instances;
        orders_.place(std::move(order));
      }
    }
    for (const Instance* instance : group.outdated_pool())
      dismiss(*instance, fmt::format("version {} is deployed", settings_.version));
  }

  // The version of outgoing instances is wanted again: they stay, and as many of those that were to replace
  // them go, first those that do not serve yet.
  void take_back_replacements(const Group& group) {
    std::vector<const Instance*> replacements = group.outdated(true);
    for (const Instance* instance : group.outdated(false)) replacements.push_back(instance);
    auto surplus = replacements.begin();
    for (const Instance* instance : group.outgoing()) {
      if (instance->version != settings_.version) continue;
      std::erase(state_.outgoing, instance->id);
      orders_.note(Happened::recalled, instance->id, "its version is wanted again");
      if (orders_.take_back<Launch>(1, group.zones()) > 0 || surplus == replacements.end()) continue;
      dismiss(**surplus, fmt::format("version {} is wanted again", settings_.version));
      ++surplus;
    }
    std::erase_if(state_.outgoing, [&](const std::string& id) {
      const Instance* instance = find_instance(observed_, id);
      return instance == nullptr || instance->state != InstanceState::in_service || orders_.is_leaving(id);
    });
  }

  void dismiss(const Instance& instance, std::string why) {
    Order order;
    order.action = {"", Retire{instance.id, settings_.drain, Afterwards::gone}, std::move(why)};
    orders_.place(std::move(order));
  }

  Milliseconds now_;
  const cloud::Observed& observed_;
  const Settings& settings_;
  Step& next_;
  State& state_;
  Orders orders_;
  std::vector<Group> groups_;
};

}  // namespace

std::string_view to_string(Happened happened) {
  switch (happened) {
    case Happened::list_unknown:
      return "list_unknown";
    case Happened::list_outdated:
      return "list_outdated";
    case Happened::unsettled:
      return "unsettled";
    case Happened::ordered_anew:
      return "ordered_anew";
    case Happened::sent_again:
      return "sent_again";
    case Happened::given_up:
      return "given_up";
    case Happened::taken_back:
      return "taken_back";
    case Happened::instance_failed:
      return "instance_failed";
    case Happened::instance_lost:
      return "instance_lost";
    case Happened::marked:
      return "marked";
    case Happened::recalled:
      return "recalled";
    case Happened::outgoing:
      return "outgoing";
  }
  return "unknown";
}

std::vector<std::string> group_names(const Settings& settings) {
  return settings.per_zone ? settings.zones : std::vector<std::string>{""};
}

Step step(Milliseconds now, const cloud::Observed& observed, State state, const Settings& settings) {
  Step next;
  next.state = std::move(state);
  if (!observed.instances_at) {
    next.notes.push_back({Happened::list_unknown, "", "the cloud has not told its instances yet"});
    return next;
  }
  if (next.state.instances_at && *observed.instances_at < *next.state.instances_at) {
    next.notes.push_back({Happened::list_outdated, "",
                          fmt::format("the list of instances is {} ms older than one already used",
                                      (*next.state.instances_at - *observed.instances_at).count())});
    return next;
  }
  next.state.instances_at = observed.instances_at;
  if (next.state.groups.empty()) {
    if (std::string why = unsettled(observed, settings, next.state); !why.empty()) {
      next.notes.push_back({Happened::unsettled, "", std::move(why)});
      return next;
    }
  }
  const cloud::Observed seen = on_own_clock(observed);
  Stepper(now, seen, settings, next).run();
  return next;
}

}  // namespace headroom::control
