#include "base/philox.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <cmath>
#include <vector>

namespace headroom::base {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers published with Random123 (tests/kat_vectors, lines "philox4x32 10").
TEST(Philox, gives_the_published_known_answers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}));
  EXPECT_EQ(philox4x32({0xffffffffU, 0xffffffffU, 0xffffffffU, 0xffffffffU}, {0xffffffffU, 0xffffffffU}),
            (Words{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU}));
  EXPECT_EQ(philox4x32({0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}, {0xa4093822U, 0x299f31d0U}),
            (Words{0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U}));
}

TEST(Philox, block_puts_seed_stream_and_counter_where_the_header_says) {
  EXPECT_EQ(random_block(0x299f31d0a4093822U, 0x13198a2eU, 0x85a308d3243f6a88U, 0x03707344U).words,
            (Words{0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U}));
}

TEST(Philox, bits64_joins_the_low_word_first) {
  const RandomBlock block{{1, 2, 3, 4}};
  EXPECT_EQ(block.bits64(0), 0x0000000200000001U);
  EXPECT_EQ(block.bits64(1), 0x0000000400000003U);
}

TEST(Uniform, ends_of_the_ranges) {
  EXPECT_EQ(uniform(0), 0.0);
  EXPECT_EQ(uniform(~std::uint64_t{0}), 1.0 - 0x1p-53);
  EXPECT_EQ(open_uniform(0), 0x1p-53);
  EXPECT_EQ(open_uniform(~std::uint64_t{0}), 1.0 - 0x1p-53);
}

TEST(Rng, reads_the_blocks_of_its_stream_in_order) {
  Rng rng(42, 7);
  for (std::uint64_t counter = 0; counter < 5; ++counter) {
    EXPECT_EQ(rng.bits64(), random_block(42, 7, counter).bits64(0));
    EXPECT_EQ(rng.bits64(), random_block(42, 7, counter).bits64(1));
  }
}

TEST(Rng, a_copy_continues_with_the_same_numbers) {
  Rng rng(1);
  rng.bits64();
  Rng copy = rng;
  EXPECT_EQ(copy, rng);
  EXPECT_EQ(copy.normal(), rng.normal());
  EXPECT_NE(Rng(1, 0).bits64(), Rng(1, 1).bits64());
  EXPECT_NE(Rng(1, 0).bits64(), Rng(2, 0).bits64());
}

TEST(Rng, below_stays_below) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    Rng rng(seed);
    const auto count =
        *rc::gen::map(rc::gen::arbitrary<std::uint64_t>(), [](std::uint64_t c) { return c | 1U; });
    for (int i = 0; i < 20; ++i) RC_ASSERT(rng.below(count) < count);
  }));
}

TEST(Rng, below_nothing_is_a_programmers_error) {
  Rng rng(77);
  EXPECT_DEATH((void)rng.below(0), "seed 77");
}

TEST(Rng, below_rejects_the_surplus_that_would_favour_small_results) {
  // With count = 3 * 2^62, a plain remainder would give the first third twice as often: 1/2 instead of 1/3.
  Rng rng(5);
  const std::uint64_t count = std::uint64_t{3} << 62U;
  int first_third = 0;
  const int draws = 30'000;
  for (int i = 0; i < draws; ++i) first_third += rng.below(count) < count / 3 ? 1 : 0;
  // Standard deviation of the share: sqrt(2/9 / 30000) = 0.0027; the seed is fixed, 4 of them are ample.
  EXPECT_NEAR(first_third / static_cast<double>(draws), 1.0 / 3.0, 0.011);
}

TEST(Rng, moments_are_those_of_the_distributions) {
  Rng rng(2024);
  const int draws = 200'000;
  double uniforms = 0, normals = 0, squares = 0, fourths = 0, exponentials = 0;
  for (int i = 0; i < draws; ++i) {
    uniforms += rng.uniform();
    const double z = rng.normal();
    normals += z;
    squares += z * z;
    fourths += z * z * z * z;
    exponentials += rng.exponential();
  }
  // Four standard errors each: sqrt(1/12/n), sqrt(1/n), sqrt(2/n), sqrt(96/n), sqrt(1/n).
  const double root = std::sqrt(static_cast<double>(draws));
  EXPECT_NEAR(uniforms / draws, 0.5, 4 * 0.2887 / root);
  EXPECT_NEAR(normals / draws, 0.0, 4 / root);
  EXPECT_NEAR(squares / draws, 1.0, 4 * 1.4142 / root);
  EXPECT_NEAR(fourths / draws, 3.0, 4 * 9.798 / root);
  EXPECT_NEAR(exponentials / draws, 1.0, 4 / root);
}

}  // namespace
}  // namespace headroom::base
