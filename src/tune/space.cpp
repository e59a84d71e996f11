#include "tune/space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/philox.hpp"

namespace headroom::tune {
namespace {

constexpr std::int64_t kMaxValues = 1'000'000;  // of one dimension

// Streams of the generator, so that no two uses share draws.
enum Stream : std::uint32_t { kSpread = 11, kAround = 12 };

base::Error fault_of(const std::string& name, std::string what, std::string fix) {
  base::Error error = base::bad_input(fmt::format("tune.search.{}: {}", name, what), std::move(fix));
  error.faults.front().path = "tune.search." + name;
  return error;
}

base::Result<std::vector<double>> values_of(const environment::SearchRange& range, const std::string& name) {
  if (!(range.step > 0) || !(range.high >= range.low)) {
    return fault_of(name, "the range is empty", "write it as `low..high`, low first");
  }
  const double count = std::floor((range.high - range.low) / range.step + 1e-9) + 1;
  if (count > kMaxValues) {
    return fault_of(name, fmt::format("{} values are too many", count), "use a larger step");
  }
  std::vector<double> values;
  for (int k = 0; k < static_cast<int>(count); ++k) values.push_back(range.low + k * range.step);
  return values;
}

// The field of `service` that a search means: by its path where the file gave it one, else by its name.
// Nothing: the field is another service's.
std::optional<base::Result<environment::Field>> field_of(const environment::Service& service,
                                                         const std::vector<environment::Field>& fields,
                                                         const environment::SearchField& searched) {
  if (searched.path.empty()) return environment::resolve(searched.name, fields);
  std::string path = searched.path;
  if (path.starts_with("services.")) {
    const std::string own = "services." + service.name + ".";
    if (!path.starts_with(own)) return std::nullopt;
    path.erase(0, own.size());
  } else if (path.starts_with("policies[")) {  // of a rival
    path.insert(0, "scale.");
  }
  return environment::resolve(path, fields);
}

}  // namespace

base::Result<Space> Space::make(const environment::Service& service,
                                const std::vector<environment::SearchField>& search) {
  Space space;
  base::Error error;
  const std::vector<environment::Field> fields = environment::fields(service);
  const auto take = [&](const base::Error& found) {
    error.faults.insert(error.faults.end(), found.faults.begin(), found.faults.end());
  };
  std::vector<const environment::SearchField*> searched;  // of each dimension
  for (const environment::SearchField& each : search) {
    const auto field = field_of(service, fields, each);
    if (!field) continue;
    if (!*field) {
      base::Error unknown = field->error();
      for (base::Fault& fault : unknown.faults) fault.path = "tune.search." + each.name;
      take(unknown);
      continue;
    }
    searched.push_back(&each);
    Dimension dimension{each.name, **field, {}, {}, {}};
    if (const auto* range = std::get_if<environment::SearchRange>(&each.values)) {
      auto values = values_of(*range, each.name);
      if (values)
        dimension.values = std::move(*values);
      else
        take(values.error());
    } else if (const auto* list = std::get_if<environment::SearchList>(&each.values)) {
      dimension.values = list->values;
    } else {
      auto parsed = environment::Expression::parse(std::get<environment::SearchExpression>(each.values).text);
      if (parsed)
        dimension.expression = std::move(*parsed);
      else
        take(parsed.error());
    }
    space.dimensions_.push_back(std::move(dimension));
  }
  // The names of an expression mean searched fields with values of their own.
  for (std::size_t d = 0; d < space.dimensions_.size(); ++d) {
    Dimension& dimension = space.dimensions_[d];
    if (!dimension.expression) continue;
    const auto& operands = std::get<environment::SearchExpression>(searched[d]->values).operands;
    const std::vector<std::string>& names = dimension.expression->names();
    for (std::size_t n = 0; n < names.size(); ++n) {
      // The file has settled what a name means; without that, it is looked up among the fields.
      const environment::SearchField* operand = n < operands.size() ? &search[operands[n]] : nullptr;
      auto meant = environment::resolve(names[n], fields);
      const auto source =
          std::find_if(space.dimensions_.begin(), space.dimensions_.end(), [&](const Dimension& other) {
            const auto at = static_cast<std::size_t>(&other - space.dimensions_.data());
            if (other.expression) return false;
            return operand != nullptr ? searched[at] == operand : meant && other.field.path == meant->path;
          });
      if (source == space.dimensions_.end()) {
        take(fault_of(dimension.name,
                      fmt::format("the expression uses \"{}\", which is not searched by values", names[n]),
                      operand != nullptr
                          ? fmt::format("it may only use fields of the same service, {}", service.name)
                          : "give it a range or a list of its own in tune.search"));
        continue;
      }
      dimension.sources.push_back(static_cast<std::size_t>(source - space.dimensions_.begin()));
    }
  }
  for (const Dimension& dimension : space.dimensions_) {
    if (dimension.values.empty()) continue;
    const auto n = static_cast<std::int64_t>(dimension.values.size());
    space.size_ = space.size_ > std::numeric_limits<std::int64_t>::max() / n
                      ? std::numeric_limits<std::int64_t>::max()
                      : space.size_ * n;
  }
  if (!error.faults.empty()) return error;
  return space;
}

void Space::complete(Point& point) const {
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    if (!dimensions_[d].expression) continue;
    std::vector<double> values;
    for (const std::size_t source : dimensions_[d].sources) values.push_back(point[source]);
    point[d] = dimensions_[d].expression->evaluate(values);
  }
}

