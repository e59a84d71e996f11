#include "base/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <tuple>

#include "base/units.hpp"

namespace headroom::base {
namespace {

// Longer than any row of a metrics export; what is longer is another kind of file.
constexpr std::size_t line_length_max = 65'536;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_break(char c) { return c == '\n' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// The separator that occurs most often outside quotes in the first row. On a tie tab before semicolon before
// comma: "2024-01-01;3,5" has a decimal comma.
char separator_of(std::string_view line) {
  std::size_t tabs = 0;
  std::size_t semicolons = 0;
  std::size_t commas = 0;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted && is_break(c)) break;
    if (quoted) continue;
    if (c == '\t') ++tabs;
    if (c == ';') ++semicolons;
    if (c == ',') ++commas;
  }
  if (tabs > 0 && tabs >= semicolons && tabs >= commas) return '\t';
  if (semicolons > 0 && semicolons >= commas) return ';';
  return ',';
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  CsvTable read() {
    if (!check_encoding()) return std::move(table_);
    bool first = true;
    while (position_ < text_.size()) {
      if (skip_line_without_row()) continue;
      if (!check_line_length()) return std::move(table_);
      if (first) {
        table_.separator = separator_of(text_.substr(position_));
        first = false;
      }
      if (!read_row()) return std::move(table_);
    }
    if (first) fault(1, 0, "the file holds no rows", "expected rows such as 2024-02-16 21:00:00,1200");
    return std::move(table_);
  }

 private:
  void fault(int line, int column, std::string what, std::string fix) {
    table_.faults.push_back({{file_, line, column}, std::move(what), std::move(fix)});
  }

  bool check_encoding() {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
    if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff")) {
      fault(1, 1, "the file is encoded in UTF-16", "save it as UTF-8");
      return false;
    }
    int line = 1;
    std::size_t start = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text_[i]);
      if (byte < 0x20 && byte != '\t' && !is_break(text_[i])) {
        fault(line, static_cast<int>(i - start) + 1,
              fmt::format("the file is not text: it holds the byte 0x{:02x}", byte), "expected a CSV file");
        return false;
      }
      // CR LF is one break, counted at its second character.
      const bool first_of_two = text_[i] == '\r' && i + 1 < text_.size() && text_[i + 1] == '\n';
      if (is_break(text_[i]) && !first_of_two) {
        ++line;
        start = i + 1;
      }
    }
    return true;
  }

  std::size_t end_of_line(std::size_t from) const {
    while (from < text_.size() && !is_break(text_[from])) ++from;
    return from;
  }

  // Moves behind one line break.
  void take_break() {
    if (position_ >= text_.size()) return;
    if (text_[position_] == '\r' && position_ + 1 < text_.size() && text_[position_ + 1] == '\n') ++position_;
    ++position_;
    ++line_;
    line_start_ = position_;
  }

  bool skip_line_without_row() {
    const std::size_t end = end_of_line(position_);
    const std::string_view line = trimmed(text_.substr(position_, end - position_));
    if (!line.empty() && line.front() != '#') return false;
    position_ = end;
    take_break();
    return true;
  }

  bool check_line_length() {
    if (end_of_line(position_) - position_ <= line_length_max) return true;
    fault(line_, 1, fmt::format("the line is longer than {} characters", line_length_max),
          "expected a CSV file with one row per line");
    return false;
  }

  int column() const { return static_cast<int>(position_ - line_start_) + 1; }

  // One row up to and including its line break. False: what follows cannot be read.
  bool read_row() {
    CsvRow row;
    row.line = line_;
    bool usable = true;
    while (true) {
      while (position_ < text_.size() && is_blank(text_[position_]) && text_[position_] != table_.separator) {
        ++position_;
      }
      CsvField field;
      field.line = line_;
      field.column = column();
      if (position_ < text_.size() && text_[position_] == '"') {
        if (!read_quoted(field)) return false;
        const std::size_t after = end_of_field();
        if (!trimmed(text_.substr(position_, after - position_)).empty()) {
          fault(line_, column(), "text follows a closing quote",
                "double a quote that belongs to the field, or quote the whole field");
          usable = false;
        }
        position_ = after;
      } else {
        const std::size_t end = end_of_field();
        field.text = trimmed(text_.substr(position_, end - position_));
        position_ = end;
      }
      row.fields.push_back(std::move(field));
      if (position_ >= text_.size() || text_[position_] != table_.separator) break;
      ++position_;
    }
    take_break();
    if (usable) keep(std::move(row));
    return true;
  }

  std::size_t end_of_field() const {
    std::size_t end = position_;
    while (end < text_.size() && text_[end] != table_.separator && !is_break(text_[end])) ++end;
    return end;
  }

  // From the opening quote to behind the closing one.
  bool read_quoted(CsvField& field) {
    const int line = line_;
    ++position_;
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == '"') {
        ++position_;
        if (position_ >= text_.size() || text_[position_] != '"') {
          field.text = std::string(trimmed(field.text));
          return true;
        }
      }
      if (is_break(c)) {
        field.text += '\n';
        take_break();
        continue;
      }
      field.text += c;
      ++position_;
      if (field.text.size() > line_length_max) break;
    }
    fault(line, field.column, "a quote is opened and not closed", "close the quote");
    return false;
  }

  void keep(CsvRow row) {
    if (width_ == 0) width_ = row.fields.size();
    // A separator too many at the end is how some tools write every row.
    while (row.fields.size() > width_ && row.fields.back().text.empty()) row.fields.pop_back();
    if (row.fields.size() != width_) {
      const CsvField& where = row.fields[std::min(row.fields.size() - 1, width_)];
      fault(where.line, where.column,
            fmt::format("the row has {} fields where the first row has {}", row.fields.size(), width_),
            "quote a field that holds the separator, and write a decimal point");
      return;
    }
    table_.rows.push_back(std::move(row));
  }

  std::string_view text_;
  const std::string& file_;
  CsvTable table_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  std::size_t width_ = 0;
  int line_ = 1;
};

}  // namespace

