// Mathematical functions whose every bit is the same on every processor and with every C library.
//
// They use + - * /, sqrt and bit patterns only, which IEEE 754 defines exactly; a library's exp, log and sin
// differ between versions and processors (docs/decisions/determinism.md). There is no pow: write products.
// Errors below are in units of the last place (ulp), measured by math_test.cpp against long double.
#pragma once

namespace headroom::base {

// Error: under 1 ulp over all doubles, subnormal results included. exp(-inf) = 0, overflow gives infinity.
double exp(double x);

// Error: under 1 ulp. log(0) = -infinity, log of a negative number is NaN.
double log(double x);

// Error: under 1 ulp for |x| <= 500,000 radians; NaN beyond, where an angle in a double says little. For the
// phase of a day or a week use the functions of turns, whose reduction is exact however large the argument.
double sin(double radians);
double cos(double radians);

// sin(2 pi t) and cos(2 pi t). Error: under 1.5 ulp; exact at multiples of a quarter turn.
double sin_turns(double turns);
double cos_turns(double turns);

// The nearest whole number, a tie to the even one: 0.5 -> 0, 1.5 -> 2, -2.5 -> -2. Keeps the sign of zero.
double round_half_even(double x);

// The complementary error function. Error: under 10 ulp while the result is normal (x < 26.5), 0 beyond.
// Source: Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969).
double erfc(double x);

// P(X <= z) for a standard normal X. Relative error: under 1e-14 for z > -37.
double normal_cdf(double z);

// The z with normal_cdf(z) = p. Relative error: under 2e-15. Requires 0 < p < 1; 0 and 1 give the infinities,
// what lies outside gives NaN. Source: Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
double normal_quantile(double p);

// log of the gamma function, for x > 0 (NaN otherwise). Error: under 3e-14 * max(1, |result|).
double log_gamma(double x);

// The regularised incomplete beta function I_x(a, b), for a, b > 0 and 0 <= x <= 1 (NaN otherwise).
// Relative error: under 1e-11 for a, b <= 5,000. Source: DLMF 8.17.22 (continued fraction).
double incomplete_beta(double x, double a, double b);

// P(T <= t) for Student's distribution; degrees > 0, whole or not.
double student_t_cdf(double t, double degrees);

// The t with student_t_cdf(t, degrees) = p, for 0 < p < 1. Example: student_t_quantile(0.975, 4) = 2.776445,
// the factor of a 95 % interval over five replications. Relative error: under 1e-9.
double student_t_quantile(double p, double degrees);

// P(F >= f): how probable a ratio of variances as large as f is by chance, with d1 degrees of freedom above
// and d2 below. f <= 0 gives 1.
double f_test_p_value(double f, double d1, double d2);

}  // namespace headroom::base
