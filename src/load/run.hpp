// run(): a load test, from its job to what was measured; start here to use this module.
//
//   auto job = load::prepare(traffic, *load::parse_url("http://127.0.0.1:8080/"), options);
//   auto measured = load::run(*job, stop, {});
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "load/job.hpp"
#include "load/measured.hpp"

namespace headroom::load {

// What a test has come to, several times a second.
struct Progressed {
  base::Nanoseconds since_start{0};
  const std::vector<Second>& seconds;  // those that are over
};

struct Observation {
  std::function<void(const Progressed&)> progressed;  // called on the thread of run(); unset: nobody looks
};

// Blocks until all of the traffic has been sent and answered, or `stop`; then what was measured so far is
// the result, and the requests under way count as interrupted. `start_at` is since 1970: the test waits for
// it. Errors: certificates; a start that is over.
base::Result<Measured> run(const Job& job, const std::atomic<bool>& stop, const Observation& observation,
                           std::optional<base::Milliseconds> start_at = {});

}  // namespace headroom::load
