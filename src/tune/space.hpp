// Space: the policies a search goes through, as values of the searched fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "environment/environment.hpp"
#include "environment/expression.hpp"
#include "environment/fields.hpp"

namespace headroom::tune {

// One searched field: its own values, or an expression over the other fields.
struct Dimension {
  std::string name;
  environment::Field field;
  std::vector<double> values;  // empty: by expression
  std::optional<environment::Expression> expression;
  std::vector<std::size_t> sources;  // of the expression's names: the dimensions they mean
};

// One value per dimension, in the field's unit.
using Point = std::vector<double>;

class Space {
 public:
  // Fields of other services are left out. Errors, each with the path of its entry in tune.search: unknown or
  // ambiguous fields, impossible ranges, expressions over fields that are not searched.
  static base::Result<Space> make(const environment::Service& service,
                                  const std::vector<environment::SearchField>& search);

  const std::vector<Dimension>& dimensions() const { return dimensions_; }

  // The number of points on the grid (saturating).
  std::int64_t size() const { return size_; }

  // The i-th point in loop order: the first dimension is the outermost loop.
  Point at(std::int64_t index) const;

  // `count` points spread over the space: on every dimension they fall evenly (a Latin hypercube).
  std::vector<Point> spread(std::int64_t count, std::uint64_t seed) const;

  // `count` neighbours of `centres`, each with one to three dimensions moved by some places.
  std::vector<Point> around(const std::vector<Point>& centres, std::int64_t count, std::uint64_t seed) const;

  // Recomputes the dimensions that are expressions.
  void complete(Point& point) const;

 private:
  std::vector<Dimension> dimensions_;
  std::int64_t size_ = 1;
};

// Writes the values into the service.
void apply(const Space& space, const Point& point, environment::Service& service);

}  // namespace headroom::tune
