// Samples: what was measured of each service, metric period by metric period; after an hour, minute by
// minute.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "store/database.hpp"

namespace headroom::history {

// So long all of the history is kept.
inline constexpr base::Milliseconds kKept{7 * 24 * 3'600'000LL};

// Over [at, at + length). Counts of instances are those at its end, or of a minute their means.
struct Sample {
  base::Milliseconds at{0};
  base::Milliseconds length{0};
  std::string service;
  std::optional<double> requests_per_second;  // offered
  std::optional<double> failed_per_second;
  std::optional<double> p95_ms;       // of a minute the highest
  std::optional<double> cpu_percent;  // mean of the instances in service, of what each is allowed
  double in_service = 0;
  double launching = 0;  // or warming
  double stopped = 0;    // in the warm pool
  bool operator==(const Sample&) const = default;
};

// Works on the tables of the database that it is given; the caller guards it.
class Samples {
 public:
  static const std::string& schema();

  void add(Sample sample) { waiting_.push_back(std::move(sample)); }
  // Writes those that wait, in one transaction.
  base::Result<void> write(store::Database& database);
  // Minutes out of what is older than an hour; gone is what is older than a week.
  base::Result<void> roll_up(store::Database& database, base::Milliseconds now);
  // Of one service, oldest first, those that ended after `since`.
  base::Result<std::vector<Sample>> read(store::Database& database, const std::string& service,
                                         base::Milliseconds since);

 private:
  std::vector<Sample> waiting_;
};

}  // namespace headroom::history
