#include "importers/plan_elements.hpp"

#include <algorithm>

#include "importers/plan_text.hpp"

namespace headroom::importers {

bool is_sampler(const Element& element) {
  return is_any(element.type, {"HTTPSamplerProxy", "HTTPSampler", "HTTPSampler2"});
}

bool is_controller(const Element& element) {
  return contains(element.type, "Controller") || element.type == "InterleaveControl";
}

bool is_timer(const Element& element) {
  return is_any(element.type, {"ConstantTimer", "UniformRandomTimer", "GaussianRandomTimer"});
}

bool is_defaults(const Element& element) {
  if (element.type != "ConfigTestElement") return false;
  if (element.properties.find("HTTPsampler.Arguments") != nullptr) return true;
  return std::any_of(element.properties.items.begin(), element.properties.items.end(),
                     [](const Property& property) { return property.name.starts_with("HTTPSampler."); });
}

bool is_of_scope(const Element& element) {
  return is_timer(element) ||
         is_any(element.type, {"HeaderManager", "Arguments", "UserParameters", "CSVDataSet"}) ||
         is_defaults(element);
}

}  // namespace headroom::importers
