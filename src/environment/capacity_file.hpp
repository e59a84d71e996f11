// Capacity files: the model of one instance as `headroom fit` writes it and everything else reads it.
#pragma once

#include <string>

#include "base/result.hpp"
#include "capacity/model.hpp"

namespace headroom::environment {

// `file` names the text in faults; the model's source is its last part.
base::Result<capacity::CapacityModel> read_capacity(const std::string& text, const std::string& file);

// YAML that reads back to the same model (but for its source).
std::string write_capacity(const capacity::CapacityModel& model);

}  // namespace headroom::environment
