// examples/in4392/figure1.csv: the utilisation and the counts of the recorded run, given to the decision
// kernel at their real times (requirements 2.1, M03, M05, M06).
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "base/csv.hpp"
#include "base/timestamp.hpp"
#include "base/units.hpp"
#include "policy/compile.hpp"
#include "policy/kernel.hpp"
#include "sim/lane_model.hpp"
#include "sim/rehearsal.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
using base::One;

struct Sample {
  Milliseconds at{0};
  int number = 0;
  double cpu_percent = 0;
  std::int32_t running = 0;
};

std::vector<Sample> recorded() {
  std::ifstream file(HEADROOM_SOURCE_DIR "/examples/in4392/figure1.csv", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const base::CsvTable table = base::read_csv(text, "figure1.csv");
  EXPECT_TRUE(table.faults.empty());
  std::vector<Sample> samples;
  for (std::size_t i = 1; i < table.rows.size(); ++i) {
    const auto& fields = table.rows[i].fields;
    const auto at = base::parse_timestamp(fields.at(0).text);
    const auto number = base::parse_integer(fields.at(1).text);
    const auto cpu = base::parse_number(fields.at(2).text);
    const auto running = base::parse_integer(fields.at(3).text);
    EXPECT_TRUE(at && number && cpu && running) << "row " << i;
    if (!at || !number || !cpu || !running) continue;
    samples.push_back({at->at, static_cast<int>(*number), *cpu, static_cast<std::int32_t>(*running)});
  }
  return samples;
}

// The policy of the run (M03, M05): strictly above 90 % one more, strictly below 40 % one fewer, one to five
// instances, and at least 180 s between two decisions.
policy::Scaling in4392_scaling() {
  policy::StepPolicy step;
  step.every = Milliseconds(1);
  step.out = {{.threshold = 90, .change = 1}};
  step.in = {{.threshold = 40, .change = 1}};
  step.cooldown_out = step.cooldown_in = Milliseconds(180'000);
  policy::Scaling scaling;
  scaling.initial = 1;
  scaling.limits.min = 1;
  scaling.limits.max = 5;
  scaling.policies = {step};
  return scaling;
}

// The samples come every 56 to 71 seconds, so no grid of minutes holds them: a tick is a millisecond, and the
// kernel is told of the ticks between two samples that it was not asked then, as a monitor that sleeps.
std::vector<DecisionRecord> replay(const std::vector<Sample>& samples, const policy::Scaling& scaling) {
  const auto compiled = policy::compile(scaling, Milliseconds(1), Milliseconds(1), Milliseconds(0));
  EXPECT_TRUE(compiled);
  std::vector<DecisionRecord> records;
  policy::State<One> state = policy::initial_state();
  std::int32_t next = 0;
  for (const Sample& sample : samples) {
    const auto tick = static_cast<std::int32_t>((sample.at - samples.front().at).count());
    policy::skip(next, tick, false, compiled->shape, state);
    policy::Observation<One> seen{};
    seen.value[0] = static_cast<float>(sample.cpu_percent);
    seen.missing[1] = true;
    seen.fresh = true;
    seen.in_service = sample.running;
    const auto decision = policy::decide({.tick = tick}, seen, compiled->shape, compiled->numbers, state);
    if (auto record = record_of(tick, seen, decision)) records.push_back(*record);
    next = tick + 1;
  }
  return records;
}

TEST(In4392Replay, DecidesDownAtExactlyTheSamplesOfTheRun) {
  const std::vector<Sample> samples = recorded();
  ASSERT_EQ(samples.size(), 160u);
  const auto decisions = replay(samples, in4392_scaling());
  ASSERT_EQ(decisions.size(), samples.size());
  std::vector<int> down;
  std::optional<std::int32_t> last;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    if (decisions[i].remove > 0) {
      EXPECT_EQ(decisions[i].remove, 1);
      down.push_back(samples[i].number);
    }
    if (decisions[i].add > 0 || decisions[i].remove > 0) {
      if (last) {
        EXPECT_GE(decisions[i].tick - *last, 180'000) << "M05, sample " << samples[i].number;
      }
      last = decisions[i].tick;
    }
  }
  // Requirements 2.1. In the run each took effect at the next sample: the recorded counts fall at 60, 64, 68,
  // 78, 109, 112, 150, 153, 156 and 159.
  EXPECT_EQ(down, (std::vector<int>{59, 63, 67, 77, 108, 111, 149, 152, 155, 158}));
}

TEST(In4392Replay, WarnsOncePerSampleAtTheMaximum) {
  // M06: five instances and still above 90 %, cooldown or not: samples 101 to 104 and 138 to 145.
  const std::vector<Sample> samples = recorded();
  const auto decisions = replay(samples, in4392_scaling());
  ASSERT_EQ(decisions.size(), samples.size());
  std::vector<int> warned;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    if (wants_more_than_max(decisions[i], 5)) warned.push_back(samples[i].number);
  }
  EXPECT_EQ(warned, (std::vector<int>{101, 102, 103, 104, 138, 139, 140, 141, 142, 143, 144, 145}));
}

TEST(In4392Replay, AtTheMinimumNothingIsRemovedAndNothingWarns) {
  // M06: the run begins with two samples of 0.35 % and one instance.
  const auto decisions = replay(recorded(), in4392_scaling());
  ASSERT_GE(decisions.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(decisions[i].reasons.has(policy::Reason::below_threshold));
    EXPECT_TRUE(decisions[i].reasons.has(policy::Reason::at_min));
    EXPECT_EQ(decisions[i].remove, 0);
    EXPECT_FALSE(wants_more_than_max(decisions[i], 1));
  }
}

}  // namespace
}  // namespace headroom::sim
