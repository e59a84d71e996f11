#include "workload/arrivals.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>

#include "workload/compile.hpp"

namespace headroom::workload {
namespace {

using base::per_second;
using std::chrono::hours;
using std::chrono::minutes;

// Exact quantiles for rising u, in long double by the recurrence of the terms.
class Exact {
 public:
  explicit Exact(double mean) : mean_(mean), term_(expl(-static_cast<long double>(mean))), sum_(term_) {}
  double quantile(double u) {
    while (sum_ < u) {
      ++n_;
      term_ *= static_cast<long double>(mean_) / n_;
      sum_ += term_;
    }
    return n_;
  }

 private:
  double mean_;
  long double term_;
  long double sum_;
  int n_ = 0;
};

TEST(Arrivals, small_means_are_inverted_exactly) {
  for (const double mean : {0.001, 0.5, 1.0, 7.3, 31.9}) {
    Exact exact(mean);
    for (int i = 0; i < 2000; ++i) {
      const double u = (i + 0.5) / 2000;
      EXPECT_EQ(poisson_quantile(mean, u), exact.quantile(u)) << mean << ' ' << u;
    }
  }
  EXPECT_EQ(poisson_quantile(0, 0.5), 0);
}

// The shares that the header states: 18 of 200,000 are off at 32 (one in 11,000), 6 at 50.
TEST(Arrivals, large_means_are_off_rarely_and_by_one) {
  const struct {
    double mean;
    int off_at_most;
  } cases[] = {{32, 20}, {50, 8}, {333.3, 1}, {5000, 1}};
  for (const auto& c : cases) {
    constexpr int draws = 200'000;
    Exact exact(c.mean);
    int off = 0;
    for (int i = 0; i < draws; ++i) {
      const double u = (i + 0.5) / draws;
      const double got = poisson_quantile(c.mean, u);
      const double wanted = exact.quantile(u);
      if (got != wanted) ++off;
      ASSERT_LE(std::fabs(got - wanted), 1) << c.mean << ' ' << u;
    }
    EXPECT_LE(off, c.off_at_most) << c.mean;
  }
}

// Mean, variance and third central moment of a Poisson distribution all equal its mean. Over n draws their
// standard errors are about sqrt(m/n), m sqrt(2/n) and, for large m, m^1.5 sqrt(6/n); four of them are
// allowed.
TEST(Arrivals, draws_have_the_moments_of_poisson) {
  for (const double mean : {0.3, 4.0, 31.0, 33.0, 200.0, 90'000.0}) {
    base::Series flat;
    flat.tick = minutes(1);
    flat.values.assign(200'000, mean / 60);
    const base::Series drawn = draw_arrivals(flat, 42);
    const double n = static_cast<double>(drawn.values.size());
    double first = 0;
    for (const double value : drawn.values) first += value * 60 / n;
    double second = 0;
    double third = 0;
    for (const double value : drawn.values) {
      const double off = value * 60 - first;
      second += off * off / n;
      third += off * off * off / n;
    }
    EXPECT_NEAR(first, mean, 4 * std::sqrt(mean / n)) << mean;
    EXPECT_NEAR(second, mean, 4 * std::sqrt((2 * mean * mean + mean) / n)) << mean;
    EXPECT_NEAR(third, mean, 4 * std::sqrt((6 * mean * mean * mean + 18 * mean * mean + mean) / n)) << mean;
  }
}

TEST(Arrivals, a_tick_has_the_same_draw_whatever_is_cut_off_before_it) {
  base::Series whole;
  whole.start = hours(100);
  whole.tick = minutes(1);
  for (int i = 0; i < 120; ++i) whole.values.push_back(1 + 0.1 * i);
  base::Series rest = whole;
  rest.start += minutes(60);
  rest.values.erase(rest.values.begin(), rest.values.begin() + 60);
  const base::Series drawn = draw_arrivals(whole, 7);
  const base::Series drawn_rest = draw_arrivals(rest, 7);
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(drawn_rest.values[i], drawn.values[60 + i]) << i;
  EXPECT_NE(draw_arrivals(whole, 8).values, drawn.values);
}

TEST(Arrivals, compile_draws_whole_requests_around_the_same_rate) {
  Open open;
  open.stages = {{hours(10), per_second(2), per_second(2)}};
  Traffic traffic;
  traffic.shape = open;
  traffic.arrivals = Arrivals::poisson;
  const auto compiled = compile(traffic, minutes(1), 3);
  ASSERT_TRUE(compiled);
  double total = 0;
  for (const double value : compiled->requests_per_second.values) {
    EXPECT_NEAR(value * 60, std::round(value * 60), 1e-9);
    total += value * 60;
  }
  EXPECT_NEAR(total, 72'000, 4 * std::sqrt(72'000.0));
  EXPECT_EQ(*compile(traffic, minutes(1), 3), *compiled);
  EXPECT_NE(*compile(traffic, minutes(1), 4), *compiled);
}

}  // namespace
}  // namespace headroom::workload
