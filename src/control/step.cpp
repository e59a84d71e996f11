#include "control/step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/placement.hpp"
#include "policy/reasons.hpp"

namespace headroom::control {
namespace {

using base::Milliseconds;
using base::One;
using cloud::Instance;
using cloud::InstanceState;
using cloud::Launch;
using cloud::Retire;
using cloud::TicketState;

constexpr int kMostDoublings = 5;  // of Settings::retry_after

// 1970-01-01 was a Thursday (weekday 3, Monday being 0).
policy::Now instant(const Settings& settings, std::int32_t tick) {
  constexpr std::int64_t kDay = 86'400'000;
  const std::int64_t ms = (settings.start + tick * settings.tick).count();
  const std::int64_t day = ms >= 0 ? ms / kDay : -((kDay - 1 - ms) / kDay);
  return {.tick = tick,
          .weekday = static_cast<std::int32_t>(((day + 3) % 7 + 7) % 7),
          .ms_of_day = static_cast<std::int32_t>(ms - day * kDay)};
}

const cloud::TicketReport* find_ticket(const cloud::Observed& observed, const std::string& token) {
  const auto found = std::lower_bound(
      observed.tickets.begin(), observed.tickets.end(), token,
      [](const cloud::TicketReport& report, const std::string& t) { return report.ticket.token < t; });
  return found != observed.tickets.end() && found->ticket.token == token ? &*found : nullptr;
}

bool is_on_its_way(const Instance& instance) {
  return instance.state == InstanceState::launching || instance.state == InstanceState::warming;
}

// One step; `next` is what comes out of it.
class Stepper {
 public:
  Stepper(Milliseconds now, const cloud::Observed& observed, const Settings& settings, Step& next)
      : now_(now), observed_(observed), settings_(settings), next_(next), state_(next.state) {
    for (const Instance& instance : observed.instances) {
      if (instance.service == settings.service) instances_.push_back(&instance);
    }
  }

  void run() {
    follow_up();
    if (now_ >= settings_.start) {
      const auto tick = static_cast<std::int32_t>((now_ - settings_.start) / settings_.tick);
      if (tick >= state_.next_tick) decide(tick);
    }
  }

 private:
  // ---- orders

  void note(Happened happened, const std::string& token, std::string why) {
    next_.notes.push_back({happened, token, std::move(why)});
  }

  // Tokens name the time and, within it, a number: none is used twice, even if the state were lost.
  std::string next_token() {
    if (now_ > state_.token_at) {
      state_.token_at = now_;
      state_.token_number = 0;
    }
    return fmt::format("{}-{}-{}", settings_.token_prefix, state_.token_at.count(), state_.token_number++);
  }

  void submit(Order& order) {
    order.submitted = now_;
    next_.actions.push_back(order.action);
  }

  void place(Order order) {
    order.action.token = next_token();
    order.not_before.reset();
    submit(order);
    state_.orders.push_back(std::move(order));
  }

  // Goes through the orders and drops those that are carried out or lost.
  void follow_up() {
    std::vector<Order> before = std::exchange(state_.orders, {});
    for (Order& order : before) {
      if (order.not_before) {
        if (now_ >= *order.not_before) {
          place(std::move(order));
        } else {
          state_.orders.push_back(std::move(order));
        }
        continue;
      }
      note_appearance(order);
      if (!is_carried_out(order) && judge(order)) state_.orders.push_back(std::move(order));
    }
  }

  // An instance that has appeared is counted by its state from then on, also when it disappears again.
  void note_appearance(Order& order) const {
    if (!std::holds_alternative<Launch>(order.action.what)) return;
    for (const Instance* instance : instances_) {
      if (instance->launched_by != order.action.token) continue;
      if (std::find(order.appeared.begin(), order.appeared.end(), instance->id) == order.appeared.end()) {
        order.appeared.push_back(instance->id);
      }
    }
  }

  bool is_carried_out(const Order& order) const {
    if (const auto* retire = std::get_if<Retire>(&order.action.what)) {
      const Instance* instance = find(retire->instance);
      return instance == nullptr ||
             (instance->state != InstanceState::in_service && !is_on_its_way(*instance));
    }
    return outstanding(order) == 0;
  }

  const Instance* find(const std::string& id) const {
    for (const Instance* instance : instances_) {
      if (instance->id == id) return instance;
    }
    return nullptr;
  }

  // Instances of a launch that are still to appear.
  static int outstanding(const Order& order) {
    if (!std::holds_alternative<Launch>(order.action.what)) return 0;
    return std::max(0, order.expected - static_cast<int>(order.appeared.size()));
  }

