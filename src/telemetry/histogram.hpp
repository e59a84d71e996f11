// Histogram: quantiles of latencies with less than 0.4 % error in fixed memory, merged without loss.
//
// Each power of two is divided into 128 equal buckets (log-linear, as HdrHistogram does). A bucket's middle
// is within 1/256 = 0.4 % of every value in it.
//
// Worked example: 100 ms = 1.5625 * 2^6 falls into bucket 0.5625 * 128 = 72 of its power, [100, 100.5); so do
// 100.2 and 100.4. Of these three and 300 ms ([300, 302) is its bucket), the quantile 0.5 is the second value
// in order, reported as the middle of its bucket: 100.25; the quantile 1 is the largest value itself, 300.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace headroom::telemetry {

class Histogram {
 public:
  // Values from kLowest to below kBeyond (2^-20 to 2^40: in milliseconds, a nanosecond to 34 years) keep the
  // error stated. A smaller one, zero included, counts as kLowest, a larger one as just below kBeyond; min()
  // and max() stay exact.
  static constexpr double kLowest = 0x1p-20;
  static constexpr double kBeyond = 0x1p40;

  // Requires: value >= 0 and not NaN.
  void add(double value, std::uint64_t count = 1);

  // The result is that of adding both histograms' values to one, whatever the order and grouping of merges.
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::optional<double> min() const;
  std::optional<double> max() const;
  // From the middles of the buckets: under 0.4 % off.
  std::optional<double> mean() const;

  // The smallest value that at least share * count() values do not exceed, under 0.4 % off; 0 gives min(), 1
  // gives max(). Absent while empty. Requires: 0 <= share <= 1.
  std::optional<double> quantile(double share) const;

  // Values in [low, high).
  struct Bucket {
    double low = 0;
    double high = 0;
    std::uint64_t count = 0;
    bool operator==(const Bucket&) const = default;
  };
  std::vector<Bucket> buckets() const;  // in the order of values, empty ones left out

  // All there is to know of a histogram, to write it down: `counts` of the buckets from number `first` on.
  struct Contents {
    double min = 0;
    double max = 0;
    std::size_t first = 0;
    std::vector<std::uint64_t> counts;
    bool operator==(const Contents&) const = default;
  };
  Contents contents() const;
  // Unset: no histogram has these contents (a minimum that its first bucket does not hold, say).
  static std::optional<Histogram> of(const Contents& contents);

  // Keeps the same in two to four bytes for each bucket that is not empty, rather than eight for each: for
  // one of many that nothing will be added to. Adding makes it large again.
  void compact();
  // Of what it keeps, without the object itself.
  std::size_t bytes() const { return counts_.capacity() * sizeof(std::uint64_t) + packed_.capacity(); }

  // The same values, whether compact or not.
  bool operator==(const Histogram& other) const;

 private:
  void reach(std::size_t bucket);
  void unpack();
  // use(bucket, count), in the order of buckets, of all that are not empty.
  template <class Use>
  void each(Use use) const;

  std::size_t first_ = 0;              // bucket of counts_[0]
  std::vector<std::uint64_t> counts_;  // from the first to the last bucket used; empty where packed_ is not
  // For each bucket that is not empty its distance from the one before (from first_) and its count, both as
  // numbers of seven bits to a byte, the lowest first, all but the last with the eighth bit.
  std::vector<std::uint8_t> packed_;
  std::uint64_t count_ = 0;
  double min_ = 0;
  double max_ = 0;
};

}  // namespace headroom::telemetry
