#include "tune/load.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "workload/arrivals.hpp"
#include "workload/variation.hpp"

namespace headroom::tune {
namespace {

Replica replica(std::uint64_t seed, base::Series expected, bool drawn) {
  Replica made;
  made.seed = seed;
  made.requests_per_second = drawn ? workload::draw_arrivals(expected, seed) : expected;
  made.rates = sim::lane_rates(made.requests_per_second);
  made.expected = std::move(expected);
  return made;
}

// The load with another expected rate; what is drawn is drawn anew, with the same seeds.
template <class F>
Load changed(const Load& load, std::string name, F&& change) {
  Load result;
  result.name = std::move(name);
  result.drawn = load.drawn;
  result.under_way = load.under_way;
  for (const Replica& each : load.replicas) {
    result.replicas.push_back(replica(each.seed, change(each.expected), load.drawn));
  }
  return result;
}

}  // namespace

base::Result<Load> make_load(std::string name, const workload::Traffic& traffic, base::Milliseconds tick,
                             std::uint64_t seed, int seeds) {
  const bool generated = std::holds_alternative<workload::Generated>(traffic.shape);
  Load load;
  load.name = std::move(name);
  load.drawn = traffic.arrivals == workload::Arrivals::poisson;
  for (int i = 0; i < (generated || load.drawn ? seeds : 1); ++i) {
    const std::uint64_t this_seed = seed + static_cast<std::uint64_t>(i);
    workload::Traffic each = traffic;
    each.arrivals = workload::Arrivals::exact;
    if (auto* shape = std::get_if<workload::Generated>(&each.shape))
      shape->seed += static_cast<std::uint64_t>(i);
    auto compiled = workload::compile(each, tick, this_seed);
    if (!compiled) {
      base::Error error = compiled.error();
      // The traffic of `tune:` has the name of its key.
      for (base::Fault& fault : error.faults) {
        if (load.name != "traffic" && fault.path.starts_with("traffic"))
          fault.path.replace(0, std::string_view("traffic").size(), "tune." + load.name);
      }
      return error;
    }
    if (compiled->requests_per_second.values.empty()) {
      return base::bad_input("traffic " + load.name + " is empty", "check its stages, or `cut`");
    }
    if (i == 0) load.notes = compiled->notes;
    load.replicas.push_back(replica(this_seed, std::move(compiled->requests_per_second), load.drawn));
  }
  return load;
}

Load part(const Load& load, std::string name, std::int64_t from, std::int64_t to) {
  Load result = changed(load, std::move(name), [&](const base::Series& series) {
    base::Series cut{series.start + from * series.tick, series.tick, {}};
    cut.values.assign(series.values.begin() + from, series.values.begin() + to);
    return cut;
  });
  result.under_way = load.under_way || from > 0;
  return result;
}

Load higher(const Load& load, std::string name, double factor) {
  return changed(load, std::move(name),
                 [&](const base::Series& rate) { return workload::scaled(rate, factor); });
}

Load steeper(const Load& load, std::string name, double factor) {
  return changed(load, std::move(name),
                 [&](const base::Series& rate) { return workload::steepen(rate, factor); });
}

policy::Numbers<base::One> numbers_for(const sim::Scenario& scenario, const Load& load) {
  policy::Numbers<base::One> numbers = scenario.numbers;
  if (!load.under_way) return numbers;
  // The highest of the first hour, kept at nine tenths of the limit, or at half of the instance without one.
  const auto& rates = load.replicas.front().requests_per_second;
  const auto first = std::min<std::size_t>(rates.size(), static_cast<std::size_t>(std::max<std::int64_t>(
                                                             1, base::Milliseconds(3'600'000) / rates.tick)));
  const double peak =
      *std::max_element(rates.values.begin(), rates.values.begin() + static_cast<std::ptrdiff_t>(first));
  const double limit = std::isfinite(scenario.cpu_limit_percent) ? 0.9 * scenario.cpu_limit_percent : 50.0;
  const double room = std::max(limit - scenario.capacity.intercept_percent, 1e-3);
  const double needed = std::ceil(peak * scenario.capacity.slope_percent_per_rps / room);
  numbers.initial = static_cast<std::int32_t>(
      std::clamp(needed, static_cast<double>(numbers.min), static_cast<double>(numbers.max)));
  return numbers;
}

}  // namespace headroom::tune
