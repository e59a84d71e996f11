#include "environment/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/units.hpp"

namespace headroom::environment {
namespace {

using base::Milliseconds;
using Policies = std::vector<policy::Policy>;

constexpr double kMillisecondsPerMinute = 60'000;
constexpr double kLongestMinutes = 36'525.0 * 24 * 60;  // 100 years, as base::parse_duration

double value_of(int v) { return v; }
double value_of(double v) { return v; }
double value_of(Milliseconds v) { return static_cast<double>(v.count()) / kMillisecondsPerMinute; }
template <class Unit>
double value_of(const base::Quantity<Unit>& v) {
  return v.value();
}
template <class V>
std::optional<double> value_of(const std::optional<V>& v) {
  if (!v) return std::nullopt;
  return value_of(*v);
}

// nearbyint follows the rounding mode, which nobody changes here: half to even.
void assign(int& field, double value) {
  field = static_cast<int>(std::nearbyint(std::clamp(value, -2e9, 2e9)));
}
void assign(double& field, double value) { field = value; }
void assign(Milliseconds& field, double value) {
  field = Milliseconds(
      static_cast<std::int64_t>(std::nearbyint(std::clamp(value, -1e12, 1e12) * kMillisecondsPerMinute)));
}
template <class Unit>
void assign(base::Quantity<Unit>& field, double value) {
  field = base::Quantity<Unit>(value);
}
template <class V>
void assign(std::optional<V>& field, double value) {
  if (!field) field.emplace();
  assign(*field, value);
}

struct Range {
  double low = 0;
  double high = 0;
};
constexpr Range kAnyDuration{0, kLongestMinutes};
constexpr Range kSomeDuration{1 / kMillisecondsPerMinute, kLongestMinutes};
constexpr Range kCount0{0, 1'000'000};
constexpr Range kCount1{1, 1'000'000};
constexpr Range kStep{1, 10'000};
constexpr Range kPeriods{1, 1000};

// `access(owner)` gives the field; the owner is const in get, so the reference is only read there.
template <class Owner, class Access>
void add(std::vector<FieldOf<Owner>>& list, const std::string& path, FieldUnit unit, Range range,
         Access access) {
  FieldOf<Owner> field;
  field.path = path;
  field.unit = unit;
  field.low = range.low;
  field.high = range.high;
  field.get = [access](const Owner& owner) -> std::optional<double> {
    return value_of(access(const_cast<Owner&>(owner)));
  };
  field.set = [access](Owner& owner, double value) { assign(access(owner), value); };
  list.push_back(std::move(field));
}

// The two directions of a cooldown at once: what `cooldown: 5m` writes.
template <class Owner, class Get>
void add_cooldown(std::vector<FieldOf<Owner>>& list, const std::string& path, Get policy) {
  add(list, path + ".cooldown.out", FieldUnit::minutes, kAnyDuration,
      [policy](Owner& owner) -> Milliseconds& { return policy(owner).cooldown_out; });
  add(list, path + ".cooldown.in", FieldUnit::minutes, kAnyDuration,
      [policy](Owner& owner) -> Milliseconds& { return policy(owner).cooldown_in; });
  FieldOf<Owner> both;
  both.path = path + ".cooldown";
  both.unit = FieldUnit::minutes;
  both.high = kLongestMinutes;
  both.get = [policy](const Owner& owner) -> std::optional<double> {
    const auto& p = policy(const_cast<Owner&>(owner));
    if (p.cooldown_out != p.cooldown_in) return std::nullopt;
    return value_of(p.cooldown_out);
  };
  both.set = [policy](Owner& owner, double value) {
    auto& p = policy(owner);
    assign(p.cooldown_out, value);
    assign(p.cooldown_in, value);
  };
  list.push_back(std::move(both));
}

template <class Owner, class Policies_>
void add_step(std::vector<FieldOf<Owner>>& list, const std::string& path, const policy::StepPolicy& now,
              std::size_t index, Policies_ policies) {
  const auto get = [policies, index](Owner& owner) -> policy::StepPolicy& {
    return std::get<policy::StepPolicy>(policies(owner)[index]);
  };
  const bool cpu = now.metric == policy::Metric::cpu;
  const FieldUnit unit = cpu ? FieldUnit::percent : FieldUnit::rps;
  for (const bool out : {true, false}) {
    const auto& steps = out ? now.out : now.in;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::string step = fmt::format("{}.{}[{}]", path, out ? "out" : "in", i);
      const auto get_step = [get, out, i](Owner& owner) -> policy::Step& {
        policy::StepPolicy& p = get(owner);
        return out ? p.out[i] : p.in[i];
      };
      const std::string name =
          out ? (steps[i].inclusive ? "at_least" : "above") : (steps[i].inclusive ? "at_most" : "below");
      add(list, step + "." + name, unit, {0, 1e6},
          [get_step](Owner& owner) -> double& { return get_step(owner).threshold; });
      add(list, step + (out ? ".add" : ".remove"), FieldUnit::count, kStep,
          [get_step](Owner& owner) -> int& { return get_step(owner).change; });
    }
  }
  add(list, path + ".every", FieldUnit::minutes, kSomeDuration,
      [get](Owner& o) -> Milliseconds& { return get(o).every; });
  add(list, path + ".first", FieldUnit::minutes, kAnyDuration,
      [get](Owner& o) -> Milliseconds& { return get(o).first; });
  add(list, path + ".window", FieldUnit::minutes, kAnyDuration,
      [get](Owner& o) -> Milliseconds& { return get(o).window; });
  // "N of N" stays so: where all datapoints must breach, that number follows the periods.
  const bool all = now.datapoints == now.periods;
  add(list, path + ".periods", FieldUnit::count, kPeriods,
      [get](Owner& o) -> int& { return get(o).periods; });
  if (all) {
    list.back().set = [get](Owner& owner, double value) {
      policy::StepPolicy& p = get(owner);
      assign(p.periods, value);
      p.datapoints = p.periods;
    };
  }
  add(list, path + ".datapoints", FieldUnit::count, kPeriods,
      [get](Owner& o) -> int& { return get(o).datapoints; });
  add_cooldown(list, path, get);
  add(list, path + ".newest_records", FieldUnit::count, {0, 1000},
      [get](Owner& o) -> int& { return get(o).newest_records; });
}

template <class Owner, class Policies_>
void add_target(std::vector<FieldOf<Owner>>& list, const std::string& path, const policy::TargetPolicy& now,
                std::size_t index, Policies_ policies) {
  const auto get = [policies, index](Owner& owner) -> policy::TargetPolicy& {
    return std::get<policy::TargetPolicy>(policies(owner)[index]);
  };
  const bool cpu = now.metric == policy::Metric::cpu;
  add(list, path + ".value", cpu ? FieldUnit::percent : FieldUnit::rps, {1e-9, 1e6},
      [get](Owner& o) -> double& { return get(o).target; });
  add(list, path + ".every", FieldUnit::minutes, kSomeDuration,
      [get](Owner& o) -> Milliseconds& { return get(o).every; });
  add(list, path + ".first", FieldUnit::minutes, kAnyDuration,
      [get](Owner& o) -> Milliseconds& { return get(o).first; });
  add(list, path + ".window", FieldUnit::minutes, kAnyDuration,
      [get](Owner& o) -> Milliseconds& { return get(o).window; });
  if (now.semantics == policy::TargetSemantics::hpa) {
    add(list, path + ".tolerance", FieldUnit::ratio, {0, 0.99},
        [get](Owner& o) -> double& { return get(o).tolerance; });
    add(list, path + ".stabilise.out", FieldUnit::minutes, kAnyDuration,
        [get](Owner& o) -> Milliseconds& { return get(o).stabilise_out; });
    add(list, path + ".stabilise.in", FieldUnit::minutes, kAnyDuration,
        [get](Owner& o) -> Milliseconds& { return get(o).stabilise_in; });
  } else {
    add(list, path + ".periods.out", FieldUnit::count, kPeriods,
        [get](Owner& o) -> int& { return get(o).periods_out; });
    add(list, path + ".periods.in", FieldUnit::count, kPeriods,
        [get](Owner& o) -> int& { return get(o).periods_in; });
    add(list, path + ".in_below", FieldUnit::ratio, {0, 1},
        [get](Owner& o) -> double& { return get(o).in_below; });
    add_cooldown(list, path, get);
  }
}

template <class Owner, class Policies_>
void add_proportional(std::vector<FieldOf<Owner>>& list, const std::string& path, std::size_t index,
                      Policies_ policies) {
  const auto get = [policies, index](Owner& owner) -> policy::ProportionalPolicy& {
    return std::get<policy::ProportionalPolicy>(policies(owner)[index]);
  };
  add(list, path + ".per_rps", FieldUnit::ratio, {0, 1e6},
      [get](Owner& o) -> double& { return get(o).per_rps; });
  // The same number, for those who write it per minute.
  constexpr double kSecondsPerMinute = 60;
  FieldOf<Owner> per_minute;
  per_minute.path = path + ".per_rpm";
  per_minute.unit = FieldUnit::ratio;
  per_minute.high = 1e6;
  per_minute.get = [get](const Owner& owner) -> std::optional<double> {
    return get(const_cast<Owner&>(owner)).per_rps / kSecondsPerMinute;
  };
  per_minute.set = [get](Owner& owner, double value) { get(owner).per_rps = value * kSecondsPerMinute; };
  list.push_back(std::move(per_minute));
  add(list, path + ".plus", FieldUnit::ratio, {-10'000, 10'000},
      [get](Owner& o) -> double& { return get(o).plus; });
  add(list, path + ".every", FieldUnit::minutes, kSomeDuration,
      [get](Owner& o) -> Milliseconds& { return get(o).every; });
  add(list, path + ".first", FieldUnit::minutes, kAnyDuration,
      [get](Owner& o) -> Milliseconds& { return get(o).first; });
  add(list, path + ".window", FieldUnit::minutes, kAnyDuration,
      [get](Owner& o) -> Milliseconds& { return get(o).window; });
  add(list, path + ".order", FieldUnit::count, {0, 10'000}, [get](Owner& o) -> int& { return get(o).order; });
}

template <class Owner, class Policies_>
void add_policies(std::vector<FieldOf<Owner>>& list, const std::string& before, const Policies& now,
                  Policies_ policies) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    const std::string path = fmt::format("{}policies[{}]", before, i);
    if (const auto* step = std::get_if<policy::StepPolicy>(&now[i])) {
      add_step(list, path + ".step", *step, i, policies);
    } else if (const auto* target = std::get_if<policy::TargetPolicy>(&now[i])) {
      add_target(list, path + ".target", *target, i, policies);
    } else if (const auto* schedule = std::get_if<policy::SchedulePolicy>(&now[i])) {
      for (std::size_t k = 0; k < schedule->entries.size(); ++k) {
        add(list, fmt::format("{}.schedule[{}].at_least", path, k), FieldUnit::count, kCount1,
            [policies, i, k](Owner& owner) -> int& {
              return std::get<policy::SchedulePolicy>(policies(owner)[i]).entries[k].at_least;
            });
      }
    } else {
      add_proportional(list, path + ".proportional", i, policies);
    }
  }
}

struct Segment {
  std::string_view name;
  std::optional<std::size_t> index;
};

std::optional<std::vector<Segment>> segments(std::string_view path) {
  std::vector<Segment> result;
  while (true) {
    const std::size_t end = std::min(path.find('.'), path.size());
    Segment segment{path.substr(0, end), std::nullopt};
    const std::size_t bracket = segment.name.find('[');
    if (bracket != std::string_view::npos) {
      if (!segment.name.ends_with(']')) return std::nullopt;
      segment.index =
          base::parse_unsigned(segment.name.substr(bracket + 1, segment.name.size() - bracket - 2));
      if (!segment.index) return std::nullopt;
      segment.name = segment.name.substr(0, bracket);
    }
    if (segment.name.empty()) return std::nullopt;
    result.push_back(segment);
    if (end == path.size()) return result;
    path.remove_prefix(end + 1);
  }
}

// Whether `name` is `path` with parts left out; the last part stands in both.
bool fits(const std::vector<Segment>& name, const std::vector<Segment>& path) {
  const auto same = [](const Segment& a, const Segment& b) {
    return a.name == b.name && (!a.index || a.index == b.index);
  };
  if (!same(name.back(), path.back())) return false;
  std::size_t i = 0;
  for (const Segment& part : path) {
    if (i < name.size() && same(name[i], part)) ++i;
  }
  return i == name.size();
}

std::string list_of_paths(const std::vector<std::string>& paths) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < paths.size() && i < kShown; ++i) text += (i > 0 ? ", " : "") + paths[i];
  if (paths.size() > kShown) text += fmt::format(" and {} more", paths.size() - kShown);
  return text;
}

