#include "sim/fluid_queue.hpp"

#include <algorithm>
#include <limits>

namespace headroom::sim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnbounded = 1e15;  // requests per second of an instance that they cost nothing

}  // namespace

double FluidQueue::waiting() const {
  if (rates_.empty()) return 0;
  double later = 0;
  for (std::size_t i = 1; i < rates_.size(); ++i) later += rates_[i] * shape_.tick_seconds;
  return rates_.front() * left_ + later;
}

double FluidQueue::lose() {
  const double lost = waiting();
  rates_.clear();
  mode_ = Mode::nothing_waits;
  return lost;
}

FluidTick FluidQueue::tick(double requests_per_second, bool hung, double strength) {
  const double length = shape_.tick_seconds;
  const double longest = shape_.longest_wait_seconds;
  const double work = shape_.request_core_seconds / strength;
  if (rates_.empty()) left_ = length;  // nobody waits: the turn is that of the first to come
  rates_.push_back(requests_per_second);

  FluidTick done;
  double now = 0;  // since the tick began
  while (now < length) {
    const double came = rates_.front();  // the rate at which those came whose turn it is
    const double cores = processor_.cores();
    const double for_requests = std::max(0.0, cores - shape_.background_cores);
    const double takes = hung ? 0 : for_requests < work * kUnbounded ? for_requests / work : kUnbounded;
    const bool saturated = came > takes;
    if (mode_ == Mode::nothing_waits && saturated) mode_ = longest > 0 ? Mode::waits : Mode::waits_longest;
    if (mode_ == Mode::waits_longest && !saturated) mode_ = longest > 0 ? Mode::waits : Mode::nothing_waits;

    if (mode_ == Mode::waits && came == 0) {
      // None came in what is left of that tick: the turn is that of the next one that came.
      if (rates_.size() == 1) {
        mode_ = Mode::nothing_waits;
        left_ = length - now;
      } else {
        rates_.pop_front();
        left_ = length;
      }
      continue;
    }

    const double answers = mode_ == Mode::nothing_waits ? came : takes;
    // Seconds of coming that are dealt with in a second.
    const double speed = mode_ == Mode::waits ? takes / came : 1;
    const double used = hung ? 0 : std::min(cores, shape_.background_cores + answers * work);
    const double wait = mode_ == Mode::nothing_waits ? 0
                        : mode_ == Mode::waits_longest
                            ? longest
                            : now + left_ + length * static_cast<double>(rates_.size() - 1) - length;

    // The next event: the first of these.
    const double to_end = length - now;
    const double to_slower = processor_.seconds_left(used);
    const double to_next_tick = speed > 0 ? left_ / speed : kInfinity;
    const double to_no_wait =
        mode_ == Mode::waits && speed > 1 ? std::max(0.0, wait) / (speed - 1) : kInfinity;
    const double to_longest =
        mode_ == Mode::waits && speed < 1 ? std::max(0.0, longest - wait) / (1 - speed) : kInfinity;
    const double step = std::min({to_end, to_slower, to_next_tick, to_no_wait, to_longest});

    processor_.use(used, step);
    done.answered += answers * step;
    if (mode_ == Mode::waits_longest) done.failed += (came - answers) * step;
    done.used_core_seconds += used * step;
    done.available_core_seconds += cores * step;
    done.limited = done.limited || mode_ != Mode::nothing_waits;
    if (answers > 0) {
      const double later = mode_ == Mode::waits ? wait + (1 - speed) * step : wait;
      done.waits.push_back({std::max(0.0, wait), std::clamp(later, 0.0, longest), answers * step});
    }
    now = step == to_end ? length : now + step;
    left_ = std::max(0.0, left_ - speed * step);

    if (step == to_no_wait) {
      mode_ = Mode::nothing_waits;
      rates_.erase(rates_.begin(), rates_.end() - 1);
      left_ = length - now;
    } else if (step == to_longest) {
      mode_ = Mode::waits_longest;
    } else if (step == to_next_tick) {
      if (rates_.size() > 1) {
        rates_.pop_front();
        left_ = length;
      } else {
        mode_ = Mode::nothing_waits;  // the last that came in this tick was dealt with as it ended
        left_ = length - now;
      }
    }
  }
  if (mode_ == Mode::nothing_waits || longest == 0) {
    mode_ = Mode::nothing_waits;
    rates_.clear();
  }
  done.waiting = waiting();
  return done;
}

}  // namespace headroom::sim
