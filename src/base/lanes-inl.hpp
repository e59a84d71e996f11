// The operations of the lane type, for one lane and for many; compiled once per instruction set.
//
// Included inside Highway's foreach_target by files that run many lanes, or once by files that run one.
// No std containers or algorithms here: what they emit could be linked into code for older processors.
#if defined(HEADROOM_BASE_LANES_INL_HPP_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEADROOM_BASE_LANES_INL_HPP_
#undef HEADROOM_BASE_LANES_INL_HPP_
#else
#define HEADROOM_BASE_LANES_INL_HPP_
#endif

#include <cstdint>

#include <hwy/highway.h>
#include "base/lanes.hpp"

HWY_BEFORE_NAMESPACE();
namespace headroom::base::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// ---- one lane

HWY_INLINE float select(bool mask, float yes, float no) { return mask ? yes : no; }
HWY_INLINE std::int32_t select(bool mask, std::int32_t yes, std::int32_t no) { return mask ? yes : no; }
HWY_INLINE float min(float a, float b) { return a < b ? a : b; }
HWY_INLINE float max(float a, float b) { return a > b ? a : b; }
HWY_INLINE std::int32_t min(std::int32_t a, std::int32_t b) { return a < b ? a : b; }
HWY_INLINE std::int32_t max(std::int32_t a, std::int32_t b) { return a > b ? a : b; }
HWY_INLINE float to_float(std::int32_t a) { return static_cast<float>(a); }
// Towards zero.
HWY_INLINE std::int32_t to_int(float a) { return static_cast<std::int32_t>(a); }
// Requires |a| < 2^31.
HWY_INLINE std::int32_t ceil_to_int(float a) {
  const std::int32_t towards_zero = to_int(a);
  return towards_zero + (to_float(towards_zero) < a ? 1 : 0);
}
HWY_INLINE bool any(bool mask) { return mask; }
// Bits set in the 32 bits of a.
HWY_INLINE std::int32_t count_bits(std::int32_t a) {
  return static_cast<std::int32_t>(__builtin_popcount(static_cast<std::uint32_t>(a)));
}
template <int kBits>
HWY_INLINE std::int32_t shift_left(std::int32_t a) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) << kBits);
}

HWY_INLINE float sqrt(float a) { return __builtin_sqrtf(a); }
HWY_INLINE std::int32_t bits_of(float a) { return __builtin_bit_cast(std::int32_t, a); }
HWY_INLINE float float_of_bits(std::int32_t a) { return __builtin_bit_cast(float, a); }
// Integers as 32 bits: sums modulo 2^32 (a plain + must not overflow), exclusive or, shifts that bring in
// zeros or the sign.
HWY_INLINE std::int32_t add_words(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}
HWY_INLINE std::int32_t exclusive_or(std::int32_t a, std::int32_t b) { return a ^ b; }
template <int kBits>
HWY_INLINE std::int32_t shift_right_zeros(std::int32_t a) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) >> kBits);
}
template <int kBits>
HWY_INLINE std::int32_t shift_right_sign(std::int32_t a) {
  return a >> kBits;
}
// The 64 bits of the product of two words without sign.
template <class Int>
struct WideProduct {
  Int high;
  Int low;
};
HWY_INLINE WideProduct<std::int32_t> multiply_words(std::int32_t a, std::int32_t b) {
  const std::uint64_t product = std::uint64_t{static_cast<std::uint32_t>(a)} * static_cast<std::uint32_t>(b);
  return {static_cast<std::int32_t>(static_cast<std::uint32_t>(product >> 32)),
          static_cast<std::int32_t>(static_cast<std::uint32_t>(product))};
}

// ---- many lanes

#if !HWY_HAVE_SCALABLE  // vectors whose size is known when compiling can be members; the others are disabled

using FloatTag = hn::ScalableTag<float>;
using IntTag = hn::ScalableTag<std::int32_t>;

struct FloatLanes {
  hn::Vec<FloatTag> v;

  FloatLanes() = default;
  HWY_INLINE FloatLanes(float value) : v(hn::Set(FloatTag(), value)) {}
  HWY_INLINE explicit FloatLanes(hn::Vec<FloatTag> value) : v(value) {}
};

struct IntLanes {
  hn::Vec<IntTag> v;

  IntLanes() = default;
  HWY_INLINE IntLanes(std::int32_t value) : v(hn::Set(IntTag(), value)) {}
  HWY_INLINE explicit IntLanes(hn::Vec<IntTag> value) : v(value) {}
};

// One mask type for both: float and int lanes have the same width.
struct MaskLanes {
  hn::Mask<IntTag> m;

