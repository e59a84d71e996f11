// CSV as monitoring tools and spreadsheets write it, read into rows of fields that know their place.
//
// Accepted: comma, semicolon or tab (told from the first row); quoted fields with doubled quotes and line
// breaks; LF, CRLF and CR; a UTF-8 byte order mark; blank lines; lines that begin with '#' (comments); one
// surplus separator at the end of a row.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::base {

struct CsvField {
  std::string text;  // without quotes and surrounding blanks
  int line = 0;      // of its first character; a quoted field before it may hold line breaks
  int column = 0;    // of its first character in that line, from 1
};

struct CsvRow {
  int line = 0;  // where it begins, from 1
  std::vector<CsvField> fields;
};

struct CsvTable {
  char separator = ',';
  std::vector<CsvRow> rows;   // a heading, if there is one, is the first
  std::vector<Fault> faults;  // rows that could not be read are in here and not in `rows`
};

// All rows, and all that is wrong with their form; the caller adds what is wrong with their contents.
CsvTable read_csv(std::string_view text, const std::string& file);

enum class CsvNumberKind {
  number,
  missing,  // empty, NaN, null, N/A, none or a dash: how tools write that they have no value
  infinite,
  ambiguous,  // "1,234": 1.234 or 1234
  unreadable,
};

struct CsvNumber {
  CsvNumberKind kind = CsvNumberKind::unreadable;
  double value = 0;
};

// A decimal comma is read where the comma does not separate the fields ("3,5" in a file of semicolons).
CsvNumber read_csv_number(std::string_view text, char separator);

// What to tell about a number that is none: "the value 'x' is not a number".
std::string describe(CsvNumberKind kind, std::string_view name, std::string_view text);

// Lower case, with every run of other characters than letters and digits as one '_', for comparing headings:
// "Requests / min" is "requests_min".
std::string plain_name(std::string_view heading);

// The unit that a heading of request numbers names: "rpm", "Requests / s", "request_count"; unset: none.
enum class RequestUnit { per_interval, per_second, per_minute };
std::optional<RequestUnit> request_unit_of(std::string_view heading);

// An Error of the first `limit` faults in the order of their places, with the number of those left out.
// Requires: faults is not empty.
Error error_of(std::vector<Fault> faults, std::size_t limit = 20);

}  // namespace headroom::base
