// The commands as a user calls them, in folders of their own: what they print, leave behind and exit with.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <map>
#include <thread>

#include "cli/called_program.hpp"
#include "cli/inputs.hpp"
#include "environment/read.hpp"
#include "store/run_folder.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;
using store::TemporaryFolder;

const fs::path kExamples = HEADROOM_SOURCE_DIR "/examples";

void put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// Every file below a folder with its bytes.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder).string();
    files[name] = entry.is_regular_file() ? text_of(entry.path()) : "a folder";
  }
  return files;
}

// The only finished run in `runs`, which is emptied of it by renaming it to `name` beside it.
fs::path take_run(const fs::path& runs, const std::string& name) {
  const auto finished = store::finished_runs(runs).value();
  EXPECT_EQ(finished.size(), 1U);
  if (finished.empty()) return runs / "none";
  fs::rename(finished.front(), runs.parent_path() / name);
  return runs.parent_path() / name;
}

// An environment whose rehearsals take no time: four hours of a staged rise.
constexpr const char* kSmall = R"(name: small
services:
  web:
    instance: {price: 0.1 USD/h}
    capacity: capacity.yaml
    secrets: {DB_PASSWORD: file:db.secret}
    scale:
      initial: 2
      min: 2
      max: 20
      policies:
        - step:   # a comment that stays
            every: 1m
            out: [{above: 60%, add: 1}]
            in: [{below: 20%, remove: 1}]
    objective: {cpu: 90%, for: 90% of minutes}
traffic: traffic/rise.yaml
tune:
  seeds: 2
  search: {out.above: 50..70 step 10, out.add: 1..2}
  holdout: traffic/rise.yaml
seed: 7
environments:
  prod: {services: {web: {scale: {min: 3}}}}
)";
constexpr const char* kCapacity = "cpu_per_rps: 1\nstartup: 2m\n";
constexpr const char* kRise =
    "open: {start: 50 rps, stages: [{for: 2h, to: 500 rps}, {for: 2h, to: 50 rps}]}\narrivals: poisson\n";
constexpr const char* kRows =
    "timestamp,rps\n2024-01-01 00:00,50\n2024-01-01 01:00,200\n2024-01-01 02:00,300\n2024-01-01 03:00,60\n";

fs::path small(const fs::path& root) {
  put(root / "small/headroom.yaml", kSmall);
  put(root / "small/capacity.yaml", kCapacity);
  put(root / "small/traffic/rise.yaml", kRise);
  put(root / "small/db.secret", "hunter2");
  return root / "small";
}

TEST(Commands, ASeedIsAWholeNumberAsInTheFile) {
  const TemporaryFolder folder;
  const fs::path path = small(folder.path());
  const auto simulated = [&](const std::string& seed) {
    return run_with({"simulate", path, "--no-run", "--json", "--seed", seed});
  };
  for (const char* seed : {"-1", "99999999999999999999999", "0x10", "abc", "1.5", ""}) {
    const Outcome outcome = simulated(seed);
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input) << seed;
    EXPECT_TRUE(says(outcome.err, "--seed: expected a whole number from 0 to 18446744073709551615"))
        << outcome.err;
  }
  EXPECT_TRUE(says(simulated("010").out, "\"seed\": 10,"));
  EXPECT_TRUE(says(simulated("18446744073709551615").out, "\"seed\": 18446744073709551615,"));
}

TEST(Commands, ACountIsAWholeNumberInDecimal) {
  const TemporaryFolder folder;
  const fs::path path = small(folder.path());
  const auto simulated = [&](const std::string& seeds) {
    return run_with({"simulate", path, "--no-run", "--json", "--seeds", seeds});
  };
  for (const char* seeds : {"0x10", "abc", "1.5", "", "-"}) {
    const Outcome outcome = simulated(seeds);
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input) << seeds;
    EXPECT_TRUE(says(outcome.err, "--seeds: expected a whole number")) << outcome.err;
  }
  for (const char* seeds : {"-1", "0", "00", "1001", "99999999999999999999"}) {
    EXPECT_EQ(simulated(seeds).exit_code, ExitCode::bad_input) << seeds;
  }
  EXPECT_EQ(simulated("010").out, simulated("10").out);
  EXPECT_NE(simulated("010").out, simulated("8").out);
}

