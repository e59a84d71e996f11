// What a rehearsal is judged by: the same whichever engine makes it, and true when the service is down.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <sstream>

#include "sim/instance_rehearsal.hpp"
#include "sim/scenario.hpp"
#include "tests/plain_environment.hpp"
#include "workload/compile.hpp"

namespace headroom::sim {
namespace {

using base::Milliseconds;
constexpr Milliseconds kMinute{60'000};

// One instance takes 100 requests a second, and there may be one only.
environment::Environment alone() {
  environment::Environment environment = environment::plain_environment();
  environment.services.front().capacity.startup = 20 * kMinute;
  environment.services.front().scale.scaling.limits.max = 1;
  return environment;
}

workload::Traffic steady(double requests_per_second, int minutes) {
  workload::Traffic traffic;
  const base::Rate rate(requests_per_second);
  traffic.shape = workload::Open{.start = rate, .stages = {{minutes * kMinute, {}, rate}}};
  return traffic;
}

environment::Drill cut(const char* zone) {
  environment::Drill drill;
  drill.at = 10 * kMinute;
  drill.duration = 5 * kMinute;
  drill.zone = zone;
  drill.kind = environment::DrillKind::cut;
  return drill;
}

Rehearsal rehearsed(const environment::Environment& environment, const workload::Traffic& traffic) {
  const auto scenario = compile_instances(environment, environment.services.front(), traffic, 1);
  EXPECT_TRUE(scenario) << (scenario ? "" : base::to_string(scenario.error()));
  return rehearse(*scenario);
}

TEST(Judgement, AServiceThatIsDownKeepsNoLimitOnUtilisationOrLatency) {
  environment::Environment environment = alone();
  environment.zones = {"a"};
  environment.faults = {cut("a")};
  environment.services.front().objective.cpu = base::Percent(90);
  // Cut from the balancer for 5 minutes, in which all fail.
  EXPECT_EQ(rehearsed(environment, steady(40, 30)).summary.objective_violation_minutes, 5);
  environment.services.front().objective = {};
  environment.services.front().objective.p95 = Milliseconds(50);
  environment.services.front().capacity.latency = {{base::Percent(90), 10, 20, 30}};
  EXPECT_EQ(rehearsed(environment, steady(40, 30)).summary.objective_violation_minutes, 5);
  // Without a request nobody is let down.
  EXPECT_EQ(rehearsed(environment, steady(0, 30)).summary.objective_violation_minutes, 0);
}

TEST(Judgement, UtilisationIsThatOfTheInstancesThatReceive) {
  environment::Environment environment = alone();
  environment.zones = {"a", "b"};
  environment.faults = {cut("b")};
  environment::Service& web = environment.services.front();
  web.scale.scaling.initial = web.scale.scaling.limits.min = web.scale.scaling.limits.max = 2;
  web.objective.cpu = base::Percent(60);
  // 80 requests a second are 40 % on two instances, and 80 % on the one that is left.
  const Rehearsal rehearsal = rehearsed(environment, steady(80, 30));
  EXPECT_NEAR(rehearsal.cpu_percent[9], 40, 1e-9);
  EXPECT_NEAR(rehearsal.cpu_percent[10], 80, 1e-9);
  EXPECT_EQ(rehearsal.summary.objective_violation_minutes, 5);
}

TEST(Judgement, WhatStillWaitsAtTheEndWasNotServed) {
  environment::Environment environment = alone();
  environment::Service& web = environment.services.front();
  web.capacity.queue = 30 * kMinute;
  web.objective.profit = environment::Profit{base::Usd(0.01), base::Usd(0), 0.995};
  // 400 requests a second for 20 minutes on an instance that takes 100: 480,000 come, 120,000 are served.
  const Summary summary = rehearsed(environment, steady(400, 20)).summary;
  EXPECT_NEAR(summary.requests, 480'000, 1e-6);
  EXPECT_NEAR(summary.requests_failed, 0, 1e-6);
  EXPECT_NEAR(summary.requests_waiting, 360'000, 1e-3);
  EXPECT_NEAR(summary.availability_percent, 25, 1e-6);
  EXPECT_NEAR(*summary.profit_usd, 1200 - 0.2, 1e-3);
}

TEST(Judgement, ALatencyThatIsNotKnownCannotBePromised) {
  environment::Environment environment = alone();
  environment.services.front().objective.p95 = Milliseconds(100);
  const auto scenario = compile_instances(environment, environment.services.front(), steady(40, 30), 1);
  ASSERT_FALSE(scenario);
  EXPECT_EQ(scenario.error().faults.front().path, "services.web.objective.p95");
  // Users find it out by themselves.
  workload::Traffic users;
  users.shape = workload::Closed{{workload::ClosedStage{}}, true};
  EXPECT_TRUE(compile_instances(environment, environment.services.front(), users, 1));
}

TEST(Judgement, EveryStageOfUsersThatBeginsIsTold) {
  environment::Environment environment = alone();
  workload::Traffic users;
  users.shape = workload::Closed{{workload::ClosedStage{}, workload::ClosedStage{}}, false};
  std::vector<std::string> begun;
  for (const EventRecord& event : rehearsed(environment, users).events) {
    if (event.name == "stage_begins") begun.push_back(event.subject);
  }
  EXPECT_EQ(begun, (std::vector<std::string>{"1", "2"}));
}

// ---- both engines

int between(int low, int high) { return *rc::gen::resize(100, rc::gen::inRange(low, high + 1)); }
bool one_in(int n) { return between(1, n) == 1; }

environment::Environment any_environment() {
  environment::Environment environment = alone();
  environment::Service& web = environment.services.front();
  web.capacity.intercept_percent = one_in(2) ? 0 : between(1, 20);
  web.capacity.startup = Milliseconds(1000 * between(0, 400));
  if (one_in(3)) web.capacity.in_service_delay = Milliseconds(1000 * between(1, 100));
  if (one_in(3)) web.capacity.measured_up_to = base::Rate(between(20, 120));
  if (one_in(2)) {
    web.capacity.latency = {{base::Percent(10), 5, 10, 20},
                            {base::Percent(between(50, 90)), 20, between(21, 60) + 0.0, 80}};
  }
  if (one_in(3)) web.capacity.noise = 0.1;
  web.scale.scaling.initial = between(1, 4);
  web.scale.scaling.limits.max = between(4, 8);
  environment::Objective& objective = web.objective;
  objective.share = one_in(2) ? 1 : 0.9;
  if (one_in(2)) objective.cpu = base::Percent(between(30, 150));
  if (!web.capacity.latency.empty() && one_in(2)) objective.p95 = Milliseconds(between(15, 90));
  if (one_in(3)) objective.availability = base::Percent(between(80, 99));
  if (one_in(3)) objective.profit = environment::Profit{base::Usd(0.001), base::Usd(between(0, 5)), 0.95};
  return environment;
}

workload::Traffic any_traffic() {
  workload::Open open;
  open.start = base::Rate(between(0, 300));
  for (int stages = between(1, 5); stages > 0; --stages) {
    open.stages.push_back({between(1, 30) * kMinute, {}, base::Rate(between(0, 900))});
  }
  workload::Traffic traffic;
  traffic.shape = open;
  return traffic;
}

std::string figures(const Summary& s) {
  std::ostringstream text;
  text.precision(17);
  text << "cpu " << s.cpu_percent_mean << ' ' << s.cpu_percent_max << " instances " << s.instances_max << ' '
       << s.instances_mean << " hours " << s.instance_hours << ' ' << s.launching_hours << ' '
       << s.draining_hours << " violation " << s.objective_violation_minutes << ' '
       << s.objective_violation_percent << ' ' << s.objective_met << " scaled " << s.scale_outs << ' '
       << s.scale_ins << " at " << s.minutes_at_max << ' ' << s.minutes_at_min << ' ' << s.warnings_at_max
       << " down " << s.downtime_minutes << " p95 " << s.p95_ms_max;
  return text.str();
}

TEST(Judgement, BothEnginesJudgeAlike) {
  const bool holds = rc::check("counts and instances give the same figures and notes", [] {
    const environment::Environment environment = any_environment();
    const environment::Service& web = environment.services.front();
    const workload::Traffic traffic = any_traffic();
    const auto counts = compile(environment, web);
    const auto instances = compile_instances(environment, web, traffic, 1);
    RC_ASSERT(counts.has_value() == instances.has_value());
    if (!counts) return;
    const auto compiled = workload::compile(traffic, kMinute, 1);
    const Rehearsal a = rehearse(*counts, *compiled, 1);
    const Rehearsal b = rehearse(*instances);
    RC_ASSERT(figures(b.summary) == figures(a.summary));
    RC_ASSERT(b.cpu_percent == a.cpu_percent);
    RC_ASSERT(b.notes == a.notes);
    // Sums of what each instance costs and of what each tick serves are made in another order.
    const auto near = [](double x, double y) { return std::abs(x - y) <= 1e-9 * std::max(1.0, std::abs(x)); };
    RC_ASSERT(near(b.summary.cost_usd, a.summary.cost_usd));
    RC_ASSERT(near(b.summary.requests, a.summary.requests));
    RC_ASSERT(near(b.summary.requests_failed, a.summary.requests_failed));
    RC_ASSERT(near(b.summary.availability_percent, a.summary.availability_percent));
    RC_ASSERT(near(b.summary.profit_usd.value_or(0), a.summary.profit_usd.value_or(0)));
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace headroom::sim
