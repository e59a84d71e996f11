#include "report/sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "fleet/billing.hpp"
#include "policy/reasons.hpp"
#include "report/words.hpp"

namespace headroom::report {
namespace {

constexpr double kSlope = 0.9;     // percent of CPU per request per second on one instance
constexpr int kStartup = 4;        // ticks
constexpr double kObjective = 75;  // percent of CPU
constexpr double kShare = 0.997;   // of the minutes

// A linear congruential generator (Knuth's MMIX constants) is plenty for a picture; in [0, 1).
struct Noise {
  std::uint64_t state;
  double next() {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state >> 11) / 9007199254740992.0;
  }
};

// A smooth bump over one period, made of parabolas: 0 at its ends, 1 in the middle.
double bump(double phase) { return 4 * phase * (1 - phase); }

double rate_at(std::int32_t tick, const SampleOptions& options, Noise& noise) {
  const double day = std::fmod(static_cast<double>(tick) / 1440.0, 1.0);
  const double night = std::fmod(day + 0.75, 1.0);
  const auto weekday = (tick / 1440) % 7;
  const double week = weekday >= 5 ? 0.72 : 1.0;
  double rate = options.peak_requests_per_second * week * (0.18 + 0.72 * bump(night) * bump(night));
  // A surge on the tenth day, in the evening, to 1.6 times the peak within 20 minutes.
  const double surge = (static_cast<double>(tick) - 9.8 * 1440) / 150;
  if (surge > 0 && surge < 1)
    rate += options.peak_requests_per_second * 0.7 * std::min(1.0, 7 * surge) * (1 - surge);
  return rate * (0.94 + 0.12 * noise.next());
}

policy::Scaling scaling_of(const SampleOptions& options) {
  policy::StepPolicy step;
  step.every = base::Milliseconds{60'000};
  step.out = {{.threshold = options.out_above, .change = options.out_add}};
  step.in = {{.threshold = options.in_below, .change = 1}};
  step.cooldown_out = base::Milliseconds{180'000};
  step.cooldown_in = base::Milliseconds{300'000};
  policy::Scaling scaling;
  scaling.initial = 4;
  scaling.limits.min = 2;
  scaling.limits.max = 30;
  scaling.policies = {step};
  return scaling;
}

// As if the instances had run in two zones, of which b is lost for a while, with a pool of one in each.
void put_into_zones(const SampleOptions& options, sim::Rehearsal& rehearsal) {
  sim::Trajectory& trajectory = rehearsal.trajectory;
  const std::int32_t lost_from = options.ticks / 3;
  const std::int32_t lost_to = lost_from + std::max(2, options.ticks / 12);
  const std::int32_t frozen_from = options.ticks * 3 / 4;
  rehearsal.faults = {{lost_from, lost_to, "lost", "b"},
                      {frozen_from, frozen_from + std::max(2, options.ticks / 40), "metrics-frozen", ""}};
  sim::ZoneCounts a{
      .zone = "a", .in_service = {}, .launching = {}, .draining = {}, .stopped = {}, .failed = {}};
  sim::ZoneCounts b{
      .zone = "b", .in_service = {}, .launching = {}, .draining = {}, .stopped = {}, .failed = {}};
  std::int32_t failed = 0;
  for (std::int32_t tick = 0; tick < options.ticks; ++tick) {
    const auto i = static_cast<std::size_t>(tick);
    const bool lost = tick >= lost_from && tick < lost_to;
    if (tick == lost_from) failed = trajectory.in_service[i] / 2;
    const auto split = [&](std::int32_t all, std::vector<std::int32_t>& in_a,
                           std::vector<std::int32_t>& in_b) {
      in_b.push_back(lost ? 0 : all / 2);
      in_a.push_back(all - in_b.back());
    };
    split(trajectory.in_service[i], a.in_service, b.in_service);
    split(trajectory.launching[i], a.launching, b.launching);
    split(trajectory.draining[i], a.draining, b.draining);
    a.stopped.push_back(tick > options.ticks / 4 ? 1 : 0);
    b.stopped.push_back(lost ? 0 : 1);
    a.failed.push_back(0);
    b.failed.push_back(tick >= lost_from && tick < lost_to + 30 ? failed : 0);
    rehearsal.failed_requests_per_second.push_back(
        lost && tick < lost_from + 3 ? 0.4 * rehearsal.requests_per_second.values[i] : 0.0);
  }
  rehearsal.zones = {std::move(a), std::move(b)};
  rehearsal.events = {
      {lost_from, "instance_failed", "i-2", "failed 3 checks in a row; kept for inspection"},
      {lost_from + 1, "instance_failed", "i-4", "failed 3 checks in a row; kept for inspection"},
      {lost_from + 1, "given_up", "launch-17", "the zone b takes no orders"},
      {frozen_from, "list_outdated", "", "an older list than one that was already used"}};
  const fleet::Billing hourly{.model = fleet::BillingModel::hourly};
  const base::Milliseconds minute{60'000};
  for (int k = 1; k <= rehearsal.summary.instances_max; ++k) {
    const std::vector<fleet::Launch> launches{
        {minute * (7 * k), minute * (7 * k + 2), minute * (7 * k + 80)},
        {minute * (7 * k + 100), minute * (7 * k + 101), minute * (7 * k + 100 + 9 * (k % 8))}};
    rehearsal.instances.push_back(sim::instance_record(fmt::format("i-{}", k), k % 2 == 1 ? "a" : "b",
                                                       launches, hourly, base::UsdPerHour(options.price)));
  }
  sim::add_charges(rehearsal.instances, hourly, rehearsal.summary);
  rehearsal.summary.warnings_at_max = 3;
  if (!options.groups) return;
  rehearsal.groups = {"a", "b"};
  std::vector<sim::DecisionRecord> both;
  for (const sim::DecisionRecord& decision : trajectory.decisions) {
    for (std::int32_t group = 0; group < 2; ++group) {
      sim::DecisionRecord part = decision;
      part.group = group;
      const auto share = [&](std::int32_t all) { return group == 0 ? all - all / 2 : all / 2; };
      for (auto field : {&sim::DecisionRecord::in_service, &sim::DecisionRecord::launching,
                         &sim::DecisionRecord::recommended, &sim::DecisionRecord::after_step,
                         &sim::DecisionRecord::after_rate, &sim::DecisionRecord::desired,
                         &sim::DecisionRecord::add, &sim::DecisionRecord::remove}) {
        part.*field = share(decision.*field);
      }
      both.push_back(part);
    }
  }
  trajectory.decisions = std::move(both);
}

tune::Estimate around(double mean, double half) { return {mean, mean - half, mean + half}; }

tune::Score score_of(const sim::Rehearsal& rehearsal, double factor) {
  const sim::Summary& summary = rehearsal.summary;
  tune::Score score;
  score.duration = rehearsal.requests_per_second.duration();
  score.cost_usd = around(summary.cost_usd * factor, 0.012 * summary.cost_usd);
  score.objective_violation_percent =
      around(summary.objective_violation_percent, 0.2 * summary.objective_violation_percent);
  score.cpu_percent_mean = around(summary.cpu_percent_mean, 0.3);
  score.cpu_percent_max = summary.cpu_percent_max;
  score.instance_hours = around(summary.instance_hours, 0.01 * summary.instance_hours);
  score.objective_met = summary.objective_met;
  return score;
}

}  // namespace

environment::Service sample_service(const SampleOptions& options) {
  environment::Service service;
  service.name = options.service;
  service.instance.price = base::UsdPerHour(options.price);
  service.scale.scaling = scaling_of(options);
  service.objective.cpu = base::Percent(kObjective);
  service.objective.share = kShare;
  return service;
}

sim::Rehearsal sample_rehearsal(const SampleOptions& options) {
  const policy::Scaling scaling = scaling_of(options);
  Noise noise{options.seed};
  sim::Rehearsal rehearsal;
  rehearsal.environment = "shop";
  rehearsal.service = options.service;
  rehearsal.seed = options.seed;
  rehearsal.requests_per_second.start = options.start;
  rehearsal.requests_per_second.tick = base::Milliseconds{60'000};
  rehearsal.notes = {"The start-up time of 4 min comes from headroom.yaml.", "Latency was not measured."};

  std::int32_t in_service = scaling.initial;
  std::vector<std::pair<std::int32_t, std::int32_t>> starting;  // the tick they arrive, how many
  std::int32_t hold_out = 0;
  std::int32_t hold_in = 0;
  std::int32_t leaving = 0;
  sim::Summary& summary = rehearsal.summary;
  double last_cpu = std::numeric_limits<double>::quiet_NaN();
  for (std::int32_t tick = 0; tick < options.ticks; ++tick) {
    std::int32_t launching = 0;
    for (auto& [arrives, count] : starting) {
      if (arrives == tick) in_service += count;
      if (arrives > tick) launching += count;
    }
    const double rate = rate_at(tick, options, noise);
    const double cpu = kSlope * rate / in_service;

    sim::DecisionRecord decision;
    decision.tick = tick;
    decision.cpu_percent_seen = static_cast<float>(last_cpu);
    decision.requests_per_second_per_instance_seen = static_cast<float>(rate / in_service);
    decision.in_service = in_service;
    decision.launching = launching;
    const std::int32_t now = in_service + launching;
    std::uint32_t reasons = 0;
    const auto because = [&](policy::Reason reason) { reasons |= static_cast<std::uint32_t>(reason); };
    std::int32_t wanted = now;
    if (std::isnan(last_cpu)) {
      because(policy::Reason::missing_metric);
    } else if (last_cpu > options.out_above) {
      because(policy::Reason::above_threshold);
      wanted = now + options.out_add;
    } else if (last_cpu < options.in_below) {
      because(policy::Reason::below_threshold);
      wanted = now - 1;
    } else {
      because(policy::Reason::within_band);
    }
    if (wanted != now && tick < (wanted > now ? hold_out : hold_in)) {
      because(policy::Reason::cooldown);
      wanted = now;
    }
    decision.recommended = decision.after_step = decision.after_rate = wanted;
    decision.desired = std::clamp(wanted, scaling.limits.min, scaling.limits.max);
    if (wanted > scaling.limits.max) because(policy::Reason::at_max);
    if (wanted < scaling.limits.min) because(policy::Reason::at_min);
    decision.add = std::max(0, decision.desired - now);
    decision.remove = std::max(0, now - decision.desired);
    decision.policy = 0;
    decision.reasons.bits = reasons;
    rehearsal.trajectory.decisions.push_back(decision);
    if (decision.add > 0) {
      starting.emplace_back(tick + kStartup + 1, decision.add);
      hold_out = hold_in = tick + 4;
      ++summary.scale_outs;
    }
    leaving = decision.remove;
    if (decision.remove > 0) {
      hold_in = tick + 6;
      ++summary.scale_ins;
    }

    rehearsal.requests_per_second.values.push_back(rate);
    rehearsal.cpu_percent.push_back(cpu);
    if (options.latency)
      rehearsal.p95_ms.push_back(40 + (cpu < 95 ? 900 / (100 - cpu) : 180 + 4 * (cpu - 95)));
    rehearsal.trajectory.in_service.push_back(in_service);
    rehearsal.trajectory.launching.push_back(launching);
    rehearsal.trajectory.draining.push_back(leaving);
    summary.cpu_percent_mean += cpu;
    summary.cpu_percent_max = std::max(summary.cpu_percent_max, cpu);
    summary.instances_max = std::max(summary.instances_max, in_service);
    summary.instance_hours += in_service / 60.0;
    summary.launching_hours += launching / 60.0;
    summary.draining_hours += leaving / 60.0;
    if (cpu > kObjective) summary.objective_violation_minutes += 1;
    if (decision.desired == scaling.limits.max) summary.minutes_at_max += 1;
    if (decision.desired == scaling.limits.min) summary.minutes_at_min += 1;
    in_service -= decision.remove;
    last_cpu = cpu;
  }
  summary.cpu_percent_mean /= options.ticks;
  summary.instances_mean = summary.instance_hours * 60 / options.ticks;
  summary.cost_in_service_usd = summary.instance_hours * options.price;
  summary.cost_launching_usd = summary.launching_hours * options.price;
  summary.cost_draining_usd = summary.draining_hours * options.price;
  summary.cost_usd = summary.cost_in_service_usd + summary.cost_launching_usd + summary.cost_draining_usd;
  summary.objective_violation_percent = 100 * summary.objective_violation_minutes / options.ticks;
  summary.objective_met = summary.objective_violation_percent <= 100 * (1 - kShare);
  for (const double p95 : rehearsal.p95_ms) summary.p95_ms_max = std::max(summary.p95_ms_max, p95);
  if (options.zones) put_into_zones(options, rehearsal);
  return rehearsal;
}

tune::Outcome sample_outcome(const SampleOptions& options) {
  tune::Outcome outcome;
  outcome.environment = "shop";
  outcome.service = options.service;
  outcome.aim = "cheapest";
  outcome.seconds = 3.25;
  outcome.unseen_description =
      "the last third of the traffic, " + duration_text(base::Milliseconds{60'000} * options.ticks);
  outcome.notes = {"The start-up time of 4 min comes from headroom.yaml."};

  SampleOptions tuning = options;
  tuning.ticks = std::min(options.ticks, 3 * 1440);
  for (int add = 1; add <= 6; ++add) {
    for (int above = 40; above <= 70; above += 5) {
      SampleOptions tried = tuning;
      tried.out_add = add;
      tried.out_above = above;
      tried.in_below = std::round(0.65 * above);
      const sim::Rehearsal rehearsal = sample_rehearsal(tried);
      tune::Candidate candidate;
      candidate.index = outcome.evaluated++;
      candidate.parameters = {
          {"out.add", add}, {"out.above", static_cast<double>(above)}, {"in.below", tried.in_below}};
      candidate.score = score_of(rehearsal, 1);
      candidate.feasible = rehearsal.summary.objective_met;
      // The cheapest that keeps the objective; while there is none, the nearest miss.
      const auto violated = [](const tune::Candidate& one) {
        return one.score.objective_violation_percent.mean;
      };
      const bool better =
          candidate.feasible
              ? !outcome.found || candidate.score.cost_usd.mean < outcome.best.score.cost_usd.mean
              : !outcome.found && (candidate.index == 0 || violated(candidate) < violated(outcome.best));
      if (better) {
        outcome.best = candidate;
        outcome.best_summary = rehearsal.summary;
        outcome.best_feasible_row = candidate.feasible ? outcome.feasible : -1;
        outcome.rehearsal = rehearsal;
      }
      if (candidate.feasible) {
        outcome.found = true;
        ++outcome.feasible;
      }
      outcome.sample.push_back(candidate);
    }
  }
  outcome.invalid = 7;
  for (const tune::Candidate& candidate : outcome.sample) {
    const bool beaten =
        std::any_of(outcome.sample.begin(), outcome.sample.end(), [&](const tune::Candidate& other) {
          return other.score.cost_usd.mean < candidate.score.cost_usd.mean &&
                 other.score.objective_violation_percent.mean <=
                     candidate.score.objective_violation_percent.mean;
        });
    if (!beaten) outcome.front.push_back(candidate);
  }
  outcome.binding = "CPU binds: the cheaper policies violate it for more than 0.3 % of the minutes.";

  const auto contender = [&](std::string name, SampleOptions set, std::int64_t evaluated) {
    tune::Contender entry;
    entry.name = std::move(name);
    entry.rehearsal = sample_rehearsal(set);
    entry.score = score_of(entry.rehearsal, 1);
    entry.evaluated = evaluated;
    entry.scaling = scaling_of(set);
    entry.parameters = {{"out.add", set.out_add}, {"out.above", set.out_above}, {"in.below", set.in_below}};
    outcome.unseen.push_back(std::move(entry));
  };
  SampleOptions best = options;
  best.out_add = static_cast<int>(outcome.best.parameters[0].second);
  best.out_above = outcome.best.parameters[1].second;
  best.in_below = outcome.best.parameters[2].second;
  SampleOptions present = options;
  present.out_add = 1;
  present.out_above = 45;
  present.in_below = 20;
  SampleOptions rival = options;
  rival.out_add = 1;
  rival.out_above = 50;
  rival.in_below = 45;
  contender("tuned", best, outcome.evaluated);
  contender("present", present, 1);
  contender("target 50 %", rival, 1);
  // One that beats the winner on the unseen traffic, which the page must not hide.
  contender("target, tuned", rival, 120);
  tune::Score& better = outcome.unseen.back().score;
  better = outcome.unseen.front().score;
  for (tune::Estimate* part : {&better.cost_usd, &better.objective_violation_percent}) {
    *part = {0.9 * part->mean, 0.9 * part->low, 0.9 * part->high};
  }
  const auto sensitivity = [&](const char* name, double value, double low, double high, bool matters) {
    tune::Sensitivity entry;
    entry.parameter = name;
    entry.value = value;
    entry.unchanged_low = matters ? value : low;
    entry.unchanged_high = matters ? value : high;
    const double cost = outcome.best.score.cost_usd.mean;
    entry.cost_usd = {cost, cost * (matters ? 1.3 : 1.0)};
    entry.violation_percent.high = matters ? 3.4 : 0.0;
    entry.matters = matters;
    entry.at_edge = matters && value == high;
    outcome.sensitivities.push_back(entry);
  };
  sensitivity("out.add", best.out_add, 1, 6, true);
  sensitivity("out.above", best.out_above, 40, 70, true);
  sensitivity("in.below", best.in_below, 26, 46, false);
  for (const char* name : {"height 0.8", "height 1.2", "ramp 2", "start-up 2"}) {
    outcome.variations.push_back({name, outcome.unseen[0].score, outcome.unseen[1].score});
    outcome.variations.back().tuned.objective_met = std::string(name) != "height 1.2";
  }
  return outcome;
}

tune::Outcome sample_earning_outcome(const SampleOptions& options) {
  tune::Outcome outcome = sample_outcome(options);
  outcome.aim = "profit";
  const auto earn = [](tune::Score& score) {
    const double minutes = base::minutes(score.duration) / 100 * score.objective_violation_percent.mean;
    score.downtime_minutes = {minutes, 0.9 * minutes, 1.1 * minutes};
    const double profit = 2 * score.cost_usd.mean - 0.01 * minutes;
    score.profit_usd = tune::Estimate{profit, 0.98 * profit, 1.02 * profit};
    score.objective_violation_percent = {};
    score.objective_met = true;
  };
  earn(outcome.best.score);
  for (tune::Candidate& each : outcome.front) earn(each.score);
  for (tune::Candidate& each : outcome.sample) earn(each.score);
  for (tune::Contender& each : outcome.unseen) earn(each.score);
  for (tune::Variation& each : outcome.variations) {
    earn(each.tuned);
    earn(each.present);
  }
  for (tune::Sensitivity& each : outcome.sensitivities) {
    each.profit_usd =
        tune::Range{0.7 * outcome.best.score.profit_usd->mean, outcome.best.score.profit_usd->mean};
    each.downtime_minutes = {0, 10};
  }
  return outcome;
}

}  // namespace headroom::report