  MaskLanes() = default;
  HWY_INLINE MaskLanes(bool value) : m(hn::FirstN(IntTag(), value ? hn::Lanes(IntTag()) : 0)) {}
  HWY_INLINE explicit MaskLanes(hn::Mask<IntTag> value) : m(value) {}
};

struct Many {
  using Float = FloatLanes;
  using Int = IntLanes;
  using Mask = MaskLanes;
  static HWY_INLINE int width() { return static_cast<int>(hn::Lanes(IntTag())); }
};

HWY_INLINE MaskLanes from_float_mask(hn::Mask<FloatTag> m) { return MaskLanes(hn::RebindMask(IntTag(), m)); }

HWY_INLINE FloatLanes operator+(FloatLanes a, FloatLanes b) { return FloatLanes(hn::Add(a.v, b.v)); }
HWY_INLINE FloatLanes operator-(FloatLanes a, FloatLanes b) { return FloatLanes(hn::Sub(a.v, b.v)); }
HWY_INLINE FloatLanes operator*(FloatLanes a, FloatLanes b) { return FloatLanes(hn::Mul(a.v, b.v)); }
HWY_INLINE FloatLanes operator/(FloatLanes a, FloatLanes b) { return FloatLanes(hn::Div(a.v, b.v)); }
HWY_INLINE MaskLanes operator<(FloatLanes a, FloatLanes b) { return from_float_mask(hn::Lt(a.v, b.v)); }
HWY_INLINE MaskLanes operator>(FloatLanes a, FloatLanes b) { return from_float_mask(hn::Gt(a.v, b.v)); }
HWY_INLINE MaskLanes operator<=(FloatLanes a, FloatLanes b) { return from_float_mask(hn::Le(a.v, b.v)); }
HWY_INLINE MaskLanes operator>=(FloatLanes a, FloatLanes b) { return from_float_mask(hn::Ge(a.v, b.v)); }

HWY_INLINE IntLanes operator+(IntLanes a, IntLanes b) { return IntLanes(hn::Add(a.v, b.v)); }
HWY_INLINE IntLanes operator-(IntLanes a, IntLanes b) { return IntLanes(hn::Sub(a.v, b.v)); }
HWY_INLINE IntLanes operator|(IntLanes a, IntLanes b) { return IntLanes(hn::Or(a.v, b.v)); }
HWY_INLINE IntLanes operator&(IntLanes a, IntLanes b) { return IntLanes(hn::And(a.v, b.v)); }
HWY_INLINE MaskLanes operator<(IntLanes a, IntLanes b) { return MaskLanes(hn::Lt(a.v, b.v)); }
HWY_INLINE MaskLanes operator>(IntLanes a, IntLanes b) { return MaskLanes(hn::Gt(a.v, b.v)); }
HWY_INLINE MaskLanes operator==(IntLanes a, IntLanes b) { return MaskLanes(hn::Eq(a.v, b.v)); }
HWY_INLINE MaskLanes operator<=(IntLanes a, IntLanes b) { return MaskLanes(hn::Not(hn::Gt(a.v, b.v))); }
HWY_INLINE MaskLanes operator>=(IntLanes a, IntLanes b) { return MaskLanes(hn::Not(hn::Lt(a.v, b.v))); }

HWY_INLINE MaskLanes operator&&(MaskLanes a, MaskLanes b) { return MaskLanes(hn::And(a.m, b.m)); }
HWY_INLINE MaskLanes operator||(MaskLanes a, MaskLanes b) { return MaskLanes(hn::Or(a.m, b.m)); }
HWY_INLINE MaskLanes operator!(MaskLanes a) { return MaskLanes(hn::Not(a.m)); }

