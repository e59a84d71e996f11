#include "load/run.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <thread>

#include "base/units.hpp"
#include "load/schedule.hpp"
#include "load/worker.hpp"

namespace headroom::load {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{100};
// A start further away is a slip of the year.
constexpr base::Milliseconds kStartMost{366LL * 86'400'000};

// Each connection is a descriptor; what the system would allow is used without being asked for.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Adds the seconds that are over for every worker since the last time: a test of hours has too many to join
// all of them again and again. A worker that has ended has no seconds to come.
void join_further(std::vector<Second>& seconds, const std::vector<std::unique_ptr<Worker>>& workers,
                  const std::vector<std::atomic<bool>>& ended) {
  std::vector<std::vector<Second>> further;
  std::size_t longest = 0;
  std::size_t complete = std::numeric_limits<std::size_t>::max();
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const bool has_ended = ended[i];  // before its seconds are read: then they are all
    const auto& own = further.emplace_back(workers[i]->finished(seconds.size()));
    longest = std::max(longest, own.size());
    if (!has_ended) complete = std::min(complete, own.size());
  }
  for (std::size_t k = 0; k < std::min(complete, longest); ++k) {
    Second& second = seconds.emplace_back();
    for (const auto& own : further) {
      if (k < own.size()) second.merge(own[k]);
    }
    second.compact();
  }
}

}  // namespace

base::Result<Measured> run(const Job& job, const std::atomic<bool>& stop, const Observation& observation,
                           std::optional<base::Milliseconds> start_at) {
  raise_descriptor_limit();
  const auto tls = Tls::of(job);
  if (!tls) return tls.error();

  base::Nanoseconds begin = std::chrono::steady_clock::now().time_since_epoch();
  if (start_at) {
    const base::Nanoseconds wall = std::chrono::system_clock::now().time_since_epoch();
    if (*start_at - std::chrono::duration_cast<base::Milliseconds>(wall) > kStartMost) {
      return base::bad_input(
          fmt::format("the start at {} is more than a year away", base::format_instant(*start_at)),
          "name a time that all machines wait for");
    }
    if (base::Nanoseconds(*start_at) < wall) {
      return base::bad_input(fmt::format("the start at {} is over", base::format_instant(*start_at)),
                             "name a time to come; all machines need the same clock");
    }
    begin += base::Nanoseconds(*start_at) - wall;
  }

  auto threads = static_cast<std::size_t>(std::max(1, job.options.threads));
  if (job.open()) threads = std::min(threads, std::max<std::size_t>(1, job.options.connections));
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.push_back(std::make_unique<Worker>(job, *tls, i));
  if (!std::all_of(workers.begin(), workers.end(), [](const auto& worker) { return worker->ready(); })) {
    return base::unavailable(fmt::format("the system gives no descriptors for {} threads", threads),
                             "raise `ulimit -n`, or use fewer --threads");
  }
  StageGate gate(job.stages.size(), threads);
  const auto wake_all = [&] {
    for (const auto& worker : workers) worker->wake();
  };
  std::atomic<std::size_t> running = threads;
  std::vector<std::atomic<bool>> ended(threads);
  std::vector<std::thread> running_threads;
  for (std::size_t i = 0; i < threads; ++i) {
    running_threads.emplace_back([&, i] {
      const workload::Share share = job.options.share.divided(i, threads);
      std::unique_ptr<Schedule> schedule;
      if (job.open()) {
        schedule = std::make_unique<OpenSchedule>(job, share);
      } else {
        schedule = std::make_unique<ClosedSchedule>(job, share, gate, wake_all);
      }
      workers[i]->run(*schedule, begin, stop);
      ended[i] = true;
      --running;
    });
  }
  std::vector<Second> seconds;
  while (running > 0) {
    std::this_thread::sleep_for(kBetweenLooks);
    if (observation.progressed) {
      const base::Nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
      join_further(seconds, workers, ended);
      observation.progressed({now - begin, seconds});
    }
  }
  for (std::thread& thread : running_threads) thread.join();
  seconds = std::vector<Second>();  // those of the workers are all
  Measured measured = workers.front()->take();
  for (std::size_t i = 1; i < threads; ++i) measured.merge(workers[i]->take());
  return measured;
}

}  // namespace headroom::load
