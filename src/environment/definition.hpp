// Definition: what a file may hold, stated once: keys, kinds with units, ranges, defaults, one line each.
//
// Reading, the JSON Schema and the key tables of docs/reference/file.md all come from the Records here, so
// none of them can say something else than the others.
//
// A Kind<V> reads one value into a V and describes what it accepts. A Record<T> is a map of named keys,
// each with a Kind and the place in T that it fills.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "environment/document.hpp"

namespace headroom::environment {

// As in read.hpp.
using ReadFile = std::function<base::Result<std::string>(const std::string& path)>;

struct RecordInfo;

// What a value may be, for messages, schema and documentation.
struct Description {
  enum class Shape { text, pattern, flag, integer, number, choice, list, map, record, any_of };
  Shape shape = Shape::text;
  std::string words;          // "a duration such as 5m"; follows "expected"
  std::string name;           // "duration"; the column "value" of the documentation
  std::string pattern;        // of a text, as a regular expression of JSON Schema
  std::optional<double> low;  // of an integer or number
  std::optional<double> high;
  std::vector<std::string> choices;
  std::shared_ptr<const Description> item;    // of a list's items, of a map's values
  std::function<const RecordInfo&()> record;  // a function, so that records may be declared in any order
  std::vector<Description> alternatives;      // of any_of
};

struct KeyInfo {
  std::string name;
  Description description;
  std::string about;     // one line
  std::string fallback;  // the default as it would be written; empty: none
  std::string example;   // as it would be written
  bool required = false;
  // For tests: the default stated here is what the type holds; the example is accepted.
  std::function<bool()> fallback_holds;
  std::function<bool()> example_reads;
};

struct RecordInfo {
  std::string name;   // "step policy"; follows "in a"
  std::string about;  // one line
  std::vector<KeyInfo> keys;
};

// Collects values' places and faults while a tree is read.
class Reader {
 public:
  Reader(std::string file, const ReadFile& read_file) : file_(std::move(file)), read_file_(read_file) {}

  void fault(const Position& position, std::string what, std::string fix = {});
  void fault(const Node& node, std::string what, std::string fix = {}) {
    fault(node.position, std::move(what), std::move(fix));
  }
  // Faults of another reader or of a text's parser; those without a place get this node's.
  void faults_of(const Node& node, const base::Error& error);
  void expected(const Node& node, const std::string& words, std::string fix = {});

  std::size_t fault_count() const { return faults_.size() + dropped_; }
  base::Error error() const;

  base::Place place(const Position& position) const { return {file_, position.line, position.column}; }

  // The path of the value that is being read, "services.web.scale"; `within` extends it while `body` runs.
  const std::string& path() const { return path_; }
  template <class Body>
  auto within(std::string_view step, const Node& node, Body body) {
    const std::size_t length = path_.size();
    if (!path_.empty() && !step.starts_with('[')) path_ += '.';
    path_ += step;
    places.insert_or_assign(path_, place(node.position));
    auto result = body();
    path_.resize(length);
    return result;
  }

  // Reads a file that a value names, relative to the file that is being read; a fault where it cannot.
  std::optional<std::string> file_text(const Node& node);
  std::string resolved(const std::string& name) const;
  const std::string& file() const { return file_; }

  // Runs `body` with `name` as the file that is being read.
  template <class Body>
  auto in_file(std::string name, Body body) {
    std::swap(file_, name);
    auto result = body();
    std::swap(file_, name);
    return result;
  }

  std::map<std::string, base::Place> places;  // of every value, by path

