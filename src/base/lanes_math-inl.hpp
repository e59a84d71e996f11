// exp, log, sin, normal variates and Philox over a lane type: the float32 companions of math.hpp and
// philox.hpp.
//
// Many lanes give the bits of one lane, on every instruction set. Errors are in units of the last place (ulp)
// of float32, measured by lanes_math_test.cpp against math.hpp. There are no NaN (lanes.hpp); arguments
// outside the range that a function states give some finite number or infinity, the same in every lane type.
#if defined(HEADROOM_BASE_LANES_MATH_INL_HPP_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEADROOM_BASE_LANES_MATH_INL_HPP_
#undef HEADROOM_BASE_LANES_MATH_INL_HPP_
#else
#define HEADROOM_BASE_LANES_MATH_INL_HPP_
#endif

#include "base/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace headroom::base::HWY_NAMESPACE {

// The nearest whole number, ties to the even one, for |x| < 2^22: adding 1.5 * 2^23 leaves no room for a
// fraction.
template <class L>
HWY_INLINE typename L::Float nearest_whole(typename L::Float x) {
  using Float = typename L::Float;
  return (x + Float(0x1.8p23f)) - Float(0x1.8p23f);
}

// ln 2 in two parts: the product of the upper one with a whole number below 2^9 is exact.
inline constexpr float kLn2Upper = 0x1.62e4p-1f;
inline constexpr float kLn2Lower = 0x1.7f7d1cp-20f;

// Any x. Error: under 1 ulp, subnormal results included; infinity from 88.73 on, 0 below -103.98.
template <class L>
HWY_INLINE typename L::Float exp(typename L::Float x) {
  using Float = typename L::Float;
  using Int = typename L::Int;
  x = min(max(x, Float(-104.0f)), Float(89.0f));
  const Float k = nearest_whole<L>(x * Float(0x1.715476p+0f));
  const Float upper = x - k * Float(kLn2Upper);  // exact
  const Float lower = k * Float(kLn2Lower);
  const Float r = upper - lower;
  // Taylor: |r| <= ln(2)/2, so that the first term left out, r^8/8!, is below 5.2e-9, 0.09 ulp.
  Float q = r * Float(1.0f / 5040.0f) + Float(1.0f / 720.0f);
  q = q * r + Float(1.0f / 120.0f);
  q = q * r + Float(1.0f / 24.0f);
  q = q * r + Float(1.0f / 6.0f);
  q = q * r + Float(0.5f);
  const Float result = Float(1.0f) + (upper - (lower - r * r * q));
  // 2^k in two factors, so that neither 2^128 nor a subnormal power is needed; the last product rounds once.
  const Int exponent = to_int(k);
  const Int first = shift_right_sign<1>(exponent);
  const Float first_power = float_of_bits(shift_left<23>(first + Int(127)));
  const Float second_power = float_of_bits(shift_left<23>(exponent - first + Int(127)));
  return result * first_power * second_power;
}

// Requires: 2^-126 <= x, finite. Error: under 1 ulp.
template <class L>
HWY_INLINE typename L::Float log(typename L::Float x) {
  using Float = typename L::Float;
  using Int = typename L::Int;
  // Counting the exponent from sqrt(1/2) puts the rest into [0.707, 1.414).
  const Int half_root(0x3f3504f3);
  const Int exponent = shift_right_sign<23>(bits_of(x) - half_root);
  const Float f = float_of_bits(bits_of(x) - shift_left<23>(exponent)) - Float(1.0f);  // exact
  const Float s = f / (Float(2.0f) + f);
  const Float z = s * s;
  // As in math.cpp; |s| <= 0.1716 and four terms leave out 4e-9.
  Float series = z * Float(2.0f / 9.0f) + Float(2.0f / 7.0f);
  series = series * z + Float(2.0f / 5.0f);
  series = series * z + Float(2.0f / 3.0f);
  series = series * z;
  const Float half_square = Float(0.5f) * f * f;
  const Float k = to_float(exponent);
  return k * Float(kLn2Upper) - ((half_square - (s * (half_square + series) + k * Float(kLn2Lower))) - f);
}

// sin of r + quarter * (a quarter turn), for |r| <= pi/4.
template <class L>
HWY_INLINE typename L::Float sin_of_quarter(typename L::Float r, typename L::Int quarter) {
  using Float = typename L::Float;
  using Int = typename L::Int;
  const Float z = r * r;
  Float odd = z * Float(1.0f / 362880.0f) + Float(-1.0f / 5040.0f);
  odd = odd * z + Float(1.0f / 120.0f);
  odd = odd * z + Float(-1.0f / 6.0f);
  const Float sine = r + r * z * odd;
  Float even = z * Float(-1.0f / 3628800.0f) + Float(1.0f / 40320.0f);
  even = even * z + Float(-1.0f / 720.0f);
  even = even * z + Float(1.0f / 24.0f);
  const Float half = Float(0.5f) * z;
  const Float w = Float(1.0f) - half;
  const Float cosine = w + (((Float(1.0f) - w) - half) + z * z * even);
  const Float value = select((quarter & Int(1)) == Int(1), cosine, sine);
  return select((quarter & Int(2)) == Int(2), Float(0.0f) - value, value);
}

