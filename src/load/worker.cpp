#include "load/worker.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace headroom::load {
namespace {

constexpr Nanoseconds kSecond{1'000'000'000};
// The longest sleep: how late a stop is noticed.
constexpr Nanoseconds kNap{50'000'000};
constexpr Nanoseconds kPause{250'000};
// The same for users, where so many of them wait for the server that it has work meanwhile: each answer that
// wakes this thread costs the server more than the answer, and it would answer fewer.
constexpr Nanoseconds kShortPause{30'000};
constexpr std::size_t kManyUnderWay = 16;
constexpr std::size_t kBuffer = 65'536;
constexpr int kEventsMost = 256;
// So many requests at once, and the worker turns to the network and to a stop, however far behind it is.
constexpr int kAsksMost = 1024;
// Requests that may wait for a connection. What a rate beyond all means would let wait is not sent, and
// counted.
constexpr std::size_t kWaitingMost = 500'000;
constexpr std::uint64_t kWoken = ~std::uint64_t{0};

Nanoseconds clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

timespec as_timespec(Nanoseconds time) {
  return {static_cast<time_t>(time / kSecond), static_cast<long>((time % kSecond).count())};
}

double milliseconds(Nanoseconds time) {
  return static_cast<double>(std::max<std::int64_t>(time.count(), 0)) / 1e6;
}

std::uint64_t key_of(std::uint32_t place, std::uint32_t generation) {
  return (std::uint64_t{place} << 32U) | generation;
}

// Without these the machine has no room for the program itself.
int needed(int descriptor, const char* what) {
  if (descriptor < 0) {
    std::perror(what);
    std::abort();
  }
  return descriptor;
}

}  // namespace

Worker::Worker(const Job& job, const Tls& tls, std::size_t number)
    : job_(job),
      tls_(tls),
      number_(number),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      buffer_(kBuffer) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWoken;
  if (ready()) needed(epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event), "epoll_ctl");
  for (const std::string& stage : job.stages) measured_.stages.push_back({stage, {}});
  for (std::size_t i = 0; i < job.requests.size(); ++i)
    measured_.requests.push_back({job.requests.name(i), {}});
}

Worker::~Worker() {
  if (event_ >= 0) ::close(event_);
  if (epoll_ >= 0) ::close(epoll_);
}

void Worker::wake() {
  const std::uint64_t one = 1;
  // It can only fail where as many wakings are already to come.
  [[maybe_unused]] const ssize_t written = write(event_, &one, sizeof one);
}

std::vector<Second> Worker::finished(std::size_t from) const {
  const std::lock_guard lock(mutex_);
  if (from >= seconds_.size()) return {};
  return {seconds_.begin() + static_cast<std::ptrdiff_t>(from), seconds_.end()};
}

Measured Worker::take() {
  Measured result = std::move(measured_);
  const std::lock_guard lock(mutex_);
  result.seconds = std::move(seconds_);
  return result;
}

Nanoseconds Worker::now() const { return clock(CLOCK_MONOTONIC) - begin_; }

void Worker::read_clocks() { wall_to_test_ = now() - clock(CLOCK_REALTIME); }

void Worker::run(Schedule& schedule, Nanoseconds begin, const std::atomic<bool>& stop) {
  // The kernel may otherwise let each sleep take 50 microseconds more.
  prctl(PR_SET_TIMERSLACK, 1);
  schedule_ = &schedule;
  begin_ = begin;
  while (now() < Nanoseconds{0} && !stop) wait(Nanoseconds{0});
  cpu_at_second_ = clock(CLOCK_THREAD_CPUTIME_ID);
  const Nanoseconds cpu_before = cpu_at_second_;
  while (!stop) {
    const Nanoseconds at = now();
    turn_second(at);
    ask_what_is_due(at);
    serve_waiting(at);
    expire(at);
    if (schedule.over() && under_way_ == 0) break;
    wait(std::min(schedule.next(), first_deadline_ != nullptr ? first_deadline_->deadline : base::kNever));
  }
  const Nanoseconds end = now();
  turn_second(end);
  current_.generator_cores =
      milliseconds(clock(CLOCK_THREAD_CPUTIME_ID) - cpu_at_second_) / milliseconds(kSecond);
  {
    const std::lock_guard lock(mutex_);
    end_second();
  }
  measured_.interrupted = under_way_;
  measured_.duration = std::max(end, Nanoseconds{0});
  measured_.generator_cpu = clock(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
  measured_.generator_threads = 1;
  for (auto& slot : slots_) slot->connection.close();
}

void Worker::wait(Nanoseconds until) {
  Nanoseconds at = now();
  const Nanoseconds latest = std::min(until, at + kNap);
  const bool many_wait = !job_.open() && under_way_ >= kManyUnderWay;
  if (many_wait || (job_.open() && !job_.url.tls)) {
    const Nanoseconds pause = looked_ + (job_.open() ? kPause : kShortPause);
    if (pause > at) {
      const timespec time = as_timespec(pause + begin_);
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
      at = now();
    }
  }
  const timespec timeout = as_timespec(std::max(latest - at, Nanoseconds{0}));
  std::array<epoll_event, kEventsMost> events;
  const int count = epoll_pwait2(epoll_, events.data(), kEventsMost, &timeout, nullptr);
  if (count < 0 && errno == EINTR) return;
  needed(count, "epoll_pwait2");
  read_clocks();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kWoken) {
      std::uint64_t wakings = 0;
      [[maybe_unused]] const ssize_t got = read(event_, &wakings, sizeof wakings);
      schedule_->woken(now());
      continue;
    }
    Slot& slot = *slots_[event.data.u64 >> 32U];
    if (slot.connection.is_open() && key_of(slot.place, slot.generation) == event.data.u64) {
      happened(slot, event.events);
      // A user who does not think asks again at once, while the server would else run out of work until all
      // of these events are looked at.
      if (!job_.open()) ask_what_is_due(now());
    }
  }
  looked_ = at;
}

