// What the controller does with a fleet beside deciding: failures, the warm pool, groups, paid time.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "control/fleet_world.hpp"
#include "control/step.hpp"

namespace headroom::control {
namespace {

// ---- health (requirements M12, M14, M16)

TEST(Health, the_third_failed_check_in_a_row_takes_an_instance_out_and_replaces_it_at_once) {
  FleetWorld world;
  world.add();
  world.add();
  for (int k = 1; k <= 3; ++k) {
    world.at(second(5 * k));
    world.check("i-1", true);
    world.check("i-2", false);
    const Step made = world();
    if (k < 3) {
      EXPECT_TRUE(made.actions.empty()) << k;
    } else {
      EXPECT_EQ(happened(made), Texts{"instance_failed i-2"});
      EXPECT_EQ(texts(made), (Texts{"drain i-2 for up to 0 ms, then keep it for inspection (t-15000-0)",
                                    "launch 1 of web v1 in zone a (t-15000-1)"}));
      EXPECT_EQ(made.actions[1].why, "replaces i-2: 3 failed checks in a row: connection refused");
    }
  }
  EXPECT_EQ(world.count(InstanceState::in_service), 2);  // the minimum, within one step
  EXPECT_EQ(world.count(InstanceState::failed), 1);      // kept, not pooled
}

// The original never forgot a failure: F, F, OK, F, F stopped the instance.
TEST(B_M13, a_good_check_starts_the_count_of_failures_anew) {
  FleetWorld world;
  world.add();
  world.add();
  int k = 0;
  for (const bool healthy : {false, false, true, false, false}) {
    world.at(second(5 * ++k));
    world.check("i-2", healthy);
    EXPECT_TRUE(world().actions.empty()) << k;
  }
}

TEST(Health, one_check_counts_once_however_often_it_is_seen) {
  FleetWorld world;
  world.add();
  world.add();
  world.at(second(5));
  world.check("i-2", false);
  for (int s = 5; s < 15; ++s) {
    world.at(second(s));
    EXPECT_TRUE(world().actions.empty());
  }
}

TEST(Health, checks_within_the_grace_do_not_count) {
  FleetWorld world;
  world.with.grace = second(60);
  world.add();
  world.add();
  for (int s = 5; s < 60; s += 5) {
    world.at(second(s));
    world.check("i-2", false);
    EXPECT_TRUE(world().actions.empty()) << s;
  }
  for (int s = 60; s <= 70; s += 5) {
    world.at(second(s));
    world.check("i-2", false);
    EXPECT_EQ(world().actions.empty(), s < 70) << s;
  }
}

// More checks can end between two looks than one: all count.
TEST(Health, checks_that_were_not_looked_at_count_too) {
  FleetWorld world;
  world.add();
  world.add();
  world.at(second(5));
  world.check("i-2", false);
  EXPECT_TRUE(world().actions.empty());
  world.at(second(65));
  world.check("i-2", false);
  EXPECT_TRUE(world().actions.empty());
  world.find("i-2").health->failures = 13;
  EXPECT_EQ(happened(world()), Texts{"instance_failed i-2"});
}

// Two looks within a grace of 60 s find 11 failed; at 70 s it are 14, of which 3 count. A row that begins
// anew, with a good check that nobody saw, has none within the grace.
TEST(Health, of_a_row_that_began_within_the_grace_the_rest_counts) {
  for (const bool anew : {false, true}) {
    FleetWorld world;
    world.with.grace = second(60);
    world.add();
    world.add();
    for (const auto& [at, failures] :
         {std::pair(5, 1), std::pair(55, 11), std::pair(65, anew ? 2 : 13), std::pair(70, anew ? 3 : 14)}) {
      world.at(second(at));
      world.find("i-2").health = {world.seen.at, "connection refused", failures};
      EXPECT_EQ(world().actions.empty(), at < 70) << at;
    }
  }
}

// Nothing restored the minimum in the original, and an empty list stopped its loop for good.
TEST(B_M14, a_fleet_that_is_gone_is_restored_within_one_step) {
  FleetWorld world;
  world.add();
  world.add();
  world();
  world.seen.instances.clear();
  world.at(second(1));
  const Step made = world();
  EXPECT_EQ(happened(made), (Texts{"instance_lost i-1", "instance_lost i-2"}));
  EXPECT_EQ(world.count(InstanceState::in_service), 2);
}

TEST(Health, a_lost_instance_is_replaced_though_the_policy_is_in_its_cooldown) {
  FleetWorld world;
  for (int k = 0; k < 4; ++k) world.add();
  world();
  world.at(second(1));
  std::erase_if(world.seen.instances, [](const auto& i) { return i.id == "i-3"; });
  EXPECT_EQ(texts(world()), Texts{"launch 1 of web v1 in zone a (t-1000-0)"});
  EXPECT_EQ(world.count(InstanceState::in_service), 4);
}

// Each launch vanishes a second after its order, before it serves: seen to be gone after another second, it
// is ordered anew after 10, 20, 40 s, not each second.
TEST(Health, what_never_serves_is_replaced_more_and_more_rarely) {
  FleetWorld world;
  world.add();
  world();
  std::vector<std::int64_t> launches;
  for (int s = 1; s <= 80; ++s) {
    world.at(second(s));
    const Step made = world.step_only();
    for (const cloud::Action& action : made.actions) {
      launches.push_back(s);
      world.add("a", InstanceState::launching).launched_by = action.token;
    }
    if (made.actions.empty())
      std::erase_if(world.seen.instances, [](const auto& i) { return i.id != "i-1"; });
  }
  // i-2 served, so it is replaced at once (2); then 2 + 2 + 10, 14 + 2 + 20, 36 + 2 + 40.
  EXPECT_EQ(launches, (std::vector<std::int64_t>{2, 14, 36, 78}));
}

// Three that start are lost in one instant: one failure, and a wait of 10 s for all.
TEST(Health, what_is_lost_together_has_failed_once) {
  FleetWorld world;
  world.add();
  for (int k = 0; k < 3; ++k) world.add("a", InstanceState::launching);
  world();
  world.at(second(1));
  std::erase_if(world.seen.instances, [](const auto& i) { return i.id != "i-1"; });
  EXPECT_EQ(happened(world()), (Texts{"instance_lost i-2", "instance_lost i-3", "instance_lost i-4"}));
  EXPECT_TRUE(world.step_only().actions.empty());
  world.at(second(11));
  world();
  EXPECT_EQ(world.count(InstanceState::in_service), 4);
}

// Zone b is lost with what starts there; zone a is sound, and takes it at once.
TEST(Health, what_never_served_is_replaced_at_once_where_another_zone_is_open) {
  FleetWorld world;
  world.with.zones = {"a", "b"};
  world.add();
  world.add();
  world.add("b", InstanceState::launching);
  world.add("b", InstanceState::launching);
  world();
  world.at(second(1));
  std::erase_if(world.seen.instances, [](const auto& i) { return i.zone == "b"; });
  world();
  EXPECT_EQ(world.count(InstanceState::in_service, "a"), 4);
}

TEST(Health, an_instance_that_does_not_start_in_time_has_failed) {
  FleetWorld world;
  world.with.start_within = second(120);
  world.add();
  world.add("a", InstanceState::launching);
  world.at(second(119));
  world();
  world.at(second(120));
  const Step made = world();
  EXPECT_EQ(happened(made), Texts{"instance_failed i-2"});
  EXPECT_EQ(world.find("i-2").state, InstanceState::failed);
}

TEST(Health, replacements_stay_within_the_maximum) {
  FleetWorld world;
  world.with.policy.numbers.max = 2;
  for (int k = 0; k < 3; ++k) world.add();  // one more than may be, found and not launched by us
  world();
  world.at(second(1));
  std::erase_if(world.seen.instances, [](const auto& i) { return i.id == "i-3"; });
  EXPECT_TRUE(world().actions.empty());
}

// M04: no scale-out before the newest instance has two records; two minutes after it serves it has.
TEST(Step, the_records_of_the_newest_instance_are_counted_once_each) {
  FleetWorld world;
  world.with.policy.shape.policy[0].newest_records = 2;
  world.add();
  world.at(second(30));
  world.add();
  for (int minute = 1; minute <= 3; ++minute) {
    world.at(kMinute * minute);
    world.cpu(80);
    world.step_only();
    const Step made = world.step_only();  // seen twice, counted once
    EXPECT_TRUE(made.actions.empty());
    const auto& known = world.memory.watched.back();
    EXPECT_EQ(known.id, "i-2");
    EXPECT_EQ(known.records, minute);
  }
  EXPECT_EQ(world.memory.orders.size(), 2U);  // at minutes 2 and 3
}

// ---- the warm pool (M07, M09)

// Four serve; two minutes of 10 % send the two newest to a pool of two; two minutes of 80 % call them back.
TEST(Pool, the_last_stopped_starts_first_and_only_then_a_new_one) {
  FleetWorld world;
  world.with.pool = 2;
  world.with.policy.numbers.min = 1;
  for (int k = 0; k < 4; ++k) {
    world.at(Milliseconds(k));
    world.add();
  }
  Texts all;
  const auto minute = [&](int m, double percent) {
    world.at(kMinute * m);
    world.cpu(percent);
    for (const std::string& text : texts(world())) all.push_back(text);
  };
  minute(1, 10);
  minute(2, 10);
  minute(3, 10);  // the pool is full
  minute(4, 80);
  minute(5, 80);
  minute(6, 80);
  EXPECT_EQ(all, (Texts{"drain i-4 for up to 0 ms, then stop it for the pool (t-60000-0)",
                        "drain i-3 for up to 0 ms, then stop it for the pool (t-120000-0)",
                        "drain i-2 for up to 0 ms, then delete it (t-180000-0)",
                        "start i-3 from the pool (t-240000-0)", "start i-4 from the pool (t-300000-0)",
                        "launch 1 of web v1 in zone a (t-360000-0)"}));
}

TEST(Pool, an_instance_ordered_to_start_counts_as_launching_and_is_not_started_twice) {
  FleetWorld world;
  world.add();
  world.add();
  world.add("a", InstanceState::stopped);
  world.at(kMinute);
  world.cpu(80);
  EXPECT_EQ(texts(world.step_only()), Texts{"start i-3 from the pool (t-60000-0)"});
  world.at(kMinute * 2);
  world.seen.tickets = {{{"t-60000-0"}, cloud::TicketState::pending, kMinute, 0, "", false}};
  world.cpu(80);
  const Step next = world.step_only();
  EXPECT_EQ(next.decided.front().seen.launching, 1);
  EXPECT_EQ(texts(next), Texts{"launch 1 of web v1 in zone a (t-120000-0)"});
}

TEST(Pool, an_old_version_is_not_started) {
  FleetWorld world;
  world.with.pool = 1;
  world.add();
  world.add();
  world.add("a", InstanceState::stopped).version = "v0";
  world.at(kMinute);
  world.cpu(80);
  EXPECT_EQ(texts(world()), Texts{"launch 1 of web v1 in zone a (t-60000-0)"});
}

// Draining takes minutes: the place in the pool is taken all the while.
TEST(Pool, what_drains_towards_the_pool_has_its_place_already) {
  FleetWorld world;
  world.with.pool = 1;
  world.with.drain = second(300);
  for (int k = 0; k < 4; ++k) {
    world.at(Milliseconds(k));
    world.add();
  }
  world.at(kMinute);
  world.cpu(10);
  EXPECT_EQ(texts(world.step_only()),
            Texts{"drain i-4 for up to 300000 ms, then stop it for the pool (t-60000-0)"});
  world.find("i-4").state = InstanceState::draining;
  world.seen.tickets = {{{"t-60000-0"}, cloud::TicketState::done, kMinute, 1, "", false}};
  world.at(kMinute * 2);
  world.cpu(10);
  EXPECT_EQ(texts(world.step_only()), Texts{"drain i-3 for up to 300000 ms, then delete it (t-120000-0)"});
  // Stopped at last: the order is over.
  world.find("i-4").state = InstanceState::stopped;
  world.find("i-3").state = InstanceState::draining;
  world.at(kMinute * 3);
  world.step_only();
  EXPECT_TRUE(world.memory.orders.empty());
}

// A pool that became smaller: the ones that were stopped first go, those of an old version before them.
TEST(Pool, what_is_beyond_its_size_is_deleted) {
  FleetWorld world;
  world.with.pool = 1;
  world.add();
  world.add();
  for (int k = 1; k <= 3; ++k) {
    world.at(second(k));
    world.add("a", InstanceState::stopped);
  }
  world.find("i-5").version = "v0";
  world.at(kMinute);
  world.cpu(40);
  EXPECT_EQ(texts(world()), (Texts{"drain i-5 for up to 0 ms, then delete it (t-60000-0)",
                                   "drain i-3 for up to 0 ms, then delete it (t-60000-1)"}));
  world.at(kMinute * 2);
  EXPECT_TRUE(world().actions.empty());
  EXPECT_EQ(world.count(InstanceState::stopped), 1);
}

// The cloud is slow to delete i-3, which is still listed as stopped: the order stands and i-3 is not started.
TEST(Pool, what_is_being_deleted_is_not_started) {
  FleetWorld world;
  world.add();
  world.add();
  world.add("a", InstanceState::stopped);
  world.at(kMinute);
  world.cpu(40);
  EXPECT_EQ(texts(world.step_only()), Texts{"drain i-3 for up to 0 ms, then delete it (t-60000-0)"});
  world.seen.tickets = {{{"t-60000-0"}, cloud::TicketState::pending, kMinute, 0, "", false}};
  world.at(kMinute * 2);
  world.cpu(80);
  EXPECT_EQ(texts(world.step_only()), Texts{"launch 1 of web v1 in zone a (t-120000-0)"});
}

// ---- the maximum, in truth

// Six of at most six serve and i-6 has failed: until the cloud has taken it out, one more would be seven.
TEST(Maximum, a_replacement_waits_until_what_failed_has_gone) {
  FleetWorld world;
  for (int k = 0; k < 6; ++k) world.add();
  for (int k = 1; k <= 3; ++k) {
    world.at(second(5 * k));
    world.check("i-6", false);
    const Step made = world.step_only();
    if (k == 3) {
      EXPECT_EQ(texts(made), Texts{"drain i-6 for up to 0 ms, then keep it for inspection (t-15000-0)"});
    }
  }
  world.seen.tickets = {{{"t-15000-0"}, cloud::TicketState::pending, second(15), 0, "", false}};
  world.at(second(20));
  EXPECT_TRUE(world.step_only().actions.empty());
  world.at(kMinute);
  world.cpu(40);
  EXPECT_EQ(world.step_only().decided.front().seen.launching, 1) << "it counts as on its way while it waits";
  world.find("i-6").state = InstanceState::failed;
  world.at(second(61));
  EXPECT_EQ(texts(world.step_only()), Texts{"launch 1 of web v1 in zone a (t-61000-0)"});
}

// i-6 is to go and still serves; a minute later one more is wanted.
TEST(Maximum, a_removal_that_is_not_carried_out_yet_leaves_no_room) {
  FleetWorld world;
  for (int k = 0; k < 6; ++k) {
    world.at(Milliseconds(k));
    world.add();
  }
  world.at(kMinute);
  world.cpu(10);
  EXPECT_EQ(texts(world.step_only()), Texts{"drain i-6 for up to 0 ms, then delete it (t-60000-0)"});
  world.seen.tickets = {{{"t-60000-0"}, cloud::TicketState::pending, kMinute, 0, "", false}};
  world.at(kMinute * 2);
  world.cpu(80);
  const Step made = world.step_only();
  EXPECT_EQ(made.decided.front().decision.add, 1);
  EXPECT_TRUE(made.actions.empty());
  std::erase_if(world.seen.instances, [](const auto& i) { return i.id == "i-6"; });
  world.at(second(121));
  EXPECT_EQ(texts(world.step_only()), Texts{"launch 1 of web v1 in zone a (t-121000-0)"});
}

// Requirement M06: at the maximum each evaluation says once that more is wanted; at the minimum there is
// nothing to warn of.
TEST(M06, at_the_maximum_each_evaluation_says_once_that_more_is_wanted) {
  FleetWorld world;
  for (int k = 0; k < 6; ++k) world.add();
  for (int m = 1; m <= 3; ++m) {
    world.at(kMinute * m);
    world.cpu(m == 3 ? 40 : 80);
    const Step made = world();
    ASSERT_EQ(made.decided.size(), 1U);
    const policy::Reasons reasons{static_cast<std::uint32_t>(made.decided.front().decision.reasons)};
    EXPECT_EQ(reasons.has(policy::Reason::above_threshold) && reasons.has(policy::Reason::at_max), m < 3)
        << m;
    EXPECT_TRUE(made.actions.empty());
    world.at(kMinute * m + second(30));
    EXPECT_TRUE(world().decided.empty());
  }
}

// Requirement M15: each iteration tells time, utilisation and instances, also where nothing is to be done.
TEST(M15, each_tick_tells_what_was_seen_and_decided) {
  FleetWorld world;
  for (int k = 0; k < 3; ++k) world.add();
  for (int m = 1; m <= 3; ++m) {
    world.at(kMinute * m);
    world.cpu(40);
    const Step made = world();
    ASSERT_EQ(made.decided.size(), 1U);
    EXPECT_EQ(made.decided.front().at, kMinute * m);
    EXPECT_EQ(made.decided.front().seen.value[0], 40.0f);
    EXPECT_EQ(made.decided.front().seen.in_service, 3);
    EXPECT_EQ(made.decided.front().decision.desired, 3);
  }
}

// ---- groups (I03)

TEST(Groups, each_zone_decides_on_its_own_metrics_within_its_own_limits) {
  FleetWorld world;
  world.with.zones = {"a", "b"};
  world.with.per_zone = true;
  for (const char* zone : {"a", "b"}) {
    world.add(zone);
    world.add(zone);
  }
  world.at(kMinute);
  world.cpu(80, "a");
  world.cpu(40, "b");
  const Step made = world();
  ASSERT_EQ(made.decided.size(), 2U);
  EXPECT_EQ(made.decided[0].seen.value[0], 80.0f);
  EXPECT_EQ(made.decided[1].seen.value[0], 40.0f);
  EXPECT_EQ(made.decided[1].group, 1);
  EXPECT_EQ(texts(made), Texts{"launch 1 of web v1 in zone a (t-60000-0)"});
}

TEST(Groups, a_lost_instance_is_replaced_in_its_own_zone) {
  FleetWorld world;
  world.with.zones = {"a", "b"};
  world.with.per_zone = true;
  for (const char* zone : {"a", "a", "b", "b"}) world.add(zone);
  world();
  world.at(second(1));
  std::erase_if(world.seen.instances, [](const auto& i) { return i.id == "i-4"; });
  EXPECT_EQ(texts(world()), Texts{"launch 1 of web v1 in zone b (t-1000-0)"});
}

// Of zone b, lost with both its instances, everything fails for a while: what is ordered anew is ordered for
// b.
TEST(Groups, what_failed_in_a_zone_is_ordered_anew_in_that_zone) {
  FleetWorld world;
  world.with.zones = {"a", "b"};
  world.with.per_zone = true;
  for (const char* zone : {"a", "a", "b", "b"}) world.add(zone);
  world();
  world.at(second(1));
  std::erase_if(world.seen.instances, [](const auto& i) { return i.zone == "b"; });
  EXPECT_EQ(texts(world.step_only()),
            (Texts{"launch 1 of web v1 in zone b (t-1000-0)", "launch 1 of web v1 in zone b (t-1000-1)"}));
  world.at(second(2));
  for (const char* token : {"t-1000-0", "t-1000-1"}) {
    world.seen.tickets.push_back(
        {{token}, cloud::TicketState::failed, second(2), 0, "the zone cannot be reached", true});
  }
  EXPECT_EQ(happened(world.step_only()), (Texts{"ordered_anew t-1000-0", "ordered_anew t-1000-1"}));
  world.at(second(12));
  EXPECT_EQ(texts(world.step_only()),
            (Texts{"launch 1 of web v1 in zone b (t-12000-0)", "launch 1 of web v1 in zone b (t-12000-1)"}));
}

// Zone b serves nobody, so its idle instances say nothing of the load.
TEST(Groups, a_fleet_over_zones_does_not_mix_in_the_metrics_of_a_zone_that_is_cut) {
  FleetWorld world;
  world.with.zones = {"a", "b"};
  world.add("a");
  world.add("b");
  world.seen.zones = {{"a", true}, {"b", false}};
  world.at(kMinute);
  world.cpu(80, "a");
  world.cpu(0, "b");
  const Step made = world();
  EXPECT_EQ(made.decided.front().seen.value[0], 80.0f);
  EXPECT_EQ(texts(made), Texts{"launch 1 of web v1 in zone a (t-60000-0)"});
}

// Target 50 %; zone b with 4 of 8 is cut, and the 4 of zone a are at 100 %: 4 * 100 / 50 = 8 have to serve.
// Counting the cut ones too would order 8 * 100 / 50 - 8 = 8 more, and take them away again.
TEST(Groups, in_a_cut_the_policy_counts_those_that_it_measures) {
  policy::TargetPolicy target;
  target.target = 50;
  policy::Scaling scaling;
  scaling.initial = 8;
  scaling.limits.min = 2;
  scaling.limits.max = 30;
  scaling.policies = {target};
  FleetWorld world;
  world.with.policy = policy::compile(scaling, kMinute, kMinute, Milliseconds(0)).value();
  world.with.zones = {"a", "b"};
  for (int k = 0; k < 8; ++k) world.add(k % 2 == 0 ? "a" : "b");
  world.add("b", InstanceState::launching);
  world.seen.zones = {{"a", true}, {"b", false}};
  world.at(kMinute);
  world.cpu(100, "a");
  world.cpu(0, "b");
  const Step made = world();
  EXPECT_EQ(made.decided.front().seen.in_service, 4);
  EXPECT_EQ(made.decided.front().seen.launching, 0);
  EXPECT_EQ(texts(made), Texts{"launch 4 of web v1 in zone a (t-60000-0)"});
}

// Two serve, one of them in a zone that is cut: the other is all there is, and the minimum is one.
TEST(Groups, what_serves_is_not_removed_in_favour_of_a_zone_that_is_cut) {
  FleetWorld world;
  world.with.zones = {"a", "b"};
  world.with.policy.numbers.min = 1;
  world.add("a");
  world.add("b");
  world.seen.zones = {{"a", false}, {"b", true}};
  world.at(kMinute);
  world.cpu(10);
  EXPECT_TRUE(world().actions.empty());
  world.seen.zones = {{"a", true}, {"b", true}};
  world.at(2 * kMinute);
  world.cpu(10);
  EXPECT_EQ(texts(world()), Texts{"drain i-2 for up to 0 ms, then delete it (t-120000-0)"});
}

TEST(Groups, the_minimum_is_of_those_that_requests_reach) {
  FleetWorld world;
  world.with.zones = {"a", "b"};
  world.add("a");
  world.add("b");
  world.seen.zones = {{"a", false}, {"b", true}};
  world.at(kMinute);
  EXPECT_EQ(texts(world()), Texts{"launch 1 of web v1 in zone b (t-60000-0)"});
}

// A minute of 10 % in which the oldest of three begins to fail its checks: it serves nobody, so it goes.
TEST(Health, what_fails_its_checks_goes_before_what_answers) {
  FleetWorld world;
  for (int k = 0; k < 3; ++k) world.add();
  world.at(kMinute);
  world.cpu(10);
  world.check("i-1", false);
  EXPECT_EQ(texts(world()), Texts{"drain i-1 for up to 0 ms, then delete it (t-60000-0)"});
}

// ---- paid time (C02, F02; the rule of requirements 2.1)

struct Hourly : FleetWorld {
  Hourly() {
    with.hold_while_paid = {.model = fleet::BillingModel::hourly};
    with.policy.numbers.min = 1;
    add();
    at(second(600));
    add();
    (*this)();
  }

