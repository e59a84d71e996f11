#include "daemon/log_reader.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "store/temporary_folder.hpp"

namespace headroom::daemon {
namespace {

class LogReader : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name) const { return folder_.path() / name; }
  void print(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary | std::ios::app) << text;
  }
  LogPiece read(const std::vector<LogPiece>& from, std::int64_t tail_bytes) const {
    return read_logs({{"web-1", file("log")}}, from, tail_bytes).at(0);
  }

  store::TemporaryFolder folder_;
};

TEST_F(LogReader, begins_with_the_end_of_each_log) {
  print("log", "one\ntwo\n");
  print("other", "x\n");
  const auto pieces = read_logs({{"web-1", file("log")}, {"web-2", file("other")}}, {}, 4);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].text, "two\n");
  EXPECT_EQ(pieces[0].next, 8);
  EXPECT_EQ(pieces[1].instance, "web-2");
  EXPECT_EQ(pieces[1].text, "x\n");
}

TEST_F(LogReader, goes_on_where_the_piece_before_ended) {
  print("log", "one\n");
  const LogPiece first = read({}, 100);
  EXPECT_EQ(read({first}, 100).text, "");
  print("log", "two\n");
  EXPECT_EQ(read({first}, 100).text, "two\n");
}

TEST_F(LogReader, begins_anew_in_a_log_that_was_moved_away) {
  print("log", "a long line\n");
  const LogPiece first = read({}, 100);
  std::filesystem::rename(file("log"), file("log.1"));
  print("log", "new\n");
  EXPECT_EQ(read({first}, 0).text, "new\n");
}

TEST_F(LogReader, takes_a_log_that_is_not_there_for_an_empty_one) {
  const LogPiece piece = read({}, 100);
  EXPECT_EQ(piece.text, "");
  EXPECT_EQ(piece.next, 0);
}

// A mebibyte, and the rest with the next one.
TEST_F(LogReader, gives_a_long_log_in_pieces) {
  const std::int64_t size = (1 << 20) + 5;
  print("log", std::string(static_cast<std::size_t>(size), 'x'));
  const LogPiece first = read({}, 2 * size);
  EXPECT_EQ(first.text.size(), std::size_t{1} << 20);
  EXPECT_EQ(read({first}, 0).text, "xxxxx");
}

}  // namespace
}  // namespace headroom::daemon
