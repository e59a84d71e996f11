#include "telemetry/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace headroom::telemetry {
namespace {

// A double's bits, read as a number, are the exponent followed by the mantissa: without all but seven bits of
// the mantissa, neighbouring numbers are neighbouring buckets of 1/128 of a power of two.
constexpr unsigned kDropped = 52 - 7;
constexpr std::uint64_t kFirst = std::bit_cast<std::uint64_t>(Histogram::kLowest) >> kDropped;
constexpr std::uint64_t kEnd = std::bit_cast<std::uint64_t>(Histogram::kBeyond) >> kDropped;

std::size_t bucket_of(double value) {
  if (value < Histogram::kLowest) return 0;
  const std::uint64_t number = std::bit_cast<std::uint64_t>(value) >> kDropped;
  return static_cast<std::size_t>(std::min(number, kEnd - 1) - kFirst);
}

double low_of(std::size_t bucket) { return std::bit_cast<double>((kFirst + bucket) << kDropped); }

double middle_of(std::size_t bucket) { return 0.5 * (low_of(bucket) + low_of(bucket + 1)); }

void append(std::vector<std::uint8_t>& bytes, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7U) bytes.push_back(static_cast<std::uint8_t>(number | 0x80U));
  bytes.push_back(static_cast<std::uint8_t>(number));
}

std::uint64_t take(const std::vector<std::uint8_t>& bytes, std::size_t& at) {
  std::uint64_t number = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint8_t byte = bytes[at++];
    number |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) == 0) return number;
  }
}

}  // namespace

template <class Use>
void Histogram::each(Use use) const {
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) use(first_ + i, counts_[i]);
  }
  std::size_t bucket = first_;
  for (std::size_t at = 0; at < packed_.size();) {
    bucket += take(packed_, at);
    const std::uint64_t count = take(packed_, at);
    use(bucket, count);
  }
}

void Histogram::compact() {
  if (counts_.empty()) return;
  std::vector<std::uint8_t> packed;
  std::size_t before = first_;
  each([&](std::size_t bucket, std::uint64_t count) {
    append(packed, bucket - before);
    append(packed, count);
    before = bucket;
  });
  packed.shrink_to_fit();
  packed_ = std::move(packed);
  counts_ = std::vector<std::uint64_t>();  // `= {}` would keep its memory
}

void Histogram::unpack() {
  if (packed_.empty()) return;
  std::vector<std::uint64_t> counts;
  each([&](std::size_t bucket, std::uint64_t count) {
    counts.resize(bucket - first_ + 1);
    counts.back() = count;
  });
  counts_ = std::move(counts);
  packed_ = std::vector<std::uint8_t>();
}

Histogram::Contents Histogram::contents() const {
  if (packed_.empty()) return {min_, max_, first_, counts_};
  Histogram large = *this;
  large.unpack();
  return large.contents();
}

bool Histogram::operator==(const Histogram& other) const { return contents() == other.contents(); }

void Histogram::add(double value, std::uint64_t count) {
  if (!(value >= 0)) {
    std::fprintf(stderr, "telemetry::Histogram requires values of 0 or more; got %g\n", value);
    std::abort();
  }
  if (count == 0) return;
  unpack();
  const std::size_t bucket = bucket_of(value);
  if (count_ == 0) first_ = bucket;
  reach(bucket);
  counts_[bucket - first_] += count;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_ += count;
}

void Histogram::reach(std::size_t bucket) {
  if (bucket < first_) {
    counts_.insert(counts_.begin(), first_ - bucket, 0);
    first_ = bucket;
  } else if (bucket - first_ >= counts_.size()) {
    counts_.resize(bucket - first_ + 1);
  }
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  if (count_ == 0) {
    *this = other;
    return;
  }
  unpack();
  if (!other.counts_.empty()) reach(other.first_ + other.counts_.size() - 1);
  reach(other.first_);
  other.each([this](std::size_t bucket, std::uint64_t count) {
    reach(bucket);
    counts_[bucket - first_] += count;
  });
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
}

std::optional<double> Histogram::min() const { return count_ == 0 ? std::nullopt : std::optional(min_); }

std::optional<double> Histogram::max() const { return count_ == 0 ? std::nullopt : std::optional(max_); }

std::optional<double> Histogram::mean() const {
  if (count_ == 0) return std::nullopt;
  double sum = 0;
  each([&](std::size_t bucket, std::uint64_t count) {
    sum += std::clamp(middle_of(bucket), min_, max_) * static_cast<double>(count);
  });
  return sum / static_cast<double>(count_);
}

std::optional<double> Histogram::quantile(double share) const {
  if (!(share >= 0 && share <= 1)) {
    std::fprintf(stderr, "telemetry::Histogram::quantile requires a share of 0 to 1; got %g\n", share);
    std::abort();
  }
  if (count_ == 0) return std::nullopt;
  const double wanted = std::ceil(share * static_cast<double>(count_));
  const std::uint64_t rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  // The extremes are known exactly.
  if (share == 0) return min_;
  if (rank == count_) return max_;
  std::uint64_t seen = 0;
  double found = max_;
  each([&](std::size_t bucket, std::uint64_t count) {
    if (seen < rank && seen + count >= rank) found = std::clamp(middle_of(bucket), min_, max_);
    seen += count;
  });
  return found;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> used;
  each([&](std::size_t bucket, std::uint64_t count) {
    used.push_back({low_of(bucket), low_of(bucket + 1), count});
  });
  return used;
}

std::optional<Histogram> Histogram::of(const Contents& contents) {
  if (contents.counts.empty()) {
    return contents == Contents{} ? std::optional(Histogram()) : std::nullopt;
  }
  const bool ordered = contents.min >= 0 && contents.min <= contents.max && std::isfinite(contents.max);
  const std::size_t last = contents.first + contents.counts.size() - 1;
  if (!ordered || contents.counts.front() == 0 || contents.counts.back() == 0) return std::nullopt;
  if (bucket_of(contents.min) != contents.first || bucket_of(contents.max) != last) return std::nullopt;
  Histogram histogram;
  histogram.first_ = contents.first;
  histogram.counts_ = contents.counts;
  histogram.min_ = contents.min;
  histogram.max_ = contents.max;
  for (const std::uint64_t count : contents.counts) histogram.count_ += count;
  return histogram;
}

}  // namespace headroom::telemetry
