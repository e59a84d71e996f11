#include "report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "report/per_tick.hpp"
#include "report/words.hpp"

namespace headroom::report {
namespace {

// Columns that a terminal needs for UTF-8 text of single-width characters: its code points.
int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Control characters of a name must not reach a terminal.
std::string visible(std::string_view text) {
  std::string safe(text);
  std::replace_if(
      safe.begin(), safe.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F; },
      ' ');
  return safe;
}

std::string left(std::string_view text, int width) {
  return std::string(text) +
         std::string(static_cast<std::size_t>(std::max(0, width - columns_of(text))), ' ');
}

std::string right(std::string_view text, int width) {
  return std::string(static_cast<std::size_t>(std::max(0, width - columns_of(text))), ' ') +
         std::string(text);
}

// The first `width` columns, with "~" for what was cut.
std::string cut(std::string_view text, int width) {
  if (columns_of(text) <= width) return std::string(text);
  std::string shortened;
  int columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && ++columns == width) break;
    shortened += text[i];
  }
  return shortened + "~";
}

std::string heading(std::string_view environment, std::string_view service, std::string_view what) {
  return wrapped("", fmt::format("{} / {}: {}", environment, service, what)) + "\n";
}

std::string when_text(const telemetry::Series& traffic) {
  std::string text = duration_text(traffic.duration());
  if (has_calendar(traffic.start)) {
    std::string start = utc_text(traffic.start);  // 2014-07-01T00:00:00Z
    text += " from " + start.substr(0, 10) + " " + start.substr(11, 5) + " UTC";
  }
  return text + ", in steps of " + duration_text(traffic.tick);
}

// "out.add 2, out.above 15".
std::string parameters_text(const tune::Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    if (!text.empty()) text += ", ";
    text += name + " " + exact_text(value);
  }
  return text;
}

std::string interval_text(double low, double high, auto&& format) {
  return low == high ? std::string() : format(low) + ".." + format(high);
}

std::string notes_text(const std::vector<std::string>& notes) {
  std::string text;
  if (!notes.empty()) text += "\n";
  for (const std::string& note : notes) text += wrapped("  note: ", note);
  return text;
}

// The cheapest of those that keep the objective on the unseen traffic for less than the winner, by more than
// chance: the intervals of the costs do not touch. Null where there is none.
const tune::Contender* cheaper_than_winner(const tune::Outcome& outcome) {
  if (outcome.aim == "profit") return nullptr;  // what it costs is not what counts
  const tune::Contender* cheapest = nullptr;
  for (std::size_t i = 1; i < outcome.unseen.size(); ++i) {
    const tune::Score& score = outcome.unseen[i].score;
    if (!score.objective_met || score.cost_usd.high >= outcome.unseen.front().score.cost_usd.low) continue;
    if (cheapest == nullptr || score.cost_usd.mean < cheapest->score.cost_usd.mean)
      cheapest = &outcome.unseen[i];
  }
  return cheapest;
}

// Money in a column: cents below a thousand dollars only.
std::string money_cell(double usd) {
  return std::abs(usd) < 1000 ? money_text(usd) : (usd < 0 ? "-$" : "$") + number_text(std::abs(usd), 0);
}

std::string percent_text(double value) { return short_text(value) + " %"; }

