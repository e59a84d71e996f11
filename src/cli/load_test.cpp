// The commands `load` and `merge` as a user calls them, against a server in this process.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "cli/load_files.hpp"
#include "cli/program.hpp"
#include "load/scripted_server.hpp"
#include "report/load_records.hpp"
#include "store/file.hpp"
#include "store/run_folder.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;
using store::TemporaryFolder;

struct Outcome {
  ExitCode exit_code;
  std::string out;
  std::string err;
};

Outcome run_with(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const ExitCode exit_code = run(arguments, out, err);
  return {exit_code, out.str(), err.str()};
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string text_of(const fs::path& path) { return store::read_file(path).value_or("cannot be read"); }

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
