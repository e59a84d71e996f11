#include "store/run_folder.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "store/file.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::store {
namespace {

namespace fs = std::filesystem;
using base::Milliseconds;
using Names = std::vector<std::string>;

// 2024-02-16 21:00:00 UTC: 19,769 days of 86,400 s and 21 hours after 1970.
constexpr Milliseconds kNow{(19'769LL * 86'400 + 21 * 3600) * 1000};

TEST(TimeInName, is_utc_to_the_second) {
  EXPECT_EQ(time_in_name(kNow), "20240216T210000Z");
  EXPECT_EQ(time_in_name(kNow + Milliseconds(59'999)), "20240216T210059Z");
  EXPECT_EQ(time_in_name(Milliseconds(0)), "19700101T000000Z");
  // 29 February of a leap year: 13 days later.
  EXPECT_EQ(time_in_name(kNow + std::chrono::hours(13 * 24)), "20240229T210000Z");
  EXPECT_DEATH((void)time_in_name(Milliseconds(-1)), "between the years");
}

TEST(RunFolder, appears_under_its_name_only_when_finished) {
  TemporaryFolder folder;
  const fs::path runs = folder.path() / "a" / "runs";
  RunFolder run = RunFolder::create(runs, kNow, "simulate-shop").value();
  ASSERT_TRUE(run.write("summary.json", "{}").has_value());
  ASSERT_TRUE(run.write("series.csv", "t\n").has_value());
  EXPECT_TRUE(finished_runs(runs).value().empty());
  EXPECT_EQ(run.finish().value(), runs / "20240216T210000Z-simulate-shop");
  EXPECT_EQ(folder.names("a/runs"), (Names{"20240216T210000Z-simulate-shop"}));
  EXPECT_EQ(folder.names("a/runs/20240216T210000Z-simulate-shop"), (Names{"series.csv", "summary.json"}));
  EXPECT_EQ(read_file(runs / "20240216T210000Z-simulate-shop" / "series.csv").value(), "t\n");
}

TEST(RunFolder, two_of_the_same_second_and_name_get_different_names) {
  TemporaryFolder folder;
  for (const char* expected : {"20240216T210000Z-x", "20240216T210000Z-x-2", "20240216T210000Z-x-3"}) {
    RunFolder run = RunFolder::create(folder.path(), kNow, "x").value();
    ASSERT_TRUE(run.write("f", expected).has_value());
    EXPECT_EQ(run.finish().value().filename(), expected);
  }
  EXPECT_EQ(read_file(folder.path() / "20240216T210000Z-x" / "f").value(), "20240216T210000Z-x");
}

// The original rewrote its one file from several threads, each from a stale copy (requirements E11).
TEST(B_E11, many_runs_kept_at_once_lose_nothing) {
  TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&folder, i] {
      for (int k = 0; k < 5; ++k) {
        auto run = RunFolder::create(folder.path(), kNow, "x");
        ASSERT_TRUE(run.has_value());
        EXPECT_TRUE(run->removed().empty());
        ASSERT_TRUE(run->write("f", std::to_string(i)).has_value());
        EXPECT_TRUE(run->finish().has_value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(folder.names().size(), 40U);
  EXPECT_EQ(finished_runs(folder.path()).value().size(), 40U);
}

TEST(RunFolder, a_file_in_the_way_is_kept) {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "20240216T210000Z-x") << "mine";
  RunFolder run = RunFolder::create(folder.path(), kNow, "x").value();
  ASSERT_TRUE(run.write("f", "").has_value());
  EXPECT_EQ(run.finish().value().filename(), "20240216T210000Z-x-2");
  EXPECT_EQ(read_file(folder.path() / "20240216T210000Z-x").value(), "mine");
}

TEST(RunFolder, an_unfinished_one_is_removed_when_given_up) {
  TemporaryFolder folder;
  {
    RunFolder run = RunFolder::create(folder.path(), kNow, "x").value();
    ASSERT_TRUE(run.write("f", "").has_value());
    const RunFolder moved = std::move(run);
    EXPECT_EQ(folder.names().size(), 1U);
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(RunFolder, what_a_killed_process_left_is_removed_by_the_next_and_what_a_living_one_writes_is_not) {
  TemporaryFolder folder;
  RunFolder living = RunFolder::create(folder.path(), kNow, "living").value();
  ASSERT_TRUE(living.write("f", "").has_value());
  const pid_t child = ::fork();
  if (child == 0) {
    auto run = RunFolder::create(folder.path(), kNow, "killed");
    if (run) (void)run->write("f", "half");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(folder.names().size(), 2U);

  // Folders that only look alike, and finished runs, stay.
  fs::create_directory(folder.path() / ".partial-mine");
  fs::create_directory(folder.path() / "20200101T000000Z-old");
  RunFolder next = RunFolder::create(folder.path(), kNow, "next").value();
  ASSERT_EQ(next.removed().size(), 1U);
  EXPECT_NE(next.removed()[0].string().find("killed"), std::string::npos);
  EXPECT_FALSE(fs::exists(next.removed()[0]));
  EXPECT_TRUE(fs::exists(folder.path() / ".partial-mine"));
  EXPECT_TRUE(fs::exists(folder.path() / "20200101T000000Z-old"));
  EXPECT_TRUE(living.finish().has_value());
}

TEST(RunFolder, a_sweep_removes_what_a_killed_process_left_without_a_run_of_its_own) {
  TemporaryFolder folder;
  EXPECT_TRUE(sweep(folder.path() / "none").value().empty());
  EXPECT_FALSE(fs::exists(folder.path() / "none"));
  RunFolder living = RunFolder::create(folder.path(), kNow, "living").value();
  const pid_t child = ::fork();
  if (child == 0) {
    auto run = RunFolder::create(folder.path(), kNow, "killed");
    if (run) (void)run->write("inputs/a.yaml", "half");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(folder.names().size(), 2U);
  EXPECT_EQ(sweep(folder.path()).value().size(), 1U);
  EXPECT_EQ(folder.names(), (Names{living.partial_path().filename().string()}));
}

TEST(RunFolder, without_locks_only_old_folders_of_absent_processes_are_abandoned) {
  using std::chrono::hours;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);  // its number is free now
  const auto name = [](pid_t pid) { return ".partial-20240216T210000Z-x-" + std::to_string(pid) + "-0"; };
  EXPECT_TRUE(abandoned_without_lock(name(child), hours(24)));
  EXPECT_FALSE(abandoned_without_lock(name(child), hours(23)));
  EXPECT_FALSE(abandoned_without_lock(name(::getpid()), hours(24)));
  EXPECT_FALSE(abandoned_without_lock(".partial-20240216T210000Z-x", hours(24)));
  EXPECT_FALSE(abandoned_without_lock("", hours(24)));
}

TEST(RunFolder, files_may_stand_in_folders) {
  TemporaryFolder folder;
  RunFolder run = RunFolder::create(folder.path(), kNow, "x").value();
  ASSERT_TRUE(run.write("inputs/traffic/a.csv", "1").has_value());
  ASSERT_TRUE(run.write("inputs/headroom.yaml", "2").has_value());
  const fs::path finished = run.finish().value();
  EXPECT_EQ(read_file(finished / "inputs/traffic/a.csv").value(), "1");
  EXPECT_EQ(read_file(finished / "inputs/headroom.yaml").value(), "2");
}

TEST(RunFolder, a_link_that_looks_like_a_leftover_is_not_followed) {
  TemporaryFolder folder;
  TemporaryFolder elsewhere;
  std::ofstream(elsewhere.path() / "precious") << "x";
  fs::create_directory_symlink(elsewhere.path(), folder.path() / ".partial-20240216T210000Z-x-1-0");
  const RunFolder run = RunFolder::create(folder.path(), kNow, "x").value();
  EXPECT_TRUE(run.removed().empty());
  EXPECT_EQ(elsewhere.names(), (Names{"precious"}));
}

TEST(RunFolder, names_are_made_plain) {
  TemporaryFolder folder;
  RunFolder run = RunFolder::create(folder.path(), kNow, "../my shop/\xc3\xa9").value();
  ASSERT_TRUE(run.write("f", "").has_value());
  EXPECT_EQ(run.finish().value(), folder.path() / "20240216T210000Z-..-my-shop---");
  RunFolder nameless = RunFolder::create(folder.path(), kNow, "").value();
  ASSERT_TRUE(nameless.write("f", "").has_value());
  EXPECT_EQ(nameless.finish().value().filename(), "20240216T210000Z-run");
  RunFolder longest = RunFolder::create(folder.path(), kNow, std::string(500, 'n')).value();
  ASSERT_TRUE(longest.write("f", "").has_value());
  EXPECT_TRUE(longest.finish().has_value());
}

TEST(RunFolder, a_file_where_the_folder_should_be_is_an_error) {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "runs") << "";
  const auto run = RunFolder::create(folder.path() / "runs", kNow, "x");
  ASSERT_FALSE(run.has_value());
  EXPECT_EQ(run.error().kind, base::ErrorKind::bad_input);
  EXPECT_NE(base::to_string(run.error()).find("runs: cannot be created"), std::string::npos);
}

TEST(RunFolder, broken_promises_abort) {
  TemporaryFolder folder;
  RunFolder run = RunFolder::create(folder.path(), kNow, "x").value();
  for (const char* outside : {"../f", "a/../../f", "..", ".", "", "a/", "/f"})
    EXPECT_DEATH((void)run.write(outside, ""), "names within the folder") << outside;
  EXPECT_DEATH((void)run.finish(), "a file before finish");
}

TEST(FinishedRuns, are_in_the_order_of_time_and_nothing_else) {
  TemporaryFolder folder;
  EXPECT_TRUE(finished_runs(folder.path() / "none").value().empty());
  for (const int minute : {2, 0, 1}) {
    RunFolder run = RunFolder::create(folder.path(), kNow + std::chrono::minutes(minute), "x").value();
    ASSERT_TRUE(run.write("f", "").has_value());
    ASSERT_TRUE(run.finish().has_value());
  }
  fs::create_directory(folder.path() / "other");
  const RunFolder unfinished = RunFolder::create(folder.path(), kNow, "x").value();
  const std::vector<fs::path> runs = finished_runs(folder.path()).value();
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].filename(), "20240216T210000Z-x");
  EXPECT_EQ(runs[2].filename(), "20240216T210200Z-x");
}

}  // namespace
}  // namespace headroom::store
