// LoadText: a load test for a terminal of 80 columns, while it runs and when it is over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/load_run.hpp"

namespace headroom::report {

// What came of it. Ends with a newline.
std::string load_text(const LoadRun& run);

// A test under way.
struct LoadMoment {
  std::string name;
  std::string url;
  base::Nanoseconds since_start{0};          // negative: it waits for its start
  std::optional<base::Nanoseconds> length;   // where it is known beforehand
  int threads = 1;                           // of the generator
  const std::vector<load::Second>& seconds;  // those that are over
};

enum class Colours { none, some };

// The block that is drawn again and again: lines of at most 80 columns, always as many of them.
std::string load_moment_block(const LoadMoment& moment, Colours colours);

// The same as one line without a newline, for a file.
std::string load_moment_line(const LoadMoment& moment);

}  // namespace headroom::report
