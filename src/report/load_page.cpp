#include "report/load_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/math.hpp"
#include "report/html.hpp"
#include "report/json.hpp"
#include "report/load_records.hpp"
#include "report/load_text.hpp"

namespace headroom::report {
namespace {

// So many kinds of failures have a colour of their own; the others are one.
constexpr std::size_t kKindsMost = 5;

std::vector<double> per_second(const load::Measured& measured,
                               const std::function<double(const load::Second&)>& value) {
  std::vector<double> values;
  values.reserve(measured.seconds.size());
  for (const load::Second& second : measured.seconds) values.push_back(value(second));
  return values;
}

// The logarithm to the base of ten, so that a millisecond is as exact as a minute beside it.
double logarithm(const std::optional<double>& ms) {
  if (!ms) return std::nan("");
  static const double kOfTen = base::log(10);
  return base::log(std::max(*ms, telemetry::Histogram::kLowest)) / kOfTen;
}

void write_latencies(JsonWriter& json, std::string_view name, const load::Measured& measured,
                     telemetry::Histogram load::Second::*histogram) {
  json.key(name).begin_object();
  for (const auto& [key, share] : {std::pair{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"max", 1.0}}) {
    write_numbers(json, key, per_second(measured, [&, s = share](const load::Second& second) {
                    return logarithm((second.*histogram).quantile(s));
                  }));
  }
  json.end_object();
}

// Failed requests of each second, of the most frequent kinds first.
void write_failures(JsonWriter& json, const load::Measured& measured) {
  struct Kind {
    std::string name;
    std::uint64_t count = 0;
    std::function<std::uint64_t(const load::Counts&)> of;
  };
  const load::Counts total = measured.total().counts;
  std::vector<Kind> kinds;
  for (const auto& [status, count] : total.statuses) {
    if (status < 400) continue;
    kinds.push_back({fmt::format("status {}", status), count, [s = status](const load::Counts& counts) {
                       const auto found = counts.statuses.find(s);
                       return found == counts.statuses.end() ? 0 : found->second;
                     }});
  }
  for (std::size_t i = 1; i < load::kOutcomes; ++i) {
    if (total.outcomes[i] == 0) continue;
    kinds.push_back({std::string(load::words(static_cast<load::Outcome>(i))), total.outcomes[i],
                     [i](const load::Counts& counts) { return counts.outcomes[i]; }});
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const Kind& a, const Kind& b) { return a.count > b.count; });
  if (kinds.size() > kKindsMost + 1) {
    const std::vector<Kind> rest(kinds.begin() + kKindsMost, kinds.end());
    kinds.resize(kKindsMost);
    kinds.push_back({"others", 0, [rest](const load::Counts& counts) {
                       std::uint64_t sum = 0;
                       for (const Kind& kind : rest) sum += kind.of(counts);
                       return sum;
                     }});
  }
  json.key("failures").begin_array();
  for (const Kind& kind : kinds) {
    json.begin_object();
    json.key("name").text(kind.name);
    write_numbers(json, "per_second", per_second(measured, [&](const load::Second& second) {
                    return static_cast<double>(kind.of(second.counts));
                  }));
    json.end_object();
  }
  json.end_array();
}

std::string page_json(const LoadRun& run) {
  const load::Measured& measured = run.measured;
  JsonWriter json(JsonLayout::one_line, JsonUse::inside_html);
  json.begin_object();
  json.key("format").integer(kPageFormat);
  json.key("kind").text("load");
  json.key("result");
  write_load_summary(json, run);
  json.key("missing_shards").begin_array();
  for (const std::uint64_t shard : missing_shards(run)) json.natural(shard);
  json.end_array();
  // Lines in the chart of latency.
  json.key("latency_limits").begin_array();
  for (const load::Verdict& verdict : run.verdicts) {
    if (verdict.threshold.unit() != "ms") continue;
    json.begin_object();
    json.key("text").text(verdict.threshold.text);
    json.key("ms").number(verdict.threshold.limit);
    json.key("from_sending").boolean(verdict.threshold.from_sending);
    json.end_object();
  }
  json.end_array();
  json.key("seconds").natural(measured.seconds.size());
  const auto counts = [&](std::string_view name, std::uint64_t load::Second::*field) {
    write_numbers(json, name, per_second(measured, [&](const load::Second& second) {
                    return static_cast<double>(second.*field);
                  }));
  };
  counts("due", &load::Second::due);
  counts("sent", &load::Second::sent);
  counts("answered", &load::Second::answered);
  counts("failed", &load::Second::failed);
  counts("under_way_max", &load::Second::under_way_most);
  write_latencies(json, "log10_ms_from_schedule", measured, &load::Second::from_schedule_ms);
  write_latencies(json, "log10_ms_from_sending", measured, &load::Second::from_sending_ms);
  const int threads = std::max(1, measured.generator_threads);
  write_numbers(json, "generator_percent", per_second(measured, [&](const load::Second& second) {
                  return 100 * second.generator_cores / threads;
                }));
  write_failures(json, measured);
  json.end_object();
  return json.str();
}

}  // namespace

std::string load_report_html(const LoadRun& run) {
  return page_html(run.name + ": load test", load_text(run), page_json(run));
}

}  // namespace headroom::report
