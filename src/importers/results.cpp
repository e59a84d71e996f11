#include "importers/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/csv.hpp"
#include "base/timestamp.hpp"
#include "base/units.hpp"
#include "workload/recorded.hpp"

namespace headroom::importers {
namespace {

using base::Milliseconds;

// Requests that were sent from one time to the next.
struct Sent {
  Milliseconds from{0};
  Milliseconds to{0};
  double requests = 0;
};

// Six digits are more than any of these tools measures.
base::Rate rounded(double per_second) {
  return base::Rate(base::parse_number(fmt::format("{:.6g}", per_second)).value_or(per_second));
}

// Stages of constant rate with the requests of `sent`, at most kStagesMost of them. Requires: ascending times
// without gaps, not empty.
workload::Open stages_of(const std::vector<Sent>& sent, Milliseconds least) {
  const Milliseconds start = sent.front().from;
  const Milliseconds total = sent.back().to - start;
  Milliseconds width = std::max(least, Milliseconds{1});
  for (const std::int64_t seconds :
       {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 21'600, 86'400}) {
    if (width.count() * static_cast<std::int64_t>(kStagesMost) >= total.count()) break;
    width = std::max(width, Milliseconds{seconds * 1000});
  }
  const std::int64_t most = static_cast<std::int64_t>(kStagesMost);
  width = std::max(width, Milliseconds{(total.count() + most - 1) / most});
  workload::Open open;
  std::size_t next = 0;
  for (Milliseconds from = start; from < sent.back().to; from += width) {
    const Milliseconds to = std::min(from + width, sent.back().to);
    double requests = 0;
    while (next < sent.size()) {
      const Sent& one = sent[next];
      const Milliseconds both = std::min(to, one.to) - std::max(from, one.from);
      requests +=
          one.requests * static_cast<double>(both.count()) / static_cast<double>((one.to - one.from).count());
      if (one.to > to) break;
      ++next;
    }
    const base::Rate rate = rounded(requests / base::seconds(to - from));
    if (!open.stages.empty() && open.stages.back().to == rate) {
      open.stages.back().duration += to - from;
    } else {
      open.stages.push_back({to - from, rate, rate});
    }
  }
  return open;
}

struct Columns {
  std::vector<std::string> names;

  std::optional<std::size_t> find(std::string_view name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
  }
};

Columns columns_of(const base::CsvTable& table) {
  Columns columns;
  if (table.rows.empty()) return columns;
  for (const base::CsvField& field : table.rows.front().fields)
    columns.names.push_back(base::plain_name(field.text));
  return columns;
}

base::Error missing(const std::string& file, const std::string& column, const std::string& tool) {
  return base::bad_input(base::Place{file, 1, 1},
                         fmt::format("there is no column {}", base::in_quotes(column)),
                         "is this " + tool + "?");
}

// The values of two columns; faults go to the table.
struct Cells {
  base::CsvTable& table;
  const std::string& file;

  std::optional<Milliseconds> time(const base::CsvField& field) const {
    const auto parsed = base::parse_timestamp(field.text);
    if (parsed) return parsed->at;
    table.faults.push_back({{file, field.line, field.column}, parsed.error(), {}});
    return std::nullopt;
  }

