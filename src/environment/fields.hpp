// Fields: the numbers of a service's scaling, each by its path, to read and to change.
//
// A path is what the file says: "scale.policies[0].step.out[0].add" in a service, with "services.web."
// before it in an environment, "policies[0].target.value" in a rival. A name is a path with parts left
// out, as long as only one path fits: "out.add", "web.step.out.add", "target.value".
//
// The value of a field is a double in the field's unit. Durations are in minutes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "environment/environment.hpp"

namespace headroom::environment {

enum class FieldUnit {
  count,    // instances, periods: whole
  percent,  // 25 means 25 %
  rps,      // requests per second
  minutes,  // a duration
  ratio,    // a share or factor: 0.1
  percent_per_rps,
};

// "instances", "%", "rps", "minutes", "", "%/rps": as it stands behind a value.
std::string_view symbol(FieldUnit unit);

// A field of an Owner (Service, or a list of policies). A handle: resolve once, then get and set often.
// It refers to positions in lists, so it fits every Owner with as many policies and steps of the same kinds.
template <class Owner>
struct FieldOf {
  std::string path;
  FieldUnit unit = FieldUnit::count;
  double low = 0;  // what the file may say, inclusive
  double high = 0;
  std::function<std::optional<double>(const Owner&)> get;  // nothing: not set
  // Counts are rounded half to even, durations to whole milliseconds. Requires: a finite value.
  std::function<void(Owner&, double)> set;
};
using Field = FieldOf<Service>;
using PolicyField = FieldOf<std::vector<policy::Policy>>;

// In the order of the file's documentation. Two rules link fields that are equal: setting the periods of a
// step policy sets its datapoints too, setting the minimum of a fleet its initial number; so set these after
// those.
std::vector<Field> fields(const Service& service);
std::vector<PolicyField> fields(const std::vector<policy::Policy>& policies);

// The one of `paths` that `name` means. Errors: none or several fit; they are listed.
base::Result<std::size_t> resolve(std::string_view name, const std::vector<std::string>& paths);
template <class Owner>
base::Result<FieldOf<Owner>> resolve(std::string_view name, const std::vector<FieldOf<Owner>>& candidates) {
  std::vector<std::string> paths;
  for (const auto& field : candidates) paths.push_back(field.path);
  auto index = resolve(name, paths);
  if (!index) return index.error();
  return candidates[*index];
}

// Short cuts that resolve at every call.
base::Result<double> field_value(const Service& service, std::string_view name);
base::Result<bool> set_field(Service& service, std::string_view name, double value);

// Why a combination of values cannot be: the key to point at, what is wrong, what to do. The same rules
// hold for the file and for what a search tries.
struct Impossible {
  std::string key;
  std::string what;
  std::string fix;
  bool operator==(const Impossible&) const = default;
};
std::optional<Impossible> impossible(const policy::Policy& policy);
std::optional<Impossible> impossible(const policy::Scaling& scaling);  // its policies included

}  // namespace headroom::environment
