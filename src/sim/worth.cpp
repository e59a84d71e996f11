#include "sim/worth.hpp"

namespace headroom::sim {
namespace {

constexpr double kRounding = 1e-12;  // of the few operations that made the figures

}  // namespace

bool serves_less(double offered, double failed, double share) {
  return offered > 0 && failed > offered * (1 - share) * (1 + kRounding);
}

Worth::Worth(std::optional<environment::Profit> profit, base::Milliseconds tick)
    : profit_(profit), seconds_(base::seconds(tick)), minutes_(base::minutes(tick)) {}

void Worth::add(double offered_per_second, double failed_per_second) {
  requests_ += offered_per_second * seconds_;
  failed_ += failed_per_second * seconds_;
  const double share = profit_ ? profit_->downtime_below : kDowntimeBelow;
  down_ticks_ += serves_less(offered_per_second, failed_per_second, share) ? 1 : 0;
}

void Worth::fill(Summary& summary, double waiting) const {
  const double served = requests_ - failed_ - waiting;
  summary.requests = requests_;
  summary.requests_failed = failed_;
  summary.requests_waiting = waiting;
  summary.availability_percent = requests_ > 0 ? 100 * served / requests_ : 100;
  summary.downtime_minutes = static_cast<double>(down_ticks_) * minutes_;
  if (!profit_) return;
  summary.profit_usd = profit_->revenue_per_request.value() * served -
                       profit_->downtime_penalty.value() * summary.downtime_minutes - summary.cost_usd;
}

}  // namespace headroom::sim
