#include "base/math.hpp"

#include <array>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>

namespace headroom::base {
namespace {

static_assert(FLT_EVAL_METHOD == 0, "results must be rounded to double after every operation");
static_assert(std::numeric_limits<double>::is_iec559);

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Adding and subtracting 1.5 * 2^52 leaves the nearest whole number (ties to even) of any |x| < 2^51.
constexpr double kRoundingShift = 0x1.8p52;

double nearest_whole(double x) { return (x + kRoundingShift) - kRoundingShift; }

// 2^exponent for -1022 <= exponent <= 1023.
double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52U);
}

template <std::size_t n>
double horner(const std::array<double, n>& coefficients, double x) {  // the highest power first
  double sum = coefficients[0];
  for (std::size_t i = 1; i < n; ++i) sum = sum * x + coefficients[i];
  return sum;
}

// ln 2 in two parts: the upper has 32 significant bits, so that its product with a whole number below 2^21 is
// exact.
constexpr double kLn2Upper = 0x1.62e42feep-1;
constexpr double kLn2Lower = 0x1.a39ef35793c76p-33;

// Taylor series of (e^r - 1 - r) / r^2: 1/13! ... 1/2!. With |r| <= ln(2)/2 the first term left out is below
// 4e-18, 0.02 ulp.
constexpr std::array<double, 12> kExp = {
    1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
    1.0 / 5040.0,       1.0 / 720.0,       1.0 / 120.0,      1.0 / 24.0,      1.0 / 6.0,      1.0 / 2.0};

// log((1+s)/(1-s)) = 2s + s * (2/3 s^2 + 2/5 s^4 + ...); these are 2/21 ... 2/3. With |s| <= 0.1716 the first
// term left out is below 1.3e-18.
constexpr std::array<double, 10> kLog = {2.0 / 21.0, 2.0 / 19.0, 2.0 / 17.0, 2.0 / 15.0, 2.0 / 13.0,
                                         2.0 / 11.0, 2.0 / 9.0,  2.0 / 7.0,  2.0 / 5.0,  2.0 / 3.0};

// Taylor series of (sin r - r) / r^3 in r^2: 1/17! ... -1/3!, and of (cos r - 1 + r^2/2) / r^4: -1/18! ...
// 1/4!. With |r| <= pi/4 the first terms left out are below 1e-19.
constexpr std::array<double, 8> kSin = {
    1.0 / 355687428096000.0, -1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0,
    1.0 / 362880.0,          -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0};
constexpr std::array<double, 8> kCos = {
    -1.0 / 6402373705728000.0, 1.0 / 20922789888000.0, -1.0 / 87178291200.0, 1.0 / 479001600.0,
    -1.0 / 3628800.0,          1.0 / 40320.0,          -1.0 / 720.0,         1.0 / 24.0};

// The upper 26 significant bits of x: its square is exact.
double upper_half(double x) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & ~((std::uint64_t{1} << 27U) - 1));
}

// An angle within half a quarter turn, as an unevaluated sum, and the number of quarter turns taken off.
struct Reduced {
  double upper = 0;
  double lower = 0;
  int quarter = 0;
};

double sin_kernel(double r, double tail) {
  const double z = r * r;
  const double v = z * r;
  // sin(r + t) = sin r + t cos r, with cos r = 1 - z/2 being enough for so small a t.
  return r + (v * horner(kSin, z) + tail * (1.0 - 0.5 * z));
}

double cos_kernel(double r, double tail) {
  const double z = r * r;
  const double half = 0.5 * z;
  const double w = 1.0 - half;
  // (1 - w) - half is what the subtraction above rounded away.
  return w + (((1.0 - w) - half) + (z * z * horner(kCos, z) - r * tail));
}

double sin_reduced(const Reduced& angle, int quarters_ahead) {
  switch (static_cast<unsigned>(angle.quarter + quarters_ahead) & 3U) {
    case 0:
      return sin_kernel(angle.upper, angle.lower);
    case 1:
      return cos_kernel(angle.upper, angle.lower);
    case 2:
      return -sin_kernel(angle.upper, angle.lower);
    default:
      return -cos_kernel(angle.upper, angle.lower);
  }
}

