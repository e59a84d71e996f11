#include "report/records.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "report/sample.hpp"

namespace headroom::report {
namespace {

using Names = std::set<std::string>;

void collect(const nlohmann::json& value, Names& names) {
  if (value.is_object()) {
    for (const auto& [name, inner] : value.items()) {
      names.insert(name);
      if (name != "parameters") collect(inner, names);  // its names are those of the user's file
    }
  } else if (value.is_array()) {
    for (const auto& inner : value) collect(inner, names);
  }
}

Names columns_of(const std::string& csv) {
  Names names;
  std::istringstream heading(csv.substr(0, csv.find('\n')));
  for (std::string name; std::getline(heading, name, ',');) names.insert(name);
  return names;
}

// The names in the first column of the tables below `heading`, until the next heading of the same depth.
Names documented(const std::string& heading) {
  std::ifstream file(HEADROOM_SOURCE_DIR "/docs/reference/json.md");
  Names names;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## " + heading;
    if (!inside || !line.starts_with("| `")) continue;
    // A cell may name several: "| `cost_usd`, `cost_usd_low` | ...".
    std::string cell = line.substr(1, line.find(" |", 2) - 1);
    for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at)) {
      const std::size_t end = cell.find('`', at + 1);
      names.insert(cell.substr(at + 1, end - at - 1));
      at = end + 1;
    }
  }
  return names;
}

const base::Milliseconds kJuly{1'404'172'800'000};  // 2014-07-01T00:00:00Z

TEST(Records, DocumentNamesEveryColumnOfTheSeries) {
  Names written = columns_of(series_csv(sample_rehearsal({.ticks = 3, .latency = true})));
  written.merge(columns_of(series_csv(sample_rehearsal({.start = kJuly, .ticks = 3}))));
  for (std::string name : columns_of(series_csv(sample_rehearsal({.ticks = 3, .zones = true})))) {
    if (name.starts_with("zone_b_")) continue;  // as those of a
    if (name.starts_with("zone_a_")) name.replace(5, 1, "NAME");
    written.insert(name);
  }
  EXPECT_EQ(written, documented("series.csv"));
}

TEST(Records, DocumentNamesEveryMemberOfADecision) {
  Names written;
  for (const base::Milliseconds start : {base::Milliseconds{0}, kJuly}) {
    std::istringstream lines(
        decisions_jsonl(sample_rehearsal({.start = start, .ticks = 3, .zones = true, .groups = true})));
    for (std::string line; std::getline(lines, line);) collect(nlohmann::json::parse(line), written);
  }
  EXPECT_EQ(written, documented("decisions.jsonl"));
}

TEST(Records, DocumentNamesEveryReason) {
  std::ifstream file(HEADROOM_SOURCE_DIR "/docs/reference/json.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const std::string_view reason : policy::names(policy::Reasons{(1u << policy::kReasonCount) - 1})) {
    EXPECT_NE(text.find("`" + std::string(reason) + "`"), std::string::npos) << reason;
  }
}

TEST(Records, DocumentNamesEveryMemberOfASummary) {
  Names written;
  for (const base::Milliseconds start : {base::Milliseconds{0}, kJuly}) {
    const auto rehearsal = sample_rehearsal({.start = start, .ticks = 3, .zones = true});
    collect(nlohmann::json::parse(summary_json(rehearsal)), written);
  }
  EXPECT_EQ(written, documented("summary.json and `simulate --json`"));
}

TEST(Records, DocumentNamesEveryMemberOfAnOutcome) {
  Names written;
  tune::Outcome made = sample_outcome({.ticks = 300});
  made.best.score.profit_usd = tune::Estimate{2, 1, 3};  // only where the objective states a profit
  made.sensitivities.front().profit_usd = tune::Range{1, 3};
  const auto outcome = nlohmann::json::parse(outcome_json(made));
  auto rest = outcome;
  rest["best"].erase("summary");  // its members are documented with summary.json
  collect(rest, written);
  written.insert("summary");
  EXPECT_EQ(written, documented("`tune --json`"));
}

