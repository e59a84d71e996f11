// ScriptedServer: a server on the loopback for tests, which answers, fails and stalls as a script says.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "load/loopback_listener.hpp"

namespace headroom::load {

// A request as it came, and the means to answer it. Nothing is done to a connection after the script has
// closed it.
class Visit {
 public:
  Visit(int socket, SSL* tls, std::string bytes, std::size_t place, std::string from)
      : request(std::move(bytes)), number(place), peer(std::move(from)), socket_(socket), tls_(tls) {}

  std::string request;  // the bytes of header and body
  std::size_t number;   // of the requests of the server, from 0
  std::string peer;     // the address it came from

  std::string first_line() const { return request.substr(0, request.find("\r\n")); }

  void send(std::string_view bytes) {
    while (!bytes.empty() && open_) {
      const auto sent = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                        : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        open_ = false;
      } else {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
    }
  }
  void answer(int status = 200, std::string_view body = "hello", std::string_view fields = "") {
    send(
        fmt::format("HTTP/1.1 {} Some\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), fields, body));
  }
  // In one segment; the last of `before` is urgent data.
  void send_urgent(std::string_view before, std::string_view after) {
    const int yes = 1;
    const int no = 0;
    setsockopt(socket_, IPPROTO_TCP, TCP_CORK, &yes, sizeof yes);
    open_ = ::send(socket_, before.data(), before.size(), MSG_OOB | MSG_NOSIGNAL) > 0 && open_;
    send(after);
    setsockopt(socket_, IPPROTO_TCP, TCP_CORK, &no, sizeof no);
  }
  void close() { open_ = false; }
  // With RST instead of FIN.
  void reset() {
    const linger at_once{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    open_ = false;
  }
  bool open() const { return open_; }

 private:
  int socket_;
  SSL* tls_;
  bool open_ = true;
};

class ScriptedServer {
 public:
  using Script = std::function<void(Visit&)>;

  // One thread for each connection. `tls`: a context with certificate and key.
  explicit ScriptedServer(Script script, SSL_CTX* tls = nullptr) : script_(std::move(script)), tls_(tls) {
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedServer() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& connection : connections_) connection.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return listener_.port(); }
  std::string url(const std::string& path = "/") const {
    return fmt::format("{}://127.0.0.1:{}{}", tls_ != nullptr ? "https" : "http", port(), path);
  }
  std::size_t requests() const { return count_; }

 private:
  static constexpr int kLookEveryMs = 20;

  bool readable(int socket) const {
    pollfd wanted{socket, POLLIN, 0};
    while (!stop_) {
      if (poll(&wanted, 1, kLookEveryMs) > 0) return true;
    }
    return false;
  }

  void accept_all() {
    while (readable(listener_.socket())) {
      sockaddr_in peer{};
      socklen_t length = sizeof peer;
      const int socket =
          accept4(listener_.socket(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC);
      if (socket < 0) continue;
      std::array<char, INET_ADDRSTRLEN> name{};
      inet_ntop(AF_INET, &peer.sin_addr, name.data(), name.size());
      connections_.emplace_back([this, socket, from = std::string(name.data())] { serve(socket, from); });
    }
  }

  void serve(int socket, const std::string& peer) {
    SSL* tls = tls_ != nullptr ? SSL_new(tls_) : nullptr;
    bool open = true;
    if (tls != nullptr) {
      SSL_set_fd(tls, socket);
      open = readable(socket) && SSL_accept(tls) == 1;
    }
    std::string bytes;
    while (open) {
      const std::size_t end = end_of_request(bytes);
      if (end == std::string::npos) {
        std::array<char, 16'384> buffer{};
        if (tls == nullptr || SSL_pending(tls) == 0) open = readable(socket);
        if (!open) break;
        const auto got = tls != nullptr ? SSL_read(tls, buffer.data(), static_cast<int>(buffer.size()))
                                        : recv(socket, buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        bytes.append(buffer.data(), static_cast<std::size_t>(got));
        continue;
      }
      Visit visit(socket, tls, bytes.substr(0, end), count_++, peer);
      bytes.erase(0, end);
      script_(visit);
      open = visit.open();
    }
    SSL_free(tls);
    ::close(socket);
  }

  static std::size_t end_of_request(const std::string& bytes) {
    const std::size_t header = bytes.find("\r\n\r\n");
    if (header == std::string::npos) return header;
    const std::size_t field = bytes.find("Content-Length: ");
    std::size_t end = header + 4;
    if (field < header) end += std::stoul(bytes.substr(field + 16));
    return end <= bytes.size() ? end : std::string::npos;
  }

  Script script_;
  SSL_CTX* tls_;
  LoopbackListener listener_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::size_t> count_ = 0;
  std::list<std::thread> connections_;  // touched by the acceptor alone until it has ended
  std::thread acceptor_;
};

}  // namespace headroom::load
