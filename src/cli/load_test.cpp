// The commands `load` and `merge` as a user calls them, against a server in this process.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "base/csv.hpp"
#include "base/units.hpp"
#include "cli/called_program.hpp"
#include "cli/load_files.hpp"
#include "load/scripted_server.hpp"
#include "report/load_records.hpp"
#include "store/run_folder.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;
using store::TemporaryFolder;

// Answers "/500" with status 500 and everything else with 200, and remembers what came last.
class Server {
 public:
  std::string url(const std::string& path = "/") const { return server_.url(path); }
  std::string last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  std::mutex mutex_;
  std::string last_;
  load::ScriptedServer server_{[this](load::Visit& visit) {
    {
      const std::lock_guard lock(mutex_);
      last_ = visit.request;
    }
    visit.answer(says(visit.request, " /500 ") ? 500 : 200);
  }};
};

fs::path the_run(const fs::path& runs) {
  const auto finished = store::finished_runs(runs).value();
  EXPECT_EQ(finished.size(), 1U);
  return finished.empty() ? runs : finished.front();
}

TEST(Load, ATrafficFileIsDrivenToItsLastRequestAndLeavesARun) {
  Server server;
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "short.yaml") << "open: {start: 50 rps, stages: [{for: 1s, to: 50 rps}]}\n";
  const std::string runs = (folder.path() / "runs").string();
  const Outcome outcome = run_with(
      {"load", "--traffic", (folder.path() / "short.yaml").string(), "--url", server.url(), "--runs", runs});
  EXPECT_EQ(outcome.exit_code, ExitCode::fine) << outcome.err;
  const fs::path run = the_run(runs);
  EXPECT_TRUE(says(run.filename().string(), "-load-short"));
  EXPECT_TRUE(says(outcome.out, "\nReport: " + run.string() + "/report.html\n")) << outcome.out;
  EXPECT_TRUE(says(outcome.out, "short: open traffic to " + server.url())) << outcome.out;
  const report::LoadRun read = read_load(run.string()).value();
  EXPECT_EQ(read.measured.total().counts.all(), 50U);  // 50 a second for a second
  EXPECT_EQ(read.measured.total().counts.statuses.at(200), 50U);
  EXPECT_EQ(text_of(run / "summary.json"), report::load_summary_json(read));
  EXPECT_EQ(text_of(run / "series.csv"), report::load_series_csv(read));
  EXPECT_EQ(text_of(run / "inputs/short.yaml"), text_of(folder.path() / "short.yaml"));

  // The run is a PATH, too.
  const Outcome again = run_with({"load", run.string(), "--url", server.url(), "--no-run", "--json"});
  EXPECT_EQ(again.exit_code, ExitCode::fine) << again.err;
  EXPECT_TRUE(says(again.out, "\"fingerprint\": \"" + read.fingerprint + "\"")) << again.out;
}

TEST(Load, TheTrafficOfAFileOfServicesIsDriven) {
  Server server;
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "headroom.yaml") << R"(name: small
services:
  web:
    instance: {price: 0.1 USD/h}
    capacity: {cpu_per_rps: 1, startup: 2m}
    scale: {min: 1, max: 2}
traffic: {open: {start: 20 rps, stages: [{for: 1s, to: 20 rps}]}}
)";
  const Outcome outcome =
      run_with({"load", folder.path().string(), "--url", server.url(), "--no-run", "--json", "--seed", "5"});
  EXPECT_EQ(outcome.exit_code, ExitCode::fine) << outcome.err;
  EXPECT_TRUE(says(outcome.out, "\"name\": \"small\"")) << outcome.out;
  EXPECT_TRUE(says(outcome.out, "\"seed\": 5,")) << outcome.out;
  EXPECT_TRUE(says(outcome.out, "\"requests\": 20,")) << outcome.out;
}

