// Traffic: what is asked of a service over time, as described in a traffic file (docs/reference/file.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/quantity.hpp"
#include "workload/request.hpp"

namespace headroom::workload {

// One stage of open traffic: the rate goes in a straight line from `from` (by default where the stage
// before ended) to `to` within `duration`; equal ends make a constant rate.
struct OpenStage {
  base::Milliseconds duration{0};
  std::optional<base::Rate> from;
  base::Rate to;
  bool operator==(const OpenStage&) const = default;
};

// Which instant of a tick stands for the tick where the rate changes within it.
enum class SampleAt { mean, start, end };

// Requests that come whether or not earlier ones were answered.
struct Open {
  base::Rate start;  // the rate before the first stage
  std::vector<OpenStage> stages;
  SampleAt sample_at = SampleAt::mean;
  bool operator==(const Open&) const = default;
};

enum class Think { constant, uniform, exponential, normal };

// A number of users who each send a request, wait for the answer, think, and send the next.
struct ClosedStage {
  int users = 1;
  int requests_each = 1;        // 0: as many as fit into `duration`
  base::Milliseconds think{0};  // constant: the value; uniform: the maximum; exponential, normal: the mean
  Think think_distribution = Think::constant;
  base::Milliseconds ramp_up{0};
  base::Milliseconds think_least{0};           // uniform: the minimum
  base::Milliseconds deviation{0};             // normal: the standard deviation; no pause is negative
  bool think_first = false;                    // a pause before the first request too
  std::optional<base::Milliseconds> duration;  // the stage ends after so long, whatever is left of it
  bool operator==(const ClosedStage&) const = default;
};

struct Closed {
  std::vector<ClosedStage> stages;
  bool serial = true;  // one stage after the other; otherwise all at once
  bool operator==(const Closed&) const = default;
};

// How the numbers of a recorded file are meant.
enum class RecordedUnit {
  infer,  // from the header, else the count per interval; what was inferred is reported
  requests_per_interval,
  requests_per_second,
  requests_per_minute,
};

// A recorded `timestamp,value` CSV. The text is read by whoever may read files.
struct Recorded {
  std::string file;  // as written in the traffic file, relative to it; notes name it so
  std::string path;  // where it was found, for whoever must open it: faults name it so; empty: as `file`
  std::string text;  // the contents
  RecordedUnit unit = RecordedUnit::infer;
  std::optional<base::Milliseconds> interval;  // default: the most frequent distance of two rows
  std::string timestamp_column;                // default: the first column
  std::string value_column;                    // default: the second column
  base::Milliseconds utc_offset{0};            // of timestamps that name no zone
  bool operator==(const Recorded&) const = default;
};

// A sudden rise that repeats at random times and decays in a straight line.
struct Spikes {
  double per_day = 0;
  double height = 0;  // as a factor of the peak rate
  base::Milliseconds duration{600'000};
  bool operator==(const Spikes&) const = default;
};

enum class GeneratedModel {
  daily,      // the wave below
  sagemaker,  // the load of the SageMaker autoscaling example (docs/reference/file.md); only duration and
              // seed
};

// A made-up shape: a daily and a weekly wave between `base` and `peak`, with noise and spikes.
struct Generated {
  base::Milliseconds duration{0};
  base::Rate base;
  base::Rate peak;
  double weekend = 1.0;                        // the factor of Saturday and Sunday
  double noise = 0.0;                          // standard deviation of a multiplicative normal noise per tick
  base::Milliseconds peak_at{12 * 3'600'000};  // time of day of the peak
  std::optional<Spikes> spikes;
  std::uint64_t seed = 1;
  GeneratedModel model = GeneratedModel::daily;
  bool operator==(const Generated&) const = default;
};

// Whether the requests of a tick are the rate times the tick, or drawn from a Poisson distribution around it.
enum class Arrivals { exact, poisson };

// Time points of `cut`: since 1970-01-01 UTC for recorded traffic (a date), else since the start.
struct Cut {
  std::optional<base::Milliseconds> from;
  std::optional<base::Milliseconds> to;
  bool operator==(const Cut&) const = default;
};

struct Traffic {
  std::variant<Open, Closed, Recorded, Generated> shape;
  // Applied in this order: cut, scale, repeat, shift.
  Cut cut;
  std::optional<double> scale_factor;
  std::optional<base::Rate> scale_peak;  // scales so that the highest rate of the shape after `cut` is this
  int repeat = 1;
  base::Milliseconds shift{0};
  Arrivals arrivals = Arrivals::exact;
  Requests requests = {};  // for the load generator; a rehearsal takes all requests to cost the same
  bool operator==(const Traffic&) const = default;
};

}  // namespace headroom::workload
