// Any bytes as CSV: the form, as recorded traffic, and as the measurements of a load test.
//
// "# variant N" in the first line chooses how the recording is described; to the readers it is a comment.
#include <cmath>
#include <string>
#include <string_view>

#include "base/csv.hpp"
#include "capacity/fit.hpp"
#include "capacity/measurements.hpp"
#include "fuzz/promises.hpp"
#include "workload/recorded.hpp"

namespace headroom::fuzz {
namespace {

constexpr const char* file = "input.csv";

bool same(const base::CsvTable& a, const base::CsvTable& b) {
  if (a.separator != b.separator || a.faults != b.faults || a.rows.size() != b.rows.size()) return false;
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    if (a.rows[i].line != b.rows[i].line || a.rows[i].fields.size() != b.rows[i].fields.size()) return false;
    for (std::size_t k = 0; k < a.rows[i].fields.size(); ++k) {
      const base::CsvField& one = a.rows[i].fields[k];
      const base::CsvField& other = b.rows[i].fields[k];
      if (one.text != other.text || one.column != other.column) return false;
    }
  }
  return true;
}

// The places are those of the text itself, of which a byte order mark is no part.
TextOf input(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return [text](const std::string&) { return std::optional<std::string>(text); };
}

void reads_as_table(std::string_view text) {
  const base::CsvTable table = base::read_csv(text, file);
  if (!same(table, base::read_csv(text, file))) broken("the same text gives the same table", text);
  if (table.rows.empty() && table.faults.empty()) broken("a table without rows has a fault", text);
  if (!table.faults.empty()) {
    expect_located({base::ErrorKind::bad_input, table.faults}, LineEnds::any, input(text));
  }
  int line = 0;
  for (const base::CsvRow& row : table.rows) {
    if (row.line <= line) broken("rows stand in the order of their lines", text);
    line = row.line;
    if (row.fields.size() != table.rows.front().fields.size()) broken("all rows are equally wide", text);
  }
}

workload::Recorded described(std::string_view text) {
  workload::Recorded recorded;
  recorded.file = file;
  recorded.text = text;
  switch (chosen(text, "# variant ")) {
    case 1:
      recorded.interval = base::Milliseconds{300'000};
      break;
    case 2:
      recorded.unit = workload::RecordedUnit::requests_per_minute;
      recorded.utc_offset = base::Milliseconds{-5 * 3'600'000};
      break;
    case 3:
      recorded.value_column = "value";
      break;
    case 4:
      recorded.timestamp_column = "time";
      recorded.unit = workload::RecordedUnit::requests_per_second;
      break;
    case 5:
      recorded.timestamp_column = "time";
      recorded.value_column = "time";
      recorded.interval = base::Milliseconds{1};
      break;
    default:
      break;
  }
  return recorded;
}

void expect_in(const workload::Profile& profile, double highest, std::string_view text) {
  base::Milliseconds end = profile.pieces.empty() ? base::Milliseconds{0} : profile.pieces.front().from;
  for (const workload::Piece& piece : profile.pieces) {
    if (piece.from != end || piece.to <= piece.from) broken("a profile has no gap and no overlap", text);
    end = piece.to;
    for (const double rate : {piece.rate_from, piece.rate_to}) {
      // Straight lines between two rates may round by a last digit.
      if (!(rate >= 0 && rate <= highest * (1 + 1e-12)))
        broken("a profile stays within the recorded rates", text);
    }
  }
}

void reads_as_recording(std::string_view text) {
  const workload::Recorded recorded = described(text);
  const auto recording = workload::read_recording(recorded);
  expect_same(recording, workload::read_recording(recorded), text,
              [](const workload::Recording& a, const workload::Recording& b) {
                return a.cells == b.cells && a.interval == b.interval && a.notes == b.notes;
              });
  if (!recording) {
    expect_located(recording.error(), LineEnds::any, input(text));
    return;
  }
  expect_printable(recording->notes);
  if (recording->cells.empty()) broken("a recording holds a cell", text);
  double highest = 0;
  base::Milliseconds end = recording->cells.front().from;
  for (const workload::Cell& cell : recording->cells) {
    if (cell.from != end || cell.to <= cell.from) broken("cells ascend without gaps", text);
    end = cell.to;
    if (!std::isfinite(cell.requests_per_second) || cell.requests_per_second < 0)
      broken("a recorded rate is a number of requests", text);
    if (!cell.filled) highest = std::max(highest, cell.requests_per_second);
  }
  expect_in(workload::steps(*recording), highest, text);
  expect_in(workload::lines(*recording), highest, text);
}

void reads_as_measurements(std::string_view text) {
  const auto measurements = capacity::read_measurements(text, file);
  expect_same(measurements, capacity::read_measurements(text, file), text,
              [](const capacity::Measurements& a, const capacity::Measurements& b) {
                return a.rows == b.rows && a.notes == b.notes;
              });
  if (!measurements) {
    expect_located(measurements.error(), LineEnds::any, input(text));
    return;
  }
  expect_printable(measurements->notes);
  for (const capacity::Measurement& row : measurements->rows) {
    const double rate = row.per_instance.value();
    const double cpu = row.utilisation.value();
    if (!std::isfinite(rate) || rate < 0 || !(cpu >= 0 && cpu <= 101))
      broken("a measurement is a rate and a utilisation", text);
  }
  const auto fitted = capacity::fit(*measurements);
  if (fitted) expect_printable(fitted->notes);
}

}  // namespace
}  // namespace headroom::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(bytes, bytes + size);
  headroom::fuzz::reads_as_table(text);
  headroom::fuzz::reads_as_recording(text);
  headroom::fuzz::reads_as_measurements(text);
  return 0;
}
