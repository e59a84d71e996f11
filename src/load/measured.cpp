#include "load/measured.hpp"

#include <algorithm>
#include <numeric>

namespace headroom::load {

std::string_view words(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered:
      return "answered";
    case Outcome::refused:
      return "refused";
    case Outcome::reset:
      return "reset";
    case Outcome::closed:
      return "closed";
    case Outcome::timed_out:
      return "timed out";
    case Outcome::malformed:
      return "malformed";
    case Outcome::no_descriptor:
      return "no descriptor";
    case Outcome::no_port:
      return "no port";
    case Outcome::unreachable:
      return "unreachable";
    case Outcome::tls:
      return "tls";
    case Outcome::not_sent:
      return "not sent";
    case Outcome::redirected:
      return "redirected";
  }
  return "";
}

std::uint64_t Counts::all() const {
  return std::accumulate(outcomes.begin(), outcomes.end(), std::uint64_t{0});
}

std::uint64_t Counts::failed() const {
  std::uint64_t fine = 0;
  for (const auto& [status, count] : statuses) fine += status < 400 ? count : 0;
  return all() - fine;
}

void Counts::merge(const Counts& other) {
  for (std::size_t i = 0; i < kOutcomes; ++i) outcomes[i] += other.outcomes[i];
  for (const auto& [status, count] : other.statuses) statuses[status] += count;
}

void Tally::merge(const Tally& other) {
  counts.merge(other.counts);
  from_schedule_ms.merge(other.from_schedule_ms);
  from_sending_ms.merge(other.from_sending_ms);
  body_bytes += other.body_bytes;
}

void Second::merge(const Second& other) {
  due += other.due;
  sent += other.sent;
  answered += other.answered;
  failed += other.failed;
  counts.merge(other.counts);
  under_way_most += other.under_way_most;
  from_schedule_ms.merge(other.from_schedule_ms);
  from_sending_ms.merge(other.from_sending_ms);
  generator_cores += other.generator_cores;
}

void Second::compact() {
  from_schedule_ms.compact();
  from_sending_ms.compact();
}

Tally Measured::total() const {
  Tally total;
  for (const Group& request : requests) total.merge(request.tally);
  return total;
}

double Measured::answered_per_second() const {
  // Up to the last second in which one was answered: what a test waits at its end for answers that never come
  // is not the service's rate.
  std::size_t last = seconds.size();
  while (last > 0 && seconds[last - 1].answered == 0) --last;
  double span = static_cast<double>(duration.count()) / 1e9;
  if (last > 0) span = std::min(span, static_cast<double>(last));
  if (span <= 0) return 0;
  const Counts counts = total().counts;
  return static_cast<double>(counts.all() - counts.failed()) / span;
}

std::uint64_t Measured::late() const {
  std::uint64_t late = 0;
  for (const auto& bucket : lateness_ms.buckets()) late += bucket.low >= kLateMs ? bucket.count : 0;
  return late;
}

double Measured::generator_share() const {
  if (duration.count() <= 0 || generator_threads == 0) return 0;
  // Over the whole seconds in which it had requests to send: waiting for late answers is no work.
  double cores = 0;
  std::size_t busy = 0;
  for (std::size_t i = 0; i + 1 < seconds.size(); ++i) {
    if (seconds[i].due == 0) continue;
    cores += seconds[i].generator_cores;
    ++busy;
  }
  if (busy > 0) return cores / static_cast<double>(busy) / generator_threads;
  return static_cast<double>(generator_cpu.count()) / static_cast<double>(duration.count()) /
         generator_threads;
}

void Measured::merge(const Measured& other) {
  if (other.seconds.size() > seconds.size()) seconds.resize(other.seconds.size());
  for (std::size_t i = 0; i < other.seconds.size(); ++i) {
    seconds[i].merge(other.seconds[i]);
    seconds[i].compact();
  }
  for (std::size_t i = 0; i < stages.size(); ++i) stages[i].tally.merge(other.stages[i].tally);
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].tally.merge(other.requests[i].tally);
  duration = std::max(duration, other.duration);
  generator_cpu += other.generator_cpu;
  generator_threads += other.generator_threads;
  lateness_ms.merge(other.lateness_ms);
  connections += other.connections;
  retried += other.retried;
  interrupted += other.interrupted;
  if (first_fault.empty()) first_fault = other.first_fault;
}

}  // namespace headroom::load
