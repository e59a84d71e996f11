#include "workload/recorded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/csv.hpp"
#include "base/timestamp.hpp"
#include "base/units.hpp"

namespace headroom::workload {
namespace {

using base::CsvField;
using base::CsvNumber;
using base::CsvNumberKind;
using base::CsvRow;
using base::CsvTable;
using base::Fault;
using base::format_duration;
using base::format_instant;
using base::Milliseconds;
using base::Place;

constexpr Milliseconds hour{3'600'000};

// Ten years of minutes are 5 million; what is beyond is a wrong timestamp or a wrong interval.
constexpr std::int64_t cells_max = 20'000'000;

// So many intervals may a file of few rows span, and so many more for each of its rows. Where 99 of 100 are
// missing, a timestamp or the interval is wrong, and four lines of text would fill the memory.
constexpr std::int64_t cells_of_few_rows = 10'000;
constexpr std::int64_t cells_per_row_max = 100;

// More requests than this in one row are no count of requests (a nanosecond clock in the wrong column, say).
constexpr double value_max = 1e15;

// Rows that contradict each other at one timestamp: up to this share they are averaged. A repeated hour at
// the end of daylight-saving time is 4 % of a day.
constexpr double contradictions_max = 0.1;

struct Row {
  Milliseconds at{0};
  std::optional<double> value;  // unset: a gap
  int line = 0;
};

std::string plural(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::optional<RecordedUnit> unit_of(std::string_view heading) {
  const auto unit = base::request_unit_of(heading);
  if (!unit) return std::nullopt;
  switch (*unit) {
    case base::RequestUnit::per_minute:
      return RecordedUnit::requests_per_minute;
    case base::RequestUnit::per_second:
      return RecordedUnit::requests_per_second;
    case base::RequestUnit::per_interval:
      break;
  }
  return RecordedUnit::requests_per_interval;
}

// Rows whose value is one of the words for "no value".
struct Missing {
  std::size_t rows = 0;
  int first_line = 0;
  std::string words;  // each spelling once

  void add(const std::string& text, int line) {
    if (rows++ == 0) first_line = line;
    const std::string word = text.empty() ? "empty" : base::in_quotes(text);
    if (words.find(word) == std::string::npos) words += (words.empty() ? "" : ", ") + word;
  }
};

class Reading {
 public:
  explicit Reading(const Recorded& recorded) : recorded_(recorded) {}

  base::Result<Recording> read() {
    table_ = base::read_csv(recorded_.text, path());
    faults_ = std::move(table_.faults);
    if (recorded_.interval && *recorded_.interval <= Milliseconds{0}) {
      fault(0, 0, "the interval of the recorded traffic is not positive", "write a duration such as 5m");
    }
    if (table_.rows.empty() || !find_columns()) return failed();
    read_rows();
    if (rows_.empty() && faults_.empty()) {
      fault(heading_ ? heading_->line : 1, 0, "the file holds no rows with a value",
            "expected rows such as 2024-02-16 21:00:00,1200");
    }
    if (!faults_.empty()) return failed();
    note_order();
    if (!merge_duplicates()) return failed();
    drop_missing_ends();
    if (rows_.empty()) {
      fault(1, 0,
            fmt::format("no row of the file has a number as value; found {}, first in line {}",
                        missing_.words, missing_.first_line),
            "expected rows such as 2024-02-16 21:00:00,1200");
      return failed();
    }
    if (!find_interval()) return failed();
    find_unit();
    if (!make_cells()) return failed();
    return std::move(recording_);
  }

 private:
  const std::string& path() const { return recorded_.path.empty() ? recorded_.file : recorded_.path; }
  void fault(int line, int column, std::string what, std::string fix) {
    faults_.push_back({Place{path(), line, column}, std::move(what), std::move(fix)});
  }
  void note(std::string sentence) {
    recording_.notes.push_back(fmt::format("{}: {}", recorded_.file, sentence));
  }
  base::Error failed() { return base::error_of(std::move(faults_)); }

  std::optional<std::size_t> column_named(const std::string& name) {
    const CsvRow& first = table_.rows.front();
    std::string known;
    for (std::size_t i = 0; i < first.fields.size(); ++i) {
      if (base::plain_name(first.fields[i].text) == base::plain_name(name)) return i;
      known += (i == 0 ? "" : ", ") + first.fields[i].text;
    }
    fault(first.line, 1, fmt::format("there is no column '{}'", name),
          fmt::format("the columns are: {}", known.substr(0, 200)));
    return std::nullopt;
  }

  // A first row that is neither a time nor a number, where both are expected, is a heading.
  bool find_columns() {
    const CsvRow& first = table_.rows.front();
    const bool named = !recorded_.timestamp_column.empty() || !recorded_.value_column.empty();
    if (!recorded_.timestamp_column.empty()) {
      const auto column = column_named(recorded_.timestamp_column);
      if (column) timestamp_column_ = *column;
    }
    if (!recorded_.value_column.empty()) {
      const auto column = column_named(recorded_.value_column);
      if (column) value_column_ = *column;
    } else if (timestamp_column_ == 1) {
      value_column_ = 0;
    }
    if (named && !faults_.empty()) return false;
    if (first.fields.size() < 2) {
      fault(first.line, 1, "the row has one field",
            "expected a timestamp and a value, separated by , ; or tab");
      return false;
    }
    const bool time = base::parse_timestamp(first.fields[timestamp_column_].text).has_value();
    const CsvNumberKind kind = base::read_csv_number(first.fields[value_column_].text, table_.separator).kind;
    if (named || (!time && kind == CsvNumberKind::unreadable)) heading_ = first;
    if (recorded_.value_column.empty() && first.fields.size() > 2) {
      note(fmt::format("of {} columns the {} is read as the value; name another as value_column.",
                       first.fields.size(),
                       heading_ ? fmt::format("column '{}'", first.fields[value_column_].text)
                                : fmt::format("column {}", value_column_ + 1)));
    }
    return true;
  }

  void read_rows() {
    std::optional<int> line_with_zone;
    std::optional<int> line_without_zone;
    for (std::size_t i = heading_ ? 1 : 0; i < table_.rows.size(); ++i) {
      const CsvRow& row = table_.rows[i];
      const CsvField& time_field = row.fields[timestamp_column_];
      const CsvField& value_field = row.fields[value_column_];
      const auto time = base::parse_timestamp(time_field.text);
      const CsvNumber number = base::read_csv_number(value_field.text, table_.separator);
      if (!time) {
        fault(time_field.line, time_field.column,
              fmt::format("the timestamp {} {}", base::in_quotes(time_field.text), time.error()),
              "correct or remove the row");
      }
      bool fine = time.has_value();
      if (number.kind != CsvNumberKind::number && number.kind != CsvNumberKind::missing) {
        fault(value_field.line, value_field.column, base::describe(number.kind, "value", value_field.text),
              "write a number with a decimal point, or leave the field empty where there is no value");
        fine = false;
      } else if (number.value < 0 || number.value > value_max) {
        fault(
            value_field.line, value_field.column,
            fmt::format("the value {} is {}", number.value, number.value < 0 ? "negative" : "absurdly large"),
            fmt::format("expected 0 to {:.0e} requests", value_max));
        fine = false;
      }
      if (!fine) continue;
      std::optional<int>& first_line = time->has_zone ? line_with_zone : line_without_zone;
      if (!first_line) first_line = row.line;
      Row read;
      read.at = time->has_zone ? time->at : time->at - recorded_.utc_offset;
      if (number.kind == CsvNumberKind::number) {
        read.value = number.value;
      } else {
        missing_.add(value_field.text, row.line);
      }
      read.line = row.line;
      rows_.push_back(read);
    }
    local_time_ = line_without_zone.has_value();
    if (line_with_zone && line_without_zone) {
      const bool later_without = *line_without_zone > *line_with_zone;
      fault(std::max(*line_without_zone, *line_with_zone), 0,
            fmt::format("the timestamp names {} time zone, unlike the one of line {}",
                        later_without ? "no" : "a", std::min(*line_without_zone, *line_with_zone)),
            "write all timestamps with a zone, or all without");
    }
    if (local_time_ && recorded_.utc_offset == Milliseconds{0}) {
      note("the timestamps name no time zone and are taken as UTC.");
    } else if (local_time_) {
      note(fmt::format("the timestamps name no time zone and are taken as UTC{}{}.",
                       recorded_.utc_offset > Milliseconds{0} ? "+" : "",
                       format_duration(recorded_.utc_offset)));
    }
    if (missing_.rows > 0) {
      note(fmt::format("{} no number as value ({}; the first is line {}) and {} read as missing.",
                       plural(missing_.rows, "row has", "rows have"), missing_.words, missing_.first_line,
                       missing_.rows == 1 ? "is" : "are"));
    }
  }

  void note_order() {
    std::size_t descents = 0;
    for (std::size_t i = 1; i < rows_.size(); ++i) {
      if (rows_[i].at >= rows_[i - 1].at) continue;
      ++descents;
      descent_line_ = rows_[i].line;
    }
    const bool reversed = descents + 1 == rows_.size();
    one_descent_ = descents == 1 && rows_.size() > 2;
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.at < b.at; });
    if (descents == 0) return;
    if (reversed) {
      note("the rows stand in descending order and are read in ascending order.");
    } else {
      note(fmt::format("the rows are not in the order of time ({}, the last in line {}) and are sorted.",
                       plural(descents, "step back", "steps back"), descent_line_));
    }
  }

