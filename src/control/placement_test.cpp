#include "control/placement.hpp"

#include <gtest/gtest.h>

namespace headroom::control {
namespace {

TEST(Spread, fills_the_emptiest_zone_first_and_of_equals_the_first) {
  using Zones = std::vector<ZoneCount>;
  EXPECT_EQ(spread({{"a", 0}, {"b", 0}, {"c", 0}}, 2), (Zones{{"a", 1}, {"b", 1}}));
  EXPECT_EQ(spread({{"a", 3}, {"b", 1}, {"c", 2}}, 3), (Zones{{"b", 2}, {"c", 1}}));  // 3, 3, 3
  EXPECT_EQ(spread({{"a", 3}, {"b", 1}, {"c", 2}}, 4), (Zones{{"a", 1}, {"b", 2}, {"c", 1}}));
  EXPECT_EQ(spread({{"a", 5}}, 2), (Zones{{"a", 2}}));
  EXPECT_EQ(spread({{"a", 5}}, 0), Zones{});
}

struct Fleet {
  std::vector<cloud::Instance> instances;

  void add(const char* id, const char* zone, int started) {
    cloud::Instance instance;
    instance.id = id;
    instance.zone = zone;
    instance.started = base::Milliseconds(started);
    instances.push_back(instance);
  }
  std::string pick(int remove) const {
    std::vector<const cloud::Instance*> all;
    for (const cloud::Instance& instance : instances) all.push_back(&instance);
    std::string picked;
    for (const cloud::Instance* instance : pick_for_removal(all, remove)) picked += instance->id + " ";
    return picked;
  }
};

TEST(Removal, takes_the_newest_of_the_fullest_zone) {
  Fleet fleet;
  fleet.add("i1", "a", 1);
  fleet.add("i2", "a", 2);
  fleet.add("i3", "a", 3);
  fleet.add("i4", "b", 4);
  fleet.add("i5", "b", 5);
  // a has 3, so i3; then 2 and 2: the newest of all, i5; then a has 2, i2; then 1 and 1: i4 is newer.
  EXPECT_EQ(fleet.pick(5), "i3 i5 i2 i4 i1 ");
  EXPECT_EQ(fleet.pick(0), "");
}

TEST(Removal, of_instances_of_the_same_age_the_greater_id_goes_first) {
  Fleet fleet;
  fleet.add("i1", "a", 7);
  fleet.add("i2", "a", 7);
  EXPECT_EQ(fleet.pick(1), "i2 ");
}

}  // namespace
}  // namespace headroom::control
