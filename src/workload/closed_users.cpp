#include "workload/closed_users.hpp"

#include <algorithm>
#include <limits>

namespace headroom::workload {
namespace {

using base::Nanoseconds;

// The streams of Philox of the users: this and the number of the user. No other part uses them.
constexpr std::uint32_t kUserStream = 0x40000000;
constexpr Nanoseconds kRefusedWait{1'000'000'000};
constexpr int kNoLimit = std::numeric_limits<int>::max();

// The order of a heap whose front is the earliest event.
constexpr auto later = [](const auto& a, const auto& b) {
  return a.at != b.at ? a.at > b.at : a.number > b.number;
};

}  // namespace

ClosedUsers::ClosedUsers(const Closed& closed, std::uint64_t seed, Share share, Next next)
    : closed_(closed),
      seed_(seed),
      share_(share),
      next_(next),
      stages_(closed.stages.size()),
      stages_left_(closed.stages.size()) {
  std::uint64_t users = 0;
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    stages_[stage].first_number = users;
    users += static_cast<std::uint64_t>(closed.stages[stage].users);
  }
  const std::size_t at_once = closed.serial ? std::min<std::size_t>(1, stages_.size()) : stages_.size();
  for (std::size_t stage = 0; stage < at_once; ++stage) plan(Nanoseconds(0), What::stage_starts, stage);
}

void ClosedUsers::plan(Nanoseconds at, What what, std::size_t subject) {
  events_.push_back({at, planned_++, what, subject});
  std::push_heap(events_.begin(), events_.end(), later);
}

std::optional<std::size_t> ClosedUsers::happen() {
  std::pop_heap(events_.begin(), events_.end(), later);
  const Event event = events_.back();
  events_.pop_back();
  switch (event.what) {
    case What::stage_starts:
      start(event.subject, event.at);
      return std::nullopt;
    case What::stage_ends:
      end(event.subject, event.at);
      return std::nullopt;
    case What::user_leaves:
      if (--stages_[users_[event.subject].stage].users_left == 0) end(users_[event.subject].stage, event.at);
      return std::nullopt;
    case What::user_sends:
      break;
  }
  User& user = users_[event.subject];
  if (user.to_send != kNoLimit) --user.to_send;
  ++user.sent;
  return event.subject;
}

void ClosedUsers::start(std::size_t stage, Nanoseconds now) {
  const ClosedStage& wanted = closed_.stages[stage];
  stage_ = stage;
  // Planned before its users, so that nobody sends at the moment of its end.
  if (wanted.duration) {
    stages_[stage].end = now + *wanted.duration;
    plan(stages_[stage].end, What::stage_ends, stage);
  }
  const Nanoseconds ramp_up = wanted.ramp_up;
  for (int k = 0; k < wanted.users; ++k) {
    const std::uint64_t number = stages_[stage].first_number + static_cast<std::uint64_t>(k);
    if (!share_.holds(number)) continue;
    const std::size_t user = users_.size();
    ++stages_[stage].users_left;
    users_.push_back({stage, number, wanted.requests_each > 0 ? wanted.requests_each : kNoLimit, 0,
                      base::Rng(seed_, kUserStream + static_cast<std::uint32_t>(number))});
    Nanoseconds at = now + ramp_up * k / wanted.users;
    if (wanted.think_first) at += think(users_.back());
    if (at < stages_[stage].end) plan(at, What::user_sends, user);
  }
  // Others have all the users of this stage.
  if (wanted.users > 0 && stages_[stage].users_left == 0) end(stage, now);
}

void ClosedUsers::end(std::size_t stage, Nanoseconds now) {
  if (stages_[stage].ended) return;
  stages_[stage].ended = true;
  --stages_left_;
  if (!closed_.serial || stage + 1 == stages_.size()) return;
  if (next_ == Next::told) {
    waits_ = stage;
  } else {
    start(stage + 1, now);
  }
}

void ClosedUsers::tell(Nanoseconds now) {
  const std::size_t ended = *waits_;
  waits_.reset();
  start(ended + 1, now);
}

void ClosedUsers::went(std::size_t user, Nanoseconds at) { next_request(user, at, Nanoseconds(0)); }

void ClosedUsers::refused(std::size_t user, Nanoseconds at) { next_request(user, at, kRefusedWait); }

void ClosedUsers::next_request(std::size_t user, Nanoseconds at, Nanoseconds least) {
  if (users_[user].to_send == 0) {
    plan(at, What::user_leaves, user);
    return;
  }
  const Nanoseconds next = at + std::max(least, think(users_[user]));
  // One who would send later than the stage lasts never does.
  if (next < stages_[users_[user].stage].end) plan(next, What::user_sends, user);
}

Nanoseconds ClosedUsers::think(User& user) const {
  const ClosedStage& stage = closed_.stages[user.stage];
  const auto mean_or_most = static_cast<double>(Nanoseconds(stage.think).count());
  const auto least = static_cast<double>(Nanoseconds(stage.think_least).count());
  const auto deviation = static_cast<double>(Nanoseconds(stage.deviation).count());
  double nanoseconds = mean_or_most;
  switch (stage.think_distribution) {
    case Think::constant:
      break;
    case Think::uniform:
      nanoseconds = least + (mean_or_most - least) * user.rng.uniform();
      break;
    case Think::exponential:
      nanoseconds = mean_or_most * user.rng.exponential();
      break;
    case Think::normal:
      nanoseconds = std::max(0.0, mean_or_most + deviation * user.rng.normal());
      break;
  }
  return Nanoseconds(static_cast<std::int64_t>(nanoseconds));
}

}  // namespace headroom::workload
