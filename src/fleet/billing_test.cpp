#include "fleet/billing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/math.hpp"

namespace headroom::fleet {
namespace {

using base::Milliseconds;

constexpr Milliseconds kSecond{1'000};
constexpr Milliseconds kMinute{60'000};
constexpr Milliseconds kHour{3'600'000};
constexpr base::UsdPerHour kPrice(0.02);
constexpr Billing kHourly{.model = BillingModel::hourly};
constexpr Billing kPerSecond{};

// Minutes with up to three decimals are whole milliseconds.
Milliseconds minutes(double value) {
  return Milliseconds(static_cast<std::int64_t>(base::round_half_even(value * 60'000)));
}

Launch launch(double from_minute, double to_minute) {
  return {minutes(from_minute), minutes(from_minute), minutes(to_minute)};
}

// The signal times of IN4392's spreadsheet, in minutes (requirements 2.1): when each of the five instances
// joined and left. The first was there all the time, 160 minutes as the report counts them.
std::vector<std::vector<Launch>> in4392() {
  return {{launch(0, 160)},
          {launch(6.68, 68), launch(71.78, 78), launch(82.158, 159)},
          {launch(40.64, 64), launch(88.156, 156)},
          {launch(54.6, 60), launch(91.112, 112), launch(132.153, 153)},
          {launch(99.109, 109), launch(136.15, 150)}};
}

TEST(Billing, In4392TableTwoByTheHour) {
  // Table II prints, per instance: runtime, launches, charged hours, cost. Runtimes are whole minutes begun.
  const std::vector<int> runtimes{160, 145, 92, 48, 24};
  const std::vector<int> launches{1, 3, 2, 3, 2};
  const std::vector<int> hours{3, 5, 3, 3, 2};
  const std::vector<double> costs{0.06, 0.10, 0.06, 0.06, 0.04};
  double total = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const Charge made = charge(in4392()[i], kHourly, kPrice);
    EXPECT_EQ((made.runtime + kMinute - Milliseconds(1)) / kMinute, runtimes[i]) << i;
    EXPECT_EQ(made.launches, launches[i]) << i;
    EXPECT_EQ(made.charged_hours(), hours[i]) << i;
    EXPECT_NEAR(made.cost.value(), costs[i], 1e-12) << i;
    total += made.cost.value();
  }
  EXPECT_NEAR(total, 0.32, 1e-12);
}

TEST(Billing, In4392PerSecond) {
  // 160 + 144.382 + 91.204 + 47.135 + 23.741 = 466.462 minutes; at 0.02 / 60 a minute $0.15549.
  double total = 0;
  Milliseconds runtime{0};
  for (const auto& instance : in4392()) {
    const Charge made = charge(instance, kPerSecond, kPrice);
    EXPECT_EQ(made.charged, made.runtime);
    total += made.cost.value();
    runtime += made.runtime;
  }
  EXPECT_EQ(runtime, minutes(466.462));
  EXPECT_NEAR(total, 0.1555, 0.00005);
}

TEST(Billing, AMinimumIsChargedPerLaunch) {
  // Of the launches only 6.22 (71.78..78) and 5.4 minutes (54.6..60) are below 9: 2.78 + 3.6 more, 472.842.
  const Billing minimum{.minimum = minutes(9)};
  Milliseconds charged{0};
  for (const auto& instance : in4392()) charged += charge(instance, minimum, kPrice).charged;
  EXPECT_EQ(charged, minutes(472.842));

  // One that stops as soon as it starts.
  const std::vector<Launch> at_once{launch(3, 3)};
  EXPECT_EQ(charge(at_once, {.minimum = 60 * kSecond}, kPrice).charged, kMinute);
  EXPECT_EQ(charge(at_once, kPerSecond, kPrice).charged, Milliseconds(0));
}

TEST(Billing, EveryStartOpensAnHourAndBegunHoursCountWhole) {
  const auto hours = [](std::vector<Launch> launches) {
    return charge(launches, kHourly, kPrice).charged_hours();
  };
  EXPECT_EQ(hours({launch(0, 60)}), 1);  // a full hour is one
  EXPECT_EQ(hours({{Milliseconds(0), {}, kHour + Milliseconds(1)}}), 2);
  EXPECT_EQ(hours({launch(0, 0)}), 1);
  EXPECT_EQ(hours({launch(0, 5), launch(10, 15)}), 2);  // C01: both within the hour that the first one paid
  EXPECT_EQ(hours({}), 0);
}

TEST(Billing, FromInServiceLeavesOutTheWayThere) {
  // Ordered at 0, in service at 10 min, ended at 65 min; the other never made it.
  const std::vector<Launch> launches{{Milliseconds(0), 10 * kMinute, 65 * kMinute},
                                     {70 * kMinute, {}, 75 * kMinute}};
  Billing billing{.model = BillingModel::hourly};
  EXPECT_EQ(charge(launches, billing, kPrice).charged_hours(), 3);  // 65 min and 5 min: 2 + 1
  EXPECT_EQ(charge(launches, billing, kPrice).runtime, 70 * kMinute);
  billing.from_in_service = true;
  EXPECT_EQ(charge(launches, billing, kPrice).charged_hours(), 1);  // 55 min
  EXPECT_EQ(charge(launches, billing, kPrice).runtime, 55 * kMinute);
  EXPECT_EQ(charge(launches, billing, kPrice).launches, 2);
}

TEST(Billing, PaidUntilIsTheEndOfTheHourAlreadyPaid) {
  const Milliseconds began = 7 * kMinute;
  EXPECT_EQ(paid_until(began, began, kHourly), began + kHour);  // the start opens the hour
  EXPECT_EQ(paid_until(began, began + kMinute, kHourly), began + kHour);
  EXPECT_EQ(paid_until(began, began + kHour, kHourly), began + kHour);  // nothing is wasted by a stop now
  EXPECT_EQ(paid_until(began, began + kHour + Milliseconds(1), kHourly), began + 2 * kHour);
  EXPECT_EQ(paid_until(began, began + kMinute, kPerSecond), began + kMinute);
  EXPECT_EQ(paid_until(began, began + kMinute, {.minimum = 5 * kMinute}), began + 5 * kMinute);
  EXPECT_EQ(paid_until(began, began + kHour, {.minimum = 5 * kMinute}), began + kHour);
}

TEST(Billing, AStopUntilPaidUntilCostsTheSame) {
  for (const Billing& billing : {kHourly, kPerSecond, Billing{.minimum = 9 * kMinute},
                                 Billing{.model = BillingModel::hourly, .minimum = 90 * kMinute}}) {
    for (int minute = 0; minute <= 200; ++minute) {
      const Milliseconds now = minute * kMinute;
      const Milliseconds until = paid_until(Milliseconds(0), now, billing);
      const auto charged = [&](Milliseconds ended) {
        const std::vector<Launch> one{{Milliseconds(0), {}, ended}};
        return charge(one, billing, kPrice).charged;
      };
      EXPECT_GE(until, now);
      EXPECT_EQ(charged(now), charged(until)) << minute;
      EXPECT_LT(charged(until), charged(until + Milliseconds(1))) << minute;
    }
  }
}

// The demand of the recorded run with scale-ins held until the hour is paid off (requirements C02, 2.1): a
// scale-in marks the newest instance that is not marked, which stops when its own hour is over; a scale-out
// takes the mark off the one marked last before it starts another.
TEST(Billing, In4392WithScaleInHeldToThePaidHour) {
  struct Demand {
    Milliseconds at;
    bool more;
  };
  std::vector<Demand> demand;
  for (const auto& instance : in4392()) {
    for (const Launch& one : instance) {
      if (one.started > Milliseconds(0)) demand.push_back({one.started, true});
      if (one.ended < minutes(160)) demand.push_back({one.ended, false});
    }
  }
  std::sort(demand.begin(), demand.end(), [](const Demand& a, const Demand& b) { return a.at < b.at; });
  ASSERT_EQ(demand.size(), 20u);  // 10 ups and 10 downs

  struct Running {
    Milliseconds started;
    std::optional<Milliseconds> stops;  // marked
  };
  std::vector<Running> running{{Milliseconds(0), {}}};  // in start order
  std::vector<std::size_t> marked;                      // in the order of their marks, by index in `running`
  std::vector<Launch> launches;
  const auto stop_until = [&](Milliseconds now) {
    for (Running& one : running) {
      if (!one.stops || *one.stops > now) continue;
      launches.push_back({one.started, one.started, *one.stops});
      one.stops.reset();
      one.started = Milliseconds(-1);  // gone; its place stays, so that indices hold
    }
    std::erase_if(marked, [&](std::size_t i) { return running[i].started < Milliseconds(0); });
  };
  for (const Demand& wish : demand) {
    stop_until(wish.at);
    if (wish.more) {
      if (marked.empty()) {
        running.push_back({wish.at, {}});
      } else {
        running[marked.back()].stops.reset();
        marked.pop_back();
      }
      continue;
    }
    for (std::size_t i = running.size(); i-- > 0;) {
      if (running[i].started < Milliseconds(0) || running[i].stops) continue;
      running[i].stops = paid_until(running[i].started, wish.at, kHourly);
      marked.push_back(i);
      break;
    }
  }
  const Milliseconds end = minutes(160);
  stop_until(end);
  for (const Running& one : running) {
    if (one.started >= Milliseconds(0)) launches.push_back({one.started, one.started, end});
  }
  // Hours 3 (0..160), 3 (6.68..160), 2 (40.64..160), 1 (54.6..114.6), 1 (99.109..159.109), 1 (136.15..160).
  const Charge made = charge(launches, kHourly, kPrice);
  EXPECT_EQ(made.launches, 6);
  EXPECT_EQ(made.charged_hours(), 11);
  EXPECT_NEAR(made.cost.value(), 0.22, 1e-12);
}

}  // namespace
}  // namespace headroom::fleet
