// Several seeds: they give what a search over the same seeds counts, on any number of threads, and a stop
// leaves the first ones.
#include "tune/replicate.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/plain_environment.hpp"
#include "tune/load.hpp"
#include "tune/search.hpp"

namespace headroom::tune {
namespace {

using base::Milliseconds;

// Six hours of a wave whose noise and arrivals are drawn.
environment::Environment drawn() {
  environment::Environment environment = environment::wave_environment(std::chrono::hours(6));
  environment.seed = 11;
  return environment;
}

// The same rates in a form that is not generated, so that only the arrivals are drawn.
environment::Environment staged() {
  environment::Environment environment = drawn();
  workload::Open open;
  open.start = base::Rate(100);
  open.stages = {{Milliseconds{3'600'000}, std::nullopt, base::Rate(900)}};
  environment.traffic->shape = open;
  return environment;
}

Rehearsed rehearsed(const environment::Environment& environment, Engine engine, int seeds,
                    const Workers& workers = {}) {
  auto made =
      rehearse(environment, environment.services.front(), *environment.traffic, engine, seeds, workers);
  EXPECT_TRUE(made) << base::to_string(made.error());
  return *made;
}

TEST(Replicate, CountsGiveWhatTheSearchCountsOverTheSameSeeds) {
  for (const environment::Environment& environment : {drawn(), staged()}) {
    const auto scenario = sim::compile(environment, environment.services.front());
    const auto load = make_load("traffic", *environment.traffic, scenario->tick, environment.seed, 5);
    ASSERT_EQ(load->replicas.size(), 5U);
    const Rehearsed made = rehearsed(environment, Engine::counts, 5);
    ASSERT_TRUE(made.replications);
    EXPECT_EQ(made.replications->count, 5);
    EXPECT_EQ(made.replications->score, score(*scenario, {*load}));
    EXPECT_EQ(made.seeds, 5);
    EXPECT_FALSE(made.stopped_early);
    // The figures are those of several days, not of one five times.
    EXPECT_LT(made.replications->score.cost_usd.low, made.replications->score.cost_usd.high);
  }
}

TEST(Replicate, TheNumberOfThreadsDoesNotMatter) {
  Workers one;
  one.threads = 1;
  Workers three;
  three.threads = 3;
  for (const Engine engine : {Engine::counts, Engine::instances}) {
    EXPECT_EQ(rehearsed(drawn(), engine, 4, one).replications,
              rehearsed(drawn(), engine, 4, three).replications);
  }
}

TEST(Replicate, AStopLeavesTheFirstSeedsAndSaysHowManyTheyAre) {
  for (const Engine engine : {Engine::counts, Engine::instances}) {
    // Stopped at once: the first seed alone.
    std::atomic<bool> stop{true};
    Workers workers;
    workers.stop = &stop;
    const Rehearsed first = rehearsed(drawn(), engine, 1000, workers);
    EXPECT_TRUE(first.stopped_early);
    EXPECT_EQ(first.seeds, 1);
    EXPECT_FALSE(first.replications);
    EXPECT_EQ(first.rehearsal.trajectory, rehearsed(drawn(), engine, 1).rehearsal.trajectory);

    // Stopped on the way, wherever that is: so many seeds asked for give the same.
    stop = false;
    workers.progress = [&stop](const Progress&) { stop = true; };
    const Rehearsed some = rehearsed(drawn(), engine, 100'000, workers);
    ASSERT_TRUE(some.stopped_early);
    EXPECT_LT(some.seeds, 100'000);
    EXPECT_EQ(some.replications, rehearsed(drawn(), engine, some.seeds).replications);
  }
}

TEST(Replicate, WhatIsNotDrawnIsRehearsedOnce) {
  environment::Environment environment = staged();
  environment.traffic->arrivals = workload::Arrivals::exact;
  const Rehearsed made = rehearsed(environment, Engine::counts, 5);
  EXPECT_FALSE(made.replications);
  EXPECT_FALSE(made.stopped_early);
}

}  // namespace
}  // namespace headroom::tune
