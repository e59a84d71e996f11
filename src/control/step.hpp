// Step: what is seen of one service and what is remembered of it, to what is asked of the cloud.
//
// The controller calls step() about once a second: it follows up what was ordered, replaces instances that
// failed, and at each tick builds the observation of the policy, lets it decide, and turns the decision into
// actions. It is pure: the same arguments give the same result, so every run can be replayed from its
// recorded observations, and the live controller and the rehearsal in the simulated cloud run the same code
// (docs/decisions/one-kernel.md). One call is for one service; a controller of several loops over their
// settings and states.
//
//   State state;
//   for (;;) {
//     Step next = step(now(), cloud.observe(), std::move(state), settings);
//     state = std::move(next.state);  // kept safe before anything is submitted, see State
//     for (const cloud::Action& action : next.actions) cloud.submit(action);
//   }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "cloud/cloud.hpp"
#include "fleet/billing.hpp"
#include "policy/compile.hpp"
#include "policy/kernel.hpp"

namespace headroom::control {

// What stays the same from step to step.
// Requires: tick and metric_period above 0; a zone; a token prefix of 1 to 40 letters, digits and hyphens.
struct Settings {
  std::string service;
  std::string version;             // what new instances run
  std::vector<std::string> zones;  // where they may run
  // Each zone is a group of its own, with its own metrics, policy state, min, max and pool; otherwise the
  // whole fleet is one group.
  bool per_zone = false;
  // What the tokens of its actions begin with, such as matrix-web. No other service of any environment in the
  // same account has it.
  std::string token_prefix;
  base::Milliseconds start{0};  // of tick 0
  base::Milliseconds tick{60'000};
  policy::Compiled policy;  // on the grid of `tick`; of each group
  base::Milliseconds metric_period{60'000};
  // A metric, and a list of instances, that is older counts as missing. At least the lag and two periods, or
  // metrics are missing in between.
  base::Milliseconds max_age{180'000};
  base::Milliseconds drain{0};  // before an instance is removed
  int pool = 0;                 // so many stopped instances of a group are kept to be started again, no more
  // Where it is set, instances are charged so, and one that is to go is only marked: it serves for as long as
  // to remove it later costs no more, such as to the end of its begun hour, and is the first to be recalled.
  std::optional<fleet::Billing> hold_while_paid;
  // After so many failed health checks in a row, counted from `grace` after it entered service, an instance
  // is taken out, kept for inspection, and replaced.
  int replace_after = 3;
  base::Milliseconds grace{0};
  // How many instances of another version than `version` are replaced at once; 0: they stay as they are. Each
  // goes once its replacement has served for `proven_after` with good checks, so that no fewer serve than
  // were decided. Naming the earlier version again takes the replacement back.
  int roll_at_once = 0;
  // An instance of another version goes before its replacement comes, one at a time: where they would share
  // what only one may have. So fewer serve meanwhile.
  bool roll_stops_first = false;
  base::Milliseconds proven_after{0};
  // An instance that has not come into service by then has failed as well. Unset: it may take for ever.
  std::optional<base::Milliseconds> start_within;
  // What the cloud has confirmed, not clearly answered, or forgotten, and not shown for so long is lost: it
  // no longer counts as on its way.
  base::Milliseconds appear_within{300'000};
  // Before a failed order is placed anew, doubled with each failure up to `retry_at_most`, and before one
  // without an answer is sent again. Where launches fail in a zone, others are preferred for as long.
  base::Milliseconds retry_after{10'000};
  base::Milliseconds retry_at_most{300'000};
  // What the minimum needs and the cloud has refused waits no longer than this.
  base::Milliseconds retry_for_minimum{60'000};
};

// An action that the cloud has not shown to be carried out.
struct Order {
  cloud::Action
      action;  // its token is empty while the order waits: for `not_before`, then for room below max
  base::Milliseconds submitted{0};  // or, while it waits, since when it does
  base::Milliseconds listed{0};     // when the cloud last listed its ticket; before that, when it was placed
  std::optional<base::Milliseconds> not_before;
  int attempts = 1;                   // under different tokens
  int expected = 1;                   // instances; fewer after the cloud has refused some of them
  std::vector<std::string> appeared;  // of a launch: instances seen so far
  bool operator==(const Order&) const = default;
};

// An instance that is in service or on its way and is to stay: what has been seen of it so far.
struct Watched {
  std::string id;
  std::string zone;
  base::Milliseconds started{0};  // of the start that the rest belongs to
  bool served = false;            // was in service since
  int excused_checks = 0;         // of the present row of failed ones: seen within the grace
  int records = 0;                // metric periods seen
  std::optional<base::Milliseconds> record_end;
  bool operator==(const Watched&) const = default;
};

// What one group remembers for its policy.
struct GroupState {
  policy::State<base::One> policy = policy::initial_state();
  std::optional<base::Milliseconds> sample_end;  // of the newest metrics that were used
  bool operator==(const GroupState&) const = default;
};

// A zone in which launches or starts failed: others are preferred until then.
struct Avoided {
  std::string zone;
  base::Milliseconds until{0};
  int failed_starts = 0;  // steps in a row in which instances were lost before they served
  bool operator==(const Avoided&) const = default;
};

// What is remembered from step to step. A controller that can be killed writes it down before it submits the
// actions of the step: orders that were then never sent are sent by a later step, under the same token. One
// that has lost its state waits until its earlier orders are finished and can be seen, and begins anew.
struct State {
  std::int32_t next_tick = 0;                      // not decided yet
  std::vector<GroupState> groups;                  // as group_names(); empty before the first step
  std::optional<base::Milliseconds> instances_at;  // of the newest list that was used
  std::vector<Order> orders;                       // in the order of their first submission
  std::vector<Watched> watched;                    // by id
  std::vector<std::string> marked;                 // to go when their paid time ends; the latest last
  std::vector<std::string> outgoing;               // serve until their replacements of `version` are proven
  std::vector<Avoided> avoided;                    // by zone
  base::Milliseconds token_at{0};                  // the last token: its time and number
  std::int32_t token_number = 0;
  bool operator==(const State&) const = default;
};

struct Decided {
  std::int32_t group = 0;
  std::int32_t tick = 0;
  base::Milliseconds at{0};
  policy::Observation<base::One> seen;
  policy::Decision<base::One> decision;
  bool operator==(const Decided&) const = default;
};

// What else there is to tell, for events: the names are stable.
enum class Happened {
  list_unknown,     // nothing was decided: the cloud has not told its instances yet
  list_outdated,    // nothing was decided: an older list than one that was already used
  unsettled,        // nothing was decided: what was ordered before a restart is not finished
  ordered_anew,     // failed for a reason that passes: placed again under a new token
  sent_again,       // no answer: the same token again
  given_up,         // failed for good, or lost: no longer counted on
  taken_back,       // waited to be ordered anew, and is not: it is no longer wanted
  instance_failed,  // failed its health checks or did not start: taken out and kept for inspection
  instance_lost,    // vanished, or left service without an order
  marked,           // to go at the end of its paid time
  recalled,         // was marked, and stays
  outgoing,         // of another version: its replacement is ordered, and it serves until that is proven
};
std::string_view to_string(Happened happened);  // "ordered_anew"

struct Note {
  Happened happened = Happened::list_unknown;
  std::string subject;  // the token of the order, or the instance; empty where there is none
  std::string why;
  bool operator==(const Note&) const = default;
};

struct Step {
  State state;
  std::vector<cloud::Action> actions;  // to be submitted in this order
  std::vector<Decided> decided;        // at most once per tick: one per group, in their order
  std::vector<Note> notes;
  bool operator==(const Step&) const = default;
};

// Requires: now not before observed.at, `state` from the step before or State{}.
Step step(base::Milliseconds now, const cloud::Observed& observed, State state, const Settings& settings);

// The zones, where each is a group of its own; one empty name for the whole fleet.
std::vector<std::string> group_names(const Settings& settings);

}  // namespace headroom::control