Point Space::at(std::int64_t index) const {
  Point point(dimensions_.size(), 0.0);
  for (std::size_t d = dimensions_.size(); d-- > 0;) {
    const auto n = static_cast<std::int64_t>(dimensions_[d].values.size());
    if (n == 0) continue;
    point[d] = dimensions_[d].values[static_cast<std::size_t>(index % n)];
    index /= n;
  }
  complete(point);
  return point;
}

std::vector<Point> Space::spread(std::int64_t count, std::uint64_t seed) const {
  std::vector<Point> points(static_cast<std::size_t>(count), Point(dimensions_.size(), 0.0));
  base::Rng draws(seed, kSpread);
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    const auto n = static_cast<std::int64_t>(dimensions_[d].values.size());
    if (n == 0) continue;
    // Every stratum of the values once, then shuffled (Fisher and Yates).
    std::vector<std::size_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::int64_t i = count - 1; i > 0; --i) {
      std::swap(order[static_cast<std::size_t>(i)],
                order[static_cast<std::size_t>(draws.below(static_cast<std::uint64_t>(i + 1)))]);
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t place = static_cast<std::int64_t>(order[static_cast<std::size_t>(i)]) * n / count;
      points[static_cast<std::size_t>(i)][d] = dimensions_[d].values[static_cast<std::size_t>(place)];
    }
  }
  for (Point& point : points) complete(point);
  return points;
}

std::vector<Point> Space::around(const std::vector<Point>& centres, std::int64_t count,
                                 std::uint64_t seed) const {
  std::vector<std::size_t> free;
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    if (dimensions_[d].values.size() > 1) free.push_back(d);
  }
  std::vector<Point> points;
  if (centres.empty() || free.empty()) return points;
  base::Rng draws(seed, kAround);
  for (std::int64_t i = 0; i < count; ++i) {
    Point point = centres[static_cast<std::size_t>(i) % centres.size()];
    const std::int64_t moves = 1 + static_cast<std::int64_t>(draws.below(3));
    for (std::int64_t m = 0; m < moves; ++m) {
      const std::size_t d = free[static_cast<std::size_t>(draws.below(free.size()))];
      const std::vector<double>& values = dimensions_[d].values;
      const auto n = static_cast<std::int64_t>(values.size());
      const auto here = std::find(values.begin(), values.end(), point[d]) - values.begin();
      const std::int64_t reach = std::max<std::int64_t>(1, n / 10);
      const std::int64_t moved = std::clamp<std::int64_t>(
          here + static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(2 * reach + 1))) - reach, 0,
          n - 1);
      point[d] = values[static_cast<std::size_t>(moved)];
    }
    complete(point);
    points.push_back(std::move(point));
  }
  return points;
}

void apply(const Space& space, const Point& point, environment::Service& service) {
  for (std::size_t d = 0; d < point.size(); ++d) {
    space.dimensions()[d].field.set(service, point[d]);
  }
}

}  // namespace headroom::tune
