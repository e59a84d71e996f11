// Words: figures, policies and objectives as people read them; shared by the text tables and the page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "environment/environment.hpp"
#include "policy/policy.hpp"

namespace headroom::report {

// A month of money is 730 hours, as the price lists of the clouds have it (8,760 hours a year / 12).
inline constexpr double kHoursPerMonth = 730;

// 1234567.891 with 2 decimals: "1,234,567.89". Not finite: "-".
std::string number_text(double value, int decimals);

// "$1,234.56"; four decimals below one dollar, for a rehearsal of an hour costs cents.
std::string money_text(double usd);

// At most three significant digits after rounding where the value is below 100: "0.0123", "4.57", "45.1",
// "312".
std::string short_text(double value);

// The shortest form that reads back: "0.5", "15", "1e+21".
std::string exact_text(double value);

// The two largest units: "8 weeks", "1 h 30 min", "45 s", "250 ms"; weeks only where they come out even.
std::string duration_text(base::Milliseconds duration);

// "2014-11-02T00:05:00Z"; with milliseconds only where there are some.
std::string utc_text(base::Milliseconds since_epoch);

// Recorded traffic starts at a date; described traffic starts at zero, and its times count from the start.
bool has_calendar(base::Milliseconds start);

// "CPU at most 50 % and p95 at most 500 ms, in 99.9 % of minutes"; empty where nothing is promised.
std::string objective_text(const environment::Objective& objective);

// "step on CPU every 5 min: above 25 % add 1; below 15 % remove 1".
std::string policy_text(const policy::Policy& policy);

// "min 2, max 60, at most 10 added per decision".
// `zones`: so many groups that scale apart, each within these limits.
std::string limits_text(const policy::Limits& limits, std::size_t zones = 1);

// A line that a chart draws: where a policy begins to act.
struct Threshold {
  policy::Metric metric = policy::Metric::cpu;
  double value = 0;  // in the metric's unit
  enum class Side { out, in, target } side = Side::out;
  bool operator==(const Threshold&) const = default;
};
std::vector<Threshold> thresholds(const policy::Scaling& scaling);

}  // namespace headroom::report
