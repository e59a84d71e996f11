#include "sim/rehearsal.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace headroom::sim {
namespace {

using base::Milliseconds;

constexpr Milliseconds kMinute{60'000};
constexpr fleet::Billing kHourly{.model = fleet::BillingModel::hourly};
constexpr base::UsdPerHour kPrice(0.02);

TEST(Rehearsal, AnInstanceRecordIsWhatItsLaunchesCost) {
  // 70 and 5 minutes: 2 + 1 charged hours at $0.02.
  const std::vector<fleet::Launch> launches{{Milliseconds(0), kMinute, 70 * kMinute},
                                            {100 * kMinute, 101 * kMinute, 105 * kMinute}};
  const InstanceRecord record = instance_record("i-1", "a", launches, kHourly, kPrice);
  EXPECT_EQ(record, (InstanceRecord{"i-1", "a", 2, 75, 3, 3 * 0.02}));
}

TEST(Rehearsal, TheStatesShareWhatInstancesCost) {
  const std::vector<InstanceRecord> instances{{"i-1", "a", 2, 75, 3, 0.06}, {"i-2", "b", 1, 45, 1, 0.02}};
  Summary summary;
  summary.instance_hours = 1.5;
  summary.launching_hours = 0.4;
  summary.draining_hours = 0.1;
  add_charges(instances, kHourly, summary);
  EXPECT_EQ(summary.launches, 3);
  EXPECT_EQ(summary.charged_hours, 4);
  // $0.08 over 2 hours is $0.04 an hour of any state.
  EXPECT_NEAR(summary.cost_in_service_usd, 0.06, 1e-12);
  EXPECT_NEAR(summary.cost_launching_usd, 0.016, 1e-12);
  EXPECT_NEAR(summary.cost_draining_usd, 0.004, 1e-12);
  EXPECT_NEAR(summary.cost_usd, 0.08, 1e-12);

  // Charged from in service on, $0.08 over 1.6 hours is $0.05 an hour; the way there is free.
  fleet::Billing from_in_service = kHourly;
  from_in_service.from_in_service = true;
  add_charges(instances, from_in_service, summary);
  EXPECT_NEAR(summary.cost_in_service_usd, 0.075, 1e-12);
  EXPECT_EQ(summary.cost_launching_usd, 0);
  EXPECT_NEAR(summary.cost_draining_usd, 0.005, 1e-12);

  // A launch that ended within its tick has no hours by state and costs all the same.
  Summary none;
  add_charges(instances, kHourly, none);
  EXPECT_NEAR(none.cost_usd, 0.08, 1e-12);
}

TEST(Rehearsal, ItWarnsWhereTheLoadAsksForMoreThanMax) {
  DecisionRecord decision;
  decision.in_service = 4;
  decision.launching = 1;
  decision.reasons.bits = static_cast<std::uint32_t>(policy::Reason::above_threshold) |
                          static_cast<std::uint32_t>(policy::Reason::cooldown);
  EXPECT_TRUE(wants_more_than_max(decision, 5));   // held back or not
  EXPECT_FALSE(wants_more_than_max(decision, 6));  // there is room
  decision.reasons.bits = static_cast<std::uint32_t>(policy::Reason::within_band);
  EXPECT_FALSE(wants_more_than_max(decision, 5));
}

}  // namespace
}  // namespace headroom::sim
