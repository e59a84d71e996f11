#include "environment/document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>

#include "base/units.hpp"

namespace headroom::environment {
namespace {

// A stream over text that stays where it is.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    // The buffer is only read; the interface predates const.
    char* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

struct TooDeep {
  Position position;
};

Position position_of(const YAML::Mark& mark, std::size_t skipped) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1, static_cast<std::size_t>(mark.pos) + skipped};
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string file, std::size_t skipped) : file_(std::move(file)), skipped_(skipped) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    Node node;
    node.position = position_of(mark, skipped_);
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fault(mark, "an alias (*) is not understood here", "write the value itself in each place");
    OnNull(mark, YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(mark, tag);
    Node node;
    node.kind = Node::Kind::scalar;
    node.position = position_of(mark, skipped_);
    node.text = value;
    node.in_quotes = tag == "!";
    // As in YAML's core schema, a plain ~ or null is no value.
    if (!node.in_quotes && (value == "~" || value == "null")) node.kind = Node::Kind::empty;
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value style) override {
    open(Node::Kind::list, mark, tag, style);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value style) override {
    open(Node::Kind::map, mark, tag, style);
  }
  void OnMapEnd() override { close(); }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    fault(mark, fmt::format("an anchor (&{}) is not understood here", name),
          "write the value itself in each place");
  }

  void fault(const YAML::Mark& mark, std::string what, std::string fix) {
    const Position position = position_of(mark, skipped_);
    faults.push_back({{file_, position.line, position.column}, std::move(what), std::move(fix)});
  }

  // The innermost { or [ that is still open.
  std::optional<Position> innermost_bracket() const {
    for (auto entry = stack_.rbegin(); entry != stack_.rend(); ++entry) {
      if (entry->node.in_flow_style) return entry->node.position;
    }
    return std::nullopt;
  }

  Node root;
  std::vector<base::Fault> faults;

 private:
  // A list or map that is being read.
  struct Open {
    Node node;
    std::map<std::string, int, std::less<>> lines;  // of the keys seen, for duplicates
    std::optional<Member> key;                      // a key that waits for its value
    bool key_ignored = false;                       // that key was a list or map
  };

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    fault(mark, fmt::format("a tag ({}) is not understood here", tag), "remove it");
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::EmitterStyle::value style) {
    check_tag(mark, tag);
    const Position position = position_of(mark, skipped_);
    if (stack_.size() >= static_cast<std::size_t>(kDocumentDepth)) throw TooDeep{position};
    Open entry;
    entry.node.kind = kind;
    entry.node.position = position;
    entry.node.in_flow_style = style == YAML::EmitterStyle::Flow;
    stack_.push_back(std::move(entry));
  }

  void close() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (stack_.empty()) {
      root = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    if (!parent.key && !parent.key_ignored) {
      if (node.kind != Node::Kind::scalar) {
        faults.push_back({{file_, node.position.line, node.position.column},
                          fmt::format("expected a key, found {}", described(node)),
                          {}});
        parent.key_ignored = true;
        return;
      }
      const auto [seen, is_new] = parent.lines.emplace(node.text, node.position.line);
      if (!is_new) {
        faults.push_back({{file_, node.position.line, node.position.column},
                          fmt::format("the key {} stands here a second time; the first is in line {}",
                                      base::in_quotes(node.text), seen->second),
                          "remove one of them"});
        parent.key_ignored = true;
        return;
      }
      parent.key = Member{std::move(node.text), node.position, {}};
      return;
    }
    if (parent.key) {
      parent.key->value = std::move(node);
      // The library places an empty value where the next token is; its key is the better place.
      if (parent.key->value.kind == Node::Kind::empty) parent.key->value.position = parent.key->position;
      parent.node.members.push_back(std::move(*parent.key));
    }
    parent.key.reset();
    parent.key_ignored = false;
  }

  std::string file_;
  std::size_t skipped_;
  std::vector<Open> stack_;
};

// The first byte that no text has: a control character or what is not UTF-8.
std::optional<base::Fault> first_bad_byte(std::string_view text, const std::string& file) {
  int line = 1;
  std::size_t line_start = 0;
  const auto byte_at = [&](std::size_t i) {
    return static_cast<unsigned char>(i < text.size() ? text[i] : 0);
  };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char byte = byte_at(i);
    if (byte == '\n') {
      ++line;
      line_start = i + 1;
    }
    std::size_t length = 1;
    bool good = byte >= 0x20 ? byte != 0x7F : byte == '\t' || byte == '\n' || byte == '\r';
    if (byte >= 0x80) {
      length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
      good = byte >= 0xC2 && byte <= 0xF4;
      for (std::size_t k = 1; good && k < length; ++k) good = (byte_at(i + k) & 0xC0u) == 0x80u;
      // Overlong forms and surrogates are left to the library; it replaces what it cannot read.
    }
    if (!good) {
      return base::Fault{{file, line, static_cast<int>(i - line_start) + 1},
                         fmt::format("the byte 0x{:02X} does not belong into a text file (UTF-8)", byte),
                         "is this the right file?"};
    }
    i += length;
  }
  return std::nullopt;
}

