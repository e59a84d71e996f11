// Backend: an instance on the loopback for tests of the balancer, which can be ill, freeze and crash.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <thread>
#include <vector>

namespace headroom::balancer {

class Backend {
 public:
  // Answers GET /health as a health check and everything else as a request.
  Backend() { revive(); }
  ~Backend() { crash(); }
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  std::string address() const { return fmt::format("127.0.0.1:{}", port_); }
  int port() const { return port_; }

  std::atomic<int> status = 200;
  std::atomic<int> health_status = 200;
  std::atomic<int> delay_ms = 0;     // of requests
  std::atomic<bool> frozen = false;  // the kernel takes connections, nobody reads
  std::atomic<int> requests = 0;     // that came
  std::atomic<int> good_checks = 0;  // answered with 200
  std::atomic<int> checks = 0;
  std::atomic<int> good_checks_before_first_request = -1;

  // All sockets go at once, as at a kill -9.
  void crash() {
    if (!thread_.joinable()) return;
    stop_ = true;
    wake();
    thread_.join();
    for (const Connection& connection : connections_) ::close(connection.socket);
    connections_.clear();
    ::close(listener_);
    ::close(wake_);
  }
  // On the port that it had.
  void revive() {
    stop_ = false;
    wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int one = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    socklen_t length = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, SOMAXCONN) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      ADD_FAILURE() << "no instance on the loopback";
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    int socket = -1;
    std::string bytes;
    std::string answer;  // to be sent at `due`
    Clock::time_point due{};
  };

  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = ::write(wake_, &one, sizeof one);
  }

  void serve() {
    while (!stop_) {
      if (frozen) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      std::vector<pollfd> wanted = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
      int wait_ms = 20;
      for (const Connection& connection : connections_) {
        wanted.push_back({connection.socket, POLLIN, 0});
        if (!connection.answer.empty()) wait_ms = 1;
      }
      poll(wanted.data(), wanted.size(), wait_ms);
      if (frozen || stop_) continue;
      std::size_t place = 2;
      for (auto connection = connections_.begin(); connection != connections_.end(); ++place) {
        const bool open = place < wanted.size() && (wanted[place].revents == 0 || take(*connection));
        if (open && !connection->answer.empty() && Clock::now() >= connection->due) {
          ::send(connection->socket, connection->answer.data(), connection->answer.size(), MSG_NOSIGNAL);
          connection->answer.clear();
        }
        if (!open) ::close(connection->socket);
        connection = open ? std::next(connection) : connections_.erase(connection);
      }
      for (int socket = 0;
           (socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
        connections_.push_back({socket, {}, {}, {}});
      }
    }
  }

  // Whether the connection goes on.
  bool take(Connection& connection) {
    std::array<char, 16'384> buffer{};
    const ssize_t got = recv(connection.socket, buffer.data(), buffer.size(), 0);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    connection.bytes.append(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t end = connection.bytes.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    const bool check = connection.bytes.starts_with("GET /health ");
    connection.bytes.clear();  // no bodies, one at a time
    const int with = check ? health_status : status;
    if (check) {
      ++checks;
      if (with == 200) ++good_checks;
    } else if (requests++ == 0) {
      good_checks_before_first_request = good_checks.load();
    }
    connection.answer = fmt::format("HTTP/1.1 {} Some\r\nContent-Length: 2\r\n\r\nok", with);
    connection.due = Clock::now() + std::chrono::milliseconds(check ? 0 : delay_ms.load());
    return true;
  }

  int port_ = 0;
  int listener_ = -1;
  int wake_ = -1;
  std::atomic<bool> stop_ = false;
  std::list<Connection> connections_;  // of the thread while it runs
  std::thread thread_;
};

// Asks at the port over a connection of its own. The status; 0: none came within `patience`, or none at all.
inline int ask(int port, const std::string& method = "GET",
               std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const timeval limit{patience.count() / 1000, patience.count() % 1000 * 1000};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  int status = 0;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request =
        fmt::format("{} / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", method);
    ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    std::string answer;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = recv(socket, buffer.data(), buffer.size(), 0)) > 0;) {
      answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (answer.size() > 12 && answer.starts_with("HTTP/1.1 ")) status = std::stoi(answer.substr(9, 3));
  }
  ::close(socket);
  return status;
}

// Asks so many times a second until it ends; every request by a thread of its own time, late or not.
class Asking {
 public:
  Asking(int port, int threads, std::chrono::milliseconds pause) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, port, pause] {
        while (!stop_) {
          const int status = ask(port);
          ++asked_;
          if (status != 200) ++lost_;
          std::this_thread::sleep_for(pause);
        }
      });
    }
  }
  ~Asking() { end(); }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  void end() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  int asked() const { return asked_; }
  int lost() const { return lost_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int> asked_ = 0;
  std::atomic<int> lost_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace headroom::balancer
