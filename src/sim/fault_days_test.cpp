// The real controller on random days with faults, in the manner of a deterministic simulation test: each day
// follows from its seed alone, and what must hold is checked at every look, in truth and not only in what the
// controller was shown. A day that fails is made smaller and told in words, with the way to run it again.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/step.hpp"
#include "sim/simulated_cloud.hpp"
#include "tests/fault_days.hpp"

namespace headroom::sim {
namespace {

using cloud::InstanceState;
using environment::DrillKind;

// ---- the bugs that are planted to see whether they are found

enum class Bug {
  none,
  cloud_forgets_tokens,  // what is sent again is done again
  forgets_its_launches,  // the controller does not count what it has ordered
  overlooks_failed_checks,
  forgets_its_marks,  // of what goes at the end of its paid hour
  ignores_its_past,   // begins anew after a restart without a look at what it had ordered
};

// Carries out again what is sent again.
class ForgetfulCloud final : public cloud::Cloud {
 public:
  explicit ForgetfulCloud(SimulatedCloud& cloud) : cloud_(cloud) {}
  cloud::Observed observe() override {
    cloud::Observed seen = cloud_.observe();
    for (cloud::Instance& instance : seen.instances) {
      instance.launched_by = instance.launched_by.substr(0, instance.launched_by.find("-again"));
    }
    std::erase_if(seen.tickets,
                  [](const auto& t) { return t.ticket.token.find("-again") != std::string::npos; });
    return seen;
  }
  cloud::Ticket submit(const cloud::Action& action) override {
    cloud::Action sent = action;
    const int times = sent_[action.token]++;
    if (times > 0) sent.token += fmt::format("-again{}", times);
    cloud_.submit(sent);
    return {action.token};
  }

