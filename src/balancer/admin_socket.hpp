// AdminSocket: one lasting connection to the Runtime API of an HAProxy, made again when it breaks.
//
// Source: HAProxy 2.6 Management Guide, 9.3 "Unix Socket commands".
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "store/descriptor.hpp"

namespace headroom::balancer {

class AdminSocket {
 public:
  // `timeout` is for a whole command, its answer included.
  explicit AdminSocket(std::filesystem::path path, base::Milliseconds timeout = base::Milliseconds(2'000))
      : path_(std::move(path)), timeout_(timeout) {}

  // What HAProxy answers, without the blank lines around it; empty: done, nothing to say. It is said again
  // where the connection was found broken before an answer began: a command must bear that. Requires: one
  // command in one line, without ';'. Errors: nobody listens, no answer in time: unavailable.
  base::Result<std::string> ask(std::string_view command);

  // For commands that answer with nothing when they succeed.
  base::Result<void> tell(std::string_view command);

 private:
  enum class Failure { none, broken, late };
  struct Answer {
    Failure failure = Failure::none;
    std::string text;
    bool begun = false;
  };
  Answer exchange(std::string_view command, base::Milliseconds until);

  std::filesystem::path path_;
  base::Milliseconds timeout_;
  store::Descriptor connection_;
};

}  // namespace headroom::balancer