TEST(Commands, TrafficThatCannotBeRehearsedIsAtFaultWhereItStands) {
  const TemporaryFolder folder;
  const fs::path path = small(folder.path());
  const auto first_line = [](const Outcome& outcome) {
    return outcome.err.substr(0, outcome.err.find('\n'));
  };
  const std::string place = "headroom: " + path.string();
  const std::string off = "open: {stages: [{for: 90s, at: 5 rps}]}\n";
  const std::string what = "the traffic lasts 1m30s, which is no whole number of ticks of 1m";
  // A file that --traffic names, the traffic of the file, one cut, that of the service, and the holdout.
  put(path / "off.yaml", off);
  EXPECT_EQ(first_line(run_with({"simulate", path, "--no-run", "--traffic", path / "off.yaml"})),
            place + "/off.yaml: traffic: " + what);
  put(path / "traffic/rise.yaml", off);
  for (const char* command : {"check", "simulate", "limits"})
    EXPECT_EQ(first_line(run_with({command, path})), place + "/headroom.yaml:17:10: traffic: " + what);
  put(path / "traffic/rise.yaml", std::string(kRise) + "cut: {from: 5h}\n");
  EXPECT_EQ(first_line(run_with({"check", path})),
            place + "/traffic/rise.yaml:3:6: traffic.cut: the cut from 5h to 4h leaves nothing");
  put(path / "traffic/rise.yaml", kRise);
  std::string text = kSmall;
  text.replace(text.find("    secrets:"), 0, "    traffic: off.yaml\n");
  put(path / "headroom.yaml", text);
  EXPECT_EQ(first_line(run_with({"check", path})),
            place + "/headroom.yaml:6:14: services.web.traffic: " + what);
  text = kSmall;
  const std::string holdout = "holdout: traffic/rise.yaml";
  text.replace(text.find(holdout), holdout.size(), "holdout: off.yaml");
  put(path / "headroom.yaml", text);
  EXPECT_EQ(first_line(run_with({"tune", path, "--no-run"})),
            place + "/headroom.yaml:21:12: tune.holdout: " + what);
}

TEST(Commands, CheckRemarksWhatIsHardlyMeant) {
  const TemporaryFolder folder;
  const fs::path path = small(folder.path());
  std::string text = kSmall;
  text.replace(text.find("      initial: 2"), 0, "      pool: 30\n      per: zone\n");
  put(path / "headroom.yaml", text + "zones: [a]\n");
  const Outcome checked = run_with({"check", path});
  EXPECT_EQ(checked.exit_code, ExitCode::fine) << checked.err;
  EXPECT_TRUE(says(checked.out, "The pool (30) is larger than max (20)")) << checked.out;
  EXPECT_TRUE(says(checked.out, "There is one zone")) << checked.out;
}

TEST(Commands, CheckRemarksFaultsOfOneKindThatOverlap) {
  const TemporaryFolder folder;
  const fs::path path = small(folder.path());
  const auto checked = [&](const std::string& faults) {
    put(path / "headroom.yaml", kSmall + ("zones: [a, b]\nfaults: [" + faults + "]\n"));
    const Outcome outcome = run_with({"check", path});
    EXPECT_EQ(outcome.exit_code, ExitCode::fine) << outcome.err;
    return outcome.out;
  };
  const std::string cut = "{at: 10m, for: 10m, zone: a, kind: cut}";
  EXPECT_TRUE(says(checked(cut + ", {at: 19m, for: 1m, zone: a, kind: cut}"),
                   "faults[0] and faults[1] are of one kind and overlap"));
  for (const char* other :
       {"{at: 20m, for: 1m, zone: a, kind: cut}", "{at: 19m, for: 1m, zone: b, kind: cut}",
        "{at: 19m, for: 1m, zone: a, kind: lost}"}) {
    EXPECT_FALSE(says(checked(cut + ", " + other), "overlap")) << other;
  }
}

