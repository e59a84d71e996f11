#include "workload/profile.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace headroom::workload {
namespace {

using base::Milliseconds;

double count(Milliseconds duration) { return static_cast<double>(duration.count()); }

// Multiplied before divided: 500 * 180,000 / 600,000 is 150 exactly, while 500 * 0.3 need not be.
double rate_at(const Piece& piece, Milliseconds time) {
  const double rise = piece.rate_to - piece.rate_from;
  return piece.rate_from + rise * count(time - piece.from) / count(piece.to - piece.from);
}

}  // namespace

Profile part(const Profile& profile, Milliseconds from, Milliseconds to) {
  Profile result;
  for (const Piece& piece : profile.pieces) {
    const Milliseconds begin = std::max(from, piece.from);
    const Milliseconds end = std::min(to, piece.to);
    if (begin >= end) continue;
    result.pieces.push_back({begin, end, rate_at(piece, begin), rate_at(piece, end)});
  }
  return result;
}

double peak(const Profile& profile) {
  double highest = 0;
  for (const Piece& piece : profile.pieces) highest = std::max({highest, piece.rate_from, piece.rate_to});
  return highest;
}

base::Series sample(const Profile& profile, Milliseconds tick, SampleAt at) {
  base::Series series;
  series.start = profile.from();
  series.tick = tick;
  const std::int64_t ticks = (profile.to() - profile.from()) / tick;
  series.values.reserve(static_cast<std::size_t>(ticks));
  std::size_t first = 0;  // the piece in which the tick begins
  for (std::int64_t i = 0; i < ticks; ++i) {
    const Milliseconds begin = profile.from() + i * tick;
    const Milliseconds end = begin + tick;
    while (profile.pieces[first].to <= begin) ++first;
    std::size_t last = first;  // the piece in which it ends
    while (profile.pieces[last].to < end) ++last;
    double value = 0;
    if (at == SampleAt::start) {
      value = rate_at(profile.pieces[first], begin);
    } else if (at == SampleAt::end) {
      value = rate_at(profile.pieces[last], end);
    } else if (first == last) {
      value = (rate_at(profile.pieces[first], begin) + rate_at(profile.pieces[first], end)) / 2;
    } else {
      double sum = 0;
      for (std::size_t k = first; k <= last; ++k) {
        const Piece& piece = profile.pieces[k];
        const Milliseconds a = std::max(begin, piece.from);
        const Milliseconds b = std::min(end, piece.to);
        sum += (rate_at(piece, a) + rate_at(piece, b)) / 2 * count(b - a);
      }
      value = sum / count(tick);
    }
    series.values.push_back(std::max(value, 0.0));  // a rounding error of a fall to 0
  }
  return series;
}

}  // namespace headroom::workload