 private:
  std::string file_;
  const ReadFile& read_file_;
  std::string path_;
  std::vector<base::Fault> faults_;
  std::size_t dropped_ = 0;
};

template <class V>
struct Kind {
  Description description;
  std::function<std::optional<V>(Reader&, const Node&)> read;
};

// The kinds of single values. `low` and `high` are inclusive and in the unit of the type.
Kind<std::string> text(std::string name = "text", std::string words = "a text");
Kind<std::string> file_name(std::string name = "file name");  // a text that names a file; it is not read
Kind<bool> flag();
Kind<int> count(int low, int high = 1'000'000);
Kind<std::uint64_t> seed();
// `noun` stands in messages: "a number of cores from 0.01 to 1024".
Kind<double> number(double low, double high, std::string name = "number",
                    const std::string& noun = "a number");
Kind<double> ratio(double low, double high);  // 0.1 or 10%
Kind<double> share_of_minutes();
Kind<base::Milliseconds> duration(base::Milliseconds low = base::Milliseconds{0});
Kind<base::Milliseconds> signed_duration();
Kind<base::Milliseconds> time_of_day();
Kind<base::Milliseconds> instant_or_duration();
Kind<base::Percent> percent(double low, double high);
Kind<base::Rate> rate();
Kind<base::UsdPerHour> price();
Kind<base::Usd> money();
Kind<base::Cores> cores();
Kind<std::int64_t> bytes();
Kind<double> latency_ms();  // "12.5ms" or "0.5s", in milliseconds with decimals

// One of some words. Shape: the words as they are written, in the order of the documentation.
std::optional<std::size_t> read_choice(Reader& reader, const Node& node,
                                       const std::vector<std::string>& words);
Description describe_choice(const std::vector<std::string>& words);
template <class E>
Kind<E> choice(std::vector<std::pair<std::string, E>> options) {
  std::vector<std::string> words;
  std::vector<E> values;
  for (auto& [word, value] : options) {
    words.push_back(word);
    values.push_back(value);
  }
  return {describe_choice(words), [words, values](Reader& reader, const Node& node) -> std::optional<E> {
            const auto index = read_choice(reader, node, words);
            if (!index) return std::nullopt;
            return values[*index];
          }};
}

Description describe_list(const Description& item, std::size_t least);
bool check_list(Reader& reader, const Node& node, const Description& description, std::size_t least);
template <class V>
Kind<std::vector<V>> list_of(Kind<V> item, std::size_t least = 0) {
  Description description = describe_list(item.description, least);
  return {description,
          [item, description, least](Reader& reader, const Node& node) -> std::optional<std::vector<V>> {
            if (!check_list(reader, node, description, least)) return std::nullopt;
            std::vector<V> values;
            for (std::size_t i = 0; i < node.items.size(); ++i) {
              auto value = reader.within("[" + std::to_string(i) + "]", node.items[i],
                                         [&] { return item.read(reader, node.items[i]); });
              if (value) values.push_back(std::move(*value));
            }
            if (values.size() != node.items.size()) return std::nullopt;
            return values;
          }};
}

// A map from names to values, in file order. `key` says what the names are: "a service name".
Description describe_map(const Description& item, const std::string& key);
bool check_map(Reader& reader, const Node& node, const Description& description, bool plain_names);
template <class V>
Kind<std::vector<std::pair<std::string, V>>> map_of(const std::string& key, Kind<V> item, bool plain_names) {
  using Pairs = std::vector<std::pair<std::string, V>>;
  Description description = describe_map(item.description, key);
  return {description,
          [item, description, plain_names](Reader& reader, const Node& node) -> std::optional<Pairs> {
            if (!check_map(reader, node, description, plain_names)) return std::nullopt;
            Pairs pairs;
            for (const Member& member : node.members) {
              auto value =
                  reader.within(member.key, member.value, [&] { return item.read(reader, member.value); });
              if (value) pairs.emplace_back(member.key, std::move(*value));
            }
            if (pairs.size() != node.members.size()) return std::nullopt;
            return pairs;
          }};
}

// What a Kind<V> read, turned into a W; `convert` reports faults itself.
template <class W, class V, class Convert>
Kind<W> converted(Kind<V> kind, Convert convert) {
  return {kind.description, [kind, convert](Reader& reader, const Node& node) -> std::optional<W> {
            auto value = kind.read(reader, node);
            if (!value) return std::nullopt;
            return convert(reader, node, std::move(*value));
          }};
}

// A single value or a map (or list): the two ways in which some keys may be written.
template <class V>
Kind<V> either(Kind<V> scalar, Kind<V> other) {
  Description description;
  description.shape = Description::Shape::any_of;
  description.words = scalar.description.words + " or " + other.description.words;
  description.name = scalar.description.name + " or " + other.description.name;
  description.alternatives = {scalar.description, other.description};
  return {description, [scalar, other, description](Reader& reader, const Node& node) -> std::optional<V> {
            const bool is_list = other.description.shape == Description::Shape::list;
            if (node.kind == Node::Kind::scalar) return scalar.read(reader, node);
            if (node.kind == (is_list ? Node::Kind::list : Node::Kind::map)) return other.read(reader, node);
            reader.expected(node, description.words);
            return std::nullopt;
          }};
}

// What stands beside a key's name in a Record.
struct About {
  std::string text;
  std::string fallback = {};
  std::string example = {};
  bool required = false;
};

// A fault unless the node is a map with known keys, all required ones among them.
bool check_keys(Reader& reader, const Node& node, const RecordInfo& info);
Description describe_record(const std::string& name, std::function<const RecordInfo&()> record);
// Reads a value written in one piece of YAML, for the tests of defaults and examples.
std::optional<Node> tested_node(const std::string& yaml);

// One key of a Record<T>: reads the node and fills the T, or (to test a default) compares with the T.
enum class Use { fill, compare };
template <class T>
using Setter = std::function<bool(Reader&, const Node&, T&, Use)>;

template <class T>
struct Record {
  RecordInfo info;
  std::vector<Setter<T>> setters;  // one per key
  // What concerns several keys; runs where each key alone is in order.
  std::function<void(Reader&, const Node&, T&)> check;

