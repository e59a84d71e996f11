// A load test made up for tests: whatever a run can have is in it.
#pragma once

#include "report/load_run.hpp"

namespace headroom::report {

// Open traffic of so many seconds at about 100 requests a second, with two stages and two kinds of requests,
// failures of each kind, and a server that stands still for a while. The same for the same arguments.
LoadRun sample_load(int seconds, std::uint64_t shard = 1, std::uint64_t shards_of = 1);

}  // namespace headroom::report