  // What the cloud says of an order that the instances do not show to be carried out. Returns whether the
  // order stands.
  bool judge(Order& order) {
    if (observed_.at <= order.submitted) return true;  // seen before it was sent: says nothing of it
    const cloud::TicketReport* report = find_ticket(observed_, order.action.token);
    const TicketState said = report == nullptr ? TicketState::uncertain : report->state;
    switch (said) {
      case TicketState::pending:
        return true;
      case TicketState::uncertain:
        // Sending a token again has no effect where the first had one, so this cannot launch twice.
        if (now_ - order.submitted >= settings_.retry_after) {
          note(Happened::sent_again, order.action.token,
               report == nullptr ? "the cloud does not list it" : report->why);
          submit(order);
        }
        return true;
      case TicketState::failed:
        return after_failure(order, *report);
      case TicketState::done:
        return !is_lost(order, *report);
    }
    return true;
  }

  bool is_lost(const Order& order, const cloud::TicketReport& report) {
    if (*observed_.instances_at < report.since + settings_.appear_within) return false;
    note(Happened::given_up, order.action.token,
         std::holds_alternative<Launch>(order.action.what)
             ? fmt::format("confirmed, but {} did not appear", outstanding(order))
             : "confirmed, but the instance is still in service");
    return true;
  }

  bool after_failure(Order& order, const cloud::TicketReport& report) {
    const bool is_launch = std::holds_alternative<Launch>(order.action.what);
    const int affected = is_launch ? std::max(report.affected, static_cast<int>(order.appeared.size())) : 0;
    const int refused = order.expected - affected;
    if (refused > 0) {
      if (report.retriable) {
        order_anew(order, refused, report.why);
      } else {
        note(Happened::given_up, order.action.token, report.why);
      }
      order.expected = affected;
    }
    return outstanding(order) > 0 && !is_lost(order, report);
  }

  void order_anew(const Order& failed, int count, const std::string& why) {
    Order again;
    again.action = failed.action;
    again.action.token.clear();
    again.attempts = failed.attempts + 1;
    again.expected = count;
    if (auto* launch = std::get_if<Launch>(&again.action.what)) {
      launch->count = count;
      launch->version = settings_.version;
    }
    const Milliseconds wait = settings_.retry_after * (1 << std::min(failed.attempts - 1, kMostDoublings));
    again.not_before = now_ + wait;
    note(Happened::ordered_anew, failed.action.token, fmt::format("{}; again in {} ms", why, wait.count()));
    state_.orders.push_back(std::move(again));
  }

  // Takes back up to `count` instances from orders of this kind that wait to be placed anew, the latest
  // first: nothing of them has reached the cloud. Returns how many.
  template <class Kind>
  int take_back(int count) {
    int taken = 0;
    for (std::size_t k = state_.orders.size(); k-- > 0 && taken < count;) {
      Order& order = state_.orders[k];
      if (!order.not_before || !std::holds_alternative<Kind>(order.action.what)) continue;
      const int some = std::min(order.expected, count - taken);
      taken += some;
      order.expected -= some;
      if (auto* launch = std::get_if<Launch>(&order.action.what)) launch->count = order.expected;
      note(Happened::not_needed_now, order.action.token, order.action.why);
    }
    std::erase_if(state_.orders, [](const Order& order) { return order.not_before && order.expected == 0; });
    return taken;
  }

  // ---- the observation

  // Ordered out of service: it no longer counts, seen or not.
  bool is_leaving(const Instance& instance) const {
    return std::any_of(state_.orders.begin(), state_.orders.end(), [&](const Order& order) {
      const auto* retire = std::get_if<Retire>(&order.action.what);
      return retire != nullptr && retire->instance == instance.id;
    });
  }

  bool counts_as_in_service(const Instance& instance) const {
    return instance.state == InstanceState::in_service && !is_leaving(instance);
  }

  std::vector<const Instance*> in_service() const {
    std::vector<const Instance*> serving;
    std::copy_if(instances_.begin(), instances_.end(), std::back_inserter(serving),
                 [&](const Instance* instance) { return counts_as_in_service(*instance); });
    return serving;
  }

  policy::Observation<One> see() {
    policy::Observation<One> seen{};
    for (const Instance* instance : instances_) {
      if (counts_as_in_service(*instance)) {
        ++seen.in_service;
        if (now_ - instance->since < settings_.policy.warm_up_ticks * settings_.tick) ++seen.warming;
      } else if (is_on_its_way(*instance) && !is_leaving(*instance)) {
        ++seen.launching;
      }
    }
    for (const Order& order : state_.orders) seen.launching += outstanding(order);
    see_metrics(seen);
    return seen;
  }

  bool is_recent(Milliseconds time) const { return now_ - time <= settings_.max_age; }

