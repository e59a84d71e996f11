// Random numbers without hidden state: Philox4x32-10, a function of (seed, stream, counter).
//
// Every draw is named by three numbers, so a simulated day can be entered at any tick, on any thread, in any
// order, and gives the same values. Use one stream for each source of chance (traffic noise, start-up times,
// ...) and the tick as the counter; where the number of draws is not known beforehand, use Rng.
//
//   const RandomBlock block = random_block(seed, kTrafficNoise, tick);
//   const double noise = normal_quantile(open_uniform(block.bits64(0)));
//
// Source: Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011).
#pragma once

#include <array>
#include <cstdint>

namespace headroom::base {

// The bare function of the paper: four words of counter and two of key to four random words, ten rounds.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

// 128 random bits, as four or as two words.
struct RandomBlock {
  std::array<std::uint32_t, 4> words{};

  // index 0 or 1.
  std::uint64_t bits64(std::size_t index) const {
    return words[2 * index] | (std::uint64_t{words[2 * index + 1]} << 32U);
  }
  bool operator==(const RandomBlock&) const = default;
};

// Key: the seed, low word first. Counter: the counter's low and high word, the stream, `part`. `part` tells
// apart several blocks of one tick and lanes that share a seed; the lanes of lanes_math-inl.hpp use the same
// layout.
RandomBlock random_block(std::uint64_t seed, std::uint32_t stream, std::uint64_t counter,
                         std::uint32_t part = 0);

// [0, 1) in steps of 2^-53: the upper 53 bits.
constexpr double uniform(std::uint64_t bits) { return static_cast<double>(bits >> 11U) * 0x1p-53; }
// (0, 1), symmetric about 1/2, in steps of 2^-52: neither end can appear, so logarithms and quantiles are
// safe.
constexpr double open_uniform(std::uint64_t bits) {
  return (static_cast<double>(bits >> 12U) + 0.5) * 0x1p-52;
}

// A stream read in sequence: a plain value; a copy continues with the same numbers.
class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::uint32_t stream = 0) : seed_(seed), stream_(stream) {}

  std::uint64_t bits64();
  double uniform() { return base::uniform(bits64()); }            // [0, 1)
  double open_uniform() { return base::open_uniform(bits64()); }  // (0, 1)
  // 0 .. count-1, each equally likely. Requires: count > 0.
  std::uint64_t below(std::uint64_t count);
  // Mean 0 and standard deviation 1, by the inverse of the normal distribution: one draw for one value.
  double normal();
  // Mean 1.
  double exponential();

  bool operator==(const Rng&) const = default;

 private:
  std::uint64_t seed_;
  std::uint32_t stream_;
  std::uint64_t drawn_ = 0;  // 64-bit words handed out; two of them come from each block
};

}  // namespace headroom::base
