#include "base/math.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/philox.hpp"

namespace headroom::base {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kSamples = 200'000;

// Distance from the exact value in units of the last place of the exact value.
double ulps(double got, long double exact) {
  int exponent = 0;
  std::frexp(static_cast<double>(exact), &exponent);
  const long double ulp = std::ldexp(1.0L, std::max(exponent - 53, -1074));
  return static_cast<double>(std::fabs((static_cast<long double>(got) - exact) / ulp));
}

// The largest error over arguments drawn from [low, high).
template <class Function, class Exact>
double worst_ulps(Function function, Exact exact, double low, double high) {
  Rng rng(1);
  double worst = 0;
  for (int i = 0; i < kSamples; ++i) {
    const double x = low + (high - low) * rng.uniform();
    worst = std::max(worst, ulps(function(x), exact(static_cast<long double>(x))));
  }
  return worst;
}

const auto exact_exp = [](long double x) { return std::exp(x); };
const auto exact_log = [](long double x) { return std::log(x); };
const auto exact_sin = [](long double x) { return std::sin(x); };
const auto exact_cos = [](long double x) { return std::cos(x); };

TEST(Exp, is_within_one_ulp) {
  EXPECT_LT(worst_ulps(exp, exact_exp, -0.5, 0.5), 1.0);
  EXPECT_LT(worst_ulps(exp, exact_exp, -40, 40), 1.0);
  EXPECT_LT(worst_ulps(exp, exact_exp, -708, 709.7), 1.0);
}

TEST(Exp, is_within_one_ulp_of_subnormal_results) { EXPECT_LT(worst_ulps(exp, exact_exp, -745, -708), 1.0); }

TEST(Exp, special_values) {
  EXPECT_EQ(exp(0.0), 1.0);
  EXPECT_EQ(exp(-0.0), 1.0);
  EXPECT_EQ(exp(kInfinity), kInfinity);
  EXPECT_EQ(exp(-kInfinity), 0.0);
  EXPECT_EQ(exp(710), kInfinity);
  EXPECT_EQ(exp(-746), 0.0);
  EXPECT_EQ(exp(-745.13), 0x1p-1074);
  EXPECT_TRUE(std::isfinite(exp(709.78)));
  EXPECT_TRUE(std::isnan(exp(std::nan(""))));
}

TEST(Log, is_within_one_ulp) {
  EXPECT_LT(worst_ulps(log, exact_log, 0.5, 2.0), 1.0);
  EXPECT_LT(worst_ulps(log, exact_log, 0.999, 1.001), 1.0);
  EXPECT_LT(worst_ulps(log, exact_log, 1e-9, 1.0), 1.0);
  EXPECT_LT(worst_ulps(log, exact_log, 1.0, 1e9), 1.0);
}

TEST(Log, is_within_one_ulp_for_any_bit_pattern_of_a_positive_number) {
  Rng rng(2);
  double worst = 0;
  for (int i = 0; i < kSamples; ++i) {
    const double x = std::bit_cast<double>(rng.below(0x7ff0000000000000U));
    if (x > 0) worst = std::max(worst, ulps(log(x), std::log(static_cast<long double>(x))));
  }
  EXPECT_LT(worst, 1.0);
}

TEST(Log, special_values) {
  EXPECT_EQ(log(1.0), 0.0);
  EXPECT_EQ(log(0.0), -kInfinity);
  EXPECT_EQ(log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(log(-1.0)));
  EXPECT_TRUE(std::isnan(log(std::nan(""))));
  EXPECT_LT(ulps(log(0x1p-1074), -744.4400719213812622L), 1.0);
}

TEST(SinCos, are_within_one_ulp) {
  for (const double reach : {0.8, 7.0, 1000.0, 500'000.0}) {
    EXPECT_LT(worst_ulps(sin, exact_sin, -reach, reach), 1.0) << reach;
    EXPECT_LT(worst_ulps(cos, exact_cos, -reach, reach), 1.0) << reach;
  }
}

TEST(SinCos, are_within_one_ulp_near_multiples_of_a_quarter_turn) {
  // There almost all leading digits cancel, which shows whether pi is carried far enough.
  double worst = 0;
  for (int n = 1; n < 300'000; n += 7) {
    const double x = n * 1.57079632679489661923;
    worst = std::max(worst, ulps(sin(x), std::sin(static_cast<long double>(x))));
    worst = std::max(worst, ulps(cos(x), std::cos(static_cast<long double>(x))));
  }
  EXPECT_LT(worst, 1.0);
}

TEST(SinCos, special_values) {
  EXPECT_EQ(sin(0.0), 0.0);
  EXPECT_TRUE(std::signbit(sin(-0.0)));
  EXPECT_EQ(cos(0.0), 1.0);
  EXPECT_TRUE(std::isnan(sin(500'001.0)));
  EXPECT_TRUE(std::isnan(cos(-kInfinity)));
  EXPECT_TRUE(std::isnan(sin(std::nan(""))));
}

// sin(2 pi t) for |t| <= 1, with the argument folded exactly: a product with pi in long double would lose the
// digits that count near half a turn.
long double exact_sin_turns(long double t) {
  if (t < 0) return -exact_sin_turns(-t);
  if (t > 0.5L) return -exact_sin_turns(t - 0.5L);
  if (t > 0.25L) t = 0.5L - t;
  return std::sin(6.283185307179586476925286766559L * t);
}

TEST(SinCosTurns, are_within_one_and_a_half_ulp) {
  EXPECT_LT(worst_ulps(sin_turns, exact_sin_turns, -1.0, 1.0), 1.5);
  EXPECT_LT(worst_ulps(
                cos_turns, [](long double t) { return exact_sin_turns(t + 0.25L); }, -0.75, 0.75),
            1.5);
}

TEST(SinCosTurns, are_exact_at_quarter_turns_however_many) {
  for (const double turns : {0.0, 3.0, 1e9, 4503599627370495.0, -7.0}) {
    EXPECT_EQ(sin_turns(turns), 0.0) << turns;
    EXPECT_EQ(cos_turns(turns), 1.0) << turns;
  }
  for (const double turns : {0.0, 3.0, 1e9}) {
    EXPECT_EQ(sin_turns(turns + 0.25), 1.0);
    EXPECT_EQ(cos_turns(turns + 0.25), 0.0);
    EXPECT_EQ(cos_turns(turns + 0.5), -1.0);
    EXPECT_EQ(sin_turns(turns + 0.75), -1.0);
  }
  EXPECT_TRUE(std::isnan(sin_turns(kInfinity)));
}

TEST(SinCosTurns, repeat_every_turn_bit_for_bit) {
  Rng rng(3);
  for (int i = 0; i < 10'000; ++i) {
    const double t = static_cast<double>(rng.below(1U << 20U)) * 0x1p-20;  // t + 1000 is exact
    EXPECT_EQ(sin_turns(t), sin_turns(t + 1000.0));
    EXPECT_EQ(cos_turns(t), cos_turns(t + 1000.0));
  }
}

TEST(RoundHalfEven, ties_go_to_the_even_number) {
  EXPECT_EQ(round_half_even(0.5), 0.0);
  EXPECT_EQ(round_half_even(1.5), 2.0);
  EXPECT_EQ(round_half_even(2.5), 2.0);
  EXPECT_EQ(round_half_even(-0.5), 0.0);
  EXPECT_TRUE(std::signbit(round_half_even(-0.5)));
  EXPECT_EQ(round_half_even(-1.5), -2.0);
  EXPECT_EQ(round_half_even(-2.5), -2.0);
  EXPECT_EQ(round_half_even(0.49999999999999994), 0.0);
  EXPECT_EQ(round_half_even(4503599627370495.5), 4503599627370496.0);
  EXPECT_EQ(round_half_even(0x1p60 + 0x1p8), 0x1p60 + 0x1p8);
  EXPECT_EQ(round_half_even(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(round_half_even(std::nan(""))));
}

TEST(RoundHalfEven, agrees_with_nearbyint) {
  Rng rng(4);
  for (int i = 0; i < kSamples; ++i) {
    const double x = (rng.uniform() - 0.5) * (i % 2 == 0 ? 20.0 : 0x1p54);
    EXPECT_EQ(round_half_even(x), std::nearbyint(x)) << x;
  }
}

TEST(Erfc, is_within_ten_ulp) {
  const auto exact = [](long double x) { return std::erfc(x); };
  EXPECT_LT(worst_ulps(erfc, exact, -6, 0.5), 10.0);
  EXPECT_LT(worst_ulps(erfc, exact, 0.4, 4.1), 10.0);
  EXPECT_LT(worst_ulps(erfc, exact, 4, 26.5), 10.0);
  EXPECT_EQ(erfc(0.0), 1.0);
  EXPECT_EQ(erfc(kInfinity), 0.0);
  EXPECT_EQ(erfc(-kInfinity), 2.0);
}

long double exact_normal_cdf(double z) {
  return 0.5L * std::erfc(-static_cast<long double>(z) / 1.41421356237309504880168872420969808L);
}

TEST(NormalCdf, relative_error_is_below_1e_14) {
  Rng rng(5);
  for (int i = 0; i < kSamples; ++i) {
    const double z = -37.0 + 45.0 * rng.uniform();
    const long double exact = exact_normal_cdf(z);
    ASSERT_LT(std::fabs(static_cast<double>((normal_cdf(z) - exact) / exact)), 1e-14) << z;
  }
}

TEST(NormalQuantile, table_values) {
  // Wichura's own check values: normal_quantile(0.25), (0.001), (1e-20).
  EXPECT_NEAR(normal_quantile(0.25), -0.6744897501960817, 1e-15);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167814, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-20), -9.262340089798408, 1e-14);
  EXPECT_EQ(normal_quantile(0.5), 0.0);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-15);
}

TEST(NormalQuantile, is_the_inverse_of_the_distribution) {
  Rng rng(6);
  for (int i = 0; i < kSamples; ++i) {
    // Half of them spread over the exponents down to 1e-300, where the tail formulas serve.
    const double p = i % 2 == 0 ? rng.open_uniform() : 0.5 * exp(-690.0 * rng.uniform());
    const double z = normal_quantile(p);
    // dz = (P(z) - p) / density: the error of z from the error of the probability, in long double.
    const long double density = std::exp(-0.5L * static_cast<long double>(z) * static_cast<long double>(z)) *
                                0.398942280401432677939946L;
    const long double error = (exact_normal_cdf(z) - static_cast<long double>(p)) / density;
    ASSERT_LT(std::fabs(static_cast<double>(error)), 2e-15 * std::max(0.1, std::fabs(z))) << p;
  }
}

TEST(NormalQuantile, special_values) {
  EXPECT_EQ(normal_quantile(0.0), -kInfinity);
  EXPECT_EQ(normal_quantile(1.0), kInfinity);
  EXPECT_TRUE(std::isnan(normal_quantile(-0.1)));
  EXPECT_TRUE(std::isnan(normal_quantile(1.1)));
}

TEST(LogGamma, is_close_to_the_library) {
  Rng rng(7);
  for (int i = 0; i < 100'000; ++i) {
    const double x = i % 3 == 0 ? 3.0 * rng.open_uniform() : (i % 3 == 1 ? 50.0 : 1e6) * rng.open_uniform();
    const double exact = static_cast<double>(std::lgamma(static_cast<long double>(x)));
    ASSERT_NEAR(log_gamma(x), exact, 3e-14 * std::max(1.0, std::fabs(exact))) << x;
  }
  EXPECT_EQ(log_gamma(1.0), 0.0);
  EXPECT_EQ(log_gamma(2.0), 0.0);
  EXPECT_TRUE(std::isnan(log_gamma(0.0)));
}

TEST(IncompleteBeta, closed_forms) {
  for (double x = 0.0; x <= 1.0; x += 0.0625) {
    EXPECT_NEAR(incomplete_beta(x, 1, 1), x, 1e-14);
    EXPECT_NEAR(incomplete_beta(x, 3, 1), x * x * x, 1e-14);
    EXPECT_NEAR(incomplete_beta(x, 2, 2), x * x * (3 - 2 * x), 1e-14);
    // I_x(1/2, 1/2) = (2/pi) asin(sqrt(x)).
    EXPECT_NEAR(incomplete_beta(x, 0.5, 0.5), std::asin(std::sqrt(x)) * 0.6366197723675814, 1e-14);
  }
  EXPECT_TRUE(std::isnan(incomplete_beta(1.5, 1, 1)));
  EXPECT_TRUE(std::isnan(incomplete_beta(0.5, 0, 1)));
}

TEST(IncompleteBeta, counts_the_tail_of_the_binomial_distribution) {
  // I_p(k, n-k+1) = P(at least k of n succeed), summed here term by term in long double.
  for (const int n : {10, 200, 5000}) {
    for (const double p : {0.1, 0.3, 0.5}) {
      const int k = n / 3;
      long double sum = 0;
      for (int j = k; j <= n; ++j) {
        sum += std::exp(std::lgamma(n + 1.0L) - std::lgamma(j + 1.0L) - std::lgamma(n - j + 1.0L) +
                        j * std::log(static_cast<long double>(p)) +
                        (n - j) * std::log1p(-static_cast<long double>(p)));
      }
      const double exact = static_cast<double>(sum);
      EXPECT_NEAR(incomplete_beta(p, k, n - k + 1), exact, 1e-11 * exact) << n << ' ' << p;
    }
  }
}

TEST(StudentT, closed_forms_of_one_and_two_degrees) {
  for (double t = -50; t <= 50; t += 0.37) {
    EXPECT_NEAR(student_t_cdf(t, 1), 0.5 + std::atan(t) / 3.14159265358979323846, 1e-13);
    EXPECT_NEAR(student_t_cdf(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-13);
  }
}

TEST(StudentT, quantiles_of_the_printed_tables) {
  struct Row {
    double degrees, p, t;
  };
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2 (three decimals).
  for (const Row& row : {Row{1, 0.975, 12.706},
                         {2, 0.975, 4.303},
                         {3, 0.975, 3.182},
                         {4, 0.975, 2.776},
                         {5, 0.975, 2.571},
                         {9, 0.975, 2.262},
                         {10, 0.95, 1.812},
                         {20, 0.99, 2.528},
                         {30, 0.975, 2.042},
                         {100, 0.975, 1.984},
                         {1, 0.999, 318.309},
                         {5, 0.9, 1.476}}) {
    EXPECT_NEAR(student_t_quantile(row.p, row.degrees), row.t, 0.0006) << row.degrees << ' ' << row.p;
  }
  // Two degrees: t = (2p-1) sqrt(2 / (4p(1-p))), derived from the closed form above.
  EXPECT_NEAR(student_t_quantile(0.975, 2), 0.95 * std::sqrt(2 / (4 * 0.975 * 0.025)), 1e-9);
  EXPECT_NEAR(student_t_quantile(0.975, 1e7), 1.959964, 1e-5);
}

TEST(StudentT, quantile_is_the_inverse_of_the_distribution) {
  Rng rng(8);
  for (int i = 0; i < 3000; ++i) {
    const double degrees = exp(rng.uniform() * 9.0 - 0.5);
    const double p = i % 2 == 0 ? rng.open_uniform() : 0.5 * exp(-20.0 * rng.uniform());
    const double t = student_t_quantile(p, degrees);
    ASSERT_NEAR(student_t_cdf(t, degrees), p, 1e-10 * std::min(p, 1 - p) + 2e-16) << p << ' ' << degrees;
    ASSERT_EQ(t > 0, p > 0.5);
  }
}

TEST(StudentT, special_values) {
  EXPECT_EQ(student_t_quantile(0.5, 3), 0.0);
  EXPECT_EQ(student_t_quantile(1.0, 3), kInfinity);
  EXPECT_EQ(student_t_quantile(0.0, 3), -kInfinity);
  EXPECT_TRUE(std::isnan(student_t_quantile(0.9, 0)));
  EXPECT_TRUE(std::isnan(student_t_quantile(1.5, 3)));
}

TEST(FTest, printed_critical_values_have_five_percent) {
  // NIST/SEMATECH e-Handbook 1.3.6.7.3: upper 5 % points of F.
  EXPECT_NEAR(f_test_p_value(161.448, 1, 1), 0.05, 1e-6);
  EXPECT_NEAR(f_test_p_value(3.326, 5, 10), 0.05, 2e-5);
  EXPECT_NEAR(f_test_p_value(4.965, 1, 10), 0.05, 2e-5);
  EXPECT_NEAR(f_test_p_value(1.984, 10, 50), 0.0553, 0.01);
}

TEST(FTest, with_one_degree_above_it_is_the_two_sided_t_test) {
  // If T has Student's distribution with d degrees, T*T has the F distribution with (1, d).
  for (const double t : {0.1, 1.0, 2.5, 10.0}) {
    const double two_sided = 2 * student_t_cdf(-t, 7);
    EXPECT_NEAR(f_test_p_value(t * t, 1, 7), two_sided, 1e-12 * two_sided);
  }
  EXPECT_EQ(f_test_p_value(0, 2, 3), 1.0);
  EXPECT_EQ(f_test_p_value(kInfinity, 2, 3), 0.0);
}

// The figures are those of this code, not of a source: they change only if a function changes a bit, and must
// not differ between debug and release, compilers or processors.
TEST(Determinism, every_bit_of_the_results_is_pinned) {
  Rng rng(9);
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a over 64-bit words
  const auto add = [&](double result) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(result)) * 0x100000001b3U;
  };
  for (int i = 0; i < 20'000; ++i) {
    const double u = rng.open_uniform();
    add(exp(1400.0 * (u - 0.5)));
    add(log(u));
    add(sin(1000.0 * u));
    add(cos(1000.0 * u));
    add(sin_turns(u));
    add(erfc(10.0 * u));
    add(normal_cdf(20.0 * (u - 0.5)));
    add(normal_quantile(u));
    add(log_gamma(100.0 * u));
  }
  for (int degrees = 1; degrees < 40; ++degrees) add(student_t_quantile(0.975, degrees));
  EXPECT_EQ(hash, 10278289775769346811U);
}

}  // namespace
}  // namespace headroom::base
