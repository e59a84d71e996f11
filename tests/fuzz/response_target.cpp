// Any bytes as the answer of a server: read at once, and in pieces.
//
// The first byte says how long the pieces are and whether the request was a HEAD; the rest is what the server
// sends before it closes the connection.
#include <cstdint>
#include <string_view>

#include "fuzz/promises.hpp"
#include "load/response_reader.hpp"

namespace headroom::fuzz {
namespace {

using load::ResponseReader;

struct Reading {
  ResponseReader reader;
  std::size_t used = 0;
};

Reading read(std::string_view bytes, std::size_t piece, bool to_head) {
  Reading reading;
  reading.reader.begin(to_head);
  while (reading.used < bytes.size() && reading.reader.state() == ResponseReader::State::reading) {
    const std::string_view given = bytes.substr(reading.used, piece);
    const std::size_t used = reading.reader.read(given);
    if (used > given.size()) broken("no more is used than was given", bytes);
    if (used < given.size() && reading.reader.state() == ResponseReader::State::reading) {
      broken("all is used until the response ends", bytes);
    }
    reading.used += used;
  }
  return reading;
}

void reads_the_same_in_pieces(std::string_view bytes, std::size_t piece, bool to_head) {
  Reading whole = read(bytes, bytes.size() + 1, to_head);
  Reading pieces = read(bytes, piece, to_head);
  if (whole.reader.state() != pieces.reader.state()) broken("pieces give the same state", bytes);
  if (whole.reader.state() == ResponseReader::State::complete) {
    if (whole.used != pieces.used) broken("a response ends where it ends", bytes);
    if (whole.reader.status() < 200 || whole.reader.status() > 999)
      broken("a status has three digits", bytes);
    if (whole.reader.body_bytes() > bytes.size()) broken("no more is counted than came", bytes);
    if (whole.reader.location().size() > bytes.size()) broken("a location is part of what came", bytes);
  }
  whole.reader.end_of_stream();
  pieces.reader.end_of_stream();
  if (whole.reader.state() != pieces.reader.state())
    broken("the end of the stream is the same to both", bytes);
}

}  // namespace
}  // namespace headroom::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  headroom::fuzz::reads_the_same_in_pieces(bytes, data[0] / 2 + 1U, data[0] % 2 == 1);
  return 0;
}