  // `access` gives the V (or optional<V>) of a T that the key fills. There are hundreds of instances of this
  // function: what does not depend on V and Access stands in `add`.
  template <class V, class Access>
  Record& key(const char* name, Access access, Kind<V> kind, About about) {
    Description description = kind.description;
    add(name, std::move(description), std::move(about),
        [read = std::move(kind.read), access](Reader& reader, const Node& node, T& object, Use use) {
          auto value = read(reader, node);
          if (!value) return false;
          if (use == Use::fill) {
            std::invoke(access, object) = std::move(*value);
            return true;
          }
          if constexpr (requires { std::invoke(access, object) == *value; }) {
            return std::invoke(access, object) == *value;
          }
          return false;
        });
    return *this;
  }

 private:
  void add(const char* name, Description description, About about, Setter<T> setter) {
    const auto tried = [setter](const std::string& yaml, Use use) {
      const auto node = tested_node(yaml);
      const ReadFile no_file = [](const std::string&) { return base::Result<std::string>(std::string{}); };
      Reader reader("text", no_file);
      T object{};
      return node && setter(reader, *node, object, use);
    };
    KeyInfo key_info{name,          std::move(description), about.text, about.fallback,
                     about.example, about.required,         {},         {}};
    key_info.fallback_holds = [tried, yaml = about.fallback] { return tried(yaml, Use::compare); };
    key_info.example_reads = [tried, yaml = about.example] { return tried(yaml, Use::fill); };
    info.keys.push_back(std::move(key_info));
    setters.push_back(std::move(setter));
  }
};

template <class T>
std::optional<T> read_record(Reader& reader, const Node& node, const Record<T>& record) {
  const std::size_t faults = reader.fault_count();
  if (!check_keys(reader, node, record.info)) return std::nullopt;
  T object{};
  for (std::size_t i = 0; i < record.info.keys.size(); ++i) {
    if (const Node* value = node.find(record.info.keys[i].name)) {
      reader.within(record.info.keys[i].name, *value,
                    [&] { return record.setters[i](reader, *value, object, Use::fill); });
    }
  }
  if (reader.fault_count() == faults && record.check) record.check(reader, node, object);
  if (reader.fault_count() != faults) return std::nullopt;
  return object;
}

template <class T>
Kind<T> record_kind(const std::string& name, const Record<T>& (*record)()) {
  return {describe_record(name, [record]() -> const RecordInfo& { return record().info; }),
          [record](Reader& reader, const Node& node) { return read_record(reader, node, record()); }};
}

// The word of `known` nearest to `word`, where one is near enough to be meant.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

// What the user wrote, for "write [..]": dots where it is long or no text to print.
std::string shown_in_advice(const std::string& text);

// "a, b or c".
std::string joined(const std::vector<std::string>& words, std::string_view last = "or");

}  // namespace headroom::environment
