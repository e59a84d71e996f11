#include "fleet/counts.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "fleet/counts-inl.hpp"

namespace headroom::fleet {
namespace {

using base::One;

struct Order {
  int add = 0;
  int remove = 0;
};

struct Seen {
  int in_service;
  int launching;
  int draining;
  int warming;
  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << seen.in_service << " in service, " << seen.launching << " launching, " << seen.draining
             << " draining, " << seen.warming << " warming";
}

// What is there at each tick, with the orders of that tick given at its end.
std::vector<Seen> run(const Shape& shape, int initial, const std::vector<Order>& orders) {
  const auto counts = std::make_unique<Counts<One>>();
  HWY_NAMESPACE::reset<One>(shape, initial, *counts);
  std::vector<Seen> seen;
  for (const Order& order : orders) {
    HWY_NAMESPACE::begin_tick<One>(shape, *counts);
    seen.push_back({counts->in_service, counts->launching, counts->draining, counts->warming});
    HWY_NAMESPACE::order<One>(shape, order.add, order.remove, *counts);
  }
  return seen;
}

TEST(Counts, an_order_serves_its_start_up_plus_one_tick_later) {
  const auto seen = run({.startup = 2}, 1, {{3, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}});
  EXPECT_EQ(seen, (std::vector<Seen>{{1, 0, 0, 0}, {1, 3, 0, 0}, {1, 3, 0, 0}, {4, 0, 0, 0}, {4, 0, 0, 0}}));
}

TEST(Counts, without_start_up_an_order_serves_at_the_next_tick) {
  const auto seen = run({}, 1, {{2, 0}, {1, 0}, {0, 0}});
  EXPECT_EQ(seen, (std::vector<Seen>{{1, 0, 0, 0}, {3, 0, 0, 0}, {4, 0, 0, 0}}));
}

// Removed at tick 0: serves until its end, then drains for as many ticks as the drain is long.
TEST(Counts, a_removed_instance_drains_exactly_its_time) {
  EXPECT_EQ(run({}, 4, {{0, 1}, {0, 0}}), (std::vector<Seen>{{4, 0, 0, 0}, {3, 0, 0, 0}}));
  EXPECT_EQ(run({.drain = 1}, 4, {{0, 1}, {0, 2}, {0, 0}, {0, 0}}),
            (std::vector<Seen>{{4, 0, 0, 0}, {3, 0, 1, 0}, {1, 0, 2, 0}, {1, 0, 0, 0}}));
  EXPECT_EQ(
      run({.drain = 3}, 4, {{0, 1}, {0, 0}, {0, 2}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}),
      (std::vector<Seen>{
          {4, 0, 0, 0}, {3, 0, 1, 0}, {3, 0, 1, 0}, {1, 0, 3, 0}, {1, 0, 2, 0}, {1, 0, 2, 0}, {1, 0, 0, 0}}));
}

TEST(Counts, an_arrival_warms_for_its_time) {
  EXPECT_EQ(run({.startup = 1, .warm_up = 2}, 1, {{2, 0}, {1, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}),
            (std::vector<Seen>{
                {1, 0, 0, 0}, {1, 2, 0, 0}, {3, 1, 0, 2}, {4, 0, 0, 3}, {4, 0, 0, 1}, {4, 0, 0, 0}}));
}

// Ordered at tick 0 and 1: 2 and then 3 are warming. Of 3 removed all are of the later ones, of 4 one is of
// the earlier.
TEST(Counts, of_the_warming_the_newest_leave_first) {
  EXPECT_EQ(run({.warm_up = 3}, 1, {{2, 0}, {3, 0}, {0, 3}, {0, 0}, {0, 0}}),
            (std::vector<Seen>{{1, 0, 0, 0}, {3, 0, 0, 2}, {6, 0, 0, 5}, {3, 0, 0, 2}, {3, 0, 0, 0}}));
  EXPECT_EQ(run({.warm_up = 3}, 1, {{2, 0}, {3, 0}, {0, 4}, {0, 0}, {0, 0}}),
            (std::vector<Seen>{{1, 0, 0, 0}, {3, 0, 0, 2}, {6, 0, 0, 5}, {2, 0, 0, 1}, {2, 0, 0, 0}}));
  // More than are warming: none is left that could end its warm-up later.
  EXPECT_EQ(run({.warm_up = 3}, 2, {{4, 0}, {0, 5}, {1, 0}, {0, 0}, {0, 0}}),
            (std::vector<Seen>{{2, 0, 0, 0}, {6, 0, 0, 4}, {1, 0, 0, 0}, {2, 0, 0, 1}, {2, 0, 0, 1}}));
}

// Against a model that keeps every order and counts from scratch; long enough for every ring to go round
// often.
RC_GTEST_PROP(Counts, agree_with_the_list_of_all_orders, ()) {
  Shape shape;
  shape.startup = *rc::gen::inRange(0, 9);
  shape.drain = *rc::gen::inRange(0, 9);
  shape.warm_up = *rc::gen::inRange(0, 9);
  const int initial = *rc::gen::inRange(1, 6);
  const bool removing = *rc::gen::arbitrary<bool>();
  const auto draws = *rc::gen::container<std::vector<std::pair<int, int>>>(
      60, rc::gen::pair(rc::gen::inRange(-4, 5), rc::gen::inRange(0, 100)));

  // Only as many are removed as serve, so the orders are made along the way.
  std::vector<Order> orders;
  std::vector<Seen> expected;
  std::vector<int> serving(static_cast<std::size_t>(initial), -1000);  // by tick of arrival, the newest last
  const int startup = shape.startup;
  for (int t = 0; t < static_cast<int>(draws.size()); ++t) {
    Seen now{initial, 0, 0, 0};
    for (int k = 0; k < t; ++k) {
      const Order& order = orders[static_cast<std::size_t>(k)];
      const bool arrived = t >= k + startup + 1;
      (arrived ? now.in_service : now.launching) += order.add;
      now.in_service -= order.remove;
      if (t <= k + shape.drain) now.draining += order.remove;
    }
    const int ordered = t - startup - 1;
    if (ordered >= 0)
      serving.insert(serving.end(), static_cast<std::size_t>(orders[static_cast<std::size_t>(ordered)].add),
                     t);
    for (const int arrival : serving) now.warming += t < arrival + shape.warm_up ? 1 : 0;
    expected.push_back(now);
    const int draw = draws[static_cast<std::size_t>(t)].first;
    Order order;
    if (draw > 0) order.add = draw;
    if (draw < 0 && removing) order.remove = std::min(-draw, now.in_service);
    serving.resize(serving.size() - static_cast<std::size_t>(order.remove));
    orders.push_back(order);
  }
  const std::vector<Seen> seen = run(shape, initial, orders);
  for (std::size_t t = 0; t < seen.size(); ++t) {
    RC_ASSERT(seen[t].in_service == expected[t].in_service);
    RC_ASSERT(seen[t].launching == expected[t].launching);
    RC_ASSERT(seen[t].draining == expected[t].draining);
    RC_ASSERT(seen[t].warming == expected[t].warming);
  }
}

}  // namespace
}  // namespace headroom::fleet
