// Lines about requests, of HAProxy and of whoever else may write there.
#include "balancer/request_log.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "store/file.hpp"
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

constexpr const char* kCommand = "show info; show events requests -w -n\n";

// The admin socket of a balancer that sends what the test says.
class OpenLog : public ::testing::Test {
 protected:
  OpenLog() : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    settings_.service = "web";
    settings_.folder = folder_.path();
    settings_.binds = {{"127.0.0.1", 8080, {}}};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = admin_socket_file(settings_).string();
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    answer_as("4711");
  }
  ~OpenLog() override {
    ::close(connection_);
    ::close(listener_);
  }
  // The number in the process file.
  void answer_as(const std::string& process) const {
    EXPECT_TRUE(store::write_file_atomically(process_file(settings_), process + "\n"));
  }
  // The command that the reader began with, and its first answer.
  std::string accept(const std::string& process = "4711") {
    ::close(connection_);
    connection_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    std::array<char, 256> buffer{};
    const ssize_t got = ::recv(connection_, buffer.data(), buffer.size(), 0);
    send("Name: HAProxy\nPid: " + process + "\n\n");
    return std::string(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  void send(const std::string& text) {
    EXPECT_EQ(::send(connection_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  static base::Milliseconds now() {
    return std::chrono::duration_cast<base::Milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
  }
  // Until so many requests and useless lines have been read.
  static std::vector<Second> read(RequestLog& log, std::uint64_t requests, std::uint64_t unusable) {
    std::vector<Second> seconds;
    for (int attempt = 0; attempt < 1000; ++attempt) {
      for (Second& second : log.take(now())) seconds.push_back(std::move(second));
      std::uint64_t count = 0;
      for (const Second& second : seconds) count += second.requests;
      if (count == requests && log.unusable() == unusable) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(log.unusable(), unusable);
    return seconds;
  }

  store::TemporaryFolder folder_;
  Settings settings_;
  int listener_;
  int connection_ = -1;
};

TEST_F(OpenLog, counts_requests_by_second_and_puts_answers_into_the_histogram) {
  auto log = RequestLog::open(settings_);
  ASSERT_TRUE(log) << base::to_string(log.error());
  EXPECT_EQ(accept(), kCommand);
  const std::int64_t at_us = now().count() / 1000 * 1'000'000;
  for (const char* rest : {"4000 200 -- 0 web-1", "8000 200 -- 1 web-1", "30000000 504 sH 2 web-1",
                           "50 503 SC 0 <NOSRV>", "- 400 PR -1 <NOSRV>", "9000 500 -- 0 web-2"}) {
    send(fmt::format("{} {}\n", at_us, rest));
  }
  const std::vector<Second> seconds = read(*log, 6, 0);
  ASSERT_EQ(seconds.size(), 1U);
  const Second& second = seconds[0];
  EXPECT_EQ(second.at.count() * 1000, at_us);
  EXPECT_EQ(second.answers, (ByClass{0, 0, 2, 0, 1, 3}));
  EXPECT_EQ(second.failed, 2U);
  EXPECT_EQ(second.client_left, 1U);
  EXPECT_EQ(second.retried, 2U);
  // 4, 8 and 9 ms: what failed at the balancer is no answer of the service.
  EXPECT_EQ(second.latency_ms.count(), 3U);
  EXPECT_EQ(second.latency_ms.max(), 9.0);
}

TEST_F(OpenLog, counts_lines_that_haproxy_would_not_write_and_goes_on) {
  auto log = RequestLog::open(settings_);
  ASSERT_TRUE(log);
  accept();
  const std::int64_t now_us = now().count() * 1000;
  send("nonsense\n\n");
  send(std::string(300'000, 'x') + "\n");
  send(std::string(1, '\0') + "\n");
  send("1700000000123456 2500 200 -- 0 web-1\n");                         // years ago
  send(fmt::format("{} 2500 200 -- 0 web-1\n", now_us + 3'600'000'000));  // in an hour
  send(fmt::format("{} 2500 200 -- 0 web-1", now_us));                    // in two parts
  send("\n");
  EXPECT_EQ(read(*log, 1, 5).size(), 1U);
}

TEST_F(OpenLog, takes_each_second_once_and_refuses_what_comes_later) {
  auto log = RequestLog::open(settings_);
  ASSERT_TRUE(log);
  accept();
  const std::string line = fmt::format("{} 4000 200 -- 0 web-1\n", now().count() * 1000);
  send(line);
  EXPECT_EQ(read(*log, 1, 0).size(), 1U);
  send(line);
  EXPECT_EQ(read(*log, 0, 1).size(), 0U);
}

TEST_F(OpenLog, takes_no_line_that_is_older_than_a_minute) {
  auto log = RequestLog::open(settings_);
  ASSERT_TRUE(log);
  accept();
  // Of 200 lines, one for each second: those of the last minute, and of a little more while it is read.
  const std::int64_t now_us = now().count() * 1000;
  for (int i = 0; i < 200; ++i) send(fmt::format("{} 4000 200 -- 0 web-1\n", now_us - i * 1'000'000));
  // They come in this order: with the oldest all are there.
  for (int attempt = 0; attempt < 1000 && log->unusable() < 139; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::uint64_t requests = 0;
  for (const Second& second : log->take(now() + std::chrono::seconds(10))) requests += second.requests;
  EXPECT_EQ(requests + log->unusable(), 200U);
  EXPECT_GE(requests, 50U);
  EXPECT_LE(requests, 61U);
}

TEST_F(OpenLog, connects_again_when_the_connection_breaks) {
  auto log = RequestLog::open(settings_);
  ASSERT_TRUE(log);
  accept();
  send("1700000000123456 250");
  ::shutdown(connection_, SHUT_RDWR);
  EXPECT_EQ(accept(), kCommand);
  send(fmt::format("{} 4000 200 -- 0 web-1\n", now().count() * 1000));
  EXPECT_EQ(read(*log, 1, 0).size(), 1U);
}

TEST_F(OpenLog, follows_the_process_that_takes_over_though_the_connection_to_the_former_one_holds) {
  auto log = RequestLog::open(settings_);
  ASSERT_TRUE(log);
  accept();
  send(fmt::format("{} 4000 200 -- 0 web-1\n", now().count() * 1000));
  EXPECT_EQ(read(*log, 1, 0).size(), 1U);
  answer_as("4712");
  EXPECT_EQ(accept("4711"), kCommand);  // the former one was still listening
  EXPECT_EQ(accept("4712"), kCommand);
  send(fmt::format("{} 4000 200 -- 0 web-1\n", now().count() * 1000));
  EXPECT_EQ(read(*log, 1, 0).size(), 1U);
}

TEST_F(OpenLog, says_that_nobody_answers) {
  settings_.folder = folder_.path() / "missing";
  const auto log = RequestLog::open(settings_);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().kind, base::ErrorKind::unavailable);
}

}  // namespace
}  // namespace headroom::balancer
