// Compiled once per instruction set, those that a program would leave out for better ones included.
#define HWY_COMPILE_ALL_ATTAINABLE
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "base/lanes_math_test.cpp"
#include <hwy/foreach_target.h>

#include "base/lanes_math-inl.hpp"

#ifndef HEADROOM_BASE_LANES_MATH_TEST_FUNCTIONS_
#define HEADROOM_BASE_LANES_MATH_TEST_FUNCTIONS_
namespace headroom::base {

enum class Function {
  exp,
  log,
  sin,
  cos,
  sin_turns,
  cos_turns,
  normal_quantile,
  square_root,
  uniform,
  open_uniform,
  normal,
  count_  // how many there are
};

}  // namespace headroom::base
#endif

HWY_BEFORE_NAMESPACE();
namespace headroom::base::HWY_NAMESPACE {

template <class L>
HWY_INLINE typename L::Float apply(Function function, typename L::Float x) {
  switch (function) {
    case Function::exp:
      return exp<L>(x);
    case Function::log:
      return log<L>(x);
    case Function::sin:
      return sin<L>(x);
    case Function::cos:
      return cos<L>(x);
    case Function::sin_turns:
      return sin_turns<L>(x);
    case Function::cos_turns:
      return cos_turns<L>(x);
    case Function::normal_quantile:
      return normal_quantile<L>(x);
    case Function::square_root:
      return sqrt(x);
    case Function::uniform:
      return uniform<L>(bits_of(x));
    case Function::open_uniform:
      return open_uniform<L>(bits_of(x));
    default:
      return normal<L>(bits_of(x));
  }
}

// count is a multiple of every vector's width.
void apply_one(Function function, const float* x, int count, float* y) {
  for (int i = 0; i < count; ++i) y[i] = apply<One>(function, x[i]);
}

void apply_many(Function function, const float* x, int count, float* y) {
#if !HWY_HAVE_SCALABLE
  for (int i = 0; i < count; i += Many::width()) {
    hn::StoreU(apply<Many>(function, FloatLanes(hn::LoadU(FloatTag(), x + i))).v, FloatTag(), y + i);
  }
#else
  apply_one(function, x, count, y);
#endif
}

// in: six words for each block; out: four.
void block_one(const std::int32_t* in, int count, std::int32_t* out) {
  for (int i = 0; i < count; ++i) {
    const std::int32_t* draw = in + 6 * i;
    const Words<One> words = random_block<One>({draw[0], draw[1], draw[2], draw[3], draw[4], draw[5]});
    for (int k = 0; k < 4; ++k) out[4 * i + k] = words.word[k];
  }
}

void block_many(const std::int32_t* in, int count, std::int32_t* out) {
#if !HWY_HAVE_SCALABLE
  const int width = Many::width();
  for (int i = 0; i < count; i += width) {
    std::int32_t column[6][HWY_MAX_BYTES / 4] = {};
    for (int lane = 0; lane < width; ++lane) {
      for (int k = 0; k < 6; ++k) column[k][lane] = in[6 * (i + lane) + k];
    }
    const auto load = [&](int k) HWY_ATTR { return IntLanes(hn::LoadU(IntTag(), column[k])); };
    const Words<Many> words = random_block<Many>({load(0), load(1), load(2), load(3), load(4), load(5)});
    for (int k = 0; k < 4; ++k) {
      std::int32_t lanes[HWY_MAX_BYTES / 4] = {};
      hn::StoreU(words.word[k].v, IntTag(), lanes);
      for (int lane = 0; lane < width; ++lane) out[4 * (i + lane) + k] = lanes[lane];
    }
  }
#else
  block_one(in, count, out);
#endif
}

}  // namespace headroom::base::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "base/math.hpp"
#include "base/philox.hpp"

