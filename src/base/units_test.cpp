#include "base/units.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <clocale>

namespace headroom::base {
namespace {

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

std::int64_t ms_of(std::string_view text) {
  const auto duration = parse_duration(text);
  return duration ? duration->count() : -1;
}

std::string fix_of(const Error& error) { return error.faults.at(0).fix; }

TEST(Duration, ReadsEveryUnitAndSumsOfThem) {
  EXPECT_EQ(ms_of("250ms"), 250);
  EXPECT_EQ(ms_of("5s"), 5 * kSecond);
  EXPECT_EQ(ms_of("4m"), 4 * kMinute);
  EXPECT_EQ(ms_of("2h"), 2 * kHour);
  EXPECT_EQ(ms_of("14d"), 14 * kDay);
  EXPECT_EQ(ms_of("8w"), 56 * kDay);
  EXPECT_EQ(ms_of("1h30m"), kHour + 30 * kMinute);
  EXPECT_EQ(ms_of("1d1h1m1s1ms"), kDay + kHour + kMinute + kSecond + 1);
  EXPECT_EQ(ms_of("1.5h"), 90 * kMinute);
  EXPECT_EQ(ms_of("0.25s"), 250);
  EXPECT_EQ(ms_of("0s"), 0);
}

TEST(Duration, RefusesEverythingElse) {
  for (const char* text : {"",
                           "5",
                           "m",
                           "5 m",
                           " 5m",
                           "5m ",
                           "-5m",
                           "+5m",
                           "5x",
                           "5mm",
                           "1m1h",
                           "1m1m",
                           "1.5h30m",
                           "0.5ms",
                           "1e3s",
                           "nan",
                           "inf",
                           "5m!",
                           ".5s",
                           "5.s",
                           "0x5s",
                           "99999999999999999999s",
                           "101000000000000d",
                           "40000d",
                           "5\xC2\xB5s"}) {
    EXPECT_EQ(ms_of(text), -1) << text;
  }
}

TEST(Duration, SaysWhatToWriteInstead) {
  EXPECT_EQ(parse_duration("5").error().faults.at(0).what,
            "expected a duration such as 250ms, 5s, 4m, 2h, 14d or 1h30m, found \"5\"");
  EXPECT_EQ(fix_of(parse_duration("5").error()),
            "write its unit: 5s, 5m or 5h for seconds, minutes or hours");
  EXPECT_EQ(fix_of(parse_duration("5 min").error()), "write 5m");
  EXPECT_EQ(fix_of(parse_duration("2 hours").error()), "write 2h");
  EXPECT_EQ(fix_of(parse_duration("30m1h").error()), "write the larger units first, each once: 1h30m");
}

TEST(Duration, SignedOnesTakeASign) {
  EXPECT_EQ(parse_signed_duration("-4h")->count(), -4 * kHour);
  EXPECT_EQ(parse_signed_duration("+4h")->count(), 4 * kHour);
  EXPECT_FALSE(parse_signed_duration("--4h"));
}

RC_GTEST_PROP(Duration, FormatReadsBack, ()) {
  const auto ms = *rc::gen::inRange<std::int64_t>(0, 36'525 * kDay);
  RC_ASSERT(ms_of(format_duration(Milliseconds(ms))) == ms);
  for (const std::string_view unit : {"ms", "s", "m", "h", "d", "w"}) {
    if (const auto text = format_duration_in(Milliseconds(ms), unit)) {
      RC_ASSERT(ms_of(*text) == ms);
      RC_ASSERT(duration_unit(*text) == unit);
    }
  }
}

TEST(Duration, IsWrittenAsPeopleWriteIt) {
  EXPECT_EQ(format_duration(Milliseconds(0)), "0s");
  EXPECT_EQ(format_duration(Milliseconds(90 * kMinute)), "1h30m");
  EXPECT_EQ(format_duration(Milliseconds(14 * kDay)), "2w");
  EXPECT_EQ(format_duration(Milliseconds(-kSecond)), "-1s");
  EXPECT_EQ(format_duration_in(Milliseconds(90 * kMinute), "m"), "90m");
  EXPECT_EQ(format_duration_in(Milliseconds(90 * kMinute), "h"), "1.5h");
  EXPECT_EQ(format_duration_in(Milliseconds(kMinute), "h"), std::nullopt);  // 0.01666... h
}

TEST(Percent, NeedsItsSign) {
  EXPECT_EQ(parse_percent("25%")->value(), 25);
  EXPECT_EQ(parse_percent("99.9 %")->value(), 99.9);
  EXPECT_EQ(parse_percent("-3%")->value(), -3);
  for (const char* text : {"", "%", "25", "25 percent", "nan%", "inf%", "1e999%", "25%%", "25% ", "0x10%"}) {
    EXPECT_FALSE(parse_percent(text)) << text;
  }
  EXPECT_EQ(fix_of(parse_percent("25").error()), "write 25%");
}

TEST(Ratio, RoundsOnce) {
  // 99.9 / 100 is 0.9990000000000001 in double; the decimal point is shifted in the text instead.
  EXPECT_EQ(*parse_ratio("99.9%"), 0.999);
  EXPECT_EQ(*parse_ratio("0.1"), 0.1);
  EXPECT_EQ(*parse_share_of_minutes("99.9% of minutes"), 0.999);
  EXPECT_EQ(*parse_share_of_minutes("100% of minutes"), 1.0);
  for (const char* text : {"", "99.9%", "101% of minutes", "-1% of minutes", "0.999 of minutes",
                           "99.9% of hours", "nan% of minutes", "of minutes"}) {
    EXPECT_FALSE(parse_share_of_minutes(text)) << text;
  }
  EXPECT_EQ(fix_of(parse_share_of_minutes("99.9%").error()), "write 99.9% of minutes");
}

TEST(Rate, ReadsPerSecondAndPerMinute) {
  EXPECT_EQ(parse_rate("12.5 rps")->value(), 12.5);
  EXPECT_EQ(parse_rate("30000 rpm")->value(), 500);  // 30000 / 60
  EXPECT_EQ(parse_rate("3/s")->value(), 3);
  EXPECT_EQ(parse_rate("180/min")->value(), 3);
  for (const char* text :
       {"", "rps", "12", "-1 rps", "12 rph", "nan rps", "inf rps", "1e400 rps", "12 rps.", "1,5 rps"}) {
    EXPECT_FALSE(parse_rate(text)) << text;
  }
  EXPECT_EQ(fix_of(parse_rate("12").error()), "write its unit: 12 rps or 12 rpm");
}

TEST(Money, NeedsItsCurrency) {
  EXPECT_EQ(parse_price("0.0104 USD/h")->value(), 0.0104);
  EXPECT_EQ(parse_money("200 USD")->value(), 200);
  for (const char* text : {"", "0.01", "0.01 EUR/h", "-1 USD/h", "0.01 USD", "nan USD/h"}) {
    EXPECT_FALSE(parse_price(text)) << text;
  }
  EXPECT_FALSE(parse_money("0.01 USD/h"));
}

TEST(Bytes, KnowsPowersOf1000AndOf1024) {
  EXPECT_EQ(*parse_bytes("256MiB"), 268'435'456);  // 256 * 2^20
  EXPECT_EQ(*parse_bytes("1GB"), 1'000'000'000);
  EXPECT_EQ(*parse_bytes("1.5 KiB"), 1536);
  EXPECT_EQ(*parse_bytes("512B"), 512);
  for (const char* text : {"", "256", "0.3B", "1PB", "256mib", "-1MiB", "99999999999999TiB", "MiB"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
  EXPECT_EQ(format_bytes(268'435'456), "256MiB");
  EXPECT_EQ(format_bytes(1'000'000'000), "1GB");
  EXPECT_EQ(format_bytes(1537), "1537B");
}

TEST(Number, IsFiniteAndWhole) {
  EXPECT_EQ(parse_number("-1.5e3"), -1500);
  for (const char* text :
       {"", "-", "nan", "inf", "-inf", "nan(1)", "1e999", "0x1p3", "1 ", " 1", "1,5", "+1"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_integer("9223372036854775808"), std::nullopt);  // 2^63
  EXPECT_EQ(parse_integer("1.0"), std::nullopt);
  EXPECT_EQ(parse_unsigned("-1"), std::nullopt);
}

RC_GTEST_PROP(Number, FormatReadsBack, (double value)) {
  RC_ASSERT(parse_number(format_number(value)) == value);
}

TEST(Number, IsWrittenShort) {
  EXPECT_EQ(format_number(0.0008716906), "0.0008716906");
  EXPECT_EQ(format_number(150000), "150000");
  EXPECT_EQ(format_number(0.1), "0.1");
}

TEST(Number, DoesNotDependOnTheLocale) {
  // de_DE would write a comma; where it is not installed setlocale does nothing and the test is vacuous
  // there.
  std::setlocale(LC_ALL, "de_DE.UTF-8");
  EXPECT_EQ(parse_number("1.5"), 1.5);
  EXPECT_EQ(format_number(1.5), "1.5");
  std::setlocale(LC_ALL, "C");
}

TEST(TimeOfDay, RunsFromMidnightToMidnight) {
  EXPECT_EQ(parse_time_of_day("00:00")->count(), 0);
  EXPECT_EQ(parse_time_of_day("08:30")->count(), 8 * kHour + 30 * kMinute);
  EXPECT_EQ(parse_time_of_day("24:00")->count(), kDay);
  for (const char* text : {"", "8:00", "24:01", "08:60", "08", "08:00x", "480"}) {
    EXPECT_FALSE(parse_time_of_day(text)) << text;
  }
}

TEST(Instant, KnowsDatesAndZones) {
  EXPECT_EQ(parse_instant("1970-01-02")->count(), kDay);
  // 2014-07-01 is 16,252 days after 1970-01-01: 44 years with 11 leap days, then 181 days of 2014.
  EXPECT_EQ(parse_instant("2014-07-01")->count(), 16'252 * kDay);
  EXPECT_EQ(parse_instant("2014-07-01T02:00:00+02:00")->count(), 16'252 * kDay);
  EXPECT_EQ(parse_instant("2014-06-30 20:00:00-04:00")->count(), 16'252 * kDay);
  EXPECT_EQ(parse_instant("2014-07-01T00:00:00.250Z")->count(), 16'252 * kDay + 250);
  EXPECT_TRUE(parse_instant("2000-02-29"));
  for (const char* text : {"", "2014", "2014-13-01", "2014-02-29", "2100-02-29", "2014-07-01T",
                           "2014-07-01T25:00", "2014-07-01Z", "2014-07-01T00:00:00Zx", "1969-12-31"}) {
    EXPECT_FALSE(parse_instant(text)) << text;
  }
}

RC_GTEST_PROP(Instant, FormatReadsBack, ()) {
  const auto ms = *rc::gen::inRange<std::int64_t>(0, 100 * 365 * kDay);
  RC_ASSERT(parse_instant(format_instant(Milliseconds(ms)))->count() == ms);
}

TEST(Message, QuotesStayOnOneShortLine) {
  EXPECT_EQ(in_quotes("a\nb\x01"), "\"a\\nb\\x01\"");
  EXPECT_LT(in_quotes(std::string(1'000'000, 'x')).size(), 80u);
}

TEST(Message, AtGivesAPlaceOnce) {
  const Error error = at({"f.yaml", 3, 4}, parse_duration("5").error());
  EXPECT_EQ(error.faults.at(0).place, (Place{"f.yaml", 3, 4}));
  EXPECT_EQ(at({"other", 1, 1}, error).faults.at(0).place, (Place{"f.yaml", 3, 4}));
}

}  // namespace
}  // namespace headroom::base
