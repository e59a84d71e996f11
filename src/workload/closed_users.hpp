// ClosedUsers: users who each send a request, wait for the answer, think, and send the next.
//
// User k (0, 1, ...) of a stage of n starts ramp_up * k / n after the stage, with a request. A stage ends
// when its last user has had its last answer, or after its duration: then no more requests are sent, and
// those under way are still waited for, but not by the next stage. Serial stages begin when the one before
// ends, parallel ones all at the start. The think times of each user are a random stream of their own, so
// what happens to one user changes nothing for another.
//
// A request that fails counts as one of those a user is to send, and the user goes on as after an answer.
//
// Several ClosedUsers may drive one traffic, each the users of its share; those that run together are told
// when a serial stage has ended for all of them (Next::told).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/philox.hpp"
#include "base/quantity.hpp"
#include "workload/share.hpp"
#include "workload/traffic.hpp"

namespace headroom::workload {

class ClosedUsers {
 public:
  using Nanoseconds = base::Nanoseconds;

  // What begins the serial stage after one that has ended.
  enum class Next { itself, told };

  // Requires: times not negative, think_least at most think.
  ClosedUsers(const Closed& closed, std::uint64_t seed, Share share = {}, Next next = Next::itself);

  // When something happens next, unless an answer comes before; kNever: nothing does.
  Nanoseconds next() const { return events_.empty() ? base::kNever : events_.front().at; }

  // Lets what is due at next() happen. The user who now sends a request, if it is that: its place among those
  // of this share. Requires: next() is not kNever.
  std::optional<std::size_t> happen();

  // The user's request was answered, or failed, at `at`.
  void went(std::size_t user, Nanoseconds at);
  // The user's request was refused: one who thinks less waits for a second, or the user would send endlessly
  // many in no time.
  void refused(std::size_t user, Nanoseconds at);

  // The latest that has begun, by its place in the file; unset: none has.
  std::optional<std::size_t> stage() const { return stage_; }
  // The stage that has ended for this share while the next one waits to be told; unset: none does.
  std::optional<std::size_t> waits() const { return waits_; }
  // Next::told: begins the stage after the one that waits. Requires: waits().
  void tell(Nanoseconds now);
  // Nobody will send any more.
  bool over() const { return stages_left_ == 0; }

  // Of all users of the traffic, whatever the share: from 0 in the order of stages.
  std::uint64_t number(std::size_t user) const { return users_[user].number; }
  std::size_t stage_of(std::size_t user) const { return users_[user].stage; }
  // Whether the user has requests left to send.
  bool goes_on(std::size_t user) const { return users_[user].to_send > 0; }
  // Requests that the user has begun.
  std::uint64_t sent(std::size_t user) const { return users_[user].sent; }

 private:
  struct User {
    std::size_t stage = 0;
    std::uint64_t number = 0;
    int to_send = 0;
    std::uint64_t sent = 0;
    base::Rng rng;
  };
  struct Stage {
    std::uint64_t first_number = 0;  // of its users
    int users_left = 0;
    Nanoseconds end = base::kNever;  // by its duration
    bool ended = false;
  };
  enum class What { stage_starts, user_sends, user_leaves, stage_ends };
  struct Event {
    Nanoseconds at{0};
    std::uint64_t number = 0;  // of those at the same time the one that was planned first
    What what = What::user_sends;
    std::size_t subject = 0;  // stage or user
  };

  void plan(Nanoseconds at, What what, std::size_t subject);
  void start(std::size_t stage, Nanoseconds now);
  void end(std::size_t stage, Nanoseconds now);
  void next_request(std::size_t user, Nanoseconds at, Nanoseconds least);
  Nanoseconds think(User& user) const;

  Closed closed_;
  std::uint64_t seed_;
  Share share_;
  Next next_;
  std::vector<Stage> stages_;
  std::size_t stages_left_;
  std::optional<std::size_t> stage_;
  std::optional<std::size_t> waits_;
  std::vector<User> users_;
  std::vector<Event> events_;  // a heap
  std::uint64_t planned_ = 0;
};

}  // namespace headroom::workload