TEST(Records, TheFixedNamesOfTheDesignStand) {
  const auto summary = nlohmann::json::parse(summary_json(sample_rehearsal({.ticks = 3})))["summary"];
  for (const char* name : {"cpu_percent_mean", "cpu_percent_max", "instances_max", "instance_hours",
                           "cost_usd", "objective_violation_minutes", "scale_outs", "scale_ins"}) {
    EXPECT_TRUE(summary.contains(name)) << name;
  }
  tune::Outcome made = sample_outcome({.ticks = 300});
  made.best.score.profit_usd = tune::Estimate{2, 1, 3};  // only where the objective states a profit
  made.sensitivities.front().profit_usd = tune::Range{1, 3};
  const auto outcome = nlohmann::json::parse(outcome_json(made));
  for (const char* name : {"evaluated", "feasible", "best", "front"})
    EXPECT_TRUE(outcome.contains(name)) << name;
  EXPECT_TRUE(outcome["best"].contains("parameters"));
  EXPECT_TRUE(outcome["best"]["summary"].contains("cpu_percent_mean"));
}

TEST(Records, NumbersPassThroughUnrounded) {
  sim::Rehearsal rehearsal = sample_rehearsal({.ticks = 3});
  rehearsal.summary.cpu_percent_mean = 16.876190999999998;
  rehearsal.seed = 18446744073709551615ULL;
  const auto parsed = nlohmann::json::parse(summary_json(rehearsal));
  EXPECT_EQ(parsed["summary"]["cpu_percent_mean"].get<double>(), 16.876190999999998);
  EXPECT_EQ(parsed["seed"].get<std::uint64_t>(), 18446744073709551615ULL);
}

TEST(Records, SeriesHasARowPerTickAndEmptyFieldsForWhatIsMissing) {
  sim::Rehearsal rehearsal;
  rehearsal.requests_per_second.values = {1.5, 2};
  rehearsal.cpu_percent = {std::nan(""), 50.25};
  rehearsal.trajectory.in_service = {1, 2};
  rehearsal.trajectory.launching = {1, 0};
  rehearsal.trajectory.draining = {0, 0};
  EXPECT_EQ(series_csv(rehearsal),
            "minute,requests_per_second,cpu_percent,in_service_instances,launching_instances,"
            "draining_instances,desired_instances,cost_usd_cumulative\n"
            "0,1.5,,1,1,0,2,0\n"
            "1,2,50.25,2,0,0,2,0\n");
  rehearsal.requests_per_second.start = kJuly;
  EXPECT_NE(series_csv(rehearsal).find("\n2014-07-01T00:01:00Z,2,50.25,"), std::string::npos);
}

