// How the controller replaces one version of a service by another (requirement F03).
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "control/fleet_world.hpp"

namespace headroom::control {
namespace {

// Three of v1 serve, and exactly three are wanted; from now on of v2, one at a time, proven after 10 s.
struct Rolling : FleetWorld {
  Rolling() {
    with.policy.numbers.min = 3;
    with.policy.numbers.max = 3;
    with.roll_at_once = 1;
    with.proven_after = second(10);
    with.tick = second(1);
    for (int k = 0; k < 3; ++k) add();
    at(second(30));
    EXPECT_TRUE((*this)().actions.empty());
    with.version = "v2";
  }
  int serving(const std::string& version) const {
    return static_cast<int>(std::count_if(seen.instances.begin(), seen.instances.end(), [&](const auto& i) {
      return i.version == version && i.state == InstanceState::in_service;
    }));
  }
  // Steps each second, and counts the fewest that served meanwhile.
  void go_on(int seconds) {
    for (int s = 0; s < seconds; ++s) {
      at(seen.at + second(1));
      const Step made = (*this)();
      for (const std::string& text : texts(made)) orders.push_back(text);
      fewest = std::min(fewest, count(InstanceState::in_service));
      most = std::max(most, count(InstanceState::in_service) + count(InstanceState::launching));
    }
  }
  Texts orders;
  int fewest = 3;
  int most = 3;
};

TEST(F03, a_new_version_replaces_the_old_one_and_never_do_fewer_serve) {
  Rolling world;
  world.go_on(60);
  EXPECT_EQ(world.serving("v1"), 0);
  EXPECT_EQ(world.serving("v2"), 3);
  EXPECT_EQ(world.fewest, 3);
  EXPECT_EQ(world.most, 4) << "one more at a time";
  EXPECT_TRUE(world.memory.outgoing.empty());
}

TEST(Roll, an_old_instance_stays_until_the_new_one_has_served_for_long_enough) {
  Rolling world;
  world.go_on(10);  // ordered in the first second, served for 9 s in the tenth
  EXPECT_EQ(world.serving("v1"), 3);
  world.go_on(1);
  EXPECT_EQ(world.serving("v1"), 2);
}

TEST(Roll, a_new_instance_that_fails_its_checks_proves_nothing) {
  Rolling world;
  world.with.replace_after = 1000;
  world.go_on(1);
  for (int s = 0; s < 30; ++s) {
    world.check("i-4", false);
    world.go_on(1);
  }
  EXPECT_EQ(world.serving("v1"), 3);
  world.check("i-4", true);
  world.go_on(1);
  EXPECT_EQ(world.serving("v1"), 2);
}

TEST(Roll, so_many_as_set_are_replaced_at_once) {
  Rolling world;
  world.with.roll_at_once = 2;
  world.go_on(1);
  EXPECT_EQ(world.orders, Texts{"launch 2 of web v2 in zone a (t-31000-0)"});
}

TEST(Roll, without_it_instances_of_another_version_stay) {
  Rolling world;
  world.with.roll_at_once = 0;
  world.go_on(60);
  EXPECT_EQ(world.serving("v1"), 3);
  EXPECT_TRUE(world.orders.empty());
}

// The policy wants three. It sees three, not the fourth that is there for the change of versions.
// Both would have the same volume.
TEST(Roll, where_the_old_one_stops_first_never_more_run_than_were_decided) {
  Rolling world;
  world.with.roll_stops_first = true;
  world.go_on(60);
  EXPECT_EQ(world.serving("v2"), 3);
  EXPECT_EQ(world.most, 3);
  EXPECT_EQ(world.fewest, 2) << "one at a time";
}

TEST(Roll, the_policy_sees_the_number_that_was_decided) {
  Rolling world;
  world.with.policy.numbers.max = 6;
  world.launches_as = InstanceState::launching;
  world.go_on(1);
  world.at(kMinute);
  world.cpu(40);
  const Step made = world();
  ASSERT_EQ(made.decided.size(), 1u);
  EXPECT_EQ(made.decided.front().seen.in_service, 2);
  EXPECT_EQ(made.decided.front().seen.launching, 1);
  // 40 % on each of three that serve: 60 % on each of the two that stay.
  EXPECT_FLOAT_EQ(made.decided.front().seen.value[0], 60.0f);
}

TEST(Roll, a_replacement_that_never_serves_leaves_the_old_version_as_it_is) {
  Rolling world;
  world.launches_as = InstanceState::launching;
  world.with.start_within = second(20);
  world.go_on(300);
  EXPECT_EQ(world.serving("v1"), 3);
  EXPECT_EQ(world.fewest, 3);
  EXPECT_EQ(world.most, 4) << "what failed is replaced, one at a time";
}

TEST(Roll, the_earlier_version_named_again_takes_the_replacements_back) {
  Rolling world;
  world.launches_as = InstanceState::launching;
  world.go_on(5);
  world.with.version = "v1";
  world.launches_as = InstanceState::in_service;
  world.go_on(60);
  EXPECT_EQ(world.serving("v1"), 3);
  EXPECT_EQ(world.count(InstanceState::launching), 0);
  EXPECT_EQ(world.seen.instances.size(), 3u);
}

TEST(Roll, half_way_the_earlier_version_replaces_what_was_replaced) {
  Rolling world;
  world.go_on(25);
  ASSERT_GT(world.serving("v2"), 0);
  world.with.version = "v1";
  world.go_on(90);
  EXPECT_EQ(world.serving("v1"), 3);
  EXPECT_EQ(world.serving("v2"), 0);
  EXPECT_EQ(world.fewest, 3);
  EXPECT_EQ(world.most, 4);
}

// A replacement waits to be ordered anew when the change is taken back: it is not ordered any more.
TEST(Roll, a_replacement_that_waits_is_not_ordered_after_the_change_is_taken_back) {
  Rolling world;
  world.launches_as = InstanceState::launching;
  world.with.start_within = second(5);
  world.go_on(8);  // the first has failed, the second waits for 10 s
  ASSERT_EQ(world.count(InstanceState::failed), 1);
  world.with.version = "v1";
  world.launches_as = InstanceState::in_service;
  world.orders.clear();
  world.go_on(60);
  EXPECT_TRUE(world.orders.empty()) << world.orders.front();
  EXPECT_EQ(world.serving("v1"), 3);
}

TEST(Roll, one_that_is_lost_while_its_replacement_comes_is_not_replaced_twice) {
  Rolling world;
  world.launches_as = InstanceState::launching;
  world.go_on(2);
  ASSERT_EQ(world.memory.outgoing.size(), 1u);
  const std::string going = world.memory.outgoing.front();
  std::erase_if(world.seen.instances, [&](const auto& i) { return i.id == going; });
  world.go_on(5);
  EXPECT_EQ(world.count(InstanceState::launching), 1);
}

TEST(Roll, stopped_instances_of_the_old_version_go_when_none_of_it_serves_any_more) {
  Rolling world;
  world.with.pool = 1;
  world.add("a", InstanceState::stopped);
  world.go_on(20);
  EXPECT_EQ(world.count(InstanceState::stopped), 1);
  world.go_on(60);
  EXPECT_EQ(world.serving("v2"), 3);
  EXPECT_EQ(world.count(InstanceState::stopped), 0);
}

}  // namespace
}  // namespace headroom::control
