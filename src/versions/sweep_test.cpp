#include "versions/sweep.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "store/temporary_folder.hpp"
#include "versions/image.hpp"
#include "versions/image_folder.hpp"
#include "versions/tree.hpp"

namespace headroom::versions {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class Sweep : public testing::Test {
 protected:
  void TearDown() override { (void)remove_tree(images()); }

  // A version whose artifact and image were wanted last in that second.
  Image version(int second) {
    const fs::path source = folder_.path() / "source";
    fs::create_directories(source);
    std::ofstream(source / "app.py") << second;
    const Artifact artifact = pack(source, artifacts()).value();
    const Image image = prepare(artifact, "true", images(), run_plainly, nullptr).value();
    date(artifact.file, second);
    date(images() / image.key / "complete", second);
    hashes_.push_back(artifact.hash);
    return image;
  }
  static void date(const fs::path& file, int second) {
    const timespec times[] = {{second, 0}, {second, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  }
  Swept swept(const Kept& kept) { return sweep(images(), artifacts(), kept).value(); }
  Names image_names() const {
    Names names = folder_.names("images");
    std::erase_if(names, [](const std::string& name) { return name.front() == '.'; });
    return names;
  }
  fs::path images() const { return folder_.path() / "images"; }
  fs::path artifacts() const { return folder_.path() / "artifacts"; }

  store::TemporaryFolder folder_;
  Names hashes_;
};

TEST_F(Sweep, removes_the_older_ones_and_never_one_in_use) {
  Names keys;
  for (int second = 1; second <= 5; ++second) keys.push_back(version(second).key);
  Kept kept;
  kept.images = {keys[0]};
  kept.newest = 2;
  const Swept removed = swept(kept);
  // Of 1 to 5: 1 is in use, 4 and 5 are the newest.
  EXPECT_EQ(std::set<std::string>(removed.images.begin(), removed.images.end()),
            (std::set<std::string>{keys[1], keys[2]}));
  EXPECT_EQ(std::set<std::string>(removed.artifacts.begin(), removed.artifacts.end()),
            (std::set<std::string>{hashes_[1], hashes_[2]}));
  EXPECT_EQ(image_names().size(), 3U);
  EXPECT_TRUE(fs::exists(images() / keys[0] / "app" / "app.py"));
  EXPECT_EQ(folder_.names("artifacts").size(), 3U);
  // Nothing is left of the locks of those removed; a second time there is nothing to do.
  EXPECT_EQ(folder_.names("images").size(), 6U);
  EXPECT_TRUE(swept(kept).images.empty());
}

TEST_F(Sweep, what_was_prepared_again_is_new) {
  const Image old = version(1);
  const Image newer = version(2);
  const Artifact artifact = find_artifact(artifacts(), hashes_[0]).value();
  ASSERT_EQ(prepare(artifact, "true", images(), run_plainly, nullptr)->key, old.key);
  Kept kept;
  kept.newest = 1;
  EXPECT_EQ(swept(kept).images, Names{newer.key});
}

TEST_F(Sweep, keeps_an_artifact_that_is_named_although_its_image_goes) {
  (void)version(1);
  (void)version(2);
  Kept kept;
  kept.newest = 0;
  kept.artifacts = {hashes_[0]};
  const Swept removed = swept(kept);
  EXPECT_EQ(removed.images.size(), 2U);
  EXPECT_EQ(removed.artifacts, Names{hashes_[1]});
}

TEST_F(Sweep, removes_what_a_killed_builder_left_but_not_what_a_living_one_builds) {
  const fs::path source = folder_.path() / "source";
  fs::create_directories(source);
  std::ofstream(source / "app.py") << "x";
  const Artifact artifact = pack(source, artifacts()).value();
  Kept kept;
  kept.artifacts = {artifact.hash};
  const pid_t child = ::fork();
  if (child == 0) {
    (void)prepare(
        artifact, "killed", images(),
        [](const auto&, const auto&, const auto&, auto) -> base::Result<int> {
          ::kill(::getpid(), SIGKILL);
          return 0;
        },
        nullptr);
  }
  ::waitpid(child, nullptr, 0);
  const std::string killed = image_key(artifact.hash, "killed");
  ASSERT_TRUE(fs::exists(images() / killed / "app"));

  Swept removed;
  const auto image = prepare(
      artifact, "living", images(),
      [&](const auto&, const auto&, const auto&, auto) -> base::Result<int> {
        removed = swept(kept);
        return 0;
      },
      nullptr);
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(removed.images, Names{killed});
  EXPECT_TRUE(fs::exists(image->folder / "app.py"));
}

TEST_F(Sweep, leaves_alone_what_is_not_headrooms) {
  fs::create_directories(images() / "mine");
  fs::create_directories(artifacts());
  std::ofstream(artifacts() / "notes.txt") << "x";
  Kept kept;
  kept.newest = 0;
  (void)swept(kept);
  EXPECT_EQ(folder_.names("images"), Names{"mine"});
  EXPECT_EQ(folder_.names("artifacts"), Names{"notes.txt"});
  EXPECT_TRUE(sweep(folder_.path() / "none", folder_.path() / "none", kept)->images.empty());
}

}  // namespace
}  // namespace headroom::versions