HWY_INLINE FloatLanes select(MaskLanes mask, FloatLanes yes, FloatLanes no) {
  return FloatLanes(hn::IfThenElse(hn::RebindMask(FloatTag(), mask.m), yes.v, no.v));
}
HWY_INLINE IntLanes select(MaskLanes mask, IntLanes yes, IntLanes no) {
  return IntLanes(hn::IfThenElse(mask.m, yes.v, no.v));
}
HWY_INLINE FloatLanes min(FloatLanes a, FloatLanes b) { return FloatLanes(hn::Min(a.v, b.v)); }
HWY_INLINE FloatLanes max(FloatLanes a, FloatLanes b) { return FloatLanes(hn::Max(a.v, b.v)); }
HWY_INLINE IntLanes min(IntLanes a, IntLanes b) { return IntLanes(hn::Min(a.v, b.v)); }
HWY_INLINE IntLanes max(IntLanes a, IntLanes b) { return IntLanes(hn::Max(a.v, b.v)); }
HWY_INLINE FloatLanes to_float(IntLanes a) { return FloatLanes(hn::ConvertTo(FloatTag(), a.v)); }
HWY_INLINE IntLanes to_int(FloatLanes a) { return IntLanes(hn::ConvertTo(IntTag(), a.v)); }
HWY_INLINE IntLanes ceil_to_int(FloatLanes a) {
  const IntLanes towards_zero = to_int(a);
  return towards_zero + select(to_float(towards_zero) < a, IntLanes(1), IntLanes(0));
}
HWY_INLINE bool any(MaskLanes mask) { return !hn::AllFalse(IntTag(), mask.m); }
HWY_INLINE IntLanes count_bits(IntLanes a) {
  // Sums of neighbouring groups of 1, 2, 4, 8 and 16 bits; every instruction set has these operations.
  IntLanes n = (a & IntLanes(0x55555555)) + (IntLanes(hn::ShiftRight<1>(a.v)) & IntLanes(0x55555555));
  n = (n & IntLanes(0x33333333)) + (IntLanes(hn::ShiftRight<2>(n.v)) & IntLanes(0x33333333));
  n = (n & IntLanes(0x0F0F0F0F)) + (IntLanes(hn::ShiftRight<4>(n.v)) & IntLanes(0x0F0F0F0F));
  n = (n & IntLanes(0x00FF00FF)) + (IntLanes(hn::ShiftRight<8>(n.v)) & IntLanes(0x00FF00FF));
  return (n & IntLanes(0x0000FFFF)) + (IntLanes(hn::ShiftRight<16>(n.v)) & IntLanes(0x0000FFFF));
}
template <int kBits>
HWY_INLINE IntLanes shift_left(IntLanes a) {
  return IntLanes(hn::ShiftLeft<kBits>(a.v));
}

HWY_INLINE FloatLanes sqrt(FloatLanes a) { return FloatLanes(hn::Sqrt(a.v)); }
HWY_INLINE IntLanes bits_of(FloatLanes a) { return IntLanes(hn::BitCast(IntTag(), a.v)); }
HWY_INLINE FloatLanes float_of_bits(IntLanes a) { return FloatLanes(hn::BitCast(FloatTag(), a.v)); }
HWY_INLINE IntLanes add_words(IntLanes a, IntLanes b) { return a + b; }
HWY_INLINE IntLanes exclusive_or(IntLanes a, IntLanes b) { return IntLanes(hn::Xor(a.v, b.v)); }
template <int kBits>
HWY_INLINE IntLanes shift_right_zeros(IntLanes a) {
  const hn::RebindToUnsigned<IntTag> words;
  return IntLanes(hn::BitCast(IntTag(), hn::ShiftRight<kBits>(hn::BitCast(words, a.v))));
}
template <int kBits>
HWY_INLINE IntLanes shift_right_sign(IntLanes a) {
  return IntLanes(hn::ShiftRight<kBits>(a.v));
}
HWY_INLINE WideProduct<IntLanes> multiply_words(IntLanes a, IntLanes b) {
#if HWY_TARGET == HWY_SCALAR  // a vector of one lane has no even and odd lanes
  const WideProduct<std::int32_t> product = multiply_words(hn::GetLane(a.v), hn::GetLane(b.v));
  return {IntLanes(product.high), IntLanes(product.low)};
#else
  // Processors multiply the even lanes to 64 bits; the odd ones are moved there.
  const hn::RebindToUnsigned<IntTag> words;
  const hn::Repartition<std::uint64_t, IntTag> pairs;
  const auto a_words = hn::BitCast(words, a.v);
  const auto b_words = hn::BitCast(words, b.v);
  const auto a_odd = hn::BitCast(words, hn::ShiftRight<32>(hn::BitCast(pairs, a_words)));
  const auto b_odd = hn::BitCast(words, hn::ShiftRight<32>(hn::BitCast(pairs, b_words)));
  const auto even = hn::MulEven(a_words, b_words);
  const auto odd = hn::MulEven(a_odd, b_odd);
  const auto high = hn::OddEven(hn::BitCast(words, odd), hn::BitCast(words, hn::ShiftRight<32>(even)));
  const auto low = hn::OddEven(hn::BitCast(words, hn::ShiftLeft<32>(odd)), hn::BitCast(words, even));
  return {IntLanes(hn::BitCast(IntTag(), high)), IntLanes(hn::BitCast(IntTag(), low))};
#endif
}

#endif  // !HWY_HAVE_SCALABLE

}  // namespace headroom::base::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
