// How many policy-minutes a second: one lane, many lanes, all cores, and the same model as a loop in Python.
//
// All on examples/shop: its policy, its traffic, the eight weeks to tune on, ticks of a minute. A
// policy-minute is one tick of one policy on one replication. The Python loop (policy_loop.py) gets the same
// rates and must come to the same instance-minutes, or the benchmark fails; within one in a thousand, for
// Python computes in double, so a utilisation next to a threshold can fall on its other side.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "environment/read.hpp"
#include "sim/scenario.hpp"
#include "tune/search.hpp"
#include "tune/tune.hpp"

namespace {

using namespace headroom;

base::Result<std::string> read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return base::bad_input(path + ": cannot be read");
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

template <class T>
T must(base::Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", base::to_string(result.error()).c_str());
  std::exit(1);
}

struct Shop {
  environment::Environment environment;
  sim::Scenario scenario;
  tune::Load load;  // the eight weeks to tune on, five replications

  sim::LaneTraffic traffic(std::size_t replica) const {
    const auto& series = load.replicas[replica].requests_per_second;
    return {series.start.count(), series.tick.count(), load.replicas[replica].rates};
  }
};

const Shop& shop() {
  static const Shop instance = [] {
    const std::string file = HEADROOM_SOURCE_DIR "/examples/shop/headroom.yaml";
    Shop made;
    made.environment = must(environment::read(must(read_file(file)), file, read_file)).environment;
    const environment::Service& service = made.environment.services.front();
    made.scenario = must(sim::compile(made.environment, service));
    const auto whole = must(tune::make_load("traffic", *made.environment.traffic, made.scenario.tick, 1, 5));
    made.load = tune::part(whole, "train", 0, *made.environment.tune.train / made.scenario.tick);
    return made;
  }();
  return instance;
}

// `count` policies around that of the file.
std::vector<sim::Scenario> policies(int count) {
  std::vector<sim::Scenario> scenarios(static_cast<std::size_t>(count), shop().scenario);
  for (int i = 0; i < count; ++i) {
    auto& numbers = scenarios[static_cast<std::size_t>(i)].numbers.policy[0];
    numbers.out_threshold[0] = static_cast<float>(45 + i % 20);
    numbers.in_threshold[0] = static_cast<float>(20 + i % 17);
    numbers.out_change[0] = 1 + i % 5;
  }
  return scenarios;
}

void count_policy_minutes(benchmark::State& state, std::int64_t per_iteration) {
  state.counters["policy_minutes_per_second"] =
      benchmark::Counter(static_cast<double>(per_iteration) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

void one_lane(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        sim::tally_one_lane(shop().scenario.lanes, shop().scenario.numbers, shop().traffic(0)));
  }
  count_policy_minutes(state, shop().load.ticks());
}
BENCHMARK(one_lane)->Unit(benchmark::kMillisecond)->UseRealTime();

void many_lanes(benchmark::State& state) {
  constexpr int kPolicies = 64;
  std::vector<policy::Numbers<base::One>> numbers;
  for (const sim::Scenario& scenario : policies(kPolicies)) numbers.push_back(scenario.numbers);
  std::vector<sim::Tally> tallies(kPolicies);
  for (auto _ : state) {
    sim::run_many_lanes(shop().scenario.lanes, numbers, shop().traffic(0), tallies);
    benchmark::DoNotOptimize(tallies.data());
  }
  count_policy_minutes(state, shop().load.ticks() * kPolicies);
}
BENCHMARK(many_lanes)->Unit(benchmark::kMillisecond)->UseRealTime();

void all_cores(benchmark::State& state) {
  constexpr int kPolicies = 1000;
  const std::vector<sim::Scenario> scenarios = policies(kPolicies);
  for (auto _ : state) benchmark::DoNotOptimize(tune::scores(scenarios, {shop().load}, {}));
  count_policy_minutes(
      state, shop().load.ticks() * kPolicies * static_cast<std::int64_t>(shop().load.replicas.size()));
}
BENCHMARK(all_cores)->Unit(benchmark::kMillisecond)->UseRealTime();

// The main job of the README, rivals, variations and judgement included; without reading and writing files.
void tune_shop(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(must(tune::tune(shop().environment, shop().environment.services.front(), {})));
  }
}
BENCHMARK(tune_shop)->Unit(benchmark::kMillisecond)->UseRealTime();

void python_loop(benchmark::State& state) {
  const auto rates_file =
      std::filesystem::temp_directory_path() / fmt::format("headroom-bench-{}.txt", getpid());
  {
    std::ofstream stream(rates_file);
    for (const float rate : shop().load.replicas[0].rates) stream << fmt::format("{:.9g}\n", rate);
  }
  const auto& numbers = shop().scenario.numbers;
  const auto& step = numbers.policy[0];
  const std::string command = fmt::format(
      "/usr/bin/python3 '{}' '{}' {} {} {} {} {} {} {} {} {} {} {}",
      HEADROOM_SOURCE_DIR "/bench/policy_loop.py", rates_file.string(),
      shop().scenario.lanes.slope_percent_per_rps, shop().scenario.lanes.fleet.startup,
      shop().scenario.lanes.metric_lag, numbers.initial, numbers.min, numbers.max, step.out_threshold[0],
      step.out_change[0], step.in_threshold[0], step.in_change[0], step.cooldown_in);
  const std::int64_t expected =
      sim::tally_one_lane(shop().scenario.lanes, numbers, shop().traffic(0)).in_service_ticks;
  for (auto _ : state) {
    std::FILE* pipe = popen(command.c_str(), "r");
    double seconds = 0;
    long long instance_minutes = 0;
    const bool read = pipe != nullptr && std::fscanf(pipe, "%lf %lld", &seconds, &instance_minutes) == 2;
    if (pipe == nullptr || pclose(pipe) != 0 || !read ||
        std::abs(instance_minutes - expected) > expected / 1000) {
      state.SkipWithError("the Python loop failed or came to other instance-minutes");
      break;
    }
    state.SetIterationTime(seconds);  // of the loop alone, measured inside: starting Python is not counted
  }
  std::filesystem::remove(rates_file);
  count_policy_minutes(state, shop().load.ticks());
}
BENCHMARK(python_loop)->Unit(benchmark::kMillisecond)->UseManualTime();

}  // namespace
