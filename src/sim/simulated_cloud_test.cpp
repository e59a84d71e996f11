#include "sim/simulated_cloud.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <deque>
#include <memory>
#include <utility>

#include "control/step.hpp"
#include "control/tear_down.hpp"
#include "policy/compile.hpp"
#include "tests/cloud_conformance.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using cloud::InstanceState;

constexpr Milliseconds kMinute{60'000};
constexpr Milliseconds minutes(std::int64_t n) { return kMinute * n; }

// 1 % per request a second; three minutes of 100, then of 60 requests per second.
SimulatedSettings settings() {
  SimulatedSettings made;
  made.service = "web";
  made.zones = {"a", "b"};
  made.initial = 2;
  made.startup = minutes(2);
  made.serving.capacity.slope_percent_per_rps = 1;
  made.serving.traffic = base::Series{minutes(0), kMinute, {100, 100, 100, 60, 60, 60}};
  return made;
}

cloud::CloudUnderTest under_test(const SimulatedSettings& with, const std::string& zone) {
  auto simulated = std::make_unique<SimulatedCloud>(with);
  auto* cloud = simulated.get();
  auto now = std::make_shared<Milliseconds>(0);
  cloud::CloudUnderTest made{std::move(simulated), "web", "v1", zone,
                             [cloud, now] { cloud->advance(*now += Milliseconds(20'000)); }};
  made.skip_time = [cloud, now](Milliseconds time) { cloud->advance(*now += time); };
  made.room = with.room;
  return made;
}

cloud::CloudUnderTest simulated_cloud() {
  SimulatedSettings with = settings();
  with.room = 6;
  return under_test(with, "a");
}

// Three zones, little room, a balancer that takes its time, calls that hang for a while, and lists that are
// late.
cloud::CloudUnderTest troubled_cloud() {
  SimulatedSettings with = settings();
  with.zones = {"a", "b", "c"};
  with.room = 8;
  with.in_service_delay = minutes(1);
  with.metric_lag = minutes(1);
  environment::Drill hang;
  hang.kind = environment::DrillKind::calls_hang;
  hang.duration = minutes(3);
  environment::Drill late;
  late.kind = environment::DrillKind::calls_late;
  late.by = minutes(2);
  late.duration = minutes(1'000);
  with.faults = {hang, late};
  return under_test(with, "c");
}

}  // namespace
}  // namespace headroom::sim

namespace headroom::cloud {
INSTANTIATE_TEST_SUITE_P(Simulated, CloudConformance,
                         testing::Values(&sim::simulated_cloud, &sim::troubled_cloud));
}  // namespace headroom::cloud

namespace headroom::sim {
namespace {

cloud::Action launch(const std::string& token, int count) {
  return {token, cloud::Launch{"web", "v1", "a", count}, ""};
}

// Ordered within minute 0 it takes hold when that ends: launching from minute 1, in service from minute 3.
TEST(SimulatedCloud, an_order_takes_hold_when_the_tick_ends_and_serves_after_the_start_up_time) {
  SimulatedCloud cloud(settings());
  cloud.advance(Milliseconds(59'999));
  cloud.submit(launch("t", 3));
  EXPECT_EQ(cloud.count(InstanceState::launching), 0);
  cloud.advance(minutes(1));
  EXPECT_EQ(cloud.count(InstanceState::launching), 3);
  cloud.advance(minutes(3) - Milliseconds(1));
  EXPECT_EQ(cloud.count(InstanceState::in_service), 2);
  cloud.advance(minutes(3));
  EXPECT_EQ(cloud.count(InstanceState::in_service), 5);
  EXPECT_EQ(cloud.observe().instances[2].since, minutes(3));
  EXPECT_EQ(cloud.observe().instances[2].started, minutes(1));
}

TEST(SimulatedCloud, a_retired_instance_serves_until_the_tick_ends_and_drains_its_time) {
  SimulatedCloud cloud(settings());
  cloud.submit({"t", cloud::Retire{"i-00000002", minutes(2), cloud::Afterwards::gone}, ""});
  EXPECT_EQ(cloud.count(InstanceState::in_service), 2);
  cloud.advance(minutes(1));
  EXPECT_EQ(cloud.count(InstanceState::in_service), 1);
  EXPECT_EQ(cloud.count(InstanceState::draining), 1);
  cloud.advance(minutes(3) - Milliseconds(1));
  EXPECT_EQ(cloud.count(InstanceState::draining), 1);
  cloud.advance(minutes(3));
  EXPECT_EQ(cloud.count(InstanceState::draining), 0);
  EXPECT_EQ(cloud.observe().instances.size(), 1U);
}

std::optional<double> cpu(const cloud::Observed& observed, std::size_t instance) {
  const auto& metrics = observed.instances.at(instance).metrics;
  return metrics && metrics->cpu ? std::optional(metrics->cpu->value()) : std::nullopt;
}

// 100 requests per second over 2 instances are 50 % each. A period of 2 minutes and a lag of 1: the first
// sample, of minutes 0 and 1, is seen from minute 3 on.
TEST(SimulatedCloud, metrics_cover_whole_periods_and_are_seen_after_their_lag) {
  SimulatedSettings with = settings();
  with.metric_period = minutes(2);
  with.metric_lag = minutes(1);
  SimulatedCloud cloud(with);
  cloud.advance(minutes(3) - Milliseconds(1));
  EXPECT_EQ(cpu(cloud.observe(), 0), std::nullopt);
  cloud.advance(minutes(3));
  EXPECT_EQ(cpu(cloud.observe(), 0), 50.0);
  EXPECT_EQ(cloud.observe().instances[0].metrics->end, minutes(2));
  EXPECT_EQ(cloud.observe().instances[0].metrics->requests->value(), 50.0);
  // Minutes 2 and 3: 100 and 60 over 2 instances, (50 + 30) / 2.
  cloud.advance(minutes(5));
  EXPECT_EQ(cpu(cloud.observe(), 0), 40.0);
}

TEST(SimulatedCloud, an_instance_has_no_metrics_of_a_period_that_it_served_in_part) {
  SimulatedSettings with = settings();
  with.startup = minutes(0);
  with.metric_period = minutes(2);
  SimulatedCloud cloud(with);
  cloud.submit(launch("t", 2));  // serve from minute 1 on
  cloud.advance(minutes(2));
  // 50 % in minute 0 over two, 25 % in minute 1 over four.
  EXPECT_EQ(cpu(cloud.observe(), 0), 37.5);
  EXPECT_EQ(cpu(cloud.observe(), 2), std::nullopt);
  cloud.advance(minutes(4));
  EXPECT_EQ(cpu(cloud.observe(), 2), 20.0);  // (25 + 15) / 2
}

TEST(SimulatedCloud, a_meter_shows_no_more_than_all) {
  SimulatedSettings with = settings();
  with.serving.capacity.slope_percent_per_rps = 3;  // 150 % are asked for
  SimulatedCloud cloud(with);
  cloud.advance(minutes(1));
  EXPECT_EQ(cpu(cloud.observe(), 0), 100.0);
}

TEST(SimulatedCloud, a_launch_beyond_its_room_fails_for_now_after_what_fits) {
  SimulatedSettings with = settings();
  with.room = 4;
  SimulatedCloud cloud(with);
  cloud.submit(launch("t", 5));
  cloud.advance(minutes(1));
  const cloud::Observed observed = cloud.observe();
  ASSERT_EQ(observed.tickets.size(), 1U);
  EXPECT_EQ(observed.tickets[0].state, cloud::TicketState::failed);
  EXPECT_EQ(observed.tickets[0].affected, 2);
  EXPECT_TRUE(observed.tickets[0].retriable);
  EXPECT_EQ(observed.instances.size(), 4U);
}

TEST(SimulatedCloud, finished_tickets_are_listed_for_an_hour_at_least_and_not_for_ever) {
  SimulatedCloud cloud(settings());
  cloud.submit(launch("t", 1));
  cloud.advance(minutes(61));
  EXPECT_EQ(cloud.observe().tickets.size(), 1U);
  cloud.advance(minutes(60 * 24));
  EXPECT_TRUE(cloud.observe().tickets.empty());
  cloud.submit(launch("t", 1));
  cloud.advance(minutes(60 * 25));
  EXPECT_EQ(cloud.observe().instances.size(), 3U) << "a forgotten token still has no further effect";
}

// ---- everything goes

// The original looked for running instances only: those in its pool stayed, and went on costing (E09).
TEST(B_E09, nothing_is_left_of_a_service_that_is_taken_down) {
  SimulatedCloud cloud(settings());
  control::Settings with;
  with.service = "web";
  with.token_prefix = "test-web";
  cloud.submit(launch("t", 3));
  cloud.advance(minutes(4));
  cloud.submit({"p", cloud::Retire{"i-00000003", minutes(0), cloud::Afterwards::pool}, ""});
  cloud.submit({"f", cloud::Retire{"i-00000004", minutes(0), cloud::Afterwards::inspect}, ""});
  cloud.submit(launch("u", 1));
  cloud.advance(minutes(5));
  EXPECT_EQ(cloud.count(InstanceState::in_service), 3);
  EXPECT_EQ(cloud.count(InstanceState::stopped), 1);
  EXPECT_EQ(cloud.count(InstanceState::failed), 1);
  EXPECT_EQ(cloud.count(InstanceState::launching), 1);
  const auto actions = control::tear_down(minutes(5), cloud.observe(), with);
  EXPECT_EQ(actions.size(), 6U);  // the exact number
  for (const cloud::Action& action : actions) {
    EXPECT_TRUE(cloud::action_faults(action).empty());
    cloud.submit(action);
  }
  cloud.advance(minutes(6));
  EXPECT_TRUE(cloud.observe().instances.empty());
  EXPECT_TRUE(control::tear_down(minutes(6), cloud.observe(), with).empty());
}

// ---- the controller in a cloud that shows things late

// Shows what was there some looks ago: a list of instances and tickets that the cloud is slow to update.
class LateCloud final : public cloud::Cloud {
 public:
  LateCloud(SimulatedCloud& cloud, std::size_t late) : cloud_(cloud), late_(late) {}

  cloud::Observed observe() override {
    past_.push_back(cloud_.observe());
    if (past_.size() > late_ + 1) past_.pop_front();
    cloud::Observed shown = past_.front();
    shown.at = past_.back().at;
    return shown;
  }
  cloud::Ticket submit(const cloud::Action& action) override { return cloud_.submit(action); }

 private:
  SimulatedCloud& cloud_;
  std::size_t late_;
  std::deque<cloud::Observed> past_;
};

control::Settings controller(const SimulatedSettings& cloud, const policy::Scaling& scaling) {
  control::Settings made;
  made.service = "web";
  made.version = "v1";
  made.zones = cloud.zones;
  made.token_prefix = "test-web";
  made.policy = policy::compile(scaling, kMinute, kMinute, Milliseconds(0)).value();
  made.max_age = minutes(20);
  return made;
}

// Called every 30 seconds, on what was true up to 10 minutes ago, with too little room at times: never more
// than max, never fewer than min, and in the end, with steady traffic, what was wanted is there.
TEST(SimulatedCloud, the_controller_neither_launches_twice_nor_removes_twice_on_what_it_sees_late) {
  int late_runs = 0;
  int launches = 0;
  int removals = 0;
  int placed_anew = 0;
  EXPECT_TRUE(rc::check("limits hold in truth, not only in what is seen", [&] {
    const auto between = [](int low, int high) {
      return *rc::gen::resize(100, rc::gen::inRange(low, high + 1));
    };
    policy::StepPolicy step;
    step.out = {{60, false, between(1, 5)}};
    step.in = {{25, false, between(1, 3)}};
    policy::Scaling scaling;
    scaling.limits.min = between(1, 3);
    scaling.limits.max = scaling.limits.min + between(0, 12);
    scaling.initial = between(scaling.limits.min, scaling.limits.max);
    scaling.policies = {step};
    SimulatedSettings with = settings();
    with.initial = scaling.initial;
    with.startup = minutes(between(0, 5));
    if (between(1, 2) == 1) with.room = scaling.limits.max - between(0, 2);
    auto& traffic = std::get<base::Series>(with.serving.traffic);
    for (int k = 0; k < 6; ++k) {
      traffic.values.insert(traffic.values.end(), static_cast<std::size_t>(between(5, 25)),
                            50.0 * between(0, 16));
    }
    const auto late = static_cast<std::size_t>(between(0, 20));
    SimulatedCloud cloud(with);
    LateCloud seen(cloud, late);
    const control::Settings settings = controller(with, scaling);
    control::State state;
    const Milliseconds end = traffic.duration() + minutes(100);
    for (Milliseconds now{0}; now < end; now += Milliseconds(30'000)) {
      cloud.advance(now);
      const int serving = cloud.count(InstanceState::in_service);
      RC_ASSERT(serving >= scaling.limits.min);
      RC_ASSERT(serving + cloud.count(InstanceState::launching) <= scaling.limits.max);
      control::Step next = control::step(now, seen.observe(), std::move(state), settings);
      for (const cloud::Action& action : next.actions) {
        RC_ASSERT(cloud::action_faults(action).empty());
        seen.submit(action);
        launches += std::holds_alternative<cloud::Launch>(action.what) ? 1 : 0;
        removals += std::holds_alternative<cloud::Retire>(action.what) ? 1 : 0;
      }
      for (const control::Note& note : next.notes)
        placed_anew += note.happened == control::Happened::ordered_anew;
      state = std::move(next.state);
    }
    // Without traffic: min, with nothing on its way. The time allows for a launch that fails three times,
    // each seen 10 minutes late (33), for its instance to come, be seen and be removed again (26), for one
    // removal a minute (13), and for the last to be seen (10).
    RC_ASSERT(cloud.count(InstanceState::in_service) == scaling.limits.min);
    RC_ASSERT(cloud.count(InstanceState::launching) == 0);
    RC_ASSERT(state.orders.empty());
    late_runs += late > 0 ? 1 : 0;
  }));
  EXPECT_GT(late_runs, 50);
  EXPECT_GT(launches, 100);
  EXPECT_GT(removals, 100);
  EXPECT_GT(placed_anew, 10);
}

}  // namespace
}  // namespace headroom::sim
