#include "cli/events_text.hpp"

#include <fmt/format.h>

#include "report/layout.hpp"
#include "report/words.hpp"

namespace headroom::cli {
namespace {

// "2026-11-28T23:14:05Z" to "11-28 23:14:05": what is kept is of this week.
std::string time_text(base::Milliseconds at) {
  const std::string utc = report::utc_text(at);
  return utc.substr(5, 5) + " " + utc.substr(11, 8);
}

std::string seen_text(const std::optional<double>& cpu_percent, const std::optional<double>& instance_rps) {
  if (cpu_percent) return fmt::format("cpu {} %; ", report::short_text(*cpu_percent));
  if (instance_rps) return fmt::format("{} rps each; ", report::short_text(*instance_rps));
  return {};  // the reasons say that it is missing
}

std::string instances_text(int count) { return fmt::format("{} instance{}", count, count == 1 ? "" : "s"); }

std::string decided_text(const history::Entry& entry) {
  const history::Decision& decision = *entry.decision;
  const int before = decision.in_service + decision.launching;
  std::string text;
  if (decision.add != 0 || decision.remove != 0) {
    text = fmt::format("{} -> {}: ", before, instances_text(decision.desired));
  } else {
    text = fmt::format("{} stay{}", instances_text(before), before == 1 ? "s" : "");
    if (decision.recommended != decision.desired) text += fmt::format(", {} asked for", decision.recommended);
    text += ": ";
  }
  text += seen_text(decision.cpu_percent, decision.requests_per_second_per_instance) + entry.event.text;
  if (!decision.group.empty()) text = fmt::format("zone {}: {}", decision.group, text);
  if (entry.times > 1)
    text += fmt::format(" ({} times, until {})", entry.times, time_text(entry.until).substr(6));
  return text;
}

}  // namespace

std::string decision_text(const daemon::DecisionStatus& decision) {
  std::string text = decision.group.empty() ? std::string() : fmt::format("zone {}: ", decision.group);
  text += seen_text(decision.cpu_percent, decision.requests_per_second_per_instance) + decision.why;
  if (decision.recommended != decision.desired) text += fmt::format("; {} asked for", decision.recommended);
  return text;
}

std::string event_text(const history::Entry& entry) {
  const history::Event& event = entry.event;
  std::string text;
  if (entry.decision) {
    text = decided_text(entry);
  } else {
    // The token of an action is for programs.
    const bool named = !event.subject.empty() && event.kind != "action";
    text = named ? fmt::format("{}: {}", event.subject, event.text) : event.text;
  }
  return report::wrapped(fmt::format("{}  {} ", time_text(event.at),
                                     report::left(report::cut(report::visible(event.service), 10), 10)),
                         report::visible(text));
}

}  // namespace headroom::cli
