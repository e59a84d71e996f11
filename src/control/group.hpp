// Group: the instances of a service that scale together, as counts and metrics for their policy.
#pragma once

#include <string>
#include <vector>

#include "control/orders.hpp"
#include "control/placement.hpp"
#include "control/step.hpp"

namespace headroom::control {

class Group {
 public:
  // Requires: the arguments outlive the group.
  Group(std::int32_t index, base::Milliseconds now, const cloud::Observed& observed, const Settings& settings,
        const Orders& orders, State& state);

  const std::string& name() const { return name_; }
  const std::vector<std::string>& zones() const { return zones_; }
  GroupState& memory() const { return state_.groups[static_cast<std::size_t>(index_)]; }

  // In service and to stay.
  std::vector<const cloud::Instance*> in_service() const;
  // Those of them that requests can reach: the policy counts and removes no others. The rest serve nobody
  // while their zone is cut, and are there again when it is not.
  std::vector<const cloud::Instance*> serving() const;
  // Without this instance fewer than the minimum would serve and pass their checks.
  bool needs(const cloud::Instance& instance) const;
  // Marked to go, still in service; the latest mark last.
  std::vector<const cloud::Instance*> marked() const;
  // In service until their replacements are proven.
  std::vector<const cloud::Instance*> outgoing() const;
  // Of these states and of another version than the present one, to stay so far.
  std::vector<const cloud::Instance*> outdated(bool on_their_way) const;
  // Whether all that was decided serves, what runs the present version for at least `proven_after` with good
  // checks.
  bool is_proven() const;
  // Whether one of another version is on its way out.
  bool sheds_outdated() const;
  // Stopped instances of another version, once none of them serves or comes.
  std::vector<const cloud::Instance*> outdated_pool() const;
  // Stopped instances of the present version, in open zones, that nobody has ordered to start; the last
  // stopped first.
  std::vector<const cloud::Instance*> pool() const;
  int pooled() const;  // stopped and to stay, or ordered to the pool
  // Stopped instances that the pool has no place for: those of another version first, then the first stopped.
  std::vector<const cloud::Instance*> beyond_pool() const;
  // Instances that stay or are on their way, seen or ordered; those marked are not counted.
  int total() const;
  // The same by the zones that can take more: those in rotation in which launches do not fail just now, or
  // all of them where there is none.
  std::vector<ZoneCount> present_by_zone() const;
  // When one of its zones can take more, as launches do not fail there just now; now, where one can.
  base::Milliseconds opens_at() const;
  // How many fewer than the minimum serve or are on their way, but for orders that wait.
  int missing_for_minimum() const;
  // How many more may be asked of the cloud now: max less all that runs, starts, or was asked for; also what
  // is to go and has not gone yet. So max holds for what there is, not only for what is wanted; but for
  // instances that serve only until their replacements do.
  int room() const;

  // What the policy is shown. Moves memory().sample_end on.
  policy::Observation<base::One> see() const;

 private:
  bool has(const cloud::Instance& instance) const;
  bool stays(const cloud::Instance& instance) const;
  std::vector<const cloud::Instance*> still_serving(const std::vector<std::string>& ids) const;
  bool is_outdated(const cloud::Instance& instance) const;
  bool is_going(const cloud::Instance& instance) const;  // marked or outgoing
  bool is_recent(base::Milliseconds time) const { return now_ - time <= settings_.max_age; }
  bool is_cut(const std::string& zone) const;
  // In rotation, or nothing of the group is.
  bool is_reached(const std::string& zone) const;
  base::Milliseconds opens_at(const std::string& zone) const;
  int on_their_way(bool also_unreached) const;
  // Metric periods seen of the newest of these since its start.
  int records_of_newest(const std::vector<const cloud::Instance*>& serving) const;
  bool is_pooled(const cloud::Instance& instance) const;
  std::vector<const cloud::Instance*> measured() const;
  void see_metrics(policy::Observation<base::One>& seen) const;
  void see_load(policy::Observation<base::One>& seen, const std::optional<base::Milliseconds>& newest) const;

  std::int32_t index_;
  std::string name_;
  std::vector<std::string> zones_;
  base::Milliseconds now_;
  const cloud::Observed& observed_;
  const Settings& settings_;
  const Orders& orders_;
  State& state_;
};

}  // namespace headroom::control