  // The mean over the instances in service that have metrics of the newest period. Those that have only older
  // ones are left out: they would mix two times.
  void see_metrics(policy::Observation<One>& seen) {
    const cloud::InstanceMetrics* newest = nullptr;
    const std::vector<const Instance*> serving = in_service();
    for (const Instance* instance : serving) {
      if (!instance->metrics || !is_recent(instance->metrics->end)) continue;
      if (newest == nullptr || instance->metrics->end > newest->end) newest = &*instance->metrics;
    }
    // On the numbers of an old list no metric can be judged.
    if (!is_recent(*observed_.instances_at)) newest = nullptr;

    double sum[2] = {0, 0};
    int count[2] = {0, 0};
    for (const Instance* instance : serving) {
      if (newest == nullptr || !instance->metrics) continue;
      if (instance->metrics->end <= newest->end - newest->length) continue;
      const auto take = [&](policy::Metric metric, const auto& value) {
        if (!value) return;
        sum[static_cast<int>(metric)] += value->value();
        ++count[static_cast<int>(metric)];
      };
      take(policy::Metric::cpu, instance->metrics->cpu);
      take(policy::Metric::requests, instance->metrics->requests);
    }
    for (int m = 0; m < 2; ++m) {
      seen.missing[m] = count[m] == 0;
      seen.value[m] = count[m] == 0 ? 0.0f : static_cast<float>(sum[m] / count[m]);
    }

    // A period has ended since the last decision where newer metrics have come, or where those that were due
    // would by now be too old to use.
    if (newest != nullptr && (!state_.sample_end || newest->end > *state_.sample_end)) {
      state_.sample_end = newest->end;
      seen.fresh = true;
    } else if (newest == nullptr && state_.sample_end) {
      while (!is_recent(*state_.sample_end + settings_.metric_period)) {
        *state_.sample_end += settings_.metric_period;
        seen.fresh = true;
      }
    }
  }

  // ---- the decision

  void decide(std::int32_t tick) {
    const policy::Compiled& policy = settings_.policy;
    const policy::Observation<One> seen = see();
    policy::skip(state_.next_tick, tick, seen.launching > 0, policy.shape, state_.policy);
    const policy::Decision<One> decision =
        policy::decide(instant(settings_, tick), seen, policy.shape, policy.numbers, state_.policy);
    state_.next_tick = tick + 1;
    next_.decided = Decided{tick, now_, seen, decision};

    const std::string why = policy::sentence({static_cast<std::uint32_t>(decision.reasons)});
    if (decision.add > 0) grow(decision.add, why);
    // What the policy no longer wants and the cloud has not got yet is not ordered anew.
    const int wanted = std::max(policy.numbers.min, std::min(decision.after_rate, policy.numbers.max));
    const int surplus = seen.in_service + seen.launching - decision.remove - wanted;
    if (surplus > 0) take_back<Launch>(surplus);
    if (decision.remove > 0) shrink(decision.remove, why);
  }

  void grow(int add, const std::string& why) {
    // An instance whose removal has failed so far stays.
    add -= take_back<Retire>(add);
    for (const ZoneCount& zone : spread(present_by_zone(), add)) {
      Order order;
      order.action.what = Launch{settings_.service, settings_.version, zone.zone, zone.instances};
      order.action.why = why;
      order.expected = zone.instances;
      place(std::move(order));
    }
  }

  void shrink(int remove, const std::string& why) {
    for (const Instance* instance : pick_for_removal(in_service(), remove)) {
      Order order;
      order.action.what = Retire{instance->id, settings_.drain, cloud::Afterwards::gone};
      order.action.why = why;
      place(std::move(order));
    }
  }

  // Instances in service and on their way, by the zones that can take more: those in rotation, or all of them
  // where none is.
  std::vector<ZoneCount> present_by_zone() const {
    std::vector<ZoneCount> open;
    for (const std::string& name : settings_.zones) {
      const bool is_cut = std::any_of(observed_.zones.begin(), observed_.zones.end(), [&](const auto& zone) {
        return zone.name == name && !zone.in_rotation;
      });
      if (!is_cut) open.push_back({name, 0});
    }
    if (open.empty()) {
      for (const std::string& name : settings_.zones) open.push_back({name, 0});
    }
    const auto count = [&](const std::string& zone, int instances) {
      for (ZoneCount& there : open) {
        if (there.zone == zone) there.instances += instances;
      }
    };
    for (const Instance* instance : instances_) {
      const bool stays =
          counts_as_in_service(*instance) || (is_on_its_way(*instance) && !is_leaving(*instance));
      if (stays) count(instance->zone, 1);
    }
    for (const Order& order : state_.orders) {
      if (const auto* launch = std::get_if<Launch>(&order.action.what))
        count(launch->zone, outstanding(order));
    }
    return open;
  }

  Milliseconds now_;
  const cloud::Observed& observed_;
  const Settings& settings_;
  Step& next_;
  State& state_;
  std::vector<const Instance*> instances_;  // of this service, by id
};

}  // namespace

std::string_view to_string(Happened happened) {
  switch (happened) {
    case Happened::list_unknown:
      return "list_unknown";
    case Happened::list_outdated:
      return "list_outdated";
    case Happened::ordered_anew:
      return "ordered_anew";
    case Happened::sent_again:
      return "sent_again";
    case Happened::given_up:
      return "given_up";
    case Happened::not_needed_now:
      return "not_needed_now";
  }
  return "unknown";
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
  Stepper(now, observed, settings, next).run();
  return next;
}

}  // namespace headroom::control