// When a tick begins: a date and time, or how long after the start.
std::string tick_text(const telemetry::Series& traffic, std::int32_t tick) {
  if (!has_calendar(traffic.start)) return tick == 0 ? "start" : duration_text(traffic.tick * tick);
  const std::string at = utc_text(traffic.start + traffic.tick * tick);  // 2014-07-01T00:00:00Z
  return at.substr(0, 10) + " " + at.substr(11, 8);
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

std::string wrapped(std::string_view first, std::string_view text) {
  const int indent = columns_of(first);
  const std::string spaces(static_cast<std::size_t>(indent), ' ');
  std::string out(first);
  int column = indent;
  bool line_has_word = false;
  const std::string safe = visible(text);
  for (std::size_t i = 0; i < safe.size();) {
    const std::size_t end = std::min(safe.find(' ', i), safe.size());
    std::string_view word(safe.data() + i, end - i);
    i = end + 1;
    if (word.empty()) continue;
    if (line_has_word && column + 1 + columns_of(word) > kTextColumns) {
      out += '\n' + spaces;
      column = indent;
      line_has_word = false;
    }
    if (line_has_word) {
      out += ' ';
      ++column;
    }
    // A word longer than a line is broken where the line ends.
    for (std::size_t k = 0; k < word.size(); ++k) {
      const bool begins = (static_cast<unsigned char>(word[k]) & 0xC0) != 0x80;
      if (begins && column == kTextColumns) {
        out += '\n' + spaces;
        column = indent;
      }
      out += word[k];
      if (begins) ++column;
    }
    line_has_word = true;
  }
  return out + '\n';
}

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
  std::string text = heading(rehearsal.environment, rehearsal.service, when_text(traffic));

  const std::string promise = objective_text(objective);
  if (promise.empty()) {
    text += "  NO OBJECTIVE IS SET\n\n";
  } else {
    text +=
        wrapped("  ", fmt::format("OBJECTIVE {}: {}", summary.objective_met ? "KEPT" : "MISSED", promise));
    if (summary.objective_violation_minutes > 0) {
      text += wrapped("  ", fmt::format("beyond it for {} min, {} of the time",
                                        exact_text(summary.objective_violation_minutes),
                                        percent_text(summary.objective_violation_percent)));
    }
    text += '\n';
  }

  const auto row = [&](std::string_view name, std::string_view value, std::string_view more) {
    text += "  " + left(name, 14) + right(value, 14) + (more.empty() ? "" : "   ") + std::string(more) + '\n';
  };
  row("cost", money_text(summary.cost_usd),
      money_text(cost_usd_per_month(summary.cost_usd, traffic.duration())) + " a month");
  if (summary.profit_usd) {
    row("profit", money_text(*summary.profit_usd),
        fmt::format("{} min of downtime", number_text(summary.downtime_minutes, 0)));
  }
  if (summary.profit_usd || service.objective.availability || summary.requests_failed > 0) {
    row("availability", percent_text(summary.availability_percent),
        fmt::format("{} of {} requests failed", number_text(summary.requests_failed, 0),
                    number_text(summary.requests, 0)));
  }
  row("utilisation", percent_text(summary.cpu_percent_mean),
      fmt::format("on average, at most {}", percent_text(summary.cpu_percent_max)));
  if (summary.p95_ms_max > 0) row("p95", short_text(summary.p95_ms_max) + " ms", "at most");
  row("instances", short_text(summary.instances_mean),
      fmt::format("on average, at most {}", summary.instances_max));
  row("scaled", number_text(summary.scale_outs, 0) + " out", number_text(summary.scale_ins, 0) + " in");
  if (summary.minutes_at_max > 0) {
    row("at max", number_text(summary.minutes_at_max, 0) + " min",
        fmt::format("desired as many as max ({}) allows", service.scale.scaling.limits.max));
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
  text += wrapped("  limits: ", limits_text(service.scale.scaling.limits));
  return text + notes_text(rehearsal.notes);
}

std::string replications_text(const tune::Replications& replications) {
  const tune::Score& score = replications.score;
  const auto line = [&](std::string_view name, const tune::Estimate& estimate, auto&& format) {
    return left(name, 18) + left(format(estimate.mean), 14) + "95 % interval " +
           interval_text(estimate.low, estimate.high, format) + "\n";
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

std::string outcome_text(const tune::Outcome& outcome, const environment::Objective& objective,
                         Timing timing) {
  const std::string_view aim = outcome.aim == "utilisation"
                                   ? "the highest mean utilisation that keeps the objective"
                               : outcome.aim == "profit" ? "the most profitable policy"
                                                         : "the cheapest policy that keeps the objective";
  std::string text = heading(outcome.environment, outcome.service, aim);
  if (const std::string promise = objective_text(objective); !promise.empty()) {
    text += wrapped("  objective: ", promise);
  }
  std::string tried =
      fmt::format("{} policies tried on {}", number_text(static_cast<double>(outcome.evaluated), 0),
                  duration_text(outcome.rehearsal.requests_per_second.duration()));
  if (timing == Timing::shown && outcome.seconds > 0)
    tried += fmt::format(" in {} s", short_text(outcome.seconds));
  tried += fmt::format("; {} keep the objective", number_text(static_cast<double>(outcome.feasible), 0));
  if (outcome.invalid > 0) {
    tried += fmt::format("; {} more combinations are no valid policy",
                         number_text(static_cast<double>(outcome.invalid), 0));
  }
  text += wrapped("  search:    ", tried);
  if (outcome.stopped_early) text += wrapped("  ", "STOPPED EARLY: this is the best of what was tried.");
  if (const tune::Contender* other = cheaper_than_winner(outcome)) {
    const tune::Contender& tuned = outcome.unseen.front();
    const auto month = [](const tune::Contender& each) {
      return money_text(
          cost_usd_per_month(each.score.cost_usd.mean, each.rehearsal.requests_per_second.duration()));
    };
    const double violated = other->score.objective_violation_percent.mean;
    const double winner_violated = tuned.score.objective_violation_percent.mean;
    const char* verdict = !tuned.score.objective_met    ? "CHEAPER, AND KEEPS THE OBJECTIVE"
                          : violated <= winner_violated ? "CHEAPER AND SAFER"
                                                        : "CHEAPER, THOUGH NEARER TO THE LIMIT";
    text += wrapped("  ", fmt::format("{} THAN THE {}: {}", verdict,
                                      outcome.found ? "WINNER" : "NEAREST MISS", visible(other->name)));
    text += wrapped("    ", fmt::format("on unseen traffic {} a month against {}, violated {} of the minutes "
                                        "against {}; its values stand below",
                                        month(*other), month(tuned), percent_text(violated),
                                        percent_text(winner_violated)));
  }
  text += '\n';

  text += outcome.found ? "  WINNER\n" : "  NO POLICY KEEPS THE OBJECTIVE: this is the nearest miss\n";
  int widest = 0;
  for (const auto& [name, value] : outcome.best.parameters) widest = std::max(widest, columns_of(name));
  for (const auto& [name, value] : outcome.best.parameters) {
    text += wrapped("    " + left(visible(name), widest) + "  ", exact_text(value));
  }
  if (!outcome.binding.empty()) text += wrapped("  ", outcome.binding);

  if (!outcome.unseen.empty()) {
    text += '\n';
    text += wrapped("  ", fmt::format("ON UNSEEN TRAFFIC: {} (95 % intervals in the lines below)",
                                      outcome.unseen_description));
    constexpr int kName = 16;
    constexpr int kMoney = 22;
    constexpr int kViolated = 18;
    constexpr int kCpu = 9;
    const auto cells = [&](std::string_view name, std::string_view money, std::string_view violated,
                           std::string_view cpu, std::string_view verdict) {
      std::string line = "  " + left(cut(name, kName), kName) + right(money, kMoney) +
                         right(violated, kViolated) + right(cpu, kCpu) + (verdict.empty() ? "" : "   ") +
                         std::string(verdict);
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + '\n';
    };
    // Where profit is the aim it takes the place of the cost, and downtime that of the violations.
    const bool earns = outcome.aim == "profit";
    const auto money_of = [&](const tune::Score& score) -> const tune::Estimate& {
      return earns && score.profit_usd ? *score.profit_usd : score.cost_usd;
    };
    const auto broken_of = [&](const tune::Score& score) -> const tune::Estimate& {
      return earns ? score.downtime_minutes : score.objective_violation_percent;
    };
    cells("", earns ? "profit a month" : "cost a month", earns ? "downtime" : "violated", "CPU mean",
          "objective");
    for (const tune::Contender& contender : outcome.unseen) {
      const tune::Score& score = contender.score;
      const auto month = [&](double usd) { return money_cell(cost_usd_per_month(usd, score.duration)); };
      const tune::Estimate& violated = broken_of(score);
      cells(visible(contender.name), month(money_of(score).mean),
            earns ? short_text(violated.mean) + " min" : percent_text(violated.mean),
            percent_text(score.cpu_percent_mean.mean), score.objective_met ? "kept" : "MISSED");
      const std::string tries =
          contender.evaluated > 1
              ? fmt::format("  best of {}", number_text(static_cast<double>(contender.evaluated), 0))
              : std::string();
      const std::string money = interval_text(money_of(score).low, money_of(score).high, month);
      const std::string violation =
          interval_text(std::max(0.0, violated.low), std::max(0.0, violated.high), short_text);
      if (!tries.empty() || !money.empty() || !violation.empty()) {
        cells(tries, money, violation, "", "");
      }
    }
    const tune::Contender& tuned = outcome.unseen.front();
    const base::Milliseconds length = tuned.score.duration;
    text += '\n';
    for (std::size_t i = 1; i < outcome.unseen.size(); ++i) {
      const tune::Contender& other = outcome.unseen[i];
      const double mine = money_of(tuned.score).mean;
      const double theirs = money_of(other.score).mean;
      const double difference = cost_usd_per_month(mine - theirs, length);
      const double share = theirs > 0 ? 100 * std::abs(mine - theirs) / theirs : 0;
      const char* const verb = earns ? "earns" : "costs";
      std::string line =
          fmt::format("{} {} {} a month ({}) {} than {}", tuned.name, verb, money_text(std::abs(difference)),
                      percent_text(share), difference > 0 ? "more" : "less", other.name);
      if (difference == 0) line = fmt::format("{} {} as much as {}", tuned.name, verb, other.name);
      if (!other.score.objective_met && tuned.score.objective_met) line += ", which misses the objective";
      text += wrapped("  ", line + ".");
    }
    for (const tune::Contender& contender : outcome.unseen) {
      if (contender.parameters.empty() || &contender == &tuned) continue;
      text += wrapped(fmt::format("  {}: ", cut(visible(contender.name), kName)),
                      parameters_text(contender.parameters));
    }
  }

  if (!outcome.sensitivities.empty()) {
    text += "\n  WHAT MATTERS, one parameter at a time: cost a month on the tuning traffic\n";
    const auto month = [&](double usd) {
      return money_cell(cost_usd_per_month(usd, outcome.best.score.duration));
    };
    constexpr int kParameter = 22;
    std::string idle;
    for (const tune::Sensitivity& sensitivity : outcome.sensitivities) {
      const std::string name = visible(sensitivity.parameter);
      if (!sensitivity.matters) {
        if (!idle.empty()) idle += ", ";
        idle += name;
        if (sensitivity.unchanged_low < sensitivity.unchanged_high) {
          idle += fmt::format(" ({} to {})", exact_text(sensitivity.unchanged_low),
                              exact_text(sensitivity.unchanged_high));
        }
        continue;
      }
      text += wrapped(
          "    " + left(cut(name, kParameter), kParameter) + right(short_text(sensitivity.value), 8) + "   ",
          fmt::format("{}..{}, violated {}..{} %", month(sensitivity.cost_usd_low),
                      month(sensitivity.cost_usd_high), short_text(sensitivity.violation_percent_low),
                      short_text(sensitivity.violation_percent_high)));
      if (sensitivity.at_edge) {
        text += wrapped("      ", "stands at the end of its range: a wider one may hold a better policy");
      }
    }
    if (!idle.empty()) text += wrapped("  do not matter: ", idle);
  }

  if (!outcome.variations.empty()) {
    text += "\n  IF THINGS TURN OUT OTHERWISE: cost a month on the tuning traffic\n";
    const auto month = [](const tune::Score& score) {
      return money_cell(cost_usd_per_month(score.cost_usd.mean, score.duration));
    };
    text += "  " + left("", 22) + right("tuned", 14) + right("violated", 12) + right("present", 16) +
            right("violated", 12) + "\n";
    const auto violated = [](const tune::Score& score) {
      return percent_text(score.objective_violation_percent.mean) + (score.objective_met ? "  " : " !");
    };
    bool missed = false;
    for (const tune::Variation& variation : outcome.variations) {
      missed = missed || !variation.tuned.objective_met || !variation.present.objective_met;
      std::string line = "  " + left(cut(visible(variation.name), 22), 22) +
                         right(month(variation.tuned), 14) + right(violated(variation.tuned), 14) +
                         right(month(variation.present), 14) + right(violated(variation.present), 14);
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + '\n';
    }
    if (missed) text += "  ! misses the objective\n";
  }
  return text + notes_text(outcome.notes);
}

}  // namespace headroom::report