TEST(Load, QuickUsersAskUntilTheTimeIsOver) {
  Server server;
  const Outcome outcome = run_with(
      {"load", "--users", "3", "--for", "300ms", "--url", server.url("/page"), "--no-run", "--json"});
  EXPECT_EQ(outcome.exit_code, ExitCode::fine) << outcome.err;
  EXPECT_TRUE(says(outcome.out, "\"traffic\": \"closed\"")) << outcome.out;
  EXPECT_TRUE(says(outcome.out, "\"connections\": 3,")) << outcome.out;
  EXPECT_TRUE(says(server.last(), "GET /page HTTP/1.1")) << server.last();
}

TEST(Load, AHeaderIsSentAndItsSecretIsKeptNowhere) {
  Server server;
  const TemporaryFolder folder;
  const std::string runs = (folder.path() / "runs").string();
  const Outcome outcome = run_with({"load", "--rate", "10 rps", "--for", "200ms", "--url", server.url(), "-H",
                                    "Authorization: hunter2", "--runs", runs});
  EXPECT_EQ(outcome.exit_code, ExitCode::fine) << outcome.err;
  EXPECT_TRUE(says(server.last(), "Authorization: hunter2")) << server.last();
  for (const auto& entry : fs::recursive_directory_iterator(the_run(runs))) {
    if (!entry.is_regular_file()) continue;
    EXPECT_FALSE(says(text_of(entry.path()), "hunter2")) << entry.path();
  }
}

TEST(Load, AThresholdThatIsMetExitsWithOne) {
  Server server;
  const auto with = [&](const std::string& path, const std::string& condition) {
    return run_with({"load", "--rate", "20 rps", "--for", "200ms", "--url", server.url(path), "--no-run",
                     "--fail-if", condition});
  };
  const Outcome held = with("/", "errors > 0%");
  EXPECT_EQ(held.exit_code, ExitCode::fine) << held.err;
  EXPECT_TRUE(says(held.out, "THRESHOLDS HELD")) << held.out;
  const Outcome failed = with("/500", "errors > 99%");
  EXPECT_EQ(failed.exit_code, ExitCode::not_met);
  EXPECT_TRUE(says(failed.out, "THRESHOLDS FAILED")) << failed.out;
}

TEST(Load, WhereNobodyAnswersTheMachineHasFailed) {
  std::string url;
  {
    Server server;
    url = server.url();
  }  // nobody listens there any more
  const std::vector<std::string> words{"load",  "--rate", "20 rps", "--for",
                                       "200ms", "--url",  url,      "--no-run"};
  const Outcome outcome = run_with(words);
  EXPECT_EQ(outcome.exit_code, ExitCode::unavailable);
  EXPECT_TRUE(says(outcome.out, "refused")) << outcome.out;
  EXPECT_TRUE(says(outcome.err, "no request was answered")) << outcome.err;
}

TEST(Load, WrongOptionsAreAllToldBeforeAnythingIsSent) {
  Server server;
  const Outcome outcome = run_with({"load", "--rate", "fast", "--for", "-1s", "--url", server.url(),
                                    "--shard", "4/3", "--start-at", "noon", "--timeout", "0s", "--fail-if",
                                    "p99 > 5%", "-H", "secret word", "--no-run"});
  EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
  EXPECT_EQ(outcome.out, "");
  for (const char* what :
       {"--rate: expected a rate, found \"fast\"", "--for: expected a duration, found \"-1s\"",
        "--shard: expected", "--start-at: expected", "--timeout: expected", "\"5%\" is no duration",
        "-H: a header"}) {
    EXPECT_TRUE(says(outcome.err, what)) << what << "\n" << outcome.err;
  }
  EXPECT_FALSE(says(outcome.err, "secret word"));
  EXPECT_EQ(server.last(), "");
}

