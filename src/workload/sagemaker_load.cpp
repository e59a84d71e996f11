#include "workload/sagemaker_load.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/math.hpp"
#include "base/philox.hpp"
#include "workload/arrivals.hpp"
#include "workload/generated.hpp"

namespace headroom::workload {
namespace {

using base::Milliseconds;

constexpr Milliseconds minute{60'000};
constexpr double pi = 3.14159265358979323846;
constexpr double most = 1e5;  // requests a minute

double between(double low, double high, double u) { return low + (high - low) * u; }

double standard_normal(std::uint64_t bits) { return base::normal_quantile(base::open_uniform(bits)); }

}  // namespace

SagemakerWave sagemaker_wave(std::uint64_t seed) {
  base::Rng rng(seed, sagemaker_wave_stream);
  SagemakerWave wave;
  wave.low = between(1000, 2000, rng.uniform());
  wave.high = wave.low + between(5000, 7000, rng.uniform());
  wave.noise = between(0.01, 0.05, rng.uniform());
  wave.phase = between(-pi, pi, rng.uniform());
  wave.slow_amplitude = between(0.1, 0.2, rng.uniform());
  wave.slow_period = between(2, 5, rng.uniform());
  wave.slow_phase = between(-pi, pi, rng.uniform());
  return wave;
}

SagemakerSpike sagemaker_spike(std::uint64_t seed, std::uint64_t n, double wave_high) {
  const base::RandomBlock first = base::random_block(seed, sagemaker_spike_stream, n);
  const base::RandomBlock second = base::random_block(seed, sagemaker_spike_stream, n, 1);
  SagemakerSpike spike;
  spike.after = between(100, 1000, base::uniform(first.bits64(0)));
  spike.width = 5 + base::exp(3 + 2 * standard_normal(first.bits64(1)));
  spike.height = wave_high * between(0.1, 0.2, base::uniform(second.bits64(0)));
  return spike;
}

double sagemaker_bounded(double requests_per_minute) {
  return std::clamp(std::trunc(requests_per_minute), 0.0, most);
}

std::vector<double> sagemaker_load(std::uint64_t seed, std::int64_t minutes) {
  const SagemakerWave wave = sagemaker_wave(seed);
  const double mean = (wave.low + wave.high) / 2;
  const double amplitude = (wave.high - wave.low) / 2;
  std::uint64_t spikes = 0;
  SagemakerSpike spike = sagemaker_spike(seed, spikes, wave.high);
  double until_spike = spike.after;
  std::vector<double> load;
  load.reserve(static_cast<std::size_t>(minutes));
  for (std::int64_t m = 1; m <= minutes; ++m) {
    const double phase = static_cast<double>(m) / 720 * pi + wave.phase;
    double requests = mean + amplitude * base::sin(phase);
    requests *= 1 + base::sin(phase / wave.slow_period + wave.slow_phase) * wave.slow_amplitude;
    const base::RandomBlock noise =
        base::random_block(seed, sagemaker_noise_stream, static_cast<std::uint64_t>(m));
    requests *= 1 + wave.noise * standard_normal(noise.bits64(0));
    until_spike -= 1;
    if (until_spike <= 0) {
      const double height = spike.height * (1 + until_spike / spike.width);
      requests += height;
      if (height < 0) {
        spike = sagemaker_spike(seed, ++spikes, wave.high);
        until_spike = spike.after;
      }
    }
    load.push_back(sagemaker_bounded(requests));
  }
  return load;
}

base::Series generate_sagemaker(std::uint64_t seed, Milliseconds from, Milliseconds to, Milliseconds tick) {
  const std::vector<double> load = sagemaker_load(seed, (to + minute - Milliseconds(1)) / minute);
  base::Series series;
  series.start = generated_origin + from;
  series.tick = tick;
  series.values.reserve(static_cast<std::size_t>((to - from) / tick));
  for (Milliseconds begin = from; begin < to; begin += tick) {
    double requests = 0;
    for (Milliseconds at = begin; at < begin + tick;) {
      const Milliseconds until = std::min(begin + tick, (at / minute + 1) * minute);
      requests += load[static_cast<std::size_t>(at / minute)] * static_cast<double>((until - at).count());
      at = until;
    }
    // Requests a minute, weighted by milliseconds.
    series.values.push_back(requests / static_cast<double>(tick.count()) / 60);
  }
  return series;
}

}  // namespace headroom::workload
