// Lines about requests, of HAProxy and of whoever else may write there.
#include "balancer/request_log.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "store/temporary_folder.hpp"

namespace headroom::balancer {
namespace {

TEST(LogLines, say_when_how_long_and_what_became_of_a_request) {
  const LogLine expected{1'700'000'000'123'456, 2'500, 200, End::complete, 0, "web-1"};
  EXPECT_EQ(read_log_line("1700000000123456 2500 200 -- 0 web-1\n"), expected);
  EXPECT_EQ(read_log_line("1700000000123456 2500 200 -- 0 web-1"), expected);
  const auto nowhere = read_log_line("1700000000123456 31 503 SC 2 <NOSRV>");
  ASSERT_TRUE(nowhere);
  EXPECT_EQ(nowhere->end, End::failed);
  EXPECT_EQ(nowhere->server, "");
  EXPECT_EQ(nowhere->retries, 2);
  const auto gone = read_log_line("1700000000123456 - -1 CR -1 <NOSRV>");
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->end, End::client);
  EXPECT_EQ(gone->status, 0);
  EXPECT_EQ(gone->duration_us, std::nullopt);
  const auto elsewhere = read_log_line("1700000000123456 900 200 -- +1 web-2");
  ASSERT_TRUE(elsewhere);
  EXPECT_EQ(elsewhere->retries, 1);
}

TEST(LogLines, that_haproxy_would_not_write_are_none) {
  for (const char* text :
       {"", "\n", "1700000000123456", "1700000000123456 2500 200 -- 0",
        "1700000000123456 2500 200 -- 0 web-1 more", "x 2500 200 -- 0 web-1", "-5 2500 200 -- 0 web-1",
        "1700000000123456 2500 99 -- 0 web-1", "1700000000123456 2500 200 ---- 0 web-1",
        "1700000000123456 2500 200 Z- 0 web-1", "1700000000123456 2500 200 -- 999999999999 web-1",
        "1700000000123456 2500 200 -- 0 ../web", "1700000000123456 99999999999999999999 200 -- 0 web-1",
        "1700000000123456  200 -- 0 web-1"}) {
    EXPECT_EQ(read_log_line(text), std::nullopt) << text;
  }
}

TEST(LogLines, of_any_bytes_are_read_or_refused) {
  rc::check("any text", [](const std::string& text) {
    const auto line = read_log_line(text);
    RC_ASSERT(!line || (line->status >= 0 && line->retries >= 0));
  });
}

class OpenLog : public ::testing::Test {
 protected:
  OpenLog() {
    settings_.service = "web";
    settings_.folder = folder_.path();
    settings_.binds = {{"127.0.0.1", 8080, {}}};
  }
  void send(const std::string& text) {
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = request_log_file(settings_).string();
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    EXPECT_EQ(
        ::sendto(socket, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address), sizeof address),
        static_cast<ssize_t>(text.size()));
    ::close(socket);
  }
  static base::Milliseconds now() {
    return std::chrono::duration_cast<base::Milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
  }
  // Until so many requests and useless lines have been read.
  std::vector<Second> read(RequestLog& log, std::uint64_t requests, std::uint64_t unusable) {
    std::vector<Second> seconds;
    for (int attempt = 0; attempt < 1000; ++attempt) {
      for (Second& second : log.take(now())) seconds.push_back(std::move(second));
      std::uint64_t count = 0;
      for (const Second& second : seconds) count += second.requests;
      if (count == requests && log.unusable() == unusable) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return seconds;
  }

  store::TemporaryFolder folder_;
  Settings settings_;
};

TEST_F(OpenLog, counts_requests_by_second_and_puts_answers_into_the_histogram) {
  auto log = RequestLog::open(settings_);
  ASSERT_TRUE(log) << base::to_string(log.error());
  // In one second, some seconds ago.
  const std::int64_t at_us = (now().count() / 1000 - 5) * 1'000'000;
  for (const char* rest : {"4000 200 -- 0 web-1", "8000 200 -- 1 web-1", "30000000 504 sH 2 web-1",
                           "50 503 SC 0 <NOSRV>", "- 400 PR -1 <NOSRV>", "9000 500 -- 0 web-2"}) {
    send(fmt::format("{} {}", at_us, rest));
  }
  for (const char* useless : {"", "nonsense", "1700000000123456 2500 200 -- 0 web-1"}) send(useless);
  send(std::string(100'000, 'x'));
  std::vector<Second> seconds;
  for (int attempt = 0; attempt < 1000 && log->unusable() < 4; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  seconds = log->take(now());
  ASSERT_EQ(seconds.size(), 1U);
  const Second& second = seconds[0];
  EXPECT_EQ(second.at.count() * 1000, at_us);
  EXPECT_EQ(second.requests, 6U);
  EXPECT_EQ(second.answers, (ByClass{0, 0, 2, 0, 1, 3}));
  EXPECT_EQ(second.failed, 2U);
  EXPECT_EQ(second.client_left, 1U);
  EXPECT_EQ(second.retried, 2U);
  // 4, 8 and 9 ms: what failed at the balancer is no answer of the service.
  EXPECT_EQ(second.latency_ms.count(), 3U);
  EXPECT_EQ(second.latency_ms.max(), 9.0);
  EXPECT_EQ(log->unusable(), 4U);
}

TEST_F(OpenLog, takes_each_second_once_and_refuses_what_comes_later) {
  auto log = RequestLog::open(settings_);
  ASSERT_TRUE(log);
  const std::string line = fmt::format("{} 4000 200 -- 0 web-1", now().count() * 1000);
  send(line);
  EXPECT_EQ(read(*log, 1, 0).size(), 1U);
  send(line);
  EXPECT_EQ(read(*log, 0, 1).size(), 0U);
  EXPECT_EQ(log->unusable(), 1U);
}

TEST_F(OpenLog, replaces_the_socket_of_a_reader_that_is_gone) {
  { auto first = RequestLog::open(settings_); }
  auto second = RequestLog::open(settings_);
  ASSERT_TRUE(second) << base::to_string(second.error());
  send(fmt::format("{} 4000 200 -- 0 web-1", now().count() * 1000));
  EXPECT_EQ(read(*second, 1, 0).size(), 1U);
}

}  // namespace
}  // namespace headroom::balancer
