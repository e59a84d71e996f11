// Test plans of JMeter (.jmx) as closed traffic.
//
// A thread group becomes a stage, its timers the pause of the stage (JMeter waits before each request), its
// HTTP requests the requests of the traffic. What a traffic file cannot say, or Headroom does not do, leaves
// a note with its line and name: nothing is dropped silently. Where thread groups ask different things, for
// which the file has one list, the requests are weighted by how often the plan sends them.
//
// The file is not trusted: it is bounded in size and depth, no external entity is read, and what variables
// put together is bounded too.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "importers/imported.hpp"

namespace headroom::importers {

inline constexpr std::size_t kPlanBytes = std::size_t{16} << 20;
inline constexpr std::size_t kPlanNodes = 500'000;
inline constexpr int kPlanDepth = 200;
// The longest list of requests that loops multiply out to; longer ones lose their order.
inline constexpr std::size_t kTurnsMost = 1000;

// `file` names the text in faults.
base::Result<Imported> import_jmx(std::string_view text, const std::string& file);

}  // namespace headroom::importers