TEST(Records, ADecisionIsOneLineWithItsReasonsByName) {
  sim::Rehearsal rehearsal;
  rehearsal.requests_per_second.tick = base::Milliseconds{30'000};
  sim::DecisionRecord decision;
  decision.tick = 3;
  decision.cpu_percent_seen = std::nanf("");
  decision.recommended = 9;
  decision.desired = 5;
  decision.add = 2;
  decision.reasons.bits = static_cast<std::uint32_t>(policy::Reason::missing_metric) |
                          static_cast<std::uint32_t>(policy::Reason::at_max);
  rehearsal.trajectory.decisions = {decision};
  EXPECT_EQ(decisions_jsonl(rehearsal),
            "{\"tick\": 3, \"minute\": 1.5, \"cpu_percent_seen\": null, "
            "\"requests_per_second_per_instance_seen\": 0, \"requests_per_second_seen\": null, "
            "\"in_service_instances\": 0, \"launching_instances\": 0, \"recommended_instances\": 9, "
            "\"after_step_limit_instances\": 0, "
            "\"after_rate_limit_instances\": 0, \"desired_instances\": 5, \"add_instances\": 2, "
            "\"remove_instances\": 0, \"policy\": null, \"reasons\": [\"missing_metric\", \"at_max\"]}\n");
}

TEST(Records, WhatOnlyInstancesHaveIsLeftOutOfCounts) {
  const sim::Rehearsal counts = sample_rehearsal({.ticks = 30});
  const auto written = nlohmann::json::parse(summary_json(counts));
  for (const char* name : {"instances", "faults", "events"}) EXPECT_FALSE(written.contains(name)) << name;
  for (const char* name : {"launches", "charged_hours", "warnings_at_max"}) {
    EXPECT_FALSE(written["summary"].contains(name)) << name;
  }
  EXPECT_EQ(series_csv(counts).find("stopped"), std::string::npos);
  EXPECT_EQ(decisions_jsonl(counts).find("group"), std::string::npos);
}

TEST(Records, SeriesTellsStoppedAndFailedAndEachOfSeveralZones) {
  sim::Rehearsal rehearsal;
  rehearsal.requests_per_second.values = {1};
  rehearsal.cpu_percent = {50};
  rehearsal.trajectory.in_service = {3};
  rehearsal.trajectory.launching = {1};
  rehearsal.trajectory.draining = {0};
  rehearsal.zones = {{"a", {3}, {0}, {0}, {2}, {0}}};
  EXPECT_EQ(series_csv(rehearsal),
            "minute,requests_per_second,cpu_percent,in_service_instances,launching_instances,"
            "draining_instances,stopped_instances,failed_instances,desired_instances,cost_usd_cumulative\n"
            "0,1,50,3,1,0,2,0,4,0\n");
  // A name that means something to CSV is quoted.
  rehearsal.zones.push_back({"b,\"c\"", {0}, {1}, {0}, {0}, {4}});
  rehearsal.failed_requests_per_second = {0.25};
  const std::string csv = series_csv(rehearsal);
  EXPECT_NE(csv.find(",zone_a_failed_instances,\"zone_b,\"\"c\"\"_in_service_instances\","),
            std::string::npos);
  EXPECT_NE(csv.find(",failed_requests_per_second\n0,1,50,3,1,0,2,4,4,0,3,0,0,2,0,0,1,0,0,4,0.25\n"),
            std::string::npos)
      << csv;
}

TEST(Records, ADecisionOfAGroupIsNewsToItsGroupOnly) {
  sim::Rehearsal rehearsal;
  rehearsal.groups = {"a", "b"};
  for (const std::int32_t tick : {0, 1}) {
    for (const std::int32_t group : {0, 1}) {
      sim::DecisionRecord decision;
      decision.tick = tick;
      decision.group = group;
      decision.desired = group + 1;  // the same each time, but not that of the other group
      rehearsal.trajectory.decisions.push_back(decision);
    }
  }
  const std::string lines = decisions_jsonl(rehearsal);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_NE(lines.find("\"minute\": 0, \"group\": \"b\""), std::string::npos);
}

TEST(Records, AnInstanceIsWrittenWithItsBill) {
  sim::Rehearsal rehearsal;
  rehearsal.requests_per_second.values = {1};
  rehearsal.instances = {{"i-2", "a", 3, 144.382, 5, 0.1}};
  const auto written = nlohmann::json::parse(summary_json(rehearsal))["instances"];
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0], nlohmann::json::parse(R"({"id": "i-2", "zone": "a", "launches": 3,
      "runtime_minutes": 144.382, "charged_hours": 5, "cost_usd": 0.1})"));
}

TEST(Records, TheWallTimeOfASearchIsNoPartOfItsRecord) {
  tune::Outcome outcome = sample_outcome({.ticks = 60});
  const std::string first = outcome_json(outcome);
  outcome.seconds = 99;
  EXPECT_EQ(outcome_json(outcome), first);
}

}  // namespace
}  // namespace headroom::report
