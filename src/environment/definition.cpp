#include "environment/definition.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace headroom::environment {
namespace {

// More would scroll the first ones, which often cause the others, out of sight.
constexpr std::size_t kFaultsShown = 100;

using Shape = Description::Shape;

// A kind whose values are one text each, read by `parse`.
template <class V, class Parse>
Kind<V> from_text(Description description, Parse parse) {
  return {description, [description, parse](Reader& reader, const Node& node) -> std::optional<V> {
            if (node.kind != Node::Kind::scalar) {
              reader.expected(node, description.words);
              return std::nullopt;
            }
            base::Result<V> value = parse(node.text);
            if (value) return std::move(*value);
            reader.faults_of(node, value.error());
            return std::nullopt;
          }};
}

Description pattern(std::string name, std::string words, std::string expression) {
  Description description;
  description.shape = Shape::pattern;
  description.name = std::move(name);
  description.words = std::move(words);
  description.pattern = std::move(expression);
  return description;
}

base::Error wrong(std::string_view words, std::string_view found, std::string fix = {}) {
  return base::bad_input(fmt::format("expected {}, found {}", words, base::in_quotes(found)), std::move(fix));
}

// Damerau's distance with transpositions of neighbours, as people mistype.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

constexpr const char* kNumber = "[0-9]+(\\.[0-9]+)?";
constexpr const char* kDurationPattern = "^([0-9]+(\\.[0-9]+)?(w|d|h|m|s|ms))+$";

}  // namespace

void Reader::fault(const Position& position, std::string what, std::string fix) {
  if (faults_.size() >= kFaultsShown) {
    ++dropped_;
    return;
  }
  faults_.push_back({place(position), std::move(what), std::move(fix)});
}

void Reader::faults_of(const Node& node, const base::Error& error) {
  for (const base::Fault& one : error.faults) {
    if (faults_.size() >= kFaultsShown) {
      ++dropped_;
      continue;
    }
    faults_.push_back(one);
    if (one.place == base::Place{}) faults_.back().place = place(node.position);
  }
}

void Reader::expected(const Node& node, const std::string& words, std::string fix) {
  fault(node, fmt::format("expected {}, found {}", words, described(node)), std::move(fix));
}

