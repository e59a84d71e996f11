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
  bool zones = false;     // instances with identities in zones a and b, faults, events, a warm pool
  bool groups = false;    // and each zone scales apart; with zones
  double price = 0.0416;  // US dollars an hour, a t3.medium
};

environment::Service sample_service(const SampleOptions& options);
sim::Rehearsal sample_rehearsal(const SampleOptions& options);
tune::Outcome sample_outcome(const SampleOptions& options);
// The same search with profit as its aim: what costs more is down less and earns more.
tune::Outcome sample_earning_outcome(const SampleOptions& options);

}  // namespace headroom::report
