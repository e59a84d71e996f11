// Schedule: which request is to be sent next, and when; one for open and one for closed traffic.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/quantity.hpp"
#include "load/job.hpp"
#include "workload/closed_users.hpp"
#include "workload/due_times.hpp"

namespace headroom::load {

using base::Nanoseconds;

// A request that is to be sent. All times are since the start of the test.
struct Ask {
  Nanoseconds due{0};
  std::size_t request = 0;  // of Prepared
  std::uint64_t row = 0;    // of the variables
  std::size_t stage = 0;
  std::size_t user = 0;  // closed: of its schedule
};

class Schedule {
 public:
  virtual ~Schedule() = default;
  // When something is to be done; kNever: nothing before an answer comes, or at all.
  virtual Nanoseconds next() const = 0;
  // Does it. Unset: it was no request. Requires: next() has come.
  virtual std::optional<Ask> take() = 0;
  // What was asked for has ended; `at_once`: it failed without anything being sent. Returns whether the same
  // user will ask again, on the same connection.
  virtual bool ended(const Ask& ask, Nanoseconds now, bool at_once) = 0;
  // To be called whenever the worker was woken by another one.
  virtual void woken(Nanoseconds) {}
  // Nothing will be asked any more, whatever is answered.
  virtual bool over() const = 0;
};

// Lets the workers of one test begin each serial stage together.
class StageGate {
 public:
  StageGate(std::size_t stages, std::size_t workers) : left_(stages) {
    for (auto& left : left_) left = workers;
  }
  // One worker has ended its part of the stage. Returns whether it was the last.
  bool arrive(std::size_t stage) { return left_[stage].fetch_sub(1) == 1; }
  bool is_open(std::size_t stage) const { return left_[stage] == 0; }

 private:
  std::vector<std::atomic<std::size_t>> left_;
};

class OpenSchedule : public Schedule {
 public:
  OpenSchedule(const Job& job, workload::Share share);
  Nanoseconds next() const override { return due_.next(); }
  std::optional<Ask> take() override;
  bool ended(const Ask&, Nanoseconds, bool) override { return true; }
  bool over() const override { return due_.next() == base::kNever; }

 private:
  const Job& job_;
  workload::DueTimes due_;
};

class ClosedSchedule : public Schedule {
 public:
  // `opened` wakes the other workers.
  ClosedSchedule(const Job& job, workload::Share share, StageGate& gate, std::function<void()> opened);
  Nanoseconds next() const override { return users_.next(); }
  std::optional<Ask> take() override;
  bool ended(const Ask& ask, Nanoseconds now, bool at_once) override;
  bool over() const override { return users_.over(); }
  void woken(Nanoseconds now) override { pass_gate(now); }

 private:
  // Begins the next stage if all workers have ended the one before.
  void pass_gate(Nanoseconds now);

  const Job& job_;
  workload::Share share_;
  workload::ClosedUsers users_;
  StageGate& gate_;
  std::function<void()> opened_;
  std::optional<std::size_t> arrived_;  // at the gate of this stage
  std::uint64_t asked_ = 0;
};

}  // namespace headroom::load
