// The part of Worker that concerns drills.
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cloud_local/worker.hpp"

namespace headroom::cloud_local {

using base::Result;
using isolation::Phase;

Result<void> LocalCloud::Worker::begin_drill(const DrillRecord& drill) {
  if (!drill.trouble) return machine_.cut_zone(find_zone(drill.subject)->index, true);
  const std::string cell = cell_of(*find(drill.subject));
  switch (*drill.trouble) {
    case Trouble::crash:
      return machine_.crash(cell);
    case Trouble::hang:
      return machine_.hang(cell);
    case Trouble::pause:
      break;
  }
  return machine_.pause(cell);
}

// Of a zone or an instance that is gone there is nothing to undo.
Result<void> LocalCloud::Worker::end_drill(const DrillRecord& drill) {
  if (!drill.trouble) {
    const Zone* zone = find_zone(drill.subject);
    return zone == nullptr ? Result<void>() : machine_.cut_zone(zone->index, false);
  }
  const Instance* instance = find(drill.subject);
  if (instance == nullptr) return {};
  return *drill.trouble == Trouble::hang ? machine_.unhang(cell_of(*instance))
                                         : machine_.resume(cell_of(*instance));
}

void LocalCloud::Worker::end_drills_that_are_over() {
  std::vector<DrillRecord> over;
  for (const auto& [subject, drill] : drills_) {
    if (now() >= drill.until) over.push_back(drill);
  }
  for (const DrillRecord& drill : over) {
    const Result<void> ended = end_drill(drill);
    const std::lock_guard lock(mutex_);
    if (ended && wrote(records_.remove(drill))) drills_.erase(drill.subject);  // else: in the next step
  }
}

Result<void> LocalCloud::Worker::drill(const DrillRecord& drill) {
  const std::lock_guard stepping(step_mutex_);
  if (!drill.trouble) {
    if (find_zone(drill.subject) == nullptr)
      return base::bad_input(fmt::format("there is no zone {}", drill.subject));
  } else {
    Instance* instance = find(drill.subject);
    if (instance == nullptr) return base::bad_input(fmt::format("there is no instance {}", drill.subject));
    if (is_at_work(*instance) || machine_.state(cell_of(*instance)).phase != Phase::running)
      return base::bad_input(fmt::format("{} does not run", drill.subject));
    if (*drill.trouble == Trouble::crash) return begin_drill(drill);
  }
  const bool ends = drill.until <= now();
  if (ends && !drills_.contains(drill.subject)) return {};
  {
    // Written down first: what this process does not live to undo, the next one does.
    const std::lock_guard lock(mutex_);
    if (auto saved = records_.save(drill); !saved) return saved.error();
    drills_[drill.subject] = drill;
  }
  if (!ends) return begin_drill(drill);
  end_drills_that_are_over();
  return {};
}

std::vector<std::string> LocalCloud::Worker::cut_zones() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> zones;
  for (const auto& [subject, drill] : drills_) {
    if (!drill.trouble) zones.push_back(subject);
  }
  return zones;
}

}  // namespace headroom::cloud_local
