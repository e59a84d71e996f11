// Processor: the processor time of one instance, with the credit of burstable types.
//
// An instance has C cores. A burstable one has them only while it has credit, which is processor time:
//   dK/dt = B - u,  0 <= K <= most      with K the credit, B the baseline and u the cores in use
//   cores = C while K > 0, else B
// so it may use B for ever, and more for as long as the credit lasts.
// Worked example: C 1, B 0.165, K 3 s. Used whole, the credit lasts 3 / (1 - 0.165) = 3.593 s, in which 3.593
// core-seconds are done; from then on 0.165 a second. Idle for 10 s it has earned 1.65 s again.
#pragma once

#include <optional>

#include "base/quantity.hpp"
#include "environment/environment.hpp"

namespace headroom::sim {

class Processor {
 public:
  // Requires: of credits, 0 < baseline < cpu, 0 <= initial <= most.
  Processor(base::Cores cpu, const std::optional<environment::Credits>& credits);

  // What it can use now.
  double cores() const { return throttled() ? baseline_ : cpu_; }

  // How long it can go on with so many cores in use before it has to slow down; infinite where for ever.
  double seconds_left(double used_cores) const;

  // Lets time pass. Requires: used_cores at most cores(), seconds at most seconds_left(used_cores) but for
  // rounding.
  void use(double used_cores, double seconds);

  // Of the baseline where that is what the metric is of.
  double percent(double used_cores) const { return 100 * used_cores / (of_baseline_ ? baseline_ : cpu_); }
  bool of_baseline() const { return of_baseline_; }
  bool burstable() const { return burstable_; }
  double credit_seconds() const { return credit_; }

 private:
  bool throttled() const { return burstable_ && credit_ <= 0; }

  double cpu_ = 1;
  bool burstable_ = false;
  bool of_baseline_ = false;
  double baseline_ = 0;
  double credit_ = 0;
  double most_ = 0;
};

}  // namespace headroom::sim
