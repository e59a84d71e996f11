#include "versions/artifact.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <thread>

#include "store/file.hpp"
#include "store/small_disk.hpp"
#include "store/temporary_folder.hpp"
#include "versions/artifact_file.hpp"
#include "versions/sha256.hpp"
#include "versions/unpack.hpp"

namespace headroom::versions {
namespace {

namespace fs = std::filesystem;
using store::TemporaryFolder;
using Names = std::vector<std::string>;

void put(const fs::path& file, const std::string& content = "x", unsigned mode = 0644) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  fs::permissions(file, fs::perms(mode));
}

Artifact packed(const fs::path& source, const fs::path& artifacts, const Limits& limits = {}) {
  base::Result<Artifact> artifact = pack(source, artifacts, limits);
  EXPECT_TRUE(artifact.has_value()) << base::to_string(artifact.error());
  return artifact ? *artifact : Artifact{};
}

std::string error_of(const base::Result<Artifact>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? std::string() : base::to_string(result.error());
}

// What is in an artifact, by unpacking it.
Names names_of(const Artifact& artifact) {
  const TemporaryFolder folder;
  EXPECT_TRUE(unpack(artifact.file, folder.path() / "out").has_value());
  Names names;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path() / "out")) {
    if (!entry.is_directory())
      names.push_back(entry.path().lexically_relative(folder.path() / "out").string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Inspect, finds_the_hash_that_pack_gives_and_writes_nothing) {
  const TemporaryFolder folder;
  put(folder.path() / "app" / "run");
  put(folder.path() / "app" / "server.pem");
  const fs::path artifacts = folder.path() / "artifacts";
  const base::Result<Artifact> seen = inspect(folder.path() / "app", artifacts);
  ASSERT_TRUE(seen);
  EXPECT_FALSE(fs::exists(artifacts));
  const Artifact made = packed(folder.path() / "app", artifacts);
  EXPECT_EQ(seen->hash, made.hash);
  EXPECT_EQ(seen->file, made.file);
  EXPECT_EQ(seen->notes, made.notes);
  EXPECT_FALSE(inspect(folder.path() / "none", artifacts));
}

TEST(Pack, one_content_has_one_hash_whatever_the_order_times_owner_and_umask) {
  TemporaryFolder folder;
  const Names names = {"app.py", "static/health.html", "run", "a/b/c", "a.b", "\xc3\xa4 \xff.txt"};
  const auto fill = [&](const fs::path& source, const Names& order, mode_t mask) {
    const mode_t before = ::umask(mask);
    for (const std::string& name : order)
      put(source / name, "of " + name, (name == "run" ? 0777 : 0666) & ~mask);
    ::umask(before);
  };
  fill(folder.path() / "one", names, 0022);
  fill(folder.path() / "two", Names(names.rbegin(), names.rend()), 0077);
  fs::create_directories(folder.path() / "two" / "empty" / "folder");
  const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ::utimensat(AT_FDCWD, (folder.path() / "two" / "app.py").c_str(), times, 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown((folder.path() / "two" / "app.py").c_str(), 12345, 12345), 0);
  }

  const Artifact one = packed(folder.path() / "one", folder.path() / "artifacts");
  const mode_t before = ::umask(0077);
  const Artifact two = packed(folder.path() / "two" / ".", folder.path() / "others");
  ::umask(before);
  EXPECT_EQ(one.hash, two.hash);
  EXPECT_EQ(store::read_file(one.file).value(), store::read_file(two.file).value());
  EXPECT_EQ(one.files, 6);
  // "of " and each name: 6 x 3 + 6 + 18 + 3 + 5 + 3 + 8.
  EXPECT_EQ(one.bytes, 61);
}

// As GNU tar and Python's tarfile pack the same folder, so that no version of a library changes it unseen:
//   mkdir -p s/static; printf 'print(1)\n' >s/app.py; printf '#!/bin/sh\n' >s/run
//   printf fine >s/static/health.html; chmod 644 s/app.py s/static/health.html; chmod 755 s/run
//   tar --format=gnu --mtime=@0 --owner=:0 --group=:0 --numeric-owner -C s
//     -c app.py run static/health.html | sha256sum
TEST(Pack, the_hash_of_a_known_folder_is_known) {
  TemporaryFolder folder;
  put(folder.path() / "s" / "app.py", "print(1)\n");
  put(folder.path() / "s" / "run", "#!/bin/sh\n", 0755);
  put(folder.path() / "s" / "static" / "health.html", "fine");
  const Artifact artifact = packed(folder.path() / "s", folder.path() / "artifacts");
  EXPECT_EQ(artifact.hash, "20e3b8200bcb4f41a8c397e97bfe4009ea6fbda3c94156eb2ca0b5361c713860");
}

