// Series under the name that telemetry and what stands on it use; the type itself is base/series.hpp, so
// that workload, of the same row, can return one.
#pragma once

#include "base/series.hpp"

namespace headroom::telemetry {

using base::Series;

}  // namespace headroom::telemetry