TEST(Load, ARateOfNothingAndCertificatesThatAreNotThereAreTold) {
  const Outcome outcome = run_with({"load", "--rate", "0 rps", "--for", "1s", "--url", "https://127.0.0.1:1/",
                                    "--ca", "nofile.pem", "--no-run"});
  EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(outcome.err, "--rate: \"0 rps\" sends nothing")) << outcome.err;
  EXPECT_TRUE(says(outcome.err, "nofile.pem")) << outcome.err;
}

// Takes 20 ms for each request, one after the other: it is full at 50 a second.
class SlowServer {
 public:
  std::string url() const { return server_.url(); }

 private:
  std::mutex mutex_;
  load::ScriptedServer server_{[this](load::Visit& visit) {
    {
      const std::lock_guard lock(mutex_);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    visit.answer();
  }};
};

// The `cpu` of an instance as another tool records it, every 100 ms: as much of a step as its rate is of 50.
std::string recorded_cpu(const fs::path& measurements, base::Milliseconds shift = base::Milliseconds(0)) {
  const std::string text = text_of(measurements);
  const base::CsvTable table = base::read_csv(text, "measurements.csv");
  std::string csv = "timestamp,cpu\n";
  for (std::size_t i = 1; i < table.rows.size(); ++i) {
    const auto& fields = table.rows[i].fields;  // round,begin,end,offered,rps,...
    const base::Milliseconds begin = *base::parse_instant(fields[1].text);
    const base::Milliseconds end = *base::parse_instant(fields[2].text);
    const double percent = 2 * *base::parse_number(fields[4].text);
    for (base::Milliseconds at = begin; at < end; at += base::Milliseconds(100)) {
      csv += base::format_instant(at + shift) + "," + base::format_number(percent) + "\n";
    }
  }
  return csv;
}

TEST(FindCapacity, WithoutMetricsItIsFittedAfterwardsWithACsvOfTheUtilisation) {
  SlowServer server;
  const TemporaryFolder folder;
  const std::string runs = (folder.path() / "runs").string();
  const std::vector<std::string> search{
      "load", "--users",  "1",  "--for",   "1s",     "--url",    server.url(), "--find-capacity", "--step",
      "1s",   "--settle", "0s", "--first", "20 rps", "--rounds", "1",          "--runs",          runs};
  const Outcome found = run_with(search);
  ASSERT_EQ(found.exit_code, ExitCode::fine) << found.err;
  EXPECT_TRUE(says(found.out, "saturation")) << found.out;
  EXPECT_TRUE(says(found.out, "requests/s answered when full")) << found.out;
  EXPECT_TRUE(says(found.out, "--cpu FILE.csv")) << found.out;
  const fs::path run = the_run(runs);
  EXPECT_FALSE(fs::exists(run / "capacity.yaml"));
  EXPECT_TRUE(says(text_of(run / "summary.json"), "\"cpu_percent\": null"));

  const Outcome alone = run_with({"fit", run.string()});
  EXPECT_EQ(alone.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(alone.err, "--cpu")) << alone.err;

  const fs::path cpu = folder.path() / "cpu.csv";
  const fs::path model = folder.path() / "capacity.yaml";
  std::ofstream(cpu) << recorded_cpu(run / "measurements.csv");
  const Outcome fitted =
      run_with({"fit", run.string(), "--cpu", cpu.string(), "-o", model.string(), "--json"});
  ASSERT_EQ(fitted.exit_code, ExitCode::fine) << fitted.err;
  // 2 % for each request a second.
  EXPECT_TRUE(says(text_of(model), "cpu_per_rps: 2") || says(text_of(model), "cpu_per_rps: 1.99"))
      << text_of(model);
  EXPECT_TRUE(says(text_of(model), "saturation: ")) << text_of(model);
  EXPECT_FALSE(says(fitted.out, "\"saturation_rps\": null")) << fitted.out;

  std::ofstream(cpu) << recorded_cpu(run / "measurements.csv", base::Milliseconds(3'600'000));
  const Outcome late = run_with({"fit", run.string(), "--cpu", cpu.string()});
  EXPECT_EQ(late.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(late.err, "the rows are of")) << late.err;
}

TEST(FindCapacity, WithoutMetricsThereIsNoModelToWrite) {
  const Outcome outcome = run_with({"load", "--users", "1", "--for", "1s", "--url", "http://127.0.0.1:1/",
                                    "--find-capacity", "-o", "capacity.yaml", "--no-run"});
  EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(outcome.err, "headroom fit RUN --cpu FILE.csv")) << outcome.err;
}