// pi/2 in three parts, the first two of 33 bits: their products with a whole number below 2^20 are exact.
constexpr double kHalfPi1 = 0x1.921fb544p+0;
constexpr double kHalfPi2 = 0x1.0b4611a6p-34;
constexpr double kHalfPi3 = 0x1.3198a2e037073p-69;
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
constexpr double kLargestAngle = 500'000.0;

Reduced reduce(double radians) {
  const double n = nearest_whole(radians * kTwoOverPi);
  const double t = radians - n * kHalfPi1;  // exact
  const double w = n * kHalfPi2;            // exact
  // The exact sum of t and -w as sum + error (Knuth's TwoSum).
  const double sum = t - w;
  const double back = sum - t;
  const double error = (t - (sum - back)) + (-w - back);
  const double rest = error - n * kHalfPi3;
  const double upper = sum + rest;
  return {upper, (sum - upper) + rest, static_cast<int>(n)};
}

constexpr double kTwoPiUpper = 0x1.921fb54442d18p+2;
constexpr double kTwoPiLower = 0x1.1a62633145c07p-52;

Reduced reduce_turns(double turns) {
  // Beyond 2^51 the fraction of a turn has at most one bit left; fmod is exact, hence the same everywhere.
  const double within = std::fmod(turns, 1.0);
  const double n = nearest_whole(within * 4.0);
  const double part = within - n * 0.25;  // exact, |part| <= 1/8
  // part * 2 pi as a sum: part is cut into 26 + 27 bits so that the products' errors can be computed.
  const double product = part * kTwoPiUpper;
  const double part_upper = upper_half(part);
  const double part_lower = part - part_upper;
  constexpr double pi_upper = 0x1.921fb54p+2;
  constexpr double pi_lower = kTwoPiUpper - pi_upper;
  const double error = ((part_upper * pi_upper - product) + part_upper * pi_lower + part_lower * pi_upper) +
                       part_lower * pi_lower;
  return {product, error + part * kTwoPiLower, static_cast<int>(n)};
}

// e^(-scale x x), with the rounding error of the square taken back: x x = u u + (x-u)(x+u). scale is 1 or
// 1/2.
double exp_minus_square(double x, double scale) {
  const double u = upper_half(x);
  return exp(-scale * (u * u)) * exp(-scale * ((x - u) * (x + u)));
}

// e^(x x) erfc(x) for x >= 0.46875; the coefficients are those of Cody's paper (tables II and III, as in
// SPECFUN).
double erfc_scaled(double x) {
  if (x <= 4.0) {
    constexpr std::array<double, 9> p = {
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0,
        6.61191906371416295e1,  2.98635138197400131e2,  8.81952221241769090e2,
        1.71204761263407058e3,  2.05107837782607147e3,  1.23033935479799725e3};
    constexpr std::array<double, 9> q = {1.0,
                                         1.57449261107098347e1,
                                         1.17693950891312499e2,
                                         5.37181101862009858e2,
                                         1.62138957456669019e3,
                                         3.29079923573345963e3,
                                         4.36261909014324716e3,
                                         3.43936767414372164e3,
                                         1.23033935480374942e3};
    return horner(p, x) / horner(q, x);
  }
  constexpr std::array<double, 6> p = {1.63153871373020978e-2, 3.05326634961232344e-1,
                                       3.60344899949804439e-1, 1.25781726111229246e-1,
                                       1.60837851487422766e-2, 6.58749161529837803e-4};
  constexpr std::array<double, 6> q = {1.0,
                                       2.56852019228982242e0,
                                       1.87295284992346725e0,
                                       5.27905102951428412e-1,
                                       6.05183413124413191e-2,
                                       2.33520497626869185e-3};
  constexpr double one_over_sqrt_pi = 5.6418958354775628695e-1;
  const double z = 1.0 / (x * x);
  return (one_over_sqrt_pi - z * horner(p, z) / horner(q, z)) / x;
}

