#include "capacity/utilisation_series.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/units.hpp"
#include "capacity/fit.hpp"
#include "capacity/measurements.hpp"

namespace headroom::capacity {
namespace {

using base::Milliseconds;

Milliseconds instant(const std::string& text) { return *base::parse_instant(text); }

const Milliseconds kStart = instant("2026-12-01T10:00:00Z");

UtilisationSeries series(const std::string& csv, std::optional<UtilisationUnit> unit = {}) {
  const auto read = read_utilisation(csv, "cpu.csv", unit);
  EXPECT_TRUE(read) << base::to_string(read.error());
  return read.value_or(UtilisationSeries{});
}

std::string fault(const std::string& csv) {
  const auto read = read_utilisation(csv, "cpu.csv", {});
  EXPECT_FALSE(read);
  return read ? "" : base::to_string(read.error());
}

bool says(const std::vector<std::string>& notes, const std::string& part) {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

// A value every second from the start on: of second i, i percent.
std::string every_second(int seconds, Milliseconds shift = Milliseconds(0)) {
  std::string csv = "timestamp,cpu_percent\n";
  for (int i = 0; i < seconds; ++i) {
    csv += fmt::format("{},{}\n", base::format_instant(kStart + shift + Milliseconds(1000 * i)), i % 100);
  }
  return csv;
}

TEST(UtilisationSeries, ReadsTimesAndValuesWithAHeadingOrWithout) {
  const auto named = series("cpu_percent;time\n34,5;2026-12-01T10:00:00Z\n40;2026-12-01T10:00:05Z\n");
  ASSERT_EQ(named.samples.size(), 2U);
  EXPECT_EQ(named.samples[0].at, kStart);
  EXPECT_EQ(named.samples[0].utilisation, base::Percent(34.5));
  EXPECT_EQ(named.interval, Milliseconds(5000));
  // 1796119200 s are 2026-12-01 10:00:00.
  const auto bare = series("1796119200,34.5\n1796119205,40\n");
  ASSERT_EQ(bare.samples.size(), 2U);
  EXPECT_EQ(bare.samples[0].at, kStart);
}

TEST(UtilisationSeries, SharesAreToldFromTheHeadingTheCallerOrTheValues) {
  const std::string rows = "2026-12-01T10:00:00Z,0.25\n2026-12-01T10:00:01Z,0.75\n";
  const auto inferred = series("timestamp,value\n" + rows);
  EXPECT_EQ(inferred.samples[0].utilisation, base::Percent(25));
  EXPECT_TRUE(says(inferred.notes, "taken as shares of 1"));
  EXPECT_EQ(series("timestamp,cpu_percent\n" + rows).samples[0].utilisation, base::Percent(0.25));
  EXPECT_EQ(series("timestamp,value\n" + rows, UtilisationUnit::percent).samples[0].utilisation,
            base::Percent(0.25));
  EXPECT_EQ(series("timestamp,cpu_ratio\n" + rows).samples[1].utilisation, base::Percent(75));
  EXPECT_TRUE(says(series("2026-12-01T10:00:00Z,25\n2026-12-01T10:00:01Z,75\n").notes, "taken as percent"));
}

TEST(UtilisationSeries, SaysThatTimesWithoutAZoneAreUtc) {
  const auto read = series("2026-12-01 10:00:00,25\n2026-12-01 10:00:01,75\n");
  EXPECT_EQ(read.samples[0].at, kStart);
  EXPECT_TRUE(says(read.notes, "taken as UTC"));
}

TEST(UtilisationSeries, RefusesWhatIsNone) {
  EXPECT_NE(fault("timestamp,cpu\nnoon,5\n").find("cpu.csv:2"), std::string::npos);
  EXPECT_NE(fault("timestamp,cpu\n2026-12-01T10:00:00Z,250\n").find("divide by its cores"),
            std::string::npos);
  EXPECT_NE(fault("timestamp,cpu,cpu_other\n2026-12-01T10:00:00Z,2,3\n").find("several headings"),
            std::string::npos);
  EXPECT_NE(fault("timestamp,cpu\n2026-12-01T10:00:00Z,\n").find("no row with a utilisation"),
            std::string::npos);
  EXPECT_NE(fault("timestamp,cpu\n2026-12-01T10:00:00Z,1\n2026-12-01T10:00:00Z,2\n").find("several values"),
            std::string::npos);
}

// Seconds 101 to 109 of the window from 100 to 110: their mean is 5 of 1 to 9.
TEST(UtilisationSeries, AWindowHoldsWhatLiesWithinItWhicheverEndATimeStandsAt) {
  const auto read = series(every_second(200));
  const Window window{kStart + Milliseconds(100'000), kStart + Milliseconds(110'000)};
  EXPECT_EQ(utilisation_in(read, window), base::Percent(5));
  // 101 alone is too little.
  EXPECT_FALSE(utilisation_in(read, {window.from, window.from + Milliseconds(2000)}));
}

// Six steps of 10 s at 10, 20, ... rps, 12 s apart.
std::string six_steps() {
  std::string csv = "begin,end,rps,cpu_percent\n";
  for (int i = 0; i < 6; ++i) {
    const Milliseconds from = kStart + Milliseconds(12'000 * i + 2000);
    csv += fmt::format("{},{},{},\n", base::format_instant(from),
                       base::format_instant(from + Milliseconds(10'000)), 10 * (i + 1));
  }
  return csv;
}

// What an instance uses in these steps: 1.5 % for each request a second; in the 2 s before each, which a step
// leaves out, 90 %.
std::string used(Milliseconds shift = Milliseconds(0), int seconds = 72) {
  std::string csv = "timestamp,cpu\n";
  for (int i = 0; i < seconds; ++i) {
    csv += fmt::format("{},{}\n", base::format_instant(kStart + shift + Milliseconds(1000 * i)),
                       i % 12 < 2 ? 90 : 15 * (i / 12 + 1));
  }
  return csv;
}

TEST(JoinedUtilisation, IsTheMeanOverEachStepWithoutWhatIsAroundIt) {
  const auto measurements = read_measurements(six_steps(), "m.csv", series(used()));
  ASSERT_TRUE(measurements) << base::to_string(measurements.error());
  ASSERT_EQ(measurements->rows.size(), 6U);
  for (const Measurement& row : measurements->rows) {
    EXPECT_DOUBLE_EQ(row.utilisation.value(), 1.5 * row.per_instance.value());
  }
  const auto fitted = fit(*measurements);
  ASSERT_TRUE(fitted) << base::to_string(fitted.error());
  EXPECT_NEAR(fitted->line.slope, 1.5, 1e-9);
}

TEST(JoinedUtilisation, AStepWithTooFewValuesIsLeftOutAndNamed) {
  // The recording ends 5 s into the last step, of which it holds one value within: 62 s to 72 s, every 1 s.
  const auto measurements = read_measurements(six_steps(), "m.csv", series(used(Milliseconds(0), 64)));
  ASSERT_TRUE(measurements) << base::to_string(measurements.error());
  EXPECT_EQ(measurements->rows.size(), 5U);
  EXPECT_TRUE(says(measurements->notes,
                   "fewer than 2 values within 2026-12-01T10:01:02Z to 2026-12-01T10:01:12Z: left out"))
      << measurements->notes.back();
}

TEST(JoinedUtilisation, AnotherTimeIsAFaultThatNamesBoth) {
  const auto measurements = read_measurements(six_steps(), "m.csv", series(used(Milliseconds(3'600'000))));
  ASSERT_FALSE(measurements);
  const std::string text = base::to_string(measurements.error());
  EXPECT_NE(text.find("2026-12-01T10:00:02Z to 2026-12-01T10:01:12Z"), std::string::npos) << text;
  EXPECT_NE(text.find("cpu.csv is of 2026-12-01T11:00:00Z to 2026-12-01T11:01:11Z"), std::string::npos)
      << text;
  EXPECT_NE(text.find("zone"), std::string::npos) << text;
}

TEST(JoinedUtilisation, RowsThatSayNoTimeAreRefused) {
  const auto measurements = read_measurements("rps\n1\n2\n", "m.csv", series(used()));
  ASSERT_FALSE(measurements);
  EXPECT_NE(base::to_string(measurements.error()).find("no column says when"), std::string::npos);
}

TEST(JoinedUtilisation, ATimestampIsOfTheIntervalThatBeginsThere) {
  const auto measurements = read_measurements(
      "timestamp,rps\n2026-12-01T10:00:02Z,10\n2026-12-01T10:00:07Z,10\n", "m.csv", series(used()));
  ASSERT_TRUE(measurements) << base::to_string(measurements.error());
  ASSERT_EQ(measurements->rows.size(), 2U);
  EXPECT_EQ(measurements->rows[0].utilisation, base::Percent(15));
}

TEST(Measurements, WithoutAnyUtilisationSayHowToAddIt) {
  const auto measurements = read_measurements(six_steps(), "m.csv");
  ASSERT_FALSE(measurements);
  ASSERT_EQ(measurements.error().faults.size(), 1U);
  EXPECT_NE(base::to_string(measurements.error()).find("--cpu CPU.csv"), std::string::npos);
}

}  // namespace
}  // namespace headroom::capacity