TEST(FindCapacity, AServiceThatOnlyFailsIsToldWithItsStatus) {
  Server server;
  const Outcome outcome =
      run_with({"load", "--users", "1", "--for", "1s", "--url", server.url("/500"), "--find-capacity",
                "--step", "1s", "--settle", "0s", "--first", "20 rps", "--no-run"});
  EXPECT_EQ(outcome.exit_code, ExitCode::unavailable);
  EXPECT_TRUE(says(outcome.err, "the requests failed: status 500")) << outcome.err;
}

// A test of a minute as its run folder has it, at a rate that rises by 1 a second each second.
TEST(Fit, AnOrdinaryLoadTestIsJoinedToACsvOfTheUtilisationInWindows) {
  const TemporaryFolder folder;
  report::LoadRun run;
  run.name = "ramp";
  run.url = "http://127.0.0.1:1/";
  run.start = *base::parse_instant("2026-12-01T10:00:00Z");
  std::string csv = "timestamp,cpu\n";
  for (int i = 0; i < 72; ++i) {
    load::Second& second = run.measured.seconds.emplace_back();
    second.due = second.sent = second.answered = static_cast<std::uint64_t>(i);
    second.counts.statuses[200] = second.answered;
    second.counts.outcomes[0] = second.answered;
    for (int k = 0; k < i; ++k) second.from_schedule_ms.add(10);
    csv += base::format_instant(run.start + base::Milliseconds(1000 * i)) + "," +
           base::format_number(5 + 0.5 * i + 0.5 * (i % 2)) + "\n";
  }
  run.measured.duration = base::Milliseconds(72'000);
  const std::string kept = keep_load({(folder.path() / "runs").string()}, run, {}).value();
  const Outcome alone = run_with({"fit", kept});
  EXPECT_EQ(alone.exit_code, ExitCode::bad_input);
  EXPECT_EQ(std::count(alone.err.begin(), alone.err.end(), '\n'), 2) << alone.err;  // what, and what to do
  EXPECT_TRUE(says(alone.err, "which does not measure the utilisation of the instance")) << alone.err;

  std::ofstream(folder.path() / "cpu.csv") << csv;
  const Outcome fitted = run_with({"fit", kept, "--cpu", (folder.path() / "cpu.csv").string(), "--json"});
  ASSERT_EQ(fitted.exit_code, ExitCode::fine) << fitted.err;
  // 2 to 12 s, ... 62 to 72 s: seven windows.
  EXPECT_TRUE(says(fitted.out, "\"rows_used\": 7,")) << fitted.out;
  EXPECT_TRUE(says(fitted.out, "\"cpu_percent_per_rpm\": 0.0083")) << fitted.out;  // 0.5 % / 60
}

TEST(Load, TrafficsThatExcludeEachOtherAreRefused) {
  const std::vector<std::vector<std::string>> cases = {
      {"--rate", "1 rps", "--users", "1", "--for", "1s"},
      {"--rate", "1 rps"},
      {"--for", "1s"},
      {"--users", "1", "--for", "1s", "--traffic", "a.yaml"},
      {"--users", "1", "--for", "1s", "somewhere"},
      {"--users", "0", "--for", "1s"},
      {"--shard", "0/3", "--users", "1", "--for", "1s"},
      {"--shard", "1", "--users", "1", "--for", "1s"},
      {"--start-at", "2020-01-01T00:00:00Z", "--users", "1", "--for", "1s"},
  };
  for (std::vector<std::string> arguments : cases) {
    arguments.insert(arguments.begin(), {"load", "--url", "http://127.0.0.1:1/", "--no-run"});
    const Outcome outcome = run_with(arguments);
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input) << arguments[4] << " " << arguments[5];
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(Load, CtrlCKeepsWhatWasMeasuredAndSaysSo) {
  Server server;
  const TemporaryFolder folder;
  const std::string runs = (folder.path() / "runs").string();
  std::atomic<bool> ended{false};
  // Whenever it comes (no signal ends the program: the test has a handler of its own around it).
  const auto before = signal(SIGTERM, [](int) {});
  std::thread interrupting([&] {
    while (server.last().empty()) std::this_thread::yield();
    raise(SIGTERM);
    ended = true;
  });
  const Outcome outcome =
      run_with({"load", "--users", "2", "--for", "1h", "--url", server.url(), "--runs", runs});
  interrupting.join();
  signal(SIGTERM, before);
  EXPECT_TRUE(ended);
  EXPECT_EQ(outcome.exit_code, ExitCode::fine) << outcome.err;
  EXPECT_TRUE(says(outcome.out, "STOPPED EARLY")) << outcome.out;
  EXPECT_TRUE(says(text_of(the_run(runs) / "summary.json"), "\"stopped_early\": true"));
}

// Two shards of ten requests in a second.
TEST(Merge, TheShardsOfATestAreTheWholeOfIt) {
  Server server;
  const TemporaryFolder folder;
  std::vector<std::string> folders{"merge"};
  std::vector<Outcome> outcomes(2);
  for (const int shard : {1, 2}) {
    const std::string runs = (folder.path() / std::to_string(shard)).string();
    // One after the other, for a process has one handler of Ctrl-C.
    outcomes[static_cast<std::size_t>(shard - 1)] =
        run_with({"load", "--rate", "10 rps", "--for", "1s", "--url", server.url(), "--shard",
                  std::to_string(shard) + "/2", "--runs", runs});
    folders.push_back(the_run(runs).string());
  }
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.exit_code, ExitCode::fine) << outcome.err;
  const Outcome apart = run_with(folders);
  EXPECT_EQ(apart.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(apart.err, "--start-at")) << apart.err;

  // As if they had begun together.
  report::LoadRun first = read_load(folders[1]).value();
  report::LoadRun second = read_load(folders[2]).value();
  second.start = first.start;
  const std::string joined = (folder.path() / "joined").string();
  const std::string other = keep_load({(folder.path() / "3").string()}, second, {}).value();
  const Outcome merged =
      run_with({"merge", folders[1], other, "--runs", joined, "--fail-if", "rate < 5 rps"});
  EXPECT_EQ(merged.exit_code, ExitCode::fine) << merged.err << merged.out;
  EXPECT_TRUE(says(merged.out, "All 2 shards")) << merged.out;
  const report::LoadRun whole = read_load(the_run(joined).string()).value();
  EXPECT_EQ(whole.measured.total().counts.all(), 10U);
  first.measured.merge(second.measured);
  EXPECT_EQ(whole.measured, first.measured);

  const Outcome alone = run_with({"merge", other, "--no-run"});
  EXPECT_EQ(alone.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(alone.err, "shard 1 of 2 is missing")) << alone.err;
  const Outcome partial = run_with({"merge", other, "--no-run", "--partial"});
  EXPECT_EQ(partial.exit_code, ExitCode::fine) << partial.err;
  EXPECT_TRUE(says(partial.out, "PART OF THE TRAFFIC: shard 2 of 2.")) << partial.out;
  const Outcome twice = run_with({"merge", other, other, "--no-run", "--partial"});
  EXPECT_EQ(twice.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(twice.err, "shard 2 is in")) << twice.err;
}

}  // namespace
}  // namespace headroom::cli