TEST(Commands, CheckRefusesWhatAVariantThatIsNotChosenCannotRehearse) {
  const TemporaryFolder folder;
  const fs::path path = small(folder.path());
  std::string text = kSmall;
  const std::string prod = "prod: {services: {web: {scale: {min: 3}}}}";
  text.replace(text.find(prod), prod.size(),
               "bare: {services: {web: {capacity: {cpu_per_rps: 2}}}}\n"
               "  away: {traffic: only-there.csv, services: {web: {capacity: {cpu_per_rps: 2}}}}");
  put(path / "headroom.yaml", text);
  // Both lay a capacity without a start-up time over the file; the traffic of `away` is not on this machine.
  const Outcome checked = run_with({"check", path});
  EXPECT_EQ(checked.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(checked.err, "headroom.yaml:24:")) << checked.err;
  EXPECT_TRUE(says(checked.err, "with -e bare: the start-up time is not known")) << checked.err;
  EXPECT_FALSE(says(checked.err, "away")) << checked.err;
}

TEST(Commands, WhatInitWritesCanBeCheckedRehearsedTunedAndTriedToItsLimits) {
  const TemporaryFolder folder;
  const std::string shop = folder.path() / "My Shop";
  const std::string runs = folder.path() / "runs";
  ASSERT_EQ(run_with({"init", shop}).exit_code, ExitCode::fine);
  const std::string before = text_of(shop + "/headroom.yaml");
  EXPECT_TRUE(says(before, "name: my-shop\n"));
  EXPECT_EQ(run_with({"init", shop}).exit_code, ExitCode::bad_input) << "it may overwrite nothing";
  EXPECT_EQ(text_of(shop + "/headroom.yaml"), before);

  const Outcome checked = run_with({"check", shop});
  EXPECT_EQ(checked.exit_code, ExitCode::fine) << checked.err;
  EXPECT_TRUE(says(checked.out, "headroom.yaml is fine.\n"));
  EXPECT_FALSE(fs::exists(runs));

  const Outcome simulated = run_with({"simulate", shop, "--runs", runs});
  EXPECT_EQ(simulated.exit_code, ExitCode::fine) << simulated.err << simulated.out;
  const fs::path run = take_run(runs, "simulated");
  for (const char* file : {"series.csv", "decisions.jsonl", "summary.json", "report.html",
                           "inputs/headroom.yaml", "inputs/traffic.yaml", "inputs/headroom.run.json"})
    EXPECT_TRUE(fs::is_regular_file(run / file)) << file;

  // Every second policy of the file's 156 is as good a test.
  const Outcome tuned = run_with(
      {"tune", shop, "--runs", runs, "--samples", "60", "--seeds", "1", "--threads", "2", "--apply"});
  EXPECT_EQ(tuned.exit_code, ExitCode::fine) << tuned.err << tuned.out;
  EXPECT_TRUE(says(tuned.out, "WINNER")) << tuned.out;
  EXPECT_TRUE(says(tuned.err, "Written to ")) << tuned.err;
  const std::string after = text_of(shop + "/headroom.yaml");
  EXPECT_NE(after, before);
  EXPECT_TRUE(says(after, "# from the decision until it serves")) << "comments stay";
  EXPECT_EQ(text_of(take_run(runs, "tuned") / "inputs/headroom.yaml"), before)
      << "a run keeps what it was started with";
  EXPECT_EQ(run_with({"check", shop}).exit_code, ExitCode::fine);

  const Outcome limits = run_with({"limits", shop});
  EXPECT_EQ(limits.exit_code, ExitCode::fine) << limits.err;
  EXPECT_TRUE(says(limits.out, "survived up to")) << limits.out;
}

TEST(Commands, WhatFitWritesIsACapacityOfAnEnvironment) {
  const TemporaryFolder folder;
  const fs::path shop = small(folder.path());
  const std::string model = shop / "capacity.yaml";
  const Outcome fitted = run_with({"fit", kExamples / "conf42/one-instance.csv", "-o", model});
  EXPECT_EQ(fitted.exit_code, ExitCode::fine) << fitted.err;
  std::ofstream(model, std::ios::app) << "startup: 2m\n";
  EXPECT_EQ(run_with({"check", shop}).exit_code, ExitCode::fine) << run_with({"check", shop}).err;
}

TEST(Commands, AMissedObjectiveExitsWithOneAndKeepsItsRun) {
  const TemporaryFolder folder;
  const std::string runs = folder.path() / "runs";
  const Outcome missed = run_with({"simulate", kExamples / "conf42", "--runs", runs, "--json"});
  EXPECT_EQ(missed.exit_code, ExitCode::not_met);
  EXPECT_EQ(missed.err, "");
  EXPECT_EQ(text_of(take_run(runs, "run") / "summary.json"), missed.out);
}

