#include "report/load_page.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/load_sample.hpp"

// What needs a browser is checked in ui/tests/page.mjs.
namespace headroom::report {
namespace {

nlohmann::json input_of(const std::string& page) {
  const std::string opening = "id=\"report-data\">";
  const std::size_t begin = page.find(opening) + opening.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

TEST(LoadPage, NamesCannotBecomeMarkup) {
  LoadRun run = sample_load(5);
  const std::size_t plain = load_report_html(run).find("<body>");
  run.name = "</script></title><script>alert(1)</script>";
  const std::string page = load_report_html(run);
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  EXPECT_NE(plain, std::string::npos);
  EXPECT_EQ(input_of(page)["result"]["name"], run.name);
}

TEST(LoadPage, ManyKindsOfFailuresAreTheMostFrequentAndOthers) {
  LoadRun run = sample_load(5);
  load::Counts& counts = run.measured.requests[0].tally.counts;
  for (std::size_t i = 1; i < load::kOutcomes; ++i) counts.outcomes[i] = i;
  const auto failures = input_of(load_report_html(run))["failures"];
  ASSERT_EQ(failures.size(), 6U);
  EXPECT_EQ(failures[0]["name"], load::words(static_cast<load::Outcome>(load::kOutcomes - 1)));
  EXPECT_EQ(failures[5]["name"], "others");
}

TEST(LoadPage, LinesOfTheChartAreTheThresholdsOfLatency) {
  const auto limits = input_of(load_report_html(sample_load(5)))["latency_limits"];
  ASSERT_EQ(limits.size(), 1U);  // the others are of errors and of the rate
  EXPECT_EQ(limits[0]["ms"], 500);
  EXPECT_EQ(limits[0]["from_sending"], false);
}

TEST(LoadPage, ARunWithoutASecondIsAPageToo) {
  EXPECT_EQ(input_of(load_report_html(LoadRun{}))["seconds"], 0);
}

}  // namespace
}  // namespace headroom::report
