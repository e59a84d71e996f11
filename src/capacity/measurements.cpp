#include "capacity/measurements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
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
using base::RequestUnit;

// An hour: a response that took longer was measured in another unit.
constexpr double latency_ms_max = 3'600'000;

constexpr double requests_max = 1e15;

// Rows left out are named up to this number.
constexpr std::size_t rows_named_max = 10;

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool contains(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

// A column and the factor that brings its numbers to the unit of Measurement.
struct Column {
  std::size_t index = 0;
  std::string heading;
  double factor = 1;
};

class Reading {
 public:
  Reading(const std::string& file, const UtilisationSeries* joined) : joined_(joined) {
    measurements_.file = file;
  }

  base::Result<Measurements> read(std::string_view csv) {
    base::CsvTable table = base::read_csv(csv, measurements_.file);
    faults_ = std::move(table.faults);
    separator_ = table.separator;
    if (table.rows.empty()) return base::error_of(std::move(faults_));
    find_columns(table.rows.front());
    if (!faults_.empty() && (!rate_ || (!cpu_ && joined_ == nullptr)))
      return base::error_of(std::move(faults_));
    table.rows.erase(table.rows.begin());
    find_factors(table.rows);
    for (const CsvRow& row : table.rows) read_row(row);
    if (joined_ != nullptr) check_times();
    if (!faults_.empty()) return base::error_of(std::move(faults_));
    if (joined_ != nullptr) note_joined();
    if (measurements_.rows.empty() && left_out_ > 0 && joined_ == nullptr) {
      return base::bad_input(base::Place{measurements_.file, 0, 0},
                             "no row has a request rate and a utilisation",
                             "name a CSV of the utilisation: `headroom fit FILE --cpu CPU.csv`");
    }
    if (left_out_ > 0) {
      note(fmt::format("{} without a request rate or a utilisation {} left out.",
                       left_out_ == 1 ? "1 row" : fmt::format("{} rows", left_out_),
                       left_out_ == 1 ? "is" : "are"));
    }
    return std::move(measurements_);
  }

 private:
  void fault(int line, int column, std::string what, std::string fix) {
    faults_.push_back({{measurements_.file, line, column}, std::move(what), std::move(fix)});
  }
  void note(std::string_view sentence) {
    measurements_.notes.push_back(fmt::format("{}: {}", measurements_.file, sentence));
  }

  void set(std::optional<Column>& column, const CsvField& field, std::size_t index, double factor = 1) {
    if (column) {
      fault(field.line, field.column,
            fmt::format("the headings {} and {} mean the same", base::in_quotes(column->heading),
                        base::in_quotes(field.text)),
            "keep one of the columns");
      return;
    }
    column = Column{index, field.text, factor};
  }

  void find_columns(const CsvRow& heading) {
    for (std::size_t i = 0; i < heading.fields.size(); ++i) {
      const CsvField& field = heading.fields[i];
      const std::string name = base::plain_name(field.text);
      if (names_time(name)) {
        set(time_, field, i);
      } else if (name == "begin") {
        set(begin_, field, i);
      } else if (name == "end") {
        set(end_, field, i);
      } else if (name == "full") {
        set(full_, field, i);
      } else if (is_one_of(name, {"instances", "hosts", "replicas"})) {
        set(instances_, field, i);
      } else if (is_one_of(name, {"errors", "error_count", "failed", "failures"})) {
        set(errors_, field, i);
      } else if (is_one_of(name, {"error_percent", "errors_percent"})) {
        set(error_share_, field, i, 0.01);
      } else if (is_one_of(name, {"error_share", "error_ratio"})) {
        set(error_share_, field, i);
      } else if (is_latency(name, {"p50", "median"})) {
        set(p50_, field, i, latency_factor(field.text, name));
      } else if (is_latency(name, {"p95"})) {
        set(p95_, field, i, latency_factor(field.text, name));
      } else if (is_latency(name, {"p99"})) {
        set(p99_, field, i, latency_factor(field.text, name));
      } else if (is_latency(name, {"latency", "response_time"})) {
        set(latency_, field, i, latency_factor(field.text, name));
      } else if (names_utilisation(name)) {
        if (joined_ == nullptr) set(cpu_, field, i);
      } else if (const auto unit = base::request_unit_of(field.text)) {
        set(rate_, field, i);
        unit_ = *unit;
      }
    }
    if (!rate_) {
      fault(heading.line, 1, "no heading names the requests",
            "expected a column such as rpm, rps or requests");
    }
    if (joined_ == nullptr && !cpu_) {
      fault(heading.line, 1, "no heading names the utilisation", "expected a column such as cpu_percent");
    }
    if (begin_.has_value() != end_.has_value()) {
      fault(heading.line, 1, fmt::format("there is a column {} alone", begin_ ? "begin" : "end"),
            "a row is about the time from begin to end");
    }
    if (joined_ != nullptr && !begin_ && !time_) {
      fault(heading.line, 1, "no column says when a row was measured",
            "expected columns begin and end, or timestamp");
    }
  }

  static bool is_latency(std::string_view name, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
      return name == word || name.starts_with(fmt::format("{}_", word)) ||
             name.ends_with(fmt::format("_{}", word)) || contains(name, fmt::format("_{}_", word));
    });
  }

  double latency_factor(const std::string& heading, std::string_view name) {
    if (name.ends_with("_s") || name.ends_with("_seconds") || name.ends_with("_sec")) return 1000;
    if (!name.ends_with("_ms") && !name.ends_with("_milliseconds")) {
      note(fmt::format("the heading {} names no unit; its values are taken as milliseconds.",
                       base::in_quotes(heading)));
    }
    return 1;
  }

  // What the numbers of the whole file say about their units.
  void find_factors(const std::vector<CsvRow>& rows) {
    const bool per_instance = contains(base::plain_name(rate_->heading), "per_instance") ||
                              contains(base::plain_name(rate_->heading), "per_host");
    if (unit_ == RequestUnit::per_second) {
      note(fmt::format("{} is requests per second.", base::in_quotes(rate_->heading)));
    } else if (unit_ == RequestUnit::per_minute) {
      rate_->factor = 1.0 / 60;
      note(fmt::format("{} is requests per minute.", base::in_quotes(rate_->heading)));
    }
    if (unit_ == RequestUnit::per_interval || errors_ || (joined_ != nullptr && !begin_)) find_interval(rows);
    if (unit_ == RequestUnit::per_interval && interval_) {
      rate_->factor = 1 / base::seconds(*interval_);
      note(fmt::format("{} is requests in {}, the most frequent distance of two rows.",
                       base::in_quotes(rate_->heading), base::format_duration(*interval_)));
    }
    if (per_instance) instances_.reset();
    if (!per_instance && instances_) {
      note(fmt::format("requests are divided by {}.", base::in_quotes(instances_->heading)));
    } else if (!per_instance) {
      note("there is no column of instances; the requests are taken as those of one instance.");
    }
    if (!cpu_) return;
    double highest = 0;
    for (const CsvRow& row : rows) {
      const CsvNumber number = cpu_number(row.fields[cpu_->index].text);
      if (number.kind == CsvNumberKind::number) highest = std::max(highest, number.value);
    }
    const std::string name = base::plain_name(cpu_->heading);
    const bool says_percent =
        contains(name, "percent") || contains(name, "pct") || contains(cpu_->heading, "%");
    if (!says_percent && highest <= 1) {
      cpu_->factor = 100;
      note(fmt::format("no value of {} is above 1; they are taken as shares of 1.",
                       base::in_quotes(cpu_->heading)));
    } else if (!says_percent) {
      note(fmt::format("{} is taken as percent.", base::in_quotes(cpu_->heading)));
    }
  }

  void find_interval(const std::vector<CsvRow>& rows) {
    std::vector<Milliseconds> times;
    if (time_) {
      for (const CsvRow& row : rows) {
        const auto time = base::parse_timestamp(row.fields[time_->index].text);
        if (time) times.push_back(time->at);
      }
    }
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    const auto usual = base::most_frequent_distance(times);
    if (usual) {
      interval_ = usual->length;
    } else if (joined_ != nullptr && !begin_) {
      fault(1, 1, "too few timestamps tell how long a row is", "add columns begin and end");
    } else if (unit_ == RequestUnit::per_interval) {
      fault(1, 1, "requests are counted per interval, but no timestamps tell how long it is",
            "add a column timestamp, or give the rate as rpm or rps");
    } else {
      note("errors are counted, but no timestamps tell in which time; they are left alone.");
    }
  }

  // "34.9 %" as 34.9.
  CsvNumber cpu_number(std::string_view text) const {
    if (!text.empty() && text.back() == '%') text.remove_suffix(1);
    return base::read_csv_number(text, separator_);
  }

  // The number of a field in the unit of Measurement; unset where it is missing or a fault.
  std::optional<double> number(const CsvRow& row, const std::optional<Column>& column, std::string_view name,
                               double low, double high, std::string_view fix) {
    if (!column) return std::nullopt;
    const CsvField& field = row.fields[column->index];
    const CsvNumber read =
        &column == &cpu_ ? cpu_number(field.text) : base::read_csv_number(field.text, separator_);
    if (read.kind == CsvNumberKind::missing) return std::nullopt;
    if (read.kind != CsvNumberKind::number) {
      fault(field.line, field.column, base::describe(read.kind, name, field.text),
            "write a number with a decimal point, or leave the field empty where there is no value");
      return std::nullopt;
    }
    const double value = read.value * column->factor;
    if (value < low || value > high) {
      fault(field.line, field.column,
            fmt::format("the {} {} is not possible", name, base::in_quotes(field.text)), std::string(fix));
      return std::nullopt;
    }
    return value;
  }

  std::optional<Milliseconds> time_of(const CsvRow& row, const std::optional<Column>& column) {
    if (!column) return std::nullopt;
    const CsvField& field = row.fields[column->index];
    const auto time = base::parse_timestamp(field.text);
    if (time) return time->at;
    fault(field.line, field.column,
          fmt::format("the timestamp {} {}", base::in_quotes(field.text), time.error()),
          "correct or remove the row");
    return std::nullopt;
  }

  // The utilisation of the series over the time of this row; 0 where that time is a fault.
  std::optional<double> joined_cpu(const CsvRow& row, std::optional<Milliseconds> at) {
    Window window;
    if (begin_) {
      const auto begin = time_of(row, begin_);
      const auto end = time_of(row, end_);
      if (!begin || !end) return 0;
      if (*begin > *end) {
        fault(row.line, 1, "the row ends before it begins", "correct or remove it");
        return 0;
      }
      window = {*begin, *end};
    } else {
      if (!at || !interval_) return 0;
      window = {*at, *at + *interval_};
    }
    times_.from = times_.to == Milliseconds(0) ? window.from : std::min(times_.from, window.from);
    times_.to = std::max(times_.to, window.to);
    const auto percent = utilisation_in(*joined_, window);
    if (!percent) {
      unjoined_.push_back(window);
      return std::nullopt;
    }
    return percent->value();
  }

  // Nothing of the series is of the time of the test: a clock, or a file, is the wrong one.
  void check_times() {
    if (!faults_.empty() || joined_->samples.empty()) return;
    const Milliseconds from = joined_->samples.front().at;
    const Milliseconds to = joined_->samples.back().at;
    if (!measurements_.rows.empty() || (unjoined_.empty() && left_out_ == 0)) return;
    const bool apart = to < times_.from || from > times_.to;
    fault(0, 0,
          fmt::format("no row has {} values of the utilisation within its time: the rows are of {} to {}, {} "
                      "is of {} to {}, every {}",
                      kSamplesLeast, base::format_instant(times_.from), base::format_instant(times_.to),
                      joined_->file, base::format_instant(from), base::format_instant(to),
                      base::format_duration(joined_->interval)),
          apart ? "write its times with their zone (+02:00), and see that both machines have the same clock"
                : "record the utilisation more often, or measure each rate for longer");
  }

  void note_joined() {
    for (const std::string& one : joined_->notes) measurements_.notes.push_back(one);
    if (unjoined_.empty()) return;
    std::string named;
    for (std::size_t i = 0; i < std::min(unjoined_.size(), rows_named_max); ++i) {
      named += fmt::format("{}{} to {}", i == 0 ? "" : ", ", base::format_instant(unjoined_[i].from),
                           base::format_instant(unjoined_[i].to));
    }
    if (unjoined_.size() > rows_named_max)
      named += fmt::format(" and {} more", unjoined_.size() - rows_named_max);
    note(
        fmt::format("{} has fewer than {} values within {}: left out.", joined_->file, kSamplesLeast, named));
  }

  void read_row(const CsvRow& row) {
    const auto at = time_of(row, time_);
    constexpr std::string_view positive = "expected 0 or more";
    constexpr std::string_view milliseconds = "expected 0 to 3600000 ms";
    const auto rate = number(row, rate_, "request rate", 0, requests_max, positive);
    const auto cpu = joined_ != nullptr
                         ? joined_cpu(row, at)
                         : number(row, cpu_, "utilisation", 0, kUtilisationMost,
                                  "expected 0 to 100 % of what the instance is allowed; divide by its cores");
    const auto instances = number(row, instances_, "number of instances", 0, 1e9, positive);
    Measurement measurement;
    measurement.line = row.line;
    measurement.p50_ms = number(row, p50_, "latency", 0, latency_ms_max, milliseconds);
    measurement.p95_ms = number(row, p95_, "latency", 0, latency_ms_max, milliseconds);
    measurement.p99_ms = number(row, p99_, "latency", 0, latency_ms_max, milliseconds);
    const auto latency = number(row, latency_, "latency", 0, latency_ms_max, milliseconds);
    if (!p50_ && !p95_ && !p99_) measurement.p95_ms = latency;
    measurement.error_share = number(row, error_share_, "error share", 0, 1, "expected 0 to 100 %");
    const auto errors = number(row, errors_, "number of errors", 0, requests_max, positive);
    measurement.full = number(row, full_, "mark", 0, 1, "expected 1 where the instance was full, else 0") > 0;
    check_order(row, measurement);

    const bool scaled_down = instances_ && (!instances || *instances <= 0);
    if (!rate || !cpu || scaled_down) {
      if (cpu || joined_ == nullptr) ++left_out_;
      return;
    }
    measurement.per_instance = base::Rate(*rate / instances.value_or(1));
    measurement.utilisation = base::Percent(*cpu);
    if (errors && interval_ && *rate > 0) {
      measurement.error_share = std::min(1.0, *errors / (*rate * base::seconds(*interval_)));
    }
    measurements_.rows.push_back(measurement);
  }

  void check_order(const CsvRow& row, const Measurement& measurement) {
    const auto falls = [](const std::optional<double>& low, const std::optional<double>& high) {
      return low && high && *low > *high;
    };
    if (falls(measurement.p50_ms, measurement.p95_ms) || falls(measurement.p95_ms, measurement.p99_ms) ||
        falls(measurement.p50_ms, measurement.p99_ms)) {
      fault(row.line, 1, "a lower quantile of the latency is above a higher one",
            "expected p50 <= p95 <= p99");
    }
  }

  Measurements measurements_;
  const UtilisationSeries* joined_;  // null: the file itself has the utilisation
  std::vector<Window> unjoined_;
  Window times_;  // from the first row to the last
  std::vector<base::Fault> faults_;
  char separator_ = ',';
  RequestUnit unit_ = RequestUnit::per_second;
  std::optional<Milliseconds> interval_;
  std::optional<Column> time_;
  std::optional<Column> rate_;
  std::optional<Column> cpu_;
  std::optional<Column> p50_;
  std::optional<Column> p95_;
  std::optional<Column> p99_;
  std::optional<Column> latency_;
  std::optional<Column> errors_;
  std::optional<Column> error_share_;
  std::optional<Column> instances_;
  std::optional<Column> begin_;
  std::optional<Column> end_;
  std::optional<Column> full_;
  std::size_t left_out_ = 0;
};

}  // namespace

base::Result<Measurements> read_measurements(std::string_view csv, const std::string& file) {
  return Reading(file, nullptr).read(csv);
}

base::Result<Measurements> read_measurements(std::string_view csv, const std::string& file,
                                             const UtilisationSeries& utilisation) {
  return Reading(file, &utilisation).read(csv);
}

}  // namespace headroom::capacity
