#include "importers/plan_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/units.hpp"
#include "importers/plan_text.hpp"

namespace headroom::importers {
namespace {

using base::Milliseconds;

constexpr std::size_t kTextBytes = std::size_t{1} << 20;     // of one text, after variables are put in
constexpr std::size_t kPutInBytes = std::size_t{256} << 20;  // by all variables together

}  // namespace

PlanValues::PlanValues(const std::vector<Element>& top, PlanReport& report) : report_(report) {
  collect_variables(top);
}

std::string PlanValues::substituted(std::string_view text, const Element& element) {
  std::string result;
  while (!text.empty()) {
    const std::size_t begin = text.find("${");
    const std::size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
    if (end == std::string_view::npos) break;
    result += text.substr(0, begin);
    const std::string_view whole = text.substr(begin, end + 1 - begin);
    const std::string put_in = value_of(whole.substr(2, whole.size() - 3), whole, element);
    result += put_in;
    put_in_ += put_in.size();
    text.remove_prefix(end + 1);
    if (result.size() > kTextBytes || put_in_ > kPutInBytes) {
      report_.fault(element.line,
                    fmt::format("the values of variables make a text of more than {} bytes", kTextBytes));
      return {};
    }
  }
  return result += text;
}

std::string PlanValues::value_of(std::string_view name, std::string_view whole, const Element& element) {
  if (const auto found = variables_.find(name); found != variables_.end()) return found->second;
  if (!name.starts_with("__")) return std::string(whole);
  // ${__P(users,10)} and ${__property(users,,10)}: what is not given on JMeter's command line has a
  // default.
  for (const auto& [function, commas] : {std::pair<std::string_view, int>{"__P(", 1}, {"__property(", 2}}) {
    if (!name.starts_with(function) || !name.ends_with(')')) continue;
    const std::string_view arguments = name.substr(function.size(), name.size() - function.size() - 1);
    std::size_t at = 0;
    for (int i = 0; i < commas && at != std::string_view::npos; ++i) {
      at = arguments.find(',', at);
      if (at != std::string_view::npos) ++at;
    }
    if (at == std::string_view::npos && commas == 2) break;
    std::string value(at == std::string_view::npos ? "1" : arguments.substr(at));
    report_.note_once(
        NoteKind::told, element,
        fmt::format("the property {} has its default {}",
                    base::in_quotes(arguments.substr(0, arguments.find(','))), base::in_quotes(value)));
    return value;
  }
  report_.note_once(
      NoteKind::left_out, element,
      fmt::format("the function {} is not called; it is sent as it is written", base::in_quotes(whole)));
  return std::string(whole);
}

std::string PlanValues::value(const Element& element, std::string_view property) {
  const Property* found = element.properties.find(property);
  return found == nullptr ? std::string() : substituted(found->text, element);
}

bool PlanValues::flag(const Element& element, std::string_view property) {
  return trimmed(value(element, property)) == "true";
}

int PlanValues::line_of(const Element& element, std::string_view property) {
  const Property* found = element.properties.find(property);
  return found == nullptr ? element.line : found->line;
}

double PlanValues::number(const std::string& text, double missing, double most, int line,
                          const std::string& what) {
  const std::string_view written = trimmed(text);
  if (written.empty()) return missing;
  const auto parsed = base::parse_number(written);
  if (parsed && *parsed >= 0 && *parsed <= most) return *parsed;
  report_.fault(
      line,
      fmt::format("expected {}: a number from 0 to {:.0f}, found {}", what, most, base::in_quotes(written)),
      contains(written, "${") ? "give the variable a value in the plan (user-defined variables)" : "");
  return missing;
}

Milliseconds PlanValues::seconds(const Element& element, std::string_view property, const std::string& what) {
  const double value_s =
      number(value(element, property), 0, kPauseMostMs / 1000, line_of(element, property), what);
  return Milliseconds{std::llround(value_s * 1000)};
}

void PlanValues::collect_variables(const std::vector<Element>& elements) {
  for (const Element& element : elements) {
    if (!element.enabled) continue;
    if (const Property* own = element.properties.find("TestPlan.user_defined_variables"))
      collect_arguments(*own, element);
    if (element.type == "Arguments") collect_arguments(element.properties, element);
    if (element.type == "UserParameters") collect_user_parameters(element);
    if (element.type == "CSVDataSet") collect_data_set(element);
    collect_variables(element.children);
  }
}

void PlanValues::collect_arguments(const Property& arguments, const Element& element) {
  const Property* list = arguments.find("Arguments.arguments");
  if (list == nullptr) return;
  for (const Property& argument : list->items) {
    const Property* name = argument.find("Argument.name");
    const Property* text = argument.find("Argument.value");
    if (name == nullptr || trimmed(name->text).empty()) continue;
    variables_[std::string(trimmed(name->text))] =
        substituted(text == nullptr ? std::string_view() : std::string_view(text->text), element);
  }
}

void PlanValues::collect_user_parameters(const Element& element) {
  const Property* names = element.properties.find("UserParameters.names");
  const Property* users = element.properties.find("UserParameters.thread_values");
  if (names == nullptr || users == nullptr || users->items.empty()) return;
  const std::vector<Property>& values = users->items.front().items;
  for (std::size_t i = 0; i < names->items.size() && i < values.size(); ++i) {
    variables_[std::string(trimmed(names->items[i].text))] = substituted(values[i].text, element);
  }
  if (users->items.size() > 1) {
    report_.note(
        NoteKind::changed, element,
        fmt::format(
            "each user has values of its own ({} users are listed); all take those of the first: write a "
            "CSV and name it under variables",
            users->items.size()));
  }
}

void PlanValues::collect_data_set(const Element& element) {
  workload::Variables set;
  set.file = value(element, "filename");
  std::replace(set.file.begin(), set.file.end(), '\\', '/');
  if (set.file.empty()) {
    report_.note(NoteKind::left_out, element, "it names no file");
    return;
  }
  const std::string names = value(element, "variableNames");
  for (std::size_t at = 0; at <= names.size() && !names.empty();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    set.names.emplace_back(trimmed(std::string_view(names).substr(at, end - at)));
    at = end + 1;
  }
  if (names.empty()) {
    heading_unknown_ = true;
  } else if (flag(element, "ignoreFirstLine")) {
    report_.note(NoteKind::told, element,
                 fmt::format("the first row of {} must read {}", base::in_quotes(set.file), names));
  } else {
    report_.note(NoteKind::changed, element,
                 fmt::format("{} needs a first row with the names of its columns: {}",
                             base::in_quotes(set.file), names));
  }
  const Property* recycle = element.properties.find("recycle");
  if (recycle != nullptr && recycle->text == "false")
    report_.note(NoteKind::changed, element, "after the last row comes the first again; no user stops there");
  for (const std::string& name : set.names) data_names_.insert(name);
  const auto same = [&](const workload::Variables& other) { return other.file == set.file; };
  if (std::none_of(data_sets_.begin(), data_sets_.end(), same)) data_sets_.push_back(std::move(set));
}

}  // namespace headroom::importers
