// FitOutput: a fitted capacity model for people and for programs.
#pragma once

#include <iosfwd>
#include <optional>

#include "base/quantity.hpp"
#include "capacity/evaluate.hpp"
#include "capacity/fit.hpp"
#include "report/json.hpp"

namespace headroom::cli {

// What is read off the fit beside its own figures.
struct FitAnswers {
  std::optional<base::Rate> rate;
  std::optional<capacity::Prediction> cpu_at_rate;  // at that rate
  base::Percent cpu{50};
  std::optional<capacity::Prediction> rate_at_cpu;  // at that utilisation
};

void write_fit(const capacity::Fit& fit, const FitAnswers& answers, std::ostream& out);

// Members of an object that is open.
void write_fit(const capacity::Fit& fit, const FitAnswers& answers, report::JsonWriter& json);

}  // namespace headroom::cli
