// Window: mean, maximum and minimum of a metric over the last so many seconds, missing samples included.
//
// A sample is the mean of a metric over an interval of time, as monitoring systems deliver it; a missing
// value is said to be missing and never counts as zero (zero utilisation would scale a service in).
//
// Worked example: a window of 3 minutes read at 12:05:00 covers 12:02 to 12:05. Samples of one minute with 40
// at 12:01, 60 at 12:02, none at 12:03 and 90 at 12:04 give a mean of (60 + 90) / 2 = 75, a maximum of 90,
// two minutes present and one missing. Read at 12:04:30, before the last sample has arrived, it covers
// 12:01:30 to 12:04:30: half of the first sample counts, so the mean is (40 * 30 + 60 * 60) / 90 = 53.33.
#pragma once

#include <deque>
#include <optional>

#include "base/quantity.hpp"

namespace headroom::telemetry {

struct Sample {
  base::Milliseconds start{0};
  base::Milliseconds length{0};
  std::optional<double> value;  // the mean over [start, start + length)
  bool operator==(const Sample&) const = default;
};

struct Reading {
  std::optional<double> mean;  // over the time that is present; absent where nothing is
  std::optional<double> max;   // of the samples that reach into the window
  std::optional<double> min;
  base::Milliseconds present{0};
  base::Milliseconds missing{0};  // present + missing is the window's length
  bool operator==(const Reading&) const = default;
};

class Window {
 public:
  // Requires: length > 0.
  explicit Window(base::Milliseconds length);

  // Requires: a positive length, and that the sample starts where the last one ended or later. Forgets what
  // no later read can see.
  void add(const Sample& sample);

  // Over [now - length, now). Requires: now is no earlier than the end of the newest sample. The result
  // depends on the samples in the window only, not on what passed through it before.
  Reading read(base::Milliseconds now) const;

  base::Milliseconds length() const { return length_; }
  bool operator==(const Window&) const = default;

 private:
  base::Milliseconds length_;
  std::deque<Sample> samples_;
};

}  // namespace headroom::telemetry
