#include "workload/recorded.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

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

Recorded of(std::string text) {
  Recorded recorded;
  recorded.file = "t.csv";
  recorded.text = std::move(text);
  return recorded;
}

std::vector<double> rates(const Recording& recording) {
  std::vector<double> values;
  for (const Cell& cell : recording.cells) values.push_back(cell.requests_per_second);
  return values;
}

bool says(const Recording& recording, const std::string& part) {
  return std::any_of(recording.notes.begin(), recording.notes.end(),
                     [&part](const std::string& note) { return note.find(part) != std::string::npos; });
}

// 120 requests in a minute are 2 per second, 240 are 4; every form below means that.
TEST(Recorded, the_forms_of_the_common_tools_mean_the_same) {
  for (const char* text : {
           "timestamp,value\n2024-02-16 21:00:00,120\n2024-02-16 21:01:00,240\n",
           "2024-02-16T21:00:00Z,120\n2024-02-16T21:01:00Z,240\n",
           "2024-02-16T22:00:00+01:00,120\n2024-02-16T22:01:00+01:00,240\n",
           "\xef\xbb\xbf\"Time\";\"Requests\"\r\n\"2024-02-16 21:00:00.000\";\"120,0\"\r\n"
           "\"2024-02-16 21:01:00.000\";\"240,0\"\r\n",
           "ts\trpm\n1708117200\t120\n1708117260\t240\n",
           "ts,rps\n1708117200000,2\n1708117260000,4\n",
           "time,Requests / s\n2024-02-16 21:00,2\n2024-02-16 21:01,4\n",
           "# made by hand\ntime,request_count\n2024-02-16 21:01,240\n2024-02-16 21:00,120\n",
       }) {
    const auto recording = read_recording(of(text));
    ASSERT_TRUE(recording) << text << to_string(recording.error());
    EXPECT_EQ(rates(*recording), (std::vector<double>{2, 4})) << text;
    EXPECT_EQ(recording->cells[0].from, Milliseconds{1'708'117'200'000}) << text;
    EXPECT_EQ(recording->interval, minutes(1)) << text;
  }
}

TEST(Recorded, columns_are_chosen_by_name_without_regard_to_case) {
  Recorded recorded = of("zone,Requests per minute,when\na,60,2024-01-01 00:00\na,120,2024-01-01 00:01\n");
  recorded.timestamp_column = "WHEN";
  recorded.value_column = "requests_per_minute";
  const auto recording = read_recording(recorded);
  ASSERT_TRUE(recording) << to_string(recording.error());
  EXPECT_EQ(rates(*recording), (std::vector<double>{1, 2}));
  EXPECT_TRUE(says(*recording, "inferred from the heading 'Requests per minute': requests per minute"));

  recorded.value_column = "rps";
  const auto refused = read_recording(recorded);
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_string(refused.error()),
            "t.csv:1:1: there is no column 'rps'\n  the columns are: zone, Requests per minute, when");
}

TEST(Recorded, what_is_given_is_not_inferred) {
  Recorded recorded = of("timestamp,rpm\n2024-01-01 00:00,60\n");
  recorded.unit = RecordedUnit::requests_per_interval;
  recorded.interval = std::chrono::seconds(30);
  recorded.utc_offset = hours(2);
  const auto recording = read_recording(recorded);
  ASSERT_TRUE(recording) << to_string(recording.error());
  EXPECT_EQ(rates(*recording), std::vector<double>{2});
  EXPECT_EQ(recording->cells[0].from, Milliseconds{1'704'067'200'000} - hours(2));
  EXPECT_FALSE(says(*recording, "inferred"));
  EXPECT_TRUE(says(*recording, "UTC+2h"));
}

// 60, 120, (two missing), 300, 360 per minute: the line through the centres gives 180 and 240.
TEST(Recorded, gaps_and_missing_values_are_filled_by_a_line_and_said) {
  for (const char* text :
       {"t,rpm\n2024-01-01 00:00,60\n2024-01-01 00:01,120\n2024-01-01 00:04,300\n"
        "2024-01-01 00:05,360\n",
        "t,rpm\n2024-01-01 00:00,60\n2024-01-01 00:01,120\n2024-01-01 00:02,\n"
        "2024-01-01 00:03,NaN\n2024-01-01 00:04,300\n2024-01-01 00:05,360\n2024-01-01 00:06,null\n"}) {
    const auto recording = read_recording(of(text));
    ASSERT_TRUE(recording) << to_string(recording.error());
    EXPECT_EQ(rates(*recording), (std::vector<double>{1, 2, 3, 4, 5, 6})) << text;
    EXPECT_TRUE(recording->cells[2].filled && recording->cells[3].filled && !recording->cells[4].filled);
    EXPECT_TRUE(says(*recording,
                     "1 gap is filled by straight lines, 2m in all, the longest 2m from "
                     "2024-01-01T00:02:00Z"));
  }
}

