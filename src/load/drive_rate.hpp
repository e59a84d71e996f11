// drive_rate(): one step of the search for capacity on a real instance.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "load/find_capacity.hpp"
#include "load/job.hpp"
#include "load/threshold.hpp"

namespace headroom::load {

struct StepTiming {
  base::Milliseconds settle{2000};  // driven, but not measured
  base::Milliseconds measure{10'000};
};

// The mean utilisation since it was last called. Empty: it is not known now.
using ReadUtilisation = std::function<base::Result<base::Percent>()>;

// Drives `rate` with the requests of the job (its own traffic is not used), and measures what was answered,
// how fast, and the utilisation, all over the same whole seconds. Then it waits until the instance answers a
// single request again, at most for `kRecoverMost`. A rate at which a condition of `objective` is true breaks
// it. Unset: `stop` came first. Errors: those of run() and
// `utilisation`.
base::Result<std::optional<CapacityStep>> drive_rate(const Job& job, base::Rate rate,
                                                     const StepTiming& timing,
                                                     const ReadUtilisation& utilisation,
                                                     const std::vector<Threshold>& objective,
                                                     const std::atomic<bool>& stop);

inline constexpr base::Milliseconds kRecoverMost{30'000};

}  // namespace headroom::load
