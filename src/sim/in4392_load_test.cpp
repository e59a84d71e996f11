// The load of the IN4392 report (requirements 2.1) on burstable instances, against what it recorded.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sim/serving.hpp"

namespace headroom::sim {
namespace {

using base::Cores;
using base::Milliseconds;
using workload::ClosedStage;

constexpr double kSecondsPerSample = 58.8;  // of the recorded trace, on average
constexpr double kInServiceSeconds = 75;    // from the report of an instance to its first request

// One second of ramp-up for each user, as the load plans have it.
ClosedStage stage_of(int users, int requests_each, int think_ms) {
  ClosedStage stage;
  stage.users = users;
  stage.requests_each = requests_each;
  stage.think = Milliseconds(think_ms);
  stage.think_distribution = workload::Think::uniform;
  stage.ramp_up = Milliseconds(1000 * users);
  return stage;
}

ServingSettings settings_of(const ClosedStage& stage, std::uint64_t seed) {
  ServingSettings settings;
  settings.capacity.slope_percent_per_rps = 36;  // 0.36 s of one core for a request
  settings.credits = environment::Credits{Cores(0.165), Milliseconds(3000), Milliseconds(3000), true};
  settings.traffic = workload::Closed{{stage}, true};
  settings.tick = Milliseconds(1000);
  settings.seed = seed;
  return settings;
}

struct Measured {
  double minutes = 0;
  double requests_per_second = 0;
  double cpu_percent = 0;  // mean over minutes of the mean over instances
};

// `count(second)`: instances that receive requests then.
template <class Count>
Measured measure(const ServingSettings& settings, Count count) {
  Serving serving(settings);
  double answered = 0;
  double of_minutes = 0;
  int minutes = 0;
  std::vector<float> sums;
  for (int second = 0;; ++second) {
    std::vector<Server> servers;
    for (int id = 0; id < count(second); ++id) servers.push_back({id});
    const ServedTick tick = serving.tick(servers);
    answered += tick.served_per_second;
    sums.resize(servers.size());
    for (std::size_t i = 0; i < servers.size(); ++i) sums[i] += tick.servers[i].cpu_percent;
    if (second % 60 == 59) {
      for (const float sum : sums) of_minutes += metered(sum / 60) / static_cast<double>(sums.size());
      ++minutes;
      std::fill(sums.begin(), sums.end(), 0.0f);
    }
    if (tick.over) return {(second + 1) / 60.0, answered / (second + 1), of_minutes / minutes};
  }
}

// An instance out of credit answers 0.165 / 0.36 = 0.458 rps. Ten users with 2,000 requests of 0.36
// core-seconds and 3 core-seconds of credit keep it there for (720 - 3) / 0.165 = 4,345 s: 0.4603 rps over
// the whole.
TEST(In4392Load, AnInstanceOutOfCreditAnswersBaselineOverWork) {
  const Measured measured = measure(settings_of(stage_of(10, 200, 2000), 1), [](int) { return 1; });
  EXPECT_NEAR(measured.minutes, 4345 / 60.0, 0.1);
  EXPECT_NEAR(measured.requests_per_second, 0.4603, 0.0005);
  EXPECT_NEAR(measured.cpu_percent, 100, 1e-3);
}

// Stage 1 of Table I (2 users, 500 requests each) asks one instance for more than its baseline: it takes at
// least (360 - 3) / 0.165 = 2,164 s = 36.1 min. The recorded 31.1 min (0.535 rps) are possible because a
// second instance came in after 7 minutes. With two from the start the users, not the instances, set the
// pace: each request takes 2.5 s of thought and 0.36 s or a little more, 500 * 2.86 s = 23.8 min.
TEST(In4392Load, StageOneTakesOneInstance36MinutesAndTwo24) {
  const Measured one = measure(settings_of(stage_of(2, 500, 5000), 1), [](int) { return 1; });
  EXPECT_GT(one.minutes, 36.06);
  EXPECT_LT(one.minutes, 36.7);
  EXPECT_NEAR(one.cpu_percent, 99, 1);
  const Measured two = measure(settings_of(stage_of(2, 500, 5000), 1), [](int) { return 2; });
  EXPECT_GT(two.minutes, 23);
  EXPECT_LT(two.minutes, 25);
  EXPECT_NEAR(two.cpu_percent, 75, 2);  // 0.69 rps * 0.36 / (2 * 0.165)
}

// The stages at the recorded numbers of instances, means of 20 seeds, against the recorded figures of each
// stage. The cpu is not compared: the recorded one is a mean over the three minutes before, so that a stage
// begins with that of the one before. The bounds are regression values: durations come out within 15 %,
// requests per second within 17 %, which is what a model of two parameters fitted to the order of events
// explains.
TEST(In4392Load, TheStagesAtTheRecordedCountsTakeAboutAsLongAsRecorded) {
  struct Stage {
    ClosedStage traffic;
    int first_sample;
    double minutes;
    double requests_per_second;
  };
  const std::array<Stage, 7> stages{{{stage_of(2, 500, 5000), 1, 31.1, 0.535},
                                     {stage_of(5, 300, 3000), 34, 20.4, 1.228},
                                     {stage_of(1, 500, 5000), 55, 24.2, 0.345},
                                     {stage_of(10, 200, 2000), 80, 22.6, 1.473},
                                     {stage_of(2, 500, 5000), 103, 25.8, 0.646},
                                     {stage_of(10, 150, 2000), 129, 16.3, 1.537},
                                     {stage_of(1, 170, 10000), 145, 15.3, 0.185}}};
  struct Change {
    int sample;
    int running;
  };
  const std::vector<Change> changes{{1, 1},   {8, 2},   {41, 3},  {56, 4},  {60, 3},  {64, 2},  {68, 1},
                                    {73, 2},  {78, 1},  {84, 2},  {90, 3},  {93, 4},  {101, 5}, {109, 4},
                                    {112, 3}, {134, 4}, {138, 5}, {150, 4}, {153, 3}, {156, 2}, {159, 1}};
  for (const Stage& stage : stages) {
    const auto count = [&](int second) {
      int running = 1;
      for (const Change& change : changes) {
        const double at = (change.sample - stage.first_sample) * kSecondsPerSample;
        const bool comes = change.running > running && at > 0;
        if (second >= at + (comes ? kInServiceSeconds : 0)) running = change.running;
      }
      return running;
    };
    constexpr int kSeeds = 20;
    Measured mean;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      const Measured measured = measure(settings_of(stage.traffic, seed), count);
      mean.minutes += measured.minutes / kSeeds;
      mean.requests_per_second += measured.requests_per_second / kSeeds;
    }
    EXPECT_NEAR(mean.minutes / stage.minutes, 1, 0.15) << "stage from sample " << stage.first_sample;
    EXPECT_NEAR(mean.requests_per_second / stage.requests_per_second, 1, 0.18)
        << "stage from sample " << stage.first_sample;
  }
}

}  // namespace
}  // namespace headroom::sim
