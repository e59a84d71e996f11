#include "workload/recorded.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "workload/compile.hpp"

namespace headroom::workload {
namespace {

using base::Milliseconds;
using base::per_second;
using std::chrono::hours;
using std::chrono::minutes;

std::string example(const std::string& path) {
  std::ifstream file(HEADROOM_SOURCE_DIR "/examples/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Traffic of_text(std::string text) {
  Recorded recorded;
  recorded.file = "t.csv";
  recorded.text = std::move(text);
  Traffic traffic;
  traffic.shape = std::move(recorded);
  return traffic;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

// 10,320 rows of 30 minutes; the first is 10,844 passengers, 10844 / 1800 s = 6.0244 per second.
TEST(Recorded, the_taxi_file_reads_as_it_comes) {
  const auto compiled = compile(of_text(example("shop/nyc-taxi-30min.csv")), minutes(30), 1);
  ASSERT_TRUE(compiled) << to_string(compiled.error());
  const base::Series& series = compiled->requests_per_second;
  ASSERT_EQ(series.size(), 10'320U);
  EXPECT_EQ(series.start, Milliseconds{1'404'172'800'000});  // 2014-07-01 00:00:00 UTC
  EXPECT_DOUBLE_EQ(series.values[0], 10'844.0 / 1800);
  EXPECT_DOUBLE_EQ(series.values[10'319], 26'288.0 / 1800);
  ASSERT_EQ(compiled->notes.size(), 3U);
  EXPECT_EQ(compiled->notes[0], "t.csv: the timestamps name no time zone and are taken as UTC.");
  EXPECT_EQ(compiled->notes[1],
            "t.csv: the interval is inferred as 30m, the most frequent distance of two rows.");
  EXPECT_EQ(compiled->notes[2],
            "t.csv: the heading 'value' names no unit; the values are taken as requests in 30m.");
}

TEST(Recorded, shorter_ticks_keep_the_total_and_the_range) {
  const auto whole = compile(of_text(example("shop/nyc-taxi-30min.csv")), minutes(30), 1);
  const auto fine = compile(of_text(example("shop/nyc-taxi-30min.csv")), minutes(1), 1);
  ASSERT_TRUE(fine);
  const auto& a = whole->requests_per_second.values;
  const auto& b = fine->requests_per_second.values;
  ASSERT_EQ(b.size(), 309'600U);
  // Half of each inner interval goes to either side: equal but for rounding, far within the 0.5 % asked for.
  EXPECT_NEAR(sum(b) / 30 / sum(a), 1, 1e-9);
  EXPECT_GE(*std::min_element(b.begin(), b.end()), 0);
  EXPECT_LE(*std::max_element(b.begin(), b.end()), *std::max_element(a.begin(), a.end()));
}

// 4,032 rows, eight of them 10 minutes after the one before: eight gaps of one interval, 4,040 ticks.
TEST(Recorded, the_balancer_file_reads_with_its_gaps_filled_and_said) {
  const auto compiled = compile(of_text(example("balancer/elb-requests-5min.csv")), minutes(5), 1);
  ASSERT_TRUE(compiled) << to_string(compiled.error());
  ASSERT_EQ(compiled->requests_per_second.size(), 4'040U);
  EXPECT_DOUBLE_EQ(compiled->requests_per_second.values[2], 187.0 / 300);
  EXPECT_EQ(compiled->notes.back().substr(0, 64),
            "t.csv: 8 gaps are filled by straight lines, 40m in all, the long");
}

}  // namespace
}  // namespace headroom::workload
