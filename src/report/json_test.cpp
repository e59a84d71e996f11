#include "report/json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace headroom::report {
namespace {

std::string text_of(std::string_view value, JsonUse use = JsonUse::file) {
  JsonWriter json(JsonLayout::one_line, use);
  json.text(value);
  return json.str();
}

std::string number_of(double value) {
  JsonWriter json;
  json.number(value);
  return json.str();
}

TEST(Json, NumbersAreTheShortestThatReadBack) {
  EXPECT_EQ(number_of(0.1), "0.1");
  EXPECT_EQ(number_of(16.876191), "16.876191");
  EXPECT_EQ(number_of(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(number_of(3), "3");
  EXPECT_EQ(number_of(1e21), "1e+21");
}

TEST(Json, FloatsAreShortAsFloats) {
  JsonWriter json;
  json.number(0.1F);  // as a double this would be 0.10000000149011612
  EXPECT_EQ(json.str(), "0.1");
}

TEST(Json, NumbersThatAreNotFiniteAreNull) {
  EXPECT_EQ(number_of(std::nan("")), "null");
  EXPECT_EQ(number_of(-std::numeric_limits<double>::infinity()), "null");
}

RC_GTEST_PROP(Json, EveryDoubleReadsBackAsItself, (std::uint64_t bits)) {
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  RC_PRE(std::isfinite(value));
  RC_ASSERT(nlohmann::json::parse(number_of(value)).get<double>() == value);
}

RC_GTEST_PROP(Json, AnyBytesMakeValidJson, (const std::string& bytes)) {
  const auto parsed = nlohmann::json::parse(text_of(bytes));  // throws on what is not JSON or not UTF-8
  RC_ASSERT(parsed.is_string());
  const auto inside = nlohmann::json::parse(text_of(bytes, JsonUse::inside_html));
  RC_ASSERT(inside == parsed);
  RC_ASSERT(text_of(bytes, JsonUse::inside_html).find_first_of("<>&") == std::string::npos);
}

TEST(Json, TextKeepsItsCharactersAndReplacesWhatIsNotUtf8) {
  EXPECT_EQ(text_of("a\"b\\c\n\t\x01"), R"("a\"b\\c\n\t\u0001")");
  EXPECT_EQ(text_of("Grüße 🚀"), "\"Grüße 🚀\"");
  EXPECT_EQ(text_of("a\xFF"
                    "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(text_of("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");      // overlong '/'
  EXPECT_EQ(text_of("\xED\xA0\x80").find("\xED"), std::string::npos);  // a surrogate
}

TEST(Json, TextInsideHtmlCannotEndItsElement) {
  EXPECT_EQ(text_of("</script>", JsonUse::inside_html), R"("\u003c/script\u003e")");
  EXPECT_EQ(text_of("<!--&amp;", JsonUse::inside_html), R"("\u003c!--\u0026amp;")");
}

TEST(Json, LayoutBreaksObjectsAndKeepsPlainArraysOnOneLine) {
  JsonWriter json;
  json.begin_object().key("a").begin_array().integer(1).integer(2).end_array();
  json.key("b").begin_array().begin_object().end_object().end_array();
  json.key("c").begin_object().key("d").null().end_object().end_object();
  EXPECT_EQ(json.str(), "{\n  \"a\": [1, 2],\n  \"b\": [\n    {}\n  ],\n  \"c\": {\n    \"d\": null\n  }\n}");
}

}  // namespace
}  // namespace headroom::report
