// The seven stages of the IN4392 report (requirements 2.1) in the simulated cloud, over many seeds: the order
// in which its monitor scaled, stage by stage, and its warnings.
//
// The parameters of the example were fitted to the one recorded run, so this checks that the controller's
// rules follow from each other as they did there, not that the simulation forecasts other runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "sim/instance_rehearsal.hpp"
#include "tests/example_environment.hpp"

namespace headroom::sim {
namespace {

#ifdef NDEBUG
constexpr std::uint64_t kSeeds = 200;
#else
constexpr std::uint64_t kSeeds = 20;  // the sanitizers are slow
#endif

struct Scaled {
  std::vector<std::string> stages;  // "3 2 1": the numbers that were decided on, in order
  std::vector<bool> warned;         // at the maximum, more was wanted
};

Scaled scaled_in(const Rehearsal& made, std::size_t stages) {
  std::vector<std::int32_t> begins;
  for (const EventRecord& event : made.events) {
    if (event.name == "stage_begins") begins.push_back(event.tick);
  }
  Scaled run{std::vector<std::string>(stages), std::vector<bool>(stages)};
  for (const DecisionRecord& decision : made.trajectory.decisions) {
    // A stage that begins within a tick is noted at it; the decision of that tick was made before.
    const auto begun = std::lower_bound(begins.begin(), begins.end(), decision.tick) - begins.begin();
    // After the last stage the monitor goes on for a while: that is counted to it.
    const auto stage = std::min<std::size_t>(static_cast<std::size_t>(std::max<std::ptrdiff_t>(begun - 1, 0)),
                                             run.stages.size() - 1);
    if (wants_more_than_max(decision, 5)) run.warned[stage] = true;
    if (decision.add == 0 && decision.remove == 0) continue;
    if (!run.stages[stage].empty()) run.stages[stage] += ' ';
    run.stages[stage] += std::to_string(decision.desired);
  }
  return run;
}

TEST(In4392, the_stages_scale_in_the_recorded_order_in_most_seeds) {
  const environment::Environment environment = environment::example_environment("in4392");
  const std::vector<std::string> recorded{"2", "3 4", "3 2 1", "2 3 4 5", "4 3", "4 5", "4 3 2 1"};
  std::uint64_t matching = 0;
  std::uint64_t warned = 0;
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto scenario =
        compile_instances(environment, environment.services.front(), *environment.traffic, seed);
    ASSERT_TRUE(scenario);
    const Scaled run = scaled_in(rehearse(*scenario), recorded.size());
    matching += run.stages == recorded ? 1U : 0U;
    warned += run.warned[3] && run.warned[5] ? 1U : 0U;
    std::string text;
    for (const std::string& stage : run.stages) text += stage + " | ";
    ++seen[text];
  }
  std::string all;
  for (const auto& [text, count] : seen) all += std::to_string(count) + " x " + text + "\n";
  EXPECT_GE(matching * 100, kSeeds * 70) << all;
  EXPECT_GE(warned * 100, kSeeds * 70);
  RecordProperty("matching", std::to_string(matching));
}

// M09: instances leave by draining, so that no request is lost, also where users wait long for their answers.
TEST(In4392, scaling_in_loses_no_request) {
  const environment::Environment environment = environment::example_environment("in4392");
  const auto scenario = compile_instances(environment, environment.services.front(), *environment.traffic, 1);
  ASSERT_TRUE(scenario);
  const Rehearsal made = rehearse(*scenario);
  EXPECT_GT(made.summary.scale_ins, 5);
  EXPECT_EQ(made.summary.requests_failed, 0);
}

// M12, M16: after its failed checks the instance that restarts is taken out and kept, not pooled, and another
// serves in its place. Ten users, and an instance that is away for ten minutes.
TEST(In4392, an_instance_that_restarts_under_load_is_taken_out_kept_and_replaced) {
  const environment::Environment environment = environment::example_environment("in4392", "reboot");
  const auto scenario = compile_instances(environment, environment.services.front(), *environment.traffic, 1);
  ASSERT_TRUE(scenario);
  const Rehearsal made = rehearse(*scenario);
  const auto failed = std::find_if(made.events.begin(), made.events.end(),
                                   [](const EventRecord& event) { return event.name == "instance_failed"; });
  ASSERT_NE(failed, made.events.end());
  // Eleven checks, 30 s apart, from the fault on at minute 40: five until the balancer sends it nothing, and
  // three loops of the monitor.
  EXPECT_NEAR(failed->tick, 40 * 60 + 11 * 30, 30);
  EXPECT_EQ(std::count_if(made.events.begin(), made.events.end(),
                          [](const EventRecord& event) { return event.name == "instance_failed"; }),
            1);
  const auto at = static_cast<std::size_t>(failed->tick);
  const ZoneCounts& zone = made.zones.front();
  EXPECT_EQ(zone.failed.back(), 1);
  EXPECT_EQ(zone.stopped[at + 2], zone.stopped[at]);
  // As many as before are there or on their way, one tick after the order has taken hold.
  EXPECT_EQ(zone.in_service[at + 1] + zone.launching[at + 1], zone.in_service[at] + zone.launching[at]);
}

// The load plan that was shipped has 1,000 loops in its last stage, where the report's table says 170 (A03).
TEST(B_A03, the_last_stage_has_the_loops_of_the_table) {
  const environment::Environment environment = environment::example_environment("in4392");
  const auto& stages = std::get<workload::Closed>(environment.traffic->shape).stages;
  ASSERT_EQ(stages.size(), 8U);  // seven, and the pause in which the monitor goes on
  EXPECT_EQ(stages[6].requests_each, 170);
  int all = 0;
  for (const workload::ClosedStage& stage : stages) all += stage.users * stage.requests_each;
  EXPECT_EQ(all, 1000 + 1500 + 500 + 2000 + 1000 + 1500 + 170);
}

}  // namespace
}  // namespace headroom::sim
