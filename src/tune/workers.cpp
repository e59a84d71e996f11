#include "tune/workers.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace headroom::tune {

void for_each(const Workers& workers, const char* phase, std::int64_t count,
              const std::function<void(std::int64_t)>& work) {
  if (count <= 0) return;
  const auto cores = static_cast<std::int64_t>(std::max(1u, std::thread::hardware_concurrency()));
  const std::int64_t threads = std::min(count, workers.threads > 0 ? workers.threads : cores);
  std::atomic<std::int64_t> next{0};
  std::atomic<std::int64_t> done{0};
  std::mutex mutex;
  std::condition_variable ended;
  std::int64_t running = threads;

  const auto run = [&] {
    while (!workers.stopped()) {
      const std::int64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= count) break;
      work(i);
      done.fetch_add(1, std::memory_order_relaxed);
    }
    const std::lock_guard lock(mutex);
    --running;
    ended.notify_one();
  };

  std::vector<std::jthread> pool;
  pool.reserve(static_cast<std::size_t>(threads));
  for (std::int64_t t = 0; t < threads; ++t) pool.emplace_back(run);
  std::unique_lock lock(mutex);
  while (running > 0) {
    ended.wait_for(lock, std::chrono::milliseconds(100));
    if (workers.progress) {
      lock.unlock();
      workers.progress({done.load(std::memory_order_relaxed), count, phase});
      lock.lock();
    }
  }
}

}  // namespace headroom::tune
