#include "control/group.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace headroom::control {
namespace {

using base::Milliseconds;
using base::One;
using cloud::Instance;
using cloud::InstanceState;

}  // namespace

Group::Group(std::int32_t index, Milliseconds now, const cloud::Observed& observed, const Settings& settings,
             const Orders& orders, State& state)
    : index_(index),
      name_(group_names(settings)[static_cast<std::size_t>(index)]),
      zones_(settings.per_zone ? std::vector<std::string>{name_} : settings.zones),
      now_(now),
      observed_(observed),
      settings_(settings),
      orders_(orders),
      state_(state) {}

// The fleet as one group has every instance of the service, also one in a zone that the file no longer names.
bool Group::has(const Instance& instance) const {
  return instance.service == settings_.service && (!settings_.per_zone || instance.zone == name_);
}

bool Group::is_outdated(const Instance& instance) const {
  return has(instance) && instance.version != settings_.version;
}

bool Group::is_going(const Instance& instance) const {
  return contains(state_.marked, instance.id) || contains(state_.outgoing, instance.id);
}

bool Group::stays(const Instance& instance) const {
  return has(instance) && !orders_.is_leaving(instance.id) && !is_going(instance);
}

std::vector<const Instance*> Group::in_service() const {
  std::vector<const Instance*> serving;
  for (const Instance& instance : observed_.instances) {
    if (instance.state == InstanceState::in_service && stays(instance)) serving.push_back(&instance);
  }
  return serving;
}

std::vector<const Instance*> Group::serving() const {
  std::vector<const Instance*> found = in_service();
  std::erase_if(found, [&](const Instance* instance) { return !is_reached(instance->zone); });
  return found;
}

bool Group::needs(const Instance& instance) const {
  const std::vector<const Instance*> all = serving();
  const auto others = std::count_if(all.begin(), all.end(), [&](const Instance* other) {
    return other->id != instance.id && !fails_checks(*other);
  });
  return others < settings_.policy.numbers.min;
}

std::vector<const Instance*> Group::still_serving(const std::vector<std::string>& ids) const {
  std::vector<const Instance*> found;
  for (const std::string& id : ids) {
    const Instance* instance = find_instance(observed_, id);
    if (instance != nullptr && has(*instance) && instance->state == InstanceState::in_service &&
        !orders_.is_leaving(id)) {
      found.push_back(instance);
    }
  }
  return found;
}

std::vector<const Instance*> Group::marked() const { return still_serving(state_.marked); }
std::vector<const Instance*> Group::outgoing() const { return still_serving(state_.outgoing); }

std::vector<const Instance*> Group::outdated(bool on_their_way) const {
  std::vector<const Instance*> found;
  for (const Instance& instance : observed_.instances) {
    const bool fits = on_their_way ? is_on_its_way(instance) : instance.state == InstanceState::in_service;
    if (fits && is_outdated(instance) && stays(instance)) found.push_back(&instance);
  }
  return found;
}

bool Group::is_proven() const {
  if (on_their_way(true) > 0) return false;
  const std::vector<const Instance*> all = in_service();
  return std::all_of(all.begin(), all.end(), [&](const Instance* instance) {
    if (is_outdated(*instance)) return true;
    return !fails_checks(*instance) && now_ - instance->since >= settings_.proven_after;
  });
}

bool Group::sheds_outdated() const {
  return std::any_of(observed_.instances.begin(), observed_.instances.end(), [&](const Instance& instance) {
    if (!is_outdated(instance)) return false;
    return instance.state == InstanceState::draining || orders_.is_leaving(instance.id);
  });
}

std::vector<const Instance*> Group::outdated_pool() const {
  std::vector<const Instance*> stopped;
  for (const Instance& instance : observed_.instances) {
    if (!is_outdated(instance)) continue;
    if (instance.state == InstanceState::in_service || is_on_its_way(instance)) return {};
    if (is_pooled(instance)) stopped.push_back(&instance);
  }
  return stopped;
}

std::vector<const Instance*> Group::pool() const {
  std::vector<const Instance*> stopped;
  const std::vector<ZoneCount> open = present_by_zone();
  for (const Instance& instance : observed_.instances) {
    if (instance.state != InstanceState::stopped || !has(instance)) continue;
    if (instance.version != settings_.version || orders_.is_starting(instance.id)) continue;
    if (orders_.is_leaving(instance.id)) continue;
    const bool is_open =
        std::any_of(open.begin(), open.end(), [&](const auto& zone) { return zone.zone == instance.zone; });
    if (is_open) stopped.push_back(&instance);
  }
  std::sort(stopped.begin(), stopped.end(), [](const Instance* a, const Instance* b) {
    return a->since != b->since ? a->since > b->since : a->id > b->id;
  });
  return stopped;
}