  // One row per timestamp. A missing value beside a present one is no contradiction.
  bool merge_duplicates() {
    std::vector<Row> merged;
    std::size_t equal = 0;
    std::size_t contradicting = 0;
    int line = 0;
    Milliseconds first_doubled{0};
    Milliseconds last_doubled{0};
    for (std::size_t i = 0; i < rows_.size();) {
      std::size_t end = i;
      double sum = 0;
      std::size_t present = 0;
      bool differ = false;
      for (; end < rows_.size() && rows_[end].at == rows_[i].at; ++end) {
        if (!rows_[end].value) continue;
        if (present > 0 && *rows_[end].value != sum / static_cast<double>(present)) differ = true;
        sum += *rows_[end].value;
        ++present;
      }
      Row row = rows_[i];
      if (present > 0) row.value = sum / static_cast<double>(present);
      merged.push_back(row);
      if (end - i > 1) {
        if (equal + contradicting == 0) first_doubled = row.at;
        last_doubled = row.at;
        (differ ? contradicting : equal) += end - i - 1;
        if (differ && line == 0) line = rows_[i + 1].line;
      }
      i = end;
    }
    const std::size_t all = rows_.size();
    rows_ = std::move(merged);
    const auto usual = usual_distance();
    const Milliseconds doubled = last_doubled - first_doubled;
    const bool hour_repeated = local_time_ && one_descent_ && equal + contradicting > 1 && doubled < hour &&
                               doubled >= hour - (usual ? usual->length : hour);
    if (equal > 0) {
      note(fmt::format("{} dropped.",
                       plural(equal, "row that repeats another is", "rows that repeat another are")));
    }
    if (contradicting == 0) return true;
    if (hour_repeated) {
      note(
          fmt::format("the hour from {} occurs twice, as where a local clock is set back at the end of "
                      "daylight-saving time; the two are averaged; timestamps in UTC avoid this.",
                      format_instant(first_doubled)));
      return true;
    }
    if (contradicting > 1 &&
        static_cast<double>(contradicting) > contradictions_max * static_cast<double>(all)) {
      fault(line, 1,
            fmt::format("{} rows have a timestamp that another row has with another value", contradicting),
            "the file seems to hold several series: keep one, or sum them per timestamp");
      return false;
    }
    note(fmt::format(
        "{} a timestamp that another row has with another value (first in line {}); the values are "
        "averaged.",
        plural(contradicting, "row has", "rows have"), line));
    return true;
  }

