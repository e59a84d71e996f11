#include "telemetry/window.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace headroom::telemetry {
namespace {

[[noreturn]] void broken(const char* rule, base::Milliseconds value) {
  std::fprintf(stderr, "telemetry::Window requires %s; got %lld ms\n", rule,
               static_cast<long long>(value.count()));
  std::abort();
}

base::Milliseconds end_of(const Sample& sample) { return sample.start + sample.length; }

}  // namespace

Window::Window(base::Milliseconds length) : length_(length) {
  if (length.count() <= 0) broken("a positive length", length);
}

void Window::add(const Sample& sample) {
  if (sample.length.count() <= 0) broken("samples of positive length", sample.length);
  if (!samples_.empty() && sample.start < end_of(samples_.back())) {
    broken("samples in the order of time, without overlap", sample.start);
  }
  samples_.push_back(sample);
  const base::Milliseconds oldest_seen = end_of(sample) - length_;
  while (end_of(samples_.front()) <= oldest_seen) samples_.pop_front();
}

Reading Window::read(base::Milliseconds now) const {
  if (!samples_.empty() && now < end_of(samples_.back())) broken("a read after the newest sample", now);
  Reading reading;
  double weighted = 0;
  for (const Sample& sample : samples_) {
    if (!sample.value.has_value()) continue;
    const base::Milliseconds overlap = end_of(sample) - std::max(sample.start, now - length_);
    if (overlap.count() <= 0) continue;
    weighted += *sample.value * static_cast<double>(overlap.count());
    reading.present += overlap;
    reading.max = std::max(reading.max.value_or(*sample.value), *sample.value);
    reading.min = std::min(reading.min.value_or(*sample.value), *sample.value);
  }
  if (reading.present.count() > 0) reading.mean = weighted / static_cast<double>(reading.present.count());
  reading.missing = length_ - reading.present;
  return reading;
}

}  // namespace headroom::telemetry
