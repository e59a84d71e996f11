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

// Judged over the seconds that were measured.
bool breaks(const std::vector<Threshold>& objective, const Measured& measured, const StepTiming& timing) {
  Measured window;
  const auto first = timing.settle / base::Milliseconds(1000);
  const auto last = std::min(first + timing.measure / base::Milliseconds(1000),
                             static_cast<std::int64_t>(measured.seconds.size()));
  if (first >= last) return !objective.empty();
  window.seconds.assign(measured.seconds.begin() + first, measured.seconds.begin() + last);
  Group all{"all", {}};
  for (const Second& second : window.seconds) {
    all.tally.counts.merge(second.counts);
    all.tally.from_schedule_ms.merge(second.from_schedule_ms);
    all.tally.from_sending_ms.merge(second.from_sending_ms);
  }
  window.requests.push_back(std::move(all));
  window.duration = timing.measure;
  window.lateness_ms = measured.lateness_ms;  // of all of the step
  return any_met(judge_all(objective, window));
}

}  // namespace

base::Result<std::optional<CapacityStep>> drive_rate(const Job& wanted, base::Rate rate,
                                                     const StepTiming& timing,
                                                     const ReadUtilisation& utilisation,
                                                     const std::vector<Threshold>& objective,
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
  std::optional<base::Percent> used;
  base::Milliseconds start{0};
  Observation observation;
  observation.progressed = [&](const Progressed& progress) {
    const auto ask = [&] {
      if (!utilisation) return;
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
      start = std::chrono::duration_cast<base::Milliseconds>(
          std::chrono::system_clock::now().time_since_epoch() - progress.since_start);
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

  CapacityStep step = step_of(*measured, start, timing.settle, timing.measure);
  step.offered = rate;
  step.utilisation = used;
  step.breaks_objective = breaks(objective, *measured, timing);
  if (auto recovered = recover(wanted, stop); !recovered) return recovered.error();
  return std::optional(step);
}

}  // namespace headroom::load
