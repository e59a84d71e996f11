#include "base/csv.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace headroom::base {
namespace {

std::vector<std::vector<std::string>> texts(const CsvTable& table) {
  std::vector<std::vector<std::string>> rows;
  for (const CsvRow& row : table.rows) {
    rows.emplace_back();
    for (const CsvField& field : row.fields) rows.back().push_back(field.text);
  }
  return rows;
}

using Texts = std::vector<std::vector<std::string>>;

TEST(Csv, the_separator_is_the_most_frequent_of_the_first_row) {
  EXPECT_EQ(texts(read_csv("a,b\n1,2\n", "f")), (Texts{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(texts(read_csv("a;b\n1;2,5\n", "f")), (Texts{{"a", "b"}, {"1", "2,5"}}));
  EXPECT_EQ(texts(read_csv("a\tb\n1\t\n", "f")), (Texts{{"a", "b"}, {"1", ""}}));
  // One of each: a decimal comma is the likelier reading.
  EXPECT_EQ(texts(read_csv("1;2,5\n", "f")), (Texts{{"1", "2,5"}}));
  EXPECT_EQ(texts(read_csv("\"a;b;c\",d\n", "f")), (Texts{{"a;b;c", "d"}}));
}

TEST(Csv, line_ends_marks_blanks_and_comments_of_all_tools_are_read) {
  EXPECT_EQ(texts(read_csv("\xef\xbb\xbf# made by hand\r\n\r\na , b\r\n1,2,\r\n3,4", "f")),
            (Texts{{"a", "b"}, {"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(texts(read_csv("a,b\r1,2\r", "f")), (Texts{{"a", "b"}, {"1", "2"}}));
}

TEST(Csv, quoted_fields_keep_separators_quotes_and_line_breaks) {
  const CsvTable table = read_csv("\"a \"\"x\"\"\",\"b\r\nc\"\n1,2\n", "f");
  ASSERT_TRUE(table.faults.empty());
  EXPECT_EQ(texts(table), (Texts{{"a \"x\"", "b\nc"}, {"1", "2"}}));
  EXPECT_EQ(table.rows[1].line, 3);  // the break inside the quotes counts
}

TEST(Csv, a_field_knows_its_place) {
  const CsvTable table = read_csv("# c\na,b\n1,  2\n", "f");
  EXPECT_EQ(table.rows[1].line, 3);
  EXPECT_EQ(table.rows[1].fields[1].column, 5);
}

TEST(Csv, what_is_not_csv_is_located) {
  const struct {
    const char* name;
    std::string text;
    Place place;
  } cases[] = {
      {"empty", "", {"f", 1, 0}},
      {"comments only", "# a\n", {"f", 1, 0}},
      {"binary", std::string("a,b\n1,\x01\n"), {"f", 2, 3}},
      {"zero byte", std::string("a,b\n\0", 5), {"f", 2, 1}},
      {"binary, in a file of CR alone", std::string("a,b\r1,\x01\r"), {"f", 2, 3}},
      {"binary, behind CR LF", std::string("a,b\r\n1,\x01\r\n"), {"f", 2, 3}},
      {"UTF-16",
       std::string("\xff\xfe"
                   "a\0",
                   4),
       {"f", 1, 1}},
      {"huge line", "a,b\n" + std::string(70'000, 'x'), {"f", 2, 1}},
      {"open quote", "a,b\n1,\"2\n3,4\n", {"f", 2, 3}},
      {"text after a quote", "a,b\n1,\"2\"x\n", {"f", 2, 6}},
      {"a field too many", "a,b\n1,2,5\n", {"f", 2, 5}},
      {"a field too few", "a,b\n1\n", {"f", 2, 1}},
  };
  for (const auto& c : cases) {
    const CsvTable table = read_csv(c.text, "f");
    ASSERT_EQ(table.faults.size(), 1U) << c.name;
    EXPECT_EQ(table.faults[0].place, c.place) << c.name << ": " << to_string(table.faults[0]);
    EXPECT_FALSE(table.faults[0].fix.empty()) << c.name;
  }
}

TEST(Csv, numbers_are_read_without_guessing) {
  const struct {
    const char* text;
    char separator;
    CsvNumberKind kind;
    double value;
  } cases[] = {
      {"12.5", ',', CsvNumberKind::number, 12.5},    {"+3", ',', CsvNumberKind::number, 3},
      {"-1e3", ',', CsvNumberKind::number, -1000},   {"2,5", ';', CsvNumberKind::number, 2.5},
      {"2,5", ',', CsvNumberKind::ambiguous, 0},     {"1,234", ';', CsvNumberKind::ambiguous, 0},
      {"1.234,5", ';', CsvNumberKind::ambiguous, 0}, {"", ',', CsvNumberKind::missing, 0},
      {"NaN", ',', CsvNumberKind::missing, 0},       {"null", ',', CsvNumberKind::missing, 0},
      {"inf", ',', CsvNumberKind::infinite, 0},      {"-Infinity", ',', CsvNumberKind::infinite, 0},
      {"1e999", ',', CsvNumberKind::infinite, 0},    {"0x10", ',', CsvNumberKind::unreadable, 0},
      {"12 rps", ',', CsvNumberKind::unreadable, 0}, {"+", ',', CsvNumberKind::unreadable, 0},
      {"nan(1)", ',', CsvNumberKind::unreadable, 0},
  };
  for (const auto& c : cases) {
    const CsvNumber number = read_csv_number(c.text, c.separator);
    EXPECT_EQ(number.kind, c.kind) << c.text;
    EXPECT_EQ(number.value, c.value) << c.text;
  }
}

TEST(Csv, headings_compare_without_case_and_signs) {
  EXPECT_EQ(plain_name("Requests / min"), "requests_min");
  EXPECT_EQ(plain_name("  CPU (%) "), "cpu");
}

TEST(Csv, headings_name_the_unit_of_requests) {
  for (const char* name : {"rpm", "requests_per_minute", "Requests / min", "web rpm"}) {
    EXPECT_EQ(request_unit_of(name), RequestUnit::per_minute) << name;
  }
  for (const char* name : {"rps", "req/s", "http_requests_per_second", "QPS"}) {
    EXPECT_EQ(request_unit_of(name), RequestUnit::per_second) << name;
  }
  for (const char* name : {"requests", "RequestCount", "request_count", "hits"}) {
    EXPECT_EQ(request_unit_of(name), RequestUnit::per_interval) << name;
  }
  for (const char* name : {"value", "cpu", "bootstrap", ""}) EXPECT_FALSE(request_unit_of(name)) << name;
}

TEST(Csv, an_error_lists_the_first_faults_and_counts_the_rest) {
  std::vector<Fault> faults;
  for (int line = 30; line > 0; --line) faults.push_back({{"f", line, 1}, "x", ""});
  const Error error = error_of(faults);
  ASSERT_EQ(error.faults.size(), 21U);
  EXPECT_EQ(error.faults.front().place.line, 1);
  EXPECT_EQ(error.faults[19].place.line, 20);
  EXPECT_EQ(error.faults.back().what, "10 more faults are not shown");
}

TEST(Csv, AFaultBehindAQuotedLineBreakStandsInItsOwnLine) {
  // The row begins in line 2, and its third field in line 3.
  const CsvTable table = read_csv("a,b\n1,\"x\ny\",3\n", "t.csv");
  ASSERT_EQ(table.faults.size(), 1U);
  EXPECT_EQ(table.faults.front().place, (Place{"t.csv", 3, 4}));
}

}  // namespace
}  // namespace headroom::base
