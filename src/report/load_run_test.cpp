#include "report/load_run.hpp"

#include <gtest/gtest.h>

#include "report/load_sample.hpp"

namespace headroom::report {
namespace {

const std::vector<std::string> kNames{"a", "b", "c"};

std::vector<LoadRun> three() { return {sample_load(5, 1, 3), sample_load(4, 2, 3), sample_load(5, 3, 3)}; }

std::string fault_of(const std::vector<LoadRun>& runs, bool partial = false) {
  const auto whole =
      merged(runs, {kNames.begin(), kNames.begin() + static_cast<std::ptrdiff_t>(runs.size())}, partial);
  return whole ? "" : base::to_string(whole.error());
}

TEST(LoadRun, ThreeShardsAreTheRunOfAllTheirValues) {
  const auto runs = three();
  const auto whole = merged(runs, kNames, false);
  ASSERT_TRUE(whole) << base::to_string(whole.error());
  // One histogram that every value goes into: the stages of all runs.
  telemetry::Histogram every;
  std::uint64_t requests = 0;
  for (const LoadRun& run : runs) {
    for (const load::Group& stage : run.measured.stages) {
      for (const auto& bucket : stage.tally.from_schedule_ms.buckets()) requests += bucket.count;
      every.merge(stage.tally.from_schedule_ms);
    }
  }
  EXPECT_EQ(requests, 1'400U);  // 100 a second
  EXPECT_EQ(whole->measured.total().from_schedule_ms, every);
  EXPECT_EQ(whole->measured.total().counts.all(), requests);
  EXPECT_EQ(whole->shards, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_TRUE(missing_shards(*whole).empty());
  EXPECT_EQ(whole->measured.seconds.size(), 5U);
  EXPECT_EQ(whole->measured.seconds[4].due, 200U);
  EXPECT_EQ(whole->measured.generator_threads, 3);
  EXPECT_EQ(whole->notes.size(), 1U) << "all have the same note";
  // Judged as a whole: 300 a second, where each of them had 100.
  EXPECT_GT(*whole->verdicts.back().value, 250);
  // In any order.
  const auto turned = merged({runs[2], runs[0], runs[1]}, kNames, false);
  EXPECT_EQ(turned->measured, whole->measured);
}

TEST(LoadRun, WhatDoesNotBelongTogetherIsRefused) {
  EXPECT_EQ(fault_of(three()), "");
  auto runs = three();
  runs[1].fingerprint = "another";
  EXPECT_NE(fault_of(runs).find("a and b drove different traffic"), std::string::npos);
  runs = three();
  runs[2].measured.stages.pop_back();
  EXPECT_NE(fault_of(runs).find("a and c drove different traffic"), std::string::npos);
  runs = three();
  runs[2].start += base::Milliseconds{1};
  EXPECT_NE(fault_of(runs).find("a began at 2027-01-01T00:00:00.250Z, c at 2027-01-01T00:00:00.251Z"),
            std::string::npos);
  runs = three();
  runs[0].shards_of = 4;
  EXPECT_NE(fault_of(runs).find("a is of 4 shards, b of 3"), std::string::npos);
  runs = three();
  runs[2].shards = {1};
  EXPECT_NE(fault_of(runs).find("shard 1 is in a and in c"), std::string::npos);
  EXPECT_NE(fault_of(runs, true).find("shard 1 is in a and in c"), std::string::npos);
}

TEST(LoadRun, AMissingShardIsToldAndMergedWithoutOnlyWhereThatIsAskedFor) {
  auto runs = three();
  runs.pop_back();
  EXPECT_NE(fault_of(runs).find("shard 3 of 3 is missing"), std::string::npos);
  runs.pop_back();
  EXPECT_NE(fault_of(runs).find("shards 2, 3 of 3 are missing"), std::string::npos);
  EXPECT_EQ(fault_of(runs, true), "");
  // A merged run is merged with the rest.
  const auto two = merged({three()[0], three()[1]}, {"a", "b"}, true);
  ASSERT_TRUE(two);
  EXPECT_EQ(merged({*two, three()[2]}, {"ab", "c"}, false)->measured,
            merged(three(), kNames, false)->measured);
}

TEST(LoadRun, ItWarnsWhereTheGeneratorWasTheLimit) {
  LoadRun run = sample_load(10);
  EXPECT_TRUE(load_warnings(run).empty());
  for (load::Second& second : run.measured.seconds) second.generator_cores = 0.72;
  ASSERT_EQ(load_warnings(run).size(), 1U);
  EXPECT_NE(load_warnings(run)[0].find("72 % of its thread"), std::string::npos);
  run = sample_load(10);
  run.measured.lateness_ms.add(12, 10);  // 10 of 1,010 are less than 1 %
  EXPECT_TRUE(load_warnings(run).empty());
  run.measured.lateness_ms.add(12, 2);
  ASSERT_EQ(load_warnings(run).size(), 1U);
  EXPECT_NE(load_warnings(run)[0].find("more than 10 ms after"), std::string::npos);
  run = sample_load(10);
  auto& outcomes = run.measured.requests[0].tally.counts.outcomes;
  outcomes[static_cast<std::size_t>(load::Outcome::no_descriptor)] = 1;
  outcomes[static_cast<std::size_t>(load::Outcome::no_port)] = 1;
  ASSERT_EQ(load_warnings(run).size(), 2U);
  EXPECT_NE(load_warnings(run)[0].find("ulimit"), std::string::npos);
  EXPECT_NE(load_warnings(run)[1].find("--from"), std::string::npos);
}

}  // namespace
}  // namespace headroom::report
