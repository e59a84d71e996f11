// ResponseReader: one HTTP/1.1 response after the other, from the bytes of a connection as they come.
//
//   reader.begin(false);
//   const std::size_t used = reader.read(bytes);       // as often as bytes come
//   if (reader.state() == ResponseReader::State::complete) { ... reader.status() ... }
//
// The body is counted, not kept. Nothing in a response can make the reader keep more than a header of
// kHeaderMost bytes. Source: RFC 9112, sections 4 to 7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace headroom::load {

class ResponseReader {
 public:
  static constexpr std::size_t kHeaderMost = 65'536;

  enum class State {
    reading,
    complete,
    malformed,  // no HTTP/1.1: fault() says why, and the connection cannot be used further
  };

  // A new response; `to_head`: of a HEAD request, which has no body whatever its header says.
  void begin(bool to_head);

  // Takes bytes up to the end of the response and returns how many: fewer than given only where something
  // follows the response. Requires: state() is reading.
  std::size_t read(std::string_view bytes);
  // The server closed its side. A body that lasts until then is complete; anything else stays `reading`: it
  // was cut off.
  void end_of_stream();

  State state() const { return state_; }
  // Whether a byte of this response has come.
  bool begun() const { return begun_; }
  const char* fault() const { return fault_; }

  // Of a response whose header has come.
  int status() const { return status_; }
  bool keeps_alive() const { return keeps_alive_ && body_ != Body::until_close; }
  const std::string& location() const { return location_; }  // empty: none
  std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  enum class Body { none, length, chunked, until_close };
  enum class Part { header, body, chunk_size, chunk_line, chunk_data, chunk_end, trailer };

  std::size_t read_header(std::string_view bytes);
  void parse_header(std::string_view header);
  bool parse_field(std::string_view name, std::string_view value);
  std::size_t read_chunked(std::string_view bytes);
  void read_chunk_size(char byte);
  void read_trailer(char byte);
  void malformed(const char* why);

  State state_ = State::reading;
  Part part_ = Part::header;
  Body body_ = Body::none;
  bool to_head_ = false;
  bool begun_ = false;
  bool keeps_alive_ = true;
  bool has_length_ = false;
  int status_ = 0;
  std::uint64_t left_ = 0;  // of the body or of the chunk
  std::uint64_t body_bytes_ = 0;
  unsigned digits_ = 0;      // of the chunk's size
  std::size_t line_ = 0;     // bytes in the line of a chunk or trailer
  std::size_t trailer_ = 0;  // bytes of the trailer
  const char* fault_ = "";
  std::string header_;  // the beginning of one that came in pieces
  std::string location_;
};

}  // namespace headroom::load
