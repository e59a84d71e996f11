#include "report/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "report/columns.hpp"
#include "report/html.hpp"
#include "report/json.hpp"
#include "report/outcome_text.hpp"
#include "report/per_tick.hpp"
#include "report/records.hpp"
#include "report/text.hpp"
#include "report/words.hpp"

namespace headroom::report {
namespace {

// So many rehearsals at most are drawn, which keeps the page of 16 weeks of minutes below 6 MB: the winner on
// both traffics, the present settings and three rivals.
constexpr std::size_t kRunsMax = 6;

void write_integers(JsonWriter& json, std::string_view name, std::span<const std::int32_t> values) {
  json.key(name).text(pack_integers(values));
}

// Weeks of decisions mostly repeat each other. The page keeps those that act or differ in their reasons or
// counts from the one before; in between, the one before still holds.
// Groups that scale apart are told apart here too.
std::vector<const sim::DecisionRecord*> telling(const std::vector<sim::DecisionRecord>& decisions,
                                                std::size_t groups) {
  std::vector<const sim::DecisionRecord*> kept;
  std::vector<const sim::DecisionRecord*> before(std::max<std::size_t>(1, groups), nullptr);
  for (const sim::DecisionRecord& decision : decisions) {
    const sim::DecisionRecord*& last = before[static_cast<std::size_t>(decision.group)];
    if (last != nullptr && decision.add == 0 && decision.remove == 0) {
      const bool same = last->add == 0 && last->remove == 0 && last->reasons == decision.reasons &&
                        last->recommended == decision.recommended && last->desired == decision.desired;
      if (same) continue;
    }
    last = &decision;
    kept.push_back(&decision);
  }
  return kept;
}

void write_decisions(JsonWriter& json, const sim::Rehearsal& rehearsal) {
  const std::vector<sim::DecisionRecord>& all = rehearsal.trajectory.decisions;
  const std::vector<const sim::DecisionRecord*> kept = telling(all, rehearsal.groups.size());
  const auto column = [&](std::string_view name, auto field) {
    std::vector<std::int32_t> values;
    values.reserve(kept.size());
    for (const sim::DecisionRecord* decision : kept) values.push_back(field(*decision));
    write_integers(json, name, values);
  };
  const auto numbers = [&](std::string_view name, float sim::DecisionRecord::*field) {
    std::vector<double> values;
    values.reserve(kept.size());
    for (const sim::DecisionRecord* decision : kept) values.push_back(static_cast<double>(decision->*field));
    write_numbers(json, name, values);
  };
  json.begin_object();
  json.key("evaluated").natural(all.size());
  json.key("count").natural(kept.size());
  column("tick", [](const auto& decision) { return decision.tick; });
  if (!rehearsal.groups.empty()) column("group", [](const auto& decision) { return decision.group; });
  numbers("cpu_percent_seen", &sim::DecisionRecord::cpu_percent_seen);
  numbers("requests_per_second_per_instance_seen",
          &sim::DecisionRecord::requests_per_second_per_instance_seen);
  column("recommended", [](const auto& decision) { return decision.recommended; });
  column("after_step", [](const auto& decision) { return decision.after_step; });
  column("after_rate", [](const auto& decision) { return decision.after_rate; });
  column("desired", [](const auto& decision) { return decision.desired; });
  column("add", [](const auto& decision) { return decision.add; });
  column("remove", [](const auto& decision) { return decision.remove; });
  column("policy", [](const auto& decision) { return decision.policy; });
  column("reasons", [](const auto& decision) { return static_cast<std::int32_t>(decision.reasons.bits); });
  json.end_object();
}

std::string_view name(Threshold::Side side) {
  switch (side) {
    case Threshold::Side::out:
      return "out";
    case Threshold::Side::in:
      return "in";
    case Threshold::Side::target:
      return "target";
  }
  return "out";
}

// Traffics that several runs share are written once.
struct Traffics {
  std::vector<const telemetry::Series*> series;

