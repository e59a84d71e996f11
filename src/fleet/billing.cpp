#include "fleet/billing.hpp"

#include <algorithm>

namespace headroom::fleet {
namespace {

using base::Milliseconds;

constexpr Milliseconds kHour{3'600'000};

// What is paid for a launch that is charged for `runtime`, however short.
Milliseconds rounded_up(Milliseconds runtime, const Billing& billing) {
  const Milliseconds least = std::max(runtime, billing.minimum);
  if (billing.model == BillingModel::per_second) return least;
  // A start opens an hour, even if it ends at once.
  return std::max<std::int64_t>(1, (least + kHour - Milliseconds(1)) / kHour) * kHour;
}

}  // namespace

Charge charge(std::span<const Launch> launches, const Billing& billing, base::UsdPerHour price) {
  Charge sum;
  for (const Launch& launch : launches) {
    ++sum.launches;
    if (billing.from_in_service && !launch.in_service) continue;
    const Milliseconds runtime =
        launch.ended - (billing.from_in_service ? *launch.in_service : launch.started);
    sum.runtime += runtime;
    sum.charged += rounded_up(runtime, billing);
  }
  sum.cost = base::Usd(base::hours(sum.charged) * price.value());
  return sum;
}

Milliseconds paid_until(Milliseconds began, Milliseconds now, const Billing& billing) {
  return began + rounded_up(now - began, billing);
}

}  // namespace headroom::fleet
