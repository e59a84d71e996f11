#include "report/load_records.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "report/load_sample.hpp"
#include "report/load_text.hpp"

namespace headroom::report {
namespace {

using Names = std::set<std::string>;

// The keys of `outcomes` and `statuses` of histograms.json are values.
void collect(const nlohmann::json& value, Names& names) {
  if (value.is_object()) {
    for (const auto& [name, inner] : value.items()) {
      names.insert(name);
      if (!inner.is_object() || (name != "outcomes" && name != "statuses")) collect(inner, names);
    }
  } else if (value.is_array()) {
    for (const auto& inner : value) collect(inner, names);
  }
}

Names names_in(const std::string& json) {
  Names names;
  collect(nlohmann::json::parse(json), names);
  return names;
}

// What stands in backquotes in the first column of the tables below `heading`.
Names documented(const std::string& heading) {
  std::ifstream file(HEADROOM_SOURCE_DIR "/docs/reference/json.md");
  Names names;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## " + heading;
    if (!inside || !line.starts_with("| `")) continue;
    std::istringstream cell(line.substr(1, line.find(" |", 2) - 1));
    std::string between;
    for (std::string name; std::getline(cell, between, '`') && std::getline(cell, name, '`');)
      names.insert(name);
  }
  return names;
}

LoadRun with_everything() {
  LoadRun run = sample_load(20);
  for (const char* text : {"late > 1%", "sent.p99 > 1s"}) {
    run.verdicts.push_back(load::judge(*load::parse_threshold(text), run.measured));
  }
  return run;
}

TEST(LoadRecords, DocumentNamesWhatIsWrittenAndNothingElse) {
  const LoadRun run = with_everything();
  Names columns;
  std::istringstream heading(load_series_csv(run).substr(0, load_series_csv(run).find('\n')));
  for (std::string name; std::getline(heading, name, ',');) columns.insert(name);
  EXPECT_EQ(columns, documented("load: series.csv"));
  EXPECT_EQ(names_in(load_histograms_json(run)), documented("load: histograms.json"));
  Names outcomes;
  for (std::size_t i = 1; i < load::kOutcomes; ++i) {
    std::string name(load::words(static_cast<load::Outcome>(i)));
    std::replace(name.begin(), name.end(), ' ', '_');
    outcomes.insert(name);
  }
  EXPECT_EQ(names_in(load_summary_json(run)), documented("load: summary.json"));
  std::ifstream file(HEADROOM_SOURCE_DIR "/docs/reference/json.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const std::string& name : outcomes)
    EXPECT_NE(text.str().find("`" + name + "`"), std::string::npos) << name;
}

TEST(LoadRecords, WhatIsWrittenIsReadAgainTheSame) {
  LoadRun run = with_everything();
  run.open = false;
  run.stopped = true;
  run.shards = {2, 5};
  run.shards_of = 6;
  run.measured.interrupted = 3;
  run.measured.seconds.emplace_back();  // in which nothing ended
  run.measured.seconds.back().generator_cores = 0.1 + 0.2;
  const auto read = read_load_histograms(load_histograms_json(run), "histograms.json");
  ASSERT_TRUE(read) << base::to_string(read.error());
  EXPECT_EQ(*read, run);
}

TEST(LoadRecords, ARecordThatIsBrokenIsRefusedWithItsName) {
  const std::string good = load_histograms_json(sample_load(2));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  const std::vector<std::string> broken = {
      "",
      "{}",
      "[]",
      good.substr(0, good.size() / 2),
      with("\"format\": 1", "\"format\": 2"),
      with("\"shards\": [1]", "\"shards\": [2]"),
      with("\"shards\": [1]", "\"shards\": []"),
      with("\"shards\": [1]", "\"shards\": [\"one\"]"),
      with("\"first_bucket\": ", "\"first_bucket\": 1"),
      with("\"answered\"", "\"vanished\""),
      with("\"200\"", "\"2x0\""),
      with("p99 > 500ms", "p99 > 500"),
      with("\"seconds\"", "\"minutes\""),
      with("\"shards_of\": 1", "\"shards_of\": 1000000000000000000"),
      with("\"start_ms_since_1970\": ", "\"start_ms_since_1970\": 99999"),
      with("\"duration_ns\": ", "\"duration_ns\": -"),
      with("\"generator_threads\": ", "\"generator_threads\": -")};
  for (const std::string& text : broken) {
    const auto read = read_load_histograms(text, "runs/a/histograms.json");
    ASSERT_FALSE(read) << text.substr(0, 200);
    EXPECT_EQ(read.error().faults.front().place.file, "runs/a/histograms.json");
    EXPECT_EQ(read.error().faults.front().what.find("[json"), std::string::npos);
  }
}

TEST(LoadRecords, WhateverByteIsWrongTheRecordIsRefusedOrOneOfARun) {
  LoadRun run;
  run.name = "small";
  run.measured.duration = std::chrono::seconds(1);
  load::Group group{"GET /", {}};
  group.tally.counts.outcomes[0] = 12;
  group.tally.counts.statuses[200] = 12;
  group.tally.from_schedule_ms.add(10, 12);
  run.measured.requests = {group};
  load::Second second;
  second.due = 12;
  second.from_schedule_ms.add(10, 12);
  run.measured.seconds = {second};
  const std::string good = load_histograms_json(run);
  std::size_t read_again = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char* wrong : {"9", "-", "]", ""}) {
      std::string text = good;
      text.replace(at, 1, wrong);
      const auto read = read_load_histograms(text, "histograms.json");
      if (!read) continue;
      ++read_again;
      EXPECT_EQ(read_load_histograms(load_histograms_json(*read), "histograms.json").value(), *read) << at;
      EXPECT_FALSE(load_text(*read).empty());
    }
  }
  EXPECT_GT(read_again, 10U) << "some bytes are digits of counts";
}

TEST(LoadRecords, ASecondIsARow) {
  LoadRun run;
  load::Second second;
  second.due = 5;
  second.sent = 4;
  second.answered = 2;
  second.failed = 1;
  second.under_way_most = 3;
  second.generator_cores = 0.25;
  second.from_schedule_ms.add(100, 2);
  second.from_schedule_ms.add(300);
  second.from_sending_ms.add(100, 2);
  run.measured.seconds = {second, {}};
  const std::string csv = load_series_csv(run);
  // 100 falls into [100, 100.5), whose middle is 100.25 (histogram.hpp); the largest value is exact.
  EXPECT_EQ(csv.substr(csv.find('\n') + 1),
            "0,5,4,2,1,100.25,300,300,300,300,100,100,100,100,100,3,0.25\n1,0,0,0,0,,,,,,,,,,,0,0\n");
}

}  // namespace
}  // namespace headroom::report
