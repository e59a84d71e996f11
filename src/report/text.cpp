#include "report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "report/layout.hpp"
#include "report/per_tick.hpp"
#include "report/words.hpp"

namespace headroom::report {
namespace {

std::string when_text(const telemetry::Series& traffic) {
  std::string text = duration_text(traffic.duration());
  if (has_calendar(traffic.start)) {
    std::string start = utc_text(traffic.start);  // 2014-07-01T00:00:00Z
    text += " from " + start.substr(0, 10) + " " + start.substr(11, 5) + " UTC";
  }
  return text + ", in steps of " + duration_text(traffic.tick);
}

// When a tick begins: a date and time, or how long after the start.
std::string tick_text(const telemetry::Series& traffic, std::int32_t tick) {
  if (!has_calendar(traffic.start)) return tick == 0 ? "start" : duration_text(traffic.tick * tick);
  const std::string at = utc_text(traffic.start + traffic.tick * tick);  // 2014-07-01T00:00:00Z
  return at.substr(0, 10) + " " + at.substr(11, 8);
}

// Profit alone, without a limit.
bool is_only_an_aim(environment::Objective objective) {
  const bool aims = objective.profit.has_value();
  objective.profit.reset();
  return aims && objective_text(objective).empty();
}

std::string faults_text(const sim::Rehearsal& rehearsal) {
  if (rehearsal.faults.empty()) return "";
  const telemetry::Series& traffic = rehearsal.requests_per_second;
  std::string text = "\n  FAULTS REHEARSED\n";
  for (const sim::FaultPeriod& fault : rehearsal.faults) {
    text += wrapped("    " + left(tick_text(traffic, fault.from), 19) + "  ",
                    fmt::format("{}{}{} for {}", fault.kind, fault.where.empty() ? "" : " ", fault.where,
                                duration_text(traffic.tick * (fault.to - fault.from))));
  }
  return text;
}

// A rehearsal of weeks may hold thousands of either; summary.json has them all.
constexpr std::size_t kEventLines = 10;
constexpr std::size_t kInstanceLines = 12;

std::string events_text(const sim::Rehearsal& rehearsal) {
  if (rehearsal.events.empty()) return "";
  std::string text = "\n  EVENTS\n";
  for (std::size_t i = 0; i < std::min(kEventLines, rehearsal.events.size()); ++i) {
    const sim::EventRecord& event = rehearsal.events[i];
    std::string name = event.name;
    std::replace(name.begin(), name.end(), '_', ' ');
    text += wrapped("    " + left(tick_text(rehearsal.requests_per_second, event.tick), 19) + "  ",
                    name + (event.subject.empty() ? "" : " " + event.subject) +
                        (event.why.empty() ? "" : ": " + event.why));
  }
  if (rehearsal.events.size() > kEventLines) {
    text += fmt::format("    and {} more, in summary.json\n",
                        number_text(static_cast<double>(rehearsal.events.size() - kEventLines), 0));
  }
  return text;
}

std::string instances_text(const sim::Rehearsal& rehearsal) {
  if (rehearsal.instances.empty()) return "";
  constexpr int kId = 22;
  constexpr int kZone = 12;
  std::string text = "\n";
  const auto cells = [&](std::string_view id, std::string_view zone, std::string_view launches,
                         std::string_view runtime, std::string_view charged, std::string_view cost) {
    std::string line = "  " + left(cut(visible(id), kId), kId) + " " +
                       left(cut(visible(zone), kZone), kZone) + right(launches, 9) + right(runtime, 12) +
                       right(charged, 10) + right(cost, 11);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  cells("INSTANCES", "zone", "launches", "runtime", "charged", "cost");
  double runtime = 0;
  for (const sim::InstanceRecord& instance : rehearsal.instances) runtime += instance.runtime_minutes;
  const auto minutes = [](double value) {
    return value < 10'000 ? number_text(value, 1) + " min" : number_text(value / 60, 0) + " h";
  };
  const auto hours = [](double value) { return short_text(value) + " h"; };
  for (std::size_t i = 0; i < std::min(kInstanceLines, rehearsal.instances.size()); ++i) {
    const sim::InstanceRecord& one = rehearsal.instances[i];
    cells(one.id, one.zone, number_text(one.launches, 0), minutes(one.runtime_minutes),
          hours(one.charged_hours), money_cell(one.cost_usd));
  }
  if (rehearsal.instances.size() > kInstanceLines) {
    text += fmt::format("  and {} more, in summary.json\n",
                        number_text(static_cast<double>(rehearsal.instances.size() - kInstanceLines), 0));
  }
  const sim::Summary& summary = rehearsal.summary;
  cells(fmt::format("{} in all", number_text(static_cast<double>(rehearsal.instances.size()), 0)), "",
        number_text(summary.launches, 0), minutes(runtime), hours(summary.charged_hours),
        money_cell(summary.cost_usd));
  return text;
}

}  // namespace

std::string bars_text(std::span<const double> values, int columns) {
  static constexpr std::array<std::string_view, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t parts = std::min(values.size(), static_cast<std::size_t>(std::max(0, columns)));
  std::vector<double> highest;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t begin = part * values.size() / parts;
    const std::size_t end = (part + 1) * values.size() / parts;
    double high = std::nan("");
    for (std::size_t i = begin; i < end; ++i) {
      if (std::isfinite(values[i]) && !(high >= values[i])) high = values[i];
    }
    highest.push_back(high);
  }
  double most = 0;
  for (const double value : highest) {
    if (value > most) most = value;
  }
  std::string text;
  for (const double value : highest) {
    if (!std::isfinite(value)) {
      text += ' ';
      continue;
    }
    const double share = most > 0 ? std::max(value, 0.0) / most : 0;
    text += kBars[std::min<std::size_t>(7, static_cast<std::size_t>(share * 8))];
  }
  return text;
}

std::string rehearsal_text(const sim::Rehearsal& rehearsal, const environment::Service& service) {
  const sim::Summary& summary = rehearsal.summary;
  const telemetry::Series& traffic = rehearsal.requests_per_second;
  const environment::Objective& objective = service.objective;
  const std::size_t zones = rehearsal.groups.size();  // that scale apart
  std::string text = heading(rehearsal.environment, rehearsal.service, when_text(traffic));

  const std::string promise = objective_text(objective);
  if (promise.empty()) {
    text += "  NO OBJECTIVE IS SET\n\n";
  } else if (is_only_an_aim(objective)) {
    // An aim is neither kept nor missed.
    text += wrapped("  ", "AIM: " + promise) + '\n';
  } else {
    text +=
        wrapped("  ", fmt::format("OBJECTIVE {}: {}", summary.objective_met ? "KEPT" : "MISSED", promise));
    if (summary.objective_violation_minutes > 0) {
      text += wrapped("  ", fmt::format("beyond it for {} min, {} of the time",
                                        short_text(summary.objective_violation_minutes),
                                        percent_text(summary.objective_violation_percent)));
    }
    text += '\n';
  }

  const auto row = [&](std::string_view name, std::string_view value, std::string_view more) {
    text += "  " + left(name, 14) + right(value, 14) + (more.empty() ? "" : "   ") + std::string(more) + '\n';
  };
  row("cost", money_text(summary.cost_usd),
      money_text(usd_per_month(summary.cost_usd, traffic.duration())) + " a month");
  if (summary.profit_usd) {
    row("profit", money_text(*summary.profit_usd),
        fmt::format("{} min of downtime", number_text(summary.downtime_minutes, 0)));
  }
  const bool unserved = summary.requests_failed > 0 || summary.requests_waiting >= 0.5;
  if (summary.profit_usd || service.objective.availability || unserved) {
    const std::string waiting =
        summary.requests_waiting >= 0.5
            ? fmt::format(", {} waited at the end", number_text(summary.requests_waiting, 0))
            : std::string();
    row("availability", percent_text(summary.availability_percent),
        fmt::format("{} of {} requests failed{}", number_text(summary.requests_failed, 0),
                    number_text(summary.requests, 0), waiting));
  }
  row("utilisation", percent_text(summary.cpu_percent_mean),
      fmt::format("on average, at most {}", percent_text(summary.cpu_percent_max)));
  if (summary.p95_ms_max > 0) row("p95", short_text(summary.p95_ms_max) + " ms", "at most");
  row("instances", short_text(summary.instances_mean),
      fmt::format("on average, at most {}", summary.instances_max));
  row("scaled", number_text(summary.scale_outs, 0) + " out", number_text(summary.scale_ins, 0) + " in");
  if (summary.minutes_at_max > 0) {
    const int max = service.scale.scaling.limits.max;
    row("at max", number_text(summary.minutes_at_max, 0) + " min",
        zones > 1 ? fmt::format("desired as many as {} zones of max {} allow", zones, max)
                  : fmt::format("desired as many as max ({}) allows", max));
  }
  if (summary.warnings_at_max > 0) {
    row("warned",
        number_text(summary.warnings_at_max, 0) + (summary.warnings_at_max == 1 ? " time" : " times"),
        "above the threshold with max reached");
  }
  if (summary.launches > 0) {
    row("charged", short_text(summary.charged_hours) + " h",
        fmt::format("for {} launches", number_text(summary.launches, 0)));
  }

  // Bars as wide as the terminal leaves: 80 less the indent and the name, and room for the figure.
  constexpr int kBarColumns = 46;
  const std::vector<double> instances(rehearsal.trajectory.in_service.begin(),
                                      rehearsal.trajectory.in_service.end());
  const auto chart = [&](std::string_view name, std::span<const double> values, std::string_view unit) {
    double most = 0;
    for (const double value : values) {
      if (std::isfinite(value)) most = std::max(most, value);
    }
    text += "  " + left(name, 12) + bars_text(values, kBarColumns) +
            fmt::format("  to {}{}\n", short_text(most), unit);
  };
  text += '\n';
  chart("traffic", traffic.values, " req/s");
  chart("utilisation", rehearsal.cpu_percent, " %");
  chart("instances", instances, "");
  if (rehearsal.zones.size() > 1) {
    for (const sim::ZoneCounts& zone : rehearsal.zones) {
      chart(cut(visible("in " + zone.zone), 11),
            std::vector<double>(zone.in_service.begin(), zone.in_service.end()), "");
    }
  }
  text += faults_text(rehearsal) + events_text(rehearsal) + instances_text(rehearsal);

  text += '\n';
  for (const policy::Policy& policy : service.scale.scaling.policies) {
    text += wrapped("  policy: ", policy_text(policy));
  }
  text += wrapped("  limits: ", limits_text(service.scale.scaling.limits, zones));
  return text + notes_text(rehearsal.notes);
}

std::string replications_text(const tune::Replications& replications) {
  const tune::Score& score = replications.score;
  const auto line = [&](std::string_view name, const tune::Estimate& estimate, auto&& format) {
    const std::string interval = interval_text(estimate.low, estimate.high, format);
    // Nothing to say where every seed gives the same.
    if (interval.empty()) return left(name, 18) + format(estimate.mean) + "\n";
    return left(name, 18) + left(format(estimate.mean), 14) + "95 % interval " + interval + "\n";
  };
  std::string profit;
  if (score.profit_usd) {
    const auto money = [](double value) { return money_text(value); };
    const auto minutes = [](double value) { return short_text(value) + " min"; };
    profit = line("  profit", *score.profit_usd, money) + line("  downtime", score.downtime_minutes, minutes);
  }
  return fmt::format("\nOver {} seeds\n", replications.count) + profit +
         line("  cost", score.cost_usd, [](double value) { return money_text(value); }) +
         line("  violation", score.objective_violation_percent, percent_text) +
         line("  CPU mean", score.cpu_percent_mean, percent_text) +
         line("  instance-hours", score.instance_hours, [](double value) { return short_text(value); });
}

}  // namespace headroom::report
