#include "load/find_capacity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/philox.hpp"
#include "base/units.hpp"

namespace headroom::load {
namespace {

constexpr base::Milliseconds kSecond{1000};
constexpr double kLeftMost = 0.05;
constexpr double kLeftRequestsMost = 3;
constexpr double kErrorsMost = 0.05;
constexpr double kFullPercent = 97;
// While the rate rises: towards this utilisation, but neither slower nor faster than these factors.
constexpr double kAimPercent = 100;
constexpr double kRiseLeast = 1.5;
constexpr double kRiseMost = 8;
// Where the utilisation is not known.
constexpr double kRiseBlind = 2;
// Of the saturation: the range that is driven again and again.
constexpr double kLowest = 1.0 / 6;
constexpr double kHighest = 1.05;
constexpr std::size_t kFaultsNamed = 3;
// The stream of Philox that orders the steps; no other part uses this number.
constexpr std::uint32_t kOrderStream = 0x0ca9;
// A rate is slow where p95 is above so many times that of the lowest rates, a third of them.
constexpr double kSlowFactor = 2;
constexpr int kLowestOf = 3;
// Each rate near the knee is driven so often, for its latency scatters most there.
constexpr int kKneeRepeats = 2;
// What the cost of a request drifts by on a quiet machine is 5 to 10 %.
constexpr double kDriftMost = 0.1;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

capacity::Measurements measurements_of(const std::vector<CapacityStep>& steps) {
  capacity::Measurements measurements;
  measurements.file = "measurements.csv";
  for (const CapacityStep& step : steps) {
    if (!step.utilisation) continue;
    measurements.rows.push_back({0, step.answered, *step.utilisation, step.p50_ms, step.p95_ms, step.p99_ms,
                                 step.error_share, step.saturated()});
  }
  return measurements;
}

// What the requests that failed came to, each kind once, the most frequent first.
std::string faults_of(const std::vector<CapacityStep>& steps) {
  std::map<std::string, int> counts;
  for (const CapacityStep& step : steps) {
    if (step.error_share > kErrorsMost && !step.fault.empty()) ++counts[step.fault];
  }
  std::vector<std::pair<std::string, int>> faults(counts.begin(), counts.end());
  std::stable_sort(faults.begin(), faults.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t i = 0; i < std::min(faults.size(), kFaultsNamed); ++i) {
    text += (i == 0 ? "" : "; ") + faults[i].first;
  }
  return text;
}

// For people: the status or the fault that most of these requests failed with.
std::string fault_of(const Counts& counts, const std::string& first_fault) {
  std::uint64_t most = 0;
  std::string text;
  for (const auto& [status, count] : counts.statuses) {
    if (status >= 400 && count > most) {
      most = count;
      text = fmt::format("status {}", status);
    }
  }
  for (std::size_t i = 1; i < kOutcomes; ++i) {
    if (counts.outcomes[i] <= most) continue;
    most = counts.outcomes[i];
    text = std::string(words(static_cast<Outcome>(i)));
    if (!first_fault.empty()) text += fmt::format(" ({})", first_fault);
  }
  return text;
}

double slope_half_width(const capacity::Fit& fit) {
  return (fit.line.slope_95.high - fit.line.slope_95.low) / 2 / fit.line.slope;
}

class Finding {
 public:
  Finding(const CapacitySearch& search, const DriveRate& drive, const CapacityProgress& progress)
      : search_(search), drive_(drive), progress_(progress), rng_(search.seed, kOrderStream) {}

  base::Result<FoundCapacity> run() {
    if (auto error = rise()) return *std::move(error);
    if (auto error = check_answers()) return *std::move(error);
    if (auto error = repeat()) return *std::move(error);
    if (auto error = near_the_knee()) return *std::move(error);
    if (knows_utilisation()) {
      auto fit = capacity::fit(measurements_of(found_.steps));
      if (!fit) return with_faults(fit.error());
      found_.fit = std::move(*fit);
      judge_drift();
    } else {
      find_knee_rate();
    }
    std::vector<double> full;
    for (const CapacityStep& step : found_.steps) {
      if (step.saturated()) full.push_back(step.answered.value());
    }
    if (!full.empty()) found_.saturation = base::Rate(median(full));
    judge_objective();
    return std::move(found_);
  }

