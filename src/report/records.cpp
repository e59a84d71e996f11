#include "report/records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <vector>

#include "report/per_tick.hpp"
#include "report/words.hpp"

namespace headroom::report {
namespace {

// The time of a tick as the records write it: a date where the traffic has one, else minutes from the start.
struct TickTime {
  base::Milliseconds start;
  base::Milliseconds tick;
  bool calendar;

  explicit TickTime(const telemetry::Series& series)
      : start(series.start), tick(series.tick), calendar(has_calendar(series.start)) {}

  std::string_view name() const { return calendar ? "time_utc" : "minute"; }
  std::string text(std::int64_t index) const {
    return calendar ? utc_text(start + tick * index) : exact_text(base::minutes(tick * index));
  }
};

void write_time(JsonWriter& json, const TickTime& time, std::int32_t tick) {
  json.key(time.name());
  if (time.calendar) {
    json.text(time.text(tick));
  } else {
    json.number(base::minutes(time.tick * tick));
  }
}

// A name of the user's as a field of CSV.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

// The counts by zone, where there is more than one: the only zone of a service is the service.
std::span<const sim::ZoneCounts> zones_apart(const sim::Rehearsal& rehearsal) {
  if (rehearsal.zones.size() < 2) return {};
  return rehearsal.zones;
}

void write_estimate(JsonWriter& json, std::string_view name, const tune::Estimate& estimate) {
  json.key(name).number(estimate.mean);
  json.key(fmt::format("{}_low", name)).number(estimate.low);
  json.key(fmt::format("{}_high", name)).number(estimate.high);
}

void write_candidate(JsonWriter& json, const tune::Candidate& candidate) {
  json.begin_object();
  json.key("index").integer(candidate.index);
  json.key("feasible").boolean(candidate.feasible);
  json.key("parameters");
  write_parameters(json, candidate.parameters);
  json.key("score");
  write_score(json, candidate.score);
  json.end_object();
}

void write_texts(JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
}

}  // namespace

std::string series_csv(const sim::Rehearsal& rehearsal) {
  const TickTime time(rehearsal.requests_per_second);
  const sim::Trajectory& trajectory = rehearsal.trajectory;
  const std::vector<std::int32_t> desired = desired_instances(rehearsal);
  const std::vector<double> cost = cumulative_cost_usd(rehearsal);
  const bool latency = !rehearsal.p95_ms.empty();

  std::string text(time.name());
  text += ",requests_per_second,cpu_percent,";
  if (latency) text += "p95_ms,";
  text += "in_service_instances,launching_instances,draining_instances,";
  if (!rehearsal.zones.empty()) text += "stopped_instances,failed_instances,";
  text += "desired_instances,cost_usd_cumulative";
  const auto zones = zones_apart(rehearsal);
  for (const sim::ZoneCounts& zone : zones) {
    for (const char* state : {"in_service", "launching", "draining", "stopped", "failed"}) {
      text += ',' + csv_field(fmt::format("zone_{}_{}_instances", zone.zone, state));
    }
  }
  if (!rehearsal.failed_requests_per_second.empty()) text += ",failed_requests_per_second";
  text += '\n';
  const auto out = std::back_inserter(text);
  // An empty field where a number is missing, as spreadsheets and pandas read it.
  const auto number = [&](double value) {
    if (std::isfinite(value)) fmt::format_to(out, "{}", value);
    text += ',';
  };
  for (std::size_t i = 0; i < rehearsal.requests_per_second.size(); ++i) {
    text += time.text(static_cast<std::int64_t>(i));
    text += ',';
    number(rehearsal.requests_per_second.values[i]);
    number(rehearsal.cpu_percent[i]);
    if (latency) number(rehearsal.p95_ms[i]);
    fmt::format_to(out, "{},{},{},", trajectory.in_service[i], trajectory.launching[i],
                   trajectory.draining[i]);
    if (!rehearsal.zones.empty()) {
      std::int32_t stopped = 0;
      std::int32_t failed = 0;
      for (const sim::ZoneCounts& zone : rehearsal.zones) {
        stopped += zone.stopped[i];
        failed += zone.failed[i];
      }
      fmt::format_to(out, "{},{},", stopped, failed);
    }
    fmt::format_to(out, "{},{}", desired[i], cost[i]);
    for (const sim::ZoneCounts& zone : zones) {
      fmt::format_to(out, ",{},{},{},{},{}", zone.in_service[i], zone.launching[i], zone.draining[i],
                     zone.stopped[i], zone.failed[i]);
    }
    if (!rehearsal.failed_requests_per_second.empty()) {
      text += ',';
      const double failed = rehearsal.failed_requests_per_second[i];
      if (std::isfinite(failed)) fmt::format_to(out, "{}", failed);
    }
    text += '\n';
  }
  return text;
}

std::string decisions_jsonl(const sim::Rehearsal& rehearsal) {
  const TickTime time(rehearsal.requests_per_second);
  std::string text;
  std::vector<const sim::DecisionRecord*> last(std::max<std::size_t>(1, rehearsal.groups.size()), nullptr);
  for (const sim::DecisionRecord& decision : rehearsal.trajectory.decisions) {
    const auto group = static_cast<std::size_t>(decision.group);
    const sim::DecisionRecord*& before = last[group];
    // Weeks of "within the band" are one line: the same again, with nothing done, is left out.
    const bool news = before == nullptr || decision.add > 0 || decision.remove > 0 ||
                      !(decision.reasons == before->reasons) || decision.desired != before->desired;
    before = &decision;
    if (!news) continue;
    JsonWriter json(JsonLayout::one_line);
    json.begin_object();
    json.key("tick").integer(decision.tick);
    write_time(json, time, decision.tick);
    if (!rehearsal.groups.empty()) json.key("group").text(rehearsal.groups[group]);
    json.key("cpu_percent_seen").number(decision.cpu_percent_seen);
    json.key("requests_per_second_per_instance_seen").number(decision.requests_per_second_per_instance_seen);
    json.key("requests_per_second_seen").number(decision.requests_per_second_seen);
    json.key("in_service_instances").integer(decision.in_service);
    json.key("launching_instances").integer(decision.launching);
    json.key("recommended_instances").integer(decision.recommended);
    json.key("after_step_limit_instances").integer(decision.after_step);
    json.key("after_rate_limit_instances").integer(decision.after_rate);
    json.key("desired_instances").integer(decision.desired);
    json.key("add_instances").integer(decision.add);
    json.key("remove_instances").integer(decision.remove);
    json.key("policy");
    if (decision.policy < 0) {
      json.null();
    } else {
      json.integer(decision.policy);
    }
    json.key("reasons").begin_array();
    for (const std::string_view reason : policy::names(decision.reasons)) json.text(reason);
    json.end_array();
    json.end_object();
    text += json.str();
    text += '\n';
  }
  return text;
}

void write_summary(JsonWriter& json, const sim::Summary& summary) {
  json.begin_object();
  json.key("cpu_percent_mean").number(summary.cpu_percent_mean);
  json.key("cpu_percent_max").number(summary.cpu_percent_max);
  json.key("instances_max").integer(summary.instances_max);
  json.key("instances_mean").number(summary.instances_mean);
  json.key("instance_hours").number(summary.instance_hours);
  json.key("launching_hours").number(summary.launching_hours);
  json.key("draining_hours").number(summary.draining_hours);
  json.key("cost_usd").number(summary.cost_usd);
  json.key("cost_in_service_usd").number(summary.cost_in_service_usd);
  json.key("cost_launching_usd").number(summary.cost_launching_usd);
  json.key("cost_draining_usd").number(summary.cost_draining_usd);
  if (summary.launches > 0) {
    json.key("launches").integer(summary.launches);
    json.key("charged_hours").number(summary.charged_hours);
  }
  json.key("requests").number(summary.requests);
  json.key("requests_failed").number(summary.requests_failed);
  json.key("requests_waiting").number(summary.requests_waiting);
  json.key("availability_percent").number(summary.availability_percent);
  json.key("downtime_minutes").number(summary.downtime_minutes);
  json.key("profit_usd");
  if (summary.profit_usd) {
    json.number(*summary.profit_usd);
  } else {
    json.null();
  }
  json.key("objective_met").boolean(summary.objective_met);
  json.key("objective_violation_minutes").number(summary.objective_violation_minutes);
  json.key("objective_violation_percent").number(summary.objective_violation_percent);
  json.key("scale_outs").integer(summary.scale_outs);
  json.key("scale_ins").integer(summary.scale_ins);
  json.key("minutes_at_max").number(summary.minutes_at_max);
  json.key("minutes_at_min").number(summary.minutes_at_min);
  if (summary.warnings_at_max > 0) json.key("warnings_at_max").integer(summary.warnings_at_max);
  json.key("p95_ms_max");
  if (summary.p95_ms_max > 0) {
    json.number(summary.p95_ms_max);
  } else {
    json.null();
  }
  json.end_object();
}

void write_instances(JsonWriter& json, std::span<const sim::InstanceRecord> instances) {
  json.begin_array();
  for (const sim::InstanceRecord& instance : instances) {
    json.begin_object();
    json.key("id").text(instance.id);
    json.key("zone").text(instance.zone);
    json.key("launches").integer(instance.launches);
    json.key("runtime_minutes").number(instance.runtime_minutes);
    json.key("charged_hours").number(instance.charged_hours);
    json.key("cost_usd").number(instance.cost_usd);
    json.end_object();
  }
  json.end_array();
}

void write_parameters(JsonWriter& json, const tune::Parameters& parameters) {
  json.begin_object();
  for (const auto& [name, value] : parameters) json.key(name).number(value);
  json.end_object();
}

void write_score(JsonWriter& json, const tune::Score& score) {
  json.begin_object();
  write_estimate(json, "cost_usd", score.cost_usd);
  json.key("cost_usd_per_month").number(usd_per_month(score.cost_usd.mean, score.duration));
  write_estimate(json, "objective_violation_percent", score.objective_violation_percent);
  write_estimate(json, "cpu_percent_mean", score.cpu_percent_mean);
  json.key("cpu_percent_max").number(score.cpu_percent_max);
  write_estimate(json, "instance_hours", score.instance_hours);
  write_estimate(json, "downtime_minutes", score.downtime_minutes);
  json.key("downtime_percent").number(percent_of(score.downtime_minutes.mean, score.duration));
  if (score.profit_usd) {
    write_estimate(json, "profit_usd", *score.profit_usd);
    json.key("profit_usd_per_month").number(usd_per_month(score.profit_usd->mean, score.duration));
  }
  json.key("objective_met").boolean(score.objective_met);
  json.end_object();
}

void write_sensitivity(JsonWriter& json, const tune::Sensitivity& sensitivity, base::Milliseconds duration) {
  const auto range = [&](const char* name, const tune::Range& values, auto&& in_unit) {
    json.key(std::string(name) + "_low").number(in_unit(values.low));
    json.key(std::string(name) + "_high").number(in_unit(values.high));
  };
  const auto month = [&](double usd) { return usd_per_month(usd, duration); };
  const auto percent = [](double value) { return value; };
  json.begin_object();
  json.key("parameter").text(sensitivity.parameter);
  json.key("value").number(sensitivity.value);
  json.key("unchanged_low").number(sensitivity.unchanged_low);
  json.key("unchanged_high").number(sensitivity.unchanged_high);
  json.key("searched").boolean(sensitivity.searched);
  json.key("matters").boolean(sensitivity.matters);
  json.key("at_edge").boolean(sensitivity.at_edge);
  range("cost_usd_per_month", sensitivity.cost_usd, month);
  range("objective_violation_percent", sensitivity.violation_percent, percent);
  range("downtime_percent", sensitivity.downtime_minutes,
        [&](double minutes) { return percent_of(minutes, duration); });
  if (sensitivity.profit_usd) range("profit_usd_per_month", *sensitivity.profit_usd, month);
  json.end_object();
}

void write_outcome(JsonWriter& json, const tune::Outcome& outcome) {
  json.begin_object();
  json.key("environment").text(outcome.environment);
  json.key("service").text(outcome.service);
  json.key("aim").text(outcome.aim);
  json.key("evaluated").integer(outcome.evaluated);
  json.key("feasible").integer(outcome.feasible);
  json.key("invalid").integer(outcome.invalid);
  json.key("stopped_early").boolean(outcome.stopped_early);
  json.key("found").boolean(outcome.found);

  json.key("best").begin_object();
  json.key("index").integer(outcome.best.index);
  json.key("feasible_row");
  if (outcome.best_feasible_row < 0) {
    json.null();
  } else {
    json.integer(outcome.best_feasible_row);
  }
  json.key("parameters");
  write_parameters(json, outcome.best.parameters);
  json.key("summary");
  write_summary(json, outcome.best_summary);
  json.key("score");
  write_score(json, outcome.best.score);
  json.end_object();

  json.key("front").begin_array();
  for (const tune::Candidate& candidate : outcome.front) write_candidate(json, candidate);
  json.end_array();

  json.key("unseen_description").text(outcome.unseen_description);
  json.key("unseen").begin_array();
  for (const tune::Contender& contender : outcome.unseen) {
    json.begin_object();
    json.key("name").text(contender.name);
    json.key("evaluated").integer(contender.evaluated);
    json.key("parameters");
    write_parameters(json, contender.parameters);
    json.key("score");
    write_score(json, contender.score);
    json.end_object();
  }
  json.end_array();

  json.key("binding").text(outcome.binding);
  json.key("sensitivities").begin_array();
  for (const tune::Sensitivity& sensitivity : outcome.sensitivities) {
    write_sensitivity(json, sensitivity, outcome.best.score.duration);
  }
  json.end_array();
  json.key("variations").begin_array();
  for (const tune::Variation& variation : outcome.variations) {
    json.begin_object();
    json.key("name").text(variation.name);
    json.key("tuned");
    write_score(json, variation.tuned);
    json.key("present");
    write_score(json, variation.present);
    json.end_object();
  }
  json.end_array();
  json.key("notes");
  write_texts(json, outcome.notes);
  json.end_object();
}

std::string summary_json(const sim::Rehearsal& rehearsal,
                         const std::optional<tune::Replications>& replications) {
  const telemetry::Series& traffic = rehearsal.requests_per_second;
  JsonWriter json;
  json.begin_object();
  json.key("environment").text(rehearsal.environment);
  json.key("service").text(rehearsal.service);
  json.key("seed").natural(rehearsal.seed);
  json.key("start_utc");
  if (has_calendar(traffic.start)) {
    json.text(utc_text(traffic.start));
  } else {
    json.null();
  }
  json.key("duration_hours").number(base::hours(traffic.duration()));
  json.key("tick_seconds").number(base::seconds(traffic.tick));
  json.key("cost_usd_per_month").number(usd_per_month(rehearsal.summary.cost_usd, traffic.duration()));
  json.key("summary");
  write_summary(json, rehearsal.summary);
  if (replications) {
    json.key("replications").begin_object();
    json.key("count").integer(replications->count);
    json.key("score");
    write_score(json, replications->score);
    json.end_object();
  }
  const TickTime time(traffic);
  if (!rehearsal.instances.empty()) {
    json.key("instances");
    write_instances(json, rehearsal.instances);
  }
  if (!rehearsal.faults.empty()) {
    json.key("faults").begin_array();
    for (const sim::FaultPeriod& fault : rehearsal.faults) {
      json.begin_object();
      json.key("tick").integer(fault.from);
      write_time(json, time, fault.from);
      json.key("duration_minutes").number(base::minutes(time.tick * (fault.to - fault.from)));
      json.key("kind").text(fault.kind);
      json.key("where").text(fault.where);
      json.end_object();
    }
    json.end_array();
  }
  if (!rehearsal.events.empty()) {
    json.key("events").begin_array();
    for (const sim::EventRecord& event : rehearsal.events) {
      json.begin_object();
      json.key("tick").integer(event.tick);
      write_time(json, time, event.tick);
      json.key("name").text(event.name);
      json.key("subject").text(event.subject);
      json.key("why").text(event.why);
      json.end_object();
    }
    json.end_array();
  }
  json.key("notes");
  write_texts(json, rehearsal.notes);
  json.end_object();
  return json.str() + '\n';
}

std::string outcome_json(const tune::Outcome& outcome) {
  JsonWriter json;
  write_outcome(json, outcome);
  return json.str() + '\n';
}

}  // namespace headroom::report
