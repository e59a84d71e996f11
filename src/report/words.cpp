#include "report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <variant>

namespace headroom::report {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string threshold_text(policy::Metric metric, double value) {
  return exact_text(value) + (metric == policy::Metric::cpu ? " %" : " req/s per instance");
}

std::string_view metric_text(policy::Metric metric) {
  return metric == policy::Metric::cpu ? "CPU" : "requests";
}

std::string steps_text(const policy::StepPolicy& policy, const std::vector<policy::Step>& steps, bool out) {
  std::string text;
  for (const policy::Step& step : steps) {
    std::string_view side;
    if (out) {
      side = step.inclusive ? "at least" : "above";
    } else {
      side = step.inclusive ? "at most" : "below";
    }
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {} {} {}", side, threshold_text(policy.metric, step.threshold),
                        out ? "add" : "remove", step.change);
  }
  return text;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string cooldowns_text(base::Milliseconds out, base::Milliseconds in) {
  if (out.count() == 0 && in.count() == 0) return {};
  if (out == in) return "cooldown " + duration_text(out);
  return fmt::format("cooldown {} out, {} in", duration_text(out), duration_text(in));
}

std::string text_of(const policy::StepPolicy& policy) {
  std::vector<std::string> parts;
  if (!policy.out.empty()) parts.push_back(steps_text(policy, policy.out, true));
  if (!policy.in.empty()) parts.push_back(steps_text(policy, policy.in, false));
  if (policy.periods > 1) {
    parts.push_back(fmt::format("{} of {} periods must breach", policy.datapoints, policy.periods));
  }
  if (const std::string cooldown = cooldowns_text(policy.cooldown_out, policy.cooldown_in);
      !cooldown.empty()) {
    parts.push_back(cooldown);
  }
  if (policy.semantics == policy::StepSemantics::aws_simple) parts.emplace_back("AWS simple scaling");
  if (policy.semantics == policy::StepSemantics::aws_step) parts.emplace_back("AWS step scaling");
  std::string head =
      fmt::format("step on {} every {}", metric_text(policy.metric), duration_text(policy.every));
  if (policy.window.count() > 0) head += fmt::format(" (mean of {})", duration_text(policy.window));
  return head + ": " + joined(parts, "; ");
}

std::string text_of(const policy::TargetPolicy& policy) {
  std::vector<std::string> parts;
  if (policy.semantics == policy::TargetSemantics::hpa) {
    parts.push_back(fmt::format("as Kubernetes, tolerance {} %", short_text(100 * policy.tolerance)));
    if (policy.stabilise_out.count() > 0) {
      parts.push_back("stabilises out over " + duration_text(policy.stabilise_out));
    }
    if (policy.stabilise_in.count() > 0) {
      parts.push_back("stabilises in over " + duration_text(policy.stabilise_in));
    }
  } else {
    parts.push_back(fmt::format("as AWS, {} periods out, {} in", policy.periods_out, policy.periods_in));
  }
  if (const std::string cooldown = cooldowns_text(policy.cooldown_out, policy.cooldown_in);
      !cooldown.empty()) {
    parts.push_back(cooldown);
  }
  if (!policy.scale_in) parts.emplace_back("never scales in");
  return fmt::format("target {} of {} every {}: {}", threshold_text(policy.metric, policy.target),
                     metric_text(policy.metric), duration_text(policy.every), joined(parts, "; "));
}

std::string days_text(const std::array<bool, 7>& days) {
  static constexpr std::array<std::string_view, 7> kNames{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  std::vector<std::string> parts;
  for (std::size_t first = 0; first < 7;) {
    if (!days[first]) {
      ++first;
      continue;
    }
    std::size_t last = first;
    while (last + 1 < 7 && days[last + 1]) ++last;
    if (first == 0 && last == 6) return "every day";
    parts.push_back(first == last ? std::string(kNames[first])
                                  : fmt::format("{}-{}", kNames[first], kNames[last]));
    first = last + 1;
  }
  return joined(parts, ", ");
}

std::string time_of_day_text(base::Milliseconds time) {
  const std::int64_t minute = time.count() / 60'000;
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

std::string text_of(const policy::SchedulePolicy& policy) {
  std::vector<std::string> parts;
  for (const policy::ScheduleEntry& entry : policy.entries) {
    parts.push_back(fmt::format("{} {}-{} at least {}", days_text(entry.days), time_of_day_text(entry.from),
                                time_of_day_text(entry.to), entry.at_least));
  }
  return "schedule (UTC): " + joined(parts, "; ");
}

std::string text_of(const policy::ProportionalPolicy& policy) {
  std::string text = fmt::format("{} {} per rps", exact_text(policy.per_rps),
                                 policy.per_rps == 1 ? "instance" : "instances");
  if (policy.plus != 0)
    text += fmt::format(" {} {}", policy.plus < 0 ? "minus" : "plus", exact_text(std::abs(policy.plus)));
  text += ", every " + duration_text(policy.every);
  if (policy.window > base::Milliseconds(0)) {
    text += fmt::format(", {} of {}", policy.statistic == policy::Statistic::max ? "maximum" : "mean",
                        duration_text(policy.window));
  }
  if (policy.order > 0) text += fmt::format(", {} added each time", policy.order);
  return text;
}

}  // namespace

std::string number_text(double value, int decimals) {
  if (!std::isfinite(value)) return "-";
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find_first_not_of("-0.") == std::string::npos && text.front() == '-') text.erase(0, 1);
  const std::size_t end = std::min(text.find('.'), text.size());
  const std::size_t begin = text.front() == '-' ? 1 : 0;
  for (std::size_t i = end; i > begin + 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string money_text(double usd) {
  if (!std::isfinite(usd)) return "-";
  const double size = std::abs(usd);
  return (usd < 0 ? "-$" : "$") + number_text(size, size > 0 && size < 1 ? 4 : 2);
}

std::string short_text(double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::abs(value);
  if (size >= 99.95) return number_text(value, 0);
  const bool whole = value == std::floor(value);
  if (size >= 9.995) return number_text(value, whole ? 0 : 1);
  if (size >= 0.9995 || value == 0) return number_text(value, whole ? 0 : 2);
  return fmt::format("{:.3g}", value);
}

std::string exact_text(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "-"; }

std::string duration_text(base::Milliseconds duration) {
  std::int64_t left = duration.count();
  if (left < 0) return "-" + duration_text(-duration);
  constexpr std::int64_t kWeek = 7 * 86'400'000LL;
  if (left >= kWeek && left % kWeek == 0) {
    return left == kWeek ? "1 week" : fmt::format("{} weeks", left / kWeek);
  }
  static constexpr std::array<std::pair<std::int64_t, std::string_view>, 5> kUnits{
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1'000, "s"}, {1, "ms"}}};
  std::string text;
  int parts = 0;
  for (const auto& [size, name] : kUnits) {
    if (parts > 0) ++parts;  // a unit of zero still counts: "1 d 5 s" would claim a precision it has not
    if (left >= size && parts <= 2) {
      if (!text.empty()) text += ' ';
      text += fmt::format("{} {}", left / size, name);
      left %= size;
      if (parts == 0) parts = 1;
    }
  }
  return text.empty() ? "0 s" : text;
}

std::string utc_text(base::Milliseconds since_epoch) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto day = std::chrono::floor<std::chrono::days>(since_epoch);
  const std::chrono::year_month_day date{std::chrono::sys_days{day}};
  const std::int64_t second = (whole - day).count();
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 second / 3600, second / 60 % 60, second % 60);
  if (const std::int64_t rest = (since_epoch - whole).count(); rest != 0) text += fmt::format(".{:03}", rest);
  return text + "Z";
}

bool has_calendar(base::Milliseconds start) { return start.count() != 0; }

std::string objective_text(const environment::Objective& objective) {
  std::vector<std::string> parts;
  if (objective.cpu) parts.push_back(fmt::format("CPU at most {} %", exact_text(objective.cpu->value())));
  const auto latency = [&](std::string_view name, const std::optional<base::Milliseconds>& limit) {
    if (limit) parts.push_back(fmt::format("{} at most {}", name, duration_text(*limit)));
  };
  latency("p50", objective.p50);
  latency("p95", objective.p95);
  latency("p99", objective.p99);
  if (objective.availability) {
    parts.push_back(fmt::format("availability at least {} %", exact_text(objective.availability->value())));
  }
  if (parts.empty()) return objective.profit ? "the highest profit" : "";
  std::string text = joined(parts, " and ");
  if (objective.share < 1) {
    // `99.9% of minutes` was divided by 100 on its way in; ten digits undo the rounding of that.
    text += fmt::format(", in {:.10g} % of minutes", 100 * objective.share);
  } else {
    text += ", at all times";
  }
  return text;
}

std::string policy_text(const policy::Policy& policy) {
  return std::visit([](const auto& kind) { return text_of(kind); }, policy);
}

std::string limits_text(const policy::Limits& limits, std::size_t zones) {
  std::string text = zones > 1 ? fmt::format("in each of {} zones: ", zones) : std::string();
  text += fmt::format("min {}, max {}", limits.min, limits.max);
  if (limits.step_out) text += fmt::format(", at most {} added per decision", *limits.step_out);
  if (limits.step_in) text += fmt::format(", at most {} removed per decision", *limits.step_in);
  if (limits.rate_out) {
    text +=
        fmt::format(", at most {} added per {}", limits.rate_out->count, duration_text(limits.rate_out->per));
  }
  if (limits.rate_in) {
    text +=
        fmt::format(", at most {} removed per {}", limits.rate_in->count, duration_text(limits.rate_in->per));
  }
  return text;
}

std::vector<Threshold> thresholds(const policy::Scaling& scaling) {
  std::vector<Threshold> lines;
  const auto add = [&](Threshold line) {
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  };
  for (const policy::Policy& policy : scaling.policies) {
    std::visit(Overloaded{
                   [&](const policy::StepPolicy& step) {
                     for (const policy::Step& out : step.out) {
                       add({step.metric, out.threshold, Threshold::Side::out});
                     }
                     for (const policy::Step& in : step.in)
                       add({step.metric, in.threshold, Threshold::Side::in});
                   },
                   [&](const policy::TargetPolicy& target) {
                     add({target.metric, target.target, Threshold::Side::target});
                   },
                   [](const policy::SchedulePolicy&) {},
                   [](const policy::ProportionalPolicy&) {},
               },
               policy);
  }
  return lines;
}

}  // namespace headroom::report