  std::optional<double> number(const base::CsvField& field, std::string_view name) const {
    const base::CsvNumber read = base::read_csv_number(field.text, table.separator);
    if (read.kind == base::CsvNumberKind::number && read.value >= 0) return read.value;
    if (read.kind == base::CsvNumberKind::number) {
      table.faults.push_back({{file, field.line, field.column},
                              fmt::format("the {} {} is negative", name, base::in_quotes(field.text)),
                              {}});
    } else {
      table.faults.push_back(
          {{file, field.line, field.column}, base::describe(read.kind, name, field.text), {}});
    }
    return std::nullopt;
  }
};

// How a tool names what counts in its CSV.
struct Layout {
  const char* tool;
  const char* kind;                // the column that says what a row is about
  std::set<std::string> of_these;  // values of that column: the rows that count
  const char* time;
  const char* requests;
  const char* users;  // need not be there; empty: it never is
};

struct Counted {
  Milliseconds at{0};
  double count = 0;
};

struct CountedRows {
  std::vector<Counted> rows;
  std::size_t others = 0;  // rows that do not count
  double users_most = 0;
};

// Errors: a column that is missing; rows that are no time and number.
base::Result<CountedRows> counts_of(std::string_view text, const std::string& file, const Layout& layout) {
  base::CsvTable table = base::read_csv(text, file);
  if (table.rows.empty()) return base::error_of(table.faults);
  const Columns columns = columns_of(table);
  const auto find = [&](const char* heading) { return columns.find(base::plain_name(heading)); };
  for (const char* heading : {layout.time, layout.requests, layout.kind}) {
    if (!find(heading)) return missing(file, heading, layout.tool);
  }
  const std::size_t kind = *find(layout.kind);
  const std::size_t time = *find(layout.time);
  const std::size_t requests = *find(layout.requests);
  const auto users = find(layout.users);
  const std::vector<base::CsvRow> rows = std::move(table.rows);
  const Cells cells{table, file};
  CountedRows counts;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& fields = rows[i].fields;
    if (!layout.of_these.contains(fields[kind].text)) {
      ++counts.others;
      continue;
    }
    const auto at = cells.time(fields[time]);
    const auto count = cells.number(fields[requests], "number of requests");
    if (users) {
      const double number = cells.number(fields[*users], "number of users").value_or(0);
      counts.users_most = std::max(counts.users_most, number);
    }
    if (at && count) counts.rows.push_back({*at, *count});
  }
  if (!table.faults.empty()) return base::error_of(table.faults);
  return counts;
}

Note told(std::string what) { return {NoteKind::told, 0, {}, {}, std::move(what)}; }

void note_stages(Imported& imported, std::size_t points) {
  const auto& open = std::get<workload::Open>(imported.traffic.shape);
  Milliseconds total{0};
  for (const workload::OpenStage& stage : open.stages) total += stage.duration;
  imported.notes.push_back(told(fmt::format(
      "{} points over {}, as {} {} of constant rate with as many requests", points,
      base::format_duration(total), open.stages.size(), open.stages.size() == 1 ? "stage" : "stages")));
}

struct Point {
  Milliseconds at{0};
  double total = 0;  // requests so far
};

// What lies between two points of a running total; one that falls has begun again.
base::Result<Imported> from_totals(const std::vector<Point>& points, const std::string& file) {
  std::vector<Sent> sent;
  std::vector<Milliseconds> times;
  for (const Point& point : points) times.push_back(point.at);
  const auto distance = base::most_frequent_distance(times);
  if (!distance || distance->length <= Milliseconds{0}) {
    return base::bad_input(base::Place{file, 1, 1}, "there are fewer than two points in time",
                           "a course over time needs at least two rows");
  }
  // What was sent before the first row was written.
  if (points.front().total > 0)
    sent.push_back({points.front().at - distance->length, points.front().at, points.front().total});
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i].at == points[i - 1].at) continue;
    const double more = points[i].total - points[i - 1].total;
    sent.push_back({points[i - 1].at, points[i].at, more >= 0 ? more : points[i].total});
  }
  Imported imported;
  imported.traffic.shape = stages_of(sent, distance->length);
  note_stages(imported, points.size());
  return imported;
}

base::Result<nlohmann::json> parsed(std::string_view text, const std::string& file) {
  if (text.size() > kSummaryBytes) {
    return base::bad_input(
        base::Place{file, 1, 1},
        fmt::format("the file is {} bytes long, more than the {} that are read", text.size(), kSummaryBytes));
  }
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    const std::size_t at = std::min(error.byte == 0 ? 0 : error.byte - 1, text.size());
    const std::string_view before = text.substr(0, at);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return base::bad_input(
        base::Place{file, static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
                    static_cast<int>(at - line_start) + 1},
        "not valid JSON", "expected what k6 writes with --summary-export");
  }
}