TEST(Pack, any_change_of_content_name_or_executability_is_another_version) {
  TemporaryFolder folder;
  const fs::path source = folder.path() / "source";
  put(source / "a", "1");
  put(source / "b", "2");
  std::set<std::string> hashes = {packed(source, folder.path() / "artifacts").hash};
  put(source / "a", "3");
  hashes.insert(packed(source, folder.path() / "artifacts").hash);
  fs::permissions(source / "a", fs::perms(0755));
  hashes.insert(packed(source, folder.path() / "artifacts").hash);
  fs::rename(source / "b", source / "c");
  hashes.insert(packed(source, folder.path() / "artifacts").hash);
  EXPECT_EQ(hashes.size(), 4U);
  EXPECT_EQ(folder.names("artifacts").size(), 4U);
}

TEST(Pack, the_file_is_named_by_its_own_hash_and_read_by_its_owner_only) {
  TemporaryFolder folder;
  put(folder.path() / "source" / "app.py");
  const Artifact artifact = packed(folder.path() / "source", folder.path() / "artifacts");
  EXPECT_EQ(sha256_of_file(artifact.file).value(), artifact.hash);
  EXPECT_EQ(folder.names("artifacts"), (Names{artifact.hash + ".tar"}));
  struct stat status {};
  ASSERT_EQ(::stat(artifact.file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0400U);
  EXPECT_EQ(hash_of_name(artifact.file), artifact.hash);
  EXPECT_EQ(find_artifact(folder.path() / "artifacts", artifact.hash).value().file, artifact.file);
  EXPECT_FALSE(find_artifact(folder.path() / "artifacts", std::string(64, '0')).has_value());
  EXPECT_FALSE(find_artifact(folder.path() / "artifacts", "../" + artifact.hash).has_value());
}

TEST(Pack, one_that_a_disk_has_damaged_is_made_good_by_packing_again) {
  TemporaryFolder folder;
  put(folder.path() / "source" / "app.py");
  const Artifact artifact = packed(folder.path() / "source", folder.path() / "artifacts");
  fs::permissions(artifact.file, fs::perms(0600));
  std::ofstream(artifact.file) << "damaged";
  EXPECT_EQ(packed(folder.path() / "source", folder.path() / "artifacts").hash, artifact.hash);
  EXPECT_EQ(sha256_of_file(artifact.file).value(), artifact.hash);
}

TEST(Pack, leaves_out_what_is_ignored) {
  TemporaryFolder folder;
  const fs::path source = folder.path() / "source";
  for (const char* name :
       {"app.py", "app.pyc", ".git/HEAD", "__pycache__/app.cpython-311.pyc", "runs/x/summary.json",
        "node_modules/a/index.js", "node_modules/.cache/big", "notes.txt", "docs/a.md"}) {
    put(source / name);
  }
  put(source / ".headroomignore", "# not deployed\nnotes.txt\ndocs/\n");
  EXPECT_EQ(names_of(packed(source, folder.path() / "artifacts")),
            (Names{"app.py", "node_modules/a/index.js"}));
}

TEST(Pack, leaves_out_the_artifacts_that_lie_in_the_source) {
  TemporaryFolder folder;
  put(folder.path() / "app.py");
  const Artifact first = packed(folder.path(), folder.path() / "state" / "artifacts");
  EXPECT_EQ(packed(folder.path(), folder.path() / "state" / "artifacts").hash, first.hash);
}

TEST(Pack, a_faulty_ignore_file_is_an_error_at_its_line) {
  TemporaryFolder folder;
  put(folder.path() / "source" / "app.py");
  put(folder.path() / "source" / ".headroomignore", "good\n[bad]\n");
  EXPECT_NE(error_of(pack(folder.path() / "source", folder.path() / "artifacts"))
                .find("source/.headroomignore:2: a pattern"),
            std::string::npos);
}

TEST(Pack, follows_links_that_stay_in_the_source) {
  TemporaryFolder folder;
  const fs::path source = folder.path() / "source";
  put(source / "shared" / "base.css", "css");
  fs::create_symlink("shared/base.css", source / "style.css");
  fs::create_directory_symlink("../shared", source / "shared" / ".." / "linked");
  fs::remove(source / "linked");
  fs::create_directory_symlink("shared", source / "linked");
  const Artifact artifact = packed(source, folder.path() / "artifacts");
  EXPECT_EQ(names_of(artifact), (Names{"linked/base.css", "shared/base.css", "style.css"}));
  // The same as copies.
  const fs::path copies = folder.path() / "copies";
  for (const char* name : {"linked/base.css", "shared/base.css", "style.css"}) put(copies / name, "css");
  EXPECT_EQ(packed(copies, folder.path() / "artifacts").hash, artifact.hash);
}

TEST(Pack, names_everything_that_cannot_be_deployed_at_once) {
  TemporaryFolder folder;
  const fs::path source = folder.path() / "source";
  put(source / "app.py");
  put(folder.path() / "outside");
  put(folder.path() / "source-neighbour" / "file");
  fs::create_symlink("/etc/passwd", source / "a-absolute");
  fs::create_symlink("../outside", source / "b-outside");
  fs::create_symlink("../source-neighbour/file", source / "c-neighbour");
  fs::create_symlink("nowhere", source / "d-dangling");
  fs::create_symlink("e-circle", source / "e-circle");
  fs::create_directory(source / "f");
  fs::create_directory_symlink("..", source / "f" / "up");
  ASSERT_EQ(::mkfifo((source / "g-pipe").c_str(), 0600), 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (source / "h-socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
  put(source / "i\nnewline");

  const auto result = pack(source, folder.path() / "artifacts");
  ASSERT_FALSE(result.has_value());
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a-absolute", "leaves the source folder, to \"/etc/passwd\""},
      {"b-outside", "leaves the source folder"},
      {"c-neighbour", "leaves the source folder"},
      {"d-dangling", "leads nowhere"},
      {"e-circle", "in a circle"},
      {"f/up", "a folder that it lies in"},
      {"g-pipe", "a socket or a pipe"},
      {"h-socket", "a socket or a pipe"},
      {"\"i\\nnewline\"", "control character"},
  };
  const auto& faults = result.error().faults;
  ASSERT_EQ(faults.size(), expected.size()) << base::to_string(result.error());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(faults[i].place.file.ends_with("source/" + expected[i].first)) << faults[i].place.file;
    EXPECT_NE(faults[i].what.find(expected[i].second), std::string::npos) << faults[i].what;
    EXPECT_FALSE(faults[i].fix.empty());
  }
  EXPECT_TRUE(folder.names("artifacts").empty());
  // What is ignored does not matter.
  put(source / ".headroomignore", "?-*\ni*\nup\n");
  EXPECT_EQ(names_of(packed(source, folder.path() / "artifacts")), (Names{"app.py"}));
}