std::string threshold_text(double value, policy::Metric metric) {
  return base::format_number(value) + (metric == policy::Metric::cpu ? "%" : " rps");
}

std::optional<Impossible> impossible_step(const policy::StepPolicy& p) {
  if (p.out.empty() && p.in.empty()) {
    return Impossible{"out", "a step policy without steps does nothing",
                      "add out: [{above: 25%, add: 1}], say"};
  }
  if (p.datapoints > p.periods) {
    return Impossible{"datapoints",
                      fmt::format("datapoints ({}) is above periods ({}): so many can never breach",
                                  p.datapoints, p.periods),
                      "write at most as many datapoints as periods"};
  }
  if (p.newest_records > 1 && p.window == Milliseconds{0}) {
    return Impossible{
        "newest_records",
        fmt::format("newest_records is {}, but without a window only the latest sample is looked at",
                    p.newest_records),
        "add window: 3m, say"};
  }
  for (const policy::Step& out : p.out) {
    for (const policy::Step& in : p.in) {
      if (in.threshold > out.threshold || (in.threshold == out.threshold && in.inclusive && out.inclusive)) {
        return Impossible{
            "in",
            fmt::format("removes {} {} but adds {} {}: a value in between would do both",
                        in.inclusive ? "at" : "below", threshold_text(in.threshold, p.metric),
                        out.inclusive ? "at" : "above", threshold_text(out.threshold, p.metric)),
            "the thresholds of in must lie below those of out"};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view symbol(FieldUnit unit) {
  switch (unit) {
    case FieldUnit::count:
    case FieldUnit::ratio:
      return "";
    case FieldUnit::percent:
      return "%";
    case FieldUnit::rps:
      return "rps";
    case FieldUnit::minutes:
      return "minutes";
    case FieldUnit::percent_per_rps:
      return "%/rps";
  }
  return "";
}

std::vector<Field> fields(const Service& service) {
  std::vector<Field> list;
  using S = Service;
  const policy::Limits& limits = service.scale.scaling.limits;
  add(list, "scale.initial", FieldUnit::count, kCount0, [](S& s) -> int& { return s.scale.scaling.initial; });
  add(list, "scale.min", FieldUnit::count, kCount0, [](S& s) -> int& { return s.scale.scaling.limits.min; });
  // A fleet that starts with its minimum does so with every minimum, as where `initial` is not written.
  if (service.scale.scaling.initial == limits.min) {
    list.back().set = [](S& s, double value) {
      assign(s.scale.scaling.limits.min, value);
      s.scale.scaling.initial = s.scale.scaling.limits.min;
    };
  }
  add(list, "scale.max", FieldUnit::count, kCount1, [](S& s) -> int& { return s.scale.scaling.limits.max; });
  add(list, "scale.warm_up", FieldUnit::minutes, kAnyDuration,
      [](S& s) -> std::optional<Milliseconds>& { return s.scale.scaling.warm_up; });
  // Where it is not written, what counts instead.
  list.back().get = [](const S& s) -> std::optional<double> {
    return value_of(policy::warm_up_of(s.scale.scaling));
  };
  add(list, "scale.pool", FieldUnit::count, kCount0, [](S& s) -> int& { return s.scale.pool; });
  add(list, "scale.drain", FieldUnit::minutes, kAnyDuration,
      [](S& s) -> Milliseconds& { return s.scale.drain; });
  add(list, "scale.step.out", FieldUnit::count, kStep,
      [](S& s) -> std::optional<int>& { return s.scale.scaling.limits.step_out; });
  add(list, "scale.step.in", FieldUnit::count, kStep,
      [](S& s) -> std::optional<int>& { return s.scale.scaling.limits.step_in; });
  // A rate limit has two numbers; they can be changed where it is set.
  if (limits.rate_out) {
    add(list, "scale.rate.out.count", FieldUnit::count, kStep,
        [](S& s) -> int& { return s.scale.scaling.limits.rate_out->count; });
    add(list, "scale.rate.out.per", FieldUnit::minutes, kSomeDuration,
        [](S& s) -> Milliseconds& { return s.scale.scaling.limits.rate_out->per; });
  }
  if (limits.rate_in) {
    add(list, "scale.rate.in.count", FieldUnit::count, kStep,
        [](S& s) -> int& { return s.scale.scaling.limits.rate_in->count; });
    add(list, "scale.rate.in.per", FieldUnit::minutes, kSomeDuration,
        [](S& s) -> Milliseconds& { return s.scale.scaling.limits.rate_in->per; });
  }
  add_policies(list, "scale.", service.scale.scaling.policies,
               [](S& s) -> Policies& { return s.scale.scaling.policies; });
  add(list, "capacity.cpu_per_rps", FieldUnit::percent_per_rps, {0, 1e6},
      [](S& s) -> double& { return s.capacity.slope_percent_per_rps; });
  add(list, "capacity.intercept", FieldUnit::percent, {-100, 100},
      [](S& s) -> double& { return s.capacity.intercept_percent; });
  // A time that is spread is no single number.
  if (!service.capacity.startup_spread) {
    add(list, "capacity.startup", FieldUnit::minutes, kAnyDuration,
        [](S& s) -> std::optional<Milliseconds>& { return s.capacity.startup; });
  }
  add(list, "capacity.startup_pool", FieldUnit::minutes, kAnyDuration,
      [](S& s) -> std::optional<Milliseconds>& { return s.capacity.startup_pool; });
  add(list, "capacity.metric_lag", FieldUnit::minutes, kAnyDuration,
      [](S& s) -> std::optional<Milliseconds>& { return s.capacity.metric_lag; });
  add(list, "capacity.in_service_delay", FieldUnit::minutes, kAnyDuration,
      [](S& s) -> std::optional<Milliseconds>& { return s.capacity.in_service_delay; });
  add(list, "capacity.queue", FieldUnit::minutes, kAnyDuration,
      [](S& s) -> std::optional<Milliseconds>& { return s.capacity.queue; });
  add(list, "capacity.noise", FieldUnit::ratio, {0, 1}, [](S& s) -> double& { return s.capacity.noise; });
  return list;
}

std::vector<PolicyField> fields(const Policies& policies) {
  std::vector<PolicyField> list;
  add_policies(list, "", policies, [](Policies& p) -> Policies& { return p; });
  return list;
}

base::Result<std::size_t> resolve(std::string_view name, const std::vector<std::string>& paths) {
  const auto wanted = segments(name);
  std::vector<std::size_t> fitting;
  std::vector<std::string> last_parts;  // for the nearest word
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i] == name) return i;
    const auto path = segments(paths[i]);
    if (wanted && path && fits(*wanted, *path)) fitting.push_back(i);
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty()) {
    return base::bad_input(
        fmt::format("no field is called {}", base::in_quotes(name)),
        paths.empty() ? "there are no fields to change" : "the fields are " + list_of_paths(paths));
  }
  std::vector<std::string> candidates;
  for (const std::size_t i : fitting) candidates.push_back(paths[i]);
  return base::bad_input(fmt::format("{} may mean several fields", base::in_quotes(name)),
                         "write one of " + list_of_paths(candidates));
}

base::Result<double> field_value(const Service& service, std::string_view name) {
  const auto field = resolve(name, fields(service));
  if (!field) return field.error();
  const auto value = field->get(service);
  if (!value) return base::bad_input(fmt::format("{} is not set", field->path));
  return *value;
}

base::Result<bool> set_field(Service& service, std::string_view name, double value) {
  const auto field = resolve(name, fields(service));
  if (!field) return field.error();
  if (!(value >= field->low && value <= field->high)) {
    return base::bad_input(fmt::format("{} must lie from {} to {}, not {}", field->path,
                                       base::format_number(field->low), base::format_number(field->high),
                                       base::format_number(value)));
  }
  field->set(service, value);
  return true;
}

std::optional<Impossible> impossible(const policy::Policy& policy) {
  if (const auto* step = std::get_if<policy::StepPolicy>(&policy)) return impossible_step(*step);
  if (const auto* target = std::get_if<policy::TargetPolicy>(&policy)) {
    if (!(target->target > 0)) return Impossible{"value", "expected a target above 0", {}};
  }
  return std::nullopt;
}

std::optional<Impossible> impossible(const policy::Scaling& scaling) {
  const policy::Limits& limits = scaling.limits;
  if (limits.min > limits.max) {
    return Impossible{"min", fmt::format("min ({}) is above max ({})", limits.min, limits.max),
                      "write a min of at most max"};
  }
  if (scaling.initial < limits.min || scaling.initial > limits.max) {
    return Impossible{"initial",
                      fmt::format("initial ({}) lies outside min ({}) to max ({})", scaling.initial,
                                  limits.min, limits.max),
                      fmt::format("write a number from {} to {}", limits.min, limits.max)};
  }
  for (const policy::Policy& policy : scaling.policies) {
    if (auto why = impossible(policy)) return why;
    if (const auto* schedule = std::get_if<policy::SchedulePolicy>(&policy)) {
      for (const policy::ScheduleEntry& entry : schedule->entries) {
        if (entry.at_least > limits.max) {
          return Impossible{"policies",
                            fmt::format("a schedule asks for at least {} instances, more than max ({})",
                                        entry.at_least, limits.max),
                            "raise max, or lower at_least"};
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace headroom::environment
