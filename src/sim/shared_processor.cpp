#include "sim/shared_processor.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace headroom::sim {
namespace {

constexpr double kPerSecond = 1e9;
constexpr double kFarSeconds = 1e9;  // 31 years: beyond it nothing is planned

double seconds(Nanoseconds time) { return static_cast<double>(time.count()) / kPerSecond; }

// Rounded up, so that what is to happen has happened by then.
Nanoseconds rounded_up(double seconds) {
  return Nanoseconds(static_cast<std::int64_t>(std::ceil(seconds * kPerSecond)));
}

}  // namespace

SharedProcessor::SharedProcessor(const SharedShape& shape, const Processor& processor, Nanoseconds now)
    : shape_(shape), processor_(processor), now_(now) {
  plan();
}

double SharedProcessor::share() const {
  if (hung_ || requests_.empty()) return 0;
  const double for_requests = std::max(0.0, processor_.cores() - shape_.background_cores);
  return std::min(1.0, for_requests / static_cast<double>(requests_.size()));
}

double SharedProcessor::used() const {
  if (hung_) return 0;
  return std::min(processor_.cores(),
                  shape_.background_cores + share() * static_cast<double>(requests_.size()));
}

void SharedProcessor::plan() {
  next_ = kNever;
  const double slower = processor_.seconds_left(used());
  if (slower < kFarSeconds) next_ = now_ + rounded_up(slower);
  if (requests_.empty()) return;
  const Request& oldest = requests_.front();
  next_ = std::min(next_, std::max(now_, oldest.deadline));
  const double speed = share() * strength_;
  const double missing = std::max(0.0, oldest.answered_at - progress_);
  if (missing < speed * kFarSeconds) next_ = std::min(next_, now_ + rounded_up(missing / speed));
}

std::optional<SharedProcessor::Left> SharedProcessor::pass(Nanoseconds now) {
  const double passed = seconds(now - now_);
  progress_ += share() * strength_ * passed;
  used_core_seconds_ += used() * passed;
  processor_.use(used(), passed);
  now_ = now;

  std::optional<Left> left;
  if (!requests_.empty()) {
    const Request& oldest = requests_.front();
    // A nanosecond of work is no work: rounding must not keep a request that is done.
    const bool answered = !hung_ && oldest.answered_at - progress_ < 1 / kPerSecond;
    if (answered || oldest.deadline <= now_) {
      left = Left{oldest.user, oldest.sent, answered};
      requests_.pop_front();
      if (requests_.empty()) progress_ = 0;
    }
  }
  plan();
  return left;
}

void SharedProcessor::send(std::size_t user, Nanoseconds now) {
  Request request{user, now, kNever, progress_ + shape_.request_core_seconds};
  if (shape_.longest_wait) {
    // At full speed and alone: the deadline must not depend on the credit of the moment, or requests would
    // not reach it in the order in which they came.
    request.deadline = now + *shape_.longest_wait + rounded_up(shape_.alone_seconds);
  }
  requests_.push_back(request);
  plan();
}

void SharedProcessor::set_hung(bool hung) {
  hung_ = hung;
  plan();
}

void SharedProcessor::set_strength(double strength) {
  strength_ = strength;
  plan();
}

SharedProcessor::Left SharedProcessor::fail_oldest() {
  const Left left{requests_.front().user, requests_.front().sent, false};
  requests_.pop_front();
  if (requests_.empty()) progress_ = 0;
  plan();
  return left;
}

double SharedProcessor::take_used_core_seconds() { return std::exchange(used_core_seconds_, 0.0); }

}  // namespace headroom::sim
