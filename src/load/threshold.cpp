#include "load/threshold.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/units.hpp"

namespace headroom::load {
namespace {

using Metric = Threshold::Metric;
using Comparison = Threshold::Comparison;

constexpr const char* kForm =
    "write METRIC > LIMIT (or >=, <, <=): 'p99 > 500ms', 'errors > 1%', 'rate < 900 rps', 'late > 1%'";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

base::Error fault(std::string_view text, std::string_view what, std::string fix = kForm) {
  return base::bad_input(fmt::format("--fail-if {}: {}", base::in_quotes(text), what), std::move(fix));
}

// "p99.9" as 0.999; unset where it is no percentile.
std::optional<double> percentile(std::string_view name) {
  if (name.size() < 2 || name.front() != 'p' || name[1] < '0' || name[1] > '9') return std::nullopt;
  const auto percent = base::parse_number(name.substr(1));
  if (!percent || *percent <= 0 || *percent >= 100) return std::nullopt;
  return *percent / 100;
}

// A duration, or a part of milliseconds, which no other duration has: "1.5ms", "500us".
std::optional<double> milliseconds_of(std::string_view text) {
  if (const auto duration = base::parse_duration(text)) return static_cast<double>(duration->count());
  for (const auto& [unit, factor] : {std::pair<std::string_view, double>("ms", 1), {"us", 1e-3}}) {
    if (!text.ends_with(unit)) continue;
    const auto number = base::parse_number(text.substr(0, text.size() - unit.size()));
    if (number && *number >= 0) return *number * factor;
  }
  return std::nullopt;
}

bool is_latency(Metric metric) {
  return metric == Metric::quantile || metric == Metric::most || metric == Metric::mean;
}

std::string_view sign(Comparison comparison) {
  static constexpr std::array<std::string_view, 4> kSigns{">", ">=", "<", "<="};
  return kSigns[static_cast<std::size_t>(comparison)];
}

std::optional<double> value_of(const Threshold& threshold, const Measured& measured) {
  const Tally total = measured.total();
  const auto& latency = threshold.from_sending ? total.from_sending_ms : total.from_schedule_ms;
  const auto percent_of = [](std::uint64_t part, std::uint64_t all) {
    return all == 0 ? std::optional<double>() : 100 * static_cast<double>(part) / static_cast<double>(all);
  };
  switch (threshold.metric) {
    case Metric::quantile:
      return latency.quantile(threshold.share);
    case Metric::most:
      return latency.max();
    case Metric::mean:
      return latency.mean();
    case Metric::errors:
      return percent_of(total.counts.failed(), total.counts.all());
    case Metric::late:
      return percent_of(measured.late(), measured.lateness_ms.count());
    case Metric::rate:
      return measured.answered_per_second();
  }
  return std::nullopt;
}

}  // namespace

std::string_view Threshold::unit() const {
  if (is_latency(metric)) return "ms";
  return metric == Metric::rate ? "requests_per_second" : "percent";
}

base::Result<Threshold> parse_threshold(std::string_view text) {
  Threshold threshold;
  const std::size_t begin = text.find_first_of("<>");
  if (begin == std::string_view::npos) return fault(text, "there is no comparison");
  const bool equal = begin + 1 < text.size() && text[begin + 1] == '=';
  if (text[begin] == '>') {
    threshold.comparison = equal ? Comparison::at_least : Comparison::above;
  } else {
    threshold.comparison = equal ? Comparison::at_most : Comparison::below;
  }
  const std::string_view name = trimmed(text.substr(0, begin));
  const std::string_view limit = trimmed(text.substr(begin + (equal ? 2 : 1)));
  threshold.text = fmt::format("{} {} {}", name, sign(threshold.comparison), limit);

  constexpr std::string_view kSent = "sent.";
  threshold.from_sending = name.starts_with(kSent);
  const std::string_view metric = threshold.from_sending ? name.substr(kSent.size()) : name;
  const auto share = percentile(metric);
  if (share) {
    threshold.share = *share;
  } else if (metric == "max") {
    threshold.metric = Metric::most;
  } else if (metric == "mean") {
    threshold.metric = Metric::mean;
  } else if (metric == "errors" && !threshold.from_sending) {
    threshold.metric = Metric::errors;
  } else if (metric == "late" && !threshold.from_sending) {
    threshold.metric = Metric::late;
  } else if (metric == "rate" && !threshold.from_sending) {
    threshold.metric = Metric::rate;
  } else {
    return fault(text, fmt::format("there is no metric {}", base::in_quotes(name)),
                 "the metrics are p50, p99.9 and the like, max and mean (from when a request was due; "
                 "sent.p99 from when it was sent), errors, late and rate");
  }

  if (is_latency(threshold.metric)) {
    const auto milliseconds = milliseconds_of(limit);
    if (!milliseconds) return fault(text, fmt::format("{} is no duration", base::in_quotes(limit)));
    threshold.limit = *milliseconds;
  } else if (threshold.metric == Metric::rate) {
    const auto rate = base::parse_rate(limit);
    if (!rate) return fault(text, fmt::format("{} is no rate", base::in_quotes(limit)));
    threshold.limit = rate->value();
  } else {
    const auto percent = base::parse_percent(limit);
    if (!percent) return fault(text, fmt::format("{} is no percentage", base::in_quotes(limit)));
    threshold.limit = percent->value();
  }
  return threshold;
}

Verdict judge(const Threshold& threshold, const Measured& measured) {
  Verdict verdict{threshold, value_of(threshold, measured), true};
  if (!verdict.value) return verdict;
  const double value = *verdict.value;
  switch (threshold.comparison) {
    case Comparison::above:
      verdict.met = value > threshold.limit;
      break;
    case Comparison::at_least:
      verdict.met = value >= threshold.limit;
      break;
    case Comparison::below:
      verdict.met = value < threshold.limit;
      break;
    case Comparison::at_most:
      verdict.met = value <= threshold.limit;
      break;
  }
  return verdict;
}

std::vector<Verdict> judge_all(const std::vector<Threshold>& thresholds, const Measured& measured) {
  std::vector<Verdict> verdicts;
  for (const Threshold& threshold : thresholds) verdicts.push_back(judge(threshold, measured));
  return verdicts;
}

bool any_met(const std::vector<Verdict>& verdicts) {
  return std::any_of(verdicts.begin(), verdicts.end(), [](const Verdict& verdict) { return verdict.met; });
}

}  // namespace headroom::load
