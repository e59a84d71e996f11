#include "load/find_capacity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/philox.hpp"
#include "base/units.hpp"

namespace headroom::load {
namespace {

constexpr double kLeftMost = 0.05;
constexpr double kLeftRequestsMost = 3;
constexpr double kErrorsMost = 0.05;
constexpr double kFullPercent = 97;
// While the rate rises: towards this utilisation, but neither slower nor faster than these factors.
constexpr double kAimPercent = 100;
constexpr double kRiseLeast = 1.5;
constexpr double kRiseMost = 8;
// Of the saturation: the range that is driven again and again.
constexpr double kLowest = 1.0 / 6;
constexpr double kHighest = 1.05;
// The stream of Philox that orders the steps; no other part uses this number.
constexpr std::uint32_t kOrderStream = 0x0ca9;
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
    measurements.rows.push_back(
        {0, step.answered, step.utilisation, step.p50_ms, step.p95_ms, step.p99_ms, step.error_share});
  }
  return measurements;
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
    if (auto error = repeat()) return *std::move(error);
    auto fit = capacity::fit(measurements_of(found_.steps));
    if (!fit) return fit.error();
    found_.fit = std::move(*fit);
    std::vector<double> full;
    for (const CapacityStep& step : found_.steps) {
      if (step.saturated()) full.push_back(step.answered.value());
    }
    if (!full.empty()) found_.saturation = base::Rate(median(full));
    judge_drift();
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

  std::optional<base::Error> rise() {
    double rate = search_.first.value();
    while (!found_.interrupted) {
      rate = std::min(rate, search_.most.value());
      const auto driven = step(base::Rate(rate), 0, 0);
      if (!driven) return driven.error();
      if (!*driven) return std::nullopt;
      if ((*driven)->saturated()) {
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
      const double used = std::max((*driven)->utilisation.value(), 1.0);
      rate *= std::clamp(kAimPercent / used, kRiseLeast, kRiseMost);
    }
    return std::nullopt;
  }

  std::optional<base::Error> repeat() {
    const int last = std::max(1, search_.rates - 1);
    for (int round = 1; round <= search_.repeats_most && !found_.interrupted; ++round) {
      std::vector<double> rates;
      for (int i = 0; i < search_.rates; ++i) {
        rates.push_back(highest_ * (kLowest + (kHighest - kLowest) * i / last));
      }
      for (std::size_t i = rates.size(); i > 1; --i) std::swap(rates[i - 1], rates[rng_.below(i)]);
      int done = 0;
      for (const double rate : rates) {
        const double share = (round - 1 + static_cast<double>(done++) / search_.rates) / search_.repeats_most;
        const auto driven = step(base::Rate(rate), round, share);
        if (!driven) return driven.error();
        if (!*driven) return std::nullopt;
      }
      if (round < search_.repeats_least) continue;
      const auto fit = capacity::fit(measurements_of(found_.steps));
      if (fit && slope_half_width(*fit) <= search_.slope_within) return std::nullopt;
      if (round == search_.repeats_most && fit) {
        found_.notes.push_back(
            fmt::format("After {} rounds the slope is known to {:.0f} %; {:.0f} % was wanted. Something else "
                        "uses the machine, or the requests differ in cost.",
                        round, 100 * slope_half_width(*fit), 100 * search_.slope_within));
      }
    }
    return std::nullopt;
  }

  void judge_drift() {
    int last = 0;
    for (const CapacityStep& step : found_.steps) last = std::max(last, step.round);
    if (last < 2) return;
    const auto excess = [&](int round) {
      double used = 0;
      double expected = 0;
      for (const CapacityStep& step : found_.steps) {
        if (step.round != round || step.saturated()) continue;
        used += step.utilisation.value();
        expected += capacity::utilisation_at(found_.fit, step.answered).value;
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
};

}  // namespace

bool CapacityStep::saturated() const {
  const double left = static_cast<double>(due) - static_cast<double>(ended);
  return left > std::max(kLeftRequestsMost, kLeftMost * static_cast<double>(due)) ||
         error_share > kErrorsMost || utilisation.value() >= kFullPercent;
}

base::Result<FoundCapacity> find_capacity(const CapacitySearch& search, const DriveRate& drive,
                                          const CapacityProgress& progress) {
  return Finding(search, drive, progress).run();
}

std::string measurements_csv(const std::vector<CapacityStep>& steps) {
  std::string csv = "round,offered,rps,cpu_percent,p50_ms,p95_ms,p99_ms,error_percent\n";
  const auto number = [](const std::optional<double>& value) {
    return value ? base::format_number(*value) : std::string();
  };
  for (const CapacityStep& step : steps) {
    csv += fmt::format("{},{},{},{},{},{},{},{}\n", step.round, base::format_number(step.offered.value()),
                       base::format_number(step.answered.value()),
                       base::format_number(step.utilisation.value()), number(step.p50_ms),
                       number(step.p95_ms), number(step.p99_ms), base::format_number(100 * step.error_share));
  }
  return csv;
}

}  // namespace headroom::load
