// Billing: what the launches of an instance cost, by the second or by the hour.
//
// A launch is the first start of an instance, or one out of the warm pool, until it stops. Each launch is
// charged on its own: by the hour, every hour it began counts whole, and a new start begins a new hour even
// if the last one is paid for and not over (requirements C01). An example at 0.02 USD/h: 70 minutes, then a
// second launch of 5, are 2 + 1 charged hours or $0.06 by the hour, and 75 minutes or $0.025 by the second.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/quantity.hpp"

namespace headroom::fleet {

enum class BillingModel { per_second, hourly };

struct Billing {
  BillingModel model = BillingModel::per_second;
  base::Milliseconds minimum{0};  // charged at least, per launch
  bool from_in_service = false;   // the charge begins when the launch enters service, not when it is ordered
  bool operator==(const Billing&) const = default;
};

// Times of one clock, whichever.
struct Launch {
  base::Milliseconds started{0};
  std::optional<base::Milliseconds> in_service;  // unset: it never was
  base::Milliseconds ended{0};                   // or the present, while it lasts
  bool operator==(const Launch&) const = default;
};

struct Charge {
  std::int32_t launches = 0;      // those that cost nothing included
  base::Milliseconds runtime{0};  // what the charge is for, before it is rounded up
  base::Milliseconds charged{0};  // what is paid for
  base::Usd cost;

  double charged_hours() const { return base::hours(charged); }
  bool operator==(const Charge&) const = default;
};

// Per second, the exact time is charged: less than a second a launch below what a provider rounds up to.
// Requires: started <= in_service <= ended, and minimum not negative.
Charge charge(std::span<const Launch> launches, const Billing& billing, base::UsdPerHour price);

// Until when a launch whose charge began at `began` is paid for, seen from `now`: to stop it any time from
// now until then costs the same. `now` itself where a stop now wastes nothing, as at the end of an hour.
// Requires: began <= now.
base::Milliseconds paid_until(base::Milliseconds began, base::Milliseconds now, const Billing& billing);

}  // namespace headroom::fleet
