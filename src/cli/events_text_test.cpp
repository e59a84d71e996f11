#include "cli/events_text.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "report/layout.hpp"

namespace headroom::cli {
namespace {

constexpr base::Milliseconds kAt{1'700'000'000'000};  // 2023-11-14T22:13:20Z

history::Entry decided(int before, int recommended, int desired) {
  history::Entry entry;
  entry.event = {kAt, "web", "decision", "", "above the threshold"};
  entry.until = kAt;
  history::Decision& decision = entry.decision.emplace();
  decision.cpu_percent = 71.5;
  decision.in_service = before;
  decision.recommended = recommended;
  decision.desired = desired;
  decision.add = desired - before;
  return entry;
}

TEST(EventsText, says_what_was_done_and_why) {
  EXPECT_EQ(event_text(decided(2, 3, 3)),
            "11-14 22:13:20  web        2 -> 3 instances: cpu 71.5 %; above the threshold\n");
}

TEST(EventsText, says_why_nothing_was_done_and_how_often) {
  history::Entry entry = decided(2, 3, 2);
  entry.event.text = "above the threshold; held back";
  entry.times = 4;
  entry.until = kAt + std::chrono::seconds(15);
  const std::string text = event_text(entry);
  EXPECT_NE(text.find("2 instances stay, 3 asked for: cpu 71.5 %"), std::string::npos) << text;
  EXPECT_NE(text.find("(4 times,"), std::string::npos) << text;
  EXPECT_NE(text.find("22:13:35)"), std::string::npos) << text;
}

TEST(EventsText, says_that_nothing_was_measured) {
  history::Entry entry = decided(2, 2, 2);
  entry.decision->cpu_percent.reset();
  entry.event.text = "the metric is missing";
  EXPECT_EQ(event_text(entry), "11-14 22:13:20  web        2 instances stay: the metric is missing\n");
}

TEST(EventsText, fits_the_terminal_whatever_things_are_called) {
  const history::Entry entry{
      {kAt, std::string(60, 'w'), "in_service", "web-1\x1b[31m", std::string(200, 'x') + " y"},
      kAt,
      1,
      std::nullopt};
  const std::string text = event_text(entry);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.rfind("11-14 22:13:20  ", 0), 0U);
  std::istringstream lines(event_text(decided(2, 3, 3)));
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(report::columns_of(line), report::kTextColumns);
}

TEST(DecisionText, says_what_is_asked_for_where_it_is_not_what_there_is) {
  daemon::DecisionStatus decision;
  decision.cpu_percent = 20;
  decision.recommended = decision.desired = 2;
  decision.why = "within the band";
  EXPECT_EQ(decision_text(decision), "cpu 20 %; within the band");
  decision.recommended = 3;
  EXPECT_EQ(decision_text(decision), "cpu 20 %; within the band; 3 asked for");
}

}  // namespace
}  // namespace headroom::cli
