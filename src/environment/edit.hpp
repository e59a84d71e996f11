// Editing: changes values in the text of headroom.yaml and leaves every other byte as it is.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "environment/fields.hpp"

namespace headroom::environment {

struct Change {
  std::string path;  // full: "services.web.scale.policies[0].step.out[0].add"
  double value = 0;  // in the field's unit
  FieldUnit unit = FieldUnit::count;
};

// The text with the values of `changes`, each written in the unit that the file uses for it. A key that is
// not written yet is added beside its neighbours. With `variant`, everything is written under
// environments.VARIANT, with the maps that lead to it: what the file itself and its other variants say stays.
// A variant replaces lists whole, so one of which a part changes is copied into it first.
// Shape: comments, order and formatting stay.
// Errors: a value that stands in another file or in a form that cannot be changed in place; each by name.
base::Result<std::string> edited(const std::string& text, const std::string& file,
                                 const std::vector<Change>& changes, const std::string& variant = {});

}  // namespace headroom::environment
