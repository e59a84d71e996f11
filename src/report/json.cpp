#include "report/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace headroom::report {
namespace {

// The length of the UTF-8 sequence at the start of `text`; 0 where it is not well formed (overlong forms,
// surrogates and code points beyond U+10FFFF included). Source: RFC 3629, section 4.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2, 0x80, 0xBF) && continues(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

}  // namespace

JsonWriter::JsonWriter(JsonLayout layout, JsonUse use) : layout_(layout), use_(use) {}

void JsonWriter::new_line() {
  out_ += '\n';
  out_.append(2 * levels_.size(), ' ');
}

void JsonWriter::before_item(bool is_container) {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (levels_.empty()) return;
  Level& level = levels_.back();
  if (level.has_items) out_ += ',';
  if (layout_ == JsonLayout::indented && (!level.is_array || is_container)) {
    level.broken = true;
    new_line();
  } else if (level.has_items) {
    out_ += ' ';
  }
  level.has_items = true;
}

void JsonWriter::end(char closing) {
  const bool broken = levels_.back().broken;
  levels_.pop_back();
  if (broken) new_line();
  out_ += closing;
}

JsonWriter& JsonWriter::begin_object() {
  before_item(true);
  out_ += '{';
  levels_.push_back({});
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  end('}');
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  before_item(true);
  out_ += '[';
  levels_.push_back({.is_array = true});
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  end(']');
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  before_item(false);
  quoted(name);
  out_ += ": ";
  after_key_ = true;
  return *this;
}

void JsonWriter::literal(std::string_view value) {
  before_item(false);
  out_ += value;
}

JsonWriter& JsonWriter::null() {
  literal("null");
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  literal(value ? "true" : "false");
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  before_item(false);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::natural(std::uint64_t value) {
  before_item(false);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  before_item(false);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::number(float value) {
  if (!std::isfinite(value)) return null();
  before_item(false);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  before_item(false);
  quoted(value);
  return *this;
}

void JsonWriter::quoted(std::string_view value) {
  out_ += '"';
  for (std::size_t i = 0; i < value.size();) {
    const char c = value[i];
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (c == '\n') {
      out_ += "\\n";
    } else if (c == '\t') {
      out_ += "\\t";
    } else if (code < 0x20 || code == 0x7F ||
               (use_ == JsonUse::inside_html && (c == '<' || c == '>' || c == '&'))) {
      fmt::format_to(std::back_inserter(out_), "\\u{:04x}", static_cast<unsigned>(code));
    } else if (code < 0x80) {
      out_ += c;
    } else {
      const std::size_t length = utf8_length(value.substr(i));
      if (length == 0) {
        out_ += "\xEF\xBF\xBD";  // U+FFFD in UTF-8
      } else {
        out_ += value.substr(i, length);
        i += length;
        continue;
      }
    }
    ++i;
  }
  out_ += '"';
}

}  // namespace headroom::report
