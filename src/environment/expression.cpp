#include "environment/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/units.hpp"

namespace headroom::environment {

// Recursive descent; sum: product {(+|-) product}; product: factor {(*|/) factor}.
class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : text_(text) {}

  base::Result<Expression> run() {
    if (sum()) {
      skip_blanks();
      if (at_ == text_.size()) return std::move(result_);
      expected("an operator (+ - * /) or the end");
    }
    return *fault_;
  }

 private:
  using Op = Expression::Op;
  static constexpr int kDeepest = 32;  // of parentheses; the stack of evaluate is sized by it, too

  bool sum() {
    if (!product()) return false;
    while (true) {
      const char c = next();
      if (c != '+' && c != '-') return true;
      ++at_;
      if (!product()) return false;
      push(c == '+' ? Op::add : Op::subtract);
    }
  }

  bool product() {
    if (!factor()) return false;
    while (true) {
      const char c = next();
      if (c != '*' && c != '/') return true;
      ++at_;
      if (!factor()) return false;
      push(c == '*' ? Op::multiply : Op::divide);
    }
  }

  bool factor() {
    if (depth_ >= kDeepest) return expected("at most 32 nested parentheses");
    const char c = next();
    if (c == '-') {
      ++at_;
      ++depth_;
      if (!factor()) return false;
      --depth_;
      push(Op::negate);
      return true;
    }
    if (c == '(') {
      ++at_;
      return inner();
    }
    if ((c >= '0' && c <= '9') || c == '.') return number();
    if (is_letter(c)) return name();
    return expected("a number, the name of a field or (");
  }

  // What stands between ( and ).
  bool inner() {
    ++depth_;
    if (!sum()) return false;
    --depth_;
    if (next() != ')') return expected(")");
    ++at_;
    return true;
  }

  bool number() {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '.')) ++end;
    const auto value = base::parse_number(text_.substr(at_, end - at_));
    if (!value) return expected("a number without a unit");
    result_.postfix_.push_back({Op::number, *value, 0});
    at_ = end;
    return true;
  }

  bool name() {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '.' ||
                                  text_[end] == '[' || text_[end] == ']')) {
      ++end;
    }
    const std::string_view word = text_.substr(at_, end - at_);
    const std::size_t start = at_;
    at_ = end;
    if (next() == '(') {
      constexpr std::array<std::pair<std::string_view, Op>, 5> kFunctions{{{"round", Op::round},
                                                                           {"floor", Op::floor},
                                                                           {"ceil", Op::ceil},
                                                                           {"min", Op::min},
                                                                           {"max", Op::max}}};
      for (const auto& [known, op] : kFunctions) {
        if (word != known) continue;
        ++at_;
        if (op == Op::min || op == Op::max) {
          ++depth_;
          if (!sum()) return false;
          --depth_;
          if (next() != ',') return expected("a comma and a second value");
          ++at_;
        }
        if (!inner()) return false;
        push(op);
        return true;
      }
      at_ = start;
      return expected("one of the functions round, floor, ceil, min and max");
    }
    const auto known = std::find(result_.names_.begin(), result_.names_.end(), word);
    const auto index = static_cast<std::size_t>(known - result_.names_.begin());
    if (known == result_.names_.end()) result_.names_.emplace_back(word);
    result_.postfix_.push_back({Op::name, 0, index});
    return true;
  }

  void push(Op op) { result_.postfix_.push_back({op, 0, 0}); }

  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  void skip_blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  char next() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool expected(std::string_view what) {
    const std::string found = at_ < text_.size() ? base::in_quotes(text_.substr(at_)) : "the end";
    fault_ = base::bad_input(base::Place{"", 1, static_cast<int>(at_) + 1},
                             fmt::format("expected {}, found {}", what, found),
                             "an expression is such as round(0.7 * out.above)");
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Expression result_;
  std::optional<base::Error> fault_;
};

base::Result<Expression> Expression::parse(std::string_view text) {
  constexpr std::size_t kLongest = 1000;  // one line that a person wrote
  if (text.size() > kLongest) {
    return base::bad_input(
        base::Place{"", 1, 1},
        fmt::format("an expression may have {} characters, this has {}", kLongest, text.size()));
  }
  return ExpressionParser(text).run();
}

double Expression::evaluate(const std::vector<double>& values) const {
  std::vector<double> stack;
  stack.reserve(postfix_.size());
  const auto pop = [&] {
    const double value = stack.back();
    stack.pop_back();
    return value;
  };
  for (const Token& token : postfix_) {
    switch (token.op) {
      case Op::number:
        stack.push_back(token.number);
        break;
      case Op::name:
        stack.push_back(values[token.name]);
        break;
      case Op::negate:
        stack.back() = -stack.back();
        break;
      case Op::round:
        stack.back() = std::nearbyint(stack.back());  // the default rounding mode: half to even
        break;
      case Op::floor:
        stack.back() = std::floor(stack.back());
        break;
      case Op::ceil:
        stack.back() = std::ceil(stack.back());
        break;
      default: {
        const double right = pop();
        double& left = stack.back();
        if (token.op == Op::add) left += right;
        if (token.op == Op::subtract) left -= right;
        if (token.op == Op::multiply) left *= right;
        // The division by zero is left to IEEE 754; undefined-behaviour checks only concern integers.
        if (token.op == Op::divide) left /= right;
        if (token.op == Op::min) left = std::min(left, right);
        if (token.op == Op::max) left = std::max(left, right);
      }
    }
  }
  return stack.back();
}

}  // namespace headroom::environment
