// PlanValues: the values of a test plan, with its variables and properties put in; internal to this module.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "importers/plan_document.hpp"
#include "importers/plan_report.hpp"
#include "workload/request.hpp"

namespace headroom::importers {

class PlanValues {
 public:
  // User-defined variables hold everywhere, whatever stands where they are defined.
  PlanValues(const std::vector<Element>& top, PlanReport& report);

  // The text with variables and properties in it replaced by their values.
  std::string substituted(std::string_view text, const Element& element);
  std::string value(const Element& element, std::string_view property);
  bool flag(const Element& element, std::string_view property);
  static int line_of(const Element& element, std::string_view property);
  // A number of a plan; empty: `missing`. A fault where it is none or outside of 0 to `most`.
  double number(const std::string& text, double missing, double most, int line, const std::string& what);
  base::Milliseconds seconds(const Element& element, std::string_view property, const std::string& what);

  // The files that give further variables their values, row by row, and whether one of them has this name.
  const std::vector<workload::Variables>& data_sets() const { return data_sets_; }
  bool may_be_of_data(const std::string& name) const {
    return heading_unknown_ || data_names_.contains(name);
  }

 private:
  std::string value_of(std::string_view name, std::string_view whole, const Element& element);
  void collect_variables(const std::vector<Element>& elements);
  void collect_arguments(const Property& arguments, const Element& element);
  void collect_user_parameters(const Element& element);
  void collect_data_set(const Element& element);

  PlanReport& report_;
  std::size_t put_in_ = 0;
  std::map<std::string, std::string, std::less<>> variables_;
  std::vector<workload::Variables> data_sets_;
  std::set<std::string> data_names_;
  bool heading_unknown_ = false;
};

// A year; of a pause and of a stage.
inline constexpr double kPauseMostMs = 365.0 * 86'400'000;

}  // namespace headroom::importers