// A figure of a metric: `--summary-export` writes it into the metric, handleSummary below `values`.
std::optional<double> figure(const nlohmann::json& summary, const char* metric, const char* name) {
  const auto metrics = summary.find("metrics");
  if (metrics == summary.end() || !metrics->is_object()) return std::nullopt;
  const auto found = metrics->find(metric);
  if (found == metrics->end() || !found->is_object()) return std::nullopt;
  const auto values = found->find("values");
  const nlohmann::json& at = values != found->end() && values->is_object() ? *values : *found;
  const auto value = at.find(name);
  if (value == at.end() || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

}  // namespace

base::Result<Imported> import_locust_history(std::string_view text, const std::string& file) {
  // With --csv-full-history there are rows for each request beside those of all.
  const auto counts = counts_of(text, file,
                                {"the *_stats_history.csv of Locust",
                                 "Name",
                                 {"Aggregated", "Total"},
                                 "Timestamp",
                                 "Total Request Count",
                                 "User Count"});
  if (!counts) return counts.error();
  std::map<Milliseconds, double> totals;
  for (const Counted& row : counts->rows) totals[row.at] = row.count;
  std::vector<Point> points;
  for (const auto& [at, count] : totals) points.push_back({at, count});
  auto imported = from_totals(points, file);
  if (!imported) return imported;
  if (counts->others > 0) {
    imported->notes.push_back(
        told(fmt::format("{} rows of single requests are not needed beside those of all", counts->others)));
  }
  if (counts->users_most > 0) {
    imported->notes.push_back(
        told(fmt::format("up to {:.0f} users sent it; how long they paused is not in a history, so that this "
                         "is their rate as open "
                         "traffic: for users who wait for answers, write closed stages",
                         counts->users_most)));
  }
  return imported;
}

base::Result<Imported> import_k6_csv(std::string_view text, const std::string& file) {
  const auto counts = counts_of(
      text, file, {"the CSV output of k6", "metric_name", {"http_reqs"}, "timestamp", "metric_value", ""});
  if (!counts) return counts.error();
  constexpr Milliseconds kSecond{1000};
  std::map<Milliseconds, double> per_second;
  for (const Counted& row : counts->rows) per_second[row.at - row.at % kSecond] += row.count;
  if (per_second.empty()) {
    return base::bad_input(base::Place{file, 1, 1}, "there are no rows of the metric http_reqs",
                           "k6 writes one for each request where the script sends HTTP");
  }
  std::vector<Sent> sent;
  for (const auto& [at, count] : per_second) {
    if (!sent.empty() && sent.back().to < at) sent.push_back({sent.back().to, at, 0});
    sent.push_back({at, at + kSecond, count});
  }
  Imported imported;
  imported.traffic.shape = stages_of(sent, kSecond);
  note_stages(imported, per_second.size());
  return imported;
}

base::Result<Imported> import_k6_summary(std::string_view text, const std::string& file) {
  const auto summary = parsed(text, file);
  if (!summary) return summary.error();
  const auto count = figure(*summary, "http_reqs", "count");
  const auto rate = figure(*summary, "http_reqs", "rate");
  if (!count || !rate || !(*count > 0) || !(*rate > 0)) {
    return base::bad_input(base::Place{file, 1, 1},
                           "there is no metric http_reqs with a count and a rate above 0",
                           "expected what k6 writes with --summary-export");
  }
  const double duration_ms = *count / *rate * 1000;
  constexpr double kLongestMs = 365.0 * 86'400'000;
  if (!(duration_ms >= 1 && duration_ms <= kLongestMs)) {
    return base::bad_input(
        base::Place{file, 1, 1},
        fmt::format("{:g} requests at {:g} a second make no length of a test", *count, *rate));
  }
  const Milliseconds duration{std::llround(duration_ms)};
  const base::Rate mean = rounded(*count / base::seconds(duration));
  Imported imported;
  imported.traffic.shape = workload::Open{base::Rate(0), {{duration, mean, mean}}, workload::SampleAt::mean};
  imported.notes.push_back({NoteKind::changed,
                            0,
                            {},
                            {},
                            "a summary holds no course over time: this is its mean rate for its duration; "
                            "`k6 run --out csv=FILE` writes the course"});
  imported.notes.push_back(told("percentiles, checks and thresholds are about answers, not traffic"));
  auto users = figure(*summary, "vus_max", "max");
  if (!users) users = figure(*summary, "vus_max", "value");
  if (users) imported.notes.push_back(told(fmt::format("up to {:.0f} virtual users sent it", *users)));
  return imported;
}

base::Result<Imported> import_csv(std::string_view text, const std::string& file) {
  workload::Recorded recorded;
  const std::size_t slash = file.rfind('/');
  recorded.file = slash == std::string::npos ? file : file.substr(slash + 1);
  recorded.path = file;
  recorded.text = text;
  const auto recording = workload::read_recording(recorded);
  if (!recording) return recording.error();
  Imported imported;
  imported.traffic.shape = std::move(recorded);
  for (const std::string& note : recording->notes) imported.notes.push_back(told(note));
  return imported;
}

CsvKind csv_kind(std::string_view text, const std::string& file) {
  std::size_t end = std::min(text.find('\n'), text.size());
  const Columns columns = columns_of(base::read_csv(text.substr(0, end), file));
  if (columns.find("metric_name") && columns.find("metric_value")) return CsvKind::k6;
  if (columns.find("user_count") && columns.find("total_request_count")) return CsvKind::locust_history;
  return CsvKind::recorded;
}

}  // namespace headroom::importers
