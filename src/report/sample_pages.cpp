// Writes the pages that ui/tests/page.mjs opens: sample_pages FOLDER.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "report/load_page.hpp"
#include "report/load_sample.hpp"
#include "report/outcome_text.hpp"
#include "report/page.hpp"
#include "report/sample.hpp"
#include "report/text.hpp"

namespace report = headroom::report;

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: sample_pages FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder(argv[1]);
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  };
  const headroom::base::Milliseconds july{1'404'172'800'000};  // 2014-07-01T00:00:00Z

  const report::SampleOptions hours{.ticks = 480, .latency = true};
  write("hours.html", report::report_html(report::sample_rehearsal(hours), report::sample_service(hours)));

  // Instances with identities in zones that scale apart, with faults and events.
  const report::SampleOptions zones{
      .start = july, .ticks = 720, .latency = true, .zones = true, .groups = true};
  const headroom::sim::Rehearsal zoned = report::sample_rehearsal(zones);
  write("zones.html", report::report_html(zoned, report::sample_service(zones)));

  // A name that would run as a script if it ever became markup.
  const report::SampleOptions hostile{.service = "</script><script>window.escaped=1</script><b>&amp;",
                                      .ticks = 60};
  write("hostile.html",
        report::report_html(report::sample_rehearsal(hostile), report::sample_service(hostile)));

  // Sixteen weeks of minutes: the longest that must open at once.
  const report::SampleOptions weeks{.start = july, .ticks = 16 * 7 * 1440};
  const headroom::sim::Rehearsal long_one = report::sample_rehearsal(weeks);
  write("weeks.html", report::report_html(long_one, report::sample_service(weeks)));

  const report::SampleOptions tuned{.start = july, .ticks = 8 * 7 * 1440};
  const headroom::tune::Outcome outcome = report::sample_outcome(tuned);
  write("tuned.html", report::report_html(outcome, report::sample_service(tuned)));

  // Where profit is the aim the page speaks of it and of downtime.
  const report::SampleOptions earning{.start = july, .ticks = 7 * 1440};
  headroom::environment::Service profitable = report::sample_service(earning);
  profitable.objective = {};
  profitable.objective.profit.emplace();
  write("earning.html", report::report_html(report::sample_earning_outcome(earning), profitable));

  // A search that found nothing good enough shows its nearest miss.
  const report::SampleOptions missed{.ticks = 480};
  write("missed.html", report::report_html(report::sample_outcome(missed), report::sample_service(missed)));

  // A load test with all that can go wrong, and one of six hours.
  report::LoadRun loaded = report::sample_load(60);
  loaded.name = "</script><script>window.escaped=1</script>";
  for (headroom::load::Second& second : loaded.measured.seconds) second.generator_cores = 0.83;
  write("load.html", report::load_report_html(loaded));
  write("load-long.html", report::load_report_html(report::sample_load(6 * 3600)));
  fmt::print("{}\n{}\n{}", report::rehearsal_text(zoned, report::sample_service(zones)),
             report::rehearsal_text(long_one, report::sample_service(weeks)),
             report::outcome_text(outcome, report::sample_service(tuned).objective));
}
