#include "load/response_reader.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

namespace headroom::load {
namespace {

using State = ResponseReader::State;

// Read in pieces of this size, as a connection may deliver it; the bytes that were used.
std::size_t read_in_pieces(ResponseReader& reader, std::string_view bytes, std::size_t piece) {
  std::size_t used = 0;
  while (used < bytes.size() && reader.state() == State::reading) {
    const std::size_t taken = reader.read(bytes.substr(used, piece));
    used += taken;
    if (taken == 0) break;
  }
  return used;
}

State state_of(std::string_view bytes, bool to_head = false) {
  ResponseReader reader;
  reader.begin(to_head);
  read_in_pieces(reader, bytes, bytes.size());
  return reader.state();
}

TEST(ResponseReader, TakesBodiesOfALength) {
  const std::string response = "HTTP/1.1 200 OK\r\ncontent-LENGTH:  5 \r\nServer: x\r\n\r\nhello";
  for (std::size_t piece = 1; piece <= response.size(); ++piece) {
    ResponseReader reader;
    reader.begin(false);
    EXPECT_EQ(read_in_pieces(reader, response + "HTTP", piece), response.size()) << "pieces of " << piece;
    EXPECT_EQ(reader.state(), State::complete) << "pieces of " << piece;
    EXPECT_EQ(reader.status(), 200);
    EXPECT_EQ(reader.body_bytes(), 5U);
    EXPECT_TRUE(reader.keeps_alive());
  }
}

TEST(ResponseReader, TakesBodiesInChunks) {
  const std::string response =
      "HTTP/1.1 404 No\r\nTransfer-Encoding: "
      "Chunked\r\n\r\n5;note=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t piece = 1; piece <= response.size(); ++piece) {
    ResponseReader reader;
    reader.begin(false);
    EXPECT_EQ(read_in_pieces(reader, response + "x", piece), response.size()) << "pieces of " << piece;
    EXPECT_EQ(reader.state(), State::complete) << "pieces of " << piece;
    EXPECT_EQ(reader.status(), 404);
    EXPECT_EQ(reader.body_bytes(), 15U);
  }
}

// RFC 9112, section 2.2: a reader may take LF alone as the end of a line. What looks like the end of a header
// in the body is none.
TEST(ResponseReader, TakesHeaderLinesThatEndInLfAlone) {
  for (const std::string response : {"HTTP/1.1 200 OK\nContent-Length: 9\n\nab\r\n\r\ncde",
                                     "HTTP/1.1 200 OK\r\nContent-Length: 9\n\r\nab\r\n\r\ncde",
                                     "HTTP/1.1 200 OK\nContent-Length: 9\r\n\nab\r\n\r\ncde"}) {
    for (std::size_t piece = 1; piece <= response.size(); ++piece) {
      ResponseReader reader;
      reader.begin(false);
      EXPECT_EQ(read_in_pieces(reader, response + "x", piece), response.size()) << "pieces of " << piece;
      EXPECT_EQ(reader.state(), State::complete) << "pieces of " << piece;
      EXPECT_EQ(reader.body_bytes(), 9U);
    }
  }
}

TEST(ResponseReader, TakesABodyWithoutLengthUntilTheServerCloses) {
  ResponseReader reader;
  reader.begin(false);
  reader.read("HTTP/1.0 200 OK\r\n\r\nsome");
  EXPECT_EQ(reader.state(), State::reading);
  EXPECT_FALSE(reader.keeps_alive());
  reader.end_of_stream();
  EXPECT_EQ(reader.state(), State::complete);
}

TEST(ResponseReader, LeavesACutOffAnswerIncomplete) {
  for (const std::string_view bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 200 OK\r\nConte",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"}) {
    ResponseReader reader;
    reader.begin(false);
    reader.read(bytes);
    reader.end_of_stream();
    EXPECT_EQ(reader.state(), State::reading) << bytes;
  }
}

TEST(ResponseReader, ExpectsNoBodyWhereThereIsNone) {
  EXPECT_EQ(state_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true), State::complete);
  EXPECT_EQ(state_of("HTTP/1.1 204 No Content\r\n\r\n"), State::complete);
  EXPECT_EQ(state_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), State::complete);
  EXPECT_EQ(state_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), State::complete);
}

TEST(ResponseReader, PassesOverProvisionalAnswers) {
  ResponseReader reader;
  reader.begin(false);
  reader.read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(reader.state(), State::complete);
  EXPECT_EQ(reader.status(), 201);
}

TEST(ResponseReader, TellsWhetherTheConnectionLives) {
  const auto keeps = [](std::string_view first, std::string_view field) {
    ResponseReader reader;
    reader.begin(false);
    reader.read(std::string(first) + "\r\n" + std::string(field) + "Content-Length: 0\r\n\r\n");
    return reader.keeps_alive();
  };
  EXPECT_TRUE(keeps("HTTP/1.1 200 OK", ""));
  EXPECT_FALSE(keeps("HTTP/1.1 200 OK", "Connection: x, Close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0 200 OK", ""));
  EXPECT_TRUE(keeps("HTTP/1.0 200 OK", "Connection: keep-alive\r\n"));
}

TEST(ResponseReader, RefusesWhatIsNoHttp) {
  for (const std::string_view bytes :
       {"SSH-2.0-OpenSSH\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 099 No\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1111111111111111\r\n",
        "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"}) {
    EXPECT_EQ(state_of(bytes), State::malformed) << bytes;
  }
}

TEST(ResponseReader, KeepsNoEndlessHeader) {
  ResponseReader reader;
  reader.begin(false);
  reader.read("HTTP/1.1 200 OK\r\nX: ");
  const std::string more(1000, 'x');
  for (int i = 0; i < 100 && reader.state() == State::reading; ++i) reader.read(more);
  EXPECT_EQ(reader.state(), State::malformed);
}

TEST(ResponseReader, GivesTheSameWhateverThePieces) {
  rc::check("pieces", [] {
    const std::vector<std::string> parts{"HTTP/1.1 ",
                                         "200 OK\r\n",
                                         "Content-Length: 3",
                                         "Connection: close",
                                         "\r\n",
                                         "\r\n\r\n",
                                         "Transfer-Encoding: chunked\r\n",
                                         "3\r\n",
                                         "abc",
                                         "0\r\n",
                                         ";x",
                                         "\n",
                                         "7"};
    std::string bytes = "HTTP/1.1 200 OK\r\n";
    const auto chosen =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, parts.size()));
    for (const std::size_t part : chosen) bytes += parts[part];
    ResponseReader whole;
    whole.begin(false);
    const std::size_t used = read_in_pieces(whole, bytes, bytes.size());
    ResponseReader pieces;
    pieces.begin(false);
    const std::size_t used_in_pieces = read_in_pieces(pieces, bytes, *rc::gen::inRange<std::size_t>(1, 9));
    RC_ASSERT(whole.state() == pieces.state());
    if (whole.state() == State::complete) {
      RC_ASSERT(used == used_in_pieces);
      RC_ASSERT(whole.body_bytes() == pieces.body_bytes());
    }
  });
}

}  // namespace
}  // namespace headroom::load
