// FluidQueue: one instance under open requests, which wait for it in the order in which they came.
//
// Requests are a fluid: they come at a rate a, constant within a tick, and the instance takes c of them a
// second: what its processor leaves beside the intercept, over the processor time of one request. With w the
// time that the request whose turn it is has waited, and a(t) the rate at which requests came at time t,
//   w = 0 and a <= c:      all are answered at once
//   0 < w < Q:             c are answered a second, and dw/dt = 1 - c / a(t - w); Q is the longest wait
//   w = Q and a(t-Q) > c:  c are answered a second, and a(t-Q) - c fail, each after waiting Q
// Without a queue Q is 0: what is beyond saturation fails at once. c changes where the processor runs out of
// credit, and is 0 while the instance hangs. Since a and c are constant in between, w is a straight line from
// one such event to the next: the result is exact and no step size enters.
//
// Worked example: c 10 rps, Q 6 s, ticks of 60 s; 15 rps in the first tick and nothing after it. w grows by
// 1 - 10/15 = 1/3 a second and reaches 6 s at 18 s; from then on 5 rps fail. After the first tick 600 are
// answered, 42 s * 5 rps = 210 have failed, and the 90 of its last 6 s wait. In the second tick they are
// dealt with in 6 s: 60 are answered, and 30 reach their 6 s before their turn and fail. 900 = 660 + 240.
#pragma once

#include <deque>
#include <vector>

#include "sim/processor.hpp"

namespace headroom::sim {

// What is the same for all instances and ticks. Requires: all finite and not negative, tick_seconds above 0.
struct FluidShape {
  double request_core_seconds = 0;  // processor time of one request; 0: it costs nothing
  double background_cores = 0;      // used at no requests: the intercept
  double longest_wait_seconds = 0;
  double tick_seconds = 60;
};

// Requests that waited between `from` and `to` seconds, evenly spread.
struct Waited {
  double from_seconds = 0;
  double to_seconds = 0;
  double requests = 0;
};

struct FluidTick {
  double answered = 0;  // requests
  double failed = 0;
  double waiting = 0;  // at the end of the tick
  double used_core_seconds = 0;
  double available_core_seconds = 0;  // at the speeds that the processor had
  bool limited = false;               // at some time in the tick requests waited or failed
  std::vector<Waited> waits;          // of those answered
};

class FluidQueue {
 public:
  FluidQueue(const FluidShape& shape, const Processor& processor) : shape_(shape), processor_(processor) {}

  // One tick. `strength`: what the instance takes, as a factor of what it takes usually.
  // Requires: rate finite and not negative, strength above 0.
  FluidTick tick(double requests_per_second, bool hung, double strength = 1);

  double waiting() const;
  // What waits is lost. Returns how much it was.
  double lose();
  const Processor& processor() const { return processor_; }

 private:
  enum class Mode { nothing_waits, waits, waits_longest };

  FluidShape shape_;
  Processor processor_;
  Mode mode_ = Mode::nothing_waits;
  // Where the request stands whose turn it is: in the tick of rates_.front(), `left_` seconds before its end.
  std::deque<double> rates_;  // of that tick and all later ones
  double left_ = 0;
};

}  // namespace headroom::sim