TEST(Commands, ATuningThatFindsNothingExitsWithOneAndAppliesNothing) {
  const TemporaryFolder folder;
  const fs::path shop = small(folder.path());
  std::string text = kSmall;
  text.replace(text.find("cpu: 90%, for: 90% of minutes"), 29, "cpu: 1%");
  put(shop / "headroom.yaml", text);
  const Outcome tuned = run_with({"tune", shop, "--no-run", "--apply"});
  EXPECT_EQ(tuned.exit_code, ExitCode::not_met);
  EXPECT_TRUE(says(tuned.out, "NO POLICY KEEPS THE OBJECTIVE"));
  EXPECT_TRUE(says(tuned.err, "Not written"));
  EXPECT_EQ(text_of(shop / "headroom.yaml"), text);
}

TEST(Commands, BadInputExitsWithTwoNamesItsPlaceAndLeavesNothingHalfWritten) {
  const struct {
    const char* name;
    const char* file;
    std::string text;
    const char* place;  // relative to the folder
  } cases[] = {
      {"a key that is unknown", "headroom.yaml", std::string(kSmall) + "speed: 9\n", "headroom.yaml:25:1: "},
      {"no YAML", "headroom.yaml", "name: [", "headroom.yaml:1:7: "},
      {"an empty file", "headroom.yaml", "", "headroom.yaml:1:1: "},
      {"a capacity of another kind", "capacity.yaml", "cpu_per_rps: fast\n", "capacity.yaml:1:14: "},
      {"a traffic file cut off", "traffic/rise.yaml", "open: {stages: [", "traffic/rise.yaml:1:"},
  };
  for (const auto& c : cases) {
    const TemporaryFolder folder;
    const fs::path shop = small(folder.path());
    put(shop / c.file, c.text);
    const auto before = contents(folder.path());
    const std::string runs = folder.path() / "runs";
    const std::vector<std::vector<std::string>> commands{
        {"check"}, {"simulate", "--runs", runs}, {"tune", "--apply", "--runs", runs}, {"limits"}};
    for (const auto& words : commands) {
      std::vector<std::string> arguments = words;
      arguments.insert(arguments.begin() + 1, shop);
      const Outcome outcome = run_with(arguments);
      EXPECT_EQ(outcome.exit_code, ExitCode::bad_input) << c.name << ", " << words.front();
      EXPECT_EQ(outcome.out, "") << c.name << ", " << words.front();
      EXPECT_TRUE(says(outcome.err, (shop / c.place).string())) << c.name << ": " << outcome.err;
    }
    EXPECT_EQ(contents(folder.path()), before) << c.name;
  }
}

TEST(Commands, AFitThatFailsLeavesTheOldModelAsItIs) {
  const TemporaryFolder folder;
  put(folder.path() / "rows.csv", "rpm,cpu\n100,many\n");
  put(folder.path() / "capacity.yaml", "old");
  const auto before = contents(folder.path());
  const Outcome outcome =
      run_with({"fit", folder.path() / "rows.csv", "-o", folder.path() / "capacity.yaml"});
  EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(outcome.err, (folder.path() / "rows.csv:2:5: ").string())) << outcome.err;
  EXPECT_EQ(contents(folder.path()), before);
}

TEST(Commands, AFaultInARecordedFileIsAtItsPath) {
  const TemporaryFolder folder;
  const fs::path shop = small(folder.path());
  put(shop / "traffic/rise.yaml", "csv: rows.csv\n");
  put(shop / "traffic/rows.csv", "timestamp,rps\n2024-01-01 00:00,50\n2024-01-01 01:00,many\n");
  for (const char* command : {"check", "simulate", "tune", "limits"}) {
    const Outcome outcome = run_with({command, shop});
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input) << command;
    EXPECT_TRUE(says(outcome.err, (shop / "traffic/rows.csv:3:18: ").string())) << command << outcome.err;
  }
}

