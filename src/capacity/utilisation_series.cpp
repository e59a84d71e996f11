#include "capacity/utilisation_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/csv.hpp"
#include "base/timestamp.hpp"
#include "base/units.hpp"
#include "capacity/headings.hpp"

namespace headroom::capacity {
namespace {

using base::CsvField;
using base::CsvNumber;
using base::CsvNumberKind;
using base::CsvRow;
using base::Milliseconds;

class Reading {
 public:
  Reading(const std::string& file, std::optional<UtilisationUnit> unit) : unit_(unit) { series_.file = file; }

  base::Result<UtilisationSeries> read(std::string_view csv) {
    base::CsvTable table = base::read_csv(csv, series_.file);
    faults_ = std::move(table.faults);
    separator_ = table.separator;
    if (table.rows.empty() || !find_columns(table.rows)) return base::error_of(std::move(faults_));
    for (const CsvRow& row : table.rows) read_row(row);
    if (faults_.empty() && series_.samples.empty()) {
      fault(1, 1, "the file holds no row with a utilisation",
            "expected rows such as 2026-12-01T10:00:00Z,34.9");
    }
    if (!faults_.empty()) return base::error_of(std::move(faults_));
    find_interval();
    find_unit();
    if (!faults_.empty()) return base::error_of(std::move(faults_));
    if (missing_ > 0) note(fmt::format("{} rows have no value.", missing_));
    if (without_zone_) note("its times name no zone; they are taken as UTC.");
    return std::move(series_);
  }

 private:
  void fault(int line, int column, std::string what, std::string fix) {
    faults_.push_back({{series_.file, line, column}, std::move(what), std::move(fix)});
  }
  void note(std::string_view sentence) {
    series_.notes.push_back(fmt::format("{}: {}", series_.file, sentence));
  }

  // Takes the heading off the rows, where there is one.
  bool find_columns(std::vector<CsvRow>& rows) {
    const CsvRow& first = rows.front();
    if (first.fields.size() < 2) {
      fault(first.line, 1, "expected a time and a utilisation in each row",
            "expected rows such as 2026-12-01T10:00:00Z,34.9");
      return false;
    }
    const bool has_heading = std::none_of(first.fields.begin(), first.fields.end(), [](const auto& field) {
      return base::parse_timestamp(field.text).has_value();
    });
    if (has_heading) {
      heading_ = first;
      if (!find_by_name()) return false;
      rows.erase(rows.begin());
    } else if (first.fields.size() > 2) {
      fault(first.line, 1, "no heading says which column is the utilisation",
            "add a first line such as timestamp,cpu_percent");
      return false;
    }
    return true;
  }

  bool find_by_name() {
    const std::vector<CsvField>& fields = heading_->fields;
    std::vector<std::size_t> times;
    std::vector<std::size_t> values;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::string name = base::plain_name(fields[i].text);
      if (names_time(name)) times.push_back(i);
      if (names_utilisation(name) || name == "value") values.push_back(i);
    }
    // Of two columns the one is the time and the other what was measured, whatever it is called.
    if (fields.size() == 2 && times.size() == 1 && values.empty()) values.push_back(1 - times.front());
    if (fields.size() == 2 && times.empty() && values.size() == 1) times.push_back(1 - values.front());
    if (fields.size() == 2 && times.empty() && values.empty()) {
      times.push_back(0);
      values.push_back(1);
    }
    if (times.size() != 1) {
      fault(heading_->line, 1, times.empty() ? "no heading names the time" : "several headings name a time",
            "expected one column timestamp");
    }
    if (values.size() != 1) {
      fault(heading_->line, 1,
            values.empty() ? "no heading names the utilisation" : "several headings name a utilisation",
            "keep the one of the instance, such as cpu_percent");
    }
    if (!faults_.empty()) return false;
    time_ = times.front();
    value_ = values.front();
    return true;
  }