namespace headroom::base {

HWY_EXPORT(apply_one);
HWY_EXPORT(apply_many);
HWY_EXPORT(block_one);
HWY_EXPORT(block_many);

namespace {

constexpr int kBatch = 1 << 12;  // a multiple of the widest vector, 64 lanes
// For each function and instruction set: a million inputs in optimised builds, 32,768 where each operation is
// a call that the sanitizers watch.
#ifdef __OPTIMIZE__
constexpr int kBatches = 1 << 8;
#else
constexpr int kBatches = 1 << 3;
#endif

// Every instruction set of this machine that the test was compiled for, one after the other.
void for_each_instruction_set(const std::function<void(const char* name)>& body) {
  const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  ASSERT_FALSE(targets.empty());
  for (const std::int64_t target : targets) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    body(hwy::TargetName(target));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

struct Domain {
  Function function;
  float low;
  float high;
  bool all_bits;  // any 32 bits rather than a number in the range
};

constexpr Domain kDomains[] = {
    {Function::exp, -110, 95, false},
    {Function::exp, -1, 1, false},
    {Function::log, 0x1p-126f, 4, false},
    {Function::log, 1, 3e38f, false},
    {Function::sin, -8192, 8192, false},
    {Function::cos, -8192, 8192, false},
    {Function::sin_turns, -1048575, 1048575, false},
    {Function::cos_turns, -2, 2, false},
    {Function::normal_quantile, 0x1p-24f, 1 - 0x1p-24f, false},
    {Function::square_root, 0, 1e6f, false},
    {Function::uniform, 0, 0, true},
    {Function::open_uniform, 0, 0, true},
    {Function::normal, 0, 0, true},
};

std::vector<float> inputs(const Domain& domain, std::uint64_t batch) {
  std::vector<float> x(kBatch);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint64_t bits =
        random_block(17, static_cast<std::uint32_t>(domain.function), batch * kBatch + i).bits64(0);
    if (domain.all_bits) {
      x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    } else {
      const double low = static_cast<double>(domain.low);
      x[i] = static_cast<float>(low + (static_cast<double>(domain.high) - low) * uniform(bits));
    }
  }
  // The ends, too.
  if (!domain.all_bits) {
    x[0] = domain.low;
    x[1] = domain.high;
  }
  return x;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(LanesMath, many_lanes_equal_one_lane_bit_for_bit_on_every_instruction_set) {
  std::vector<std::vector<float>> reference;  // of the first instruction set, by domain and batch
  int sets = 0;
  for_each_instruction_set([&](const char* name) {
    std::size_t next = 0;
    for (const Domain& domain : kDomains) {
      for (std::uint64_t batch = 0; batch < kBatches; ++batch, ++next) {
        const std::vector<float> x = inputs(domain, batch);
        std::vector<float> one(kBatch);
        std::vector<float> many(kBatch);
        HWY_DYNAMIC_DISPATCH(apply_one)(domain.function, x.data(), kBatch, one.data());
        HWY_DYNAMIC_DISPATCH(apply_many)(domain.function, x.data(), kBatch, many.data());
        ASSERT_TRUE(same_bits(one, many)) << name << " function " << static_cast<int>(domain.function);
        if (sets == 0) reference.push_back(one);
        ASSERT_TRUE(same_bits(one, reference[next]))
            << name << " function " << static_cast<int>(domain.function);
      }
    }
    ++sets;
  });
  EXPECT_GE(sets, 1);
  RecordProperty("instruction_sets", sets);
}

TEST(LanesMath, random_blocks_are_those_of_philox_on_every_instruction_set) {
  for_each_instruction_set([](const char* name) {
    for (std::uint64_t batch = 0; batch < 16; ++batch) {
      std::vector<std::int32_t> in(6 * kBatch);
      for (std::size_t i = 0; i < in.size(); ++i) {
        in[i] = static_cast<std::int32_t>(random_block(batch, 0, i).words[0]);
      }
      std::vector<std::int32_t> one(4 * kBatch);
      std::vector<std::int32_t> many(4 * kBatch);
      HWY_DYNAMIC_DISPATCH(block_one)(in.data(), kBatch, one.data());
      HWY_DYNAMIC_DISPATCH(block_many)(in.data(), kBatch, many.data());
      ASSERT_EQ(one, many) << name;
      for (std::size_t i = 0; i < kBatch; ++i) {
        const auto word = [&](std::size_t k) { return static_cast<std::uint32_t>(in[6 * i + k]); };
        const auto pair = [&](std::size_t k) { return word(k) | (std::uint64_t{word(k + 1)} << 32U); };
        const RandomBlock exact = random_block(pair(0), word(2), pair(3), word(5));
        for (std::size_t k = 0; k < 4; ++k)
          ASSERT_EQ(static_cast<std::uint32_t>(one[4 * i + k]), exact.words[k]);
      }
    }
  });
}

// Distance from the exact value in units of the last place of the exact value, in float32.
double ulps(float got, double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::fabs(static_cast<double>(got) - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

using Exact = double (*)(double);

struct Errors {
  double ulps = 0;
  double absolute = 0;
};

Errors worst(const Domain& domain, Exact exact) {
  Errors errors;
  for (std::uint64_t batch = 0; batch < kBatches; ++batch) {
    const std::vector<float> x = inputs(domain, batch);
    std::vector<float> y(kBatch);
    HWY_DYNAMIC_DISPATCH(apply_many)(domain.function, x.data(), kBatch, y.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double value = exact(static_cast<double>(x[i]));
      errors.ulps = std::max(errors.ulps, ulps(y[i], value));
      errors.absolute = std::max(errors.absolute, std::fabs(static_cast<double>(y[i]) - value));
    }
  }
  return errors;
}

TEST(LanesMath, exp_is_within_one_ulp) {
  EXPECT_LT(worst({Function::exp, -1, 1, false}, exp).ulps, 1.0);
  EXPECT_LT(worst({Function::exp, -103.9f, 88.7f, false}, exp).ulps, 1.0);
}

TEST(LanesMath, log_is_within_one_ulp) {
  EXPECT_LT(worst({Function::log, 0.5f, 2, false}, log).ulps, 1.0);
  EXPECT_LT(worst({Function::log, 0.99f, 1.01f, false}, log).ulps, 1.0);
  EXPECT_LT(worst({Function::log, 0x1p-126f, 1e-30f, false}, log).ulps, 1.0);
  EXPECT_LT(worst({Function::log, 1, 3e38f, false}, log).ulps, 1.0);
}

TEST(LanesMath, sin_and_cos_keep_their_errors) {
  EXPECT_LT(worst({Function::sin, -1.5f, 1.5f, false}, sin).ulps, 1.0);
  EXPECT_LT(worst({Function::cos, -0.75f, 0.75f, false}, cos).ulps, 1.0);
  EXPECT_LT(worst({Function::sin, -8192, 8192, false}, sin).absolute, 1.2e-7);
  EXPECT_LT(worst({Function::cos, -8192, 8192, false}, cos).absolute, 1.2e-7);
}

TEST(LanesMath, sin_and_cos_of_turns_are_within_two_and_a_half_ulp) {
  EXPECT_LT(worst({Function::sin_turns, -2, 2, false}, sin_turns).ulps, 2.5);
  EXPECT_LT(worst({Function::sin_turns, -1048575, 1048575, false}, sin_turns).ulps, 2.5);
  EXPECT_LT(worst({Function::cos_turns, -2, 2, false}, cos_turns).ulps, 2.5);
}

TEST(LanesMath, normal_quantile_keeps_its_errors) {
  EXPECT_LT(worst({Function::normal_quantile, 0x1p-24f, 1 - 0x1p-24f, false}, normal_quantile).absolute,
            2e-6);
  EXPECT_LT(worst({Function::normal_quantile, 0x1p-24f, 0.001f, false}, normal_quantile).absolute, 2e-6);
  EXPECT_LT(worst({Function::normal_quantile, 0x1p-24f, 0.495f, false}, normal_quantile).ulps, 16.0);
}

float one(Function function, float x) {
  float y = 0;
  HWY_DYNAMIC_DISPATCH(apply_one)(function, &x, 1, &y);
  return y;
}

TEST(LanesMath, special_values) {
  EXPECT_EQ(one(Function::exp, 0), 1.0f);
  EXPECT_EQ(one(Function::exp, 88.73f), INFINITY);
  EXPECT_EQ(one(Function::exp, 1e30f), INFINITY);
  EXPECT_EQ(one(Function::exp, -103.98f), 0.0f);
  EXPECT_EQ(one(Function::exp, -1e30f), 0.0f);
  EXPECT_EQ(one(Function::exp, -103.2f), 0x1p-149f);  // e^-103.2 is 1.07 of the smallest subnormal
  EXPECT_EQ(one(Function::log, 1), 0.0f);
  EXPECT_EQ(one(Function::sin_turns, 1000000.25f), 1.0f);
  EXPECT_EQ(one(Function::cos_turns, -0.25f), 0.0f);
  EXPECT_EQ(one(Function::cos_turns, 0.5f), -1.0f);
  EXPECT_EQ(one(Function::normal_quantile, 0.5f), 0.0f);
}

TEST(LanesMath, uniform_takes_the_upper_bits) {
  const auto of = [](Function function, std::uint32_t bits) {
    return one(function, std::bit_cast<float>(bits));
  };
  EXPECT_EQ(of(Function::uniform, 0), 0.0f);
  EXPECT_EQ(of(Function::uniform, 0xffU), 0.0f);
  EXPECT_EQ(of(Function::uniform, 0xffffff00U), 1.0f - 0x1p-24f);
  EXPECT_EQ(of(Function::open_uniform, 0), 0x1p-24f);
  EXPECT_EQ(of(Function::open_uniform, 0x80000000U), 0.5f + 0x1p-24f);
  EXPECT_EQ(of(Function::open_uniform, 0x7e000000U), (0x3f0000p0f + 0.5f) * 0x1p-23f);
  EXPECT_EQ(of(Function::uniform, 0x80000000U), 0.5f);
}

}  // namespace
}  // namespace headroom::base
#endif  // HWY_ONCE
