// Outcome: what a search over policies found, with the evidence.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/policy.hpp"
#include "sim/rehearsal.hpp"

namespace headroom::tune {

// The mean over replications and its 95 % interval (Student's t; equal to the mean where there is one).
struct Estimate {
  double mean = 0;
  double low = 0;
  double high = 0;
  bool operator==(const Estimate&) const = default;
};

// The lowest and the highest of what was seen.
struct Range {
  double low = 0;
  double high = 0;
  void widen(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool operator==(const Range&) const = default;
};

// The values of the searched fields by name, in the unit of each field, in search order.
using Parameters = std::vector<std::pair<std::string, double>>;

// One policy on one traffic, over the replications.
struct Score {
  base::Milliseconds duration{0};        // of the traffic, that of all loads together
  Estimate cost_usd;                     // of the whole duration
  Estimate objective_violation_percent;  // of the minutes
  Estimate cpu_percent_mean;
  double cpu_percent_max = 0;  // over all replications
  Estimate instance_hours;
  std::optional<Estimate> profit_usd;  // unset: the objective states none
  Estimate downtime_minutes;
  bool objective_met = true;
  bool operator==(const Score&) const = default;
};

// A rehearsal repeated over several seeds.
struct Replications {
  int count = 1;
  Score score;
  bool operator==(const Replications&) const = default;
};

// A policy of the search with its figures on the traffic it was tuned on.
struct Candidate {
  std::int64_t index = 0;  // in loop order of the search
  Parameters parameters;
  Score score;
  bool feasible = false;
};

// One line of a comparison on traffic that no policy here was tuned on.
struct Contender {
  std::string name;  // "tuned", "present", or the name of a rival
  Parameters parameters;
  Score score;                 // on the unseen traffic
  std::int64_t evaluated = 1;  // policies tried to find it
  sim::Rehearsal rehearsal;    // on the unseen traffic, first seed
  policy::Scaling scaling;     // as judged here: the report states it and draws its thresholds
};

// The winner under a variation of the traffic or the start-up time.
struct Variation {
  std::string name;  // "height 1.2"
  Score tuned;
  Score present;
};

// What happens when one parameter alone changes and the others stay as the winner has them.
struct Sensitivity {
  std::string parameter;
  double value = 0;          // the winner's, in the unit of the field
  double unchanged_low = 0;  // between these tried values, the winner's among them, nothing changes
  double unchanged_high = 0;
  // Means over all values tried; for the duration of the winner's score.
  Range cost_usd;
  Range violation_percent;
  std::optional<Range> profit_usd;  // unset: the objective states none
  Range downtime_minutes;
  // A searched parameter: some value of its range changes the aim or the objective. Another: a change by a
  // tenth (of a count: by one) does.
  bool matters = true;
  bool searched = true;
  bool at_edge = false;  // the winner stands at the end of the range: a wider one may hold a better policy
};

struct Outcome {
  std::string environment;
  std::string service;
  std::string aim;  // "cheapest", "profit" or "utilisation"
  std::int64_t evaluated = 0;
  std::int64_t feasible = 0;
  std::int64_t invalid = 0;    // combinations that are no valid policy (in.below above out.above, say)
  bool stopped_early = false;  // by Ctrl-C: the best of what was tried
  double seconds = 0;          // wall time of the search
  bool found = false;          // a policy that keeps the objective exists; else `best` is the nearest miss
  Candidate best;
  sim::Summary best_summary;            // of the first seed on the tuning traffic
  std::int64_t best_feasible_row = -1;  // index of `best` among the feasible candidates in loop order
  std::vector<Candidate> front;  // by cost and risk, which is to violate the objective (aim profit: downtime)
  std::vector<Candidate> sample;  // some of the candidates for the chart (all where they are few)
  std::string binding;            // which constraint binds, in one sentence
  std::vector<Sensitivity> sensitivities;
  std::vector<Variation> variations;
  std::vector<Contender> unseen;   // first the winner, then the present settings, then the rivals
  std::string unseen_description;  // "the last 14 weeks", "traffic holdout.yaml"
  sim::Rehearsal rehearsal;        // the winner on the tuning traffic, first seed
  std::vector<std::string> notes;
};

}  // namespace headroom::tune
