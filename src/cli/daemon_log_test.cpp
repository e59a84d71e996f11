#include "cli/daemon_log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "store/descriptor.hpp"
#include "store/file.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::cli {
namespace {

class DaemonLogFile : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "daemon.log"; }
  std::filesystem::path before() const { return folder_.path() / "daemon.log.1"; }
  store::Descriptor opened() const {
    return store::Descriptor(::open(file().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  }
  static void print(const store::Descriptor& output, const std::string& text) {
    ASSERT_EQ(::write(output.number(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()),
                                                  std::filesystem::directory_iterator()));
  }

  store::TemporaryFolder folder_;
};

TEST_F(DaemonLogFile, StaysWhereItIsUntilItIsLarge) {
  const store::Descriptor output = opened();
  print(output, "12345");
  move_away(file(), {output.number()}, 6);
  EXPECT_FALSE(std::filesystem::exists(before()));
  print(output, "6");
  move_away(file(), {output.number()}, 6);
  EXPECT_EQ(store::read_file(before()).value(), "123456");
}

TEST_F(DaemonLogFile, AllOutputsGoOnInTheNewFile) {
  const store::Descriptor one = opened();
  const store::Descriptor other = opened();
  print(one, "old\n");
  move_away(file(), {one.number(), other.number()}, 4);
  print(one, "new ");
  print(other, "lines\n");
  EXPECT_EQ(store::read_file(file()).value(), "new lines\n");
  EXPECT_EQ(store::read_file(before()).value(), "old\n");
}

TEST_F(DaemonLogFile, TwoFilesAreKept) {
  const store::Descriptor output = opened();
  for (const std::string text : {"one", "two", "six"}) {
    print(output, text);
    move_away(file(), {output.number()}, 3);
  }
  EXPECT_EQ(store::read_file(before()).value(), "six");
  EXPECT_EQ(store::read_file(file()).value(), "");
  EXPECT_EQ(files(), 2U);
}

// The user's own: `headroom daemon 2>elsewhere`.
TEST_F(DaemonLogFile, AFileThatIsNotWrittenToStays) {
  const store::Descriptor log = opened();
  print(log, "of an earlier daemon");
  const store::Descriptor elsewhere(
      ::open((folder_.path() / "elsewhere").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  move_away(file(), {elsewhere.number()}, 1);
  EXPECT_FALSE(std::filesystem::exists(before()));
  EXPECT_EQ(store::read_file(file()).value(), "of an earlier daemon");
}

}  // namespace
}  // namespace headroom::cli
