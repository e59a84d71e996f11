#include "workload/variation.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "workload/compile.hpp"

namespace headroom::workload {
namespace {

using base::per_minute;
using std::chrono::hours;
using std::chrono::minutes;

base::Series of(std::vector<double> values) { return {hours(1), minutes(1), std::move(values)}; }

TEST(Variation, a_split_keeps_every_tick_at_its_time) {
  const auto parts = split(of({1, 2, 3, 4, 5}), minutes(3));
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->before, of({1, 2, 3}));
  EXPECT_EQ(parts->after, (base::Series{hours(1) + minutes(3), minutes(1), {4, 5}}));
}

TEST(Variation, a_split_outside_or_within_a_tick_is_refused) {
  for (const base::Milliseconds at : {base::Milliseconds{0}, base::Milliseconds{-60'000},
                                      base::Milliseconds{90'000}, base::Milliseconds{300'000}}) {
    EXPECT_FALSE(split(of({1, 2, 3, 4, 5}), at)) << at.count();
  }
}

TEST(Variation, scaling_multiplies_every_tick) { EXPECT_EQ(scaled(of({1, 2, 0}), 1.5), of({1.5, 3, 0})); }

// The worked example of the header.
TEST(Variation, a_rise_takes_half_its_time_and_ends_where_it_did) {
  EXPECT_EQ(steepen(of({1, 1, 1, 1, 2, 3, 4, 5, 5, 5}), 2), of({1, 1, 1, 1, 1, 1, 3, 5, 5, 5}));
}

// Peaks at 2 and 10, trough at 6: the rise 6..10 becomes 8..10, the fall 2..6 becomes 2..8.
TEST(Variation, the_fall_before_a_rise_takes_the_time_that_becomes_free) {
  const base::Series series = of({3, 6, 9, 7, 5, 3, 1, 3, 5, 7, 9, 5, 1});
  const base::Series steep = steepen(series, 2);
  EXPECT_EQ(steep.values[2], 9);
  EXPECT_EQ(steep.values[8], 1);
  EXPECT_EQ(steep.values[9], 5);
  EXPECT_EQ(steep.values[10], 9);
  EXPECT_EQ(steep.values[5], 5);  // halfway down
  EXPECT_EQ(steep.values[12], 1);
}

TEST(Variation, a_factor_below_one_slows_rises_down) {
  // The rise 6..10 would take 8 ticks; the peak at 2 leaves room from 3 on.
  const base::Series slow = steepen(of({3, 6, 9, 7, 5, 3, 1, 3, 5, 7, 9, 5, 1}), 0.5);
  EXPECT_EQ(slow.values[2], 9);
  EXPECT_EQ(slow.values[3], 1);
  EXPECT_EQ(slow.values[10], 9);
}

TEST(Variation, wiggles_below_a_fifth_of_the_range_are_no_turns) {
  // One rise from 0 to 10 with a dip of 1 in it.
  const base::Series steep = steepen(of({0, 0, 0, 0, 2, 4, 6, 5, 8, 10, 10}), 2);
  EXPECT_EQ(steep.values[6], 0);
  EXPECT_EQ(steep.values[9], 10);
}

TEST(Variation, level_empty_and_unchanged_series_stay) {
  EXPECT_EQ(steepen(of({4, 4, 4}), 3), of({4, 4, 4}));
  EXPECT_EQ(steepen(of({}), 3), of({}));
  EXPECT_EQ(steepen(of({1, 5, 2}), 1), of({1, 5, 2}));
}

// The 18 minutes of the conf42 ramp become 9; its last minute stays the first at 150,000 rpm.
TEST(Variation, the_conf42_ramp_steepened_by_two_rises_in_nine_minutes) {
  Open open;
  open.stages = {{minutes(10), {}, per_minute(30'000)},
                 {minutes(8), {}, per_minute(150'000)},
                 {minutes(30), {}, per_minute(150'000)}};
  open.sample_at = SampleAt::end;
  Traffic traffic;
  traffic.shape = open;
  const base::Series series = compile(traffic, minutes(1), 1)->requests_per_second;
  const base::Series steep = steepen(series, 2);
  ASSERT_EQ(steep.size(), series.size());
  EXPECT_EQ(steep.values[17], 2500);
  EXPECT_LT(steep.values[16], 2500);
  EXPECT_EQ(steep.values[8], 50);  // 17 ticks of rise in 8.5
  EXPECT_GT(steep.values[9], 50);
  EXPECT_EQ(*std::max_element(steep.values.begin(), steep.values.end()), 2500);
}

// Whatever the series and the factor: as long, within the same range, the highest value reached.
TEST(Variation, steepening_keeps_length_range_and_peak) {
  EXPECT_TRUE(rc::check([] {
    std::vector<double> values;
    for (const int value : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 50)))
      values.push_back(value);
    const double factor = *rc::gen::element(0.01, 0.5, 0.9, 1.1, 2.0, 7.0, 1e300);
    const base::Series steep = steepen(of(values), factor);
    RC_ASSERT(steep.size() == values.size());
    if (values.empty()) return;
    const double highest = *std::max_element(values.begin(), values.end());
    RC_ASSERT(*std::max_element(steep.values.begin(), steep.values.end()) == highest);
    RC_ASSERT(*std::min_element(steep.values.begin(), steep.values.end()) >=
              *std::min_element(values.begin(), values.end()));
  }));
}

}  // namespace
}  // namespace headroom::workload