  std::size_t index_of(const telemetry::Series& wanted) {
    for (std::size_t i = 0; i < series.size(); ++i) {
      if (*series[i] == wanted) return i;
    }
    series.push_back(&wanted);
    return series.size() - 1;
  }
};

struct Run {
  std::string name;
  std::string traffic;  // for people: "the last 14 weeks"
  const sim::Rehearsal* rehearsal;
  const policy::Scaling* scaling;
};

// So many events and instances at most stand in the page; the record of the run has all.
constexpr std::size_t kEventsMax = 2'000;
constexpr std::size_t kInstancesMax = 100;

// What instances with identities give; nothing where a rehearsal knows counts only.
void write_identities(JsonWriter& json, const sim::Rehearsal& rehearsal) {
  if (!rehearsal.groups.empty()) {
    json.key("groups").begin_array();
    for (const std::string& group : rehearsal.groups) json.text(group);
    json.end_array();
  }
  if (!rehearsal.zones.empty()) {
    json.key("zones").begin_array();
    for (const sim::ZoneCounts& zone : rehearsal.zones) {
      json.begin_object();
      json.key("zone").text(zone.zone);
      write_integers(json, "in_service", zone.in_service);
      write_integers(json, "launching", zone.launching);
      write_integers(json, "draining", zone.draining);
      write_integers(json, "stopped", zone.stopped);
      write_integers(json, "failed", zone.failed);
      json.end_object();
    }
    json.end_array();
  }
  if (!rehearsal.failed_requests_per_second.empty()) {
    write_numbers(json, "failed_requests_per_second", rehearsal.failed_requests_per_second);
  }
  if (!rehearsal.faults.empty()) {
    json.key("faults").begin_array();
    for (const sim::FaultPeriod& fault : rehearsal.faults) {
      json.begin_object();
      json.key("from").integer(fault.from);
      json.key("to").integer(fault.to);
      json.key("kind").text(fault.kind);
      json.key("where").text(fault.where);
      json.end_object();
    }
    json.end_array();
  }
  if (!rehearsal.events.empty()) {
    json.key("event_count").natural(rehearsal.events.size());
    json.key("events").begin_array();
    for (std::size_t i = 0; i < std::min(kEventsMax, rehearsal.events.size()); ++i) {
      const sim::EventRecord& event = rehearsal.events[i];
      json.begin_object();
      json.key("tick").integer(event.tick);
      json.key("name").text(event.name);
      json.key("subject").text(event.subject);
      json.key("why").text(event.why);
      json.end_object();
    }
    json.end_array();
  }
  if (!rehearsal.instances.empty()) {
    const std::size_t shown = std::min(kInstancesMax, rehearsal.instances.size());
    json.key("instance_count").natural(rehearsal.instances.size());
    json.key("instances");
    write_instances(json, std::span(rehearsal.instances).first(shown));
  }
}

void write_run(JsonWriter& json, const Run& run, const environment::Objective& objective,
               Traffics& traffics) {
  const sim::Rehearsal& rehearsal = *run.rehearsal;
  json.begin_object();
  json.key("name").text(run.name);
  json.key("traffic_text").text(run.traffic);
  json.key("traffic").natural(traffics.index_of(rehearsal.requests_per_second));
  json.key("seed").natural(rehearsal.seed);
  json.key("summary");
  write_summary(json, rehearsal.summary);
  json.key("policies").begin_array();
  for (const policy::Policy& policy : run.scaling->policies) json.text(policy_text(policy));
  json.end_array();
  json.key("limits").begin_object();
  // The limits are those of each zone where these scale apart; the chart stacks the zones.
  const auto zones = static_cast<std::int64_t>(std::max<std::size_t>(1, rehearsal.groups.size()));
  json.key("text").text(limits_text(run.scaling->limits, rehearsal.groups.size()));
  json.key("min").integer(run.scaling->limits.min * zones);
  json.key("max").integer(run.scaling->limits.max * zones);
  json.end_object();
  json.key("thresholds").begin_array();
  for (const Threshold& threshold : thresholds(*run.scaling)) {
    json.begin_object();
    json.key("metric").text(threshold.metric == policy::Metric::cpu ? "cpu" : "requests");
    json.key("value").number(threshold.value);
    json.key("side").text(name(threshold.side));
    json.end_object();
  }
  json.end_array();

  const sim::Trajectory& trajectory = rehearsal.trajectory;
  write_numbers(json, "cpu_percent", rehearsal.cpu_percent);
  write_numbers(json, "p95_ms", rehearsal.p95_ms);
  write_integers(json, "in_service", trajectory.in_service);
  write_integers(json, "launching", trajectory.launching);
  write_integers(json, "draining", trajectory.draining);
  const auto hourly = [](double usd, double hours) { return hours > 0 ? usd / hours : 0.0; };
  json.key("usd_per_in_service_hour")
      .number(hourly(rehearsal.summary.cost_in_service_usd, rehearsal.summary.instance_hours));
  json.key("usd_per_launching_hour")
      .number(hourly(rehearsal.summary.cost_launching_usd, rehearsal.summary.launching_hours));
  json.key("usd_per_draining_hour")
      .number(hourly(rehearsal.summary.cost_draining_usd, rehearsal.summary.draining_hours));
  std::vector<std::int32_t> edges;
  for (const auto& [first, last] : violations(rehearsal, objective)) {
    edges.push_back(first);
    edges.push_back(last);
  }
  json.key("violation_count").natural(edges.size() / 2);
  write_integers(json, "violations", edges);
  json.key("decisions");
  write_decisions(json, rehearsal);
  write_identities(json, rehearsal);
  json.key("notes").begin_array();
  for (const std::string& note : rehearsal.notes) json.text(note);
  json.end_array();
  json.end_object();
}

void write_candidate_points(JsonWriter& json, const std::vector<tune::Candidate>& candidates) {
  json.begin_array();
  for (const tune::Candidate& candidate : candidates) {
    json.begin_object();
    json.key("index").integer(candidate.index);
    json.key("feasible").boolean(candidate.feasible);
    json.key("parameters");
    write_parameters(json, candidate.parameters);
    json.key("cost_usd_per_month")
        .number(usd_per_month(candidate.score.cost_usd.mean, candidate.score.duration));
    json.key("objective_violation_percent").number(candidate.score.objective_violation_percent.mean);
    json.key("downtime_percent")
        .number(percent_of(candidate.score.downtime_minutes.mean, candidate.score.duration));
    json.key("cpu_percent_mean").number(candidate.score.cpu_percent_mean.mean);
    json.end_object();
  }
  json.end_array();
}

std::string page_json(const std::string& kind, const std::string& environment,
                      const std::string& service_name, const environment::Service& service,
                      const std::vector<Run>& runs, const tune::Outcome* outcome) {
  const environment::Objective& objective = service.objective;
  JsonWriter json(JsonLayout::one_line, JsonUse::inside_html);
  json.begin_object();
  json.key("format").integer(kPageFormat);
  json.key("kind").text(kind);
  json.key("environment").text(environment);
  json.key("service").text(service_name);

  json.key("objective").begin_object();
  json.key("text").text(objective_text(objective));
  json.key("cpu_percent").number(objective.cpu ? objective.cpu->value() : std::nan(""));
  json.key("p95_ms").number(objective.p95 ? 1000 * base::seconds(*objective.p95) : std::nan(""));
  json.key("violation_percent_allowed").number(100 * (1 - objective.share));
  json.end_object();

  json.key("reasons").begin_array();
  for (int bit = 0; bit < policy::kReasonCount; ++bit) {
    json.text(policy::sentence(policy::Reasons{1u << static_cast<unsigned>(bit)}));
  }
  json.end_array();

  Traffics traffics;
  json.key("runs").begin_array();
  for (const Run& run : runs) write_run(json, run, objective, traffics);
  json.end_array();
  json.key("traffics").begin_array();
  for (const telemetry::Series* series : traffics.series) {
    json.begin_object();
    json.key("start_ms").integer(series->start.count());
    json.key("tick_ms").integer(series->tick.count());
    json.key("calendar").boolean(has_calendar(series->start));
    json.key("count").natural(series->size());
    write_numbers(json, "requests_per_second", series->values);
    json.end_object();
  }
  json.end_array();

  json.key("outcome");
  if (outcome == nullptr) {
    json.null();
  } else {
    write_outcome(json, *outcome);
  }
  if (outcome != nullptr) {
    json.key("sample");
    write_candidate_points(json, outcome->sample);
  }
  json.end_object();
  return json.str();
}

std::string title_of(const std::string& environment, const std::string& service, std::string_view what) {
  return fmt::format("{} / {}: {}", environment, service, what);
}

}  // namespace

std::string report_html(const sim::Rehearsal& rehearsal, const environment::Service& service) {
  const std::vector<Run> runs{{"rehearsal", "", &rehearsal, &service.scale.scaling}};
  return page_html(title_of(rehearsal.environment, rehearsal.service, "rehearsal"),
                   rehearsal_text(rehearsal, service),
                   page_json("rehearsal", rehearsal.environment, rehearsal.service, service, runs, nullptr));
}

std::string report_html(const tune::Outcome& outcome, const environment::Service& service) {
  std::vector<Run> runs;
  const policy::Scaling* tuned = nullptr;
  for (const tune::Contender& contender : outcome.unseen) {
    const bool has_policies = !contender.scaling.policies.empty();
    const bool present = !has_policies && contender.name == "present";
    if (contender.name == "tuned") tuned = &contender.scaling;
    if (contender.rehearsal.requests_per_second.size() == 0 || runs.size() + 1 >= kRunsMax) continue;
    runs.push_back({contender.name, outcome.unseen_description, &contender.rehearsal,
                    present ? &service.scale.scaling : &contender.scaling});
  }
  static const policy::Scaling kUnstated;
  if (outcome.rehearsal.requests_per_second.size() > 0) {
    runs.push_back(
        {"tuned", "the traffic it was tuned on", &outcome.rehearsal, tuned != nullptr ? tuned : &kUnstated});
  }
  return page_html(title_of(outcome.environment, outcome.service, "tuned policy"),
                   outcome_text(outcome, service.objective, Timing::omitted),
                   page_json("tune", outcome.environment, outcome.service, service, runs, &outcome));
}

}  // namespace headroom::report
