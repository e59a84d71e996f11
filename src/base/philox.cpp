#include "base/philox.hpp"

#include <cstdio>
#include <cstdlib>

#include "base/math.hpp"

namespace headroom::base {
namespace {

// Multipliers and Weyl increments of the paper (section 4.3 and the Random123 sources).
constexpr std::uint64_t kMultiplier0 = 0xD2511F53U;
constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57U;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9U;  // golden ratio
constexpr std::uint32_t kWeyl1 = 0xBB67AE85U;  // sqrt(3) - 1
constexpr int kRounds = 10;

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32U); }

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1), high(product0) ^ counter[3] ^ key[1],
               low(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

RandomBlock random_block(std::uint64_t seed, std::uint32_t stream, std::uint64_t counter,
                         std::uint32_t part) {
  return {philox4x32({low(counter), high(counter), stream, part}, {low(seed), high(seed)})};
}

std::uint64_t Rng::bits64() {
  const RandomBlock block = random_block(seed_, stream_, drawn_ / 2);
  const std::size_t half = static_cast<std::size_t>(drawn_ % 2);
  ++drawn_;
  return block.bits64(half);
}

std::uint64_t Rng::below(std::uint64_t count) {
  if (count == 0) {
    std::fprintf(stderr, "base::Rng::below requires a count above 0 (seed %llu, stream %u)\n",
                 static_cast<unsigned long long>(seed_), static_cast<unsigned>(stream_));
    std::abort();
  }
  // The first 2^64 mod count values would make the small results too frequent: they are drawn again.
  const std::uint64_t surplus = (0 - count) % count;
  for (;;) {
    const std::uint64_t bits = bits64();
    if (bits >= surplus) return bits % count;
  }
}

double Rng::normal() { return normal_quantile(open_uniform()); }

double Rng::exponential() { return -log(open_uniform()); }

}  // namespace headroom::base
