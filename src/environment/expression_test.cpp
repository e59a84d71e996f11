#include "environment/expression.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace headroom::environment {
namespace {

double value_of(const std::string& text, const std::vector<double>& values = {}) {
  const auto expression = Expression::parse(text);
  if (!expression) {
    ADD_FAILURE() << text << ": " << to_string(expression.error());
    return NAN;
  }
  EXPECT_EQ(expression->names().size(), values.size()) << text;
  return expression->evaluate(values);
}

TEST(Expression, FollowsTheUsualPrecedence) {
  EXPECT_EQ(value_of("1 + 2 * 3"), 7);
  EXPECT_EQ(value_of("(1 + 2) * 3"), 9);
  EXPECT_EQ(value_of("8 - 2 - 1"), 5);  // from left to right
  EXPECT_EQ(value_of("8 / 2 / 2"), 2);
  EXPECT_EQ(value_of("-2 * -3"), 6);
  EXPECT_EQ(value_of("2 - -3"), 5);
  EXPECT_EQ(value_of("1.5e2"), 150);
}

TEST(Expression, RoundsHalfToEven) {
  EXPECT_EQ(value_of("round(2.5)"), 2);
  EXPECT_EQ(value_of("round(3.5)"), 4);
  EXPECT_EQ(value_of("round(-2.5)"), -2);
  EXPECT_EQ(value_of("floor(-2.5)"), -3);
  EXPECT_EQ(value_of("ceil(2.1)"), 3);
  EXPECT_EQ(value_of("min(2, 3) + max(2, 3)"), 5);
}

TEST(Expression, K06_TheLowerThresholdOfTheTalk) {
  // 0.7 * 15 is 10.5, which goes to the even 10; 0.7 * 25 is 17.5, which goes to the even 18.
  EXPECT_EQ(value_of("round(0.7 * out.above)", {15}), 10);
  EXPECT_EQ(value_of("round(0.7 * out.above)", {25}), 18);
}

TEST(Expression, NamesComeInTheOrderOfTheirFirstUse) {
  const auto expression = Expression::parse("b[1].add + a - b[1].add");
  ASSERT_TRUE(expression);
  EXPECT_EQ(expression->names(), (std::vector<std::string>{"b[1].add", "a"}));
  EXPECT_EQ(expression->evaluate({5, 2}), 2);
}

TEST(Expression, DivisionByZeroIsInfinite) { EXPECT_TRUE(std::isinf(value_of("1 / 0"))); }

struct Faulty {
  std::string text;
  int column;
  std::string what;
};

TEST(Expression, FaultsSayWhereAndWhatWasExpected) {
  for (const Faulty& one : std::vector<Faulty>{
           {"", 1, "expected a number, the name of a field or (, found the end"},
           {"1 +", 4, "expected a number, the name of a field or (, found the end"},
           {"1 2", 3, "expected an operator (+ - * /) or the end, found \"2\""},
           {"(1 + 2", 7, "expected ), found the end"},
           {"sqrt(2)", 1, "expected one of the functions round, floor, ceil, min and max, found \"sqrt(2)\""},
           {"min(2)", 6, "expected a comma and a second value, found \")\""},
           {"25%", 3, "expected an operator (+ - * /) or the end, found \"%\""},
           {"5m", 1, "expected a number without a unit, found \"5m\""},
           {"1..2", 1, "expected a number without a unit, found \"1..2\""},
           {"nan(1)", 1, "expected one of the functions round, floor, ceil, min and max, found \"nan(1)\""},
       }) {
    const auto expression = Expression::parse(one.text);
    ASSERT_FALSE(expression) << one.text;
    EXPECT_EQ(expression.error().faults[0].place.column, one.column) << one.text;
    EXPECT_EQ(expression.error().faults[0].what, one.what) << one.text;
  }
}

TEST(Expression, DepthAndLengthAreBounded) {
  EXPECT_TRUE(Expression::parse(std::string(30, '(') + "1" + std::string(30, ')')));
  EXPECT_FALSE(Expression::parse(std::string(900, '(')));
  EXPECT_FALSE(Expression::parse(std::string(900, '-') + "1"));
  EXPECT_FALSE(Expression::parse(std::string(2000, '1')));
}

}  // namespace
}  // namespace headroom::environment