  void read_row(const CsvRow& row) {
    const CsvField& time = row.fields[time_];
    const auto at = base::parse_timestamp(time.text);
    if (!at) {
      fault(time.line, time.column,
            fmt::format("the timestamp {} {}", base::in_quotes(time.text), at.error()),
            "correct or remove the row");
      return;
    }
    const CsvField& field = row.fields[value_];
    std::string_view text = field.text;
    if (!text.empty() && text.back() == '%') {
      text.remove_suffix(1);
      if (!unit_) unit_ = UtilisationUnit::percent;
    }
    const CsvNumber number = base::read_csv_number(text, separator_);
    if (number.kind == CsvNumberKind::missing) {
      ++missing_;
      return;
    }
    if (number.kind != CsvNumberKind::number || number.value < 0) {
      fault(
          field.line, field.column,
          number.kind == CsvNumberKind::number
              ? fmt::format("the utilisation {} is not possible", base::in_quotes(field.text))
              : base::describe(number.kind, "utilisation", field.text),
          "write a number from 0 on with a decimal point, or leave the field empty where there is no value");
      return;
    }
    without_zone_ = without_zone_ || !at->has_zone;
    series_.samples.push_back({at->at, base::Percent(number.value)});
    places_.push_back(field);
  }

  void find_interval() {
    std::stable_sort(series_.samples.begin(), series_.samples.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    std::vector<Milliseconds> times;
    for (const UtilisationSample& sample : series_.samples) {
      if (times.empty() || times.back() != sample.at) times.push_back(sample.at);
    }
    if (times.size() < series_.samples.size()) {
      fault(1, 1, "the file has several values for the same time", "keep the rows of one instance");
    }
    if (const auto usual = base::most_frequent_distance(times)) series_.interval = usual->length;
  }

  void find_unit() {
    const std::string name = heading_ ? base::plain_name(heading_->fields[value_].text) : std::string();
    const auto has = [&](std::string_view word) { return name.find(word) != std::string::npos; };
    if (!unit_ &&
        (has("percent") || has("pct") || (heading_ && heading_->fields[value_].text.ends_with('%'))))
      unit_ = UtilisationUnit::percent;
    if (!unit_ && (has("ratio") || has("share"))) unit_ = UtilisationUnit::ratio;
    const auto highest =
        std::max_element(series_.samples.begin(), series_.samples.end(),
                         [](const auto& a, const auto& b) { return a.utilisation < b.utilisation; });
    if (!unit_) {
      const bool shares = highest->utilisation.value() <= 1;
      unit_ = shares ? UtilisationUnit::ratio : UtilisationUnit::percent;
      note(shares ? "no value is above 1; they are taken as shares of 1."
                  : "its values are taken as percent.");
    }
    const double factor = *unit_ == UtilisationUnit::ratio ? 100 : 1;
    for (UtilisationSample& sample : series_.samples) {
      sample.utilisation = base::Percent(sample.utilisation.value() * factor);
    }
    for (const CsvField& place : places_) {
      std::string_view text = place.text;
      if (text.ends_with('%')) text.remove_suffix(1);
      if (base::read_csv_number(text, separator_).value * factor <= kUtilisationMost) continue;
      fault(place.line, place.column,
            fmt::format("the utilisation {} is not possible", base::in_quotes(place.text)),
            "expected 0 to 100 % of what the instance is allowed; divide by its cores");
    }
  }

  UtilisationSeries series_;
  std::optional<UtilisationUnit> unit_;
  std::vector<base::Fault> faults_;
  std::vector<CsvField> places_;
  std::optional<CsvRow> heading_;
  char separator_ = ',';
  std::size_t time_ = 0;
  std::size_t value_ = 1;
  std::size_t missing_ = 0;
  bool without_zone_ = false;
};

}  // namespace

base::Result<UtilisationSeries> read_utilisation(std::string_view csv, const std::string& file,
                                                 std::optional<UtilisationUnit> unit) {
  return Reading(file, unit).read(csv);
}

std::optional<base::Percent> utilisation_in(const UtilisationSeries& series, const Window& window) {
  const auto& samples = series.samples;
  const Milliseconds from = window.from + series.interval;
  const Milliseconds to = window.to - series.interval;
  double sum = 0;
  std::size_t count = 0;
  for (auto sample = std::lower_bound(samples.begin(), samples.end(), from,
                                      [](const auto&one, Milliseconds at) { return one.at < at; });
       sample != samples.end() && sample->at <= to; ++sample) {
    sum += sample->utilisation.value();
    ++count;
  }
  if (count < kSamplesLeast) return std::nullopt;
  return base::Percent(sum / static_cast<double>(count));
}

}  // namespace headroom::capacity