// erf for |x| <= 0.46875 (table I).
double erf_centre(double x) {
  constexpr std::array<double, 5> p = {1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2,
                                       3.77485237685302021e2, 3.20937758913846947e3};
  constexpr std::array<double, 5> q = {1.0, 2.36012909523441209e1, 2.44024637934444173e2,
                                       1.28261652607737228e3, 2.84423683343917062e3};
  const double z = x * x;
  return x * (horner(p, z) / horner(q, z));
}

}  // namespace

double exp(double x) {
  if (x != x) return x;
  if (x > 709.8) return kInfinity;  // ln of the largest double is 709.7827
  if (x < -745.2) return 0;         // half the smallest subnormal is e^-745.13
  const double k = nearest_whole(x * 0x1.71547652b82fep+0);
  const double upper = x - k * kLn2Upper;  // exact
  const double lower = k * kLn2Lower;
  const double r = upper - lower;
  const double result = 1.0 + (upper - (lower - r * r * horner(kExp, r)));
  // Two factors, so that neither 2^1024 nor a subnormal power is needed; only the last product rounds.
  const int exponent = static_cast<int>(k);
  const int first = exponent / 2;
  return result * power_of_two(first) * power_of_two(exponent - first);
}

double log(double x) {
  if (x != x || x == kInfinity) return x;
  if (x < 0) return kNan;
  if (x == 0) return -kInfinity;
  int exponent = 0;
  if (x < 0x1p-1022) {  // subnormal
    x *= 0x1p54;
    exponent = -54;
  }
  std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  // Subtracting the bits of sqrt(1/2) makes the exponent field count from there: m is in [0.707, 1.414).
  constexpr std::uint64_t half_root = 0x3fe6a09e667f3bcdU;
  const auto shifted = static_cast<std::int64_t>(bits - half_root) >> 52U;
  exponent += static_cast<int>(shifted);
  bits -= static_cast<std::uint64_t>(shifted) << 52U;
  const double f = std::bit_cast<double>(bits) - 1.0;  // exact
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double half_square = 0.5 * f * f;
  const double k = exponent;
  // log(1+f) = f - (f^2/2 - s (f^2/2 + series)): f carries the leading bits exactly.
  const double series = z * horner(kLog, z);
  return k * kLn2Upper - ((half_square - (s * (half_square + series) + k * kLn2Lower)) - f);
}

double sin(double radians) {
  if (!(radians >= -kLargestAngle && radians <= kLargestAngle)) return kNan;
  if (radians == 0) return radians;
  return sin_reduced(reduce(radians), 0);
}

double cos(double radians) {
  if (!(radians >= -kLargestAngle && radians <= kLargestAngle)) return kNan;
  return sin_reduced(reduce(radians), 1);
}

double sin_turns(double turns) {
  if (!(turns > -kInfinity && turns < kInfinity)) return kNan;
  if (turns == 0) return turns;
  return sin_reduced(reduce_turns(turns), 0);
}

double cos_turns(double turns) {
  if (!(turns > -kInfinity && turns < kInfinity)) return kNan;
  return sin_reduced(reduce_turns(turns), 1);
}

double round_half_even(double x) {
  const double size = x < 0 ? -x : x;
  if (!(size < 0x1p52)) return x;  // whole already, infinite or NaN
  const double rounded = (size + 0x1p52) - 0x1p52;
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(rounded) |
                               (std::bit_cast<std::uint64_t>(x) & (std::uint64_t{1} << 63U)));
}

double erfc(double x) {
  if (x != x) return x;
  if (x >= -0.46875 && x <= 0.46875) return 1.0 - erf_centre(x);
  const double size = x < 0 ? -x : x;
  const double tail = size > 27.3 ? 0 : exp_minus_square(size, 1.0) * erfc_scaled(size);
  return x < 0 ? 2.0 - tail : tail;
}