bool Group::is_pooled(const Instance& instance) const {
  return has(instance) && instance.state == InstanceState::stopped && !orders_.is_starting(instance.id) &&
         !orders_.is_leaving(instance.id);
}

int Group::pooled() const {
  int count = 0;
  for (const Instance& instance : observed_.instances) count += is_pooled(instance) ? 1 : 0;
  for (const Order& order : state_.orders) {
    const auto* retire = std::get_if<cloud::Retire>(&order.action.what);
    if (retire == nullptr || retire->afterwards != cloud::Afterwards::pool) continue;
    if (contains(zones_, orders_.zone_of(order))) ++count;
  }
  return count;
}

std::vector<const Instance*> Group::beyond_pool() const {
  std::vector<const Instance*> stopped;
  for (const Instance& instance : observed_.instances) {
    if (is_pooled(instance)) stopped.push_back(&instance);
  }
  const auto goes_first = [&](const Instance* a, const Instance* b) {
    const bool old_a = a->version != settings_.version;
    const bool old_b = b->version != settings_.version;
    return std::tie(old_b, a->since, a->id) < std::tie(old_a, b->since, b->id);
  };
  std::sort(stopped.begin(), stopped.end(), goes_first);
  const int beyond = std::clamp(pooled() - settings_.pool, 0, static_cast<int>(stopped.size()));
  stopped.resize(static_cast<std::size_t>(beyond));
  return stopped;
}

int Group::room() const {
  int there = 0;
  for (const Instance& instance : observed_.instances) {
    if (!has(instance) || contains(state_.outgoing, instance.id)) continue;
    if (instance.state == InstanceState::in_service || is_on_its_way(instance)) ++there;
  }
  for (const Order& order : state_.orders) {
    if (!order.not_before) there += orders_.outstanding(order, zones_);
  }
  return std::max(0, settings_.policy.numbers.max - there);
}

// An order that waits has no zone yet but the one that it failed in.
int Group::on_their_way(bool also_unreached) const {
  const auto counts = [&](const std::string& zone) { return also_unreached || is_reached(zone); };
  int count = 0;
  for (const Instance& instance : observed_.instances) {
    if (is_on_its_way(instance) && stays(instance) && counts(instance.zone)) ++count;
  }
  for (const Order& order : state_.orders) {
    if (order.not_before || counts(orders_.zone_of(order))) count += orders_.outstanding(order, zones_);
  }
  return count;
}

int Group::missing_for_minimum() const {
  int there = static_cast<int>(serving().size()) + on_their_way(false);
  for (const Order& order : state_.orders) {
    if (order.not_before) there -= orders_.outstanding(order, zones_);
  }
  return settings_.policy.numbers.min - there;
}

int Group::total() const { return static_cast<int>(in_service().size()) + on_their_way(true); }

bool Group::is_cut(const std::string& name) const {
  return std::any_of(observed_.zones.begin(), observed_.zones.end(),
                     [&](const cloud::Zone& zone) { return zone.name == name && !zone.in_rotation; });
}

bool Group::is_reached(const std::string& name) const {
  return !is_cut(name) ||
         std::all_of(zones_.begin(), zones_.end(), [&](const std::string& zone) { return is_cut(zone); });
}

Milliseconds Group::opens_at(const std::string& zone) const {
  const auto found = std::find_if(state_.avoided.begin(), state_.avoided.end(),
                                  [&](const Avoided& avoided) { return avoided.zone == zone; });
  return found == state_.avoided.end() ? now_ : std::max(now_, found->until);
}

Milliseconds Group::opens_at() const {
  Milliseconds first = Milliseconds::max();
  for (const std::string& zone : zones_) {
    if (is_reached(zone)) first = std::min(first, opens_at(zone));
  }
  return first;
}

std::vector<ZoneCount> Group::present_by_zone() const {
  std::vector<ZoneCount> open;
  const bool none_open = opens_at() > now_;
  for (const std::string& zone : zones_) {
    if (is_reached(zone) && (none_open || opens_at(zone) == now_)) open.push_back({zone, 0});
  }
  const auto count = [&](const std::string& zone, int instances) {
    for (ZoneCount& there : open) {
      if (there.zone == zone) there.instances += instances;
    }
  };
  for (const Instance& instance : observed_.instances) {
    const bool counts = instance.state == InstanceState::in_service || is_on_its_way(instance);
    if (counts && stays(instance)) count(instance.zone, 1);
  }
  for (const Order& order : state_.orders) {
    count(orders_.zone_of(order), orders_.outstanding(order, zones_));
  }
  return open;
}

policy::Observation<One> Group::see() const {
  policy::Observation<One> seen{};
  const std::vector<const Instance*> counted = serving();
  for (const Instance* instance : counted) {
    ++seen.in_service;
    if (now_ - instance->since < settings_.policy.warm_up_ticks * settings_.tick) ++seen.warming;
  }
  seen.newest_records = records_of_newest(counted);
  seen.launching = on_their_way(false);
  see_metrics(seen);
  return seen;
}

