#include "importers/results.hpp"

#include <fmt/format.h>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <cmath>

namespace headroom::importers {
namespace {

using base::Milliseconds;
using base::Rate;
using Importer = base::Result<Imported> (*)(std::string_view, const std::string&);

Imported imported(Importer importer, const std::string& text) {
  auto result = importer(text, "results.csv");
  if (result) return std::move(*result);
  ADD_FAILURE() << base::to_string(result.error());
  return {workload::Traffic{workload::Open{}, {}, {}, {}, 1, Milliseconds{0}, {}}, {}};
}

std::string faults(Importer importer, const std::string& text) {
  const auto result = importer(text, "results.csv");
  return result ? "" : base::to_string(result.error());
}

const std::vector<workload::OpenStage>& stages(const Imported& of) {
  return std::get<workload::Open>(of.traffic.shape).stages;
}

workload::OpenStage constant(std::int64_t seconds, double rate) {
  return {Milliseconds{seconds * 1000}, Rate(rate), Rate(rate)};
}

const std::string kLocust =
    "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,Total Request Count,Total Failure Count\n";

TEST(Locust, TheHistoryIsWhatWasSentBetweenItsRows) {
  // 10 in the first two seconds, 10 in the next (both 5/s), then 4 in two (2/s); the row of GET / is a part.
  const Imported result = imported(import_locust_history, kLocust +
                                                              "1700000000,5,,Aggregated,0,0,N/A,10,0\n"
                                                              "1700000002,5,GET,/,5,0,1,20,0\n"
                                                              "1700000002,7,,Aggregated,5,0,1,20,0\n"
                                                              "1700000004,7,,Aggregated,2,0,1,24,0\n");
  EXPECT_EQ(stages(result), (std::vector{constant(4, 5), constant(2, 2)}));
  EXPECT_EQ(result.notes.size(), 3u);
  EXPECT_NE(result.notes[2].what.find("up to 7 users"), std::string::npos);
}

TEST(Locust, ATotalThatFallsHasBegunAgain) {
  const Imported result = imported(import_locust_history, kLocust +
                                                              "1700000000,5,,Aggregated,0,0,N/A,0,0\n"
                                                              "1700000001,5,,Aggregated,0,0,N/A,9,0\n"
                                                              "1700000002,5,,Aggregated,0,0,N/A,4,0\n");
  EXPECT_EQ(stages(result), (std::vector{constant(1, 9), constant(1, 4)}));
}

TEST(Locust, FaultsKnowTheirPlace) {
  EXPECT_EQ(faults(import_locust_history, kLocust + "1700000000,5,,Aggregated,0,0,N/A,x,0\n"),
            "results.csv:2:34: the number of requests \"x\" is not a number");
  EXPECT_EQ(faults(import_locust_history, kLocust + "1700000000,5,,Aggregated,0,0,N/A,3,0\n"),
            "results.csv:1:1: there are fewer than two points in time\n  a course over time needs at least "
            "two rows");
  EXPECT_EQ(
      faults(import_locust_history, "a,b\n1,2\n"),
      "results.csv:1:1: there is no column \"Timestamp\"\n  is this the *_stats_history.csv of Locust?");
}

RC_GTEST_PROP(Locust, NoRequestIsLostHoweverLongTheCourse, ()) {
  const int rows = *rc::gen::inRange(2, 700);
  double total = 0;
  std::string text = kLocust;
  std::int64_t at = 1'700'000'000;
  for (int i = 0; i < rows; ++i) {
    text += fmt::format("{},1,,Aggregated,0,0,1,{},0\n", at, total);
    if (i + 1 == rows) break;
    total += *rc::gen::inRange(0, 1000);
    at += *rc::gen::inRange(1, 4);
  }
  const auto result = import_locust_history(text, "results.csv");
  RC_ASSERT(result.has_value());
  RC_ASSERT(stages(*result).size() <= kStagesMost);
  double sent = 0;
  Milliseconds length{0};
  for (const workload::OpenStage& stage : stages(*result)) {
    sent += stage.to.value() * base::seconds(stage.duration);
    length += stage.duration;
  }
  RC_ASSERT(length == Milliseconds{(at - 1'700'000'000) * 1000});
  // Rates are rounded to six digits.
  RC_ASSERT(std::abs(sent - total) <= 1e-5 * total);
}

TEST(K6, TheCsvIsCountedBySecond) {
  const std::string heading = "metric_name,timestamp,metric_value,check,error\n";
  const Imported result =
      imported(import_k6_csv, heading +
                                  "http_reqs,1700000000,1,,\nhttp_req_duration,1700000000,12.5,,\n"
                                  "http_reqs,1700000000,1,,\nhttp_reqs,1700000003,1,,\n");
  // Two in the first second, none in the next two, one in the fourth.
  EXPECT_EQ(stages(result), (std::vector{constant(1, 2), constant(2, 0), constant(1, 1)}));
  EXPECT_EQ(faults(import_k6_csv, heading + "vus,1700000000,1,,\n"),
            "results.csv:1:1: there are no rows of the metric http_reqs\n"
            "  k6 writes one for each request where the script sends HTTP");
}

TEST(K6, ASummaryIsItsMeanRateForItsDuration) {
  // 1200 requests at 20 a second took a minute; both forms of k6.
  for (
      const std::string text :
      {R"({"metrics": {"http_reqs": {"count": 1200, "rate": 20}, "vus_max": {"value": 7, "min": 7, "max": 7}}})",
       R"({"metrics": {"http_reqs": {"type": "counter", "values": {"count": 1200, "rate": 20}},
            "vus_max": {"values": {"max": 7}}}})"}) {
    const Imported result = imported(import_k6_summary, text);
    EXPECT_EQ(stages(result), (std::vector{constant(60, 20)}));
    ASSERT_EQ(result.notes.size(), 3u);
    EXPECT_NE(result.notes[0].what.find("no course over time"), std::string::npos);
    EXPECT_EQ(result.notes[2].what, "up to 7 virtual users sent it");
  }
}

TEST(K6, FaultsKnowTheirPlace) {
  EXPECT_EQ(faults(import_k6_summary, "{\n  \"a\": ]}"),
            "results.csv:2:8: not valid JSON\n  expected what k6 writes with --summary-export");
  for (const std::string text :
       {"{}", "[]", "3", R"({"metrics": 3})", R"({"metrics": {"http_reqs": {"count": "9"}}})",
        R"({"metrics": {"http_reqs": {"count": 0, "rate": 0}}})",
        R"({"metrics": {"http_reqs": {"count": -1, "rate": 5}}})"}) {
    EXPECT_EQ(faults(import_k6_summary, text),
              "results.csv:1:1: there is no metric http_reqs with a count and a rate above 0\n"
              "  expected what k6 writes with --summary-export")
        << text;
  }
  EXPECT_EQ(faults(import_k6_summary, R"({"metrics": {"http_reqs": {"count": 1, "rate": 1e-300}}})"),
            "results.csv:1:1: 1 requests at 1e-300 a second make no length of a test");
  EXPECT_NE(faults(import_k6_summary, std::string(1'000'000, '[')), "");
}

TEST(Csv, ARecordedCourseNamesItsFile) {
  const Imported result =
      imported(import_csv, "timestamp,rpm\n2024-02-16 21:00,1200\n2024-02-16 21:05,900\n");
  EXPECT_EQ(std::get<workload::Recorded>(result.traffic.shape).file, "results.csv");
  EXPECT_NE(faults(import_csv, "timestamp,rpm\n2024-02-16 21:00,x\n"), "");
}

TEST(Csv, TheHeadingSaysWhoseItIs) {
  EXPECT_EQ(csv_kind(kLocust, "a.csv"), CsvKind::locust_history);
  EXPECT_EQ(csv_kind("metric_name,timestamp,metric_value\n", "a.csv"), CsvKind::k6);
  EXPECT_EQ(csv_kind("timestamp,value\n", "a.csv"), CsvKind::recorded);
  EXPECT_EQ(csv_kind("", "a.csv"), CsvKind::recorded);
}

}  // namespace
}  // namespace headroom::importers
