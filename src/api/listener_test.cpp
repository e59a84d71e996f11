#include "api/listener.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "store/temporary_folder.hpp"

namespace headroom::api {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
  struct stat seen {};
  EXPECT_EQ(::lstat(path.c_str(), &seen), 0) << path;
  return seen.st_mode & 07777U;
}

std::string text_of(const base::Error& error) { return base::to_string(error); }

TEST(Listener, SocketIsItsOwnersAloneWhateverTheUmaskIs) {
  const store::TemporaryFolder folder;
  const mode_t before = ::umask(0);
  const auto listener = Listener::open(folder.path() / "run" / "api.sock");
  ::umask(before);
  ASSERT_TRUE(listener) << text_of(listener.error());
  EXPECT_EQ(mode_of(folder.path() / "run" / "api.sock"), 0600U);
  // Made with 0777 under this umask; then others may pass through it, no more.
  EXPECT_EQ(mode_of(folder.path() / "run"), 0711U);
}

TEST(Listener, SocketGoesWithItsListener) {
  const store::TemporaryFolder folder;
  const fs::path path = folder.path() / "api.sock";
  {
    const auto listener = Listener::open(path);
    ASSERT_TRUE(listener);
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(Listener, LivingOneIsRefusedAndNotDisturbed) {
  const store::TemporaryFolder folder;
  const fs::path path = folder.path() / "api.sock";
  const auto first = Listener::open(path);
  ASSERT_TRUE(first);
  const auto second = Listener::open(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, base::ErrorKind::unavailable);
  EXPECT_NE(text_of(second.error()).find("a daemon listens there already"), std::string::npos);
  EXPECT_TRUE(*connect_to(path));
}

// A process that was killed leaves its socket behind: here the socket of a child that ended without removing
// it.
TEST(Listener, SocketOfADeadProcessIsReplaced) {
  const store::TemporaryFolder folder;
  const fs::path path = folder.path() / "api.sock";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto listener = Listener::open(path);
    ::_exit(listener ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  ASSERT_TRUE(fs::exists(path));
  EXPECT_FALSE(*connect_to(path));
  const auto listener = Listener::open(path);
  ASSERT_TRUE(listener) << text_of(listener.error());
  EXPECT_TRUE(*connect_to(path));
}

TEST(Listener, WhatIsNoSocketIsNotRemoved) {
  const store::TemporaryFolder folder;
  std::ofstream(folder.path() / "api.sock") << "mine";
  const auto listener = Listener::open(folder.path() / "api.sock");
  ASSERT_FALSE(listener);
  EXPECT_EQ(fs::file_size(folder.path() / "api.sock"), 4U);
}

TEST(Listener, PathThatIsTooLongForASocketIsRefused) {
  const store::TemporaryFolder folder;
  const auto listener = Listener::open(folder.path() / std::string(120, 'x'));
  ASSERT_FALSE(listener);
  EXPECT_NE(text_of(listener.error()).find("at most 107 bytes"), std::string::npos);
}

TEST(Listener, FolderOfSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const store::TemporaryFolder folder;
  fs::create_directory(folder.path() / "run");
  ASSERT_EQ(::chown((folder.path() / "run").c_str(), 65534, 65534), 0);
  EXPECT_FALSE(Listener::open(folder.path() / "run" / "api.sock"));
}

TEST(Listener, AnotherUserIsTurnedAwayAlsoWhereTheModeLetsHimIn) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const store::TemporaryFolder folder;
  const fs::path path = folder.path() / "api.sock";
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  const auto listener = Listener::open(path);
  ASSERT_TRUE(listener);
  const auto connect_as = [&](uid_t user) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setuid(user) != 0) ::_exit(2);
      const auto connection = connect_to(path);
      ::_exit(connection && *connection ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(connect_as(65534), 1);  // the mode
  EXPECT_EQ(::chmod(path.c_str(), 0666), 0);
  EXPECT_EQ(connect_as(65534), 0);
  EXPECT_FALSE(listener->accept());
  EXPECT_EQ(connect_as(0), 0);
  EXPECT_TRUE(listener->accept());
}

TEST(Listener, NobodyThereIsAValue) {
  const store::TemporaryFolder folder;
  const auto none = connect_to(folder.path() / "none" / "api.sock");
  ASSERT_TRUE(none) << text_of(none.error());
  EXPECT_FALSE(*none);
}

}  // namespace
}  // namespace headroom::api