TEST(Recorded, values_that_are_no_numbers_are_counted_by_their_words) {
  const auto several = read_recording(
      of("t,rpm\n2024-01-01 00:00,60\n2024-01-01 00:01,NaN\n2024-01-01 00:02,\n2024-01-01 00:03,NaN\n"
         "2024-01-01 00:04,60\n"));
  ASSERT_TRUE(several);
  EXPECT_TRUE(says(*several,
                   "t.csv: 3 rows have no number as value (\"NaN\", empty; the first is line 3) and "
                   "are read as missing."));
  const auto one = read_recording(of("t,rpm\n2024-01-01 00:00,60\n2024-01-01 00:01,-\n2024-01-01 00:02,1\n"));
  ASSERT_TRUE(one);
  EXPECT_TRUE(
      says(*one, "1 row has no number as value (\"-\"; the first is line 3) and is read as missing."));
  const auto none =
      read_recording(of("t,rpm\n2024-01-01 00:00,60\n2024-01-01 00:02,1\n2024-01-01 00:03,1\n"));
  ASSERT_TRUE(none);
  EXPECT_FALSE(says(*none, "no number"));
  const auto all = read_recording(of("t,rpm\n2024-01-01 00:00,NaN\n2024-01-01 00:01,null\n"));
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().faults.front().what,
            "no row of the file has a number as value; found \"NaN\", \"null\", first in line 2");
}

TEST(Recorded, faults_name_the_path_and_notes_the_name_of_the_file) {
  Recorded recorded = of("t,rpm\n2024-01-01 00:00,60\n2024-01-01 00:01,many\n");
  recorded.path = "shop/traffic/t.csv";
  const auto refused = read_recording(recorded);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().faults.front().place, (base::Place{"shop/traffic/t.csv", 3, 18}));
  recorded.text = "t,rpm\n2024-01-01 00:00,60\n2024-01-01 00:01,1\n";
  const auto read = read_recording(recorded);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->notes.front().substr(0, 7), "t.csv: ");
}

