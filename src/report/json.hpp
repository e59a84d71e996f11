// JsonWriter: JSON text in the order it is written, with the shortest numbers that read back exactly.
//
// The JSON library of the project reads; this writes. It exists for the bytes: fmt gives the shortest form of
// every double and float (the library's own is longer for one in a thousand), members keep the order they
// are written in, and a hundred thousand decisions pass without building a tree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::report {

enum class JsonLayout {
  one_line,  // no white space but one after ':' and ','
  indented,  // two spaces per level; arrays of plain values stay on one line
};

enum class JsonUse {
  file,
  inside_html,  // '<', '>' and '&' as \u escapes: the text may stand in a <script> element
};

// Requires: calls in the order of the grammar (a key before each value of an object); the text is complete
// when every begin has its end. Numbers that are not finite become null. Bytes that are not UTF-8 become
// U+FFFD.
class JsonWriter {
 public:
  explicit JsonWriter(JsonLayout layout = JsonLayout::indented, JsonUse use = JsonUse::file);

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& null();
  JsonWriter& boolean(bool value);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& natural(std::uint64_t value);
  JsonWriter& number(double value);
  JsonWriter& number(float value);
  JsonWriter& text(std::string_view value);

  const std::string& str() const { return out_; }

 private:
  struct Level {
    bool is_array = false;
    bool has_items = false;
    bool broken = false;  // its items stand on lines of their own
  };

  void before_item(bool is_container);
  void new_line();
  void end(char closing);
  void quoted(std::string_view value);
  void literal(std::string_view value);

  std::string out_;
  std::vector<Level> levels_;
  JsonLayout layout_;
  JsonUse use_;
  bool after_key_ = false;
};

}  // namespace headroom::report
