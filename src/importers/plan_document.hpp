// PlanDocument: a test plan of JMeter as a tree of elements that know their lines; internal to this module,
// and with plan_document.cpp the only place that sees the XML library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::importers {

// A value of an element: a text, or values of its own.
struct Property {
  std::string kind;  // "stringProp", "elementProp", ...
  std::string name;
  std::string text;
  int line = 0;
  std::vector<Property> items;

  const Property* find(std::string_view wanted) const;
};

// In the file an element is followed by the tree of what stands below it.
struct Element {
  std::string type;  // "ThreadGroup"
  std::string name;  // as the user called it
  bool enabled = true;
  int line = 0;
  Property properties;
  std::vector<Element> children;
};

// What stands at the top: the test plan. Errors: no XML, not a test plan, too large or too deep.
base::Result<std::vector<Element>> read_plan(std::string_view text, const std::string& file);

}  // namespace headroom::importers