TEST(Commands, NotesOfCheckSayWhatIsNoNumberAndFit80Columns) {
  const TemporaryFolder folder;
  const fs::path shop = small(folder.path());
  put(shop / "traffic/rise.yaml", "csv: rows.csv\n");
  put(shop / "traffic/rows.csv",
      "timestamp,rps\n2024-01-01 00:00,50\n2024-01-01 01:00,NaN\n2024-01-01 02:00,\n2024-01-01 03:00,60\n");
  const Outcome checked = run_with({"check", shop});
  EXPECT_EQ(checked.exit_code, ExitCode::fine) << checked.err;
  EXPECT_TRUE(says(checked.out, "2 rows have no number as value (\"NaN\", empty; the first")) << checked.out;
  const Outcome fitted = run_with({"fit", kExamples / "conf42/one-instance.csv", "--at-rate", "90000 rpm"});
  for (const std::string& text : {checked.out, fitted.out}) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (says(line, "is fine.")) continue;  // a path is not broken
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

TEST(Commands, ASearchIsCheckedWhereItIsWritten) {
  const TemporaryFolder folder;
  const fs::path shop = small(folder.path());
  const auto with_search = [&](const std::string& search) {
    std::string text = kSmall;
    const std::string old = "{out.above: 50..70 step 10, out.add: 1..2}";
    text.replace(text.find(old), old.size(), search);
    put(shop / "headroom.yaml", text);
  };
  const struct {
    const char* search;
    const char* fault;
  } cases[] = {
      {"{out.speed: 1..2}", ":20:23: no field is called \"out.speed\""},
      {"{out.add: 1..3, in.below: 20 / (out.add - 2)}",
       ":20:37: the expression \"20 / (out.add - 2)\" divides by zero where out.add is 2"},
  };
  for (const auto& c : cases) {
    with_search(c.search);
    for (const char* command : {"check", "tune"}) {
      const Outcome outcome = run_with({command, shop});
      EXPECT_EQ(outcome.exit_code, ExitCode::bad_input) << command << c.search;
      EXPECT_TRUE(says(outcome.err, (shop / "headroom.yaml").string() + c.fault)) << command << outcome.err;
    }
  }
}

// The same bytes when a run is rehearsed again from what it kept, with all that it was called with.
void expect_same_again(const std::vector<std::string>& words, const fs::path& root) {
  const std::string runs = root / "runs";
  std::vector<std::string> arguments = words;
  arguments.insert(arguments.end(), {"--runs", runs});
  const Outcome first = run_with(arguments);
  ASSERT_TRUE(first.exit_code == ExitCode::fine || first.exit_code == ExitCode::not_met) << first.err;
  const fs::path run = take_run(runs, "first");
  for (const fs::path& path : {run / "inputs", run, run / "inputs/headroom.yaml"}) {
    const Outcome again = run_with({words.front(), path, "--runs", runs});
    EXPECT_EQ(again.exit_code, first.exit_code) << again.err;
    const fs::path second = take_run(runs, "second");
    for (const char* file : {"summary.json", "series.csv", "decisions.jsonl", "inputs/headroom.yaml"})
      EXPECT_EQ(text_of(second / file), text_of(run / file)) << path << " " << file;
    // And once more from there.
    const Outcome third = run_with({words.front(), second, "--runs", runs});
    EXPECT_EQ(third.exit_code, first.exit_code) << third.err;
    EXPECT_EQ(text_of(take_run(runs, "third") / "summary.json"), text_of(run / "summary.json"));
    fs::remove_all(second);
    fs::remove_all(root / "third");
  }
  for (const auto& [name, text] : contents(run)) EXPECT_FALSE(says(text, "hunter2")) << name;
  fs::remove_all(run);
}

TEST(Commands, ARunIsRehearsedAgainFromItsOwnFolder) {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  const std::string shop = small(root);
  put(root / "elsewhere/rows.csv", kRows);
  put(root / "elsewhere/rows.yaml", "csv: {file: rows.csv}\nscale: {factor: 1.5}\n");
  const std::vector<std::vector<std::string>> commands{
      {"simulate", shop},
      {"simulate", shop, "--seeds", "3", "--seed", "18446744073709551615"},
      {"simulate", shop, "-e", "prod", "--service", "web"},
      {"simulate", shop, "--traffic", root / "elsewhere/rows.csv"},
      {"simulate", shop, "--traffic", root / "elsewhere/rows.yaml", "-e", "prod"},
      {"simulate", shop, "--traffic", shop + "/traffic/rise.yaml"},
      {"tune", shop, "--samples", "4", "--seeds", "3"}};
  for (const auto& words : commands) expect_same_again(words, root);
  // The run is whole: nothing of it lies elsewhere.
  ASSERT_NE(run_with({"simulate", shop, "--runs", root / "runs", "--traffic", root / "elsewhere/rows.yaml"})
                .exit_code,
            ExitCode::bad_input);
  const fs::path run = take_run(root / "runs", "kept");
  const std::string summary = text_of(run / "summary.json");
  fs::remove_all(shop);
  fs::remove_all(root / "elsewhere");
  EXPECT_EQ(run_with({"simulate", run, "--no-run", "--json"}).out, summary);
}

TEST(Commands, ARunOfAnExampleIsRehearsedAgainFromItsOwnFolder) {
  const TemporaryFolder folder;
  fs::copy(kExamples / "balancer", folder.path() / "balancer");
  expect_same_again({"simulate", folder.path() / "balancer"}, folder.path());
}

TEST(Commands, NamesThatStartAtTheRootOrLeadUpAreKeptToo) {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  const std::string shop = small(root);
  put(root / "elsewhere/rows.csv", kRows);
  const std::vector<std::string> names{root / "elsewhere/rows.csv", "../../elsewhere/rows.csv",
                                       shop + "/traffic/rows.csv"};
  put(shop + "/traffic/rows.csv", kRows);
  for (const std::string& name : names) {
    put(shop + "/traffic/rise.yaml", "csv: {file: " + name + "}\n");
    expect_same_again({"simulate", shop}, root);
  }
}

TEST(Commands, OptionsOverrideWhatARunRecorded) {
  const TemporaryFolder folder;
  const std::string shop = small(folder.path());
  run_with({"simulate", shop, "--seed", "3", "--runs", folder.path() / "runs"});
  const fs::path run = take_run(folder.path() / "runs", "run");
  EXPECT_TRUE(says(run_with({"simulate", run, "--no-run", "--json"}).out, "\"seed\": 3,"));
  EXPECT_EQ(run_with({"simulate", run, "--seed", "4", "--no-run", "--json"}).out,
            run_with({"simulate", shop, "--seed", "4", "--no-run", "--json"}).out);
  const Outcome applied = run_with({"tune", run, "--no-run", "--apply"});
  EXPECT_EQ(applied.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(applied.err, "tune the environment itself: " + shop)) << applied.err;
  put(run / "inputs" / kRecordFile, "{}");
  EXPECT_EQ(run_with({"simulate", run, "--no-run"}).exit_code, ExitCode::bad_input);
}

std::vector<fs::path> unfinished(const fs::path& runs) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator entry(runs, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().starts_with(".partial-")) folders.push_back(entry->path());
  }
  return folders;
}

