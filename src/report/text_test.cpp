#include "report/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

#include "report/sample.hpp"

namespace headroom::report {
namespace {

int columns(const std::string& line) {
  return static_cast<int>(std::count_if(
      line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void expect_fits(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(columns(line), kTextColumns) << line;
    EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
  }
  EXPECT_EQ(text.back(), '\n');
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

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
  EXPECT_TRUE(says(rehearsal_text(rehearsal, service), "NO OBJECTIVE IS SET"));
}

TEST(Text, InstancesFaultsAndEventsFit80Columns) {
  const SampleOptions options{.ticks = 480, .zones = true};
  sim::Rehearsal rehearsal = sample_rehearsal(options);
  std::string text = rehearsal_text(rehearsal, sample_service(options));
  expect_fits(text);
  for (const char* part : {"in a ", "in b ", "FAULTS REHEARSED", "lost b for 40 min", "instance replaced i-2",
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

TEST(Text, AnOutcomeFits80Columns) {
  tune::Outcome outcome = sample_outcome({.ticks = 2 * 1440});
  outcome.unseen[1].name = std::string(120, 'y');
  outcome.sensitivities[0].parameter = std::string(120, 'z');
  outcome.variations[0].name = std::string(120, 'v');
  // A million dollars a month is wide; so is a share of ten digits.
  outcome.unseen[2].score.cost_usd = {65'000.123, 64'000.456, 66'000.789};
  outcome.sensitivities[1].cost_usd_high = 1'234'567.89;
  outcome.unseen[2].score.objective_violation_percent = {0.012345678, 0.0123456, 0.01234567};
  expect_fits(outcome_text(outcome, sample_service({}).objective));
}

TEST(Text, AnOutcomeComparesMoneyAMonth) {
  tune::Outcome outcome = sample_outcome({.ticks = 1440});
  outcome.unseen.resize(2);
  // A day of traffic for 2 $ and 3 $: 2 * 730 / 24 = 60.83 $ and 91.25 $ a month, 30.42 $ and 33.3 % less.
  outcome.unseen[0].score.cost_usd = {2, 2, 2};
  outcome.unseen[1].score.cost_usd = {3, 3, 3};
  outcome.unseen[0].score.objective_met = true;
  outcome.unseen[1].score.objective_met = false;
  const std::string text = outcome_text(outcome, sample_service({}).objective);
  EXPECT_TRUE(says(text, "$60.83")) << text;
  EXPECT_TRUE(says(text, "$91.25")) << text;
  EXPECT_TRUE(says(text, "tuned costs $30.42 a month (33.3 %) less than present, which misses the")) << text;
}

TEST(Text, ARivalThatIsBetterThanTheWinnerIsNamedFirst) {
  tune::Outcome outcome = sample_outcome({.ticks = 1440});
  outcome.found = true;
  outcome.unseen.resize(3);
  outcome.unseen[2].name = "tracking";
  for (tune::Contender& each : outcome.unseen) {
    each.score.cost_usd = {3, 2.9, 3.1};
    each.score.objective_violation_percent = {0.5, 0.4, 0.6};
    each.score.objective_met = true;
  }
  const auto text = [&] { return outcome_text(outcome, sample_service({}).objective); };
  EXPECT_FALSE(says(text(), "CHEAPER"));
  // A day for 2 $ and 3 $: 60.83 $ and 91.25 $ a month.
  outcome.unseen[2].score.cost_usd = {2, 1.9, 2.1};
  EXPECT_TRUE(says(text(), "CHEAPER AND SAFER THAN THE WINNER: tracking")) << text();
  EXPECT_TRUE(says(text(), "$60.83 a month against $91.25, violated 0.5 % of the")) << text();
  EXPECT_LT(text().find("CHEAPER AND SAFER"), text().find("  WINNER"));
  outcome.unseen[2].score.objective_violation_percent.mean = 0.6;
  EXPECT_TRUE(says(text(), "CHEAPER, THOUGH NEARER TO THE LIMIT THAN THE WINNER: tracking")) << text();
  outcome.unseen[0].score.objective_met = false;
  EXPECT_TRUE(says(text(), "CHEAPER, AND KEEPS THE OBJECTIVE")) << text();
  outcome.unseen[0].score.objective_met = true;
  // Not where it misses the objective, and not where chance may have made the difference.
  outcome.unseen[2].score.objective_met = false;
  EXPECT_FALSE(says(text(), "CHEAPER"));
  outcome.unseen[2].score.objective_met = true;
  outcome.unseen[2].score.cost_usd = {2.9, 2.8, 3.0};
  EXPECT_FALSE(says(text(), "CHEAPER"));
}

TEST(Text, EveryTableOfAnOutcomeCountsMoneyAMonth) {
  tune::Outcome outcome = sample_outcome({.ticks = 1440});
  outcome.unseen.clear();
  // Two days for 4 $ to 6 $, and for 8 $ and 10 $: by 730 / 48 hours $60.83 to $91.25, and $121.67 and
  // $152.08.
  outcome.best.score.duration = base::Milliseconds{48 * 3'600'000};
  outcome.sensitivities.resize(1);
  outcome.sensitivities[0].cost_usd_low = 4;
  outcome.sensitivities[0].cost_usd_high = 6;
  outcome.variations.resize(1);
  outcome.variations[0].tuned.duration = outcome.variations[0].present.duration = outcome.best.score.duration;
  outcome.variations[0].tuned.cost_usd = {8, 8, 8};
  outcome.variations[0].present.cost_usd = {10, 10, 10};
  const std::string text = outcome_text(outcome, sample_service({}).objective);
  EXPECT_TRUE(says(text, "WHAT MATTERS, one parameter at a time: cost a month")) << text;
  EXPECT_TRUE(says(text, "$60.83..$91.25")) << text;
  EXPECT_TRUE(says(text, "IF THINGS TURN OUT OTHERWISE: cost a month")) << text;
  EXPECT_TRUE(says(text, "$121.67")) << text;
  EXPECT_TRUE(says(text, "$152.08")) << text;
}

TEST(Text, TheTimeOfASearchIsLeftOutOnRequest) {
  const tune::Outcome outcome = sample_outcome({.ticks = 60});
  const environment::Objective objective;
  EXPECT_TRUE(says(outcome_text(outcome, objective), "in 3.25 s"));
  EXPECT_FALSE(says(outcome_text(outcome, objective, Timing::omitted), "3.25 s"));
}

TEST(Text, AMissIsNotCalledAWinner) {
  tune::Outcome outcome = sample_outcome({.ticks = 60});
  outcome.found = false;
  const std::string text = outcome_text(outcome, {});
  EXPECT_FALSE(says(text, "WINNER"));
  EXPECT_TRUE(says(text, "NO POLICY KEEPS THE OBJECTIVE"));
}

TEST(Text, AnEmptyOutcomeIsStillText) {
  const tune::Outcome outcome;
  expect_fits(outcome_text(outcome, {}));
}

TEST(Text, BarsShowTheHighestOfEachPart) {
  EXPECT_EQ(bars_text(std::vector<double>{0, 4, 8, 8, 1, 2, 0, 0}, 4), "▅█▃▁");
  EXPECT_EQ(bars_text(std::vector<double>{1, std::nan(""), 1}, 10), "█ █");
  EXPECT_EQ(bars_text({}, 10), "");
  EXPECT_EQ(bars_text(std::vector<double>{0, 0}, 2), "▁▁");
}

}  // namespace
}  // namespace headroom::report
