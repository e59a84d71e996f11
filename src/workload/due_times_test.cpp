#include "workload/due_times.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace headroom::workload {
namespace {

using base::Milliseconds;

Profile constant(double rate, int seconds) {
  return {{{Milliseconds(0), Milliseconds(1000 * seconds), rate, rate}}};
}

std::vector<double> times_of(DueTimes due) {
  std::vector<double> times;
  for (; due.next() != base::kNever; due.advance()) {
    times.push_back(static_cast<double>(due.next().count()) / 1e9);
  }
  return times;
}

TEST(DueTimes, OfAConstantRateFollowFromTheNumber) {
  const std::vector<double> times = times_of(DueTimes(constant(2000, 6), Arrivals::exact, 1));
  ASSERT_EQ(times.size(), 12'000U);
  EXPECT_DOUBLE_EQ(times[0], 0);
  EXPECT_NEAR(times[11'999], 11'999 / 2000.0, 1e-8);
}

TEST(DueTimes, OfARampFollowTheAreaUnderIt) {
  // N(t) = 5 t^2: request 20 at 2 s, request 45 at 3 s, 500 in all.
  const Profile ramp{{{Milliseconds(0), Milliseconds(10'000), 0, 100}}};
  const std::vector<double> times = times_of(DueTimes(ramp, Arrivals::exact, 1));
  ASSERT_EQ(times.size(), 500U);
  EXPECT_NEAR(times[20], 2, 1e-8);
  EXPECT_NEAR(times[45], 3, 1e-8);
  // And down again: N(t) = 100 t - 5 t^2 = 480 at 8 s.
  const Profile down{{{Milliseconds(0), Milliseconds(10'000), 100, 0}}};
  EXPECT_NEAR(times_of(DueTimes(down, Arrivals::exact, 1))[480], 8, 1e-8);
}

TEST(DueTimes, PassOverPiecesWithoutTraffic) {
  const Profile gap{{{Milliseconds(0), Milliseconds(1000), 2, 2},
                     {Milliseconds(1000), Milliseconds(5000), 0, 0},
                     {Milliseconds(5000), Milliseconds(6000), 2, 2}}};
  EXPECT_EQ(times_of(DueTimes(gap, Arrivals::exact, 1)), (std::vector<double>{0, 0.5, 5, 5.5}));
}

TEST(DueTimes, OfShareAfterShareAreThoseOfTheWhole) {
  for (const Arrivals arrivals : {Arrivals::exact, Arrivals::poisson}) {
    const Profile profile = constant(100, 10);
    std::vector<double> joined;
    for (std::uint64_t index = 0; index < 3; ++index) {
      for (const double time : times_of(DueTimes(profile, arrivals, 7, {index, 3}))) joined.push_back(time);
    }
    std::sort(joined.begin(), joined.end());
    EXPECT_EQ(joined, times_of(DueTimes(profile, arrivals, 7)));
  }
}

TEST(DueTimes, OfPoissonArrivalsHaveIndependentGaps) {
  // 100,000 expected, standard deviation 316; the gaps of an exponential distribution have the standard
  // deviation of their mean, 1 ms, with a standard error of 1 ms * sqrt(8 / 100,000) / 2 = 0.0045 ms.
  const std::vector<double> times = times_of(DueTimes(constant(1000, 100), Arrivals::poisson, 3));
  EXPECT_NEAR(static_cast<double>(times.size()), 100'000, 1300);
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double gap = times[i] - times[i - 1];
    sum += gap;
    squares += gap * gap;
  }
  const auto count = static_cast<double>(times.size() - 1);
  const double mean = sum / count;
  EXPECT_NEAR(squares / count - mean * mean, mean * mean, 0.04 * mean * mean);
}

TEST(DueTimes, OfAProfileWithoutRequestsAreNone) {
  EXPECT_TRUE(times_of(DueTimes(constant(0, 10), Arrivals::exact, 1)).empty());
  EXPECT_TRUE(times_of(DueTimes(constant(0, 10), Arrivals::poisson, 1)).empty());
}

}  // namespace
}  // namespace headroom::workload