base::Error Reader::error() const {
  base::Error error{base::ErrorKind::bad_input, faults_};
  // In the order of their places; the files stay in the order in which they were met.
  std::vector<std::string> files;
  const auto rank = [&](const base::Fault& one) {
    const auto found = std::find(files.begin(), files.end(), one.place.file);
    return found - files.begin();
  };
  files.push_back(file_);
  for (const base::Fault& one : faults_) {
    if (std::find(files.begin(), files.end(), one.place.file) == files.end()) files.push_back(one.place.file);
  }
  std::stable_sort(error.faults.begin(), error.faults.end(), [&](const base::Fault& a, const base::Fault& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  if (dropped_ > 0) {
    error.faults.push_back({{file_, 0, 0}, fmt::format("{} more faults are not shown", dropped_), {}});
  }
  return error;
}

std::string Reader::resolved(const std::string& name) const {
  const std::size_t slash = file_.rfind('/');
  if (name.starts_with('/') || slash == std::string::npos) return name;
  return file_.substr(0, slash + 1) + name;
}

std::optional<std::string> Reader::file_text(const Node& node) {
  if (node.text.empty()) {
    fault(node, "expected the name of a file, found \"\"");
    return std::nullopt;
  }
  auto text = read_file_(resolved(node.text));
  if (text) return std::move(*text);
  // The file as a whole is at fault; the place to change is where it is named, and the fault says where it
  // was looked for.
  base::Error error = text.error();
  for (base::Fault& one : error.faults) {
    if (one.place.line != 0) continue;
    if (!one.place.file.empty()) one.what = one.place.file + ": " + one.what;
    one.place = {};
  }
  faults_of(node, error);
  return std::nullopt;
}

Kind<std::string> text(std::string name, std::string words) {
  Description description;
  description.name = std::move(name);
  description.words = std::move(words);
  return from_text<std::string>(description,
                                [](const std::string& value) { return base::Result<std::string>(value); });
}

Kind<std::string> file_name(std::string name) {
  Description description;
  description.words = "the name of a file";
  description.name = std::move(name);
  return from_text<std::string>(description, [](const std::string& value) -> base::Result<std::string> {
    if (value.empty()) return wrong("the name of a file", value);
    return value;
  });
}

Kind<bool> flag() {
  Description description;
  description.shape = Shape::flag;
  description.name = "`true` or `false`";
  description.words = "true or false";
  return from_text<bool>(description, [](const std::string& value) -> base::Result<bool> {
    if (value == "true") return true;
    if (value == "false") return false;
    if (value == "yes" || value == "on") return wrong("true or false", value, "write true");
    if (value == "no" || value == "off") return wrong("true or false", value, "write false");
    return wrong("true or false", value);
  });
}

Kind<int> count(int low, int high) {
  Description description;
  description.shape = Shape::integer;
  description.low = low;
  description.high = high;
  description.name =
      high == 1'000'000 ? fmt::format("count, {} or more", low) : fmt::format("count, {} to {}", low, high);
  description.words = fmt::format("a whole number from {} to {}", low, high);
  return from_text<int>(
      description, [low, high, words = description.words](const std::string& value) -> base::Result<int> {
        const auto parsed = base::parse_integer(value);
        if (!parsed || *parsed < low || *parsed > high) return wrong(words, value);
        return static_cast<int>(*parsed);
      });
}

Kind<std::uint64_t> seed() {
  Description description;
  description.shape = Shape::integer;
  description.low = 0;
  description.name = "count, 0 or more";
  description.words = "a whole number from 0 to 18446744073709551615";
  return from_text<std::uint64_t>(
      description, [words = description.words](const std::string& value) -> base::Result<std::uint64_t> {
        if (const auto parsed = base::parse_unsigned(value)) return *parsed;
        return wrong(words, value);
      });
}

Kind<double> number(double low, double high, std::string name, const std::string& noun) {
  Description description;
  description.shape = Shape::number;
  description.low = low;
  description.high = high;
  description.words =
      fmt::format("{} from {} to {}", noun, base::format_number(low), base::format_number(high));
  description.name = std::move(name);
  return from_text<double>(
      description, [low, high, words = description.words](const std::string& value) -> base::Result<double> {
        const auto parsed = base::parse_number(value);
        if (!parsed || *parsed < low || *parsed > high) return wrong(words, value);
        return *parsed;
      });
}

Kind<double> ratio(double low, double high) {
  const std::string words =
      fmt::format("a share from {} to {}, such as {} or {}%", base::format_number(low),
                  base::format_number(high), high < 1 ? "0.05" : "0.1", high < 1 ? "5" : "10");
  Description description;
  description.shape = Shape::any_of;
  description.words = words;
  description.name = "share (`0.1` or `10%`)";
  Description bare;
  bare.shape = Shape::number;
  bare.low = low;
  bare.high = high;
  description.alternatives = {bare, pattern("percent", words, fmt::format("^-?{} ?%$", kNumber))};
  return from_text<double>(description, [low, high, words](const std::string& value) -> base::Result<double> {
    const auto parsed = base::parse_ratio(value);
    if (!parsed || *parsed < low || *parsed > high) return wrong(words, value);
    return *parsed;
  });
}

Kind<double> share_of_minutes() {
  return from_text<double>(pattern("share (`99.9% of minutes`)", "a share such as \"99.9% of minutes\"",
                                   fmt::format("^{} ?% of minutes$", kNumber)),
                           [](const std::string& value) { return base::parse_share_of_minutes(value); });
}

Kind<base::Milliseconds> duration(base::Milliseconds low) {
  std::string name = "duration";
  if (low.count() > 0) name += fmt::format(", {} or more", base::format_duration(low));
  return from_text<base::Milliseconds>(
      pattern(name, "a duration such as 5m", kDurationPattern),
      [low](const std::string& value) -> base::Result<base::Milliseconds> {
        auto parsed = base::parse_duration(value);
        if (parsed && *parsed < low) {
          return wrong(fmt::format("a duration of at least {}", base::format_duration(low)), value);
        }
        return parsed;
      });
}

Kind<base::Milliseconds> signed_duration() {
  return from_text<base::Milliseconds>(
      pattern("duration, may be negative", "a duration such as 5m or -4h",
              "^[-+]?([0-9]+(\\.[0-9]+)?(w|d|h|m|s|ms))+$"),
      [](const std::string& value) { return base::parse_signed_duration(value); });
}

Kind<base::Milliseconds> time_of_day() {
  return from_text<base::Milliseconds>(
      pattern("time of day", "a time of day such as \"08:00\"", "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"),
      [](const std::string& value) { return base::parse_time_of_day(value); });
}

Kind<base::Milliseconds> instant_or_duration() {
  constexpr const char* kWords = "a date such as 2014-07-01 or a duration such as 2h";
  return from_text<base::Milliseconds>(
      pattern("date or duration", kWords,
              "^([0-9]{4}-[0-9]{2}-[0-9]{2}.*|([0-9]+(\\.[0-9]+)?(w|d|h|m|s|ms))+)$"),
      [](const std::string& value) -> base::Result<base::Milliseconds> {
        if (auto instant = base::parse_instant(value)) return instant;
        if (auto span = base::parse_duration(value)) return span;
        return wrong(kWords, value);
      });
}

Kind<base::Percent> percent(double low, double high) {
  const std::string range = fmt::format("{}% to {}%", base::format_number(low), base::format_number(high));
  return from_text<base::Percent>(
      pattern("percent, " + range, "a percentage such as 25%", fmt::format("^-?{} ?%$", kNumber)),
      [low, high, range](const std::string& value) -> base::Result<base::Percent> {
        auto parsed = base::parse_percent(value);
        if (parsed && (parsed->value() < low || parsed->value() > high)) {
          return wrong("a percentage from " + range, value);
        }
        return parsed;
      });
}

Kind<base::Rate> rate() {
  return from_text<base::Rate>(pattern("rate", "a request rate such as 12.5 rps or 30000 rpm",
                                       fmt::format("^{}([eE][-+]?[0-9]+)? ?(rps|rpm|/s|/min)$", kNumber)),
                               [](const std::string& value) { return base::parse_rate(value); });
}

Kind<base::UsdPerHour> price() {
  return from_text<base::UsdPerHour>(
      pattern("price", "a price such as 0.0104 USD/h", fmt::format("^{} ?USD/h$", kNumber)),
      [](const std::string& value) { return base::parse_price(value); });
}

Kind<base::Usd> money() {
  return from_text<base::Usd>(
      pattern("money", "an amount such as 200 USD", fmt::format("^{} ?USD$", kNumber)),
      [](const std::string& value) { return base::parse_money(value); });
}

Kind<base::Cores> cores() {
  const Kind<double> plain = number(0.01, 1024, "cores, 0.01 to 1024", "a number of cores");
  return converted<base::Cores>(plain, [](Reader&, const Node&, double value) {
    return std::optional<base::Cores>(base::Cores(value));
  });
}

Kind<std::int64_t> bytes() {
  return from_text<std::int64_t>(
      pattern("size", "a size such as 256MiB", fmt::format("^{} ?([kMGT]B|[KMGT]iB|B)$", kNumber)),
      [](const std::string& value) -> base::Result<std::int64_t> {
        auto parsed = base::parse_bytes(value);
        if (parsed && *parsed == 0) return wrong("a size of at least one byte", value);
        return parsed;
      });
}

Kind<double> latency_ms() {
  constexpr const char* kWords = "a latency such as 12.5ms or 0.5s";
  return from_text<double>(pattern("latency", kWords, fmt::format("^{}(ms|s)$", kNumber)),
                           [](const std::string& value) -> base::Result<double> {
                             const bool ms = value.ends_with("ms");
                             if (ms || value.ends_with('s')) {
                               const auto parsed = base::parse_number(
                                   std::string_view(value).substr(0, value.size() - (ms ? 2 : 1)));
                               // An hour: beyond it a request is not slow but lost.
                               const double limit = 3'600'000;
                               if (parsed && *parsed >= 0) {
                                 const double result = ms ? *parsed : *parsed * 1000.0;
                                 if (result <= limit) return result;
                               }
                             }
                             return wrong(kWords, value);
                           });
}

Description describe_choice(const std::vector<std::string>& words) {
  Description description;
  description.shape = Shape::choice;
  description.choices = words;
  description.words = words.size() == 1 ? words.front() : joined(words);
  for (const std::string& word : words)
    description.name += (description.name.empty() ? "`" : ", `") + word + "`";
  return description;
}

std::optional<std::size_t> read_choice(Reader& reader, const Node& node,
                                       const std::vector<std::string>& words) {
  if (node.kind == Node::Kind::scalar) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (node.text == words[i]) return i;
    }
    const auto near = nearest(node.text, words);
    reader.expected(node, joined(words), near ? fmt::format("did you mean {}?", *near) : "");
    return std::nullopt;
  }
  reader.expected(node, joined(words));
  return std::nullopt;
}

