// How long the controller takes for one look at 10,000 services of 10 instances each: what it sees, decides
// and orders, in one process. The clouds are simulated, each with its own traffic around a threshold, so that
// some services scale at every tick; that their time passes is not counted.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/step.hpp"
#include "environment/read.hpp"
#include "sim/instance_rehearsal.hpp"
#include "sim/simulated_cloud.hpp"

namespace {

using namespace headroom;

constexpr int kServices = 10'000;

// 10 instances of 70 to 130 requests a second each, at half a percent for one: 50 % is the middle.
const char* const kFile = R"(name: many
zones: [a, b]
services:
  web:
    capacity: {cpu_per_rps: 0.5, startup: 2m}
    scale:
      initial: 10
      min: 5
      max: 20
      pool: 2
      drain: 10s
      policies:
        - step: {metric: cpu, every: 1m, out: [{above: 60%, add: 1}], in: [{below: 40%, remove: 1}]}
    objective: {cpu: 80%}
metrics: {period: 1m}
traffic: {generate: {for: 1d, base: 700 rps, peak: 1300 rps, noise: 10%, seed: 1}}
)";

template <class T>
T must(base::Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", base::to_string(result.error()).c_str());
  std::exit(1);
}

struct Service {
  sim::SimulatedCloud cloud;
  control::Settings settings;
  control::State state;
};

void ten_thousand_services(benchmark::State& state) {
  const environment::ReadFile none = [](const std::string& path) {
    return base::Result<std::string>(base::bad_input("no file " + path));
  };
  const environment::Environment environment = must(environment::read(kFile, "many.yaml", none)).environment;
  const environment::Service& service = environment.services.front();
  std::vector<std::unique_ptr<Service>> services;
  for (int k = 0; k < kServices; ++k) {
    const auto scenario = must(sim::compile_instances(environment, service, *environment.traffic,
                                                      static_cast<std::uint64_t>(k) + 1));
    services.push_back(
        std::make_unique<Service>(Service{sim::SimulatedCloud(scenario.cloud), scenario.control, {}}));
  }
  const control::Settings& settings = services.front()->settings;
  base::Milliseconds now = settings.start;
  std::int64_t orders = 0;
  std::int64_t instances = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& one : services) {
      const cloud::Observed observed = one->cloud.observe();
      control::Step next = control::step(now, observed, std::move(one->state), one->settings);
      one->state = std::move(next.state);
      for (const cloud::Action& action : next.actions) one->cloud.submit(action);
      orders += static_cast<std::int64_t>(next.actions.size());
      instances += static_cast<std::int64_t>(observed.instances.size());
    }
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    now += settings.tick;
    for (const auto& one : services) one->cloud.advance(now);
  }
  const auto loops = static_cast<double>(state.iterations());
  state.counters["orders_per_loop"] = static_cast<double>(orders) / loops;
  state.counters["instances"] = static_cast<double>(instances) / loops;
}
BENCHMARK(ten_thousand_services)->UseManualTime()->Iterations(60)->Unit(benchmark::kMillisecond);

}  // namespace
