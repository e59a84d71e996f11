#include "load/drive_rate.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "load/run.hpp"

namespace headroom::load {
namespace {

// An instance has recovered when one request in a row of so many is not slower than the others.
constexpr int kRequestsAlone = 3;
constexpr base::Milliseconds kAloneTimeout{2000};
constexpr std::size_t kConnectionsMost = 512;

// Waits for the queue of a saturated instance to empty: alone, its requests are answered at once.
base::Result<void> recover(Job job, const std::atomic<bool>& stop) {
  workload::ClosedStage alone;
  alone.requests_each = kRequestsAlone;
  job.shape = workload::Closed{{alone}, true};
  job.stages = {"alone"};
  job.options.threads = 1;
  job.options.timeout = kAloneTimeout;
  const auto begin = std::chrono::steady_clock::now();
  while (!stop && std::chrono::steady_clock::now() - begin < kRecoverMost) {
    const auto measured = run(job, stop, {});
    if (!measured) return measured.error();
    if (measured->total().counts.failed() == 0) break;
  }
  return {};
}

}  // namespace

base::Result<std::optional<CapacityStep>> drive_rate(const Job& wanted, base::Rate rate,
                                                     const StepTiming& timing,
                                                     const ReadUtilisation& utilisation,
                                                     const std::atomic<bool>& stop) {
  Job job = wanted;
  // An instance that hangs must not take the descriptors that its utilisation is read through.
  job.options.connections = std::min(job.options.connections, kConnectionsMost);
  const base::Milliseconds length = timing.settle + timing.measure;
  // Longer than is measured, for it must not end before the last look; what is over is stopped.
  const double apart = rate.value() > 0 ? 2000 / rate.value() : 0;  // of two requests and more
  const base::Milliseconds driven =
      length + base::Milliseconds(5000) + base::Milliseconds(static_cast<std::int64_t>(apart));
  job.shape = workload::Profile{{{base::Milliseconds(0), driven, rate.value(), rate.value()}}};
  job.stages = {"constant"};
  std::atomic<bool> over = false;
  std::optional<base::Error> fault;
  std::optional<base::Nanoseconds> began;
  std::optional<base::Nanoseconds> ended;
  base::Percent used;
  Observation observation;
  observation.progressed = [&](const Progressed& progress) {
    const auto ask = [&] {
      auto percent = utilisation();
      if (!percent) {
        fault = percent.error();
        over = true;
      } else {
        used = *percent;
      }
    };
    if (!began && progress.since_start >= timing.settle) {
      ask();
      began = progress.since_start;
    } else if (began && !ended && progress.since_start >= *began + timing.measure) {
      ask();
      ended = progress.since_start;
      over = true;
    }
    if (stop) over = true;
  };
  const auto measured = run(job, over, observation);
  if (!measured) return measured.error();
  if (fault) return *std::move(fault);
  if (stop || !ended) return std::optional<CapacityStep>();

  CapacityStep step;
  step.offered = rate;
  step.utilisation = used;
  const auto first = static_cast<std::size_t>(timing.settle / base::Milliseconds(1000));
  const auto last = first + static_cast<std::size_t>(timing.measure / base::Milliseconds(1000));
  Second sum;
  for (std::size_t i = first; i < std::min(last, measured->seconds.size()); ++i)
    sum.merge(measured->seconds[i]);
  const double seconds = base::seconds(timing.measure);
  step.answered = base::Rate(static_cast<double>(sum.answered) / seconds);
  step.due = sum.due;
  step.ended = sum.answered + sum.failed;
  const auto ends = static_cast<double>(step.ended);
  step.error_share = ends > 0 ? static_cast<double>(sum.failed) / ends : 1;
  step.p50_ms = sum.from_schedule_ms.quantile(0.50);
  step.p95_ms = sum.from_schedule_ms.quantile(0.95);
  step.p99_ms = sum.from_schedule_ms.quantile(0.99);
  if (auto recovered = recover(wanted, stop); !recovered) return recovered.error();
  return std::optional(step);
}

}  // namespace headroom::load