// Starts a process that rehearses again and again, and kills it while it writes a run folder.
void kill_in_the_middle(const fs::path& shop, const fs::path& runs) {
  for (int attempt = 0; attempt < 100 && unfinished(runs).empty(); ++attempt) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::alarm(60);
      for (;;) run_with({"simulate", shop, "--runs", runs});
    }
    while (unfinished(runs).empty() && ::waitpid(child, nullptr, WNOHANG) == 0) std::this_thread::yield();
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  ASSERT_FALSE(unfinished(runs).empty());
}

TEST(Commands, WhatAKilledOneLeftIsSweptByTheNextWhateverBecomesOfIt) {
  const TemporaryFolder folder;
  const fs::path shop = small(folder.path());
  const fs::path runs = folder.path() / "runs";
  const std::vector<std::vector<std::string>> next{
      {"simulate", shop, "--runs", runs},
      {"simulate", shop, "--runs", runs, "--no-run"},
      {"tune", shop, "--runs", runs, "--no-run"},
      {"simulate", shop / "none", "--runs", runs},  // bad input
  };
  for (const auto& words : next) {
    kill_in_the_middle(shop, runs);
    const Outcome outcome = run_with(words);
    EXPECT_TRUE(unfinished(runs).empty()) << words.front();
    EXPECT_TRUE(says(outcome.err, "which a killed command left unfinished.")) << outcome.err;
  }
  // What stands under its name is complete.
  const std::vector<fs::path> finished = store::finished_runs(runs).value();
  for (const fs::path& run : finished) {
    for (const char* file : {"report.html", "summary.json", "inputs/headroom.yaml"})
      EXPECT_TRUE(fs::is_regular_file(run / file)) << run;
  }
}

