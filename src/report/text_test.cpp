#include "report/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "report/sample.hpp"
#include "report/sample_text.hpp"

namespace headroom::report {
namespace {

TEST(Text, ARehearsalFits80ColumnsWhateverItsNames) {
  const SampleOptions options{
      .service = std::string(200, 'x') + " \x1b[31mred", .ticks = 300, .latency = true};
  const std::string text = rehearsal_text(sample_rehearsal(options), sample_service(options));
  expect_fits(text);
  EXPECT_FALSE(says(text, "\x1b")) << "a control character of a name reaches the terminal";
}

TEST(Text, ARehearsalLeadsWithItsVerdict) {
  const SampleOptions options{.ticks = 480};
  sim::Rehearsal rehearsal = sample_rehearsal(options);
  rehearsal.summary.objective_met = true;
  EXPECT_TRUE(says(rehearsal_text(rehearsal, sample_service(options)), "OBJECTIVE KEPT: CPU at most 75 %"));
  rehearsal.summary.objective_met = false;
  EXPECT_TRUE(says(rehearsal_text(rehearsal, sample_service(options)), "OBJECTIVE MISSED"));
  environment::Service service = sample_service(options);
  service.objective = {};
  service.objective.profit.emplace();
  EXPECT_TRUE(says(rehearsal_text(rehearsal, service), "  AIM: the highest profit\n"));
  service.objective = {};
  EXPECT_TRUE(says(rehearsal_text(rehearsal, service), "NO OBJECTIVE IS SET"));
}

TEST(Text, InstancesFaultsAndEventsFit80Columns) {
  const SampleOptions options{.ticks = 480, .zones = true};
  sim::Rehearsal rehearsal = sample_rehearsal(options);
  std::string text = rehearsal_text(rehearsal, sample_service(options));
  expect_fits(text);
  for (const char* part : {"in a ", "in b ", "FAULTS REHEARSED", "lost b for 40 min", "instance failed i-2",
                           "INSTANCES", "in all", "warned", "charged"}) {
    EXPECT_TRUE(says(text, part)) << part;
  }
  rehearsal.zones[1].zone = std::string(90, 'z');
  rehearsal.events[0].why = std::string(200, 'w') + "\x1b[31m";
  rehearsal.events.resize(30, rehearsal.events[0]);
  rehearsal.instances.resize(30, {std::string(90, 'i'), std::string(90, 'z'), 1'000, 1e6, 20'000, 12'345.6});
  text = rehearsal_text(rehearsal, sample_service(options));
  expect_fits(text);
  EXPECT_FALSE(says(text, "\x1b"));
  EXPECT_TRUE(says(text, "and 20 more, in summary.json"));
  EXPECT_TRUE(says(text, "and 18 more, in summary.json"));
  // Counts know none of it.
  text = rehearsal_text(sample_rehearsal({.ticks = 480}), sample_service(options));
  for (const char* part : {"FAULTS", "EVENTS", "INSTANCES", "charged"})
    EXPECT_FALSE(says(text, part)) << part;
}

TEST(Text, MinutesBeyondTheObjectiveAreRoundedAndGrouped) {
  const SampleOptions options{.ticks = 480};
  sim::Rehearsal rehearsal = sample_rehearsal(options);
  const auto beyond = [&](double minutes) {
    rehearsal.summary.objective_violation_minutes = minutes;
    const std::string text = rehearsal_text(rehearsal, sample_service(options));
    const std::size_t at = text.find("beyond it for ");
    return text.substr(at, text.find(',', at + 17) - at);
  };
  EXPECT_EQ(beyond(44.28333333333333), "beyond it for 44.3 min");
  EXPECT_EQ(beyond(0.03333333333333333), "beyond it for 0.0333 min");
  EXPECT_EQ(beyond(1312), "beyond it for 1,312 min");
}

TEST(Text, LimitsPerZoneSayThatTheyAreThoseOfOneZone) {
  const SampleOptions options{.ticks = 480, .zones = true};
  sim::Rehearsal rehearsal = sample_rehearsal(options);
  rehearsal.groups = {"a", "b"};
  rehearsal.summary.minutes_at_max = 58;
  environment::Service service = sample_service(options);
  service.scale.scaling.limits = {};
  service.scale.scaling.limits.max = 4;
  std::string text = rehearsal_text(rehearsal, service);
  EXPECT_TRUE(says(text, "limits: in each of 2 zones: min 1, max 4\n")) << text;
  EXPECT_TRUE(says(text, "desired as many as 2 zones of max 4 allow")) << text;
  expect_fits(text);
  rehearsal.groups.clear();
  text = rehearsal_text(rehearsal, service);
  EXPECT_TRUE(says(text, "limits: min 1, max 4\n")) << text;
  EXPECT_TRUE(says(text, "desired as many as max (4) allows")) << text;
}

TEST(Text, AnIntervalStandsOnlyWhereTheSeedsDiffer) {
  tune::Replications replications;
  replications.count = 3;
  replications.score.cost_usd = {10, 9, 11};
  const std::string text = replications_text(replications);
  EXPECT_TRUE(says(text, "  cost            $10.00        95 % interval $9.00..$11.00\n")) << text;
  EXPECT_TRUE(says(text, "  violation       0 %\n")) << text;
}

TEST(Text, BarsShowTheHighestOfEachPart) {
  EXPECT_EQ(bars_text(std::vector<double>{0, 4, 8, 8, 1, 2, 0, 0}, 4), "▅█▃▁");
  EXPECT_EQ(bars_text(std::vector<double>{1, std::nan(""), 1}, 10), "█ █");
  EXPECT_EQ(bars_text({}, 10), "");
  EXPECT_EQ(bars_text(std::vector<double>{0, 0}, 2), "▁▁");
}

}  // namespace
}  // namespace headroom::report
