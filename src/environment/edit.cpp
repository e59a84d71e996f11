#include "environment/edit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/units.hpp"
#include "environment/document.hpp"

namespace headroom::environment {
namespace {

base::Error refused(const std::string& file, const Position& position, const std::string& path,
                    std::string_view why) {
  return base::bad_input({file, position.line, position.column},
                         fmt::format("{} cannot be changed in place: {}", path, why), "change it by hand");
}

// value * factor with the digits people write, where that reads back to the value.
template <class Read>
std::optional<std::string> scaled(double value, double factor, std::string_view suffix, Read read) {
  const std::string text = fmt::format("{:.12g}{}", value * factor, suffix);
  const auto back = read(text);
  if (!back || *back != value) return std::nullopt;
  return text;
}

base::Milliseconds span_of_minutes(double value) {
  return base::Milliseconds(static_cast<std::int64_t>(std::nearbyint(value * 60'000)));
}

// Whether the text is the value already.
bool says(std::string_view text, double value, FieldUnit unit) {
  switch (unit) {
    case FieldUnit::count:
      return base::parse_integer(text) == static_cast<std::int64_t>(std::nearbyint(value));
    case FieldUnit::percent: {
      const auto percent = base::parse_percent(text);
      return percent && percent->value() == value;
    }
    case FieldUnit::rps: {
      const auto rate = base::parse_rate(text);
      return rate && rate->value() == value;
    }
    case FieldUnit::minutes: {
      const auto span = base::parse_duration(text);
      return span && *span == span_of_minutes(value);
    }
    case FieldUnit::ratio: {
      const auto share = base::parse_ratio(text);
      return share && *share == value;
    }
    case FieldUnit::percent_per_rps:
      return base::parse_number(text) == value;
  }
  return false;
}

// How the value is written where `old` stood (empty: nothing yet).
std::string written(double value, FieldUnit unit, std::string_view old) {
  if (says(old, value, unit)) return std::string(old);
  const std::size_t number_end = old.find_last_of("0123456789.");
  const std::string_view suffix = number_end == std::string_view::npos ? "" : old.substr(number_end + 1);
  switch (unit) {
    case FieldUnit::count:
      return fmt::format("{}", static_cast<std::int64_t>(std::nearbyint(value)));
    case FieldUnit::percent:
      return base::format_number(value) + std::string(suffix.ends_with('%') ? suffix : "%");
    case FieldUnit::rps: {
      if (suffix.ends_with("rpm") || suffix.ends_with("/min")) {
        const auto text = scaled(value, 60.0, suffix, [](const std::string& t) -> std::optional<double> {
          const auto rate = base::parse_rate(t);
          if (!rate) return std::nullopt;
          return rate->value();
        });
        if (text) return *text;
      }
      return base::format_number(value) +
             std::string(suffix.ends_with("rps") || suffix.ends_with("/s") ? suffix : " rps");
    }
    case FieldUnit::minutes: {
      const base::Milliseconds span = span_of_minutes(value);
      if (const auto text = base::format_duration_in(span, base::duration_unit(old))) return *text;
      return base::format_duration(span);
    }
    case FieldUnit::ratio:
      if (suffix.ends_with('%')) {
        const auto text = scaled(value, 100.0, suffix, [](const std::string& t) -> std::optional<double> {
          const auto share = base::parse_ratio(t);
          if (!share) return std::nullopt;
          return *share;
        });
        if (text) return *text;
      }
      return base::format_number(value);
    case FieldUnit::percent_per_rps:
      return base::format_number(value);
  }
  return {};
}

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Where the text of a scalar stands, without its quotes; nothing where it is not written as one piece.
std::optional<Span> span_of(const std::string& text, const Node& node) {
  std::size_t begin = node.position.offset;
  if (begin >= text.size()) return std::nullopt;
  char quote = 0;
  if (node.in_quotes) {
    quote = text[begin];
    if (quote != '"' && quote != '\'') return std::nullopt;
    ++begin;
  }
  if (text.compare(begin, node.text.size(), node.text) != 0) return std::nullopt;
  const std::size_t end = begin + node.text.size();
  if (quote != 0 && (end >= text.size() || text[end] != quote)) return std::nullopt;
  return Span{begin, end};
}

struct Edit {
  Span span;
  std::string replacement;
};

Node* mutable_node_at(Node& root, std::string_view path) { return const_cast<Node*>(node_at(root, path)); }

Node scalar(std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  return node;
}

Node map_with(std::string key, Node value) {
  Node map;
  map.kind = Node::Kind::map;
  map.members.push_back(Member{std::move(key), {}, std::move(value)});
  return map;
}

// A scalar as text that reads back as this scalar, inside brackets too.
std::string scalar_text(const Node& node) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' ||
           c == '.' || c == '%' || c == '/' || c == '_' || c == '-' || c == '+' || c == '(' || c == ')';
  };
  const std::string& text = node.text;
  const auto letter_or_digit = [&](char c) { return plain(c) && (c == '_' || c == '/' || c >= '0'); };
  if (!node.in_quotes && !text.empty() && letter_or_digit(text.front()) && text.back() != ' ' &&
      std::all_of(text.begin(), text.end(), plain)) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\r') {
      quoted += "\\r";
    } else if (c == '\t') {
      quoted += "\\t";
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

// A value as one line: {a: 1, b: [2, 3]}.
std::string flow_text(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::empty:
      return "~";
    case Node::Kind::scalar:
      return scalar_text(node);
    case Node::Kind::list:
      for (const Node& item : node.items) text += (text.empty() ? "" : ", ") + flow_text(item);
      return "[" + text + "]";
    case Node::Kind::map:
      for (const Member& member : node.members) {
        text += (text.empty() ? "" : ", ") + member.key + ": " + flow_text(member.value);
      }
      return "{" + text + "}";
  }
  return text;
}

// What follows "key:" for a value whose key stands `indent` columns in: on the same line, or in block style
// on the lines below, where the value is written so and has something to say.
std::string text_after_key(const Node& node, std::size_t indent, const std::string& line_end) {
  const std::string begin = line_end + std::string(indent + 2, ' ');
  std::string text;
  if (!node.in_flow_style && !node.members.empty()) {
    for (const Member& member : node.members) {
      text += begin + member.key + ":" + text_after_key(member.value, indent + 2, line_end);
    }
    return text;
  }
  if (!node.in_flow_style && !node.items.empty()) {
    for (const Node& item : node.items) {
      if (item.in_flow_style || item.members.empty()) {
        text += begin + "- " + flow_text(item);
        continue;
      }
      // The first key stands beside the dash, the others below it.
      for (std::size_t i = 0; i < item.members.size(); ++i) {
        text += begin + (i == 0 ? "- " : "  ") + item.members[i].key + ":" +
                text_after_key(item.members[i].value, indent + 4, line_end);
      }
    }
    return text;
  }
  return " " + flow_text(node);
}

// One change: the splice, and the tree that must come of it.
class Editor {
 public:
  Editor(const std::string& text, const std::string& file, const Change& change, std::string path)
      : text_(text), file_(file), change_(change), path_(std::move(path)) {}

  // Sets the value of the change.
  base::Result<std::string> run() {
    return spliced([this] { return edit_of(); });
  }

  // Adds `node`, which is not written at this path yet, as it is.
  base::Result<std::string> add(const Node& node) {
    return spliced([&] { return insert(node); });
  }

 private:
  template <class MakeEdit>
  base::Result<std::string> spliced(MakeEdit make_edit) {
    auto root = parse_document(text_, file_);
    if (!root) return root.error();
    root_ = std::move(*root);
    const base::Result<Edit> edit = make_edit();
    if (!edit) return edit.error();
    std::string result = text_;
    result.replace(edit->span.begin, edit->span.end - edit->span.begin, edit->replacement);
    const auto again = parse_document(result, file_);
    if (!again || !(*again == root_)) {
      return refused(file_, place_, change_.path, "the text around it would change its meaning");
    }
    return result;
  }

  base::Result<Edit> edit_of() {
    if (Node* node = mutable_node_at(root_, path_)) {
      place_ = node->position;
      if (node->kind != Node::Kind::scalar) {
        return refused(file_, place_, change_.path, fmt::format("{} stands there", described(*node)));
      }
      return replace(*node, written(change_.value, change_.unit, node->text));
    }
    const std::size_t dot = path_.rfind('.');
    if (dot == std::string::npos)
      return refused(file_, {1, 1, 0}, change_.path, "it is not written in this file");
    const std::string last = path_.substr(dot + 1);
    if (last == "cpu_per_rps") {
      // The same slope, written per minute.
      if (Node* node = mutable_node_at(root_, path_.substr(0, dot) + ".cpu_per_rpm"))
        return per_minute(*node);
    }
    if (Node* parent = mutable_node_at(root_, std::string_view(path_).substr(0, dot));
        parent != nullptr && parent->kind == Node::Kind::scalar) {
      place_ = parent->position;
      return beside(*parent, last);
    }
    return insert(scalar(written(change_.value, change_.unit, {})));
  }

  base::Result<Edit> replace(Node& node, std::string value) {
    const auto span = span_of(text_, node);
    if (!span) return refused(file_, place_, change_.path, "it is not written as one plain word");
    node.text = value;
    return Edit{*span, std::move(value)};
  }

  base::Result<Edit> per_minute(Node& node) {
    place_ = node.position;
    const double value = change_.value / 60;
    if (value * 60 != change_.value) {
      return refused(file_, place_, change_.path, "cpu_per_rpm stands in its place, and rounds");
    }
    return replace(node, base::format_number(value));
  }

  // One of two numbers that are written as one text: "5m" for both directions, "4 per 1m".
  base::Result<Edit> beside(Node& parent, const std::string& last) {
    const std::string old = parent.text;
    if (path_.ends_with(".cooldown." + last) && (last == "out" || last == "in")) {
      const std::string value = written(change_.value, change_.unit, old);
      const auto span = span_of(text_, parent);
      if (!span || parent.in_quotes)
        return refused(file_, place_, change_.path, "it is not written as one plain word");
      const std::string out = last == "out" ? value : old;
      const std::string in = last == "in" ? value : old;
      Node map;
      map.kind = Node::Kind::map;
      map.members = {Member{"out", {}, scalar(out)}, Member{"in", {}, scalar(in)}};
      parent = map;
      return Edit{*span, fmt::format("{{out: {}, in: {}}}", out, in)};
    }
    constexpr std::string_view kPer = " per ";
    const std::size_t per = old.find(kPer);
    if (per != std::string::npos && last == "count") {
      return replace(parent, written(change_.value, change_.unit, {}) + old.substr(per));
    }
    if (per != std::string::npos && last == "per") {
      const std::string_view span = std::string_view(old).substr(per + kPer.size());
      return replace(parent, old.substr(0, per + kPer.size()) + written(change_.value, change_.unit, span));
    }
    return refused(file_, place_, change_.path, fmt::format("{} stands in its place", described(parent)));
  }

  // Adds a key that is not written yet to the nearest map around it, with the maps between them.
  base::Result<Edit> insert(Node node) {
    std::size_t end = path_.rfind('.');
    while (end != std::string::npos && node_at(root_, std::string_view(path_).substr(0, end)) == nullptr)
      end = path_.rfind('.', end - 1);
    if (end == std::string::npos)
      return refused(file_, {1, 1, 0}, change_.path, "it is not written in this file");
    Node& parent = *mutable_node_at(root_, std::string_view(path_).substr(0, end));
    place_ = parent.position;
    std::string key = path_.substr(end + 1);
    if (key.find('[') != std::string::npos || parent.kind != Node::Kind::map) {
      return refused(file_, place_, change_.path, "what it belongs to is not written in this file");
    }
    // One map around a value fits its line, "stabilise: {out: 5m}"; more of them, or a value with lines of
    // its own, stand in lines.
    const bool in_lines =
        !parent.in_flow_style && (std::count(key.begin(), key.end(), '.') > 1 ||
                                  (!node.in_flow_style && (!node.items.empty() || !node.members.empty())));
    for (std::size_t dot = key.rfind('.'); dot != std::string::npos; dot = key.rfind('.')) {
      node = map_with(key.substr(dot + 1), std::move(node));
      node.in_flow_style = !in_lines;
      key.resize(dot);
    }
    std::string text =
        key + ":" + (in_lines ? text_after_key(node, indent_of(parent), line_end()) : " " + flow_text(node));
    if (parent.members.empty()) {  // {}
      const std::size_t at = parent.position.offset + 1;
      if (text_.compare(at - 1, 1, "{") != 0) {
        return refused(file_, place_, change_.path, "what it belongs to is written in an unknown form");
      }
      parent.members.push_back(Member{key, {}, std::move(node)});
      return Edit{{at, at}, std::move(text)};
    }
    const Member& last = parent.members.back();
    const auto last_span = last.value.kind == Node::Kind::scalar ? span_of(text_, last.value) : std::nullopt;
    if (last_span) {
      // After the last key, as people would write it.
      std::size_t at = last_span->end + (last.value.in_quotes ? 1 : 0);
      if (parent.in_flow_style) {
        text = ", " + text;
      } else {
        at = std::min(text_.find('\n', at), text_.size());
        if (at > 0 && text_[at - 1] == '\r') --at;
        text = line_end() + std::string(indent_of(parent), ' ') + text;
      }
      parent.members.push_back(Member{key, {}, std::move(node)});
      return Edit{{at, at}, std::move(text)};
    }
    const std::size_t at = parent.members.front().position.offset;
    text += parent.in_flow_style ? ", " : line_end() + std::string(indent_of(parent), ' ');
    parent.members.insert(parent.members.begin(), Member{key, {}, std::move(node)});
    return Edit{{at, at}, std::move(text)};
  }

  std::string line_end() const { return text_.find("\r\n") != std::string::npos ? "\r\n" : "\n"; }
  static std::size_t indent_of(const Node& map) {
    return static_cast<std::size_t>(map.members.front().position.column - 1);
  }

  const std::string& text_;
  const std::string& file_;
  const Change& change_;
  std::string path_;
  Node root_;
  Position place_;
};

// The tree as it is read: with the variant laid over it.
Node as_read(const Node& root, const std::string& variant) {
  const Node* over = variant.empty() ? nullptr : node_at(root, "environments." + variant);
  return over == nullptr ? root : merged(root, *over);
}

// The starts of a path that are paths, from the shortest to the whole: "a", "a.b", "a.b[0]".
std::vector<std::string_view> starts_of(std::string_view path) {
  std::vector<std::string_view> starts;
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (path[i] == '.' || path[i] == '[') starts.push_back(path.substr(0, i));
  }
  starts.push_back(path);
  return starts;
}

// What the variant must say itself before a part of it can change there: a variant replaces lists and single
// values whole, so the file's own is copied into it. The text as it is where nothing needs that.
base::Result<std::string> with_own_copy(const std::string& text, const std::string& file,
                                        const Change& change, const std::string& inside) {
  const auto root = parse_document(text, file);
  if (!root) return root.error();
  for (const std::string_view start : starts_of(change.path)) {
    const std::string own = inside + std::string(start);
    if (const Node* written = node_at(*root, own)) {
      if (written->kind != Node::Kind::map) return text;
      continue;
    }
    const Node* inherited = node_at(*root, start);
    if (inherited == nullptr) return text;
    if (inherited->kind == Node::Kind::map) continue;
    return Editor(text, file, change, own).add(*inherited);
  }
  return text;
}

// A field that follows another one while the two are equal (fields.hpp).
struct Follower {
  std::string_view leader;    // the end of its path
  std::string_view follower;  // what stands there instead
  std::int64_t unwritten;     // the leader's number where it is not written
};
constexpr std::array<Follower, 2> kFollowers{
    {{".step.periods", ".step.datapoints", 1}, {".scale.min", ".scale.initial", policy::Limits{}.min}}};

// The changes, and those that follow from them: a follower that is written must be written anew.
std::vector<Change> with_followers(const std::string& text, const std::string& file,
                                   const std::vector<Change>& changes, const std::string& variant) {
  std::vector<Change> result = changes;
  const auto parsed = parse_document(text, file);
  if (!parsed) return result;
  const Node root = as_read(*parsed, variant);
  const auto written_number = [&](const std::string& path) -> std::optional<std::int64_t> {
    const Node* node = node_at(root, path);
    if (node == nullptr) return std::nullopt;
    return base::parse_integer(node->text);
  };
  const auto is_own = [&](const std::string& path) {
    return variant.empty() || node_at(*parsed, fmt::format("environments.{}.{}", variant, path)) != nullptr;
  };
  for (const Change& change : changes) {
    for (const Follower& rule : kFollowers) {
      if (!change.path.ends_with(rule.leader)) continue;
      const std::string follower =
          change.path.substr(0, change.path.size() - rule.leader.size()) + std::string(rule.follower);
      const auto now = written_number(follower);
      const bool changed =
          std::any_of(changes.begin(), changes.end(), [&](const Change& c) { return c.path == follower; });
      // In a variant and in the file below it they are not linked: one value there serves both.
      const bool together = is_own(follower) == is_own(change.path);
      if (!changed && together && now && *now == written_number(change.path).value_or(rule.unwritten))
        result.push_back({follower, change.value, FieldUnit::count});
    }
  }
  return result;
}

}  // namespace

base::Result<std::string> edited(const std::string& text, const std::string& file,
                                 const std::vector<Change>& changes, const std::string& variant) {
  std::string result = text;
  const std::string inside = variant.empty() ? "" : fmt::format("environments.{}.", variant);
  if (!variant.empty()) {
    const auto root = parse_document(text, file);
    if (!root) return root.error();
    // Also where a dot in the name would lead elsewhere.
    const Node* over = node_at(*root, "environments." + variant);
    if (over == nullptr || over->kind != Node::Kind::map) {
      return base::bad_input({file, 0, 0},
                             fmt::format("there is no map to write into under environments: {}", variant),
                             "change it by hand");
    }
  }
  base::Error error;
  for (const Change& change : with_followers(text, file, changes, variant)) {
    if (!std::isfinite(change.value)) {
      error.faults.push_back(
          {{file, 0, 0}, fmt::format("{} cannot be set to a value that is not finite", change.path), {}});
      continue;
    }
    auto next =
        variant.empty() ? base::Result<std::string>(result) : with_own_copy(result, file, change, inside);
    if (next) next = Editor(*next, file, change, inside + change.path).run();
    if (next) {
      result = std::move(*next);
    } else {
      for (base::Fault& fault : next.error().faults) error.faults.push_back(std::move(fault));
    }
  }
  if (!error.faults.empty()) return error;
  return result;
}

}  // namespace headroom::environment
