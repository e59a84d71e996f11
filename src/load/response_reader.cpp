#include "load/response_reader.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace headroom::load {
namespace {

constexpr unsigned kChunkDigitsMost = 15;  // 2^60 bytes
constexpr std::size_t kChunkLineMost = 4096;

// The bytes of names are ASCII, whatever the locale.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() && std::equal(text.begin(), text.end(), lower_case.begin(),
                                                        [](char a, char b) { return lower(a) == b; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Whether a list separated by commas has this item.
bool lists(std::string_view value, std::string_view item) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    if (same(trimmed(value.substr(0, comma)), item)) return true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// The empty line behind a header: where it begins and ends. A line ends in CR LF, or in LF alone, which
// RFC 9112, section 2.2, lets a reader accept.
struct EmptyLine {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::optional<EmptyLine> find_empty_line(std::string_view bytes, std::size_t from) {
  for (std::size_t at = bytes.find('\n', from); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    const std::string_view next = bytes.substr(at + 1, 2);
    if (next.starts_with('\n')) return EmptyLine{at + 1, at + 2};
    if (next == "\r\n") return EmptyLine{at + 1, at + 3};
  }
  return std::nullopt;
}

// The first of these lines, without its end; `lines` goes on behind it. Requires: each ends in LF.
std::string_view take_line(std::string_view& lines) {
  const std::size_t end = lines.find('\n');
  std::string_view line = lines.substr(0, end);
  lines.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

void ResponseReader::begin(bool to_head) {
  state_ = State::reading;
  part_ = Part::header;
  to_head_ = to_head;
  begun_ = false;
  status_ = 0;
  body_bytes_ = 0;
  header_.clear();
  location_.clear();
}

void ResponseReader::malformed(const char* why) {
  state_ = State::malformed;
  fault_ = why;
}

std::size_t ResponseReader::read(std::string_view bytes) {
  std::size_t used = 0;
  while (state_ == State::reading && used < bytes.size()) {
    begun_ = true;
    const std::string_view rest = bytes.substr(used);
    if (part_ == Part::header) {
      used += read_header(rest);
    } else if (body_ == Body::chunked) {
      used += read_chunked(rest);
    } else {
      const std::uint64_t taken =
          body_ == Body::until_close ? rest.size() : std::min<std::uint64_t>(rest.size(), left_);
      used += taken;
      body_bytes_ += taken;
      if (body_ == Body::length) {
        left_ -= taken;
        if (left_ == 0) state_ = State::complete;
      }
    }
  }
  return used;
}

void ResponseReader::end_of_stream() {
  if (state_ == State::reading && part_ == Part::body && body_ == Body::until_close) {
    state_ = State::complete;
  }
}

std::size_t ResponseReader::read_header(std::string_view bytes) {
  // A header that comes in one piece, as nearly all do, is read where it is.
  if (header_.empty()) {
    // Garbage is noticed at once, not at the end of a header that never comes.
    if (!bytes.starts_with(std::string_view("HTTP/1.").substr(0, std::min<std::size_t>(7, bytes.size())))) {
      malformed("it does not begin with HTTP/1.");
      return bytes.size();
    }
    const auto empty = find_empty_line(bytes, 0);
    if (empty && empty->end <= kHeaderMost) {
      parse_header(bytes.substr(0, empty->begin));
      return empty->end;
    }
  }
  const std::size_t before = header_.size();
  const std::size_t taken = std::min(bytes.size(), kHeaderMost - before);
  header_.append(bytes.substr(0, taken));
  // The end of a line and a CR may have come before.
  const auto empty = find_empty_line(header_, before < 2 ? 0 : before - 2);
  if (!empty) {
    if (!header_.starts_with(
            std::string_view("HTTP/1.").substr(0, std::min<std::size_t>(7, header_.size())))) {
      malformed("it does not begin with HTTP/1.");
    } else if (header_.size() == kHeaderMost) {
      malformed("its header is longer than 64 KiB");
    }
    return taken;
  }
  const std::string header = std::move(header_);
  header_.clear();
  parse_header(std::string_view(header).substr(0, empty->begin));
  return empty->end - before;
}

// `header` is lines that each have their end.
void ResponseReader::parse_header(std::string_view header) {
  const std::string_view first = take_line(header);
  // HTTP/1.1 200 OK
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!first.starts_with("HTTP/1.") || first.size() < 12 || first[8] != ' ' || !is_digit(first[7]) ||
      !is_digit(first[9]) || !is_digit(first[10]) || !is_digit(first[11]) ||
      (first.size() > 12 && first[12] != ' ')) {
    return malformed("its first line is no status line");
  }
  status_ = (first[9] - '0') * 100 + (first[10] - '0') * 10 + (first[11] - '0');
  if (status_ < 100) return malformed("its status is below 100");
  keeps_alive_ = first[7] != '0';
  has_length_ = false;
  left_ = 0;
  body_ = Body::until_close;
  while (!header.empty()) {
    const std::string_view line = take_line(header);
    if (line.front() == ' ' || line.front() == '\t') continue;  // goes on from the line before
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return malformed("a line of its header has no name");
    if (!parse_field(line.substr(0, colon), trimmed(line.substr(colon + 1)))) return;
  }
  if (status_ == 101) return malformed("it changes the protocol, which nobody asked for");
  if (status_ < 200) return;  // the response itself follows
  if (to_head_ || status_ == 204 || status_ == 304) {
    body_ = Body::none;
    state_ = State::complete;
  } else if (body_ == Body::chunked) {
    part_ = Part::chunk_size;
    digits_ = 0;
  } else if (has_length_) {
    body_ = Body::length;
    part_ = Part::body;
    if (left_ == 0) state_ = State::complete;
  } else {
    part_ = Part::body;
  }
}

bool ResponseReader::parse_field(std::string_view name, std::string_view value) {
  // By length first: most fields are none of these.
  switch (name.size()) {
    case 14:
      if (same(name, "content-length")) {
        std::uint64_t length = 0;
        const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), length);
        if (fault != std::errc{} || end != value.data() + value.size()) {
          malformed("its Content-Length is no number");
          return false;
        }
        if (has_length_ && length != left_) {
          malformed("it has two lengths");
          return false;
        }
        has_length_ = true;
        left_ = length;
      }
      break;
    case 17:
      if (same(name, "transfer-encoding")) {
        if (!same(value, "chunked")) {
          malformed("its Transfer-Encoding is not chunked");
          return false;
        }
        body_ = Body::chunked;
      }
      break;
    case 10:
      if (same(name, "connection")) {
        if (lists(value, "close")) keeps_alive_ = false;
        if (lists(value, "keep-alive")) keeps_alive_ = true;
      }
      break;
    case 8:
      if (same(name, "location")) location_ = value;
      break;
    default:
      break;
  }
  return true;
}

std::size_t ResponseReader::read_chunked(std::string_view bytes) {
  std::size_t used = 0;
  while (state_ == State::reading && used < bytes.size()) {
    if (part_ == Part::chunk_data) {
      const std::uint64_t taken = std::min<std::uint64_t>(bytes.size() - used, left_);
      used += taken;
      body_bytes_ += taken;
      left_ -= taken;
      if (left_ == 0) {
        part_ = Part::chunk_end;
        line_ = 0;
      }
      continue;
    }
    const char byte = bytes[used++];
    switch (part_) {
      case Part::chunk_size:
        read_chunk_size(byte);
        break;
      case Part::chunk_line:  // what follows the size: an extension, CR
        if (byte == '\n') {
          if (left_ > 0) {
            part_ = Part::chunk_data;
          } else {
            part_ = Part::trailer;
            line_ = trailer_ = 0;
          }
        } else if (++line_ > kChunkLineMost) {
          malformed("the line of a chunk is too long");
        }
        break;
      case Part::chunk_end:  // CR LF behind its data
        if (byte != (line_ == 0 ? '\r' : '\n')) {
          malformed("a chunk is longer than it says");
        } else if (++line_ == 2) {
          part_ = Part::chunk_size;
          digits_ = 0;
          left_ = 0;
        }
        break;
      default:
        read_trailer(byte);
    }
  }
  return used;
}

void ResponseReader::read_chunk_size(char byte) {
  const int digit = digit_of(byte);
  if (digit >= 0) {
    if (digits_ == 0) left_ = 0;
    if (++digits_ > kChunkDigitsMost) return malformed("the size of a chunk is too large");
    left_ = left_ * 16 + static_cast<unsigned>(digit);
    return;
  }
  if (digits_ == 0 || (byte != '\r' && byte != ';' && byte != ' ' && byte != '\t')) {
    return malformed("the size of a chunk is no number");
  }
  part_ = Part::chunk_line;
  line_ = 0;
}

// Fields behind the last chunk, and an empty line.
void ResponseReader::read_trailer(char byte) {
  if (++trailer_ > kHeaderMost) return malformed("its trailer is longer than 64 KiB");
  if (byte == '\n') {
    if (line_ == 0) state_ = State::complete;
    line_ = 0;
  } else if (byte != '\r') {
    ++line_;
  }
}

}  // namespace headroom::load
