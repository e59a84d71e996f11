#include "report/page.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "report/bundle.hpp"
#include "report/sample.hpp"

// What needs a browser is checked in ui/tests/page.mjs.
namespace headroom::report {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

nlohmann::json input_of(const std::string& page) {
  const std::string opening = "id=\"report-data\">";
  const std::size_t begin = page.find(opening) + opening.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

std::string page_of(const SampleOptions& options) {
  return report_html(sample_rehearsal(options), sample_service(options));
}

TEST(Page, AsksNothingOfAnyNetwork) {
  const std::string page = page_of({.ticks = 30});
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  for (const char* part : {" src=", " href=", "@import", "url(", "unsafe-inline"}) {
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  }
  const Bundle ui = bundle();
  EXPECT_NE(page.find("script-src '" + std::string(ui.script_hash) + "'"), std::string::npos);
  EXPECT_NE(page.find("style-src '" + std::string(ui.style_hash) + "'"), std::string::npos);
}

TEST(Page, NamesCannotBecomeMarkup) {
  const std::string plain = page_of({.ticks = 30});
  const std::string name = "</script></title></noscript><script>alert(1)</script>\"'&";
  const std::string page = page_of({.service = name, .ticks = 30});
  for (const char* part : {"<script", "</script", "</title", "</noscript", "<pre"}) {
    EXPECT_EQ(count(page, part), count(plain, part)) << part;
  }
  EXPECT_EQ(input_of(page)["service"], name);
}

TEST(Page, CarriesTheObjectiveAndTheThresholdsOfThePolicy) {
  const nlohmann::json input = input_of(page_of({.ticks = 30}));
  EXPECT_EQ(input["objective"]["cpu_percent"], 75);
  EXPECT_EQ(input["runs"][0]["thresholds"][0]["value"], 55);
  EXPECT_EQ(input["runs"][0]["thresholds"][1]["side"], "in");
  EXPECT_EQ(input["reasons"][0], "above the threshold");
  EXPECT_EQ(input["reasons"].size(), static_cast<std::size_t>(policy::kReasonCount));
}

TEST(Page, TheMaximumOfTheChartIsThatOfAllZonesTogether) {
  const SampleOptions options{.ticks = 30, .zones = true};
  const environment::Service service = sample_service(options);
  sim::Rehearsal rehearsal = sample_rehearsal(options);
  const int max = service.scale.scaling.limits.max;
  EXPECT_EQ(input_of(report_html(rehearsal, service))["runs"][0]["limits"]["max"], max);
  rehearsal.groups = {"a", "b"};
  const nlohmann::json limits = input_of(report_html(rehearsal, service))["runs"][0]["limits"];
  EXPECT_EQ(limits["max"], 2 * max);
  EXPECT_TRUE(limits["text"].get<std::string>().starts_with("in each of 2 zones: min")) << limits["text"];
}

TEST(Page, KeepsEveryDecisionThatActs) {
  const sim::Rehearsal rehearsal = sample_rehearsal({.ticks = 480});
  const nlohmann::json decisions =
      input_of(report_html(rehearsal, sample_service({})))["runs"][0]["decisions"];
  EXPECT_EQ(decisions["evaluated"], 480);
  EXPECT_LT(decisions["count"], 480);
  EXPECT_GE(decisions["count"], rehearsal.summary.scale_outs + rehearsal.summary.scale_ins);
}

TEST(Page, ContendersOnTheSameTrafficShareIt) {
  const SampleOptions options{.ticks = 600};
  const nlohmann::json input = input_of(report_html(sample_outcome(options), sample_service(options)));
  // Four contenders and the winner on the tuning traffic, which is the same here.
  EXPECT_EQ(input["runs"].size(), 5U);
  EXPECT_EQ(input["traffics"].size(), 1U);
  EXPECT_EQ(input["outcome"]["evaluated"], 42);
}

TEST(Page, InstancesOfZonesWithFaultsAndEventsAreInIt) {
  const SampleOptions options{.ticks = 600, .zones = true, .groups = true};
  const nlohmann::json input = input_of(report_html(sample_rehearsal(options), sample_service(options)));
  const nlohmann::json& run = input["runs"][0];
  EXPECT_EQ(run["groups"], (nlohmann::json{"a", "b"}));
  EXPECT_EQ(run["zones"][1]["zone"], "b");
  for (const char* state : {"in_service", "launching", "draining", "stopped", "failed"}) {
    EXPECT_TRUE(run["zones"][1].contains(state)) << state;
  }
  EXPECT_EQ(run["faults"][0],
            nlohmann::json::parse(R"({"from": 200, "to": 250, "kind": "lost", "where": "b"})"));
  EXPECT_EQ(run["events"].size(), run["event_count"].get<std::size_t>());
  EXPECT_EQ(run["instances"].size(), run["instance_count"].get<std::size_t>());
  EXPECT_TRUE(run["decisions"].contains("group"));

  // Counts know none of it, and a rehearsal of thousands of events and instances stays a page.
  const nlohmann::json counts =
      input_of(report_html(sample_rehearsal({.ticks = 60}), sample_service({})))["runs"][0];
  for (const char* name :
       {"groups", "zones", "faults", "events", "instances", "failed_requests_per_second"}) {
    EXPECT_FALSE(counts.contains(name)) << name;
  }
  sim::Rehearsal many = sample_rehearsal(options);
  many.events.resize(5'000);
  many.instances.resize(5'000);
  const nlohmann::json cut = input_of(report_html(many, sample_service(options)))["runs"][0];
  EXPECT_EQ(cut["events"].size(), 2'000U);
  EXPECT_EQ(cut["event_count"], 5'000);
  EXPECT_EQ(cut["instances"].size(), 100U);
  EXPECT_EQ(cut["instance_count"], 5'000);
}

TEST(Page, ThePresentSettingsAreThoseOfTheService) {
  const SampleOptions options{.ticks = 60};
  tune::Outcome outcome = sample_outcome(options);
  for (tune::Contender& contender : outcome.unseen) contender.scaling = {};
  const nlohmann::json input = input_of(report_html(outcome, sample_service(options)));
  EXPECT_EQ(input["runs"][0]["policies"].size(), 0U);  // the tuned policy is not stated
  EXPECT_EQ(input["runs"][1]["policies"].size(), 1U);
}

TEST(Page, AnOutcomeWithoutAnythingIsAPage) {
  EXPECT_EQ(input_of(report_html(tune::Outcome{}, environment::Service{}))["runs"].size(), 0U);
}

TEST(Page, TheSameInputGivesTheSameBytes) {
  tune::Outcome outcome = sample_outcome({.ticks = 120});
  const std::string first = report_html(outcome, sample_service({}));
  outcome.seconds = 77;  // the wall time differs from run to run
  EXPECT_EQ(report_html(outcome, sample_service({})), first);
}

}  // namespace
}  // namespace headroom::report
