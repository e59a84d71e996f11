#include "base/timestamp.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace headroom::base {
namespace {

// 2024-02-16 21:00:00 UTC is 1,708,117,200 s: 19,769 days of 86,400 s and 21 hours.
constexpr Milliseconds evening{1'708'117'200'000};

TEST(Timestamp, the_forms_of_the_common_tools_mean_the_same_instant) {
  for (const char* text :
       {"2024-02-16T21:00:00Z", "2024-02-16 21:00Z", "2024-02-16 21:00:00.000 UTC",
        "2024-02-16T22:00:00+01:00", "2024-02-16 13:00:00 -0800", "2024-02-16T21:00:00+00", "1708117200",
        "1708117200.000", "1708117200000", "1708117200000000", "1708117200000000000"}) {
    const auto time = parse_timestamp(text);
    ASSERT_TRUE(time) << text << ": " << time.error();
    EXPECT_EQ(time->at, evening) << text;
    EXPECT_TRUE(time->has_zone) << text;
  }
  for (const char* text : {"2024-02-16T21:00:00", "2024-02-16 21:00", "2024/02/16 21:00:00.0"}) {
    const auto time = parse_timestamp(text);
    ASSERT_TRUE(time) << text << ": " << time.error();
    EXPECT_EQ(*time, (Timestamp{evening, false})) << text;
  }
}

TEST(Timestamp, fractions_are_read_to_the_millisecond) {
  EXPECT_EQ(parse_timestamp("2024-02-16 21:00:00.812042")->at, evening + Milliseconds{812});
  EXPECT_EQ(parse_timestamp("2024-02-16 21:00:00,5")->at, evening + Milliseconds{500});
  EXPECT_EQ(parse_timestamp("1708117200.25")->at, evening + Milliseconds{250});
}

TEST(Timestamp, a_date_alone_is_its_midnight) {
  EXPECT_EQ(parse_timestamp("2024-02-16")->at, evening - Milliseconds{21 * 3'600'000});
}

TEST(Timestamp, what_is_no_time_is_refused_with_a_reason) {
  const struct {
    const char* text;
    const char* reason;
  } cases[] = {
      {"", "is empty"},
      {"yesterday", "is not a time"},
      {"16.02.2024 21:00", "is not a time"},
      {"02/16/2024 21:00", "is not a time"},
      {"2024-02-16 9:00", "is not a time"},
      {"2024-02-16 21:00:00 PM", "is not a time"},
      {"2024-02-30 21:00", "a day that does not exist"},
      {"2023-02-29", "a day that does not exist"},
      {"2024-02-16 24:00", "a time of day that does not exist"},
      {"2024-02-16 21:60", "a time of day that does not exist"},
      {"2024-02-16T21:00:00+25:00", "an offset from UTC"},
      {"1970-01-01 00:00:00", "outside the years"},
      {"9999-12-31 23:59:59", "outside the years"},
      {"12345678", "outside the years"},
      {"99999999999999999999", "too many digits"},
      {"60", "is not a time"},
  };
  for (const auto& c : cases) {
    const auto time = parse_timestamp(c.text);
    ASSERT_FALSE(time) << c.text;
    EXPECT_NE(time.error().find(c.reason), std::string::npos) << c.text << ": " << time.error();
  }
}

TEST(Timestamp, the_usual_distance_is_the_most_frequent_and_of_several_the_shortest) {
  const auto ms = [](std::vector<int> times) {
    std::vector<Milliseconds> result;
    for (const int time : times) result.emplace_back(time);
    return result;
  };
  EXPECT_FALSE(most_frequent_distance(ms({5})));
  EXPECT_EQ(most_frequent_distance(ms({0, 10, 15, 20, 40}))->length, Milliseconds{5});
  EXPECT_EQ(most_frequent_distance(ms({0, 10, 15, 20, 40}))->times, 2U);
  EXPECT_EQ(most_frequent_distance(ms({0, 10, 15}))->length, Milliseconds{5});
}

}  // namespace
}  // namespace headroom::base
