#include "versions/image.hpp"
#include "versions/build_processes.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "store/file.hpp"
#include "store/small_disk.hpp"
#include "store/temporary_folder.hpp"
#include "versions/build_log.hpp"
#include "versions/build_processes.hpp"
#include "versions/image_folder.hpp"
#include "versions/tar_archive.hpp"
#include "versions/tree.hpp"

namespace headroom::versions {
namespace {

namespace fs = std::filesystem;
using base::Milliseconds;
using store::TemporaryFolder;

class Prepare : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_.path() / "source");
    std::ofstream(folder_.path() / "source" / "app.py") << "print(1)\n";
    artifact_ = pack(folder_.path() / "source", folder_.path() / "artifacts").value();
  }
  void TearDown() override { (void)remove_tree(images()); }

  fs::path images() const { return folder_.path() / "images"; }
  base::Result<Image> prepared(const std::string& command, const Runner& runner = run_plainly,
                               const PrepareOptions& options = {}) {
    return prepare(artifact_, command, images(), runner, nullptr, options);
  }
  ImageFolder image_of(const std::string& command) const {
    return {images(), image_key(artifact_.hash, command)};
  }

  TemporaryFolder folder_;
  Artifact artifact_;
};

TEST_F(Prepare, runs_the_build_once_in_the_folder_where_the_image_stays) {
  std::vector<std::string> steps;
  const auto once = prepare(artifact_, "pwd > where; echo built", images(), run_plainly,
                            [&](std::string_view step) { steps.emplace_back(step); });
  ASSERT_TRUE(once.has_value()) << base::to_string(once.error());
  EXPECT_EQ(store::read_file(once->folder / "where").value(), once->folder.string() + "\n");
  EXPECT_EQ(store::read_file(once->folder / "app.py").value(), "print(1)\n");
  EXPECT_EQ(store::read_file(once->folder.parent_path() / "build.log").value(), "built\n");
  EXPECT_EQ(once->key, image_key(artifact_.hash, "pwd > where; echo built"));
  EXPECT_EQ(once->folder, images() / once->key / "app");
  const auto again = prepare(artifact_, "pwd > where; echo built", images(), nullptr,  // nothing is run
                             [&](std::string_view step) { steps.emplace_back(step); });
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->folder, once->folder);
  EXPECT_EQ(steps, (std::vector<std::string>{"unpacking", "building", "built already"}));
}

TEST_F(Prepare, another_artifact_or_command_is_another_image) {
  const std::string key = image_key(std::string(64, 'a'), "make");
  // printf '%s\nmake' aaaa...(64 times a) | sha256sum | cut -c -32
  EXPECT_EQ(key, "405a7ebff4f3eb6f4cda70b582ca8f66");
  EXPECT_NE(key, image_key(std::string(64, 'a'), "make "));
  EXPECT_NE(key, image_key(std::string(64, 'b'), "make"));
  EXPECT_TRUE(is_image_key(key));
  EXPECT_NE(prepared("true")->folder, prepared("true; true")->folder);
}