double normal_cdf(double z) {
  if (z != z) return z;
  const double x = (z < 0 ? -z : z) * 0x1.6a09e667f3bcdp-1;  // |z| / sqrt(2)
  if (x <= 0.46875) return 0.5 + 0.5 * erf_centre(z < 0 ? -x : x);
  // Not erfc(x): far out it would multiply the rounding of x by 2 x x. The exponent is taken from z itself.
  const double tail = x > 27.3 ? 0 : 0.5 * exp_minus_square(z, 0.5) * erfc_scaled(x);
  return z < 0 ? tail : 1.0 - tail;
}

double normal_quantile(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  if (p == 0) return -kInfinity;
  if (p == 1) return kInfinity;
  const double q = p - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    constexpr std::array<double, 8> a = {2.5090809287301226727e+3, 3.3430575583588128105e+4,
                                         6.7265770927008700853e+4, 4.5921953931549871457e+4,
                                         1.3731693765509461125e+4, 1.9715909503065514427e+3,
                                         1.3314166789178437745e+2, 3.3871328727963666080e+0};
    constexpr std::array<double, 8> b = {5.2264952788528545610e+3, 2.8729085735721942674e+4,
                                         3.9307895800092710610e+4, 2.1213794301586595867e+4,
                                         5.3941960214247511077e+3, 6.8718700749205790830e+2,
                                         4.2313330701600911252e+1, 1.0};
    const double r = 0.180625 - q * q;
    return q * horner(a, r) / horner(b, r);
  }
  double r = std::sqrt(-log(q < 0 ? p : 1.0 - p));
  double result = 0;
  if (r <= 5.0) {
    constexpr std::array<double, 8> c = {7.74545014278341407640e-4, 2.27238449892691845833e-2,
                                         2.41780725177450611770e-1, 1.27045825245236838258e+0,
                                         3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                         4.63033784615654529590e+0, 1.42343711074968357734e+0};
    constexpr std::array<double, 8> d = {1.05075007164441684324e-9, 5.47593808499534494600e-4,
                                         1.51986665636164571966e-2, 1.48103976427480074590e-1,
                                         6.89767334985100004550e-1, 1.67638483018380384940e+0,
                                         2.05319162663775882187e+0, 1.0};
    r -= 1.6;
    result = horner(c, r) / horner(d, r);
  } else {
    constexpr std::array<double, 8> e = {2.01033439929228813265e-7, 2.71155556874348757815e-5,
                                         1.24266094738807843860e-3, 2.65321895265761230930e-2,
                                         2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                         5.46378491116411436990e+0, 6.65790464350110377720e+0};
    constexpr std::array<double, 8> f = {2.04426310338993978564e-15, 1.42151175831644588870e-7,
                                         1.84631831751005468180e-5,  7.86869131145613259100e-4,
                                         1.48753612908506148525e-2,  1.36929880922735805310e-1,
                                         5.99832206555887937690e-1,  1.0};
    r -= 5.0;
    result = horner(e, r) / horner(f, r);
  }
  return q < 0 ? -result : result;
}

double log_gamma(double x) {
  if (!(x > 0)) return kNan;
  if (x == kInfinity) return x;
  if (x == 1 || x == 2) return 0;
  // Gamma(x) = Gamma(x + n) / (x (x+1) ... (x+n-1)): Stirling's series is good to 1e-17 from 15 on.
  double product = 1.0;
  while (x < 15.0) {
    product *= x;
    x += 1.0;
  }
  // Bernoulli numbers B(2k) / (2k (2k-1)), k = 8 ... 1 (DLMF 5.11.1).
  constexpr std::array<double, 8> stirling = {-3617.0 / 122400.0, 1.0 / 156.0,   -691.0 / 360360.0,
                                              1.0 / 1188.0,       -1.0 / 1680.0, 1.0 / 1260.0,
                                              -1.0 / 360.0,       1.0 / 12.0};
  constexpr double half_log_two_pi = 0.91893853320467274178;
  const double series = horner(stirling, 1.0 / (x * x)) / x;
  return ((x - 0.5) * log(x) - x) + half_log_two_pi + series - log(product);
}

