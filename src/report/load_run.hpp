// LoadRun: one load test as it is reported: what was driven, from where, and what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "load/measured.hpp"
#include "load/threshold.hpp"

namespace headroom::report {

struct LoadRun {
  std::string name;  // of the traffic, for people and in the name of the folder
  std::string url;
  bool open = true;         // the traffic
  std::string fingerprint;  // of the traffic (load/fingerprint.hpp)
  std::uint64_t seed = 1;
  base::Milliseconds start{0};  // since 1970
  // Which parts of the traffic it drove, counted from 1, ascending, of how many.
  std::vector<std::uint64_t> shards{1};
  std::uint64_t shards_of = 1;
  bool stopped = false;  // before all of the traffic was driven
  load::Measured measured;
  std::vector<load::Verdict> verdicts;
  std::vector<std::string> notes;

  bool operator==(const LoadRun&) const = default;
};

// The part of its traffic that is missing in the figures: shards counted from 1.
std::vector<std::uint64_t> missing_shards(const LoadRun& run);

// What makes the figures doubtful because of the generator, as sentences that end with what to do; empty:
// nothing.
std::vector<std::string> load_warnings(const LoadRun& run);

// One run of several parts. Errors: of different traffics or starts, not all of so many, the same part twice,
// parts missing unless `partial`. `names`: of the runs, for faults. Requires: as many names as runs, one at
// least.
base::Result<LoadRun> merged(const std::vector<LoadRun>& runs, const std::vector<std::string>& names,
                             bool partial);

}  // namespace headroom::report
