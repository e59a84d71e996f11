// SharedProcessor: one instance under requests of users who wait, event by event.
//
// All requests in it are worked on at once, each with the same share of the cores, one core at most:
//   p = min(1, (cores - background) / n)    cores for each of n requests
// and each needs the same processor time, W core-seconds. So requests are answered in the order in which they
// came, and one number says how far all are: V, the processor time that a request which was there all the
// time has had, dV/dt = p. A request that comes at V is answered when V has grown by W. It waits for as long
// as it takes more than alone on an idle instance, W / min(1, cores at full speed); where there is a longest
// wait Q it fails when it has waited that long.
//
// Worked example: one core, W 0.36 s. A request at 0 s has had 0.1 s when a second one comes at 0.1 s. From
// then on each has half a core: the first is answered at 0.1 + 0.26 / 0.5 = 0.62 s, the second has had 0.26 s
// then and is answered 0.1 s later, at 0.72 s.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/quantity.hpp"
#include "sim/processor.hpp"

namespace headroom::sim {

using base::kNever;
using base::Nanoseconds;

// What is the same for all instances.
struct SharedShape {
  double request_core_seconds = 0;  // 0: it costs nothing
  double background_cores = 0;      // used at no requests: the intercept
  double alone_seconds = 0;         // that a request takes on an idle instance at full speed
  std::optional<Nanoseconds> longest_wait;
};

class SharedProcessor {
 public:
  // A request that has left.
  struct Left {
    std::size_t user = 0;
    Nanoseconds sent{0};
    bool answered = false;  // else it failed
  };

  SharedProcessor(const SharedShape& shape, const Processor& processor, Nanoseconds now);

  // When the next event comes unless a request comes before; kNever: none will.
  Nanoseconds next() const { return next_; }

  // Lets time pass to `now`, and gives the request that leaves then, if one does. Requires: not before the
  // time so far, not after next(). Call it until next() is later than now.
  std::optional<Left> pass(Nanoseconds now);

  // Requires: time has passed to `now`.
  void send(std::size_t user, Nanoseconds now);
  void set_hung(bool hung);
  void set_strength(double strength);

  // The oldest request fails. Requires: waiting() above 0.
  Left fail_oldest();

  std::size_t waiting() const { return requests_.size(); }
  const Processor& processor() const { return processor_; }
  // Since it was last asked.
  double take_used_core_seconds();

 private:
  struct Request {
    std::size_t user = 0;
    Nanoseconds sent{0};
    Nanoseconds deadline{0};
    double answered_at = 0;  // value of progress_
  };

  double share() const;  // cores for each request
  double used() const;
  void plan();

  SharedShape shape_;
  Processor processor_;
  Nanoseconds now_;
  Nanoseconds next_ = kNever;
  std::deque<Request> requests_;  // in the order in which they came
  double progress_ = 0;           // V, in core-seconds of usual strength
  double strength_ = 1;
  bool hung_ = false;
  double used_core_seconds_ = 0;
};

}  // namespace headroom::sim
