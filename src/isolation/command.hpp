// Running a program of the system, such as ip.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::isolation {

struct Ran {
  int status = 0;  // of its exit; 128 + signal where one ended it
  std::string out;
  std::string err;
};

// Finds the program on PATH, gives it `in`, and waits. The child gets no other descriptor of this process,
// and of its environment only what programs need to run at all: nothing of the daemon's secrets stays in an
// instance. Errors: it cannot be started, or does not end in time (it is killed).
base::Result<Ran> run(const std::vector<std::string>& words, std::string_view in = {},
                      base::Milliseconds longest = base::Milliseconds(20'000));

}  // namespace headroom::isolation
