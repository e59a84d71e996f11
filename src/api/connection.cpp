#include "api/connection.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace headroom::api {

using std::chrono::steady_clock;

bool Connection::wait_for(short events, steady_clock::time_point until) const {
  pollfd waited{socket_.number(), events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
    const int ready = ::poll(&waited, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool Connection::is_readable() const { return wait_for(POLLIN, read_until_); }

bool Connection::is_writable() const {
  // Closed by the client, not only its half that sends: whoever has said all can still listen.
  pollfd looked_at{socket_.number(), 0, 0};
  return !gone_ && (::poll(&looked_at, 1, 0) <= 0 || (looked_at.revents & (POLLHUP | POLLERR)) == 0);
}

ssize_t Connection::read(char* bytes, std::size_t size) {
  const std::int64_t left = limits_.bytes_max - read_bytes_;
  if (left <= 0) return -1;
  const std::size_t most = std::min(size, static_cast<std::size_t>(left));
  for (;;) {
    if (!wait_for(POLLIN, read_until_)) return -1;
    const ssize_t count = ::recv(socket_.number(), bytes, most, 0);
    if (count >= 0) {
      read_bytes_ += count;
      return count;
    }
    if (errno != EINTR && errno != EAGAIN) return -1;
  }
}

ssize_t Connection::write(const char* bytes, std::size_t size) {
  const auto until = steady_clock::now() + limits_.write_max;
  std::size_t written = 0;
  while (!gone_ && written < size) {
    const ssize_t count = ::send(socket_.number(), bytes + written, size - written, MSG_NOSIGNAL);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      gone_ = !wait_for(POLLOUT, until);
    } else if (errno != EINTR) {
      gone_ = true;
    }
  }
  return gone_ ? -1 : static_cast<ssize_t>(size);
}

void Connection::get_remote_ip_and_port(std::string&, int&) const {}

void Connection::get_local_ip_and_port(std::string&, int&) const {}

}  // namespace headroom::api