TEST_F(Prepare, the_image_is_read_only) {
  const auto image = prepared("mkdir made; echo x > made/file; chmod 6777 made/file");
  ASSERT_TRUE(image.has_value());
  const std::pair<const char*, unsigned> modes[] = {
      {"", 0555}, {"app.py", 0444}, {"made", 0555}, {"made/file", 0555}};
  for (const auto& [name, mode] : modes) {
    struct stat status {};
    ASSERT_EQ(::stat((image->folder / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, mode) << name;
    EXPECT_EQ(status.st_uid, ::geteuid());
  }
}

TEST_F(Prepare, without_a_command_it_is_the_unpacked_artifact) {
  const auto image = prepared("", nullptr);
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(store::read_file(image->folder / "app.py").value(), "print(1)\n");
}

TEST_F(Prepare, a_failed_build_tells_its_exit_code_the_end_of_its_log_and_where_the_log_is) {
  const auto failed =
      prepared("for i in $(seq 1 30); do echo line $i; done; printf '\\033[31mred\\n'; exit 3");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().kind, base::ErrorKind::bad_input);
  const std::string text = base::to_string(failed.error());
  EXPECT_NE(text.find("ended with exit code 3; its last lines:\n    line 20\n"), std::string::npos) << text;
  EXPECT_NE(text.find("    line 30\n    \\x1B[31mred\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("line 19"), std::string::npos) << text;  // the last twelve
  const fs::path log = text.substr(text.find("the whole log: ") + std::string("the whole log: ").size());
  EXPECT_TRUE(store::read_file(log).value().starts_with("line 1\n"));
  // It is not an image, takes no space, and the next time it is built again.
  EXPECT_EQ(artifact_of_complete({images(), log.parent_path().filename()}), std::nullopt);
  EXPECT_FALSE(fs::exists(log.parent_path() / "app"));
}

TEST_F(Prepare, a_build_that_failed_is_tried_again) {
  const std::string command = "test -e " + (folder_.path() / "now").string();
  EXPECT_FALSE(prepared(command).has_value());
  std::ofstream(folder_.path() / "now") << "";
  EXPECT_TRUE(prepared(command).has_value());
}

TEST_F(Prepare, a_build_that_takes_too_long_is_ended_with_all_that_it_started) {
  PrepareOptions options;
  options.timeout = Milliseconds(2000);  // time enough to begin, on a machine with other work, too
  const auto late =
      prepared("echo begun; sleep 1000 & echo $! > " + (folder_.path() / "pid").string() + "; wait",
               run_plainly, options);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, base::ErrorKind::unavailable);
  const std::string text = base::to_string(late.error());
  EXPECT_NE(text.find("had not ended after 2s"), std::string::npos) << text;
  EXPECT_NE(text.find("    begun"), std::string::npos) << text;
  const auto number = store::read_file(folder_.path() / "pid");
  ASSERT_TRUE(number.has_value());
  const pid_t pid = std::stoi(*number);
  // Killed; it may be there as a zombie until somebody reaps it.
  const auto status = store::read_file("/proc/" + std::to_string(pid) + "/stat");
  EXPECT_TRUE(!status || status->find(") Z") != std::string::npos || ::kill(pid, 0) != 0) << *status;
}

TEST_F(Prepare, a_build_that_a_signal_ends_has_failed) {
  EXPECT_NE(base::to_string(prepared("kill -9 $$").error()).find("exit code 137"),
            std::string::npos);  // 128 + 9
}

TEST_F(Prepare, the_log_is_bounded_and_keeps_beginning_and_end) {
  PrepareOptions options;
  options.log_bytes = 1000;
  const auto image = prepared("seq 1 10000", run_plainly, options);
  ASSERT_TRUE(image.has_value());
  const std::string log = store::read_file(image->folder.parent_path() / "build.log").value();
  EXPECT_LE(log.size(), 1100U);
  EXPECT_TRUE(log.starts_with("1\n2\n"));
  EXPECT_TRUE(log.ends_with("9999\n10000\n"));
  EXPECT_NE(log.find("bytes are left out here"), std::string::npos);
}

TEST_F(Prepare, what_a_killed_process_left_half_built_is_built_anew) {
  const std::string command = "test ! -e half && echo x > half && sleep 0 && echo y > whole";
  const pid_t child = ::fork();
  if (child == 0) {
    (void)prepare(
        artifact_, command, images(),
        [](const fs::path& folder, const std::string&, const fs::path&, Milliseconds) -> base::Result<int> {
          std::ofstream(folder / "half") << "x";
          ::kill(::getpid(), SIGKILL);
          return 0;
        },
        nullptr);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_TRUE(fs::exists(image_of(command).app / "half"));
  const auto image = prepared(command);
  ASSERT_TRUE(image.has_value()) << base::to_string(image.error());
  EXPECT_EQ(store::read_file(image->folder / "whole").value(), "y\n");
}

TEST_F(Prepare, two_at_once_build_once) {
  std::atomic<int> builds = 0;
  std::mutex mutex;
  std::condition_variable changed;
  bool somebody_waits = false;
  // The build does not end before the other one waits for it.
  const Runner slow = [&](const fs::path& folder, const std::string&, const fs::path&,
                          Milliseconds) -> base::Result<int> {
    ++builds;
    std::ofstream(folder / "built") << "x";
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return somebody_waits; });
    return 0;
  };
  const auto one = [&] {
    const auto image = prepare(artifact_, "make", images(), slow, [&](std::string_view step) {
      if (!step.starts_with("waiting")) return;
      const std::lock_guard lock(mutex);
      somebody_waits = true;
      changed.notify_all();
    });
    ASSERT_TRUE(image.has_value());
    EXPECT_TRUE(fs::exists(image->folder / "built"));
  };
  std::thread first(one);
  std::thread second(one);
  first.join();
  second.join();
  EXPECT_EQ(builds, 1);
}

TEST_F(Prepare, an_artifact_that_is_not_what_its_name_says_is_refused) {
  fs::permissions(artifact_.file, fs::perms(0600));
  std::ofstream(artifact_.file, std::ios::binary) << TarArchive().add({"other", "x"}).finish();
  const auto image = prepared("true");
  ASSERT_FALSE(image.has_value());
  EXPECT_NE(base::to_string(image.error()).find(".tar: is damaged"), std::string::npos);
}

TEST_F(Prepare, what_the_runner_cannot_do_is_passed_on) {
  const auto image = prepared("true", [](const auto&, const auto&, const auto&, auto) -> base::Result<int> {
    return base::unavailable("no user is free", "stop an instance");
  });
  ASSERT_FALSE(image.has_value());
  const std::string text = base::to_string(image.error());
  EXPECT_EQ(text.find("no user is free\n  stop an instance; the whole log: "), 0U) << text;
}

TEST_F(Prepare, a_link_that_the_build_makes_stays_and_leads_where_it_did) {
  const auto image = prepared("ln -s /bin/sh interpreter");
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(fs::read_symlink(image->folder / "interpreter"), "/bin/sh");
}

TEST_F(Prepare, a_full_disk_during_the_build_is_an_error_and_the_next_has_room) {
  const bool ran = store::with_small_disk(2048, [&](const fs::path& disk) {
    const std::string command = "head -c 4000000 /dev/zero > large || exit 5";
    const auto full = prepare(artifact_, command, disk / "images", run_plainly, nullptr);
    ASSERT_FALSE(full.has_value());
    EXPECT_NE(base::to_string(full.error()).find("exit code 5"), std::string::npos);
    EXPECT_TRUE(prepare(artifact_, "head -c 1000000 /dev/zero > fits", disk / "images", run_plainly, nullptr)
                    .has_value());
  });
  if (!ran) GTEST_SKIP() << "needs root";
}

// Whether the process whose number stands in the file lives; one that nobody has reaped does not.
bool lives(const fs::path& file) {
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  EXPECT_GT(pid, 0);
  const auto status = store::read_file("/proc/" + std::to_string(pid) + "/stat");
  return status && status->find(") Z") == std::string::npos;
}

TEST(RunWhileWanted, ends_all_of_a_build_that_nobody_waits_for) {
  const TemporaryFolder folder;
  const fs::path begun = folder.path() / "begun";
  const auto unwanted = [&] { return fs::exists(begun); };
  const auto code = run_while_wanted(folder.path(), "sleep 1000 & echo $! > pid; touch begun; wait",
                                     folder.path() / "log", std::chrono::minutes(10), unwanted);
  ASSERT_FALSE(code);
  EXPECT_NE(base::to_string(code.error()).find("nobody waits"), std::string::npos);
  EXPECT_FALSE(lives(folder.path() / "pid"));
}

// A process in a session of its own does not end with that of the build.
TEST(RunWhileWanted, ends_what_has_left_its_session) {
  const TemporaryFolder folder;
  const auto code = run_plainly(folder.path(), "setsid sleep 1000 & echo $! > pid; sleep 0.1",
                                folder.path() / "log", std::chrono::minutes(10));
  EXPECT_EQ(code.value(), 0);
  EXPECT_FALSE(lives(folder.path() / "pid"));
}

// As after kill -9 of whoever ran it: it is nobody's child, and only its environment tells what it is.
TEST(EndBuildsIn, ends_what_an_earlier_process_was_building_there_and_nothing_else) {
  const TemporaryFolder folder;
  const fs::path images = folder.path() / "images";
  const auto start = [&](const fs::path& image, const std::string& name) {
    const std::string command = build_mark(image) + " setsid sleep 1000 >/dev/null 2>&1 & echo $! > " +
                                (folder.path() / name).string();
    ASSERT_EQ(std::system(command.c_str()), 0);
  };
  start(images / "key" / "app", "ours");
  start(folder.path() / "images-of-others" / "key" / "app", "other");
  EXPECT_EQ(end_builds_in(images), 1);
  EXPECT_FALSE(lives(folder.path() / "ours"));
  EXPECT_TRUE(lives(folder.path() / "other"));
  EXPECT_EQ(end_builds_in(folder.path()), 1);
  EXPECT_EQ(end_builds_in(folder.path()), 0);
}

TEST(BuildLog, last_lines_are_those_that_say_something) {
  TemporaryFolder folder;
  const fs::path file = folder.path() / "log";
  std::ofstream(file, std::ios::binary)
      << "first\n 10 %\r100 %\r\n\n  \nwide " << std::string(400, 'w') << "\nlast";
  EXPECT_EQ(last_lines(file, 10),
            "    first\n    100 %\n    wide " + std::string(295, 'w') + " ...\n    last");
  EXPECT_EQ(last_lines(file, 1), "    last");
  EXPECT_EQ(last_lines(folder.path() / "none", 5), "");
}

TEST(BuildLog, keeps_as_much_as_it_may) {
  TemporaryFolder folder;
  const fs::path file = folder.path() / "log";
  BuildLog log = BuildLog::create(file, 100).value();
  for (int i = 0; i < 1000; ++i) log.write(std::string(1, static_cast<char>('a' + i % 26)));
  ASSERT_TRUE(log.finish().has_value());
  const std::string text = store::read_file(file).value();
  // 50 letters from the beginning, 50 from the end: 1000 = 38 x 26 + 12, so that the last is the twelfth
  // letter.
  EXPECT_TRUE(
      text.starts_with("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx\n... 900 bytes are left out"));
  EXPECT_TRUE(text.ends_with(" ...\nopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl")) << text;
  BuildLog exact = BuildLog::create(file, 100).value();
  exact.write(std::string(100, 'x'));
  ASSERT_TRUE(exact.finish().has_value());
  EXPECT_EQ(store::read_file(file).value(), std::string(100, 'x'));
}

}  // namespace
}  // namespace headroom::versions
