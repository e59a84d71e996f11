#include "telemetry/objective.hpp"

#include <cmath>
#include <limits>

#include "base/math.hpp"

namespace headroom::telemetry {
namespace {

template <class Violates>
Compliance compliance(const Series& series, Violates violates) {
  Compliance result;
  for (const double value : series.values) {
    (std::isnan(value) ? result.unknown : violates(value) ? result.violated : result.kept) += series.tick;
  }
  return result;
}

// Rounded to the millisecond: 1 - 0.999 is not exactly 0.001 in binary.
base::Milliseconds permitted_of(base::Milliseconds period, double promised) {
  const double permitted = base::round_half_even(static_cast<double>(period.count()) * (1.0 - promised));
  return base::Milliseconds(static_cast<std::int64_t>(permitted));
}

}  // namespace

Compliance compliance_at_most(const Series& series, double limit) {
  return compliance(series, [limit](double value) { return value > limit; });
}

Compliance compliance_at_least(const Series& series, double limit) {
  return compliance(series, [limit](double value) { return value < limit; });
}

std::optional<double> violated_share(const Compliance& compliance) {
  const base::Milliseconds known = compliance.kept + compliance.violated;
  if (known.count() == 0) return std::nullopt;
  return static_cast<double>(compliance.violated.count()) / static_cast<double>(known.count());
}

bool keeps(const Compliance& compliance, double promised) {
  return compliance.violated <= permitted_of(compliance.kept + compliance.violated, promised);
}

ErrorBudget error_budget(const Compliance& so_far, double promised, base::Milliseconds period) {
  ErrorBudget budget;
  budget.permitted = permitted_of(period, promised);
  budget.left = budget.permitted - so_far.violated;
  if (budget.permitted.count() > 0) {
    budget.left_share =
        static_cast<double>(budget.left.count()) / static_cast<double>(budget.permitted.count());
  }
  return budget;
}

std::optional<double> burn_rate(const Compliance& window, double promised) {
  const std::optional<double> share = violated_share(window);
  if (!share) return std::nullopt;
  if (*share == 0) return 0.0;
  if (promised >= 1.0) return std::numeric_limits<double>::infinity();
  return *share / (1.0 - promised);
}

}  // namespace headroom::telemetry
