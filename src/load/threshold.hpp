// Threshold: a condition under which a load test has failed, from its text to whether it is met.
//
//   auto threshold = load::parse_threshold("p99 > 500ms");
//   load::Verdict verdict = load::judge(*threshold, measured);
//
//   condition  = metric ( ">" | ">=" | "<" | "<=" ) limit
//   metric     = [ "sent." ] ( "p50" | "p99.9" | ... | "max" | "mean" )   limit: a duration, 500ms
//              | "errors"   requests that failed, of all                  limit: a share, 1%
//              | "late"     requests that the generator turned to late    limit: a share, 1%
//              | "rate"     requests answered, in a second                limit: a rate, 1000 rps
//
// Latency is from when a request was due; with "sent." from when its sending began.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "load/measured.hpp"

namespace headroom::load {

struct Threshold {
  std::string text;  // the condition, with its spaces in order
  enum class Metric { quantile, most, mean, errors, late, rate } metric = Metric::quantile;
  double share = 0;           // quantile: 0.99
  bool from_sending = false;  // of latencies
  enum class Comparison { above, at_least, below, at_most } comparison = Comparison::above;
  double limit = 0;  // milliseconds, percent or requests per second

  // "ms", "percent" or "requests_per_second".
  std::string_view unit() const;
  bool operator==(const Threshold&) const = default;
};

struct Verdict {
  Threshold threshold;
  std::optional<double> value;  // unset: nothing was measured that it could be judged by
  bool met = false;             // the test has failed by it; so where there is no value
  bool operator==(const Verdict&) const = default;
};

// Errors: what it does not understand.
base::Result<Threshold> parse_threshold(std::string_view text);

Verdict judge(const Threshold& threshold, const Measured& measured);
std::vector<Verdict> judge_all(const std::vector<Threshold>& thresholds, const Measured& measured);

// Whether one of them is met.
bool any_met(const std::vector<Verdict>& verdicts);

}  // namespace headroom::load