int Group::records_of_newest(const std::vector<const Instance*>& serving) const {
  const auto newest =
      std::max_element(serving.begin(), serving.end(), [](const Instance* a, const Instance* b) {
        return a->started != b->started ? a->started < b->started : a->id < b->id;
      });
  if (newest == serving.end()) return policy::kManyRecords;
  const auto known = std::find_if(state_.watched.begin(), state_.watched.end(),
                                  [&](const Watched& watched) { return watched.id == (*newest)->id; });
  return known == state_.watched.end() ? 0 : known->records;
}

// Those whose metrics count: all that take requests, those that are to go too.
std::vector<const Instance*> Group::measured() const {
  std::vector<const Instance*> all = serving();
  for (const auto& going : {marked(), outgoing()}) {
    for (const Instance* instance : going) {
      if (is_reached(instance->zone)) all.push_back(instance);
    }
  }
  return all;
}

// The load of one instance: the mean over the instances that have metrics of the newest period. Those that
// have only older ones are left out: they would mix two times.
void Group::see_metrics(policy::Observation<One>& seen) const {
  const cloud::InstanceMetrics* newest = nullptr;
  const std::vector<const Instance*> serving = measured();
  for (const Instance* instance : serving) {
    if (!instance->metrics || !is_recent(instance->metrics->end)) continue;
    if (newest == nullptr || instance->metrics->end > newest->end) newest = &*instance->metrics;
  }
  // On the numbers of an old list no metric can be judged.
  if (!is_recent(*observed_.instances_at)) newest = nullptr;

  double sum[2] = {0, 0};
  int count[2] = {0, 0};
  for (const Instance* instance : serving) {
    if (newest == nullptr || !instance->metrics) continue;
    if (instance->metrics->end <= newest->end - newest->length) continue;
    const auto take = [&](policy::Metric metric, const auto& value) {
      if (!value) return;
      sum[static_cast<int>(metric)] += value->value();
      ++count[static_cast<int>(metric)];
    };
    take(policy::Metric::cpu, instance->metrics->cpu);
    take(policy::Metric::requests, instance->metrics->requests);
  }
  // Those that stay will carry what those carry that are to go: without this the load would seem small
  // for as long as they serve, and more and more would be marked.
  const auto going = std::count_if(serving.begin(), serving.end(),
                                   [&](const auto* instance) { return is_going(*instance); });
  const auto all = static_cast<double>(serving.size());
  const double staying = all - static_cast<double>(going);
  const double share = going == 0 || staying == 0 ? 1 : all / staying;
  for (int m = 0; m < 2; ++m) {
    seen.missing[m] = count[m] == 0;
    seen.value[m] = count[m] == 0 ? 0.0f : static_cast<float>(sum[m] / count[m] * share);
  }

  see_load(seen, newest == nullptr ? std::nullopt : std::optional(newest->end));

  // A period has ended since the last decision where newer metrics have come, or where those that were due
  // would by now be too old to use.
  std::optional<Milliseconds>& sample_end = memory().sample_end;
  if (newest != nullptr && (!sample_end || newest->end > *sample_end)) {
    sample_end = newest->end;
    seen.fresh = true;
  } else if (newest == nullptr && sample_end) {
    while (!is_recent(*sample_end + settings_.metric_period)) {
      *sample_end += settings_.metric_period;
      seen.fresh = true;
    }
  }
}

// The requests of the whole service as its balancer counts them, where it does and the group is the whole
// service; else those of the group's instances together. `newest` is the end of their newest metrics.
void Group::see_load(policy::Observation<One>& seen, const std::optional<Milliseconds>& newest) const {
  seen.missing[policy::kLoad] = true;
  if (!settings_.policy.shape.any_load) return;
  const auto show = [&](float load) {
    seen.missing[policy::kLoad] = false;
    seen.value[policy::kLoad] = load;
  };
  for (const cloud::ServiceMetrics& metrics : observed_.services) {
    if (settings_.per_zone || metrics.service != settings_.service || !metrics.requests) continue;
    // Older than what the instances show: their sum is nearer to the truth.
    if (!is_recent(metrics.end) || (newest && metrics.end <= *newest - metrics.length)) continue;
    return show(static_cast<float>(metrics.requests->value()));
  }
  const auto requests = static_cast<int>(policy::Metric::requests);
  if (seen.missing[requests]) return;
  // Of those that stay, each shows its part of all of it (see_metrics); where none stays, what it has itself.
  const auto parts = seen.in_service > 0 ? static_cast<std::size_t>(seen.in_service) : measured().size();
  show(seen.value[requests] * static_cast<float>(parts));
}

}  // namespace headroom::control