Description describe_list(const Description& item, std::size_t least) {
  Description description;
  description.shape = Shape::list;
  description.item = std::make_shared<Description>(item);
  description.name = "list of " + item.name;
  description.words =
      fmt::format("a list{} of {}", least > 0 ? fmt::format(" (at least {})", least) : "", item.words);
  if (item.shape == Shape::record) description.words = "a list, each item " + item.words;
  if (least > 0) description.low = static_cast<double>(least);
  return description;
}

std::string shown_in_advice(const std::string& text) {
  const bool printable = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
  });
  return printable && text.size() < 40 ? text : "...";
}

bool check_list(Reader& reader, const Node& node, const Description& description, std::size_t least) {
  if (node.kind == Node::Kind::list && node.items.size() >= least) return true;
  reader.expected(node, description.words,
                  node.kind == Node::Kind::scalar && description.item->shape != Shape::record
                      ? fmt::format("write [{}]", shown_in_advice(node.text))
                      : "");
  return false;
}

Description describe_map(const Description& item, const std::string& key) {
  Description description;
  description.shape = Shape::map;
  description.item = std::make_shared<Description>(item);
  description.name = fmt::format("map of {} to {}", key, item.name);
  description.words = fmt::format("a map from a {} to {}", key, item.words);
  return description;
}

