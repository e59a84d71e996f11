#include "balancer/admin_socket.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "balancer/socket.hpp"

namespace headroom::balancer {
namespace {

// Of 1000 servers `show stat` is 0.4 MB; more than this is no answer.
constexpr std::size_t kLongestAnswer = std::size_t{32} << 20U;
constexpr std::string_view kPrompt = "\n> ";

base::Milliseconds steady_now() {
  return std::chrono::duration_cast<base::Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

// Whether the socket became ready before the time was over.
bool wait_for(int socket, short events, base::Milliseconds until) {
  for (;;) {
    const base::Milliseconds left = until - steady_now();
    if (left.count() <= 0) return false;
    pollfd wanted{socket, events, 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

std::string without_blank_lines(std::string_view text) {
  const std::size_t begin = text.find_first_not_of("\r\n ");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of("\r\n ") - begin + 1));
}

}  // namespace

AdminSocket::Answer AdminSocket::exchange(std::string_view command, base::Milliseconds until) {
  Answer answer;
  const std::string line = std::string(command) + "\n";
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t sent = ::send(connection_.number(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(connection_.number(), POLLOUT, until)) return {Failure::late, {}, false};
    } else if (errno != EINTR) {
      return {Failure::broken, {}, false};
    }
  }
  // An answer ends with the prompt, which stands where no line of an answer begins.
  std::array<char, 65'536> buffer{};
  while (!("\n" + answer.text).ends_with(kPrompt)) {
    if (!wait_for(connection_.number(), POLLIN, until)) return {Failure::late, {}, answer.begun};
    const ssize_t got = ::recv(connection_.number(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0 || answer.text.size() > kLongestAnswer) return {Failure::broken, {}, answer.begun};
    answer.begun = true;
    answer.text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  answer.text.resize(answer.text.size() - (kPrompt.size() - 1));
  answer.text = without_blank_lines(answer.text);
  return answer;
}

base::Result<std::string> AdminSocket::ask(std::string_view command) {
  if (command.find_first_of("\r\n;") != std::string_view::npos) {
    fmt::print(stderr, "AdminSocket: a command of several lines: '{}'\n", command);
    std::abort();
  }
  const base::Milliseconds until = steady_now() + timeout_;
  for (bool again = false;; again = true) {
    const bool fresh = !connection_.open();
    if (fresh) {
      Connection made = connect_to(path_);
      if (made.failed != 0) {
        return base::unavailable(fmt::format("{}: no balancer answers there: {}", path_.string(),
                                             std::generic_category().message(made.failed)),
                                 "see whether its HAProxy runs; starting the service brings it back");
      }
      connection_ = std::move(made.socket);
      // The prompt keeps the connection open after an answer, and says where the answer ends.
      if (exchange("prompt", until).failure != Failure::none) connection_ = {};
    }
    Answer answer;
    answer.failure = Failure::broken;
    if (connection_.open()) answer = exchange(command, until);
    if (answer.failure == Failure::none) return std::move(answer.text);
    connection_ = {};
    if (answer.failure == Failure::broken && !fresh && !answer.begun && !again) continue;
    return base::unavailable(
        fmt::format("{}: the balancer {} the command '{}'", path_.string(),
                    answer.failure == Failure::late ? "did not answer in time" : "closed the connection on",
                    command),
        "see whether its HAProxy runs; starting the service brings it back");
  }
}

base::Result<void> AdminSocket::tell(std::string_view command) {
  const base::Result<std::string> answer = ask(command);
  if (!answer) return answer.error();
  if (!answer->empty()) {
    return base::unavailable(fmt::format("the balancer refused '{}': {}", command, *answer));
  }
  return {};
}

}  // namespace headroom::balancer
