#include "versions/tree.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "store/file.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::versions {
namespace {

namespace fs = std::filesystem;
using store::TemporaryFolder;

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  ::lstat(path.c_str(), &status);
  return status.st_mode & 07777U;
}

TEST(RemoveTree, removes_read_only_folders_and_links_but_not_what_they_name) {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "precious") << "x";
  const fs::path tree = folder.path() / "tree";
  fs::create_directories(tree / "a" / "b");
  std::ofstream(tree / "a" / "b" / "file") << "x";
  fs::create_symlink(folder.path() / "precious", tree / "link");
  fs::create_directory_symlink(folder.path(), tree / "a" / "up");
  for (const fs::path& path : {tree / "a" / "b", tree / "a", tree}) fs::permissions(path, fs::perms(0000));
  ASSERT_TRUE(remove_tree(tree).has_value());
  EXPECT_EQ(folder.names(), std::vector<std::string>{"precious"});
  EXPECT_TRUE(remove_tree(tree).has_value());
  EXPECT_TRUE(remove_tree(folder.path() / "none" / "tree").has_value());
}

TEST(RemoveTree, a_link_in_its_place_is_an_error_and_what_it_names_stays) {
  TemporaryFolder folder;
  fs::create_directory(folder.path() / "precious");
  std::ofstream(folder.path() / "precious" / "file") << "x";
  fs::create_directory_symlink("precious", folder.path() / "tree");
  const auto removed = remove_tree(folder.path() / "tree");
  ASSERT_FALSE(removed.has_value());
  EXPECT_NE(base::to_string(removed.error()).find("tree: cannot be removed"), std::string::npos);
  EXPECT_EQ(folder.names("precious"), std::vector<std::string>{"file"});
}

// Deeper than there are descriptors, and than a path can be long.
TEST(RemoveTree, any_depth) {
  TemporaryFolder folder;
  const fs::path tree = folder.path() / "tree";
  fs::create_directory(tree);
  fs::create_directory(tree / ".deep-0");  // a name that removal itself would use
  std::ofstream(tree / ".deep-0" / "file") << "x";
  int here = ::open(tree.c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(::mkdirat(here, "d", 0755), 0);
    const int next = ::openat(here, "d", O_RDONLY | O_DIRECTORY);
    ::close(here);
    here = next;
  }
  ::close(here);
  ASSERT_TRUE(remove_tree(tree).has_value());
  EXPECT_TRUE(folder.names().empty());
}

TEST(SealTree, makes_everything_read_only_and_ours_and_follows_no_link) {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "outside") << "x";
  fs::permissions(folder.path() / "outside", fs::perms(0666));
  const fs::path tree = folder.path() / "tree";
  fs::create_directories(tree / "bin");
  for (const char* name : {"bin/run", "file", "closed"}) std::ofstream(tree / name) << "x";
  fs::permissions(tree / "bin" / "run", fs::perms(06755));
  fs::permissions(tree / "file", fs::perms(0666));
  fs::permissions(tree / "closed", fs::perms(0000));
  fs::create_symlink(folder.path() / "outside", tree / "link");
  fs::create_symlink("nowhere", tree / "dangling");
  if (::geteuid() == 0) {
    for (const char* name : {"", "bin", "bin/run", "link"})
      ASSERT_EQ(::lchown((tree / name).c_str(), 12345, 12345), 0);
  }
  ASSERT_TRUE(seal_tree(tree).has_value());
  EXPECT_EQ(mode_of(tree), 0555U);
  EXPECT_EQ(mode_of(tree / "bin"), 0555U);
  EXPECT_EQ(mode_of(tree / "bin" / "run"), 0555U);
  EXPECT_EQ(mode_of(tree / "file"), 0444U);
  EXPECT_EQ(mode_of(tree / "closed"), 0444U);
  EXPECT_EQ(mode_of(folder.path() / "outside"), 0666U);
  for (const char* name : {"", "bin", "bin/run", "link", "file"}) {
    struct stat status {};
    ASSERT_EQ(::lstat((tree / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, ::geteuid()) << name;
  }
  ASSERT_TRUE(remove_tree(tree).has_value());
}

// What has a second name outside could be written to through it, and be made read-only for whoever owns it.
TEST(SealTree, a_file_with_a_name_outside_becomes_a_copy) {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "cache") << "shared";
  fs::permissions(folder.path() / "cache", fs::perms(0755));
  const fs::path tree = folder.path() / "tree";
  fs::create_directory(tree);
  std::ofstream(tree / "one") << "own";
  fs::create_hard_link(tree / "one", tree / "two");
  fs::create_hard_link(folder.path() / "cache", tree / "three");
  fs::create_hard_link(folder.path() / "cache", tree / "four");
  ASSERT_TRUE(seal_tree(tree).has_value());
  EXPECT_EQ(fs::hard_link_count(tree / "one"), 2U);
  EXPECT_EQ(fs::hard_link_count(folder.path() / "cache"), 1U);
  EXPECT_EQ(mode_of(folder.path() / "cache"), 0755U);
  EXPECT_EQ(store::read_file(tree / "three").value(), "shared");
  EXPECT_EQ(mode_of(tree / "four"), 0555U);
  EXPECT_EQ(folder.names("tree"), (std::vector<std::string>{"four", "one", "three", "two"}));
}

TEST(SealTree, a_pipe_or_folders_without_end_are_an_error_with_their_path) {
  TemporaryFolder folder;
  const fs::path tree = folder.path() / "tree";
  fs::create_directories(tree / "a");
  ASSERT_EQ(::mkfifo((tree / "a" / "pipe").c_str(), 0600), 0);
  const auto sealed = seal_tree(tree);
  ASSERT_FALSE(sealed.has_value());
  EXPECT_NE(base::to_string(sealed.error()).find("tree/a/pipe: the build left a device, a socket or a pipe"),
            std::string::npos);
  fs::remove(tree / "a" / "pipe");
  fs::path deep = tree;
  for (int i = 0; i < 202; ++i) deep /= "d";
  fs::create_directories(deep);
  EXPECT_NE(base::to_string(seal_tree(tree).error()).find("more than 200 folders"), std::string::npos);
}

}  // namespace
}  // namespace headroom::versions
