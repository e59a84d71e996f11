#include "versions/ignored.hpp"

#include <gtest/gtest.h>

namespace headroom::versions {
namespace {

Ignored with(const std::string& text) {
  Ignored ignored;
  EXPECT_TRUE(ignored.add(text, ".headroomignore").has_value());
  return ignored;
}

struct Case {
  const char* pattern;
  const char* path;
  bool folder;
  bool ignored;
};

TEST(Ignored, names_files_as_git_does) {
  const Case cases[] = {
      {"*.log", "a.log", false, true},
      {"*.log", "deep/er/a.log", false, true},
      {"*.log", "a.logs", false, false},
      {"*.log", "a.log", true, true},
      {"/notes", "notes", false, true},
      {"/notes", "deep/notes", false, false},
      {"docs/drafts", "docs/drafts", true, true},
      {"docs/drafts", "a/docs/drafts", true, false},
      {"cache/", "a/cache", true, true},
      {"cache/", "a/cache", false, false},
      {"docs/**/*.png", "docs/a.png", false, true},  // ** is any number of folders, also none
      {"docs/**/*.png", "docs/x/y/a.png", false, true},
      {"docs/**/*.png", "a.png", false, false},
      {"**/tmp", "tmp", true, true},
      {"**/tmp", "a/b/tmp", true, true},
      {"cache/**", "cache", true, false},  // what is in it, not the folder
      {"cache/**", "cache/a", false, true},
      {"a*b", "ab", false, true},
      {"a*b", "a/b", false, false},  // * does not go beyond a name
      {"*", "anything", false, true},
      {"a?c", "abc", false, true},
      {"a?c", "ac", false, false},
      {"a.b", "axb", false, false},
      {"# text", "# text", false, false},
      {"file  \t\r", "file", false, true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(with(one.pattern).matches(one.path, one.folder), one.ignored)
        << one.pattern << " and " << one.path;
  }
}

TEST(Ignored, the_last_line_that_fits_decides) {
  const Ignored ignored = with("*.log\n!keep.log\n/keep.log\n");
  EXPECT_TRUE(ignored.matches("a.log", false));
  EXPECT_FALSE(ignored.matches("x/keep.log", false));
  EXPECT_TRUE(ignored.matches("keep.log", false));
}

TEST(Ignored, some_names_always_are_unless_taken_back) {
  const Ignored plain;
  EXPECT_TRUE(plain.matches(".git", true));
  EXPECT_TRUE(plain.matches("module/.git", false));  // of a submodule it is a file
  EXPECT_TRUE(plain.matches("a/__pycache__", true));
  EXPECT_TRUE(plain.matches("a/b.pyc", false));
  EXPECT_TRUE(plain.matches("node_modules/.cache", true));
  EXPECT_TRUE(plain.matches("ui/node_modules/.cache", true));
  EXPECT_TRUE(plain.matches("runs", true));
  EXPECT_TRUE(plain.matches(".headroomignore", false));
  EXPECT_FALSE(plain.matches("app/runs", true));  // a package of that name
  EXPECT_FALSE(plain.matches("runs", false));
  EXPECT_FALSE(plain.matches(".github", true));
  EXPECT_FALSE(plain.matches("node_modules", true));
  EXPECT_FALSE(with("!/runs/").matches("runs", true));
}

TEST(Ignored, every_faulty_line_is_named) {
  Ignored ignored;
  const auto added = ignored.add("good\n[ab]\n\na\\ b\n../x\n//\n", "app/.headroomignore");
  ASSERT_FALSE(added.has_value());
  ASSERT_EQ(added.error().faults.size(), 4U);
  const int lines[] = {2, 4, 5, 6};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(added.error().faults[i].place, (base::Place{"app/.headroomignore", lines[i], 0}));
  }
  EXPECT_FALSE(ignored.matches("good", false));
}

// With a star for every second character, trying all ways to spread them would take longer than anybody
// lives.
TEST(Ignored, many_stars_take_no_time) {
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "*a";
  EXPECT_FALSE(with(stars + "b").matches(std::string(255, 'a'), false));
  std::string folders;
  std::string path;
  for (int i = 0; i < 60; ++i) {
    folders += "**/a/";
    path += "a/";
  }
  EXPECT_FALSE(with(folders + "b").matches(path + "c", false));
}

}  // namespace
}  // namespace headroom::versions
