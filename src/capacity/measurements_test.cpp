#include "capacity/measurements.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace headroom::capacity {
namespace {

bool says(const Measurements& measurements, const std::string& part) {
  return std::any_of(measurements.notes.begin(), measurements.notes.end(),
                     [&part](const std::string& note) { return note.find(part) != std::string::npos; });
}

// 600 rpm are 10 rps; every form below means 10 rps at 20 % and 20 rps at 40 %.
TEST(Measurements, columns_are_found_by_name_and_their_units_inferred_and_said) {
  const struct {
    const char* text;
    const char* said;
  } cases[] = {
      {"timestamp,rpm,cpu_percent\n2024-02-16 21:00:00,600,20\n2024-02-16 21:01:00,1200,40\n",
       "\"rpm\" is requests per minute"},
      {"CPU (%);Requests / s\n20,0;10,0\n40,0;20,0\n", "is requests per second"},
      {"requests,cpu,ts\n600,20,1708117200\n1200,40,1708117260\n", "\"requests\" is requests in 1m"},
      {"rps,cpu\n10,0.2\n20,0.4\n", "taken as shares of 1"},
      {"rps,cpu\n10,20%\n20,40 %\n", "\"cpu\" is taken as percent"},
      {"rps,utilisation,instances\n20,20,2\n60,40,3\n", "divided by \"instances\""},
      {"rps_per_instance,cpu_percent,instances\n10,20,2\n20,40,3\n", "is requests per second"},
  };
  for (const auto& c : cases) {
    const auto measurements = read_measurements(c.text, "m.csv");
    ASSERT_TRUE(measurements) << c.text << to_string(measurements.error());
    ASSERT_EQ(measurements->rows.size(), 2U) << c.text;
    EXPECT_NEAR(measurements->rows[0].per_instance.value(), 10, 1e-12) << c.text;
    EXPECT_NEAR(measurements->rows[1].per_instance.value(), 20, 1e-12) << c.text;
    EXPECT_NEAR(measurements->rows[0].utilisation.value(), 20, 1e-12) << c.text;
    EXPECT_NEAR(measurements->rows[1].utilisation.value(), 40, 1e-12) << c.text;
    EXPECT_TRUE(says(*measurements, c.said)) << c.text;
  }
}

TEST(Measurements, latencies_and_errors_are_read_in_their_units) {
  const auto measurements = read_measurements(
      "timestamp,rpm,cpu_percent,p50_ms,p95_s,p99,errors\n"
      "2024-02-16 21:00,600,20,80,0.12,200,6\n2024-02-16 21:01,1200,40,,,,0\n",
      "m.csv");
  ASSERT_TRUE(measurements) << to_string(measurements.error());
  EXPECT_EQ(measurements->rows[0].p50_ms, 80);
  EXPECT_EQ(measurements->rows[0].p95_ms, 120);
  EXPECT_EQ(measurements->rows[0].p99_ms, 200);
  EXPECT_NEAR(*measurements->rows[0].error_share, 0.01, 1e-12);  // 6 of 600 in the minute
  EXPECT_FALSE(measurements->rows[1].p95_ms);
  EXPECT_TRUE(says(*measurements, "\"p99\" names no unit"));
}

TEST(Measurements, a_row_without_rate_or_utilisation_is_left_out_and_said) {
  const auto measurements = read_measurements("rps,cpu\n10,20\n,30\n30,NaN\n", "m.csv");
  ASSERT_TRUE(measurements);
  EXPECT_EQ(measurements->rows.size(), 1U);
  EXPECT_TRUE(says(*measurements, "2 rows without a request rate or a utilisation are left out"));
}

TEST(Measurements, malformed_files_get_a_located_error) {
  const struct {
    const char* name;
    const char* text;
    int line;
    int column;
    const char* what;
  } cases[] = {
      {"empty", "", 1, 0, "no rows"},
      {"no heading", "1,2\n3,4\n", 1, 1, "no heading names the requests"},
      {"no utilisation", "rps,memory\n1,2\n", 1, 1, "no heading names the utilisation"},
      {"two rates", "rps,rpm,cpu\n1,60,2\n", 1, 5, "mean the same"},
      {"counts without times", "requests,cpu\n600,20\n", 1, 1, "no timestamps"},
      {"a negative rate", "rps,cpu\n10,20\n-1,20\n", 3, 1, "is not possible"},
      {"utilisation of several cores", "rps,cpu_percent\n10,340\n", 2, 4, "is not possible"},
      {"a word", "rps,cpu\n10,high\n", 2, 4, "is not a number"},
      {"an infinite latency", "rps,cpu,p95_ms\n10,20,inf\n", 2, 7, "not a finite number"},
      {"a latency of days", "rps,cpu,p95_s\n10,20,90000\n", 2, 7, "is not possible"},
      {"quantiles out of order", "rps,cpu,p50_ms,p95_ms\n10,20,90,80\n", 2, 1, "above a higher one"},
      {"no time", "time,rps,cpu\nnow,10,20\n", 2, 1, "is not a time"},
      {"a field too few", "rps,cpu,p95_ms\n10,20\n", 2, 4, "2 fields where"},
  };
  for (const auto& c : cases) {
    const auto measurements = read_measurements(c.text, "m.csv");
    ASSERT_FALSE(measurements) << c.name;
    const base::Fault& fault = measurements.error().faults.front();
    EXPECT_EQ(fault.place, (base::Place{"m.csv", c.line, c.column})) << c.name << ": " << to_string(fault);
    EXPECT_NE(fault.what.find(c.what), std::string::npos) << c.name << ": " << to_string(fault);
    EXPECT_FALSE(fault.fix.empty()) << c.name;
  }
}

TEST(Measurements, all_faults_are_reported_at_once) {
  const auto measurements = read_measurements("rps,cpu,p95_ms\nx,20,1\n10,-4,y\n", "m.csv");
  ASSERT_FALSE(measurements);
  EXPECT_EQ(measurements.error().faults.size(), 3U) << to_string(measurements.error());
}

}  // namespace
}  // namespace headroom::capacity