  void drop_missing_ends() {
    const auto present = [](const Row& row) { return row.value.has_value(); };
    const auto first = std::find_if(rows_.begin(), rows_.end(), present);
    const auto last = std::find_if(rows_.rbegin(), rows_.rend(), present).base();
    const std::size_t kept = first < last ? static_cast<std::size_t>(last - first) : 0;
    const std::size_t dropped = rows_.size() - kept;
    if (dropped == 0) return;
    if (kept > 0) {
      note(fmt::format("{} without a value at the beginning or the end of the file {} left out.",
                       plural(dropped, "row", "rows"), dropped == 1 ? "is" : "are"));
      rows_.erase(last, rows_.end());
      rows_.erase(rows_.begin(), first);
    } else {
      rows_.clear();
    }
  }

  std::optional<base::Distance> usual_distance() const {
    std::vector<Milliseconds> times;
    times.reserve(rows_.size());
    for (const Row& row : rows_) times.push_back(row.at);
    return base::most_frequent_distance(times);
  }

  bool find_interval() {
    const auto usual = usual_distance();
    const std::size_t at_usual = usual ? usual->times : 0;
    const std::size_t distances = rows_.size() - 1;
    if (recorded_.interval) {
      recording_.interval = *recorded_.interval;
      if (usual && at_usual * 2 > distances && distances > 1 && usual->length != recording_.interval) {
        fault(rows_.front().line, 0,
              fmt::format("the interval is given as {} but most rows are {} apart",
                          format_duration(recording_.interval), format_duration(usual->length)),
              "correct the interval, or leave it out to have it inferred");
        return false;
      }
      return true;
    }
    if (!usual) {
      fault(rows_.front().line, 1, "the file holds one row, from which no interval can be inferred",
            "state the interval, such as interval: 5m");
      return false;
    }
    recording_.interval = usual->length;
    // Rows that come at uneven distances (a scraper with jitter): the median is what they aim at.
    if (at_usual * 2 <= distances && distances > 2) {
      std::vector<Milliseconds> sorted;
      for (std::size_t i = 1; i < rows_.size(); ++i) sorted.push_back(rows_[i].at - rows_[i - 1].at);
      std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                       sorted.end());
      recording_.interval = sorted[sorted.size() / 2];
      note(fmt::format("the rows are at uneven distances; the interval is taken as their median, {}.",
                       format_duration(recording_.interval)));
    } else {
      note(fmt::format("the interval is inferred as {}, the most frequent distance of two rows.",
                       format_duration(recording_.interval)));
    }
    return true;
  }

