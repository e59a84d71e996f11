#include "load/threshold.hpp"

#include <gtest/gtest.h>

namespace headroom::load {
namespace {

// 100 requests: 99 answered after 100 ms, one without an answer given up after 30 s; two of them turned to
// 20 ms late. Sent, they took 10 ms. In 10 s.
Measured hundred() {
  Measured measured;
  measured.duration = std::chrono::seconds(10);
  Tally tally;
  tally.counts.outcomes[static_cast<std::size_t>(Outcome::answered)] = 99;
  tally.counts.statuses[200] = 99;
  tally.counts.outcomes[static_cast<std::size_t>(Outcome::timed_out)] = 1;
  tally.from_schedule_ms.add(100, 99);
  tally.from_schedule_ms.add(30'000);
  tally.from_sending_ms.add(10, 99);
  measured.requests = {{"GET /", tally}};
  measured.lateness_ms.add(0.1, 98);
  measured.lateness_ms.add(20, 2);
  return measured;
}

bool fails(const char* text) { return judge(parse_threshold(text).value(), hundred()).met; }

TEST(Threshold, ItIsMetWhereItsConditionIsTrue) {
  EXPECT_TRUE(fails("p99.9 > 500ms"));  // the one that was given up
  EXPECT_FALSE(fails("p99 > 500ms"));   // the 99th of 100 took 100 ms
  EXPECT_TRUE(fails("p50>=0.1s"));
  EXPECT_TRUE(fails("max >= 30s"));  // extremes are exact
  EXPECT_FALSE(fails("max > 30s"));
  EXPECT_TRUE(fails("mean > 390ms"));  // (99 * 100 + 30,000) / 100 = 399 ms
  EXPECT_FALSE(fails("mean > 410ms"));
  EXPECT_FALSE(fails("sent.max > 10ms"));
  EXPECT_TRUE(fails("sent.p99 <= 11ms"));
  EXPECT_TRUE(fails("errors >= 1%"));
  EXPECT_FALSE(fails("errors > 1 %"));
  EXPECT_TRUE(fails("rate < 10 rps"));  // 99 in 10 s
  EXPECT_FALSE(fails("rate < 9.9 rps"));
  EXPECT_TRUE(fails("rate <= 594 rpm"));
  EXPECT_TRUE(fails("late >= 2%"));
  EXPECT_FALSE(fails("late > 2%"));
}

TEST(Threshold, OneThatCannotBeJudgedIsMet) {
  for (const char* text : {"p99 > 1s", "sent.mean > 1s", "errors > 1%", "late > 1%"}) {
    const Verdict verdict = judge(parse_threshold(text).value(), Measured{});
    EXPECT_FALSE(verdict.value) << text;
    EXPECT_TRUE(verdict.met) << text;
  }
  // No answer is a rate, too.
  EXPECT_EQ(judge(parse_threshold("rate < 1 rps").value(), Measured{}).value, 0);
}

TEST(Threshold, ItsTextAndUnitAreThoseOfItsMetric) {
  EXPECT_EQ(parse_threshold(" p99.9>=1.5s ")->text, "p99.9 >= 1.5s");
  EXPECT_EQ(parse_threshold("p99 > 1s")->unit(), "ms");
  EXPECT_EQ(parse_threshold("late < 5%")->unit(), "percent");
  EXPECT_EQ(parse_threshold("rate < 5 rps")->unit(), "requests_per_second");
}

TEST(Threshold, WhatCannotBeUnderstoodIsAFaultThatSaysWhatCan) {
  for (const char* text :
       {"",           "p99",          "p99 500ms", "p99 = 500ms",      "p0 > 1s",    "p100 > 1s",
        "p99x > 1s",  "pp > 1s",      "p99 > 500", "p99 > 5%",         "p99 > ",     "errors > 1s",
        "errors > 1", "rate < 5",     "rate < 5%", "sent.errors > 1%", "sent. > 1s", "latency > 1s",
        "p99 => 1s",  "p99 > 1s > 2s"}) {
    const auto threshold = parse_threshold(text);
    ASSERT_FALSE(threshold) << text;
    EXPECT_EQ(threshold.error().kind, base::ErrorKind::bad_input) << text;
    EXPECT_FALSE(threshold.error().faults.front().fix.empty()) << text;
  }
}

TEST(Threshold, OneThatIsMetIsEnough) {
  const std::vector<Threshold> thresholds{parse_threshold("errors > 5%").value(),
                                          parse_threshold("errors > 0.5%").value()};
  EXPECT_TRUE(any_met(judge_all(thresholds, hundred())));
  EXPECT_FALSE(any_met(judge_all({thresholds.front()}, hundred())));
  EXPECT_FALSE(any_met({}));
}

TEST(Threshold, ALatencyMayBePartsOfAMillisecond) {
  EXPECT_DOUBLE_EQ(parse_threshold("p99 > 1.5ms")->limit, 1.5);
  EXPECT_DOUBLE_EQ(parse_threshold("p50 > 500us")->limit, 0.5);
  EXPECT_DOUBLE_EQ(parse_threshold("max > 2s")->limit, 2000);
  EXPECT_FALSE(parse_threshold("p99 > -1.5ms"));
  EXPECT_FALSE(parse_threshold("p99 > us"));
}

}  // namespace
}  // namespace headroom::load
