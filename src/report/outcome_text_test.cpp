#include "report/outcome_text.hpp"

#include <gtest/gtest.h>

#include <string>

#include "report/sample.hpp"
#include "report/sample_text.hpp"

namespace headroom::report {
namespace {

TEST(OutcomeText, AnOutcomeFits80Columns) {
  tune::Outcome outcome = sample_outcome({.ticks = 2 * 1440});
  outcome.unseen[1].name = std::string(120, 'y');
  outcome.sensitivities[0].parameter = std::string(120, 'z');
  outcome.variations[0].name = std::string(120, 'v');
  // A million dollars a month is wide; so is a share of ten digits.
  outcome.unseen[2].score.cost_usd = {65'000.123, 64'000.456, 66'000.789};
  outcome.sensitivities[1].cost_usd.high = 1'234'567.89;
  outcome.unseen[2].score.objective_violation_percent = {0.012345678, 0.0123456, 0.01234567};
  expect_fits(outcome_text(outcome, sample_service({}).objective));
}

TEST(OutcomeText, AnOutcomeComparesMoneyAMonth) {
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

TEST(OutcomeText, ARivalThatIsBetterThanTheWinnerIsNamedFirst) {
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
  EXPECT_TRUE(says(text(), "CHEAPER THAN THE WINNER AND SAFER: tracking")) << text();
  EXPECT_TRUE(says(text(), "$60.83 a month against $91.25, violated 0.5 % of the")) << text();
  EXPECT_LT(text().find("CHEAPER THAN THE WINNER"), text().find("  WINNER"));
  outcome.unseen[2].score.objective_violation_percent.mean = 0.6;
  EXPECT_TRUE(says(text(), "CHEAPER THAN THE WINNER, THOUGH NEARER TO THE LIMIT:")) << text();
  outcome.unseen[0].score.objective_met = false;
  EXPECT_TRUE(says(text(), "CHEAPER THAN THE WINNER, AND KEEPS THE OBJECTIVE")) << text();
  outcome.unseen[0].score.objective_met = true;
  // Not where it misses the objective, and not where chance may have made the difference.
  outcome.unseen[2].score.objective_met = false;
  EXPECT_FALSE(says(text(), "CHEAPER"));
  outcome.unseen[2].score.objective_met = true;
  outcome.unseen[2].score.cost_usd = {2.9, 2.8, 3.0};
  EXPECT_FALSE(says(text(), "CHEAPER"));
}

TEST(OutcomeText, EveryTableOfAnOutcomeCountsMoneyAMonth) {
  tune::Outcome outcome = sample_outcome({.ticks = 1440});
  outcome.unseen.clear();
  // Two days for 4 $ to 6 $, and for 8 $ and 10 $: by 730 / 48 hours $60.83 to $91.25, and $121.67 and
  // $152.08.
  outcome.best.score.duration = base::Milliseconds{48 * 3'600'000};
  outcome.sensitivities.resize(1);
  outcome.sensitivities[0].cost_usd = {4, 6};
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

TEST(OutcomeText, TheTimeOfASearchIsLeftOutOnRequest) {
  const tune::Outcome outcome = sample_outcome({.ticks = 60});
  const environment::Objective objective;
  EXPECT_TRUE(says(outcome_text(outcome, objective), "in 3.25 s"));
  EXPECT_FALSE(says(outcome_text(outcome, objective, Timing::omitted), "3.25 s"));
}

TEST(OutcomeText, AMissIsNotCalledAWinner) {
  tune::Outcome outcome = sample_outcome({.ticks = 60});
  outcome.found = false;
  const std::string text = outcome_text(outcome, {});
  EXPECT_FALSE(says(text, "WINNER"));
  EXPECT_TRUE(says(text, "NO POLICY KEEPS THE OBJECTIVE"));
}

TEST(OutcomeText, AnEmptyOutcomeIsStillText) {
  const tune::Outcome outcome;
  expect_fits(outcome_text(outcome, {}));
}

TEST(OutcomeText, WhereProfitIsTheAimMoneyIsEarnedAndRiskIsDowntime) {
  tune::Outcome outcome = sample_earning_outcome({.ticks = 1440});
  outcome.found = true;
  outcome.unseen.resize(2);
  // A day that earns 2 $ and 3 $, down for 14.4 and 28.8 of its 1,440 minutes.
  outcome.unseen[0].score.profit_usd = tune::Estimate{2, 2, 2};
  outcome.unseen[0].score.downtime_minutes = {14.4, 14.4, 14.4};
  outcome.unseen[1].score.profit_usd = tune::Estimate{3, 3, 3};
  outcome.unseen[1].score.downtime_minutes = {28.8, 28.8, 28.8};
  outcome.sensitivities.resize(1);
  outcome.sensitivities[0].profit_usd = tune::Range{1, 3};
  outcome.sensitivities[0].downtime_minutes = {0, 14.4};
  outcome.variations.resize(1);
  outcome.variations[0].tuned = outcome.unseen[0].score;
  outcome.variations[0].present = outcome.unseen[1].score;
  const std::string text = outcome_text(outcome, {});
  expect_fits(text);
  for (const char* part :
       {"the most profitable policy", "MORE PROFITABLE THAN THE WINNER, THOUGH NEARER TO THE LIMIT: present",
        "tuned earns $30.42 a month (33.3 %) less than present",
        "WHAT MATTERS, one parameter at a time: profit a month", "$30.42..$91.25, down 0..1 %",
        "IF THINGS TURN OUT OTHERWISE: profit a month", "down"}) {
    EXPECT_TRUE(says(text, part)) << part << '\n' << text;
  }
  EXPECT_FALSE(says(text, "cost")) << text;
  EXPECT_FALSE(says(text, "violated")) << text;
}

}  // namespace
}  // namespace headroom::report
