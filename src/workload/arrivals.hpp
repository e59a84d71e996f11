// Arrivals: whole requests drawn around a rate, each tick on its own.
#pragma once

#include <cstdint>

#include "base/series.hpp"

namespace headroom::workload {

// The streams of Philox that traffic draws from; no other module uses these numbers.
inline constexpr std::uint32_t arrivals_stream = 0x7701;
inline constexpr std::uint32_t noise_stream = 0x7702;
inline constexpr std::uint32_t spikes_stream = 0x7703;
inline constexpr std::uint32_t sagemaker_wave_stream = 0x7704;
inline constexpr std::uint32_t sagemaker_noise_stream = 0x7705;
inline constexpr std::uint32_t sagemaker_spike_stream = 0x7706;
inline constexpr std::uint32_t due_times_stream = 0x7707;

// The count n of a Poisson distribution with this mean for which P(N < n) < u <= P(N <= n): exact inversion
// by adding up probabilities for means below 32; above, the expansion of the inverse in powers of
// 1/sqrt(mean):
//   w = normal quantile of u
//   n = floor(m + sqrt(m) w + (2 + w^2)/6 - (2 w + w^3)/(72 sqrt(m)) + (-16 + 7 w^2 + 3 w^4)/(810 m))
// Source: Giles, Algorithm 955: Approximation of the Inverse Poisson Cumulative Distribution Function, ACM
// Transactions on Mathematical Software 42 (2016), equation for Q_N2. Measured by arrivals_test.cpp: at a
// mean of 32 one draw in 11,000 is off by 1, at 50 one in 33,000; the moments are those of Poisson.
//
// One draw gives one count, and but for those draws a larger mean never a smaller one: rehearsals with the
// same seed stay comparable when the traffic is scaled.
//
// Requires: mean is finite and not negative, 0 < u < 1. Means up
// to 1e15.
double poisson_quantile(double mean, double u);

// The same series with Poisson counts divided by the tick. The draw is keyed by the seed and the number of
// the tick since 1970: it is the same whatever was cut off before it and whatever other ticks hold.
//
// Units: requests per second in and out.
base::Series draw_arrivals(const base::Series& requests_per_second, std::uint64_t seed);

}  // namespace headroom::workload