 private:
  SimulatedCloud& cloud_;
  std::map<std::string, int> sent_;
};

void plant(Bug bug, control::State& state) {
  if (bug == Bug::forgets_its_launches) {
    std::erase_if(state.orders,
                  [](const auto& order) { return std::holds_alternative<cloud::Launch>(order.action.what); });
  }
  if (bug == Bug::forgets_its_marks) state.marked.clear();
}

// ---- times that follow from a day's settings

// From the end of a failure, with a cloud that answers, until the minimum serves again: the failed checks are
// counted; what was lost before it served waits, and what the cloud then refuses; what was confirmed and
// vanished unseen is given up; an instance starts.
Milliseconds recovery(const FaultDay& day) {
  const control::Settings with = control_of(day);
  const Milliseconds check = std::max(day.health.interval, day.tick);
  return with.replace_after * check + with.grace + with.retry_at_most + with.retry_for_minimum +
         with.appear_within + longest_startup(day) + 4 * day.tick;
}

// From the last fault and the last change of traffic until nothing moves any more: the recovery, then each
// instance that is added and each that is removed by a decision of its own.
Milliseconds rest(const FaultDay& day) {
  const policy::Limits& limits = day.scaling.limits;
  Milliseconds decision = day.metric_lag + 2 * day.tick * day.metric_ticks + 2 * day.tick;
  Milliseconds out{0};
  Milliseconds in{0};
  for (const policy::Policy& policy : day.scaling.policies) {
    if (const auto* step = std::get_if<policy::StepPolicy>(&policy)) {
      decision += step->every * step->periods;
      out = step->cooldown_out;
      in = step->cooldown_in;
    }
    if (const auto* target = std::get_if<policy::TargetPolicy>(&policy)) {
      decision += target->every * 2;
      out = target->cooldown_out + target->every * target->periods_out + target->stabilise_out;
      in = target->cooldown_in + target->every * target->periods_in + target->stabilise_in;
    }
  }
  if (limits.rate_out) out += limits.rate_out->per;
  if (limits.rate_in) in += limits.rate_in->per;
  const int moves = limits.max - limits.min + 1;
  const Milliseconds paid = day.paid_hour ? 2 * Milliseconds(3'600'000) : Milliseconds(0);
  return recovery(day) + std::max(day.first_fresh, day.first_pool) + policy::warm_up_of(day.scaling) + paid +
         day.drain + moves * (decision + out) + moves * (decision + in);
}

// Times in which the minimum may be missed, as failures take instances away and a cloud that does not answer
// keeps them from being replaced.
class Excuses {
 public:
  explicit Excuses(const FaultDay& day) {
    const Milliseconds after = recovery(day);
    struct Trouble {
      Milliseconds from{0};
      Milliseconds to{0};
      bool takes = false;  // instances away
    };
    std::vector<Trouble> all;
    for (const environment::Drill& drill : day.faults) {
      const bool takes = drill.kind == DrillKind::lost || drill.kind == DrillKind::crash ||
                         drill.kind == DrillKind::hang || drill.kind == DrillKind::reboot ||
                         drill.kind == DrillKind::pause;
      const bool delays = drill.kind == DrillKind::calls_fail || drill.kind == DrillKind::calls_hang ||
                          drill.kind == DrillKind::calls_lie || drill.kind == DrillKind::calls_late;
      // It holds for the whole of each tick that it touches.
      const Milliseconds to = drill.at + drill.duration + drill.by + day.tick;
      if (takes || delays) all.push_back({drill.at - day.tick, to, takes});
    }
    for (const Restart& restart : day.restarts) {
      all.push_back(
          {restart.at,
           restart.at + Milliseconds(restart.acting ? 3'900'000 : 300'000) + restart.blind * day.tick,
           false});
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
    for (const Trouble& trouble : all) {
      if (!trouble.takes) continue;
      Milliseconds until = trouble.to + after;
      // What delays the recovery makes it begin anew, again and again.
      for (std::size_t changes = 1; changes > 0;) {
        changes = 0;
        for (const Trouble& other : all) {
          if (other.from <= until && other.to >= trouble.from && other.to + after > until) {
            until = other.to + after;
            ++changes;
          }
        }
      }
      periods_.emplace_back(trouble.from, until);
    }
  }
  bool hold(Milliseconds now) const {
    return std::any_of(periods_.begin(), periods_.end(),
                       [&](const auto& period) { return now >= period.first && now <= period.second; });
  }

 private:
  std::vector<std::pair<Milliseconds, Milliseconds>> periods_;
};

// ---- a day

struct Violation {
  std::string rule;
  Milliseconds at{0};
  std::string what;
};

// How much of what can happen did happen, so that a search that tests nothing is noticed.
struct Tally {
  int launches = 0;
  int starts = 0;
  int removals = 0;
  int replaced = 0;
  int sent_again = 0;
  int ordered_anew = 0;
  int marked = 0;
  int restarts = 0;
  int unsettled = 0;
  int tickets_gone = 0;
  int rested = 0;  // days whose end was checked
};

class DayRun {
 public:
  DayRun(const FaultDay& day, Bug bug)
      : day_(day),
        bug_(bug),
        with_(control_of(day)),
        truth_(cloud_of(day)),
        forgetful_(truth_),
        excuses_(day),
        rest_at_(kSettled + rest(day)) {}

  std::optional<Violation> operator()() {
    const Milliseconds look = day_.tick / day_.looks;
    for (now_ = Milliseconds(0); now_ < kDay && !violation_; now_ += look) {
      truth_.advance(now_);
      check_truth();
      cloud::Observed seen = seen_cloud().observe();
      check_observed(seen);
      if (bug_ == Bug::overlooks_failed_checks) {
        for (cloud::Instance& instance : seen.instances) instance.health.reset();
      }
      act(seen);
    }
    return violation_;
  }

  const Tally& tally() const { return tally_; }

 private:
  cloud::Cloud& seen_cloud() {
    if (bug_ == Bug::cloud_forgets_tokens) return forgetful_;
    return truth_;
  }

  void violate(const char* rule, std::string what) {
    if (!violation_) violation_ = Violation{rule, now_, std::move(what)};
  }

  int groups() const { return day_.per_zone ? day_.zones : 1; }
  bool is_of(int group, const std::string& zone) const {
    return !day_.per_zone || zone == with_.zones[static_cast<std::size_t>(group)];
  }
  template <class Count>
  int in_group(int group, Count&& count) const {
    int sum = 0;
    for (const std::string& zone : with_.zones) sum += is_of(group, zone) ? count(zone) : 0;
    return sum;
  }
  int truth(int group, InstanceState state) const {
    return in_group(group, [&](const std::string& zone) { return truth_.count(state, zone); });
  }
  int answering(int group) const {
    return in_group(group, [&](const std::string& zone) { return truth_.answering(zone); });
  }

  void check_truth() {
    const policy::Limits& limits = day_.scaling.limits;
    for (int group = 0; group < groups(); ++group) {
      const int serving = truth(group, InstanceState::in_service);
      const int there =
          serving + truth(group, InstanceState::launching) + truth(group, InstanceState::warming);
      if (there > limits.max) {
        violate("never above the maximum",
                fmt::format("group {} has {} of at most {}", group, there, limits.max));
      }
      if (answering(group) < limits.min && !excuses_.hold(now_)) {
        violate("never below the minimum but by failures, and then back in time",
                fmt::format("{} of group {} answer, at least {} must", answering(group), group, limits.min));
      }
    }
  }

  // The contract of cloud, as far as one observation and the one before can show it.
  void check_observed(const cloud::Observed& seen) {
    for (const std::string& fault : cloud::observed_faults(seen)) violate("the contract of cloud", fault);
    if (instances_at_ && *seen.instances_at < *instances_at_) {
      violate("the contract of cloud", "an older list than the one before");
    }
    instances_at_ = seen.instances_at;
    for (const cloud::Instance& instance : seen.instances) {
      if (instance.since < instance.started)
        violate("the contract of cloud", instance.id + " began before it started");
      if (instance.state == InstanceState::failed && !inspected_.contains(instance.id)) {
        violate("only what was ordered to is kept as failed", instance.id);
      }
      if (instance.launched_by.empty()) continue;
      const auto launched = submitted_.find(instance.launched_by);
      if (launched == submitted_.end()) {
        violate("nothing runs that nobody ordered", instance.id + " of " + instance.launched_by);
        continue;
      }
      auto& ids = launched_[instance.launched_by];
      ids.insert(instance.id);
      const auto* launch = std::get_if<cloud::Launch>(&launched->second.what);
      if (launch == nullptr || static_cast<int>(ids.size()) > launch->count) {
        violate("a token launches once",
                fmt::format("{} instances of {}", ids.size(), to_string(launched->second)));
      }
    }
  }

  void act(cloud::Observed seen) {
    if (blind_ > 0) {
      --blind_;
      seen.instances_at.reset();
      seen.instances.clear();
    }
    std::erase_if(seen.tickets, [&](const cloud::TicketReport& report) {
      return report.state != cloud::TicketState::pending && tickets_gone_ && report.since <= *tickets_gone_;
    });
    const control::State before = state_;
    control::Step next = control::step(now_, seen, state_, with_);
    check_actions(seen, before, next);
    if (day_.restful && now_ >= rest_at_) {
      tally_.rested = 1;
      check_rest(next);
    }
    count(next);

    std::size_t sent = next.actions.size();
    const Restart* restart = begins(sent > 0);
    if (restart != nullptr) {
      ++tally_.restarts;
      if (restart->kind == Restart::Kind::unsent) sent = 0;
      if (restart->kind == Restart::Kind::partly) sent = sent / 2;
      blind_ = restart->blind;
      if (restart->tickets_gone) {
        tickets_gone_ = now_;
        ++tally_.tickets_gone;
      }
    }
    for (std::size_t k = 0; k < sent; ++k) {
      submitted_.emplace(next.actions[k].token, next.actions[k]);
      seen_cloud().submit(next.actions[k]);
    }
    state_ = std::move(next.state);
    plant(bug_, state_);
    if (restart != nullptr && restart->kind == Restart::Kind::forgets) {
      state_ = control::State{};
      if (bug_ == Bug::ignores_its_past) state_.groups.resize(static_cast<std::size_t>(groups()));
    }
  }

  const Restart* begins(bool acts) {
    if (restarted_ >= day_.restarts.size()) return nullptr;
    const Restart& next = day_.restarts[restarted_];
    const bool waits = next.acting && !acts && now_ < next.at + Milliseconds(3'600'000);
    if (now_ < next.at || waits) return nullptr;
    return &day_.restarts[restarted_++];
  }

  void check_actions(const cloud::Observed& seen, const control::State& before, const control::Step& next) {
    std::vector<int> asked(static_cast<std::size_t>(groups()));  // instances under new tokens
    for (const cloud::Action& action : next.actions) {
      for (const std::string& fault : cloud::action_faults(action)) violate("the contract of cloud", fault);
      if (action.why.empty()) violate("every action has a reason", to_string(action));
      const auto [known, is_new] = named_.emplace(action.token, action);
      if (!(known->second == action)) {
        violate("no token for two actions", to_string(known->second) + " and " + to_string(action));
      }
      if (!is_new) continue;
      asked[group_of(seen, before, action)] += instances_of(action);
      if (const auto* retire = std::get_if<cloud::Retire>(&action.what)) {
        const auto instance = std::find_if(seen.instances.begin(), seen.instances.end(),
                                           [&](const auto& i) { return i.id == retire->instance; });
        const bool serves = instance != seen.instances.end() && instance->state == InstanceState::in_service;
        if (retire->afterwards == cloud::Afterwards::inspect) {
          inspected_.insert(retire->instance);
        } else if (serves) {
          check_minimum(seen, next.state, *instance);
        }
      }
    }
    std::vector<int> said(asked.size());
    for (const control::Decided& decided : next.decided) {
      said[static_cast<std::size_t>(decided.group)] += decided.decision.add;
    }
    for (const control::Note& note : next.notes) {
      const bool is_replaced = note.happened == control::Happened::instance_failed ||
                               note.happened == control::Happened::instance_lost;
      if (is_replaced) ++said[group_of(zone_of(seen, before, note.subject))];
    }
    for (const control::Order& order : before.orders) {
      if (!order.not_before || instances_of(order.action) == 0) continue;
      said[group_of(seen, before, order.action)] += order.expected;
    }
    for (std::size_t group = 0; group < asked.size(); ++group) {
      if (asked[group] <= said[group]) continue;
      violate("what is ordered for a group was decided or has failed in it",
              fmt::format("{} instances of group {}, {} decided", asked[group], group, said[group]));
    }
  }

  static int instances_of(const cloud::Action& action) {
    if (const auto* launch = std::get_if<cloud::Launch>(&action.what)) return launch->count;
    return std::holds_alternative<cloud::Start>(action.what) ? 1 : 0;
  }
  // Where an instance is or, if it is gone, was.
  static std::string zone_of(const cloud::Observed& seen, const control::State& before,
                             const std::string& id) {
    for (const cloud::Instance& instance : seen.instances) {
      if (instance.id == id) return instance.zone;
    }
    for (const control::Watched& watched : before.watched) {
      if (watched.id == id) return watched.zone;
    }
    return "";
  }
  std::size_t group_of(const std::string& zone) const {
    std::size_t group = 0;
    while (group + 1 < static_cast<std::size_t>(groups()) && !is_of(static_cast<int>(group), zone)) ++group;
    return group;
  }
  // Of a launch or a start.
  std::size_t group_of(const cloud::Observed& seen, const control::State& before,
                       const cloud::Action& action) const {
    if (const auto* launch = std::get_if<cloud::Launch>(&action.what)) return group_of(launch->zone);
    const auto* start = std::get_if<cloud::Start>(&action.what);
    return start == nullptr ? 0 : group_of(zone_of(seen, before, start->instance));
  }

  // What stays, by what the controller sees, after it has ordered this removal. Who gets requests and answers
  // may go only where as many others as the minimum do so too.
  void check_minimum(const cloud::Observed& seen, const control::State& after,
                     const cloud::Instance& removed) {
    const auto leaves = [&](const std::string& id) {
      return std::any_of(after.orders.begin(), after.orders.end(), [&](const control::Order& order) {
        const auto* retire = std::get_if<cloud::Retire>(&order.action.what);
        return retire != nullptr && retire->instance == id;
      });
    };
    const auto is_of_group = [&](const std::string& zone) { return !day_.per_zone || zone == removed.zone; };
    const bool all_cut = std::all_of(seen.zones.begin(), seen.zones.end(), [&](const cloud::Zone& zone) {
      return !is_of_group(zone.name) || !zone.in_rotation;
    });
    const auto answers = [&](const cloud::Instance& i) {
      const bool is_cut = std::any_of(seen.zones.begin(), seen.zones.end(), [&](const cloud::Zone& zone) {
        return zone.name == i.zone && !zone.in_rotation;
      });
      return (!is_cut || all_cut) && (!i.health || i.health->healthy());
    };
    const auto staying = std::count_if(seen.instances.begin(), seen.instances.end(), [&](const auto& i) {
      return i.state == InstanceState::in_service && is_of_group(i.zone) && !leaves(i.id) &&
             (answers(i) || !answers(removed));
    });
    if (staying < day_.scaling.limits.min) {
      violate("no removal below the minimum", fmt::format("{} stay of zone {}", staying, removed.zone));
    }
  }

  // Nothing has failed and the traffic has been steady for long enough.
  void check_rest(const control::Step& next) {
    constexpr const char* kRule = "comes to rest when faults end";
    const policy::Limits& limits = day_.scaling.limits;
    if (!next.actions.empty()) violate(kRule, "still asks: " + to_string(next.actions.front()));
    if (!next.state.orders.empty())
      violate(kRule, "still waits: " + to_string(next.state.orders.front().action));
    if (!next.state.marked.empty()) violate(kRule, "still marked: " + next.state.marked.front());
    int serving = 0;
    for (int group = 0; group < groups(); ++group) serving += truth(group, InstanceState::in_service);
    const std::vector<double>& rates = std::get<base::Series>(cloud_.serving.traffic).values;
    const double cpu = std::min(100.0, kSlope * rates.back() / std::max(1, serving));
    for (int group = 0; group < groups(); ++group) {
      const int there = truth(group, InstanceState::in_service);
      for (const InstanceState state :
           {InstanceState::launching, InstanceState::warming, InstanceState::draining}) {
        if (truth(group, state) > 0) violate(kRule, fmt::format("one is still {}", cloud::to_string(state)));
      }
      if (answering(group) != there) violate(kRule, "one in service does not answer");
      if (truth(group, InstanceState::stopped) > day_.pool) violate(kRule, "more in the pool than it holds");
      for (const control::Decided& decided : next.decided) {
        if (decided.group != group) continue;
        if (decided.decision.add != 0 || decided.decision.remove != 0) violate(kRule, "still decides");
        if (decided.seen.in_service != there || decided.seen.launching != 0) {
          violate("no orphan", fmt::format("group {} counts {} + {} and {} serve", group,
                                           decided.seen.in_service, decided.seen.launching, there));
        }
        if (decided.seen.missing[0]) violate(kRule, "metrics are still missing");
      }
      // What its policy wants, from the traffic itself.
      for (const policy::Policy& policy : day_.scaling.policies) {
        const auto wants = [&](bool more, const char* what) {
          if (more) violate(kRule, fmt::format("{} at {:.2f} % on {}", what, cpu, there));
        };
        if (const auto* step = std::get_if<policy::StepPolicy>(&policy)) {
          wants(cpu > step->out[0].threshold + 0.01 && there < limits.max, "above the threshold");
          wants(cpu < step->in[0].threshold - 0.01 && there > limits.min && day_.scaling.policies.size() == 1,
                "below the threshold");
        }
        if (const auto* target = std::get_if<policy::TargetPolicy>(&policy)) {
          wants(cpu > 1.11 * target->target && there < limits.max, "above the target");
        }
      }
    }
  }

  void count(const control::Step& next) {
    for (const cloud::Action& action : next.actions) {
      tally_.launches += std::holds_alternative<cloud::Launch>(action.what) ? 1 : 0;
      tally_.starts += std::holds_alternative<cloud::Start>(action.what) ? 1 : 0;
      tally_.removals += std::holds_alternative<cloud::Retire>(action.what) ? 1 : 0;
    }
    for (const control::Note& note : next.notes) {
      using control::Happened;
      tally_.replaced +=
          note.happened == Happened::instance_failed || note.happened == Happened::instance_lost;
      tally_.sent_again += note.happened == Happened::sent_again ? 1 : 0;
      tally_.ordered_anew += note.happened == Happened::ordered_anew ? 1 : 0;
      tally_.marked += note.happened == Happened::marked ? 1 : 0;
      tally_.unsettled += note.happened == Happened::unsettled ? 1 : 0;
    }
  }

  FaultDay day_;
  Bug bug_;
  control::Settings with_;
  SimulatedSettings cloud_ = cloud_of(day_);
  SimulatedCloud truth_;
  ForgetfulCloud forgetful_;
  Excuses excuses_;
  Milliseconds rest_at_;
  Milliseconds now_{0};
  control::State state_;
  int blind_ = 0;
  std::size_t restarted_ = 0;
  std::optional<Milliseconds> tickets_gone_;  // the last time
  std::optional<Milliseconds> instances_at_;
  std::map<std::string, cloud::Action> named_;             // by token, sent or not
  std::map<std::string, cloud::Action> submitted_;         // by token
  std::map<std::string, std::set<std::string>> launched_;  // instances by token
  std::set<std::string> inspected_;
  std::optional<Violation> violation_;
  Tally tally_;
};

std::optional<Violation> run(const FaultDay& day, Bug bug) { return DayRun(day, bug)(); }

// The same rule broken by less, as long as that goes.
FaultDay made_smaller(FaultDay day, Bug bug, const std::string& rule) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (FaultDay& candidate : simpler(day)) {
      const auto violation = run(candidate, bug);
      if (!violation || violation->rule != rule) continue;
      day = std::move(candidate);
      smaller = true;
      break;
    }
  }
  return day;
}

std::string report(const FaultDay& day, Bug bug, const Violation& violation) {
  const FaultDay small = made_smaller(day, bug, violation.rule);
  const Violation last = run(small, bug).value_or(violation);
  return fmt::format(
      "day {}: broken at {}: {} ({})\nrun it again: HEADROOM_DAY_SEED={} build/release/src/sim/sim_test "
      "--gtest_filter=FaultDays.what_must_hold*\nmade smaller, broken at {}: {}\n{}",
      day.seed, clock(violation.at), violation.rule, violation.what, day.seed, clock(last.at), last.what,
      words(small));
}

std::optional<std::uint64_t> from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

// With sanitizers a day takes some forty times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::uint64_t days() { return from_environment("HEADROOM_DAYS").value_or(kSanitized ? 60 : 2'000); }

TEST(FaultDays, what_must_hold_holds_on_random_days_with_faults) {
  if (const auto seed = from_environment("HEADROOM_DAY_SEED")) {
    const FaultDay day = FaultDayDraw(*seed)();
    if (const auto violation = run(day, Bug::none)) FAIL() << report(day, Bug::none, *violation);
    return;
  }
  Tally sum;
  int failed = 0;
  for (std::uint64_t seed = 1; seed <= days() && failed < 3; ++seed) {
    const FaultDay day = FaultDayDraw(seed)();
    DayRun made(day, Bug::none);
    if (const auto violation = made()) {
      ADD_FAILURE() << report(day, Bug::none, *violation);
      ++failed;
    }
    const Tally& tally = made.tally();
    sum.launches += tally.launches;
    sum.starts += tally.starts;
    sum.removals += tally.removals;
    sum.replaced += tally.replaced;
    sum.sent_again += tally.sent_again;
    sum.ordered_anew += tally.ordered_anew;
    sum.marked += tally.marked;
    sum.restarts += tally.restarts;
    sum.unsettled += tally.unsettled;
    sum.tickets_gone += tally.tickets_gone;
    sum.rested += tally.rested;
  }
  // Days on which nothing happens would prove nothing.
  const auto n = static_cast<int>(days());
  EXPECT_GE(sum.rested, n / 2);
  EXPECT_GE(sum.launches, n * 4);
  EXPECT_GE(sum.starts, n / 2);
  EXPECT_GE(sum.removals, n * 3);
  EXPECT_GE(sum.replaced, n / 2);
  EXPECT_GE(sum.sent_again, n / 4);
  EXPECT_GE(sum.ordered_anew, n);
  EXPECT_GE(sum.marked, n / 4);
  EXPECT_GE(sum.restarts, n / 2);
  EXPECT_GE(sum.unsettled, n / 20);
  EXPECT_GE(sum.tickets_gone, n / 10);
}

// Each bug is broken into the cloud or the controller, and the days above must find it, soon.
TEST(FaultDays, planted_bugs_are_found) {
  struct Planted {
    Bug bug;
    const char* name;
  };
  for (const Planted& planted : {Planted{Bug::cloud_forgets_tokens, "the cloud forgets tokens"},
                                 Planted{Bug::forgets_its_launches, "the controller forgets its launches"},
                                 Planted{Bug::overlooks_failed_checks, "it overlooks failed checks"},
                                 Planted{Bug::forgets_its_marks, "it forgets its marks"},
                                 Planted{Bug::ignores_its_past, "it ignores what it did before a restart"}}) {
    // The bug that is found soonest stands for all where a day takes long.
    if (kSanitized && planted.bug != Bug::overlooks_failed_checks) continue;
    constexpr std::uint64_t kMostDays = 1'000;
    std::optional<Violation> found;
    std::uint64_t seed = 0;
    while (!found && seed < kMostDays) found = run(FaultDayDraw(++seed)(), planted.bug);
    EXPECT_TRUE(found) << planted.name << " is not found in " << kMostDays << " days";
    if (found) std::cout << planted.name << ": day " << seed << ", " << found->rule << '\n';
  }
}

}  // namespace
}  // namespace headroom::sim