// As soon as the command listens for it. Where it has ended by then, nobody else may fall to the signal.
Outcome interrupted(const std::vector<std::string>& words) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before {};
  ::sigaction(SIGINT, &ignore, &before);
  std::atomic<bool> ended{false};
  std::thread interrupter([&ended] {
    struct sigaction now {};
    do {
      std::this_thread::yield();
      ::sigaction(SIGINT, nullptr, &now);
    } while (now.sa_handler == SIG_IGN && !ended);
    ::kill(::getpid(), SIGINT);
  });
  Outcome outcome = run_with(words);
  ended = true;
  interrupter.join();
  ::sigaction(SIGINT, &before, nullptr);
  return outcome;
}

TEST(Commands, CtrlCEndsATuningInOrder) {
  const TemporaryFolder folder;
  const fs::path shop = small(folder.path());
  const Outcome outcome = interrupted({"tune", shop, "--runs", folder.path() / "runs", "--json"});
  // Stopped before, within or after the search: what was found is printed and kept, or nothing at all.
  const auto finished = store::finished_runs(folder.path() / "runs").value();
  if (says(outcome.err, "Stopped before the first policy was tried")) {
    EXPECT_EQ(outcome.exit_code, ExitCode::not_met);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(finished.empty());
  } else {
    EXPECT_NE(outcome.exit_code, ExitCode::bad_input) << outcome.err;
    ASSERT_EQ(finished.size(), 1U);
    EXPECT_EQ(text_of(finished.front() / "summary.json"), outcome.out);
  }
}

TEST(Commands, CtrlCKeepsTheSeedsRehearsedAndTheRunGivesTheSameBytesAgain) {
  for (const char* engine : {"counts", "instances"}) {
    const TemporaryFolder folder;
    const fs::path shop = small(folder.path());
    const fs::path runs = folder.path() / "runs";
    const Outcome outcome =
        interrupted({"simulate", shop, "--engine", engine, "--seeds", "1000", "--runs", runs, "--json"});
    const fs::path kept = take_run(runs, "kept");
    EXPECT_EQ(text_of(kept / "summary.json"), outcome.out);
    // Whether it came in time or not, the record says how many seeds there are.
    const RunRecord record = read_record(text_of(kept / "inputs" / kRecordFile), "record").value();
    ASSERT_TRUE(record.seeds);
    EXPECT_EQ(says(outcome.err, "STOPPED EARLY: "), *record.seeds < 1000) << outcome.err;
    EXPECT_EQ(run_with({"simulate", kept, "--no-run", "--json"}).out, outcome.out) << engine;
  }
}

const std::string kPlan = (kExamples / "in4392/IN4392-autoscaling.jmx").string();

// What the plan and the example both describe is equal: users, pauses, ramp-ups, and the requests of all but
// stage 7, where the plan has 1000 and Table I, as in the example, 170. JMeter waits before the first
// request, too; the example ends with a pause of its own.
TEST(Import, ThePlanOfIn4392HasTheStagesOfTheExample) {
  const TemporaryFolder folder;
  const fs::path output = folder.path() / "load.yaml";
  ASSERT_EQ(run_with({"import", kPlan, "-o", output.string()}).exit_code, ExitCode::fine);
  const auto read_file = [](const std::string& path) { return store::read_file(path); };
  const auto traffic = environment::read_traffic(text_of(output), output.string(), read_file);
  ASSERT_TRUE(traffic) << base::to_string(traffic.error());
  const std::string file = (kExamples / "in4392/headroom.yaml").string();
  const auto example = environment::read(text_of(file), file, read_file);
  ASSERT_TRUE(example) << base::to_string(example.error());
  auto found = std::get<workload::Closed>(traffic->shape).stages;
  const auto& expected = std::get<workload::Closed>(example->environment.traffic->shape).stages;
  ASSERT_EQ(found.size(), 7u);
  ASSERT_EQ(expected.size(), 8u);
  EXPECT_EQ(found[6].requests_each, 1000);
  found[6].requests_each = 170;
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(found[i].think_first) << i;
    found[i].think_first = false;
    EXPECT_EQ(found[i], expected[i]) << i;
  }
}

