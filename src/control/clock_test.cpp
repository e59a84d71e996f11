#include "control/clock.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace headroom::control {
namespace {

using base::Milliseconds;

constexpr Milliseconds kMinute{60'000};
constexpr Milliseconds kHour{3'600'000};

// Seen at minute 100: metrics of the minute that ends at `end` by their clock, of an instance and of its
// service.
cloud::Observed seen(std::optional<Milliseconds> clock, Milliseconds end) {
  cloud::Observed observed;
  observed.at = observed.instances_at.emplace(100 * kMinute);
  observed.metrics_clock = clock;
  cloud::Instance& instance = observed.instances.emplace_back();
  instance.id = "i-1";
  instance.since = 90 * kMinute;
  instance.metrics = {end, kMinute, base::Percent(50), {}};
  observed.services.push_back({"web", end, kMinute, base::Rate(10), {}, {}});
  return observed;
}

TEST(Clock, the_difference_of_the_clocks_is_taken_off_the_metrics_and_nothing_else) {
  const cloud::Observed expected = seen({}, 98 * kMinute);
  for (const Milliseconds ahead : {Milliseconds(0), kHour, -kHour, Milliseconds(-1)}) {
    EXPECT_EQ(on_own_clock(seen(100 * kMinute + ahead, 98 * kMinute + ahead)), expected) << ahead.count();
  }
  EXPECT_EQ(on_own_clock(expected), expected);
}

// Stamped an hour ahead, and that clock is right by now: when they were measured is not known.
TEST(Clock, metrics_of_the_future_are_left_out) {
  const cloud::Observed made = on_own_clock(seen(100 * kMinute, 158 * kMinute));
  EXPECT_FALSE(made.instances.at(0).metrics);
  EXPECT_TRUE(made.services.empty());
}

// A clock that is read to the second can be late by a second: they ended just now.
TEST(Clock, a_little_later_than_now_is_now) {
  const cloud::Observed made = on_own_clock(seen(100 * kMinute - Milliseconds(999), 100 * kMinute));
  EXPECT_EQ(made.instances.at(0).metrics->end, 100 * kMinute);
  EXPECT_EQ(made.services.at(0).end, 100 * kMinute);
}

}  // namespace
}  // namespace headroom::control
