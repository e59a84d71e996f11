// Properties of Serving over random traffic, instances and faults, open and closed.
#include "sim/serving.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

namespace headroom::sim {
namespace {

using base::Milliseconds;

int between(int low, int high) { return *rc::gen::resize(100, rc::gen::inRange(low, high + 1)); }
bool one_in(int n) { return between(1, n) == 1; }

constexpr int kTicks = 40;

workload::Closed some_users() {
  workload::Closed closed;
  closed.serial = !one_in(3);
  for (int k = between(1, 3); k > 0; --k) {
    workload::ClosedStage stage;
    stage.users = between(1, 25);
    stage.requests_each = one_in(4) ? 0 : between(1, 60);
    stage.think = Milliseconds(one_in(4) ? 0 : between(1, 5000));
    stage.think_distribution =
        *rc::gen::element(workload::Think::constant, workload::Think::uniform, workload::Think::exponential);
    if (one_in(2)) stage.think_least = stage.think / 2;
    if (one_in(2)) stage.ramp_up = Milliseconds(between(1, 60'000));
    if (stage.requests_each == 0 || one_in(3)) stage.duration = Milliseconds(between(1, 120'000));
    closed.stages.push_back(stage);
  }
  return closed;
}

ServingSettings some_settings() {
  ServingSettings settings;
  settings.tick = Milliseconds(1000 * *rc::gen::element(1, 5, 60));
  settings.cpu = base::Cores(*rc::gen::element(0.2, 1.0, 2.0));
  settings.capacity.slope_percent_per_rps = one_in(10) ? 0 : 0.5 * between(1, 80);
  settings.capacity.intercept_percent = one_in(2) ? 0 : between(1, 9);
  if (!one_in(3)) settings.capacity.queue = Milliseconds(one_in(6) ? 0 : between(1, 90'000));
  if (one_in(2)) {
    const Milliseconds most(between(0, 20'000));
    settings.credits = environment::Credits{0.01 * between(10, 90) * settings.cpu,
                                            one_in(2) ? most : most / 2, most, one_in(2)};
  }
  settings.capacity.latency = {{base::Percent(5), 8, 20, 50}, {base::Percent(90), 80, 300, 900}};
  if (one_in(3)) settings.capacity.noise = 0.01 * between(1, 60);
  settings.seed = static_cast<std::uint64_t>(between(1, 1000));
  if (one_in(2)) {
    settings.traffic = some_users();
    return settings;
  }
  base::Series series{Milliseconds(0), settings.tick, {}};
  for (int k = 0; k < kTicks / 2; ++k) series.values.push_back(one_in(4) ? 0 : between(0, 400) * 0.25);
  settings.traffic = series;
  return settings;
}

std::vector<std::vector<Server>> some_servers() {
  std::vector<std::vector<Server>> per_tick;
  std::vector<Server> servers;
  for (int k = between(0, 4); k > 0; --k) servers.push_back({k});
  for (int tick = 0; tick < kTicks; ++tick) {
    if (one_in(5)) servers.push_back({100 + tick});
    if (!servers.empty() && one_in(8))
      servers.erase(servers.begin() + between(0, static_cast<int>(servers.size()) - 1));
    for (Server& server : servers) {
      if (one_in(5)) {
        server.condition = one_in(2)
                               ? Condition::works
                               : *rc::gen::element(Condition::paused, Condition::hung, Condition::restarts);
      }
      if (one_in(10)) server.receives = !server.receives;
    }
    per_tick.push_back(servers);
  }
  return per_tick;
}

TEST(Serving, NothingIsLostAndNothingIsNegative) {
  ASSERT_TRUE(rc::check([] {
    const ServingSettings settings = some_settings();
    const double length = base::seconds(settings.tick);
    Serving serving(settings);
    double waited = 0;
    bool over = false;
    for (const auto& servers : some_servers()) {
      const ServedTick tick = serving.tick(servers);
      double waits = 0;
      double failed = 0;
      for (const ServerOutcome& outcome : tick.servers) {
        waits += outcome.waiting;
        failed += outcome.failed_per_second;
        RC_ASSERT(outcome.waiting >= 0);
        RC_ASSERT(outcome.failed_per_second >= 0);
        RC_ASSERT(outcome.requests_per_second >= 0);
        RC_ASSERT(outcome.cpu_percent >= 0);
        if (!settings.credits || !settings.credits->of_baseline) RC_ASSERT(outcome.cpu_percent <= 100);
      }
      const double in = tick.offered_per_second * length + waited;
      const double out = (tick.served_per_second + tick.failed_per_second) * length + waits;
      RC_ASSERT(std::abs(in - out) <= 1e-6 + 1e-9 * in);
      RC_ASSERT(tick.failed_per_second >= failed - 1e-9);
      RC_ASSERT(tick.served_per_second >= 0);
      RC_ASSERT(tick.p50_ms.has_value() == (tick.served_per_second > 0));
      if (tick.p50_ms)
        RC_ASSERT(*tick.p50_ms >= 0 && *tick.p50_ms <= *tick.p95_ms && *tick.p95_ms <= *tick.p99_ms);
      if (over) RC_ASSERT(tick.over && tick.offered_per_second == 0);
      if (tick.over) RC_ASSERT(waits == 0);
      waited = waits;
      over = tick.over;
    }
  }));
}

TEST(Serving, GivesTheSameAgainAndWhateverTheOrderOfTheServers) {
  ASSERT_TRUE(rc::check([] {
    const ServingSettings settings = some_settings();
    Serving serving(settings);
    Serving again(settings);
    Serving reversed(settings);
    for (std::vector<Server> servers : some_servers()) {
      const ServedTick tick = serving.tick(servers);
      RC_ASSERT(again.tick(servers) == tick);
      std::reverse(servers.begin(), servers.end());
      ServedTick other = reversed.tick(servers);
      std::reverse(other.servers.begin(), other.servers.end());
      RC_ASSERT(other == tick);
    }
  }));
}

// What an instance may use: its baseline for ever, and the credit once.
TEST(Serving, NoInstanceUsesMoreThanItsCreditAllows) {
  ASSERT_TRUE(rc::check([] {
    ServingSettings settings = some_settings();
    settings.credits = environment::Credits{0.3 * settings.cpu, Milliseconds(4000), Milliseconds(9000), true};
    const double length = base::seconds(settings.tick);
    Serving serving(settings);
    double used = 0;
    for (int tick = 1; tick <= kTicks; ++tick) {
      const double percent = serving.tick(std::vector<Server>{{1}}).servers[0].cpu_percent;
      used += percent / 100 * settings.credits->baseline.value() * length;
      const double allowed = 4 + settings.credits->baseline.value() * length * tick;
      RC_ASSERT(used <= allowed * (1 + 1e-5));
    }
  }));
}

}  // namespace
}  // namespace headroom::sim