TEST(Recorded, rows_out_of_order_are_sorted_and_said) {
  const auto recording = read_recording(
      of("t,rps\n2024-01-01 00:00,1\n2024-01-01 00:03,4\n2024-01-01 00:01,2\n2024-01-01 00:02,3\n"));
  ASSERT_TRUE(recording);
  EXPECT_EQ(rates(*recording), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_TRUE(says(*recording, "not in the order of time (1 step back, the last in line 4)"));
}

TEST(Recorded, equal_rows_count_once_and_contradicting_ones_are_averaged) {
  const auto recording = read_recording(
      of("t,rps\n2024-01-01 00:00,1\n2024-01-01 00:01,2\n2024-01-01 00:01,2\n2024-01-01 00:02,3\n"
         "2024-01-01 00:02,5\n2024-01-01 00:03,5\n"));
  ASSERT_TRUE(recording) << to_string(recording.error());
  EXPECT_EQ(rates(*recording), (std::vector<double>{1, 2, 4, 5}));
  EXPECT_TRUE(says(*recording, "1 row that repeats another is dropped"));
  EXPECT_TRUE(says(*recording, "another value (first in line 6); the values are averaged"));
}

// A day of hours in local time from 00:00: on 2024-10-27 the hour 02:00 comes twice.
TEST(Recorded, a_repeated_local_hour_is_named) {
  std::string text = "t,rps\n";
  for (int minute = 0; minute < 180; minute += 10) {
    text += "2024-10-27 0" + std::to_string(minute / 60) + ":" +
            (minute % 60 == 0 ? "00" : std::to_string(minute % 60)) + ",10\n";
  }
  for (int minute = 120; minute < 300; minute += 10) {
    text += "2024-10-27 0" + std::to_string(minute / 60) + ":" +
            (minute % 60 == 0 ? "00" : std::to_string(minute % 60)) + ",20\n";
  }
  const auto recording = read_recording(of(text));
  ASSERT_TRUE(recording) << to_string(recording.error());
  EXPECT_EQ(recording->cells.size(), 30U);
  EXPECT_EQ(recording->cells[12].requests_per_second, 15);
  EXPECT_TRUE(says(*recording, "the hour from 2024-10-27T02:00:00Z occurs twice"));
}

TEST(Recorded, a_skipped_local_hour_is_named) {
  const auto recording = read_recording(
      of("t,rps\n2024-03-31 01:00,1\n2024-03-31 01:30,1\n2024-03-31 03:00,1\n2024-03-31 03:30,1\n"));
  ASSERT_TRUE(recording) << to_string(recording.error());
  EXPECT_TRUE(says(*recording, "set forward at the start of daylight-saving time"));
}

// A scraper that is up to 2 s late: the cells follow the rows, and nothing counts as a gap.
TEST(Recorded, uneven_distances_take_the_median_as_the_interval) {
  const auto recording =
      read_recording(of("t,rps\n2024-01-01 00:00:00,1\n2024-01-01 00:01:01,2\n"
                        "2024-01-01 00:02:00,3\n2024-01-01 00:03:02,4\n2024-01-01 00:04:02.5,5\n"));
  ASSERT_TRUE(recording) << to_string(recording.error());
  EXPECT_EQ(recording->cells.size(), 5U);
  EXPECT_EQ(recording->interval, Milliseconds{61'000});
  EXPECT_TRUE(says(*recording, "uneven distances"));
}

// Cells of 1 min at 2, 4 and 6 rps in ticks of 30 s: level to the first centre, then 1 rps per 30 s.
// Mean of the second half of the first cell, from 2 at its centre to 3 at its end: 2.5.
TEST(Recorded, shorter_ticks_run_through_the_centres) {
  Traffic traffic = of_text("t,rps\n2024-01-01 00:00,2\n2024-01-01 00:01,4\n2024-01-01 00:02,6\n");
  const auto fine = compile(traffic, std::chrono::seconds(30), 1);
  ASSERT_TRUE(fine);
  EXPECT_EQ(fine->requests_per_second.values, (std::vector<double>{2, 2.5, 3.5, 4.5, 5.5, 6}));
  // 3 minutes hold one whole tick of 2 minutes; the rest is left out, and said.
  const auto coarse = compile(traffic, minutes(2), 1);
  ASSERT_TRUE(coarse);
  EXPECT_EQ(coarse->requests_per_second.values, std::vector<double>{3});
  EXPECT_EQ(coarse->notes.back(), "t.csv: the last 1m make no whole tick of 2m and are left out.");
}

TEST(Recorded, a_cut_is_by_date_and_the_peak_is_that_of_the_rest) {
  Traffic traffic = of_text("t,rps\n2024-01-01 00:00,2\n2024-01-01 00:01,4\n2024-01-01 00:02,8\n");
  traffic.cut.to = Milliseconds{1'704'067'200'000} + minutes(2);
  traffic.scale_peak = per_second(100);
  const auto compiled = compile(traffic, minutes(1), 1);
  ASSERT_TRUE(compiled) << to_string(compiled.error());
  EXPECT_EQ(compiled->requests_per_second.values, (std::vector<double>{50, 100}));
  traffic.cut.from = Milliseconds{0};
  const auto refused = compile(traffic, minutes(1), 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_string(refused.error()),
            "traffic.cut: the cut begins at 1970-01-01T00:00:00Z, before the traffic\n"
            "  the traffic runs from 2024-01-01T00:00:00Z to 2024-01-01T00:03:00Z");
}

// What cannot be used is refused where it stands.
TEST(Recorded, malformed_files_get_a_located_error) {
  const std::string head = "timestamp,value\n2024-01-01 00:00:00,1\n2024-01-01 00:05:00,2\n";
  const struct {
    const char* name;
    std::string text;
    int line;
    int column;
    const char* what;
  } cases[] = {
      {"empty", "", 1, 0, "holds no rows"},
      {"heading only", "timestamp,value\n", 1, 0, "no rows with a value"},
      {"binary",
       std::string("\x7f"
                   "ELF\x02\x01\x01\0\0",
                   9),
       1, 5, "not text"},
      {"UTF-16",
       std::string("\xff\xfe"
                   "t\0i\0",
                   6),
       1, 1, "UTF-16"},
      {"one column", "2024-01-01 00:00:00\n2024-01-01 00:05:00\n", 1, 1, "one field"},
      {"one row", "timestamp,value\n2024-01-01 00:00:00,1\n", 2, 1, "no interval can be inferred"},
      {"negative", head + "2024-01-01 00:10:00,-3\n", 4, 21, "value -3 is negative"},
      {"infinite", head + "2024-01-01 00:10:00,inf\n", 4, 21, "not a finite number"},
      {"out of range", head + "2024-01-01 00:10:00,1e400\n", 4, 21, "not a finite number"},
      {"absurdly large", head + "2024-01-01 00:10:00,1e300\n", 4, 21, "absurdly large"},
      {"a word", head + "2024-01-01 00:10:00,many\n", 4, 21, "\"many\" is not a number"},
      {"a grouped number", head + "2024-01-01 00:10:00,\"1,234\"\n", 4, 21, "may group digits"},
      {"a decimal comma", head + "2024-01-01 00:10:00,3,5\n", 4, 23, "3 fields where the first row has 2"},
      {"no such day", head + "2024-02-30 00:10:00,3\n", 4, 1, "a day that does not exist"},
      {"an absurd year", head + "0024-01-01 00:10:00,3\n", 4, 1, "outside the years"},
      {"no time", head + ",3\n", 4, 1, "timestamp \"\" is empty"},
      {"another order of the date", head + "01/02/2024 00:10,3\n", 4, 1, "is not a time"},
      {"zones mixed", head + "2024-01-01 00:10:00Z,3\n", 4, 0, "names a time zone"},
      {"an open quote", head + "\"2024-01-01 00:10:00,3\n", 4, 1, "opened and not closed"},
      {"truncated", head + "2024-01-01 00:1", 4, 1, "1 fields"},
      {"a huge line", head + std::string(100'000, '9') + ",1\n", 4, 1, "longer than"},
      {"values all missing", "timestamp,value\n2024-01-01 00:00:00,NaN\n2024-01-01 00:05:00,\n", 1, 0,
       "no row"},
      {"several series", head + "2024-01-01 00:00:00,7\n2024-01-01 00:05:00,9\n", 4, 1, "several series"},
      {"a span of a century in milliseconds",
       "timestamp,value\n1990-01-01 00:00:00,1\n1990-01-01 00:00:00.001,1\n2090-01-01 00:00:00,2\n", 4, 1,
       "span"},
      // 5 minutes apart, and then 66 years: 6.9 million intervals, of which 4 are recorded.
      {"a row decades away", head + "2024-01-01 00:10:00,1\n2090-01-01 00:00:00,2\n", 5, 1,
       "the 4 rows span"},
  };
  for (const auto& c : cases) {
    const auto recording = read_recording(of(c.text));
    ASSERT_FALSE(recording) << c.name;
    const base::Fault& fault = recording.error().faults.front();
    EXPECT_EQ(fault.place, (base::Place{"t.csv", c.line, c.column})) << c.name << ": " << to_string(fault);
    EXPECT_NE(to_string(fault).find(c.what), std::string::npos) << c.name << ": " << to_string(fault);
    EXPECT_FALSE(fault.fix.empty()) << c.name;
    EXPECT_EQ(recording.error().kind, base::ErrorKind::bad_input) << c.name;
  }
}

TEST(Recorded, all_faults_are_reported_at_once_in_the_order_of_lines) {
  const auto recording = read_recording(
      of("timestamp,value\n2024-01-01 00:00,x\nyesterday,-1\n2024-01-01 00:10,1,2\n2024-01-01 00:15,inf\n"));
  ASSERT_FALSE(recording);
  std::vector<int> lines;
  for (const base::Fault& fault : recording.error().faults) lines.push_back(fault.place.line);
  EXPECT_EQ(lines, (std::vector<int>{2, 3, 3, 4, 5})) << to_string(recording.error());
}

TEST(Recorded, an_interval_that_the_rows_deny_is_refused) {
  Recorded recorded = of("t,v\n2024-01-01 00:00,1\n2024-01-01 00:05,1\n2024-01-01 00:10,1\n");
  recorded.interval = minutes(1);
  const auto recording = read_recording(recorded);
  ASSERT_FALSE(recording);
  EXPECT_NE(to_string(recording.error()).find("given as 1m but most rows are 5m apart"), std::string::npos);
}

// Whatever is done to a file: it is either read into cells that make sense, or refused with a place.
TEST(Recorded, damaged_files_are_read_sensibly_or_refused) {
  const std::string whole = example("balancer/elb-requests-5min.csv").substr(0, 1500);
  int refused = 0;
  const bool sensible = rc::check([&] {
    std::string text = whole;
    const int changes = *rc::gen::inRange(1, 6);
    for (int i = 0; i < changes; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
      const auto length = *rc::gen::inRange<std::size_t>(0, 30);
      const std::string put =
          *rc::gen::element<std::string>("", "\"", ",", ";", "\n", "\r", "-", "9", "e", "NaN", "\t",
                                         "2014-04-10 01:00:00,5\n", std::string(1, '\0'), "Z");
      text = text.substr(0, at) + put + (at + length < text.size() ? text.substr(at + length) : "") + "\n";
    }
    const auto recording = read_recording(of(text));
    if (!recording) {
      ++refused;
      RC_ASSERT(!recording.error().faults.empty());
      for (const base::Fault& fault : recording.error().faults) RC_ASSERT(fault.place.file == "t.csv");
      return;
    }
    RC_ASSERT(!recording->cells.empty());
    for (std::size_t i = 0; i < recording->cells.size(); ++i) {
      const Cell& cell = recording->cells[i];
      RC_ASSERT(cell.from < cell.to);
      RC_ASSERT(i == 0 || recording->cells[i - 1].to == cell.from);
      RC_ASSERT(cell.requests_per_second >= 0 && cell.requests_per_second < 1e15);
    }
  });
  EXPECT_TRUE(sensible);
  EXPECT_GT(refused, 10);
}

}  // namespace
}  // namespace headroom::workload