bool check_map(Reader& reader, const Node& node, const Description& description, bool plain_names) {
  if (node.kind != Node::Kind::map) {
    reader.expected(node, description.words);
    return false;
  }
  bool good = true;
  for (const Member& member : node.members) {
    // Names are parts of paths, host names and file names.
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
             c == '_';
    };
    if (plain_names && (member.key.empty() || member.key.size() > 63 || member.key.front() == '-' ||
                        !std::all_of(member.key.begin(), member.key.end(), plain))) {
      reader.fault(member.position,
                   fmt::format("expected a name of letters, digits, - and _, at most 63 long, found {}",
                               base::in_quotes(member.key)));
      good = false;
    }
  }
  return good;
}

Description describe_record(const std::string& name, std::function<const RecordInfo&()> record) {
  Description description;
  description.shape = Shape::record;
  description.name = name;
  description.words = "a map of keys (" + name + ")";
  description.record = std::move(record);
  return description;
}

bool check_keys(Reader& reader, const Node& node, const RecordInfo& info) {
  std::vector<std::string> known;
  for (const KeyInfo& key : info.keys) known.push_back(key.name);
  const bool vowel = std::string_view("aeiou").find(info.name.front()) != std::string_view::npos;
  const std::string place = fmt::format("in {} {}", vowel ? "an" : "a", info.name);
  if (node.kind != Node::Kind::map) {
    std::vector<std::string> first(
        known.begin(), known.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(known.size(), 4)));
    reader.fault(
        node,
        fmt::format("expected the keys of {} {}, found {}", vowel ? "an" : "a", info.name, described(node)),
        "its keys are " +
            (known.size() > 6 ? joined(first, "and") + ", among others" : joined(known, "and")));
    return false;
  }
  for (const Member& member : node.members) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    const auto near = nearest(member.key, known);
    reader.fault(
        member.position, fmt::format("unknown key {} {}", base::in_quotes(member.key), place),
        near ? fmt::format("did you mean \"{}\"?", *near) : "the keys here are " + joined(known, "and"));
  }
  for (const KeyInfo& key : info.keys) {
    if (key.required && node.find(key.name) == nullptr) {
      reader.fault(node, fmt::format("the key \"{}\" is missing {}", key.name, place),
                   key.example.empty() ? fmt::format("add it: {}", key.about)
                                       : fmt::format("add it, such as {}: {}", key.name, key.example));
    }
  }
  return true;
}

std::optional<Node> tested_node(const std::string& yaml) {
  auto node = parse_document(yaml, "text");
  if (!node) return std::nullopt;
  return std::move(*node);
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 40;  // of what anyone mistypes; keeps the cost of a hostile file low
  if (word.size() > kLongest) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  for (const std::string& candidate : known) {
    const std::size_t d = distance(word, candidate);
    const std::size_t allowed = std::max<std::size_t>(1, std::min(word.size(), candidate.size()) / 3);
    if (d <= allowed && (!best || d < best_distance)) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string joined(const std::vector<std::string>& words, std::string_view last) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) result += i + 1 == words.size() ? fmt::format(" {} ", last) : ", ";
    result += words[i];
  }
  return result;
}

}  // namespace headroom::environment