  void find_unit() {
    unit_ = recorded_.unit;
    if (unit_ != RecordedUnit::infer) return;
    const std::string name = heading_ ? heading_->fields[value_column_].text : std::string();
    const auto inferred = heading_ ? unit_of(name) : std::nullopt;
    unit_ = inferred.value_or(RecordedUnit::requests_per_interval);
    const std::string unit = unit_ == RecordedUnit::requests_per_minute ? "requests per minute"
                             : unit_ == RecordedUnit::requests_per_second
                                 ? "requests per second"
                                 : fmt::format("requests in {}", format_duration(recording_.interval));
    if (inferred) {
      note(fmt::format("the unit is inferred from the heading '{}': {}.", name, unit));
    } else {
      note(fmt::format("{} names no unit; the values are taken as {}.",
                       heading_ ? fmt::format("the heading '{}'", name) : std::string("no heading"), unit));
    }
  }

  double rate_of(double value) const {
    if (unit_ == RecordedUnit::requests_per_second) return value;
    if (unit_ == RecordedUnit::requests_per_minute) return value / 60;
    return value * 1000 / static_cast<double>(recording_.interval.count());
  }

  bool make_cells() {
    const Milliseconds interval = recording_.interval;
    const Milliseconds span = rows_.back().at - rows_.front().at;
    const auto rows = static_cast<std::int64_t>(rows_.size());
    const std::int64_t most = std::min(cells_max, cells_of_few_rows + rows * cells_per_row_max);
    if (span / interval > most) {
      fault(rows_.back().line, 1,
            fmt::format("the {} rows span {} at an interval of {}", rows, format_duration(span),
                        format_duration(interval)),
            fmt::format("expected at most {} intervals; correct the timestamps or state the interval", most));
      return false;
    }
    std::erase_if(rows_, [](const Row& row) { return !row.value.has_value(); });
    std::size_t gaps = 0;
    Milliseconds missing{0};
    Milliseconds longest{0};
    Milliseconds longest_at{0};
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Milliseconds from = rows_[i].at;
      const double rate = rate_of(*rows_[i].value);
      if (i + 1 == rows_.size()) {
        recording_.cells.push_back({from, from + interval, rate, false});
        break;
      }
      const Milliseconds next = rows_[i + 1].at;
      // Half an interval of jitter is no gap: the row lasts until the next.
      if ((next - from) * 2 <= interval * 3) {
        recording_.cells.push_back({from, next, rate, false});
        continue;
      }
      recording_.cells.push_back({from, from + interval, rate, false});
      fill(from + interval, next, rate, rate_of(*rows_[i + 1].value));
      ++gaps;
      missing += next - from - interval;
      if (next - from - interval > longest) {
        longest = next - from - interval;
        longest_at = from + interval;
      }
    }
    if (gaps == 0) return true;
    note(fmt::format("{} filled by straight lines, {} in all, the longest {} from {}.",
                     plural(gaps, "gap is", "gaps are"), format_duration(missing), format_duration(longest),
                     format_instant(longest_at)));
    if (local_time_ && longest == hour && interval < hour) {
      note(
          fmt::format("the gap of 1h at {} may be a local clock set forward at the start of daylight-saving "
                      "time; timestamps in UTC avoid this.",
                      format_instant(longest_at)));
    }
    return true;
  }

  // Cells of one interval, the last as long as is left, on the line between the centres of the neighbours.
  void fill(Milliseconds from, Milliseconds to, double rate_before, double rate_after) {
    const Milliseconds interval = recording_.interval;
    const double reach = static_cast<double>((to - from + interval).count());  // centre to centre
    for (Milliseconds at = from; at < to; at += interval) {
      const Milliseconds end = std::min(at + interval, to);
      const double passed =
          static_cast<double>((at - from).count()) + static_cast<double>((end - at + interval).count()) / 2;
      recording_.cells.push_back({at, end, rate_before + (rate_after - rate_before) * passed / reach, true});
    }
  }

  const Recorded& recorded_;
  CsvTable table_;
  std::vector<Fault> faults_;
  std::vector<Row> rows_;
  Missing missing_;
  std::optional<CsvRow> heading_;
  std::size_t timestamp_column_ = 0;
  std::size_t value_column_ = 1;
  RecordedUnit unit_ = RecordedUnit::infer;
  bool local_time_ = false;
  bool one_descent_ = false;
  int descent_line_ = 0;
  Recording recording_;
};

}  // namespace

base::Result<Recording> read_recording(const Recorded& recorded) { return Reading(recorded).read(); }

Profile steps(const Recording& recording) {
  Profile profile;
  for (const Cell& cell : recording.cells) {
    profile.pieces.push_back({cell.from, cell.to, cell.requests_per_second, cell.requests_per_second});
  }
  return profile;
}

Profile lines(const Recording& recording) {
  const std::vector<Cell>& cells = recording.cells;
  const auto centre = [](const Cell& cell) { return cell.from + (cell.to - cell.from) / 2; };
  Profile profile;
  const auto add = [&profile](Milliseconds from, Milliseconds to, double rate_from, double rate_to) {
    if (from < to) profile.pieces.push_back({from, to, rate_from, rate_to});
  };
  const double first = cells.front().requests_per_second;
  const double last = cells.back().requests_per_second;
  add(cells.front().from, centre(cells.front()), first, first);
  for (std::size_t i = 1; i < cells.size(); ++i) {
    add(centre(cells[i - 1]), centre(cells[i]), cells[i - 1].requests_per_second,
        cells[i].requests_per_second);
  }
  add(centre(cells.back()), cells.back().to, last, last);
  return profile;
}

}  // namespace headroom::workload