TEST(Import, WhatWasWrittenCanBeRehearsed) {
  const TemporaryFolder folder;
  const fs::path output = folder.path() / "load.yaml";
  ASSERT_EQ(run_with({"import", kPlan, "-o", output.string()}).exit_code, ExitCode::fine);
  const Outcome outcome = run_with(
      {"simulate", (kExamples / "in4392").string(), "--traffic", output.string(), "--json", "--no-run"});
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(says(outcome.out, "\"instances_max\""));
}

TEST(Import, NotesGoToStandardErrorAndIntoTheFile) {
  const Outcome outcome = run_with({"import", kPlan});
  EXPECT_EQ(outcome.exit_code, ExitCode::fine);
  for (const std::string& text : {outcome.out, outcome.err}) {
    EXPECT_TRUE(says(text, "left out: ResultCollector \"Summary\"")) << text;
    EXPECT_TRUE(says(text, "disabled: ThreadGroup \"Stress, by hand\"")) << text;
  }
  EXPECT_TRUE(outcome.out.starts_with("# From IN4392-autoscaling.jmx, by headroom import.\n"));
  const Outcome json = run_with({"import", kPlan, "--json"});
  EXPECT_EQ(json.err, "");
  EXPECT_TRUE(says(json.out, "\"from\": \"jmx\""));
  EXPECT_TRUE(says(json.out, "\"kind\": \"disabled\""));
}

TEST(Import, NamesOfFilesAreRelativeToTheTrafficFile) {
  const TemporaryFolder folder;
  put(folder.path() / "recorded/demand.csv", "timestamp,rpm\n2024-02-16 21:00,1200\n2024-02-16 21:05,900\n");
  fs::create_directories(folder.path() / "traffic");
  const fs::path output = folder.path() / "traffic/demand.yaml";
  ASSERT_EQ(
      run_with({"import", (folder.path() / "recorded/demand.csv").string(), "-o", output.string()}).exit_code,
      ExitCode::fine);
  EXPECT_TRUE(says(text_of(output), "csv: {file: \"../recorded/demand.csv\"}")) << text_of(output);
}

TEST(Import, WhatItIsIsToldByNameAndContents) {
  const TemporaryFolder folder;
  const auto kind = [&](const std::string& name, const std::string& text) {
    put(folder.path() / name, text);
    const Outcome outcome = run_with({"import", (folder.path() / name).string(), "--json"});
    const std::size_t at = outcome.out.find("\"from\": \"");
    return at == std::string::npos ? outcome.err
                                   : outcome.out.substr(at + 9, outcome.out.find('"', at + 9) - at - 9);
  };
  const std::string summary = R"({"metrics": {"http_reqs": {"count": 1200, "rate": 20}}})";
  EXPECT_EQ(kind("summary.json", summary), "k6");
  EXPECT_EQ(kind("summary", summary), "k6");
  EXPECT_EQ(kind("out.csv", "metric_name,timestamp,metric_value\nhttp_reqs,1700000000,1\n"), "k6");
  EXPECT_EQ(kind("run_stats_history.csv",
                 "Timestamp,User Count,Type,Name,Total Request Count\n1700000000,1,,Aggregated,1\n"
                 "1700000001,1,,Aggregated,9\n"),
            "locust");
  EXPECT_EQ(kind("plan.xml", text_of(kPlan)), "jmx");
}

TEST(Import, ABadFileIsRefusedAtItsPlaceAndWritesNothing) {
  const TemporaryFolder folder;
  put(folder.path() / "plan.jmx", "<jmeterTestPlan>\n<hashTree>");
  const fs::path output = folder.path() / "load.yaml";
  const Outcome outcome = run_with({"import", (folder.path() / "plan.jmx").string(), "-o", output.string()});
  EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
  EXPECT_TRUE(says(outcome.err, "plan.jmx:2: not valid XML")) << outcome.err;
  EXPECT_FALSE(fs::exists(output));
  EXPECT_EQ(run_with({"import", kPlan, "--from", "excel"}).exit_code, ExitCode::bad_input);
}

}  // namespace
}  // namespace headroom::cli
