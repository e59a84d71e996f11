// Worker: one thread of a load test, with its connections and what it measured.
//
// In open traffic the worker turns to the network at most every quarter of a millisecond, since waking costs
// more than a request: the kernel stamps what it receives, so the time of an answer is exact however late it
// is read, and a request is sent at most so much after it is due (which its latency from the schedule
// includes). In closed traffic, where each answer lets a user go on, it never pauses.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "load/connection.hpp"
#include "load/job.hpp"
#include "load/measured.hpp"
#include "load/response_reader.hpp"
#include "load/schedule.hpp"

namespace headroom::load {

class Worker {
 public:
  // `number`: of this worker among all; the first connections of workers go to different addresses.
  Worker(const Job& job, const Tls& tls, std::size_t number);
  // Else the machine gave no descriptors for it, and it cannot run.
  bool ready() const { return epoll_ >= 0 && event_ >= 0; }
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Drives the schedule until it is over and all is answered, or `stop`. `begin` is of the steady clock.
  // Requires: called once.
  void run(Schedule& schedule, Nanoseconds begin, const std::atomic<bool>& stop);
  // From any thread.
  void wake();
  // The seconds that are over, from this one on. From any thread.
  std::vector<Second> finished(std::size_t from = 0) const;
  // All of it, which the worker then has no more. After run().
  Measured take();

 private:
  struct Slot {
    Connection connection;
    ResponseReader reader;
    std::uint32_t place = 0;       // in slots_
    std::uint32_t generation = 0;  // of its socket: events of an earlier one are left alone
    bool busy = false;
    bool used = false;     // its connection has given an answer
    bool retried = false;  // this request was sent before
    bool began = false;    // to send
    int redirects = 0;
    bool as_get = false;      // what a redirection made of it, whatever it was
    std::size_t address = 0;  // number of the first one that its connection tried
    std::size_t refused = 0;  // addresses that did not take it
    Ask ask;
    Nanoseconds sent{0};
    Nanoseconds deadline{0};
    std::string_view to_send;
    std::string storage;
    Url url;                  // where a redirection led; empty: the first place
    Slot* earlier = nullptr;  // in the order of deadlines
    Slot* later = nullptr;
  };

  Nanoseconds now() const;
  void read_clocks();
  void wait(Nanoseconds until);
  void ask_what_is_due(Nanoseconds at);
  void turn_second(Nanoseconds at);
  void end_second();

  void ask(const Ask& ask, Nanoseconds at);
  void serve_waiting(Nanoseconds at);
  void begin(Slot& slot, const Ask& ask);
  void connect(Slot& slot);
  void open(Slot& slot);
  bool has_another_address(Slot& slot) const;
  void send(Slot& slot);
  void happened(Slot& slot, std::uint32_t events);
  // `all`: to what the socket has, for no other event tells of it. `ended`: so has the server's side.
  void receive(Slot& slot, bool all, bool ended);
  void broken(Slot& slot, Outcome outcome, std::string_view fault);
  // `usable`: for another request, as far as the connection tells.
  void answered(Slot& slot, Nanoseconds at, bool usable);
  bool follow(Slot& slot, bool usable);
  void finish(Slot& slot, Outcome outcome, Nanoseconds at, bool at_once, std::string_view fault);
  void count(const Ask& ask, Outcome outcome, int status, Nanoseconds sent, Nanoseconds at,
             std::string_view fault);
  void expire(Nanoseconds at);

  void enlist(Slot& slot);
  void delist(Slot& slot);

  const Job& job_;
  const Tls& tls_;
  std::size_t number_;
  Schedule* schedule_ = nullptr;
  Nanoseconds begin_{0};         // of the steady clock
  Nanoseconds wall_to_test_{0};  // what a time since 1970 is less than one since the start of the test
  int epoll_ = -1;
  int event_ = -1;
  std::vector<std::unique_ptr<Slot>> slots_;  // closed: by user
  std::vector<std::uint32_t> idle_;           // open: free ones, the latest used last
  std::deque<Ask> waiting_;                   // open: for a free one
  Slot* first_deadline_ = nullptr;
  Slot* last_deadline_ = nullptr;
  std::size_t under_way_ = 0;
  std::uint64_t opened_ = 0;
  std::vector<char> buffer_;
  Nanoseconds looked_{0};

  Measured measured_;  // all but the seconds
  Second current_;
  Nanoseconds cpu_at_second_{0};
  mutable std::mutex mutex_;
  std::vector<Second> seconds_;  // guarded by mutex_
};

}  // namespace headroom::load