void Worker::ask_what_is_due(Nanoseconds at) {
  for (int asks = 0; asks < kAsksMost && schedule_->next() <= at; ++asks) {
    if (const auto wanted = schedule_->take()) ask(*wanted, at);
  }
}

void Worker::turn_second(Nanoseconds at) {
  const auto second = static_cast<std::size_t>(std::max(at, Nanoseconds{0}) / kSecond);
  if (second == seconds_.size()) return;  // only this thread changes it
  const Nanoseconds cpu = clock(CLOCK_THREAD_CPUTIME_ID);
  current_.generator_cores = milliseconds(cpu - cpu_at_second_) / milliseconds(kSecond);
  cpu_at_second_ = cpu;
  const std::lock_guard lock(mutex_);
  while (seconds_.size() < second) {
    end_second();
    current_.under_way_most = under_way_;
  }
}

void Worker::end_second() {
  current_.compact();
  seconds_.push_back(std::exchange(current_, {}));
}

void Worker::ask(const Ask& wanted, Nanoseconds at) {
  measured_.lateness_ms.add(milliseconds(at - wanted.due));
  ++current_.due;
  ++under_way_;
  current_.under_way_most = std::max<std::uint64_t>(current_.under_way_most, under_way_);
  if (job_.open()) {
    if (waiting_.size() < kWaitingMost) {
      waiting_.push_back(wanted);
      serve_waiting(at);
    } else {
      --under_way_;
      count(wanted, Outcome::not_sent, 0, at, at, "too many requests wait for a connection");
    }
    return;
  }
  while (slots_.size() <= wanted.user) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->place = static_cast<std::uint32_t>(slots_.size() - 1);
  }
  begin(*slots_[wanted.user], wanted);
}

void Worker::serve_waiting(Nanoseconds at) {
  const std::size_t most = std::max<std::size_t>(
      1, job_.options.connections / static_cast<std::size_t>(std::max(1, job_.options.threads)));
  while (!waiting_.empty()) {
    if (at - waiting_.front().due > job_.options.timeout) {
      // Its time is over before it had a connection.
      const Ask late = waiting_.front();
      waiting_.pop_front();
      --under_way_;
      count(late, Outcome::not_sent, 0, at, at, "no connection became free within the time limit");
      continue;
    }
    if (idle_.empty()) {
      if (slots_.size() >= most) return;
      slots_.push_back(std::make_unique<Slot>());
      slots_.back()->place = static_cast<std::uint32_t>(slots_.size() - 1);
      idle_.push_back(slots_.back()->place);
    }
    Slot& slot = *slots_[idle_.back()];
    idle_.pop_back();
    const Ask next = waiting_.front();
    waiting_.pop_front();
    begin(slot, next);
  }
}

void Worker::begin(Slot& slot, const Ask& wanted) {
  slot.ask = wanted;
  slot.busy = true;
  slot.retried = false;
  slot.began = false;
  slot.redirects = 0;
  slot.url = {};
  slot.deadline = now() + job_.options.timeout;
  enlist(slot);
  slot.to_send = job_.requests.bytes(wanted.request, wanted.row, slot.storage);
  slot.reader.begin(job_.requests.is_head(wanted.request));
  if (slot.connection.established()) {
    send(slot);
  } else {
    connect(slot);
  }
}

void Worker::connect(Slot& slot) {
  slot.used = false;
  slot.address = number_ + opened_;
  slot.refused = 0;
  open(slot);
}

// Of a host with several addresses the next one is tried where one takes no connection, as all clients do.
bool Worker::has_another_address(Slot& slot) const {
  const Outcome outcome = slot.connection.outcome();
  return (outcome == Outcome::refused || outcome == Outcome::unreachable) &&
         ++slot.refused < job_.addresses.size();
}