TEST(Pack, links_that_multiply_end_at_the_limit) {
  TemporaryFolder folder;
  const fs::path source = folder.path() / "source";
  // Each of 40 folders has two links to the next: 2^40 ways to the file.
  for (int i = 0; i < 40; ++i) {
    const fs::path here = source / std::to_string(i);
    fs::create_directories(here);
    for (const char* name : {"a", "b"})
      fs::create_directory_symlink("../" + std::to_string(i + 1), here / name);
  }
  put(source / "40" / "file");
  Limits limits;
  limits.entries = 2000;
  EXPECT_NE(
      error_of(pack(source, folder.path() / "artifacts", limits)).find("more than 2000 files and folders"),
      std::string::npos);
}

TEST(Pack, too_much_is_an_error_that_says_where_most_lies) {
  TemporaryFolder folder;
  const fs::path source = folder.path() / "source";
  put(source / "app.py", "small");
  for (int i = 0; i < 5; ++i) put(source / "videos" / std::to_string(i), std::string(1000, 'v'));
  Limits bytes;
  bytes.bytes = 4096;
  const std::string large = error_of(pack(source, folder.path() / "artifacts", bytes));
  EXPECT_NE(large.find("holds more than 4KiB"), std::string::npos) << large;
  EXPECT_NE(large.find("\"videos\""), std::string::npos) << large;
  // 6 files and one folder.
  Limits entries;
  entries.entries = 6;
  EXPECT_NE(error_of(pack(source, folder.path() / "artifacts", entries)).find("6 files and folders"),
            std::string::npos);
  entries.entries = 7;
  bytes.bytes = 5005;
  EXPECT_TRUE(pack(source, folder.path() / "artifacts", entries).has_value());
  EXPECT_TRUE(pack(source, folder.path() / "artifacts", bytes).has_value());
}

