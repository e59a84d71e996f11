#include "sim/assumptions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "capacity/evaluate.hpp"
#include "policy/compile.hpp"

namespace headroom::sim {

using base::format_duration;
using base::Milliseconds;

void note_startup(Milliseconds startup, Milliseconds tick, std::vector<std::string>& notes) {
  const Milliseconds counted = (startup + tick - Milliseconds(1)) / tick * tick;
  if (counted == startup) return;
  notes.push_back(fmt::format("The start-up time of {} counts as {}, whole ticks of {}.",
                              format_duration(startup), format_duration(counted), format_duration(tick)));
}

void note_warm_up(const policy::Scaling& scaling, Milliseconds counted, Milliseconds unseen,
                  std::vector<std::string>& notes) {
  if (std::none_of(scaling.policies.begin(), scaling.policies.end(), policy::leaves_out_warming)) return;
  if (!scaling.warm_up) {
    notes.push_back(fmt::format(
        "`warm_up` is not written: an instance counts as warming for its first {}, AWS's default of {}{}.",
        format_duration(counted), format_duration(policy::kAwsWarmUp),
        counted == policy::kAwsWarmUp ? "" : " in whole ticks"));
  }
  // The first sample in which a new instance has its share ends a period after it serves, and is seen a lag
  // later; until then the load it takes over still stands in the metric.
  if (counted >= unseen) return;
  notes.push_back(fmt::format(
      "`warm_up: {}` is over before the metric shows a new instance ({} for its period and lag): the load is "
      "answered twice and the fleet swings. At least {} avoids it; AWS's default is {}.",
      format_duration(counted), format_duration(unseen), format_duration(unseen),
      format_duration(policy::kAwsWarmUp)));
}

Extrapolated::Extrapolated(const capacity::CapacityModel& model) : model_(model) {}

void Extrapolated::add(base::Rate per_instance, base::Percent utilisation) {
  if (model_.measured_up_to && per_instance > *model_.measured_up_to) {
    highest_rate_ = std::max(highest_rate_, per_instance.value());
  }
  if (model_.saturation && per_instance > *model_.saturation) {
    highest_beyond_saturation_ = std::max(highest_beyond_saturation_, per_instance.value());
  }
  const auto p95 = capacity::latency_ms(model_, capacity::Quantile::p95, utilisation);
  ticks_beyond_latency_ += p95 && p95->beyond_measured ? std::size_t{1} : std::size_t{0};
}

void Extrapolated::note(std::vector<std::string>& notes) const {
  if (highest_rate_ > 0) {
    notes.push_back(fmt::format(
        "The utilisation is extrapolated: instances get up to {} requests per second, measured were {}.",
        base::format_number(std::round(highest_rate_ * 10) / 10),
        base::format_number(model_.measured_up_to->value())));
  }
  if (highest_beyond_saturation_ > 0) {
    notes.push_back(
        fmt::format("Instances get up to {} requests per second, but a full one answered {} when it was "
                    "measured: what the "
                    "line gives beyond is not to be had.",
                    base::format_number(std::round(highest_beyond_saturation_ * 10) / 10),
                    base::format_number(model_.saturation->value())));
  }
  if (ticks_beyond_latency_ > 0) {
    notes.push_back(
        fmt::format("In {} ticks the utilisation is above what latency was measured for; the last measured "
                    "latency is shown.",
                    ticks_beyond_latency_));
  }
}

}  // namespace headroom::sim