CsvTable read_csv(std::string_view text, const std::string& file) { return Reader(text, file).read(); }

CsvNumber read_csv_number(std::string_view text, char separator) {
  text = trimmed(text);
  const std::string word = lower(text);
  for (const char* missing : {"", "nan", "null", "nil", "none", "n/a", "na", "-", "--"}) {
    if (word == missing) return {CsvNumberKind::missing, 0};
  }
  std::string digits(text);
  if (digits.front() == '+') digits.erase(0, 1);
  const std::size_t comma = digits.find(',');
  if (comma != std::string::npos) {
    const std::size_t after = digits.size() - comma - 1;
    const bool one =
        digits.find_first_of(",.", comma + 1) == std::string::npos && digits.find('.') == std::string::npos;
    if (separator == ',' || !one || after == 3) return {CsvNumberKind::ambiguous, 0};
    digits[comma] = '.';
  }
  const std::string plain = lower(digits);
  if (plain == "inf" || plain == "-inf" || plain == "infinity" || plain == "-infinity") {
    return {CsvNumberKind::infinite, 0};
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) return {CsvNumberKind::infinite, 0};
  if (error != std::errc() || end != digits.data() + digits.size()) return {CsvNumberKind::unreadable, 0};
  if (!std::isfinite(value)) return {CsvNumberKind::unreadable, 0};
  return {CsvNumberKind::number, value};
}

std::string describe(CsvNumberKind kind, std::string_view name, std::string_view text) {
  const std::string quoted = in_quotes(text);
  switch (kind) {
    case CsvNumberKind::missing:
      return fmt::format("the {} is missing", name);
    case CsvNumberKind::infinite:
      return fmt::format("the {} {} is not a finite number", name, quoted);
    case CsvNumberKind::ambiguous:
      return fmt::format("the {} {} has a comma that may group digits or begin a fraction", name, quoted);
    case CsvNumberKind::number:
    case CsvNumberKind::unreadable:
      break;
  }
  return fmt::format("the {} {} is not a number", name, quoted);
}

std::string plain_name(std::string_view heading) {
  std::string name;
  for (const char c : lower(heading)) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (word) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name;
}

std::optional<RequestUnit> request_unit_of(std::string_view heading) {
  const std::string name = plain_name(heading);
  const auto has = [&name](std::string_view word) {
    return fmt::format("_{}_", name).find(fmt::format("_{}_", word)) != std::string::npos;
  };
  for (const char* word : {"rpm", "per_minute", "per_min", "requests_min", "req_min", "requests_minute"}) {
    if (has(word)) return RequestUnit::per_minute;
  }
  for (const char* word : {"rps", "qps", "tps", "reqps", "per_second", "per_sec", "requests_s", "req_s",
                           "requests_sec", "requests_second", "hits_s"}) {
    if (has(word)) return RequestUnit::per_second;
  }
  for (const char* word : {"requests", "request_count", "requestcount", "count", "hits", "calls", "sum"}) {
    if (has(word)) return RequestUnit::per_interval;
  }
  return std::nullopt;
}

Error error_of(std::vector<Fault> faults, std::size_t limit) {
  std::stable_sort(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  Error error;
  if (faults.size() > limit) {
    const std::size_t more = faults.size() - limit;
    const Place place{faults.front().place.file, 0, 0};
    faults.resize(limit);
    faults.push_back({place, fmt::format("{} more faults are not shown", more), {}});
  }
  error.faults = std::move(faults);
  return error;
}

}  // namespace headroom::base
