#include "load/schedule.hpp"

#include <utility>
#include <variant>

#include "base/philox.hpp"

namespace headroom::load {
namespace {

// The stream of Philox that chooses requests; no other part uses this number.
constexpr std::uint32_t kChoiceStream = 0x10ad;

// Of a request with this number among all of the test.
std::size_t chosen(const Job& job, std::uint64_t number) {
  if (job.requests.size() == 1) return 0;
  return job.requests.chosen(
      base::uniform(base::random_block(job.options.seed, kChoiceStream, number).bits64(0)));
}

}  // namespace

OpenSchedule::OpenSchedule(const Job& job, workload::Share share)
    : job_(job), due_(std::get<workload::Profile>(job.shape), job.arrivals, job.options.seed, share) {}

std::optional<Ask> OpenSchedule::take() {
  Ask ask;
  ask.due = due_.next();
  ask.row = due_.number();
  ask.request = job_.requests.choice() == workload::Choice::in_order
                    ? static_cast<std::size_t>(ask.row % job_.requests.size())
                    : chosen(job_, ask.row);
  if (job_.stages.size() > 1) ask.stage = due_.piece();
  due_.advance();
  return ask;
}

ClosedSchedule::ClosedSchedule(const Job& job, workload::Share share, StageGate& gate,
                               std::function<void()> opened)
    : job_(job),
      share_(share),
      users_(std::get<workload::Closed>(job.shape), job.options.seed, share,
             workload::ClosedUsers::Next::told),
      gate_(gate),
      opened_(std::move(opened)) {}

std::optional<Ask> ClosedSchedule::take() {
  Ask ask;
  ask.due = users_.next();
  const auto user = users_.happen();
  if (user) {
    ask.user = *user;
    ask.stage = users_.stage_of(*user);
    ask.row = share_.index + share_.of * asked_++;
    ask.request = job_.requests.choice() == workload::Choice::in_order
                      ? static_cast<std::size_t>((users_.sent(*user) - 1) % job_.requests.size())
                      : chosen(job_, ask.row);
  }
  if (users_.waits()) pass_gate(ask.due);
  return user ? std::optional(ask) : std::nullopt;
}

bool ClosedSchedule::ended(const Ask& ask, Nanoseconds now, bool at_once) {
  if (at_once) {
    users_.refused(ask.user, now);
  } else {
    users_.went(ask.user, now);
  }
  return users_.goes_on(ask.user);
}

void ClosedSchedule::pass_gate(Nanoseconds now) {
  while (const auto stage = users_.waits()) {
    if (arrived_ != stage) {
      arrived_ = stage;
      if (gate_.arrive(*stage)) opened_();
    }
    if (!gate_.is_open(*stage)) return;
    users_.tell(now);
  }
}

}  // namespace headroom::load
