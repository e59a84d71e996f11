#include "telemetry/histogram.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/math.hpp"
#include "base/philox.hpp"

namespace headroom::telemetry {
namespace {

Histogram of(const std::vector<double>& values) {
  Histogram histogram;
  for (const double value : values) histogram.add(value);
  return histogram;
}

TEST(Histogram, worked_example_of_the_header) {
  const Histogram histogram = of({100, 100.2, 300, 100.4});
  EXPECT_EQ(histogram.buckets(), (std::vector<Histogram::Bucket>{{100, 100.5, 3}, {300, 302, 1}}));
  EXPECT_EQ(histogram.quantile(0.5), 100.25);
  EXPECT_EQ(histogram.quantile(1.0), 300.0);
  EXPECT_EQ(histogram.quantile(0.0), 100.0);
}

TEST(Histogram, empty_has_no_figures) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_FALSE(histogram.min() || histogram.max() || histogram.mean() || histogram.quantile(0.5));
  EXPECT_TRUE(histogram.buckets().empty());
}

// Log-uniform over the whole range: every power of two is met.
std::vector<double> values_from(std::uint64_t seed, std::size_t count) {
  base::Rng rng(seed);
  std::vector<double> values(count);
  for (double& value : values) value = base::exp(0.6931471805599453 * (-20.0 + 60.0 * rng.uniform()));
  return values;
}

TEST(Histogram, every_quantile_is_within_half_a_percent_of_the_sorted_values) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    std::vector<double> values = values_from(seed, *rc::gen::inRange<std::size_t>(1, 300));
    const Histogram histogram = of(values);
    std::sort(values.begin(), values.end());
    for (const double share : {0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
      const auto rank = std::max(std::ceil(share * static_cast<double>(values.size())), 1.0);
      const double exact = values[static_cast<std::size_t>(rank) - 1];
      const double got = histogram.quantile(share).value();
      RC_ASSERT(std::fabs(got - exact) < 0.005 * exact);
      RC_ASSERT(got >= values.front() && got <= values.back());
    }
    double sum = 0;
    for (const double value : values) sum += value;
    const double mean = sum / static_cast<double>(values.size());
    RC_ASSERT(std::fabs(histogram.mean().value() - mean) < 0.005 * mean);
  }));
}

TEST(Histogram, merging_is_adding_in_any_order_and_grouping) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const std::vector<double> values = values_from(seed, 60);
    const auto part = [&](std::size_t from, std::size_t to) {
      const auto first = values.begin();
      return of({first + static_cast<std::ptrdiff_t>(from), first + static_cast<std::ptrdiff_t>(to)});
    };
    const auto cut = *rc::gen::inRange<std::size_t>(0, 41);
    Histogram left = part(0, cut);
    left.merge(part(cut, 40));
    left.merge(part(40, 60));
    Histogram right = part(40, 60);
    right.merge(part(cut, 40));
    Histogram grouped = part(0, cut);
    grouped.merge(right);
    RC_ASSERT(left == of(values));
    RC_ASSERT(grouped == of(values));
  }));
}

TEST(Histogram, merging_an_empty_one_changes_nothing) {
  Histogram histogram = of({5});
  histogram.merge(Histogram());
  EXPECT_EQ(histogram, of({5}));
  Histogram empty;
  empty.merge(of({5}));
  EXPECT_EQ(empty, of({5}));
}

TEST(Histogram, a_count_stands_for_as_many_values) {
  Histogram histogram;
  histogram.add(7, 3);
  histogram.add(9, 0);
  EXPECT_EQ(histogram, of({7, 7, 7}));
}

TEST(Histogram, values_outside_the_range_are_counted_at_its_ends_and_extremes_stay_exact) {
  const Histogram histogram = of({0, 1e-30, 5, 1e15, INFINITY});
  EXPECT_EQ(histogram.count(), 5U);
  EXPECT_EQ(histogram.min(), 0.0);
  EXPECT_EQ(histogram.max(), INFINITY);
  EXPECT_EQ(histogram.buckets().front().count, 2U);
  EXPECT_EQ(histogram.buckets().back(), (Histogram::Bucket{0x1p40 - 0x1p32, 0x1p40, 2}));
}

TEST(Histogram, refuses_what_is_no_latency) {
  Histogram histogram;
  EXPECT_DEATH(histogram.add(-1), "0 or more");
  EXPECT_DEATH(histogram.add(std::nan("")), "0 or more");
}

TEST(Histogram, ContentsGiveTheSameHistogramAgain) {
  Histogram histogram;
  for (const double value : {3.0, 0.25, 100.0, 1e5, 0.25}) histogram.add(value);
  const auto again = Histogram::of(histogram.contents());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, histogram);
  EXPECT_EQ(Histogram::of(Histogram().contents()), Histogram());
}

TEST(Histogram, RefusesContentsThatNoneHas) {
  Histogram histogram;
  for (const double value : {3.0, 100.0}) histogram.add(value);
  for (const int fault : {0, 1, 2, 3, 4}) {
    Histogram::Contents contents = histogram.contents();
    if (fault == 0) contents.min = 2;  // in an earlier bucket
    if (fault == 1) contents.max = 1e9;
    if (fault == 2) contents.first += 1;
    if (fault == 3) contents.counts.back() = 0;
    if (fault == 4) std::swap(contents.min, contents.max);
    EXPECT_FALSE(Histogram::of(contents)) << "fault " << fault;
  }
}

TEST(Histogram, a_compact_one_is_the_same_and_small) {
  const std::vector<double> values = values_from(3, 1000);
  const Histogram large = of(values);
  Histogram small = large;
  small.compact();
  EXPECT_EQ(small, large);
  EXPECT_EQ(small.contents(), large.contents());
  EXPECT_EQ(small.buckets(), large.buckets());
  EXPECT_EQ(small.mean(), large.mean());
  for (const double share : {0.0, 0.25, 0.5, 0.99, 1.0})
    EXPECT_EQ(small.quantile(share), large.quantile(share));
  // At most two bytes of distance and two of count for each of 1,000 values.
  EXPECT_LE(small.bytes(), 4000U);
  EXPECT_GT(large.bytes(), 10 * small.bytes());

  Histogram into = of({5});
  into.merge(small);
  Histogram same = of({5});
  same.merge(large);
  EXPECT_EQ(into, same);
  small.add(7);
  Histogram added = large;
  added.add(7);
  EXPECT_EQ(small, added);
}

}  // namespace
}  // namespace headroom::telemetry
