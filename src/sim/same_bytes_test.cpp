// Commit, seed and input determine the output: whole rehearsals of the examples give the checksums stated
// here, in debug and release, on any processor and with any instruction set.
//
// What is summed are the bits of every number that a rehearsal gives; text is made of them by a library that
// writes each double in one way. A change of what is counted or drawn changes a checksum: then state the new
// one, which the failure prints, and say in the commit why it moved.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <bit>
#include <fstream>
#include <sstream>

#include "environment/read.hpp"
#include "sim/scenario.hpp"
#include "workload/compile.hpp"

namespace headroom::sim {
namespace {

// FNV-1a over the bytes, lowest first.
class Checksum {
 public:
  void add(std::uint64_t bits, int bytes = 8) {
    for (int i = 0; i < bytes; ++i) {
      hash_ ^= (bits >> (8 * i)) & 0xFFU;
      hash_ *= 0x100000001B3ULL;
    }
  }
  void add(std::int32_t value) { add(static_cast<std::uint32_t>(value), 4); }
  void add(std::int64_t value) { add(static_cast<std::uint64_t>(value), 8); }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value), 8); }
  void add(float value) { add(std::bit_cast<std::uint32_t>(value), 4); }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

std::uint64_t checksum(const telemetry::Series& traffic) {
  Checksum sum;
  for (const double value : traffic.values) sum.add(value);
  return sum.value();
}

std::uint64_t checksum(const Trajectory& trajectory) {
  Checksum sum;
  for (std::size_t t = 0; t < trajectory.in_service.size(); ++t) {
    sum.add(trajectory.in_service[t]);
    sum.add(trajectory.launching[t]);
    sum.add(trajectory.draining[t]);
  }
  for (const DecisionRecord& d : trajectory.decisions) {
    sum.add(d.tick);
    for (const float seen : {d.cpu_percent_seen, d.requests_per_second_per_instance_seen}) sum.add(seen);
    for (const std::int32_t count : {d.in_service, d.launching, d.recommended, d.after_step, d.after_rate,
                                     d.desired, d.add, d.remove, d.policy}) {
      sum.add(count);
    }
    sum.add(d.reasons.bits, 4);
  }
  return sum.value();
}

std::uint64_t checksum(const Rehearsal& rehearsal) {
  Checksum sum;
  for (const double cpu : rehearsal.cpu_percent) sum.add(cpu);
  const Summary& s = rehearsal.summary;
  for (const double figure :
       {s.cpu_percent_mean, s.cpu_percent_max, s.instances_mean, s.instance_hours, s.launching_hours,
        s.draining_hours, s.cost_in_service_usd, s.cost_launching_usd, s.cost_draining_usd, s.cost_usd,
        s.objective_violation_minutes, s.objective_violation_percent, s.minutes_at_max, s.minutes_at_min,
        s.p95_ms_max}) {
    sum.add(figure);
  }
  for (const std::int32_t count : {s.instances_max, s.scale_outs, s.scale_ins}) sum.add(count);
  return sum.value();
}

std::uint64_t checksum(const std::vector<Tally>& tallies) {
  Checksum sum;
  for (const Tally& tally : tallies) {
    for (const std::int64_t count :
         {tally.in_service_ticks, tally.launching_ticks, tally.draining_ticks, tally.violations_low,
          tally.violations_high, tally.scale_outs, tally.scale_ins, tally.ticks_at_max, tally.ticks_at_min}) {
      sum.add(count);
    }
    sum.add(tally.instances_max);
    sum.add(tally.cpu_percent_max);
    sum.add(tally.cpu_percent_sum);
  }
  return sum.value();
}