// A tab among the blanks at the start of a line, where one stands there.
std::optional<int> tab_column(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\t') return static_cast<int>(i) + 1;
    if (text[i] != ' ') break;
  }
  return std::nullopt;
}

// `open_bracket`: the innermost { or [ that was being read.
base::Error syntax_error(const YAML::Exception& exception, const std::string& file, std::string_view text,
                         const std::optional<Position>& open_bracket) {
  const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  base::Place place{file, 1, 1};
  if (!exception.mark.is_null()) {
    // The library's place of what is missing at the end may lie behind the last line.
    place.line = std::clamp(exception.mark.line + 1, 1, lines);
    place.column = std::max(exception.mark.column + 1, 1);
  }
  const std::string& message = exception.msg;
  const auto is = [&](const char* known) { return message == known; };
  if (const auto tab = tab_column(text, place.line)) {
    place.column = *tab;
    return base::bad_input(std::move(place), "not valid YAML: a tab in the indentation",
                           "indent with blanks");
  }
  if ((is(YAML::ErrorMsg::END_OF_MAP_FLOW) || is(YAML::ErrorMsg::END_OF_SEQ_FLOW)) && open_bracket) {
    return base::bad_input(
        {file, open_bracket->line, open_bracket->column},
        fmt::format("not valid YAML: this {} is not closed", is(YAML::ErrorMsg::END_OF_MAP_FLOW) ? "{" : "["),
        "close it, put a comma between its items, or complete the file if it is cut off");
  }
  std::string fix;
  if (is(YAML::ErrorMsg::UNKNOWN_TOKEN)) {
    fix = "write text that starts with a special character in quotes";
  } else if (is(YAML::ErrorMsg::EOF_IN_SCALAR)) {
    fix = "a quote is not closed, or the file is cut off";
  } else if (is(YAML::ErrorMsg::END_OF_MAP) || is(YAML::ErrorMsg::END_OF_SEQ) ||
             is(YAML::ErrorMsg::MAP_VALUE)) {
    fix = "check the indentation of this line and of the one before, and that each key ends in a colon";
  }
  return base::bad_input(std::move(place), "not valid YAML: " + message, std::move(fix));
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

bool Node::operator==(const Node& other) const {
  return kind == other.kind && text == other.text && items == other.items && members == other.members;
}

base::Result<Node> parse_document(std::string_view text, const std::string& file) {
  if (text.size() > kDocumentBytes) {
    return base::bad_input(
        {file, 1, 1},
        fmt::format("the file has {} bytes, more than the {} that are read", text.size(), kDocumentBytes),
        "is this the right file?");
  }
  if (auto bad = first_bad_byte(text, file))
    return base::Error{base::ErrorKind::bad_input, {std::move(*bad)}};
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const std::size_t skipped = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  TextBuffer buffer(text.substr(skipped));
  std::istream stream(&buffer);
  TreeBuilder builder(file, skipped);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    TreeBuilder further(file, skipped);
    if (parser.HandleNextDocument(further)) {
      const Position position = further.root.position;
      return base::bad_input({file, position.line, position.column}, "a second YAML document starts here",
                             "keep one; variants of an environment go under environments:");
    }
  } catch (const YAML::Exception& exception) {
    return syntax_error(exception, file, text, builder.innermost_bracket());
  } catch (const TooDeep& too_deep) {
    return base::bad_input({file, too_deep.position.line, too_deep.position.column},
                           fmt::format("lists and maps are nested more than {} deep", kDocumentDepth), {});
  }
  if (!builder.faults.empty()) return base::Error{base::ErrorKind::bad_input, std::move(builder.faults)};
  return std::move(builder.root);
}

Node merged(Node base, const Node& over) {
  if (base.kind != Node::Kind::map || over.kind != Node::Kind::map) return over;
  for (const Member& member : over.members) {
    const auto same = std::find_if(base.members.begin(), base.members.end(),
                                   [&](const Member& candidate) { return candidate.key == member.key; });
    if (member.value.kind == Node::Kind::empty) {
      if (same != base.members.end()) base.members.erase(same);
    } else if (same == base.members.end()) {
      base.members.push_back(member);
    } else {
      same->position = member.position;
      same->value = merged(std::move(same->value), member.value);
    }
  }
  return base;
}

const Node* node_at(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (!path.empty() && node != nullptr) {
    if (path.front() == '[') {
      const std::size_t end = path.find(']');
      if (end == std::string_view::npos) return nullptr;
      const auto index = base::parse_unsigned(path.substr(1, end - 1));
      if (!index || *index >= node->items.size()) return nullptr;
      node = &node->items[*index];
      path.remove_prefix(end + 1);
    } else {
      const std::size_t end = std::min(path.find_first_of(".["), path.size());
      node = node->find(path.substr(0, end));
      path.remove_prefix(end);
    }
    if (path.starts_with('.')) path.remove_prefix(1);
  }
  return node;
}

std::string described(const Node& node) {
  switch (node.kind) {
    case Node::Kind::empty:
      return "nothing";
    case Node::Kind::scalar:
      return base::in_quotes(node.text);
    case Node::Kind::list:
      return node.items.empty() ? "an empty list" : "a list";
    case Node::Kind::map:
      return "a map";
  }
  return {};
}

}  // namespace headroom::environment