// Requires: |radians| <= 8192. Absolute error: under 1.2e-7; under 1 ulp for |radians| <= 1.5.
template <class L>
HWY_INLINE typename L::Float sin_plus(typename L::Float radians, int quarters) {
  using Float = typename L::Float;
  using Int = typename L::Int;
  const Float n = nearest_whole<L>(radians * Float(0x1.45f306p-1f));  // 2/pi
  // pi/2 in three parts: the first two have so few bits that their products with n are exact.
  const Float r = ((radians - n * Float(0x1.92p+0f)) - n * Float(0x1.fb4p-12f)) - n * Float(0x1.4442d2p-24f);
  return sin_of_quarter<L>(r, to_int(n) + Int(quarters));
}
template <class L>
HWY_INLINE typename L::Float sin(typename L::Float radians) {
  return sin_plus<L>(radians, 0);
}
template <class L>
HWY_INLINE typename L::Float cos(typename L::Float radians) {
  return sin_plus<L>(radians, 1);
}

// sin(2 pi t) and cos(2 pi t). Requires: |turns| < 2^20. Error: under 2.5 ulp; exact at quarter turns.
template <class L>
HWY_INLINE typename L::Float sin_turns_plus(typename L::Float turns, int quarters) {
  using Float = typename L::Float;
  using Int = typename L::Int;
  const Float n = nearest_whole<L>(turns * Float(4.0f));
  const Float part = turns - n * Float(0.25f);  // exact
  return sin_of_quarter<L>(part * Float(0x1.921fb6p+2f), to_int(n) + Int(quarters));
}
template <class L>
HWY_INLINE typename L::Float sin_turns(typename L::Float turns) {
  return sin_turns_plus<L>(turns, 0);
}
template <class L>
HWY_INLINE typename L::Float cos_turns(typename L::Float turns) {
  return sin_turns_plus<L>(turns, 1);
}

// The z below which a standard normal variate lies with probability p. Requires: 2^-24 <= p <= 1 - 2^-24,
// what open_uniform() gives; |z| is at most 5.3. Absolute error: under 2e-6; under 16 ulp for |z| > 0.01.
// Source: Wichura, Algorithm AS 241 (PPND7), Applied Statistics 37 (1988).
template <class L>
HWY_INLINE typename L::Float normal_quantile(typename L::Float p) {
  using Float = typename L::Float;
  const Float q = p - Float(0.5f);
  const auto lower_half = q < Float(0.0f);
  const Float distance = select(lower_half, Float(0.0f) - q, q);
  const auto central = distance <= Float(0.425f);

  const Float square = Float(0.180625f) - q * q;
  Float top = square * Float(5.9109374720e1f) + Float(1.5929113202e2f);
  top = top * square + Float(5.0434271938e1f);
  top = top * square + Float(3.3871327179e0f);
  Float bottom = square * Float(6.7187563600e1f) + Float(7.8757757664e1f);
  bottom = bottom * square + Float(1.7895169469e1f);
  bottom = bottom * square + Float(1.0f);

  const Float tail = select(lower_half, p, Float(1.0f) - p);  // exact
  const Float r = sqrt(Float(0.0f) - log<L>(tail)) - Float(1.6f);
  Float tail_top = r * Float(1.7023821103e-1f) + Float(1.3067284816e0f);
  tail_top = tail_top * r + Float(2.7568153900e0f);
  tail_top = tail_top * r + Float(1.4234372777e0f);
  Float tail_bottom = r * Float(1.2021132975e-1f) + Float(7.3700164250e-1f);
  tail_bottom = tail_bottom * r + Float(1.0f);
  const Float signed_top = select(lower_half, Float(0.0f) - tail_top, tail_top);

  return select(central, q * top, signed_top) / select(central, bottom, tail_bottom);
}

// ---- random numbers

// Names one block of 128 random bits in each lane, as random_block() of philox.hpp does.
template <class L>
struct Draw {
  using Int = typename L::Int;
  Int seed_low;
  Int seed_high;
  Int stream;
  Int counter_low;
  Int counter_high;
  Int part;
};

// Words without sign, kept in Int.
template <class L>
struct Words {
  typename L::Int word[4];
};

template <class L>
HWY_INLINE Words<L> random_block(const Draw<L>& draw) {
  using Int = typename L::Int;
  const Int multiplier0(static_cast<std::int32_t>(0xD2511F53U));
  const Int multiplier1(static_cast<std::int32_t>(0xCD9E8D57U));
  Int c0 = draw.counter_low;
  Int c1 = draw.counter_high;
  Int c2 = draw.stream;
  Int c3 = draw.part;
  Int k0 = draw.seed_low;
  Int k1 = draw.seed_high;
  for (int round = 0; round < 10; ++round) {
    const auto product0 = multiply_words(c0, multiplier0);
    const auto product1 = multiply_words(c2, multiplier1);
    c0 = exclusive_or(exclusive_or(product1.high, c1), k0);
    c2 = exclusive_or(exclusive_or(product0.high, c3), k1);
    c1 = product1.low;
    c3 = product0.low;
    k0 = add_words(k0, Int(static_cast<std::int32_t>(0x9E3779B9U)));
    k1 = add_words(k1, Int(static_cast<std::int32_t>(0xBB67AE85U)));
  }
  return {{c0, c1, c2, c3}};
}

// [0, 1) in steps of 2^-24: the upper 24 bits.
template <class L>
HWY_INLINE typename L::Float uniform(typename L::Int word) {
  return to_float(shift_right_zeros<8>(word)) * typename L::Float(0x1p-24f);
}
// (0, 1), symmetric about 1/2, in steps of 2^-23; the ends are 2^-24 away from 0 and 1.
template <class L>
HWY_INLINE typename L::Float open_uniform(typename L::Int word) {
  using Float = typename L::Float;
  return (to_float(shift_right_zeros<9>(word)) + Float(0.5f)) * Float(0x1p-23f);
}
// Mean 0 and standard deviation 1.
template <class L>
HWY_INLINE typename L::Float normal(typename L::Int word) {
  return normal_quantile<L>(open_uniform<L>(word));
}

}  // namespace headroom::base::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