void Worker::open(Slot& slot) {
  do {
    ++slot.generation;
    if (slot.connection.open(job_, tls_, slot.address + slot.refused, job_.open()) != Progress::failed) break;
    if (has_another_address(slot)) continue;
    const std::string fault = slot.connection.fault();
    finish(slot, slot.connection.outcome(), now(), true, fault);
    return;
  } while (true);
  ++opened_;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = key_of(slot.place, slot.generation);
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, slot.connection.socket(), &event) != 0) {
    finish(slot, Outcome::no_descriptor, now(), true, "the system watches no more sockets");
    return;
  }
  if (slot.connection.established()) {
    ++measured_.connections;
    send(slot);
  }
}

void Worker::send(Slot& slot) {
  if (!slot.began) {
    slot.began = true;
    slot.sent = now();
    ++current_.sent;
  }
  if (slot.connection.send(slot.to_send) == Progress::failed) {
    const std::string fault = slot.connection.fault();
    broken(slot, slot.connection.outcome(), fault);
  }
}

void Worker::happened(Slot& slot, std::uint32_t events) {
  if (!slot.connection.established()) {
    const Progress progress = slot.connection.establish();
    if (progress == Progress::failed) {
      const std::string fault = slot.connection.fault();
      const Outcome outcome = slot.connection.outcome();
      if (slot.busy && has_another_address(slot)) {
        open(slot);
      } else if (slot.busy) {
        finish(slot, outcome, now(), true, fault);
      } else {
        slot.connection.close();
      }
      return;
    }
    if (progress != Progress::done) return;
    ++measured_.connections;
    // Bytes of the server may have come with this event, or with the last of the handshake, and give no
    // other.
    if (slot.busy) send(slot);
  } else if ((events & EPOLLOUT) != 0 && slot.busy && !slot.to_send.empty()) {
    send(slot);
  }
  if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 && slot.connection.is_open()) {
    const bool ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    // Urgent data ends what one call reads, however much follows it.
    receive(slot, ended || (events & EPOLLPRI) != 0, ended);
  }
}

void Worker::receive(Slot& slot, bool all, bool ended) {
  for (;;) {
    const Connection::Received received = slot.connection.receive(buffer_.data(), buffer_.size());
    switch (received.progress) {
      case Progress::waits:
        return;
      case Progress::failed: {
        const std::string fault = slot.connection.fault();
        if (slot.busy) {
          broken(slot, slot.connection.outcome(), fault);
        } else {
          slot.connection.close();
        }
        return;
      }
      case Progress::ended:
        if (!slot.busy) {
          slot.connection.close();
          return;
        }
        slot.reader.end_of_stream();
        if (slot.reader.state() == ResponseReader::State::complete) {
          answered(slot, now(), false);
        } else {
          broken(slot, Outcome::closed, "the server closed the connection before the answer was complete");
        }
        return;
      case Progress::done:
        break;
    }
    if (!slot.busy) {  // nobody asked
      slot.connection.close();
      return;
    }
    const std::size_t used = slot.reader.read({buffer_.data(), received.bytes});
    if (slot.reader.state() == ResponseReader::State::malformed) {
      finish(slot, Outcome::malformed, now(), false, slot.reader.fault());
      return;
    }
    if (slot.reader.state() == ResponseReader::State::complete) {
      const std::uint32_t generation = slot.generation;
      // What follows an answer belongs to no request; a server that answers before it has the whole request
      // will not read the rest.
      if (used < received.bytes || !slot.to_send.empty() || ended) {
        answered(slot, received.at ? *received.at + wall_to_test_ : now(), false);
        if (slot.generation == generation && !slot.busy) slot.connection.close();
        return;
      }
      answered(slot, received.at ? *received.at + wall_to_test_ : now(), true);
      // TLS has read all that there is only when it says so.
      if ((!received.full && !all) || slot.generation != generation || !slot.connection.is_open()) return;
      continue;
    }
    if (!received.full && !all) return;
  }
}

// A connection that the server closed just when it was used again: nobody's fault, and the request is sent
// once more where that does no harm.
void Worker::broken(Slot& slot, Outcome outcome, std::string_view fault) {
  const bool is_redirected = slot.redirects > 0;
  const bool as_get = is_redirected && slot.as_get;
  if (slot.used && !slot.retried && !slot.reader.begun() &&
      (as_get || job_.requests.is_idempotent(slot.ask.request))) {
    slot.retried = true;
    ++measured_.retried;
    slot.to_send = is_redirected ? std::string_view(slot.storage)
                                 : job_.requests.bytes(slot.ask.request, slot.ask.row, slot.storage);
    slot.reader.begin(!as_get && job_.requests.is_head(slot.ask.request));
    connect(slot);
    return;
  }
  finish(slot, outcome, now(), false, fault);
}

