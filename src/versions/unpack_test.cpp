#include "versions/unpack.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "store/file.hpp"
#include "store/small_disk.hpp"
#include "store/temporary_folder.hpp"
#include "versions/tar_archive.hpp"

namespace headroom::versions {
namespace {

namespace fs = std::filesystem;
using store::TemporaryFolder;

class Unpack : public testing::Test {
 protected:
  base::Result<void> unpacked(const std::string& archive, const Limits& limits = {}) {
    std::ofstream(folder_.path() / "in.tar", std::ios::binary) << archive;
    return unpack(folder_.path() / "in.tar", out(), limits);
  }

  // The error, and that nothing is left: neither the folder nor anything beside it.
  std::string refusal_of(const std::string& archive, const Limits& limits = {}) {
    const base::Result<void> result = unpacked(archive, limits);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(folder_.names(), std::vector<std::string>{"in.tar"});
    fs::remove_all(out());
    return result ? std::string() : base::to_string(result.error());
  }

  fs::path out() const { return folder_.path() / "out"; }

  TemporaryFolder folder_;
};

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  ::lstat(path.c_str(), &status);
  return status.st_mode & 07777U;
}

TEST_F(Unpack, gives_files_and_folders_with_plain_modes_whatever_the_umask) {
  const mode_t before = ::umask(0077);
  ASSERT_TRUE(unpacked(TarArchive()
                           .add({"app.py", "print()", '0', 0600})
                           .add({"bin/run", "#!", '0', 0700})
                           .add({"empty/", "", '5', 0700})
                           .add({"a/b/", "", '5', 0777})
                           .add({"a/", "", '5', 0777})
                           .finish())
                  .has_value());
  ::umask(before);
  EXPECT_EQ(store::read_file(out() / "app.py").value(), "print()");
  const std::map<std::string, unsigned> modes = {{"", 0755},        {"app.py", 0644}, {"bin", 0755},
                                                 {"bin/run", 0755}, {"empty", 0755},  {"a", 0755},
                                                 {"a/b", 0755}};
  for (const auto& [name, mode] : modes) EXPECT_EQ(mode_of(out() / name), mode) << name;
}

TEST_F(Unpack, refuses_every_entry_that_could_reach_beyond_the_folder_or_be_more_than_a_file) {
  const std::vector<std::pair<TarEntry, std::string>> cases = {
      {{"/etc/cron.d/x"}, "\"/etc/cron.d/x\" is refused: it starts with a slash"},
      {{"../outside"}, "\"../outside\" is refused: its path holds \"..\""},
      {{"a/../../outside"}, "holds \"..\""},
      {{"a/.."}, "holds \"..\""},
      {{"./a"}, "holds \".\""},
      {{"."}, "holds \".\""},
      {{"a//b"}, "an empty name"},
      {{"a/", "", '5'}, ""},  // a folder may end in a slash
      {{"a\nb"}, "\"a\\nb\" is refused: its name holds a control character"},
      {{"\x1b[31m"}, "control character"},
      {{"a\x7f"}, "control character"},
      {{"link", "", '2', 0777, "/etc/passwd"}, "\"link\" is refused: it is a link"},
      {{"link", "", '2', 0777, "inside"}, "it is a link"},
      {{"link", "", '1', 0644, "first"}, "it is a link"},
      {{"null", "", '3', 0666}, "neither a file nor a folder"},
      {{"disk", "", '4', 0666}, "neither a file nor a folder"},
      {{"pipe", "", '6', 0666}, "neither a file nor a folder"},
      {{"su", "x", '0', 04755}, "\"su\" is refused: it would run as another user"},
      {{"sg", "x", '0', 02755}, "as another user"},
      {{"st", "x", '0', 01755}, "as another user"},
      {{"first", "again"}, "\"first\" is refused: its name occurs twice"},
      {{"first/below"}, "\"first/below\" is refused: a file stands where it needs a folder"},
      {{"first/", "", '5'}, "its name occurs twice"},
      {{"folder", "x"}, "its name occurs twice"},
      {{"folder/", "", '5'}, "its name occurs twice"},
      {{"path", "x"}, "\"path\" is refused: a folder stands in its place"},
      {{"path/to/", "", '5'}, ""},
  };
  for (const auto& [entry, why] : cases) {
    const std::string archive = TarArchive()
                                    .add({"first", "1"})
                                    .add({"folder/", "", '5', 0755})
                                    .add({"path/to/file"})
                                    .add(entry)
                                    .finish();
    if (why.empty()) {
      EXPECT_TRUE(unpacked(archive).has_value());
      fs::remove_all(out());
      continue;
    }
    const std::string refusal = refusal_of(archive);
    EXPECT_NE(refusal.find(why), std::string::npos) << refusal << " for " << entry.name;
  }
}

// The way in that an archive has without "..": a link, and then a file through it.
TEST_F(Unpack, a_link_is_not_written_through) {
  const TemporaryFolder elsewhere;
  (void)refusal_of(
      TarArchive().add({"way", "", '2', 0777, elsewhere.path().string()}).add({"way/file", "out"}).finish());
  EXPECT_TRUE(elsewhere.names().empty());
}

TEST_F(Unpack, refuses_more_than_the_limits_before_it_is_written) {
  Limits limits;
  limits.bytes = 1000;
  limits.entries = 3;
  EXPECT_TRUE(
      unpacked(TarArchive().add({"a", std::string(600, 'x')}).add({"b", std::string(400, 'x')}).finish(),
               limits)
          .has_value());
  fs::remove_all(out());
  EXPECT_NE(
      refusal_of(TarArchive().add({"a", std::string(600, 'x')}).add({"b", std::string(401, 'x')}).finish(),
                 limits)
          .find("\"b\" is refused: with it the archive holds more than"),
      std::string::npos);
  // Three entries; folders without an entry of their own count, too.
  EXPECT_TRUE(unpacked(TarArchive().add({"a/b/c"}).finish(), limits).has_value());
  fs::remove_all(out());
  EXPECT_NE(refusal_of(TarArchive().add({"a/b/c/d"}).finish(), limits).find("more than 3 files and folders"),
            std::string::npos);
  EXPECT_NE(
      refusal_of(TarArchive().add({"a"}).add({"b"}).add({"c"}).add({"d"}).finish(), limits).find("\"d\""),
      std::string::npos);
}

TEST_F(Unpack, refuses_headers_that_lie_about_the_size) {
  Limits limits;
  limits.bytes = 1'000'000;
  // Eight gigabytes, of which nothing follows.
  EXPECT_NE(refusal_of(TarArchive().add({"huge", "", '0', 0644, "", 8'000'000'000}).finish(), limits)
                .find("\"huge\" is refused: with it the archive holds more than"),
            std::string::npos);
  // Within the limits, but more than there is.
  EXPECT_NE(
      refusal_of(TarArchive().add({"long", "x", '0', 0644, "", 900'000}).finish(), limits).find("damaged"),
      std::string::npos);
  // Less than there is: what follows is taken for a header, and is none.
  EXPECT_NE(refusal_of(TarArchive().add({"short", std::string(2000, 'x'), '0', 0644, "", 10}).finish())
                .find("damaged"),
            std::string::npos);
}

TEST_F(Unpack, refuses_what_is_cut_off_compressed_or_no_archive) {
  const TarArchive whole = TarArchive().add({"a", std::string(5000, 'x')}).add({"b", "y"});
  EXPECT_NE(refusal_of(whole.without_end()).find("is cut off"), std::string::npos);
  EXPECT_NE(refusal_of(whole.finish().substr(0, 3000)).find("is cut off"), std::string::npos);
  EXPECT_NE(refusal_of("").find("in.tar: is no tar archive"), std::string::npos);
  EXPECT_NE(refusal_of("name: shop\n").find("is no tar archive"), std::string::npos);
  EXPECT_NE(refusal_of(std::string(512, 'x') + std::string(1024, '\0')).find("damaged"), std::string::npos);
  // The beginning of a gzip file, long enough to be taken for an archive by its end.
  EXPECT_NE(refusal_of("\x1f\x8b\x08" + std::string(509, 'x') + std::string(1024, '\0')).find("damaged"),
            std::string::npos);
}

TEST_F(Unpack, refuses_a_sparse_file) {
  // A pax header that makes a file of a gigabyte out of nothing.
  const std::string sparse =
      "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n30 GNU.sparse.name=hole.bin\n33 "
      "GNU.sparse.realsize=100000\n";
  const std::string map = "1\n99999\n1\n";
  const std::string refusal =
      refusal_of(TarArchive()
                     .add({"x", sparse, 'x'})
                     .add({"hole", map + std::string(512 - map.size(), '\0') + "z", '0'})
                     .finish());
  EXPECT_TRUE(refusal.find("sparse") != std::string::npos || refusal.find("damaged") != std::string::npos)
      << refusal;
}

TEST_F(Unpack, into_a_folder_that_exists_or_whose_parent_does_not_is_an_error) {
  fs::create_directory(out());
  std::ofstream(out() / "mine") << "x";
  const base::Result<void> result = unpacked(TarArchive().add({"a"}).finish());
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(base::to_string(result.error()).find("exists"), std::string::npos);
  EXPECT_EQ(folder_.names("out"), std::vector<std::string>{"mine"});
  EXPECT_FALSE(unpack(folder_.path() / "in.tar", folder_.path() / "none" / "out").has_value());
  EXPECT_NE(base::to_string(unpack(folder_.path() / "none.tar", folder_.path() / "new").error())
                .find("none.tar: cannot be read: it does not exist"),
            std::string::npos);
}

TEST_F(Unpack, a_full_disk_is_an_error_and_leaves_nothing) {
  std::ofstream(folder_.path() / "in.tar", std::ios::binary)
      << TarArchive().add({"a", std::string(500'000, 'x')}).add({"b", std::string(900'000, 'x')}).finish();
  const bool ran = store::with_small_disk(1024, [&](const fs::path& disk) {
    const base::Result<void> result = unpack(folder_.path() / "in.tar", disk / "out");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, base::ErrorKind::unavailable);
    EXPECT_NE(base::to_string(result.error()).find("out/b: cannot be written: no space is left"),
              std::string::npos)
        << base::to_string(result.error());
    EXPECT_FALSE(fs::exists(disk / "out"));
  });
  if (!ran) GTEST_SKIP() << "needs root";
}

}  // namespace
}  // namespace headroom::versions
