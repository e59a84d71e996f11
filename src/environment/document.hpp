// Document: a YAML text as a tree of values that know their places; the only file that sees the YAML library.
//
// Stricter than YAML: one document, keys are plain words, no key twice, no anchors, aliases or tags, at
// most kDocumentBytes long and kDocumentDepth deep. What a value means is decided elsewhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::environment {

// A file that people write by hand stays far below both.
inline constexpr std::size_t kDocumentBytes = std::size_t{1} << 20;
inline constexpr int kDocumentDepth = 32;

struct Position {
  int line = 0;    // from 1
  int column = 0;  // from 1, in bytes
  std::size_t offset = 0;
  bool operator==(const Position&) const = default;
};

struct Member;

struct Node {
  enum class Kind { empty, scalar, list, map };
  Kind kind = Kind::empty;
  Position position;
  std::string text;             // of a scalar
  bool in_flow_style = false;   // of a list or map: [..] or {..}
  bool in_quotes = false;       // of a scalar; also true of block scalars
  std::vector<Node> items;      // of a list
  std::vector<Member> members;  // of a map, in file order

  const Node* find(std::string_view key) const;
  // The same values in the same order, wherever they stand.
  bool operator==(const Node& other) const;
};

struct Member {
  std::string key;
  Position position;  // of the key
  Node value;
  bool operator==(const Member& other) const { return key == other.key && value == other.value; }
};

// Errors: the first syntax error, or all duplicate keys, anchors, aliases and tags.
base::Result<Node> parse_document(std::string_view text, const std::string& file);

// `base` with the members of `over` laid over it: maps are merged, everything else is replaced, and an
// empty value takes the key away. The places of `over` are kept.
Node merged(Node base, const Node& over);

// The node at a path such as "services.web.scale.policies[0].step"; null where there is none.
const Node* node_at(const Node& root, std::string_view path);

// "a list", "a map", "nothing", or the text in quotes: what a message says was found.
std::string described(const Node& node);

}  // namespace headroom::environment
