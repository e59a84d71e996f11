// Work spread over all cores, with progress and an early stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace headroom::tune {

struct Progress {
  std::int64_t done = 0;
  std::int64_t total = 0;
  const char* phase = "";  // "searching", "judging"
};

struct Workers {
  int threads = 0;  // 0: as many as the machine has cores
  // Called now and then from the calling thread; may be empty.
  std::function<void(const Progress&)> progress;
  // Set by Ctrl-C: units of work not begun are left out. May be null.
  const std::atomic<bool>* stop = nullptr;

  bool stopped() const { return stop != nullptr && stop->load(std::memory_order_relaxed); }
};

// Calls work(i) for every i of [0, count), each once, in any order and on several threads; returns when all
// are done or, after a stop, when those begun are. Results do not depend on the number of threads as long
// as work(i) writes only what belongs to i.
void for_each(const Workers& workers, const char* phase, std::int64_t count,
              const std::function<void(std::int64_t)>& work);

}  // namespace headroom::tune
