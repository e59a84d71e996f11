// Made-up rehearsals and outcomes for the tests of reports: plausible in shape, of no other meaning.
#pragma once

#include <cstdint>
#include <string>

#include "environment/environment.hpp"
#include "sim/rehearsal.hpp"
#include "tune/outcome.hpp"

namespace headroom::report {

struct SampleOptions {
  std::string service = "web";
  base::Milliseconds start{0};
  std::int32_t ticks = 480;  // of a minute
  double peak_requests_per_second = 900;
  bool latency = false;
  std::uint64_t seed = 1;
  int out_add = 2;
  double out_above = 55;
  double in_below = 35;
};

environment::Service sample_service(const SampleOptions& options);
sim::Rehearsal sample_rehearsal(const SampleOptions& options);
tune::Outcome sample_outcome(const SampleOptions& options);

}  // namespace headroom::report
