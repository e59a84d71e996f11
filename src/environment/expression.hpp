// Expression: arithmetic over named numbers, parsed once, evaluated often: "round(0.7 * out.above)".
//
// + - * / and parentheses as usual, unary minus, and round (half to even), floor, ceil, min, max.
// Evaluated in double, from left to right: the same bits everywhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::environment {

class Expression {
 public:
  // Errors: one fault whose column counts from 1 in `text` (line 1, no file).
  static base::Result<Expression> parse(std::string_view text);

  // The names in the order of their first use; a name is a field's: "out[1].add".
  const std::vector<std::string>& names() const { return names_; }

  // Requires: one value per name. A division by zero gives infinity or NaN, as in IEEE 754.
  double evaluate(const std::vector<double>& values) const;

 private:
  friend class ExpressionParser;
  enum class Op { number, name, add, subtract, multiply, divide, negate, round, floor, ceil, min, max };
  struct Token {
    Op op = Op::number;
    double number = 0;
    std::size_t name = 0;
  };
  std::vector<Token> postfix_;
  std::vector<std::string> names_;
};

}  // namespace headroom::environment
