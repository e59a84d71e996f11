#include "workload/due_times.hpp"

#include <cmath>

#include "workload/arrivals.hpp"

namespace headroom::workload {
namespace {

// Rounding in the sum of the pieces' areas must not add a request at the very end.
constexpr double kRounding = 1e-6;

}  // namespace

DueTimes::DueTimes(const Profile& profile, Arrivals arrivals, std::uint64_t seed, Share share)
    : pieces_(profile.pieces), arrivals_(arrivals), rng_(seed, due_times_stream), share_(share) {
  double area = 0;
  for (const Piece& piece : pieces_) {
    area_.push_back(area);
    area += (piece.rate_from + piece.rate_to) / 2 * base::seconds(piece.to - piece.from);
  }
  area_.push_back(area);
  if (arrivals_ == Arrivals::poisson) position_ = rng_.exponential();
  while (!share_.holds(number_)) draw();
  plan();
}

void DueTimes::advance() {
  do {
    draw();
  } while (!share_.holds(number_));
  plan();
}

void DueTimes::draw() {
  ++number_;
  if (arrivals_ == Arrivals::poisson) {
    position_ += rng_.exponential();
  } else {
    position_ = static_cast<double>(number_);
  }
}

void DueTimes::plan() {
  while (piece_ < pieces_.size() && position_ >= area_[piece_ + 1]) ++piece_;
  if (piece_ == pieces_.size() || position_ >= area_.back() - kRounding) {
    next_ = base::kNever;
    return;
  }
  const Piece& piece = pieces_[piece_];
  const double length = base::seconds(piece.to - piece.from);
  const double area = position_ - area_[piece_];
  // a t + (b - a) t^2 / (2 T) = area, solved so that no two large numbers are subtracted.
  const double rise = (piece.rate_to - piece.rate_from) / length;
  const double root = std::sqrt(std::fmax(0.0, piece.rate_from * piece.rate_from + 2 * rise * area));
  const double time = area > 0 ? 2 * area / (piece.rate_from + root) : 0;
  next_ = base::Nanoseconds(piece.from) + base::Nanoseconds(static_cast<std::int64_t>(time * 1e9));
}

}  // namespace headroom::workload
