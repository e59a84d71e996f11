#include "report/load_text.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "report/layout.hpp"
#include "report/load_sample.hpp"

namespace headroom::report {
namespace {

void expect_80_columns(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns_of(line), kTextColumns) << line;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(LoadText, NoLineIsLongerThanTheTerminal) {
  LoadRun run = sample_load(30);
  expect_80_columns(load_text(run));
  // Large figures, many stages, long names and escapes, warnings, a part that was stopped.
  run.name = std::string(90, 'n') + "\x1b[2J";
  run.url += std::string(300, 'x');
  run.shards_of = 3;
  run.stopped = true;
  run.measured.interrupted = 123;
  for (load::Second& second : run.measured.seconds) second.generator_cores = 1;
  run.measured.lateness_ms.add(123'456.7, 1'000'000'000);
  run.measured.connections = 12'345'678'901;
  run.measured.retried = 12'345'678;
  for (int i = 0; i < 100; ++i) {
    run.measured.stages.push_back({std::string(60, 's'), {}});
    run.measured.stages.back().tally.from_schedule_ms.add(3'600'000, 1'000'000'000);
    run.measured.stages.back().tally.counts.outcomes[1] = 1'000'000'000;
  }
  run.measured.requests[0].tally.from_schedule_ms.add(3'600'000, 1'000'000'000'000);
  const std::string text = load_text(run);
  expect_80_columns(text);
  EXPECT_FALSE(says(text, "\x1b"));
  EXPECT_TRUE(says(text, "and 82 more, in summary.json"));  // of 102, 20 are shown
  for (const char* part :
       {"WARNING: ", "PART OF THE TRAFFIC: shard 1 of 3.", "STOPPED EARLY: 123 requests"}) {
    EXPECT_TRUE(says(text, part)) << part;
  }
}

TEST(LoadText, EachThresholdIsToldWithItsValueAndWhetherItHeld) {
  const std::string text = load_text(sample_load(30));
  EXPECT_TRUE(says(text, "THRESHOLDS FAILED"));
  EXPECT_TRUE(says(text, "    errors > 5%                              0.333 %   held\n")) << text;
  // 30 s of 100 requests, of which 4 hang and 6 are refused by the service: 2,990, the last in the
  // thirtieth second.
  EXPECT_TRUE(says(text, "    rate < 90 rps                           99.7 rps   held\n")) << text;
  EXPECT_TRUE(says(text, "FAILED\n"));
  LoadRun held = sample_load(30);
  held.verdicts.erase(held.verdicts.begin());
  EXPECT_TRUE(says(load_text(held), "THRESHOLDS HELD"));
  held.verdicts.clear();
  EXPECT_FALSE(says(load_text(held), "THRESHOLDS"));
}

TEST(LoadText, ATestWithoutAnyRequestIsNoFault) {
  const std::string text = load_text(LoadRun{});
  expect_80_columns(text);
  EXPECT_FALSE(says(text, "nan"));
}

LoadMoment moment_of(const load::Measured& measured, base::Nanoseconds at) {
  return {"sample", "http://127.0.0.1/", at, std::chrono::seconds(30), 1, measured.seconds};
}

TEST(LoadText, TheBlockHasAlwaysTheSameLines) {
  LoadRun run = sample_load(70);
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  const std::string block =
      load_moment_block(moment_of(run.measured, std::chrono::seconds(70)), Colours::none);
  expect_80_columns(block);
  EXPECT_FALSE(says(block, "\x1b"));
  EXPECT_FALSE(says(block, "~")) << "nothing of an ordinary test is cut";
  EXPECT_TRUE(says(block, "10 timed out")) << block;  // each seventh second from the fourth on, of 70
  EXPECT_TRUE(says(block, "14 status 503")) << block;
  const load::Measured nothing;
  const std::string before = load_moment_block(moment_of(nothing, std::chrono::seconds(-3)), Colours::some);
  EXPECT_TRUE(says(before, "starts in")) << before;
  EXPECT_EQ(lines(before), lines(block));
  EXPECT_TRUE(
      says(load_moment_block(moment_of(run.measured, std::chrono::seconds(7)), Colours::some), "\x1b[31m"));
  for (load::Second& second : run.measured.seconds) {
    for (std::size_t i = 1; i < load::kOutcomes; ++i) second.counts.outcomes[i] = 1'000'000'000;
    second.due = second.answered = second.failed = second.under_way_most = 1'000'000;
  }
  const std::string full = load_moment_block(moment_of(run.measured, std::chrono::hours(30)), Colours::none);
  expect_80_columns(full);
  EXPECT_EQ(lines(full), lines(block));
}

TEST(LoadText, TheLineIsAboutTheLastFiveSeconds) {
  load::Measured measured;
  measured.seconds.resize(8);
  for (std::size_t i = 0; i < 8; ++i) {
    measured.seconds[i].due = 10 * i;  // the last five: 30 to 70, 50 on average
    measured.seconds[i].answered = i;  // 3 to 7
    measured.seconds[i].generator_cores = 0.5;
    measured.seconds[i].from_schedule_ms.add(i < 3 ? 900 : 100);
  }
  const std::string line = load_moment_line(moment_of(measured, std::chrono::seconds(8)));
  EXPECT_EQ(
      line,
      "8 s of 30 s: 50 due/s, 5 answered/s, 0 failed/s, p50 100 ms, p95 100 ms, p99 100 ms, 0 under way, "
      "generator 50 %");
}

}  // namespace
}  // namespace headroom::report
