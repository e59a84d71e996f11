#include "control/step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace headroom::control {
namespace {

using base::Milliseconds;
using cloud::Action;
using cloud::InstanceState;
using cloud::Launch;
using cloud::Retire;
using cloud::TicketState;

constexpr Milliseconds kMinute{60'000};
constexpr Milliseconds second(int n) { return Milliseconds(1000 * n); }

// Above 60 % two more, below 20 % one less; 2 to 10 instances; a tick and a metric each minute.
Settings settings() {
  policy::StepPolicy step;
  step.out = {{60, false, 2}};
  step.in = {{20, false, 1}};
  policy::Scaling scaling;
  scaling.initial = 2;
  scaling.limits.min = 2;
  scaling.limits.max = 10;
  scaling.policies = {step};
  Settings made;
  made.service = "web";
  made.version = "v3";
  made.zones = {"a", "b"};
  made.token_prefix = "matrix-web";
  made.policy = policy::compile(scaling, kMinute, kMinute, Milliseconds(0)).value();
  made.drain = second(20);
  return made;
}

// What a cloud shows; the test edits it as the story goes on.
struct World {
  cloud::Observed seen;

  World() {
    seen.zones = {{"a", true}, {"b", true}};
    at(Milliseconds(0));
  }
  void at(Milliseconds time) {
    seen.at = time;
    seen.instances_at = time;
  }
  cloud::Instance& add(const std::string& id, const std::string& zone,
                       InstanceState state = InstanceState::in_service, const std::string& token = "") {
    cloud::Instance instance;
    instance.id = id;
    instance.service = "web";
    instance.version = "v3";
    instance.zone = zone;
    instance.state = state;
    instance.since = instance.started = seen.at;
    instance.launched_by = token;
    if (state == InstanceState::in_service) instance.address = id + ":80";
    const auto place = std::lower_bound(seen.instances.begin(), seen.instances.end(), id,
                                        [](const auto& i, const std::string& key) { return i.id < key; });
    return *seen.instances.insert(place, instance);
  }
  // Everyone who serves shows this utilisation of the minute that ends now.
  void cpu(double percent) {
    for (cloud::Instance& instance : seen.instances) {
      if (instance.state != InstanceState::in_service) continue;
      instance.metrics = {seen.at, kMinute, base::Percent(percent), std::nullopt};
    }
  }
  void ticket(const std::string& token, TicketState state, int affected = 0, bool retriable = false) {
    std::erase_if(seen.tickets, [&](const auto& report) { return report.ticket.token == token; });
    const bool why = state == TicketState::failed || state == TicketState::uncertain;
    seen.tickets.push_back({{token}, state, seen.at, affected, why ? "no capacity" : "", retriable});
    std::sort(seen.tickets.begin(), seen.tickets.end(),
              [](const auto& a, const auto& b) { return a.ticket < b.ticket; });
  }
  void remove(const std::string& id) {
    std::erase_if(seen.instances, [&](const auto& instance) { return instance.id == id; });
  }
};

// A controller over a world: steps at the world's time unless told another.
struct Controller {
  Settings with = settings();
  State state;

  Step operator()(const World& world) { return (*this)(world.seen.at, world); }
  Step operator()(Milliseconds now, const World& world) {
    EXPECT_EQ(cloud::observed_faults(world.seen), std::vector<std::string>{});
    Step next = step(now, world.seen, state, with);
    EXPECT_EQ(step(now, world.seen, state, with), next) << "the same arguments gave another result";
    for (const Action& action : next.actions) {
      EXPECT_EQ(cloud::action_faults(action), std::vector<std::string>{});
    }
    state = next.state;
    return next;
  }
};

std::vector<std::string> texts(const std::vector<Action>& actions) {
  std::vector<std::string> made;
  for (const Action& action : actions) made.push_back(cloud::to_string(action));
  return made;
}

std::vector<std::string> happened(const Step& step) {
  std::vector<std::string> made;
  for (const Note& note : step.notes) made.emplace_back(to_string(note.happened));
  return made;
}

using Texts = std::vector<std::string>;

// Two in service, one in each zone, at a minute of 80 %: two more are ordered at minute 1.
struct Busy {
  World world;
  Controller control;
  Step ordered;

  Busy() {
    world.add("i-1", "a");
    world.add("i-2", "b");
    world.at(kMinute);
    world.cpu(80);
    ordered = control(world);
  }
};

TEST(Step, orders_what_the_policy_adds_balanced_over_zones) {
  Busy busy;
  ASSERT_FALSE(busy.ordered.decided.empty());
  EXPECT_EQ(busy.ordered.decided.front().tick, 1);
  EXPECT_EQ(busy.ordered.decided.front().seen.in_service, 2);
  EXPECT_EQ(busy.ordered.decided.front().seen.value[0], 80.0f);
  EXPECT_EQ(busy.ordered.decided.front().decision.add, 2);
  EXPECT_EQ(texts(busy.ordered.actions), (Texts{"launch 1 of web v3 in zone a (matrix-web-60000-0)",
                                                "launch 1 of web v3 in zone b (matrix-web-60000-1)"}));
  EXPECT_EQ(busy.ordered.actions[0].why, "above the threshold");
}

TEST(Step, decides_once_per_tick_however_often_it_is_called) {
  Busy busy;
  for (int s = 61; s < 120; ++s) {
    busy.world.at(second(s));
    const Step next = busy.control(busy.world);
    EXPECT_TRUE(next.decided.empty()) << s;
  }
  busy.world.at(second(120));
  EXPECT_FALSE(busy.control(busy.world).decided.empty());
}

// The observation stays what it was before the order: ordered and not yet seen counts as launching.
TEST(Step, what_is_ordered_and_not_seen_counts_as_launching) {
  Busy busy;
  const Step next = busy.control(second(120), busy.world);
  ASSERT_FALSE(next.decided.empty());
  EXPECT_EQ(next.decided.front().seen.in_service, 2);
  EXPECT_EQ(next.decided.front().seen.launching, 2);
}

// Seen as launching and gone again: never counted twice, and an order that was seen is done with. What is
// gone is replaced.
TEST(Step, an_instance_that_appears_is_counted_by_what_it_is) {
  Busy busy;
  busy.world.at(second(90));
  busy.world.add("i-3", "a", InstanceState::launching, "matrix-web-60000-0");
  busy.world.ticket("matrix-web-60000-0", TicketState::done, 1);
  busy.world.ticket("matrix-web-60000-1", TicketState::pending);
  busy.control(busy.world);
  EXPECT_EQ(busy.control.state.orders.size(), 1U);
  busy.world.at(second(120));
  busy.world.cpu(40);
  const Step next = busy.control(busy.world);
  EXPECT_EQ(next.decided.front().seen.launching, 2);  // one of each kind
  busy.world.at(second(180));
  busy.world.remove("i-3");
  const Step after = busy.control(busy.world);
  EXPECT_EQ(happened(after), Texts{"instance_lost"});
  EXPECT_EQ(after.decided.front().seen.launching, 2);  // one ordered, one to be ordered in i-3's place
}

TEST(Step, of_a_launch_of_several_each_instance_that_appears_counts_once) {
  Busy busy;
  busy.control.with.zones = {"a"};
  busy.control.state = State{};
  EXPECT_EQ(texts(busy.control(busy.world).actions),
            (Texts{"launch 2 of web v3 in zone a (matrix-web-60000-0)"}));
  busy.world.at(second(61));
  busy.world.add("i-3", "a", InstanceState::launching, "matrix-web-60000-0");
  busy.world.ticket("matrix-web-60000-0", TicketState::pending, 1);
  busy.control(busy.world);
  // The first is gone before the second appears: one is still to come, not two.
  busy.world.at(second(62));
  busy.world.remove("i-3");
  busy.world.add("i-4", "a", InstanceState::launching, "matrix-web-60000-0");
  busy.control(busy.world);
  // Nothing is left of the launch; what waits is the one in place of i-3.
  ASSERT_EQ(busy.control.state.orders.size(), 1U);
  EXPECT_EQ(busy.control.state.orders[0].action.why, "replaces i-3: it is gone");
}

TEST(Step, a_list_that_is_older_than_one_used_decides_nothing) {
  Busy busy;
  busy.world.at(second(119));
  busy.control(busy.world);
  busy.world.at(second(120));
  busy.world.seen.instances_at = second(100);
  const State before = busy.control.state;
  const Step next = busy.control(busy.world);
  EXPECT_TRUE(next.decided.empty());
  EXPECT_TRUE(next.actions.empty());
  EXPECT_EQ(happened(next), Texts{"list_outdated"});
  EXPECT_EQ(next.state, before);
}

TEST(Step, nothing_is_decided_before_the_cloud_has_told_its_instances) {
  World world;
  world.seen.instances_at.reset();
  Controller control;
  const Step next = control(world);
  EXPECT_TRUE(next.decided.empty());
  EXPECT_EQ(happened(next), Texts{"list_unknown"});
  EXPECT_EQ(next.state, State{});
}

// An empty fleet is brought to its minimum without any metric.
TEST(Step, the_minimum_is_ordered_first) {
  World world;
  Controller control;
  EXPECT_EQ(texts(control(world).actions), (Texts{"launch 1 of web v3 in zone a (matrix-web-0-0)",
                                                  "launch 1 of web v3 in zone b (matrix-web-0-1)"}));
  world.at(kMinute);
  world.ticket("matrix-web-0-0", TicketState::pending);
  world.ticket("matrix-web-0-1", TicketState::pending);
  EXPECT_TRUE(control(world).actions.empty());
}

TEST(Step, without_metrics_nothing_is_removed) {
  for (const bool is_old : {false, true}) {
    World world;
    for (const char* id : {"i-1", "i-2", "i-3", "i-4"}) world.add(id, "a");
    if (is_old) world.cpu(5);
    world.at(is_old ? second(240) : kMinute);  // older than max_age, 180 s
    Controller control;
    const Step next = control(world);
    EXPECT_TRUE(next.actions.empty());
    EXPECT_TRUE(next.decided.front().seen.missing[0]);
  }
}

// i-2 shows 90 of the present minute, i-1 only 10 of the one before: the mean would mix two times.
TEST(Step, metrics_of_different_periods_are_not_mixed) {
  World world;
  world.add("i-1", "a");
  world.add("i-2", "b");
  world.add("i-3", "b").state = InstanceState::draining;
  world.at(kMinute);
  world.cpu(10);
  world.at(second(120));
  world.seen.instances[1].metrics = {second(120), kMinute, base::Percent(90), std::nullopt};
  world.seen.instances[2].metrics = {second(120), kMinute, base::Percent(1), std::nullopt};
  Controller control;
  const Step next = control(world);
  EXPECT_EQ(next.decided.front().seen.value[0], 90.0f);
  EXPECT_TRUE(next.decided.front().seen.missing[1]);  // nobody shows requests
}

TEST(Step, an_instance_warms_from_when_it_serves) {
  World world;
  world.add("i-1", "a");
  Controller control;
  control.with.policy.warm_up_ticks = 2;
  EXPECT_EQ(control(world).decided.front().seen.warming, 1);
  world.at(kMinute);
  EXPECT_EQ(control(world).decided.front().seen.warming, 1);
  world.at(second(120));
  EXPECT_EQ(control(world).decided.front().seen.warming, 0);
}

// ---- removal

// Four in service, the newest in zone a, at a minute of 10 %.
struct Idle {
  World world;
  Controller control;
  Step ordered;

  Idle() {
    world.add("i-1", "a");
    world.add("i-2", "b");
    world.at(second(1));
    world.add("i-4", "a");
    world.at(second(0));
    world.add("i-5", "b");
    world.at(kMinute);
    world.cpu(10);
    ordered = control(world);
  }
};

TEST(Step, the_newest_is_drained_then_removed) {
  Idle idle;
  EXPECT_EQ(texts(idle.ordered.actions),
            (Texts{"drain i-4 for up to 20000 ms, then delete it (matrix-web-60000-0)"}));
  EXPECT_EQ(idle.ordered.actions[0].why, "below the threshold");
}

// The cloud still shows i-4 in service a minute later: it no longer counts, and is not removed twice.
TEST(Step, what_is_ordered_out_no_longer_counts) {
  Idle idle;
  idle.world.at(second(120));
  idle.world.ticket("matrix-web-60000-0", TicketState::pending);
  idle.world.cpu(10);
  const Step next = idle.control(idle.world);
  EXPECT_EQ(next.decided.front().seen.in_service, 3);
  EXPECT_EQ(texts(next.actions),
            (Texts{"drain i-5 for up to 20000 ms, then delete it (matrix-web-120000-0)"}));
}

TEST(Step, a_removal_is_over_when_the_instance_drains_or_is_gone) {
  for (const bool is_gone : {false, true}) {
    Idle idle;
    idle.world.at(second(61));
    if (is_gone) {
      idle.world.remove("i-4");
    } else {
      idle.world.seen.instances[2].state = InstanceState::draining;
    }
    idle.control(idle.world);
    EXPECT_TRUE(idle.control.state.orders.empty());
  }
}

TEST(Step, a_removal_that_failed_for_good_lets_the_instance_count_again) {
  Idle idle;
  idle.world.at(second(61));
  idle.world.ticket("matrix-web-60000-0", TicketState::failed);
  EXPECT_EQ(happened(idle.control(idle.world)), Texts{"given_up"});
  idle.world.at(second(120));
  EXPECT_EQ(idle.control(idle.world).decided.front().seen.in_service, 4);
}

// The list is from before i-4 vanished: ordering it out again at each tick would fail each time.
TEST(Step, a_late_list_does_not_judge_a_removal_that_failed_for_good) {
  Idle idle;
  idle.world.at(second(120));
  idle.world.ticket("matrix-web-60000-0", TicketState::failed);
  idle.world.seen.instances_at = second(60);
  const Step next = idle.control(idle.world);
  EXPECT_TRUE(next.notes.empty());
  EXPECT_EQ(next.decided.front().seen.in_service, 3);
  idle.world.at(second(121));
  idle.world.remove("i-4");
  EXPECT_TRUE(idle.control(idle.world).notes.empty());
  EXPECT_EQ(idle.control.state.orders.size(), next.state.orders.size() - 1);
}

// Confirmed, and an instance that lingers in the list for an hour: the cloud's word is not taken for ever.
TEST(Step, a_confirmed_removal_that_is_not_carried_out_is_given_up) {
  Idle idle;
  idle.world.at(second(61));
  idle.world.ticket("matrix-web-60000-0", TicketState::done, 1);
  EXPECT_TRUE(idle.control(idle.world).notes.empty());
  idle.world.at(second(360));
  EXPECT_TRUE(idle.control(idle.world).notes.empty());
  idle.world.at(second(361));  // 300 s after it was confirmed
  EXPECT_EQ(happened(idle.control(idle.world)), Texts{"given_up"});
}

// The removal failed and waits; the policy then wants more: the instance stays, and one fewer is launched.
TEST(Step, a_removal_that_waits_is_taken_back_when_more_are_wanted) {
  Idle idle;
  idle.control.with.retry_after = second(600);
  idle.world.at(second(61));
  idle.world.ticket("matrix-web-60000-0", TicketState::failed, 0, true);
  EXPECT_EQ(happened(idle.control(idle.world)), Texts{"ordered_anew"});
  idle.world.at(second(120));
  idle.world.cpu(90);
  const Step next = idle.control(idle.world);
  EXPECT_EQ(next.decided.front().seen.in_service, 3);
  EXPECT_EQ(next.decided.front().decision.add, 2);
  EXPECT_EQ(texts(next.actions), (Texts{"launch 1 of web v3 in zone a (matrix-web-120000-0)"}));
  EXPECT_EQ(happened(next), Texts{"taken_back"});
  EXPECT_EQ(next.notes.front().subject, "i-4");
}

// i-4 is to go and the cloud refuses; then i-1 and i-2 vanish. With i-4, two serve: the minimum.
TEST(Step, a_removal_that_waits_is_dropped_where_the_instance_is_needed_for_the_minimum) {
  Idle idle;
  idle.world.at(second(61));
  idle.world.ticket("matrix-web-60000-0", TicketState::failed, 0, true);
  idle.control(idle.world);
  idle.control.state.watched.clear();  // nobody replaces them here
  idle.world.remove("i-1");
  idle.world.remove("i-2");
  idle.world.at(second(71));
  const Step next = idle.control(idle.world);
  EXPECT_TRUE(next.actions.empty());
  EXPECT_EQ(happened(next), Texts{"taken_back"});
  EXPECT_TRUE(idle.control.state.orders.empty());
}

// i-4 has failed, and the cloud refuses to take it out for now: when more are wanted it is not one of them.
TEST(Step, what_has_failed_is_not_taken_back_when_more_are_wanted) {
  Idle idle;
  idle.control.state = State{};
  idle.control.with.retry_after = second(600);
  idle.world.cpu(40);
  for (int k = 1; k <= 3; ++k) {
    idle.world.at(second(60 + k));
    idle.world.seen.instances[2].health = {idle.world.seen.at, "connection refused", k};
    idle.control(idle.world);
  }
  const std::string token = idle.control.state.orders.front().action.token;
  idle.world.at(second(64));
  idle.world.ticket(token, TicketState::failed, 0, true);
  EXPECT_EQ(happened(idle.control(idle.world)), Texts{"ordered_anew"});
  idle.world.at(second(120));
  idle.world.cpu(90);
  const Step next = idle.control(idle.world);
  EXPECT_EQ(next.decided.front().decision.add, 2);
  int launched = 0;
  for (const Action& action : next.actions) launched += std::get<Launch>(action.what).count;
  EXPECT_EQ(launched, 2);
}

// ---- failures

TEST(Step, a_failure_that_passes_is_ordered_anew_under_a_new_token) {
  Busy busy;
  busy.world.at(second(61));
  busy.world.ticket("matrix-web-60000-0", TicketState::failed, 0, true);
  busy.world.ticket("matrix-web-60000-1", TicketState::pending);
  EXPECT_EQ(happened(busy.control(busy.world)), Texts{"ordered_anew"});
  busy.world.at(second(70));  // 10 s after the failure was seen it is placed again
  EXPECT_TRUE(busy.control(busy.world).actions.empty());
  busy.world.at(second(71));
  EXPECT_EQ(texts(busy.control(busy.world).actions),
            (Texts{"launch 1 of web v3 in zone b (matrix-web-71000-0)"}));
  // It fails again: now the wait is twice as long.
  busy.world.at(second(72));
  busy.world.ticket("matrix-web-71000-0", TicketState::failed, 0, true);
  busy.control(busy.world);
  busy.world.at(second(91));
  EXPECT_TRUE(busy.control(busy.world).actions.empty());
  busy.world.at(second(92));
  EXPECT_EQ(texts(busy.control(busy.world).actions),
            (Texts{"launch 1 of web v3 in zone a (matrix-web-92000-0)"}));
  // All the while it counted as launching.
  busy.world.at(second(120));
  EXPECT_EQ(busy.control(busy.world).decided.front().seen.launching, 2);
}

// The waits of a launch that the cloud refuses a second after each attempt.
std::vector<std::int64_t> waits(int min) {
  Busy busy;
  busy.control.with.policy.numbers.min = min;
  busy.control.with.tick = second(72'000);  // no other decision
  busy.world.ticket("matrix-web-60000-1", TicketState::pending);
  std::string awaited = "matrix-web-60000-0";
  std::vector<std::int64_t> waited;
  std::int64_t refused_at = 0;
  for (int s = 61; waited.size() < 7 && s < 2000; ++s) {
    busy.world.at(second(s));
    if (!awaited.empty()) {
      busy.world.ticket(awaited, TicketState::failed, 0, true);
      refused_at = s;
    }
    awaited.clear();
    for (const Action& action : busy.control(busy.world).actions) {
      awaited = action.token;
      waited.push_back(s - refused_at);
    }
  }
  return waited;
}

TEST(Step, the_wait_doubles_to_five_minutes_and_to_one_for_what_the_minimum_needs) {
  // Two serve and one is on its way, so a minimum of 3 is kept and one of 4 is not.
  EXPECT_EQ(waits(3), (std::vector<std::int64_t>{10, 20, 40, 80, 160, 300, 300}));
  EXPECT_EQ(waits(4), (std::vector<std::int64_t>{10, 20, 40, 60, 60, 60, 60}));
}

// Of 2, the cloud launched 1 and had no room for the other.
TEST(Step, only_what_failed_of_a_launch_is_ordered_anew) {
  Busy busy;
  busy.control.with.zones = {"a"};
  busy.control.state = State{};
  busy.control(busy.world);
  busy.world.at(second(61));
  busy.world.ticket("matrix-web-60000-0", TicketState::failed, 1, true);
  busy.control(busy.world);
  busy.world.at(second(71));
  EXPECT_EQ(texts(busy.control(busy.world).actions),
            (Texts{"launch 1 of web v3 in zone a (matrix-web-71000-0)"}));
  busy.world.at(second(120));
  EXPECT_EQ(busy.control(busy.world).decided.front().seen.launching, 2);
}

TEST(Step, a_failure_for_good_no_longer_counts_as_launching) {
  Busy busy;
  busy.world.at(second(61));
  busy.world.ticket("matrix-web-60000-0", TicketState::failed);
  busy.world.ticket("matrix-web-60000-1", TicketState::pending);
  EXPECT_EQ(happened(busy.control(busy.world)), Texts{"given_up"});
  busy.world.at(second(120));
  EXPECT_EQ(busy.control(busy.world).decided.front().seen.launching, 1);
}

// Without an answer the same token is sent again, which cannot launch twice; the instance then shows.
TEST(Step, an_uncertain_launch_is_sent_again_under_its_token_until_the_instance_shows) {
  Busy busy;
  busy.world.ticket("matrix-web-60000-1", TicketState::pending);
  for (const bool is_listed : {true, false}) {  // also where the cloud has forgotten the ticket
    if (is_listed) {
      busy.world.ticket("matrix-web-60000-0", TicketState::uncertain);
    } else {
      std::erase_if(busy.world.seen.tickets, [](const auto& t) { return t.ticket.token.ends_with("-0"); });
    }
    const int sent = is_listed ? 60 : 70;
    busy.world.at(second(sent + 9));
    EXPECT_TRUE(busy.control(busy.world).actions.empty());
    busy.world.at(second(sent + 10));
    const Step next = busy.control(busy.world);
    EXPECT_EQ(texts(next.actions), (Texts{"launch 1 of web v3 in zone a (matrix-web-60000-0)"}));
    EXPECT_EQ(happened(next), Texts{"sent_again"});
  }
  busy.world.at(second(100));
  busy.world.add("i-3", "a", InstanceState::launching, "matrix-web-60000-0");
  EXPECT_TRUE(busy.control(busy.world).actions.empty());
  EXPECT_EQ(busy.control.state.orders.size(), 1U);
}

// It was refused, and the answer was lost: no instance will ever show.
TEST(Step, an_uncertain_launch_that_never_appears_is_given_up) {
  Busy busy;
  busy.world.at(second(61));
  busy.world.ticket("matrix-web-60000-0", TicketState::uncertain);
  busy.world.ticket("matrix-web-60000-1", TicketState::pending);
  for (int s = 70; s < 361; s += 10) {
    busy.world.at(second(s));
    EXPECT_FALSE(busy.control.state.orders.size() < 2) << s;
    busy.control(busy.world);
  }
  busy.world.at(second(361));  // 300 s after it was uncertain
  EXPECT_EQ(happened(busy.control(busy.world)), Texts{"given_up"});
}

// The cloud has forgotten the tickets, and what it had launched is gone before anyone saw it: sent again, it
// stays unlisted.
TEST(Step, an_order_that_the_cloud_has_forgotten_is_given_up_when_nothing_of_it_appears) {
  Busy busy;
  busy.control.with.tick = second(7200);  // no other decision
  busy.world.at(second(61));
  busy.world.ticket("matrix-web-60000-0", TicketState::done, 1);
  busy.world.ticket("matrix-web-60000-1", TicketState::pending);
  busy.control(busy.world);
  std::erase_if(busy.world.seen.tickets, [](const auto& t) { return t.ticket.token.ends_with("-0"); });
  for (int s = 70; s < 361; s += 10) {
    busy.world.at(second(s));
    EXPECT_EQ(happened(busy.control(busy.world)), Texts{"sent_again"}) << s;
  }
  busy.world.at(second(361));  // 300 s after it was last listed
  EXPECT_EQ(happened(busy.control(busy.world)), Texts{"given_up"});
  EXPECT_EQ(busy.control.state.orders.size(), 1U);
}

// An hour passes between the state that was kept and the restart: nothing was sent, and the first step after
// it sends what is owed instead of giving it up.
TEST(Step, what_was_never_sent_is_sent_after_a_long_outage_too) {
  Busy busy;
  busy.control.with.tick = second(7200);  // no other decision
  busy.world.at(second(3660));
  EXPECT_EQ(texts(busy.control(busy.world).actions), texts(busy.ordered.actions));
  busy.world.at(second(3661));
  busy.world.ticket("matrix-web-60000-0", TicketState::pending);
  busy.world.ticket("matrix-web-60000-1", TicketState::pending);
  EXPECT_TRUE(busy.control(busy.world).notes.empty());
  EXPECT_EQ(busy.control.state.orders.size(), 2U);
}

// The observation is from before the order: that it does not list the ticket says nothing.
TEST(Step, an_observation_from_before_an_order_does_not_judge_it) {
  Busy busy;
  EXPECT_TRUE(busy.control(second(90), busy.world).actions.empty());
}

TEST(Step, a_confirmed_launch_that_never_appears_is_given_up) {
  Busy busy;
  busy.world.at(second(61));
  busy.world.ticket("matrix-web-60000-0", TicketState::done, 1);
  busy.world.ticket("matrix-web-60000-1", TicketState::pending);
  busy.world.at(second(360));
  EXPECT_EQ(busy.control(busy.world).decided.front().seen.launching, 2);
  busy.world.at(second(361));
  EXPECT_EQ(happened(busy.control(busy.world)), Texts{"given_up"});
  busy.world.at(second(420));
  EXPECT_EQ(busy.control(busy.world).decided.front().seen.launching, 1);
}

// A launch failed and waits; the load is gone: what the cloud never got is given up before anything is
// removed.
TEST(Step, a_launch_that_waits_is_taken_back_when_fewer_are_wanted) {
  Busy busy;
  busy.control.with.retry_after = second(600);
  busy.world.at(second(61));
  busy.world.ticket("matrix-web-60000-0", TicketState::failed, 0, true);
  busy.world.ticket("matrix-web-60000-1", TicketState::failed, 0, true);
  busy.control(busy.world);
  busy.world.at(second(120));
  busy.world.cpu(10);
  const Step next = busy.control(busy.world);
  EXPECT_TRUE(next.actions.empty());
  EXPECT_EQ(happened(next), Texts{"taken_back"});
  EXPECT_EQ(next.notes.front().subject, "b");       // the zone of the later one, without a token yet
  EXPECT_EQ(busy.control.state.orders.size(), 1U);  // 2 + 2 - 1 are wanted
}

// ---- a controller that has lost its state

// What its earlier self has ordered may not show yet: ordering the same again could exceed max.
TEST(Step, without_its_state_it_waits_until_its_earlier_orders_are_finished_and_can_be_seen) {
  Busy busy;
  busy.control.state = State{};
  busy.world.ticket("matrix-web-60000-0", TicketState::pending);
  busy.world.ticket("matrix-web-60000-1", TicketState::done, 1);
  busy.world.at(second(70));
  EXPECT_EQ(happened(busy.control(busy.world)), Texts{"unsettled"});
  // Finished at 80 s, and the list is from before.
  busy.world.at(second(80));
  busy.world.ticket("matrix-web-60000-0", TicketState::done, 1);
  busy.world.seen.instances_at = second(79);
  EXPECT_EQ(happened(busy.control(busy.world)), Texts{"unsettled"});
  busy.world.at(second(81));
  EXPECT_FALSE(busy.control(busy.world).decided.empty());
  // From now on nothing of it matters.
  busy.world.ticket("matrix-web-60000-0", TicketState::pending);
  busy.world.at(second(120));
  EXPECT_FALSE(busy.control(busy.world).decided.empty());
}

TEST(Step, without_its_state_it_waits_for_an_uncertain_order_as_long_as_it_may_take_to_appear) {
  Busy busy;
  busy.control.state = State{};
  busy.world.ticket("matrix-web-60000-0", TicketState::uncertain);
  busy.world.at(second(359));
  EXPECT_EQ(happened(busy.control(busy.world)), Texts{"unsettled"});
  busy.world.at(second(360));
  EXPECT_FALSE(busy.control(busy.world).decided.empty());
}

TEST(Step, without_its_state_it_does_not_wait_for_the_orders_of_others) {
  for (const char* token : {"matrix-web-2-60000-0", "matrix-web-60000", "matrix-shop-60000-0", "by-hand"}) {
    Busy busy;
    busy.control.state = State{};
    busy.world.ticket(token, TicketState::pending);
    EXPECT_FALSE(busy.control(busy.world).decided.empty()) << token;
  }
}

TEST(Step, without_its_state_it_uses_none_of_its_earlier_tokens) {
  Busy busy;
  busy.control.state = State{};
  busy.world.ticket("matrix-web-60000-7", TicketState::done, 1);
  EXPECT_EQ(busy.control(busy.world).actions.at(0).token, "matrix-web-60000-8");
}

// ---- time and tokens

// Killed after the state was kept and before anything was sent: the orders are sent by a later step.
TEST(Step, orders_that_were_never_sent_are_sent_later_under_the_same_token) {
  Busy busy;
  busy.world.at(second(75));
  EXPECT_EQ(texts(busy.control(busy.world).actions), texts(busy.ordered.actions));
}

TEST(Step, no_token_is_used_for_two_orders_even_when_the_clock_stands_still_or_goes_back) {
  Busy busy;
  busy.control.with.tick = Milliseconds(1);  // a tick at which to decide anew
  busy.control.state.next_tick = 0;
  busy.control.state.orders.clear();
  EXPECT_EQ(texts(busy.control(busy.world).actions),
            (Texts{"launch 1 of web v3 in zone a (matrix-web-60000-2)",
                   "launch 1 of web v3 in zone b (matrix-web-60000-3)"}));
  busy.control.state = State{};
  busy.control.state.token_at = second(99);
  EXPECT_EQ(busy.control(busy.world).actions.at(0).token, "matrix-web-99000-0");
}

// A rate limit of 2 in 5 minutes: 10 minutes without a step later it is free again.
TEST(Step, ticks_that_were_missed_pass_for_the_rate_limits) {
  for (const int minutes : {2, 11}) {
    Busy busy;
    busy.control.state = State{};
    busy.control.with.policy.shape.rate_out_ticks = 5;
    busy.control.with.policy.numbers.rate_out = 2;
    EXPECT_EQ(busy.control(busy.world).decided.front().decision.add, 2);
    busy.world.at(second(60 * minutes));
    busy.world.cpu(90);
    EXPECT_EQ(busy.control(busy.world).decided.front().decision.add, minutes == 2 ? 0 : 2) << minutes;
  }
}

TEST(Step, a_zone_that_is_cut_gets_no_instances) {
  Busy busy;
  busy.world.seen.zones = {{"a", false}, {"b", true}};
  busy.control.state = State{};
  EXPECT_EQ(texts(busy.control(busy.world).actions),
            (Texts{"launch 2 of web v3 in zone b (matrix-web-60000-0)"}));
  // Where all are cut there is nothing better.
  busy.world.seen.zones = {{"a", false}, {"b", false}};
  busy.control.state = State{};
  EXPECT_EQ(busy.control(busy.world).actions.size(), 2U);
}

TEST(Step, instances_of_other_services_do_not_count) {
  Busy busy;
  busy.world.add("j-1", "a").service = "shop";
  busy.control.state = State{};
  EXPECT_EQ(busy.control(busy.world).decided.front().seen.in_service, 2);
}

}  // namespace
}  // namespace headroom::control
