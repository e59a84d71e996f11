// HttpQuestion: one GET to an address, whose answer may be waited for later.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

namespace headroom::isolation {

class HttpQuestion {
 public:
  HttpQuestion(const std::string& address, int port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to);
    if (!ready(POLLOUT, 1000)) return;
    constexpr std::string_view text = "GET / HTTP/1.0\r\n\r\n";
    asked_ = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) > 0;
  }
  HttpQuestion(const HttpQuestion&) = delete;
  HttpQuestion& operator=(const HttpQuestion&) = delete;
  ~HttpQuestion() { ::close(socket_); }

  bool answered_within(int milliseconds) const {
    std::array<char, 16> start{};
    return asked_ && ready(POLLIN, milliseconds) && ::recv(socket_, start.data(), start.size(), 0) > 0 &&
           std::string_view(start.data(), start.size()).starts_with("HTTP/1.0 200");
  }

 private:
  bool ready(short events, int milliseconds) const {
    pollfd one{socket_, events, 0};
    return ::poll(&one, 1, milliseconds) > 0 && (one.revents & events) != 0;
  }

  int socket_;
  bool asked_ = false;
};

}  // namespace headroom::isolation
