// The keys of `tune:`, and the values that a search tries.
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "base/units.hpp"
#include "environment/expression.hpp"
#include "environment/fields.hpp"
#include "environment/records.hpp"

namespace headroom::environment {
namespace {

using Entries = std::vector<std::pair<std::string, Node>>;

constexpr const char* kSearchWords =
    "values to try: 1..9, 10%..60% step 5%, [1, 2, 5] or an expression such as round(0.7 * out.above)";

Kind<Entries> search_kind() { return map_of("field", any_value("values to try", kSearchWords), false); }

// What a search needs to know of a field.
struct Target {
  std::string path;
  FieldUnit unit;
  double low;
  double high;
};

std::string with_unit(double value, FieldUnit unit) {
  if (unit == FieldUnit::minutes) {
    return base::format_duration(
        base::Milliseconds(static_cast<std::int64_t>(std::nearbyint(value * 60'000))));
  }
  if (unit == FieldUnit::rps) return base::format_rate(base::Rate(value));
  return base::format_number(value) + (unit == FieldUnit::percent ? "%" : "");
}

std::string_view kind_words(FieldUnit unit) {
  switch (unit) {
    case FieldUnit::count:
      return "a whole number";
    case FieldUnit::percent:
      return "a percentage such as 25% or 25";
    case FieldUnit::rps:
      return "a rate such as 12 rps";
    case FieldUnit::minutes:
      return "a duration such as 5m";
    case FieldUnit::ratio:
      return "a share such as 0.1 or 10%";
    case FieldUnit::percent_per_rps:
      return "a number";
  }
  return "a number";
}

std::optional<double> value_of(std::string_view text, FieldUnit unit) {
  switch (unit) {
    case FieldUnit::count:
      if (const auto whole = base::parse_integer(text)) return static_cast<double>(*whole);
      return std::nullopt;
    case FieldUnit::percent:
      if (const auto percent = base::parse_percent(text)) return percent->value();
      return base::parse_number(text);
    case FieldUnit::rps:
      if (const auto rate = base::parse_rate(text)) return rate->value();
      return base::parse_number(text);
    case FieldUnit::minutes:
      if (const auto span = base::parse_duration(text)) return base::minutes(*span);
      return std::nullopt;
    case FieldUnit::ratio:
      if (const auto share = base::parse_ratio(text)) return *share;
      return std::nullopt;
    case FieldUnit::percent_per_rps:
      return base::parse_number(text);
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// One value with its faults: wrong unit, outside what the field may hold.
std::optional<double> checked_value(Reader& reader, const Node& node, std::string_view text,
                                    const Target& target) {
  const auto value = value_of(text, target.unit);
  if (!value) {
    std::string fix;
    if (target.unit == FieldUnit::minutes && base::parse_number(text))
      fix = fmt::format("write its unit: {}m, say", text);
    reader.fault(node,
                 fmt::format("expected {} for {}, found {}", kind_words(target.unit), target.path,
                             base::in_quotes(text)),
                 std::move(fix));
    return std::nullopt;
  }
  if (*value < target.low || *value > target.high) {
    reader.fault(node,
                 fmt::format("{} is outside what {} may be: {} to {}", base::in_quotes(text), target.path,
                             with_unit(target.low, target.unit), with_unit(target.high, target.unit)));
    return std::nullopt;
  }
  return value;
}

std::optional<SearchRange> range_of(Reader& reader, const Node& node, const Target& target) {
  constexpr std::string_view kStep = " step ";
  std::string_view text = node.text;
  std::string_view step_text;
  if (const std::size_t step = text.find(kStep); step != std::string_view::npos) {
    step_text = trimmed(text.substr(step + kStep.size()));
    text = text.substr(0, step);
  }
  const std::size_t dots = text.find("..");
  const auto low = checked_value(reader, node, trimmed(text.substr(0, dots)), target);
  if (!low) return std::nullopt;  // the end is most likely wrong in the same way
  const auto high = checked_value(reader, node, trimmed(text.substr(dots + 2)), target);
  if (!high) return std::nullopt;
  SearchRange range{*low, *high, 1};
  if (!step_text.empty()) {
    const auto step = value_of(step_text, target.unit);
    if (!step || !(*step > 0)) {
      reader.fault(node, fmt::format("expected {} above 0 as step of {}, found {}", kind_words(target.unit),
                                     target.path, base::in_quotes(step_text)));
      return std::nullopt;
    }
    range.step = *step;
  } else if (target.unit != FieldUnit::count && target.unit != FieldUnit::percent) {
    reader.fault(node, fmt::format("a range of {} needs its step", target.path),
                 fmt::format("such as {} step {}", shown_in_advice(node.text),
                             with_unit(std::max((*high - *low) / 10,
                                                target.unit == FieldUnit::minutes ? 1.0 / 60 : 1e-3),
                                       target.unit)));
    return std::nullopt;
  }
  if (range.high < range.low) {
    reader.fault(node,
                 fmt::format("the range {} is empty: its end is below its start", base::in_quotes(node.text)),
                 "write the lower value first");
    return std::nullopt;
  }
  // As many as anyone can wait for; a range of more is a typing error.
  constexpr double kMostValues = 100'000;
  if ((range.high - range.low) / range.step > kMostValues) {
    reader.fault(node,
                 fmt::format("the range {} has more than {} values", base::in_quotes(node.text), kMostValues),
                 "write a larger step");
    return std::nullopt;
  }
  return range;
}

// An expression, as far as it can be understood before all other fields are known.
std::optional<SearchExpression> expression_of(Reader& reader, const Node& node, const Target& target) {
  auto parsed = Expression::parse(node.text);
  if (parsed && !parsed->names().empty()) return SearchExpression{node.text, {}};
  if (parsed) {
    reader.fault(node, fmt::format("expected {} for {}, found {}", kSearchWords, target.path,
                                   base::in_quotes(node.text)));
    return std::nullopt;
  }
  const base::Fault& fault = parsed.error().faults.front();
  Position position = node.position;
  position.column += fault.place.column - 1 + (node.in_quotes ? 1 : 0);
  reader.fault(position, fmt::format("in the expression {}: {}", base::in_quotes(node.text), fault.what),
               fmt::format("a search is {}", kSearchWords));
  return std::nullopt;
}

std::vector<double> values_in(const SearchField& field) {
  if (const auto* list = std::get_if<SearchList>(&field.values)) return list->values;
  const auto& range = std::get<SearchRange>(field.values);
  std::vector<double> values;
  const auto count = static_cast<int>(std::floor((range.high - range.low) / range.step + 1e-9));
  for (int k = 0; k <= count; ++k) values.push_back(range.low + k * range.step);
  return values;
}

// An expression that divides by zero for values that its operands may take. Of very many combinations some
// are tried; the search passes over what is missed here.
void check_division(Reader& reader, const Node& node, const Expression& parsed,
                    const SearchExpression& expression, const std::vector<SearchField>& search) {
  constexpr std::int64_t kMostTried = 20'000;
  constexpr std::int64_t kMostCounted = std::int64_t{1} << 50;
  std::vector<std::vector<double>> values;
  std::int64_t combinations = 1;
  for (const std::size_t operand : expression.operands) {
    values.push_back(values_in(search[operand]));
    const auto size = static_cast<std::int64_t>(values.back().size());
    combinations = size > kMostCounted / combinations ? kMostCounted : combinations * size;
  }
  const std::int64_t tried = std::min(combinations, kMostTried);
  std::vector<double> point(values.size());
  for (std::int64_t k = 0; k < tried; ++k) {
    std::int64_t left = k * (combinations / tried);
    for (std::size_t n = 0; n < values.size(); ++n) {
      const auto size = static_cast<std::int64_t>(values[n].size());
      point[n] = values[n][static_cast<std::size_t>(left % size)];
      left /= size;
    }
    if (std::isfinite(parsed.evaluate(point))) continue;
    std::vector<std::string> where;
    for (std::size_t n = 0; n < point.size(); ++n)
      where.push_back(parsed.names()[n] + " is " + base::format_number(point[n]));
    reader.fault(node,
                 fmt::format("the expression {} divides by zero where {}", base::in_quotes(expression.text),
                             joined(where, "and")),
                 "search other values, or write it without the division");
    return;
  }
}

std::vector<SearchField> search_of(Reader& reader, const Entries& entries,
                                   const std::vector<Target>& targets) {
  std::vector<std::string> paths;
  for (const Target& target : targets) paths.push_back(target.path);
  std::vector<SearchField> search;
  std::vector<std::pair<std::size_t, const Node*>> expressions;  // index in search
  for (const auto& [name, node] : entries) {
    const auto index = resolve(name, paths);
    if (!index) {
      reader.faults_of(node, index.error());
      continue;
    }
    const Target& target = targets[*index];
    const auto same = std::find_if(search.begin(), search.end(),
                                   [&](const SearchField& f) { return f.path == target.path; });
    if (same != search.end()) {
      reader.fault(
          node,
          fmt::format("{} and {} are the same field", base::in_quotes(same->name), base::in_quotes(name)),
          "keep one of them");
      continue;
    }
    SearchField field{name, target.path, SearchList{}};
    bool good = true;
    if (node.kind == Node::Kind::list && !node.items.empty()) {
      SearchList list;
      for (const Node& item : node.items) {
        std::optional<double> value;
        if (item.kind == Node::Kind::scalar) {
          value = checked_value(reader, item, item.text, target);
        } else {
          reader.expected(item, std::string(kind_words(target.unit)));
        }
        good = good && value.has_value();
        if (value) list.values.push_back(*value);
      }
      field.values = std::move(list);
    } else if (node.kind != Node::Kind::scalar) {
      reader.expected(node, kSearchWords);
      good = false;
    } else if (node.text.find("..") != std::string::npos) {
      const auto range = range_of(reader, node, target);
      good = range.has_value();
      if (range) field.values = *range;
    } else if (value_of(node.text, target.unit) || base::parse_number(node.text)) {
      const auto value = checked_value(reader, node, node.text, target);
      good = value.has_value();
      if (value) field.values = SearchList{{*value}};
    } else {
      auto expression = expression_of(reader, node, target);
      good = expression.has_value();
      if (expression) {
        field.values = std::move(*expression);
        expressions.emplace_back(search.size(), &node);
      }
    }
    if (good) search.push_back(std::move(field));
  }
  // As fields.hpp says, setting the periods may set the datapoints.
  for (std::size_t i = 0; i < search.size(); ++i) {
    constexpr std::string_view kDatapoints = "datapoints";
    if (!search[i].path.ends_with(kDatapoints)) continue;
    const std::string periods =
        search[i].path.substr(0, search[i].path.size() - kDatapoints.size()) + "periods";
    for (std::size_t k = i + 1; k < search.size(); ++k) {
      if (search[k].path != periods) continue;
      const auto entry = std::find_if(entries.begin(), entries.end(),
                                      [&](const auto& e) { return e.first == search[k].name; });
      reader.fault(entry->second, "datapoints stand before the periods they are counted in",
                   "write periods before datapoints");
    }
  }
  // Only now all searched fields are known.
  std::vector<std::string> searched;
  for (const SearchField& field : search) searched.push_back(field.path);
  for (const auto& [index, node] : expressions) {
    auto& expression = std::get<SearchExpression>(search[index].values);
    const auto parsed = Expression::parse(expression.text);
    for (const std::string& name : parsed->names()) {
      // A name means the field that stands under the same name in the search, else what fits among the
      // searched.
      std::size_t operand = search.size();
      for (std::size_t i = 0; i < search.size(); ++i) {
        if (search[i].name == name) operand = i;
      }
      if (operand == search.size()) {
        const auto found = resolve(name, searched);
        if (!found) {
          base::Error error = found.error();
          for (base::Fault& fault : error.faults) {
            fault.what =
                fmt::format("in the expression {}: {}", base::in_quotes(expression.text), fault.what);
            fault.fix = "an expression uses other searched fields: " + joined(searched, "and");
          }
          reader.faults_of(*node, error);
          continue;
        }
        operand = *found;
      }
      if (std::holds_alternative<SearchExpression>(search[operand].values)) {
        reader.fault(*node,
                     fmt::format("the expression {} uses {}, which is an expression itself",
                                 base::in_quotes(expression.text), name),
                     "write it with the fields that have values of their own");
        continue;
      }
      expression.operands.push_back(operand);
    }
    if (expression.operands.size() == parsed->names().size())
      check_division(reader, *node, *parsed, expression, search);
  }
  return search;
}

const Record<RawVary>& vary_record() {
  static const Record<RawVary> record = [] {
    using Vary = RawVary;
    Record<Vary> r;
    r.info = {"vary", "Variations that the winner is tried on too, as factors.", {}};
    const Kind<std::vector<double>> factors = list_of(number(0.01, 100, "factor"));
    r.key("height", &Vary::height, factors, {"of the traffic's rates", "[]", "[0.8, 1.2]"})
        .key("ramp", &Vary::ramp, factors, {"of the traffic's steepness", "[]", "[2]"})
        .key("startup", &Vary::startup, factors, {"of the start-up time", "[]", "[1.5]"});
    return r;
  }();
  return record;
}

const Record<RawRival>& rival_record() {
  static const Record<RawRival> record = [] {
    using R = RawRival;
    Record<R> r;
    r.info = {"rival", "Other policies to compare the winner with on unseen traffic.", {}};
    r.key("name", [](R& v) -> std::string& { return v.rival.name; }, text("name"),
          {"how it is called in the comparison", "", "target 50 %", true})
        .key("policies", [](R& v) -> std::vector<policy::Policy>& { return v.rival.policies; },
             list_of(policy_kind(), 1), {"its policies, as in scale", "", "[{target: {value: 50%}}]", true})
        .key("search", &R::search, search_kind(),
             {"what may be changed in them; nothing: as they are", "", "{target.value: 20..70}"});
    r.check = [](Reader& reader, const Node& node, R& raw) {
      if (raw.rival.name.empty()) reader.fault(*node.find("name"), "expected a name, found \"\"");
      std::vector<Target> targets;
      for (const PolicyField& field : fields(raw.rival.policies))
        targets.push_back({field.path, field.unit, field.low, field.high});
      raw.rival.search = search_of(reader, raw.search, targets);
    };
    return r;
  }();
  return record;
}

const Record<RawTune>& tune_record() {
  static const Record<RawTune> record = [] {
    using R = RawTune;
    Record<R> r;
    r.info = {"tune", "What `headroom tune` may change, and what it is judged on.", {}};
    r.key("aim", [](R& t) -> Aim& { return t.tune.aim; },
          choice<Aim>({{"cheapest", Aim::cheapest}, {"utilisation", Aim::utilisation}}),
          {"among the policies that keep the objective: the lowest cost, or the highest mean utilisation",
           "cheapest", "utilisation"})
        .key("search", &R::search, search_kind(),
             {"fields and the values to try, in the unit of the field", "",
              "{out.add: 1..9, out.above: 11..34, in.below: round(0.7 * out.above)}"})
        .key("samples", [](R& t) -> std::optional<int>& { return t.tune.samples; }, count(1, 100'000'000),
             {"try so many drawn combinations (all of them where not written and not too many)", "", "1000"})
        .key("seeds", [](R& t) -> int& { return t.tune.seeds; }, count(1, 1000),
             {"replications of each rehearsal", "5", "5"})
        .key("train", [](R& t) -> std::optional<base::Milliseconds>& { return t.tune.train; },
             duration(base::Milliseconds{1}),
             {"tune on so much of the traffic, judge on the rest (two thirds where not written)", "", "8w"})
        .key("holdout", [](R& t) -> std::optional<workload::Traffic>& { return t.tune.holdout; },
             traffic_kind(), {"judge on this traffic instead", "", "holdout.yaml"})
        .key("also", [](R& t) -> std::vector<workload::Traffic>& { return t.tune.also; },
             list_of(traffic_kind()), {"further traffic to tune on", "[]", "[weekend.yaml]"})
        .key("vary", &R::vary, record_kind("vary", &vary_record),
             {"variations that the winner is tried on", "", "{height: [0.8, 1.2]}"})
        .key("against", &R::against, list_of(record_kind("rival", &rival_record)),
             {"what the winner is compared with", "",
              "[{name: target 50 %, policies: [{target: {value: 50%}}]}]"});
    r.check = [](Reader& reader, const Node& node, R& raw) {
      if (raw.tune.train && raw.tune.holdout) {
        reader.fault(*node.find("train"),
                     "train and holdout exclude each other: the winner is judged on one of the two",
                     "remove train to judge on the holdout traffic");
      }
      std::set<std::string> names;
      const Node* list = node.find("against");
      for (std::size_t i = 0; i < raw.against.size(); ++i) {
        if (!names.insert(raw.against[i].rival.name).second) {
          reader.fault(list->items[i],
                       fmt::format("a second rival is called {}", base::in_quotes(raw.against[i].rival.name)),
                       "give each a name of its own");
        }
      }
    };
    return r;
  }();
  return record;
}

}  // namespace

Kind<RawTune> tune_kind() { return record_kind("tune", &tune_record); }

Tune resolved_tune(Reader& reader, RawTune raw, const std::vector<Service>& services) {
  std::vector<Target> targets;
  for (const Service& service : services) {
    for (const Field& field : fields(service)) {
      targets.push_back(
          {fmt::format("services.{}.{}", service.name, field.path), field.unit, field.low, field.high});
    }
  }
  Tune tune = std::move(raw.tune);
  tune.vary_height = std::move(raw.vary.height);
  tune.vary_ramp = std::move(raw.vary.ramp);
  tune.vary_startup = std::move(raw.vary.startup);
  tune.search = search_of(reader, raw.search, targets);
  for (RawRival& rival : raw.against) tune.against.push_back(std::move(rival.rival));
  return tune;
}

}  // namespace headroom::environment
