// PlanSequences: what a user of a test plan sends in one round, as its controllers say; internal to this
// module.
#pragma once

#include <optional>
#include <vector>

#include "importers/plan_document.hpp"
#include "importers/plan_report.hpp"
#include "importers/plan_samplers.hpp"
#include "importers/plan_scope.hpp"
#include "importers/plan_values.hpp"

namespace headroom::importers {

// What a user does in one round.
struct Sequence {
  std::vector<Turn> turns;
  bool in_order = true;  // false: only how often each is sent is known
  bool endless = false;  // a loop in it never ends

  double count() const {
    double sum = 0;
    for (const Turn& turn : turns) sum += turn.times;
    return sum;
  }
};

// Requests of a user, as in a traffic file.
inline constexpr double kTimesMost = 1e9;

class PlanSequences {
 public:
  PlanSequences(PlanSamplers& samplers, PlanValues& values, PlanReport& report)
      : samplers_(samplers), values_(values), report_(report) {}

  // Of elements that stand one below the other.
  Sequence visit(const std::vector<Element>& elements, const Scope& outer);

 private:
  void visit_one(const Element& element, const Scope& scope, Sequence& sequence);
  Sequence visit_controller(const Element& element, const Scope& scope);
  Sequence visit_first(const Element& element, const Scope& outer);

  PlanSamplers& samplers_;
  PlanValues& values_;
  PlanReport& report_;
};

// The requests of a round one by one, without repetition of the whole; unset: the order is not known, or
// too long to write.
std::optional<std::vector<std::size_t>> round(const Sequence& sequence);

}  // namespace headroom::importers