 private:
  // The step, or nothing where it was interrupted.
  base::Result<std::optional<CapacityStep>> step(base::Rate rate, int round, double share) {
    if (progress_) progress_(rate, found_.steps, share);
    auto driven = drive_(rate);
    if (!driven) return driven.error();
    if (!*driven) {
      found_.interrupted = true;
      return *driven;
    }
    (*driven)->round = round;
    found_.steps.push_back(**driven);
    return *driven;
  }

  base::Error with_faults(base::Error error) const {
    const std::string faults = faults_of(found_.steps);
    if (!faults.empty()) error.faults.front().what += fmt::format("; requests failed: {}", faults);
    return error;
  }

  bool knows_utilisation() const {
    return std::any_of(found_.steps.begin(), found_.steps.end(),
                       [](const CapacityStep& step) { return step.utilisation.has_value(); });
  }

  // A service that only fails has no capacity to be found.
  std::optional<base::Error> check_answers() const {
    if (found_.interrupted || last_fine_ > 0) return std::nullopt;
    const CapacityStep& last = found_.steps.back();
    if (last.error_share <= kErrorsMost) return std::nullopt;
    const std::string faults = faults_of(found_.steps);
    return base::unavailable(
        fmt::format("at {}, the first rate, {:.0f} % of the requests failed{}",
                    base::format_rate(last.offered), 100 * last.error_share,
                    faults.empty() ? std::string() : ": " + faults),
        "see that the service answers what the traffic file asks, or begin at a lower rate (--first)");
  }

  std::optional<base::Error> rise() {
    double rate = search_.first.value();
    while (!found_.interrupted) {
      rate = std::min(rate, search_.most.value());
      const auto driven = step(base::Rate(rate), 0, 0);
      if (!driven) return driven.error();
      if (!*driven) return std::nullopt;
      if ((*driven)->too_much()) {
        // One that is overrun may answer less than it did just below.
        highest_ = std::max((*driven)->answered.value(), last_fine_);
        return std::nullopt;
      }
      last_fine_ = (*driven)->answered.value();
      if (rate >= search_.most.value()) {
        highest_ = rate / kHighest;
        found_.notes.push_back(fmt::format("The instance was not saturated at {}, the highest rate allowed.",
                                           base::format_rate(search_.most)));
        return std::nullopt;
      }
      const auto& used = (*driven)->utilisation;
      rate *=
          used ? std::clamp(kAimPercent / std::max(used->value(), 1.0), kRiseLeast, kRiseMost) : kRiseBlind;
    }
    return std::nullopt;
  }

  std::optional<base::Error> repeat() {
    const int last = std::max(1, search_.rates - 1);
    // Without the utilisation there is no slope to wait for.
    const int most = knows_utilisation() ? search_.repeats_most : search_.repeats_least;
    for (int round = 1; round <= most && !found_.interrupted; ++round) {
      rounds_ = round;
      std::vector<double> rates;
      for (int i = 0; i < search_.rates; ++i) {
        rates.push_back(highest_ * (kLowest + (kHighest - kLowest) * i / last));
      }
      for (std::size_t i = rates.size(); i > 1; --i) std::swap(rates[i - 1], rates[rng_.below(i)]);
      int done = 0;
      for (const double rate : rates) {
        const double share = (round - 1 + static_cast<double>(done++) / search_.rates) / most;
        const auto driven = step(base::Rate(rate), round, share);
        if (!driven) return driven.error();
        if (!*driven) return std::nullopt;
      }
      if (round < search_.repeats_least || !knows_utilisation()) continue;
      const auto fit = capacity::fit(measurements_of(found_.steps));
      if (fit && slope_half_width(*fit) <= search_.slope_within) return std::nullopt;
      if (round == most && fit) {
        found_.notes.push_back(
            fmt::format("After {} rounds the slope is known to {:.0f} %; {:.0f} % was wanted. Something else "
                        "uses the machine, or the requests differ in cost.",
                        round, 100 * slope_half_width(*fit), 100 * search_.slope_within));
      }
    }
    return std::nullopt;
  }

