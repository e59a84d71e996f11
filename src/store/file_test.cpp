#include "store/file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "store/temporary_folder.hpp"

namespace headroom::store {
namespace {

namespace fs = std::filesystem;
using base::ErrorKind;
using Names = std::vector<std::string>;

void put(const fs::path& path, std::string_view content) { std::ofstream(path, std::ios::binary) << content; }

// Runs the function in a child process, which ends without running anything else of the test, and returns how
// it ended. With files limited to so many bytes, a larger write fails in the middle, at a byte that is always
// the same: with SIGXFSZ ignored as an error (as a full disk does), else by the death of the process (as a
// kill does).
int in_child(const std::function<bool()>& function, rlim_t file_limit_bytes, bool killed) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit no_core{0, 0};
    const rlimit limit{file_limit_bytes, RLIM_INFINITY};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, killed ? SIG_DFL : SIG_IGN);
    ::_exit(function() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

const std::string kLarge(200'000, 'x');

TEST(ReadFile, gives_every_byte) {
  TemporaryFolder folder;
  const std::string bytes("a\0b\r\n\xff", 6);
  put(folder.path() / "bytes", bytes);
  EXPECT_EQ(read_file(folder.path() / "bytes").value(), bytes);
  put(folder.path() / "empty", "");
  EXPECT_EQ(read_file(folder.path() / "empty").value(), "");
  put(folder.path() / "large", kLarge);
  EXPECT_EQ(read_file(folder.path() / "large").value(), kLarge);
}

TEST(ReadFile, a_missing_file_is_bad_input_that_names_it) {
  const base::Error error = read_file("no/such/file.csv").error();
  EXPECT_EQ(error.kind, ErrorKind::bad_input);
  EXPECT_EQ(
      base::to_string(error),
      "no/such/file.csv: cannot be read: it does not exist\n  check the path; in a file it is relative to "
      "the folder of that file");
}

TEST(ReadFile, a_folder_is_not_a_file) {
  TemporaryFolder folder;
  const base::Error error = read_file(folder.path()).error();
  EXPECT_EQ(error.kind, ErrorKind::bad_input);
  EXPECT_NE(base::to_string(error).find("it is a folder"), std::string::npos);
}

TEST(ReadFile, a_file_in_place_of_a_folder_is_told) {
  TemporaryFolder folder;
  put(folder.path() / "file", "");
  EXPECT_NE(
      base::to_string(read_file(folder.path() / "file" / "x").error()).find("a part of the path is a file"),
      std::string::npos);
}

TEST(ReadFile, the_limit_is_the_largest_size_that_is_read) {
  TemporaryFolder folder;
  put(folder.path() / "ten", "0123456789");
  EXPECT_TRUE(read_file(folder.path() / "ten", 10).has_value());
  const base::Error error = read_file(folder.path() / "ten", 9).error();
  EXPECT_EQ(error.kind, ErrorKind::bad_input);
  EXPECT_NE(base::to_string(error).find("larger than 9 bytes"), std::string::npos);
  // A device has no size and no end: the limit holds while it is read.
  EXPECT_NE(base::to_string(read_file("/dev/zero", 100'000).error()).find("larger than 100000 bytes"),
            std::string::npos);
}

TEST(ReadFile, denied_permission_is_told) {
  TemporaryFolder folder;
  put(folder.path() / "secret", "x");
  fs::permissions(folder.path() / "secret", fs::perms::none);
  // Root may read anything, so the child becomes nobody first (a user other than root stays what it is).
  const int status = in_child(
      [&] {
        ::chmod(folder.path().c_str(), 0755);
        if (::geteuid() == 0 && ::setuid(65534) != 0) return false;
        const auto result = read_file(folder.path() / "secret");
        return !result && result.error().kind == ErrorKind::bad_input &&
               base::to_string(result.error()).find("permission is denied") != std::string::npos;
      },
      RLIM_INFINITY, false);
  EXPECT_EQ(status, 0);
}

TEST(WriteFile, replaces_the_content_and_leaves_nothing_else) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.path() / "f", kLarge).has_value());
  ASSERT_TRUE(write_file_atomically(folder.path() / "f", "short").has_value());
  EXPECT_EQ(read_file(folder.path() / "f").value(), "short");
  EXPECT_EQ(folder.names(), (Names{"f"}));
}

TEST(WriteFile, keeps_the_permissions_of_an_existing_file) {
  TemporaryFolder folder;
  put(folder.path() / "f", "old");
  ::chmod((folder.path() / "f").c_str(), 0640);
  ASSERT_TRUE(write_file_atomically(folder.path() / "f", "new").has_value());
  EXPECT_EQ(fs::status(folder.path() / "f").permissions(), static_cast<fs::perms>(0640));
}

TEST(WriteFile, a_symbolic_link_goes_on_pointing_to_the_file_that_it_names) {
  TemporaryFolder folder;
  put(folder.path() / "file", "old");
  fs::create_symlink("file", folder.path() / "link");
  ASSERT_TRUE(write_file_atomically(folder.path() / "link", "new").has_value());
  EXPECT_TRUE(fs::is_symlink(folder.path() / "link"));
  EXPECT_EQ(read_file(folder.path() / "file").value(), "new");
}

TEST(WriteFile, a_file_name_alone_is_in_the_present_folder) {
  TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const bool written = write_file_atomically("f", "x").has_value();
  fs::current_path(before);
  EXPECT_TRUE(written);
  EXPECT_EQ(folder.names(), (Names{"f"}));
}

TEST(WriteFile, errors_say_what_to_do) {
  TemporaryFolder folder;
  const auto error_of = [](const fs::path& path) { return write_file_atomically(path, "x").error(); };
  EXPECT_NE(base::to_string(error_of(folder.path() / "no" / "f")).find("its folder does not exist"),
            std::string::npos);
  EXPECT_NE(base::to_string(error_of(folder.path())).find("it is a folder"), std::string::npos);
  EXPECT_NE(base::to_string(error_of(folder.path() / "")).find("it is a folder"), std::string::npos);
  EXPECT_EQ(error_of(folder.path() / "no" / "f").kind, ErrorKind::bad_input);
  EXPECT_TRUE(folder.names().empty());
}

TEST(WriteFile, a_write_that_fails_in_the_middle_keeps_the_old_content_and_leaves_nothing) {
  TemporaryFolder folder;
  put(folder.path() / "f", "old");
  const int status = in_child(
      [&] {
        const auto result = write_file_atomically(folder.path() / "f", kLarge);
        return !result && result.error().kind == ErrorKind::unavailable;
      },
      100'000, false);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_file(folder.path() / "f").value(), "old");
  EXPECT_EQ(folder.names(), (Names{"f"}));
}

TEST(WriteFile, a_killed_writer_keeps_the_old_content_and_the_next_one_cleans_up) {
  TemporaryFolder folder;
  put(folder.path() / "f", "old");
  const int status =
      in_child([&] { return write_file_atomically(folder.path() / "f", kLarge).has_value(); }, 100'000, true);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(read_file(folder.path() / "f").value(), "old");
  ASSERT_EQ(folder.names().size(), 2U);
  EXPECT_TRUE(folder.names()[0].starts_with(".f.partial-")) << folder.names()[0];

  // Files that only look alike stay.
  put(folder.path() / ".f.partial-notes", "mine");
  put(folder.path() / ".g.partial-1-0", "of another file");
  ASSERT_TRUE(write_file_atomically(folder.path() / "f", "new").has_value());
  EXPECT_EQ(folder.names(), (Names{".f.partial-notes", ".g.partial-1-0", "f"}));
}

TEST(WriteFile, writers_at_once_leave_one_whole_content) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "f";
  const auto write_often = [&path](char letter) {
    for (int i = 0; i < 40; ++i) {
      EXPECT_TRUE(write_file_atomically(path, std::string(5000, letter)).has_value());
    }
  };
  std::thread first(write_often, 'a');
  std::thread second(write_often, 'b');
  first.join();
  second.join();
  const std::string content = read_file(path).value();
  EXPECT_TRUE(content == std::string(5000, 'a') || content == std::string(5000, 'b'));
  EXPECT_EQ(folder.names(), (Names{"f"}));
}

}  // namespace
}  // namespace headroom::store