void Worker::answered(Slot& slot, Nanoseconds at, bool usable) {
  slot.used = true;
  const int status = slot.reader.status();
  if (status >= 300 && status < 400 && !slot.reader.location().empty() && job_.options.redirects > 0) {
    if (follow(slot, usable)) return;
  }
  finish(slot, Outcome::answered, at, false, {});
}

// Whether the request goes on where the answer leads, or has ended because it cannot.
bool Worker::follow(Slot& slot, bool usable) {
  const int status = slot.reader.status();
  if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) return false;
  const Url from = slot.url.host.empty() ? job_.url : slot.url;
  const auto url = redirected(from, slot.reader.location());
  const bool same_place =
      url && url->tls == job_.url.tls && url->host == job_.url.host && url->port == job_.url.port;
  if (!same_place || slot.redirects == job_.options.redirects) {
    finish(slot, Outcome::redirected, now(), false,
           same_place ? "redirected too many times"
                      : fmt::format("redirected to another host: {}", url ? url->authority() : "?"));
    return true;
  }
  ++slot.redirects;
  slot.url = *url;
  // Source: RFC 9110, section 15.4: 307 and 308 keep method and body.
  const bool as_get = status == 303 || (status < 303 && !job_.requests.is_head(slot.ask.request));
  // A server that answers before it has the whole request takes the rest of it for the next one.
  const bool kept = usable && slot.reader.keeps_alive() && slot.to_send.empty();
  slot.as_get = as_get;
  slot.retried = false;
  slot.storage = job_.requests.redirected(slot.ask.request, slot.ask.row, url->path, as_get);
  slot.to_send = slot.storage;
  slot.reader.begin(!as_get && job_.requests.is_head(slot.ask.request));
  if (kept) {
    send(slot);
  } else {
    connect(slot);
  }
  return true;
}

void Worker::finish(Slot& slot, Outcome outcome, Nanoseconds at, bool at_once, std::string_view fault) {
  const bool reusable = outcome == Outcome::answered && slot.reader.keeps_alive();
  const int status = outcome == Outcome::answered ? slot.reader.status() : 0;
  if (outcome == Outcome::answered) {
    measured_.stages[slot.ask.stage].tally.body_bytes += slot.reader.body_bytes();
    measured_.requests[slot.ask.request].tally.body_bytes += slot.reader.body_bytes();
  }
  count(slot.ask, outcome, status, slot.began ? slot.sent : at, at, fault);
  delist(slot);
  slot.busy = false;
  --under_way_;
  const bool again = schedule_->ended(slot.ask, std::max(at, slot.ask.due), at_once);
  if (!reusable || !again) slot.connection.close();
  if (job_.open()) idle_.push_back(slot.place);
}

void Worker::count(const Ask& wanted, Outcome outcome, int status, Nanoseconds sent, Nanoseconds at,
                   std::string_view fault) {
  const double from_schedule = milliseconds(at - wanted.due);
  const double from_sending = milliseconds(at - sent);
  const bool answered = outcome == Outcome::answered;
  for (Tally* tally : {&measured_.stages[wanted.stage].tally, &measured_.requests[wanted.request].tally}) {
    ++tally->counts.outcomes[static_cast<std::size_t>(outcome)];
    if (answered) ++tally->counts.statuses[status];
    tally->from_schedule_ms.add(from_schedule);
    if (answered) tally->from_sending_ms.add(from_sending);
  }
  const bool failed = !answered || status >= 400;
  ++(failed ? current_.failed : current_.answered);
  ++current_.counts.outcomes[static_cast<std::size_t>(outcome)];
  if (answered) ++current_.counts.statuses[status];
  current_.from_schedule_ms.add(from_schedule);
  if (answered) current_.from_sending_ms.add(from_sending);
  if (!answered && measured_.first_fault.empty()) {
    measured_.first_fault = job_.requests.name(wanted.request) + ": " + std::string(fault);
  }
}

void Worker::expire(Nanoseconds at) {
  while (first_deadline_ != nullptr && first_deadline_->deadline <= at) {
    finish(*first_deadline_, Outcome::timed_out, at, false, "no complete answer within the time limit");
  }
}

// All deadlines are as far away as each other, so the latest is always the last.
void Worker::enlist(Slot& slot) {
  slot.earlier = last_deadline_;
  slot.later = nullptr;
  (last_deadline_ != nullptr ? last_deadline_->later : first_deadline_) = &slot;
  last_deadline_ = &slot;
}

void Worker::delist(Slot& slot) {
  (slot.earlier != nullptr ? slot.earlier->later : first_deadline_) = slot.later;
  (slot.later != nullptr ? slot.later->earlier : last_deadline_) = slot.earlier;
  slot.earlier = slot.later = nullptr;
}

}  // namespace headroom::load
