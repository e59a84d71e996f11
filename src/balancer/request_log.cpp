#include "balancer/request_log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "balancer/configuration.hpp"
#include "balancer/socket.hpp"
#include "base/units.hpp"
#include "store/descriptor.hpp"
#include "store/file.hpp"

namespace headroom::balancer {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestLine = 256;  // as HAProxy is told
constexpr base::Milliseconds kLookAgainAfter{500};
constexpr std::size_t kSecondsKept = 120;
constexpr std::int64_t kSecondUs = 1'000'000;
// What a line may say about its time, beside ours: the clock is the same, and the queue is short.
constexpr std::int64_t kLateUs = 60 * kSecondUs;
constexpr std::int64_t kEarlyUs = 2 * kSecondUs;
constexpr std::int64_t kLongestRequestUs = 30LL * 24 * 3600 * kSecondUs;

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Source: HAProxy 2.6 Configuration Manual, 8.5 "Session state at disconnection", the first letter.
std::optional<End> end_of(char cause) {
  switch (cause) {
    case '-':
      return End::complete;
    case 'C':  // the client left
    case 'c':  // the client's timeout
    case 'P':  // refused by us: a request that is none
      return End::client;
    case 'S':  // the server refused or broke off
    case 's':  // the server's timeout
    case 'R':  // a resource of the balancer is exhausted
    case 'I':  // an error of the balancer itself
    case 'D':  // the server went down
    case 'U':
    case 'K':  // ended by hand
      return End::failed;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<LogLine> read_log_line(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::array<std::string_view, 6> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t end = i + 1 < words.size() ? text.find(' ') : text.size();
    if (end == std::string_view::npos || end == 0) return std::nullopt;
    words[i] = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  LogLine line;
  const auto ended = base::parse_integer(words[0]);
  if (!ended || *ended < 0) return std::nullopt;
  line.ended_us = *ended;
  if (words[1] != "-") {
    // The clock of the day may have been put back meanwhile.
    const auto duration = base::parse_integer(words[1]);
    if (!duration || *duration > kLongestRequestUs) return std::nullopt;
    if (*duration >= 0) line.duration_us = *duration;
  }
  const auto status = base::parse_integer(words[2]);
  if (!status || !(*status == -1 || *status == 0 || (*status >= 100 && *status <= 999))) return std::nullopt;
  line.status = static_cast<int>(std::max<std::int64_t>(*status, 0));
  if (words[3].size() != 2) return std::nullopt;
  const std::optional<End> end = end_of(words[3][0]);
  if (!end) return std::nullopt;
  line.end = *end;
  if (words[4].starts_with('+')) words[4].remove_prefix(1);  // it went to another server
  const auto retries = base::parse_integer(words[4]);
  if (!retries || *retries < -1 || *retries > 100) return std::nullopt;
  line.retries = static_cast<int>(std::max<std::int64_t>(*retries, 0));
  if (words[5] != "<NOSRV>") {
    if (!is_name(words[5])) return std::nullopt;
    line.server = std::string(words[5]);
  }
  return line;
}

class RequestLog::Reader {
 public:
  Reader(const Settings& settings, store::Descriptor stop)
      : path_(admin_socket_file(settings)), process_file_(process_file(settings)), stop_(std::move(stop)) {}
  // 0, or the error number of the first connection.
  int start() {
    if (const int number = connect(); number != 0) return number;
    thread_ = std::thread([this] { read_until_stopped(); });
    return 0;
  }
  ~Reader() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = ::write(stop_.number(), &one, sizeof one);
    thread_.join();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::vector<Second> take(base::Milliseconds now) {
    const std::lock_guard lock(mutex_);
    const std::int64_t end = now.count() / 1000 - 1;  // seconds below it are complete
    std::vector<Second> taken;
    while (!seconds_.empty() && seconds_.begin()->first < end) {
      taken.push_back(std::move(seconds_.begin()->second));
      seconds_.erase(seconds_.begin());
    }
    taken_until_ = std::max(taken_until_, end);
    return taken;
  }

  std::uint64_t unusable() {
    const std::lock_guard lock(mutex_);
    return unusable_;
  }

 private:
  int connect() {
    Connection made = connect_to(path_);
    if (made.failed != 0) return made.failed;
    // Says which process it is; then waits for new events (-w), beginning after those of before (-n). A fresh
    // connection has room for it.
    const std::string command = fmt::format("show info; show events {} -w -n\n", kRing);
    if (::send(made.socket.number(), command.data(), command.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(command.size())) {
      return errno;
    }
    socket_ = std::move(made.socket);
    answers_.clear();
    greeted_ = false;
    return 0;
  }

  // The number of the process that is to be read; empty: none. A process that takes over gets the listening
  // socket itself from its predecessor, so that the socket does not tell one from the other.
  std::string process() const {
    std::error_code error;
    if (!fs::exists(path_, error)) return {};
    const base::Result<std::string> text = store::read_file(process_file_, 4096);
    return text ? text->substr(0, text->find('\n')) : std::string();
  }

  void read_until_stopped() {
    using Clock = std::chrono::steady_clock;
    std::vector<char> buffer(std::size_t{1} << 16U);
    std::string rest;  // of a line that has not ended
    auto look_at = Clock::now() + kLookAgainAfter;
    for (;;) {
      std::array<pollfd, 2> wanted{{{stop_.number(), POLLIN, 0}, {socket_.number(), POLLIN, 0}}};
      const bool open = socket_.open();
      if (::poll(wanted.data(), open ? 2 : 1, static_cast<int>(kLookAgainAfter.count())) < 0 &&
          errno != EINTR)
        return;
      if (wanted[0].revents != 0) return;
      if (Clock::now() >= look_at) {
        look_at = Clock::now() + kLookAgainAfter;
        // Another process has taken over, or this one is to end, which waits for us.
        if (open && process() != answers_) {
          socket_ = {};
          rest.clear();
        }
        if (!socket_.open()) connect();
        continue;
      }
      if (!open || wanted[1].revents == 0) continue;
      const ssize_t got = ::recv(socket_.number(), buffer.data(), buffer.size(), 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got <= 0) {
        socket_ = {};
        rest.clear();
        continue;
      }
      rest.append(buffer.data(), static_cast<std::size_t>(got));
      take_lines(rest);
    }
  }

  // Takes the complete lines off the beginning.
  void take_lines(std::string& text) {
    const std::int64_t now = now_us();
    const std::lock_guard lock(mutex_);
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string_view line = std::string_view(text).substr(begin, end - begin);
      if (!greeted_) {
        constexpr std::string_view kPid = "Pid: ";
        if (line.starts_with(kPid)) answers_ = line.substr(kPid.size());
        greeted_ = line.empty();  // an answer ends with a blank line
      } else if (!line.empty()) {
        add(line, now);
      }
    }
    text.erase(0, begin);
    // What is longer than any line of ours: its end will not fit either.
    if (text.size() > kLongestLine) text.erase(0, text.size() - kLongestLine);
  }

  void add(std::string_view text, std::int64_t now) {
    const std::optional<LogLine> line = read_log_line(text);
    if (!line || line->ended_us < now - kLateUs || line->ended_us > now + kEarlyUs ||
        line->ended_us / kSecondUs < taken_until_) {
      ++unusable_;
      return;
    }
    Second& second = seconds_[line->ended_us / kSecondUs];
    second.at = base::Milliseconds(line->ended_us / kSecondUs * 1000);
    ++second.requests;
    ++second.answers[line->status >= 100 && line->status <= 599 ? static_cast<std::size_t>(line->status) / 100
                                                                : 0];
    if (line->end == End::failed) ++second.failed;
    if (line->end == End::client) ++second.client_left;
    if (line->retries > 0) ++second.retried;
    if (line->end == End::complete && line->status != 101 && line->duration_us) {
      second.latency_ms.add(static_cast<double>(*line->duration_us) / 1000.0);
    }
    if (seconds_.size() > kSecondsKept) {
      unusable_ += seconds_.begin()->second.requests;
      seconds_.erase(seconds_.begin());
    }
  }

  fs::path path_;
  fs::path process_file_;
  store::Descriptor stop_;
  store::Descriptor socket_;  // of the thread, once it runs; so is the next
  std::string answers_;       // the number of the process that it is connected to
  bool greeted_ = false;      // has said so
  std::mutex mutex_;
  std::map<std::int64_t, Second> seconds_;  // by the second since 1970
  std::int64_t taken_until_ = 0;
  std::uint64_t unusable_ = 0;
  std::thread thread_;
};

base::Result<RequestLog> RequestLog::open(const Settings& settings) {
  const fs::path path = admin_socket_file(settings);
  store::Descriptor stop(::eventfd(0, EFD_CLOEXEC));
  if (!stop.open()) return base::unavailable(fmt::format("{}: no request log", path.string()));
  auto reader = std::make_unique<Reader>(settings, std::move(stop));
  if (const int number = reader->start(); number != 0) {
    return base::unavailable(fmt::format("{}: no balancer tells its requests there: {}", path.string(),
                                         std::generic_category().message(number)),
                             "see whether its HAProxy runs; starting the service brings it back");
  }
  return RequestLog(std::move(reader));
}

std::vector<Second> RequestLog::take(base::Milliseconds now) { return reader_->take(now); }
std::uint64_t RequestLog::unusable() const { return reader_->unusable(); }

RequestLog::RequestLog(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}
RequestLog::RequestLog(RequestLog&&) noexcept = default;
RequestLog::~RequestLog() = default;

}  // namespace headroom::balancer