namespace {

// The continued fraction DLMF 8.17.22 by the modified method of Lentz; quick where x < (a+1)/(a+b+2).
double beta_fraction(double x, double a, double b) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double v) { return v < tiny && v > -tiny ? tiny : v; };
  double c = 1.0;
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double h = d;
  // The number of steps grows as the root of max(a, b); 5,000 suffice far beyond a, b = 5,000.
  for (int i = 1; i <= 5000; ++i) {
    const double m = i;
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / away_from_zero(1.0 + even * d);
    c = away_from_zero(1.0 + even / c);
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / away_from_zero(1.0 + odd * d);
    c = away_from_zero(1.0 + odd / c);
    const double step = d * c;
    h *= step;
    if (step > 1.0 - 1e-15 && step < 1.0 + 1e-15) break;
  }
  return h;
}

// I_x(a, b) where y = 1 - x is known better than by subtraction.
double incomplete_beta_of(double x, double y, double a, double b) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log(y));
  if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(x, a, b) / a;
  return 1.0 - front * beta_fraction(y, b, a) / b;
}

// P(T > t) for t >= 0.
double student_t_above(double t, double degrees) {
  const double square = t * t;
  if (square == kInfinity) return 0;
  return 0.5 *
         incomplete_beta_of(degrees / (degrees + square), square / (degrees + square), 0.5 * degrees, 0.5);
}

double student_t_density(double t, double degrees) {
  const double half_above = 0.5 * (degrees + 1.0);
  constexpr double pi = 3.14159265358979323846;
  return exp(log_gamma(half_above) - log_gamma(0.5 * degrees) - half_above * log(1.0 + t * t / degrees)) /
         std::sqrt(degrees * pi);
}

}  // namespace

double incomplete_beta(double x, double a, double b) {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return kNan;
  return incomplete_beta_of(x, 1.0 - x, a, b);
}

double student_t_cdf(double t, double degrees) {
  if (!(degrees > 0) || t != t) return kNan;
  return t < 0 ? student_t_above(-t, degrees) : 1.0 - student_t_above(t, degrees);
}

double student_t_quantile(double p, double degrees) {
  if (!(degrees > 0 && p >= 0 && p <= 1)) return kNan;
  if (p == 0) return -kInfinity;
  if (p == 1) return kInfinity;
  if (p == 0.5) return 0;
  const double above = p < 0.5 ? p : 1.0 - p;  // the upper tail of the positive quantile
  // Start from the normal quantile (the limit of many degrees), find a bracket, then Newton's steps, halving
  // the bracket where a step would leave it.
  double low = 0;
  double high = -normal_quantile(above);
  while (student_t_above(high, degrees) > above && high < 0x1p1000) {
    low = high;
    high *= 2;
  }
  double t = low > 0 ? low : high;
  for (int step = 0; step < 200; ++step) {
    const double excess = student_t_above(t, degrees) - above;
    if (excess > 0) {
      low = t;
    } else {
      high = t;
    }
    double next = t + excess / student_t_density(t, degrees);
    if (!(next > low && next < high)) next = low + 0.5 * (high - low);
    const double moved = next - t;
    t = next;
    if ((moved < 0 ? -moved : moved) <= 1e-14 * t) break;
  }
  return p < 0.5 ? -t : t;
}

double f_test_p_value(double f, double d1, double d2) {
  if (!(d1 > 0 && d2 > 0) || f != f) return kNan;
  if (f <= 0) return 1;
  if (f == kInfinity) return 0;
  const double sum = d2 + d1 * f;
  return incomplete_beta_of(d2 / sum, d1 * f / sum, 0.5 * d2, 0.5 * d1);
}

}  // namespace headroom::base