  // At 1200 s nothing is to do: i-2, which is to go, is marked, for its hour is paid to 4200 s.
  void mark_one() {
    at(second(1200));
    cpu(10);
    (*this)();
  }
};

TEST(PaidTime, an_instance_to_be_removed_serves_until_its_own_hour_ends) {
  Hourly world;
  world.at(second(1200));
  world.cpu(10);
  const Step decided = world();
  EXPECT_EQ(happened(decided), Texts{"marked i-2"});
  EXPECT_TRUE(decided.actions.empty());
  // Started at 600 s; a step each minute: the one at 4140 s is the last within its hour.
  Texts all;
  for (int s = 1260; s <= 4140; s += 60) {
    world.at(second(s));
    world.cpu(25);  // 50 for the one that stays
    for (const std::string& text : texts(world())) all.push_back(std::to_string(s) + " " + text);
  }
  EXPECT_EQ(all, Texts{"4140 drain i-2 for up to 0 ms, then delete it (t-4140000-0)"});
}

// When i-2 is ordered out, looking each `every` seconds; started at 600 s, it is paid for to 4200 s, and
// again to 7800 s. The order takes hold at the next look, a tick later; the drain, in ticks, ends in time.
int released(int every, int drain, bool from_in_service = false) {
  Hourly world;
  world.with.tick = second(every);
  world.memory.next_tick = 0;
  world.with.drain = second(drain);
  world.with.hold_while_paid->from_in_service = from_in_service;
  world.find("i-2").since = second(900);
  for (int s = 1260; s <= 9000; s += every) {
    world.at(second(s));
    world.cpu(s == 1260 ? 10 : 25);
    if (!world.step_only().actions.empty()) return s;
  }
  return 0;
}
TEST(PaidTime, a_removal_with_its_drain_ends_within_the_paid_hour) {
  EXPECT_EQ(released(60, 0), 4140);    // gone at 4200
  EXPECT_EQ(released(60, 10), 4080);   // takes hold at 4140, gone at 4200
  EXPECT_EQ(released(60, 60), 4080);   // as much
  EXPECT_EQ(released(60, 70), 4020);   // takes hold at 4080, drains for two ticks
  EXPECT_EQ(released(420, 0), 3780);   // looks at 3360, 3780, 4200: gone at 4200
  EXPECT_EQ(released(420, 10), 3360);  // takes hold at 3780, gone at 4200
  EXPECT_EQ(released(50, 0), 4110);    // looks at 4110, 4160: gone at 4160, and not at 4210
}
TEST(PaidTime, where_service_begins_the_charge_the_hour_counts_from_there) {
  EXPECT_EQ(released(60, 0, true), 4440);  // 900 s + 1 h - 60 s
}
// Marked when its hour cannot be kept any more, it serves for the hour that is begun anyway.
TEST(PaidTime, what_is_paid_for_anyway_serves) {
  Hourly world;
  world.with.drain = second(10);
  world.at(second(4140));
  world.cpu(10);
  EXPECT_EQ(happened(world()), Texts{"marked i-2"});
  world.at(second(4200));
  world.cpu(25);
  EXPECT_TRUE(world().actions.empty());
  world.at(second(7680));
  world.cpu(25);
  EXPECT_EQ(texts(world()), Texts{"drain i-2 for up to 10000 ms, then delete it (t-7680000-0)"});
}

TEST(PaidTime, a_scale_out_recalls_the_marked_one_first) {
  Hourly world;
  world.mark_one();
  world.at(second(1260));
  world.cpu(80);
  const Step made = world();
  EXPECT_EQ(happened(made), Texts{"recalled i-2"});
  EXPECT_TRUE(made.actions.empty());
  EXPECT_TRUE(world.memory.marked.empty());
}

TEST(PaidTime, a_marked_instance_that_vanishes_is_not_replaced) {
  Hourly world;
  world.mark_one();
  world.at(second(1210));
  std::erase_if(world.seen.instances, [](const auto& i) { return i.id == "i-2"; });
  const Step made = world();
  EXPECT_EQ(happened(made), Texts{"instance_lost i-2"});
  EXPECT_TRUE(made.actions.empty());
  EXPECT_TRUE(world.memory.marked.empty());
}

// When the hour of i-2 ends, i-1 has failed a check: without i-2 nobody might answer.
TEST(PaidTime, what_the_minimum_needs_stays_when_its_paid_time_ends) {
  Hourly world;
  world.mark_one();
  world.at(second(4140));
  world.check("i-1", false);
  const Step made = world();
  EXPECT_EQ(happened(made), Texts{"recalled i-2"});
  EXPECT_TRUE(made.actions.empty());
}

// The balancer does not count: the load is the sum of what i-1 and i-2 take, and i-2 is to go.
TEST(PaidTime, the_load_of_the_service_is_not_more_because_of_a_mark) {
  Hourly world;
  world.with.policy.shape.any_load = true;
  world.mark_one();
  world.at(second(1260));
  for (cloud::Instance& instance : world.seen.instances) {
    instance.metrics = {world.seen.at, kMinute, base::Percent(25), base::Rate(30)};
  }
  EXPECT_EQ(world().decided.front().seen.value[policy::kLoad], 60.0f);
}

// i-1 at 40 % and i-2, which is to go, at 50 %: the one that stays will carry 90 %. Deciding on the mean of
// 45 would mark more and more for as long as i-2 serves, and miss them all when it has gone.
TEST(PaidTime, what_is_marked_counts_no_longer_and_its_load_counts_for_those_that_stay) {
  Hourly world;
  world.mark_one();
  world.at(second(1260));
  world.cpu(40);
  world.find("i-2").metrics->cpu = base::Percent(50);
  const Step made = world();
  EXPECT_EQ(made.decided.front().seen.in_service, 1);
  EXPECT_EQ(made.decided.front().seen.value[0], 90.0f);
}

// The metrics of the minutes before still show what it carried: for the policy it is removed now.
TEST(PaidTime, the_cooldown_of_a_removal_counts_from_when_its_paid_time_ends) {
  Hourly world;
  world.with.policy.numbers.policy[0].cooldown_in = 3;
  world.mark_one();
  std::vector<int> held;
  for (int s = 4140; s <= 4380; s += 60) {
    world.at(second(s));
    // Released at 4140 = tick 69; held back in the ticks 70 and 71, as 72 - 69 is no longer below 3.
    world.cpu(s == 4140 ? 25 : 80);
    const Step made = world();
    held.push_back((made.decided.front().decision.reasons & static_cast<int>(policy::Reason::cooldown)) != 0);
  }
  EXPECT_EQ(held, (std::vector<int>{0, 1, 1, 0, 0}));
}

}  // namespace
}  // namespace headroom::control
