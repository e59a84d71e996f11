// The load of the SageMaker autoscaling example, minute by minute: a daily wave under a slow one, with noise
// and spikes, the same for the same seed.
//
//   phase   = minute / 720 * pi + cyclic_phase             minute: 1, 2, ...
//   wave    = (mean + amplitude * sin(phase)) * (1 + slow_amplitude * sin(phase / slow_period + slow_phase))
//   load    = wave * N(1, noise) + spike                   whole requests a minute, within 0 and 100,000
//
// A spike begins `after` minutes after the one before was over, at once with its height, and falls in a
// straight line; in the first minute past its width it is a little below 0, as published, and the next is
// drawn. What the example calls a weekly variation is a wave of two to five days.
//
// Source: the class LoadSimulator of aws/amazon-sagemaker-examples,
// reinforcement_learning/rl_predictive_autoscaling_coach_customEnv/src/autoscalesim.py; its distributions and
// its order of operations, with random numbers of our own.
#pragma once

#include <cstdint>
#include <vector>

#include "base/quantity.hpp"
#include "base/series.hpp"

namespace headroom::workload {

// What is drawn once for a load.
struct SagemakerWave {
  double low = 0;   // requests a minute
  double high = 0;  // requests a minute
  double noise = 0;
  double phase = 0;  // radians
  double slow_amplitude = 0;
  double slow_period = 0;  // days
  double slow_phase = 0;   // radians
};
SagemakerWave sagemaker_wave(std::uint64_t seed);

// What is drawn for each spike, the n-th from 0.
struct SagemakerSpike {
  double after = 0;   // minutes
  double width = 0;   // minutes
  double height = 0;  // requests a minute
};
SagemakerSpike sagemaker_spike(std::uint64_t seed, std::uint64_t n, double wave_high);

// A whole number within the bounds of the example.
double sagemaker_bounded(double requests_per_minute);

// Requests in each of the first minutes.
std::vector<double> sagemaker_load(std::uint64_t seed, std::int64_t minutes);

// The ticks of [from, to), counted from generated_origin, in requests per second. Within a minute the rate is
// constant; a longer tick is the mean.
base::Series generate_sagemaker(std::uint64_t seed, base::Milliseconds from, base::Milliseconds to,
                                base::Milliseconds tick);

}  // namespace headroom::workload