base::Result<std::string> text_of(const std::string& path) {
  std::ifstream stream(std::string(HEADROOM_SOURCE_DIR) + "/" + path, std::ios::binary);
  if (!stream) return base::bad_input("there is no file " + path);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

environment::Environment example(const std::string& name) {
  const std::string file = "examples/" + name + "/headroom.yaml";
  const auto loaded = environment::read(*text_of(file), file, text_of);
  EXPECT_TRUE(loaded) << base::to_string(loaded.error());
  return loaded->environment;
}

struct Sums {
  std::uint64_t traffic = 0;
  std::uint64_t trajectory = 0;  // with every decision
  std::uint64_t figures = 0;     // utilisation per tick and the summary
};

void expect_sums(const std::string& name, const Sums& expected) {
  const environment::Environment environment = example(name);
  const auto scenario = compile(environment, environment.services.front());
  ASSERT_TRUE(scenario) << base::to_string(scenario.error());
  const auto traffic = workload::compile(*environment.traffic, scenario->tick, environment.seed);
  ASSERT_TRUE(traffic) << base::to_string(traffic.error());
  const Rehearsal rehearsal = rehearse(*scenario, *traffic, environment.seed);
  const auto same = [&](const char* what, std::uint64_t found, std::uint64_t stated) {
    EXPECT_EQ(found, stated) << std::hex << what << " of examples/" << name << ", seed " << std::dec
                             << environment.seed << std::hex << ": 0x" << found << " here, 0x" << stated
                             << " stated";
  };
  same("traffic", checksum(traffic->requests_per_second), expected.traffic);
  same("trajectory", checksum(rehearsal.trajectory), expected.trajectory);
  same("figures", checksum(rehearsal), expected.figures);
}

TEST(SameBytes, conf42_gives_the_stated_checksums) {
  expect_sums("conf42", {0x4e22ebb896ad336a, 0x6a33d33fe2696589, 0x93dcfca1450c3b1e});
}

// Thirty weeks with arrivals drawn around a city's demand: a hundred thousand draws and decisions.
TEST(SameBytes, shop_gives_the_stated_checksums) {
  expect_sums("shop", {0x163fef10930593da, 0xd8a13851448c3bd0, 0xca5c0eddbe9bd88b});
}

TEST(SameBytes, many_lanes_of_the_shop_give_the_stated_tallies_on_every_instruction_set) {
  const environment::Environment environment = example("shop");
  const auto scenario = compile(environment, environment.services.front());
  ASSERT_TRUE(scenario) << base::to_string(scenario.error());
  const auto traffic = workload::compile(*environment.traffic, scenario->tick, environment.seed);
  ASSERT_TRUE(traffic) << base::to_string(traffic.error());
  // Two weeks of 19 policies: more than one vector of any width, and the last one not full.
  std::vector<float> rates = lane_rates(traffic->requests_per_second);
  rates.resize(std::size_t{14} * 1440);
  const LaneTraffic lanes{traffic->requests_per_second.start.count(), scenario->tick.count(), rates};
  std::vector<policy::Numbers<base::One>> numbers(19, scenario->numbers);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i].policy[0].out_threshold[0] = 45.0f + 1.5f * static_cast<float>(i);
    numbers[i].policy[0].out_change[0] = 1 + static_cast<std::int32_t>(i % 3);
  }
  std::vector<Tally> one_by_one;
  for (const auto& each : numbers) one_by_one.push_back(tally_one_lane(scenario->lanes, each, lanes));
  constexpr std::uint64_t kStated = 0x49c1f25895448aa2;
  const auto said = [&](const char* how, std::uint64_t found) {
    std::ostringstream text;
    text << how << ", seed " << environment.seed << std::hex << ": 0x" << found << " here, 0x" << kStated
         << " stated";
    return text.str();
  };
  EXPECT_EQ(checksum(one_by_one), kStated) << said("one lane", checksum(one_by_one));
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    std::vector<Tally> tallies(numbers.size());
    run_many_lanes(scenario->lanes, numbers, lanes, tallies);
    hwy::SetSupportedTargetsForTest(0);
    EXPECT_EQ(checksum(tallies), kStated) << said(hwy::TargetName(target), checksum(tallies));
  }
}

}  // namespace
}  // namespace headroom::sim