TEST(Pack, everything_that_is_packed_within_the_limits_can_be_unpacked_within_them) {
  TemporaryFolder folder;
  const fs::path source = folder.path() / "source";
  std::string deep;
  for (std::size_t i = 0; i < kDeepestFolder; ++i) deep += "d/";
  put(source / (deep + "file"), "x");
  put(source / std::string(255, 'n'), "x");
  std::string longest;  // four names of 200 bytes and the rest
  for (int i = 0; i < 4; ++i) longest += std::string(200, 'l') + "/";
  put(source / (longest + std::string(kLongestName - longest.size(), 'l')), "x");
  Limits limits;
  limits.entries = 3 + static_cast<std::int64_t>(kDeepestFolder) + 4;
  limits.bytes = 3;
  const Artifact artifact = packed(source, folder.path() / "artifacts", limits);
  EXPECT_TRUE(unpack(artifact.file, folder.path() / "out", limits).has_value());
  --limits.entries;
  EXPECT_FALSE(pack(source, folder.path() / "artifacts", limits).has_value());
  EXPECT_FALSE(unpack(artifact.file, folder.path() / "again", limits).has_value());
  put(source / (deep + "d/file"), "x");
  EXPECT_NE(error_of(pack(source, folder.path() / "artifacts")).find("more than 64 folders"),
            std::string::npos);
}

TEST(Pack, warns_of_files_that_look_like_keys) {
  TemporaryFolder folder;
  const fs::path source = folder.path() / "source";
  for (const char* name : {"app.py", "tls/server.pem", "a.key", ".env", ".env.production", ".env.example",
                           "id_rsa", "keyboard.js", "environment"}) {
    put(source / name);
  }
  const Artifact artifact = packed(source, folder.path() / "artifacts");
  ASSERT_EQ(artifact.notes.size(), 5U);
  const char* names[] = {"\".env\"", "\".env.production\"", "\"a.key\"", "\"id_rsa\"", "\"tls/server.pem\""};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(artifact.notes[i].find(names[i]), 0U) << artifact.notes[i];
  EXPECT_EQ(artifact.files, 9);
}

TEST(Pack, a_source_that_is_missing_a_file_or_empty_is_an_error) {
  TemporaryFolder folder;
  EXPECT_NE(error_of(pack(folder.path() / "none", folder.path() / "artifacts")).find("it does not exist"),
            std::string::npos);
  put(folder.path() / "file");
  EXPECT_NE(error_of(pack(folder.path() / "file", folder.path() / "artifacts")).find("is no folder"),
            std::string::npos);
  fs::create_directories(folder.path() / "empty" / "inner");
  EXPECT_NE(error_of(pack(folder.path() / "empty", folder.path() / "artifacts")).find("holds no file"),
            std::string::npos);
}

TEST(Pack, several_at_once_give_the_same_file) {
  TemporaryFolder folder;
  put(folder.path() / "source" / "app.py", std::string(300'000, 'x'));
  std::vector<std::string> hashes(4);
  std::vector<std::thread> threads;
  for (std::string& hash : hashes) {
    threads.emplace_back([&] { hash = packed(folder.path() / "source", folder.path() / "artifacts").hash; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(hashes.begin(), hashes.end()).size(), 1U);
  EXPECT_EQ(folder.names("artifacts").size(), 1U);
}

TEST(Pack, what_a_killed_process_left_is_removed_by_the_next) {
  TemporaryFolder folder;
  put(folder.path() / "source" / "app.py");
  const fs::path artifacts = folder.path() / "artifacts";
  const pid_t child = ::fork();
  if (child == 0) {
    auto file = ArtifactFile::create(artifacts);
    if (file) (void)file->write("half");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  ASSERT_EQ(folder.names("artifacts").size(), 1U);
  const auto living = ArtifactFile::create(artifacts);
  ASSERT_TRUE(living.has_value());
  const Artifact artifact = packed(folder.path() / "source", artifacts);
  const Names names = folder.names("artifacts");
  ASSERT_EQ(names.size(), 2U);  // that of the living one stays
  EXPECT_EQ(names[1], artifact.hash + ".tar");
}

TEST(Pack, a_full_disk_is_an_error_and_leaves_nothing) {
  TemporaryFolder folder;
  put(folder.path() / "source" / "large", std::string(2'000'000, 'x'));
  const bool ran = store::with_small_disk(1024, [&](const fs::path& disk) {
    const auto result = pack(folder.path() / "source", disk / "artifacts");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, base::ErrorKind::unavailable);
    EXPECT_NE(base::to_string(result.error()).find("no space is left"), std::string::npos);
    EXPECT_TRUE(fs::is_empty(disk / "artifacts"));
  });
  if (!ran) GTEST_SKIP() << "needs root";
}

}  // namespace
}  // namespace headroom::versions