  // What was measured of a rate, over its repetitions.
  struct AtRate {
    std::vector<double> p95_ms;
    int steps = 0;
    int too_much = 0;

    bool is_slow(double limit_ms) const {
      return 2 * too_much > steps || p95_ms.empty() || median(p95_ms) > limit_ms;
    }
  };

  std::map<double, AtRate> by_rate() const {
    std::map<double, AtRate> rates;
    for (const CapacityStep& step : found_.steps) {
      if (step.round == 0) continue;
      AtRate& at = rates[step.offered.value()];
      ++at.steps;
      at.too_much += step.too_much() ? 1 : 0;
      if (step.p95_ms) at.p95_ms.push_back(*step.p95_ms);
    }
    return rates;
  }

  std::optional<base::Error> near_the_knee() {
    int driven = 0;
    while (!found_.interrupted && driven < search_.knee_steps_most) {
      const auto rates = by_rate();
      std::vector<double> low;
      int lowest = 0;
      for (const auto& [rate, at] : rates) {
        if (lowest++ * kLowestOf >= search_.rates) break;
        low.insert(low.end(), at.p95_ms.begin(), at.p95_ms.end());
      }
      if (low.empty()) return std::nullopt;
      const double limit_ms = kSlowFactor * median(low);
      const auto slow = std::find_if(rates.begin(), rates.end(),
                                     [&](const auto& one) { return one.second.is_slow(limit_ms); });
      // All fast, or none: there is nothing to halve.
      if (slow == rates.end() || slow == rates.begin()) return std::nullopt;
      const double fast = std::prev(slow)->first;
      if (slow->first - fast <= search_.knee_within * highest_) return std::nullopt;
      const base::Rate between((fast + slow->first) / 2);
      for (int i = 0; i < kKneeRepeats && driven < search_.knee_steps_most; ++i, ++driven) {
        const auto one = step(between, rounds_ + 1, 1);
        if (!one) return one.error();
        if (!*one) return std::nullopt;
      }
    }
    return std::nullopt;
  }

  void find_knee_rate() {
    std::vector<capacity::Point> points;
    for (const CapacityStep& step : found_.steps) {
      // The latency of an overrun instance is the length of the step.
      if (step.p95_ms && !step.saturated()) points.push_back({step.offered.value(), *step.p95_ms});
    }
    const auto bend = capacity::latency_bend(points);
    if (bend && capacity::is_knee(*bend)) found_.knee_rate = *bend;
  }

  void judge_objective() {
    std::optional<double> broken;
    for (const CapacityStep& step : found_.steps) {
      if (step.breaks_objective)
        broken = std::min(broken.value_or(step.offered.value()), step.offered.value());
    }
    if (!broken) return;
    for (const CapacityStep& step : found_.steps) {
      if (step.offered.value() >= *broken) continue;
      found_.objective_kept = std::max(found_.objective_kept.value_or(step.offered), step.offered);
    }
  }

