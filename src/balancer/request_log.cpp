#include "balancer/request_log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "balancer/configuration.hpp"
#include "base/units.hpp"
#include "store/descriptor.hpp"
#include "store/system_error.hpp"

namespace headroom::balancer {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestLine = 512;  // as HAProxy is told
constexpr std::size_t kAtOnce = 64;
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
  Reader(fs::path path, store::Descriptor socket, store::Descriptor stop)
      : path_(std::move(path)), socket_(std::move(socket)), stop_(std::move(stop)) {
    thread_ = std::thread([this] { read_until_stopped(); });
  }
  ~Reader() {
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
  void read_until_stopped() {
    std::array<std::array<char, kLongestLine>, kAtOnce> texts{};
    std::array<iovec, kAtOnce> places{};
    std::array<mmsghdr, kAtOnce> messages{};
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      places[i] = {texts[i].data(), texts[i].size()};
      messages[i].msg_hdr.msg_iov = &places[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (;;) {
      std::array<pollfd, 2> wanted{{{socket_.number(), POLLIN, 0}, {stop_.number(), POLLIN, 0}}};
      if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
      if (wanted[1].revents != 0) return;
      const int got = ::recvmmsg(socket_.number(), messages.data(), kAtOnce, MSG_DONTWAIT, nullptr);
      if (got <= 0) continue;
      const std::int64_t now = now_us();
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
        add(std::string_view(texts[i].data(), messages[i].msg_len), now);
      }
    }
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
  store::Descriptor socket_;
  store::Descriptor stop_;
  std::mutex mutex_;
  std::map<std::int64_t, Second> seconds_;  // by the second since 1970
  std::int64_t taken_until_ = 0;
  std::uint64_t unusable_ = 0;
  std::thread thread_;
};

base::Result<RequestLog> RequestLog::open(const Settings& settings) {
  const fs::path path = request_log_file(settings);
  const base::Result<Account> account = account_of(settings);
  if (!account) return account.error();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) {
    return store::failed_to("write", path, ENAMETOOLONG);
  }
  std::memcpy(address.sun_path, path.c_str(), path.string().size() + 1);
  store::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  store::Descriptor stop(::eventfd(0, EFD_CLOEXEC));
  if (!socket.open() || !stop.open()) return store::failed_to("write", path, errno);
  std::error_code error;
  if (fs::is_socket(path, error)) fs::remove(path, error);
  // Nobody may write before it belongs to HAProxy's user. (A umask is of the whole process: so by chmod, and
  // what somebody wrote in between is a line that cannot be read, or one more request.)
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 ||
      (account->change && ::chown(path.c_str(), account->user, account->group) != 0)) {
    return store::failed_to("write", path, errno);
  }
  return RequestLog(std::make_unique<Reader>(path, std::move(socket), std::move(stop)));
}

std::vector<Second> RequestLog::take(base::Milliseconds now) { return reader_->take(now); }
std::uint64_t RequestLog::unusable() const { return reader_->unusable(); }

RequestLog::RequestLog(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}
RequestLog::RequestLog(RequestLog&&) noexcept = default;
RequestLog::~RequestLog() = default;

}  // namespace headroom::balancer
