#include "control/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headroom::control {
namespace {

using base::Milliseconds;
using cloud::Instance;
using cloud::InstanceState;

Watched& watched(State& state, const Instance& instance) {
  const auto place =
      std::lower_bound(state.watched.begin(), state.watched.end(), instance.id,
                       [](const Watched& known, const std::string& id) { return known.id < id; });
  if (place != state.watched.end() && place->id == instance.id) return *place;
  Watched fresh;
  fresh.id = instance.id;
  fresh.zone = instance.zone;
  fresh.started = instance.started;
  return *state.watched.insert(place, std::move(fresh));
}

// Notes what the instance shows anew: that it serves, each metric period once, and the checks that the grace
// excuses.
void take_note(const Instance& instance, Milliseconds grace, Watched& known) {
  if (known.started != instance.started) {  // out of the pool: another life
    known = {.id = known.id, .zone = known.zone, .started = instance.started, .record_end = {}};
  }
  if (instance.state == InstanceState::in_service) known.served = true;
  if (instance.metrics && (!known.record_end || instance.metrics->end > *known.record_end)) {
    known.record_end = instance.metrics->end;
    ++known.records;
  }
  if (!instance.health) return;
  const int failures = instance.health->failures;
  const bool within = instance.health->at < instance.since + grace;
  // A row that is shorter than what was excused is another one.
  if (within || failures < known.excused_checks) known.excused_checks = within ? failures : 0;
}

// In a row, without those that the grace excuses.
int failed_checks(const Instance& instance, const Watched& known) {
  const bool checked = instance.state == InstanceState::in_service && instance.health;
  return checked ? instance.health->failures - known.excused_checks : 0;
}

void starts_succeed(State& state, const std::string& zone) {
  for (Avoided& avoided : state.avoided) {
    if (avoided.zone == zone) avoided.failed_starts = 0;
  }
}

}  // namespace

Watching watch(Milliseconds now, const cloud::Observed& observed, const Settings& settings,
               const Orders& orders, State& state) {
  Watching ended;
  // Those that were watched and are gone, or left without an order.
  std::erase_if(state.watched, [&](const Watched& known) {
    if (orders.is_leaving(known.id)) return true;
    const Instance* instance = find_instance(observed, known.id);
    const bool stays =
        instance != nullptr && (instance->state == InstanceState::in_service || is_on_its_way(*instance));
    if (stays) return false;
    ended.lost.push_back({known.id, known.zone, known.served,
                          instance == nullptr
                              ? "it is gone"
                              : fmt::format("it is {} without an order", to_string(instance->state))});
    return true;
  });

  for (const Instance& instance : observed.instances) {
    if (instance.service != settings.service || orders.is_leaving(instance.id)) continue;
    if (instance.state != InstanceState::in_service && !is_on_its_way(instance)) continue;
    Watched& known = watched(state, instance);
    const bool served = known.served;
    take_note(instance, settings.grace, known);
    if (known.served && !served) starts_succeed(state, instance.zone);
    std::string why;
    const int failed = failed_checks(instance, known);
    if (failed > 0 && failed >= settings.replace_after) {
      why = fmt::format("{} failed checks in a row: {}", failed, instance.health->detail);
    } else if (is_on_its_way(instance) && settings.start_within &&
               now - instance.started >= *settings.start_within) {
      why = fmt::format("not in service {} s after its start", (now - instance.started).count() / 1000);
    } else {
      continue;
    }
    ended.failed.push_back({known.id, known.zone, known.served, std::move(why)});
    std::erase_if(state.watched, [&](const Watched& other) { return other.id == instance.id; });
  }
  return ended;
}

}  // namespace headroom::control