  void judge_drift() {
    const int last = rounds_;
    if (last < 2) return;
    const auto excess = [&](int round) {
      double used = 0;
      double expected = 0;
      for (const CapacityStep& step : found_.steps) {
        if (step.round != round || step.saturated()) continue;
        if (!step.utilisation) continue;
        used += step.utilisation->value();
        expected += capacity::utilisation_at(*found_.fit, step.answered).value;
      }
      return expected > 0 ? used / expected : 1;
    };
    found_.drift = excess(last) / excess(1) - 1;
    if (std::fabs(found_.drift) > kDriftMost) {
      found_.notes.push_back(fmt::format(
          "The cost of a request {} by {:.0f} % between the first and the last round: the machine was not "
          "the same throughout, and the interval of the slope does not cover that. Measure again.",
          found_.drift > 0 ? "rose" : "fell", 100 * std::fabs(found_.drift)));
    }
  }

  const CapacitySearch& search_;
  const DriveRate& drive_;
  const CapacityProgress& progress_;
  base::Rng rng_;
  FoundCapacity found_;
  double last_fine_ = 0;
  double highest_ = 0;
  int rounds_ = 0;  // of all rates
};

}  // namespace

bool CapacityStep::saturated() const {
  const double left = static_cast<double>(due) - static_cast<double>(ended);
  return left > std::max(kLeftRequestsMost, kLeftMost * static_cast<double>(due)) ||
         error_share > kErrorsMost || (utilisation && utilisation->value() >= kFullPercent);
}

base::Result<FoundCapacity> find_capacity(const CapacitySearch& search, const DriveRate& drive,
                                          const CapacityProgress& progress) {
  return Finding(search, drive, progress).run();
}

std::string measurements_csv(const std::vector<CapacityStep>& steps) {
  std::string csv = "round,begin,end,offered,rps,cpu_percent,p50_ms,p95_ms,p99_ms,error_percent,full\n";
  const auto number = [](const std::optional<double>& value) {
    return value ? base::format_number(*value) : std::string();
  };
  for (const CapacityStep& step : steps) {
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", step.round, base::format_instant(step.when.from),
                       base::format_instant(step.when.to), base::format_number(step.offered.value()),
                       base::format_number(step.answered.value()),
                       step.utilisation ? base::format_number(step.utilisation->value()) : std::string(),
                       number(step.p50_ms), number(step.p95_ms), number(step.p99_ms),
                       base::format_number(100 * step.error_share), step.saturated() ? 1 : 0);
  }
  return csv;
}

CapacityStep step_of(const Measured& measured, base::Milliseconds start, base::Milliseconds from,
                     base::Milliseconds length) {
  CapacityStep step;
  step.when = {start + from, start + from + length};
  Second sum;
  const auto first = static_cast<std::size_t>(from / kSecond);
  const auto last = static_cast<std::size_t>((from + length) / kSecond);
  for (std::size_t i = first; i < std::min(last, measured.seconds.size()); ++i)
    sum.merge(measured.seconds[i]);
  step.answered = base::Rate(static_cast<double>(sum.answered) / base::seconds(length));
  step.offered = base::Rate(static_cast<double>(sum.due) / base::seconds(length));
  step.due = sum.due;
  step.ended = sum.answered + sum.failed;
  const auto ends = static_cast<double>(step.ended);
  step.error_share = ends > 0 ? static_cast<double>(sum.failed) / ends : 1;
  step.p50_ms = sum.from_schedule_ms.quantile(0.50);
  step.p95_ms = sum.from_schedule_ms.quantile(0.95);
  step.p99_ms = sum.from_schedule_ms.quantile(0.99);
  step.fault = fault_of(sum.counts, measured.first_fault);
  return step;
}

std::vector<CapacityStep> steps_of(const Measured& measured, base::Milliseconds start,
                                   base::Milliseconds settle, base::Milliseconds length) {
  std::vector<CapacityStep> steps;
  const auto whole = static_cast<std::int64_t>(measured.seconds.size()) * kSecond;
  for (base::Milliseconds from = settle; from + length <= whole; from += length) {
    steps.push_back(step_of(measured, start, from, length));
    // What nothing was due in is behind the end of the traffic.
    if (steps.back().due == 0 && steps.back().ended == 0) steps.pop_back();
  }
  return steps;
}

}  // namespace headroom::load
