#include "capacity/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/csv.hpp"
#include "base/math.hpp"
#include "base/units.hpp"

namespace headroom::capacity {
namespace {

constexpr double saturated_from_percent = 97;
constexpr double failing_above_share = 0.05;
constexpr std::size_t rows_min = 5;

// A full instance that uses less than this has another limit than its CPU; the meter and the line are off by
// a few points.
constexpr double limited_below_percent = 85;

// An F test at the place that fits best is too ready to see a knee; see BrokenLine.
constexpr double knee_below_p = 0.002;

constexpr std::size_t curve_points_max = 12;

struct Quantiles {
  std::vector<double> p50;
  std::vector<double> p95;
  std::vector<double> p99;
};

std::string rows_text(std::size_t count) { return count == 1 ? "1 row" : fmt::format("{} rows", count); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<base::Fault> not_numbers(const Measurements& measurements) {
  std::vector<base::Fault> faults;
  for (const Measurement& row : measurements.rows) {
    bool fine = std::isfinite(row.per_instance.value()) && row.per_instance.value() >= 0 &&
                std::isfinite(row.utilisation.value()) && row.utilisation.value() >= 0;
    for (const auto& latency : {row.p50_ms, row.p95_ms, row.p99_ms}) {
      if (latency && !(std::isfinite(*latency) && *latency >= 0)) fine = false;
    }
    if (!fine) {
      faults.push_back({{measurements.file, row.line, 0},
                        "the row holds a number that is negative or none",
                        "correct or remove the row"});
    }
  }
  return faults;
}

class Fitting {
 public:
  explicit Fitting(const Measurements& measurements) : measurements_(measurements) {}

  base::Result<Fit> run() {
    auto faults = not_numbers(measurements_);
    if (!faults.empty()) return base::error_of(std::move(faults));
    fit_.notes = measurements_.notes;
    choose_rows();
    find_saturation();
    if (auto error = fit_the_line()) return *std::move(error);
    test_shape();
    compare_saturation();
    find_knee();
    draw_latency();
    fit_.model.source = measurements_.file;
    return std::move(fit_);
  }

 private:
  void note(std::string sentence) { fit_.notes.push_back(std::move(sentence)); }

  void choose_rows() {
    for (const Measurement& row : measurements_.rows) {
      if (row.error_share.value_or(0) > failing_above_share) {
        ++fit_.rows_failing;
      } else if (row.utilisation.value() >= saturated_from_percent) {
        ++fit_.rows_saturated;
      } else {
        rows_.push_back(row);
      }
    }
    fit_.rows_used = rows_.size();
    if (fit_.rows_saturated > 0) {
      note(fmt::format("{} at {:.0f} % or more {} saturated and left out.", rows_text(fit_.rows_saturated),
                       saturated_from_percent, fit_.rows_saturated == 1 ? "is" : "are"));
    }
    if (fit_.rows_failing > 0) {
      note(fmt::format("{} with more than {:.0f} % errors {} left out.", rows_text(fit_.rows_failing),
                       failing_above_share * 100, fit_.rows_failing == 1 ? "is" : "are"));
    }
  }

  void find_saturation() {
    std::vector<double> full;
    for (const Measurement& row : measurements_.rows) {
      if (row.full) full.push_back(row.per_instance.value());
    }
    if (full.empty()) return;
    fit_.saturation = base::Rate(median(std::move(full)));
    fit_.model.saturation = fit_.saturation;
  }

  base::Error refuse(std::string what, std::string fix) const {
    return base::bad_input(base::Place{measurements_.file, 0, 0}, std::move(what), std::move(fix));
  }

  std::optional<base::Error> fit_the_line() {
    if (rows_.size() < rows_min) {
      return refuse(
          fmt::format("{} can be used, of {} measured", rows_text(rows_.size()), measurements_.rows.size()),
          fmt::format("measure at {} rates or more below saturation", rows_min));
    }
    for (const Measurement& row : rows_)
      points_.push_back({row.per_instance.value(), row.utilisation.value()});
    const auto [low, high] = std::minmax_element(points_.begin(), points_.end(),
                                                 [](const Point& a, const Point& b) { return a.x < b.x; });
    fit_.measured_from = base::Rate(low->x);
    fit_.measured_up_to = base::Rate(high->x);
    // Rates that differ by rounding only would give a line of any slope.
    if (high->x - low->x <= 1e-6 * high->x) {
      return refuse(
          fmt::format("all rows have the same request rate, {}", base::format_rate(fit_.measured_up_to)),
          "measure at different rates");
    }
    fit_.line = fit_line(points_);
    const Line& line = fit_.line;
    const std::string interval = fmt::format("slope {:.4g} % per rps, 95 % interval {:.4g} to {:.4g}",
                                             line.slope, line.slope_95.low, line.slope_95.high);
    if (line.slope <= 0) {
      return refuse(fmt::format("utilisation falls or stays as the request rate rises ({})", interval),
                    "check that the columns belong together and that the service ran alone");
    }
    if (line.slope_95.low <= 0) {
      return refuse(fmt::format("the rows scatter too much to show that utilisation rises with the rate ({})",
                                interval),
                    "measure longer, or over a wider range of rates");
    }
    CapacityModel& model = fit_.model;
    model.slope_percent_per_rps = line.slope;
    model.intercept_percent = line.intercept;
    model.slope_interval_95 = line.slope_95;
    model.r_squared = line.r_squared;
    model.measured_up_to = fit_.measured_up_to;
    note(fmt::format("The line holds between {} and {} per instance; beyond, it is an extrapolation.",
                     base::format_rate(rounded(fit_.measured_from)),
                     base::format_rate(rounded(fit_.measured_up_to))));
    if (line.intercept < 0 && line.intercept_95.high < 0) {
      note(fmt::format(
          "Without requests the line gives {:.2f} %, which is not possible: it bends below the lowest "
          "measured rate.",
          line.intercept));
    }
    return std::nullopt;
  }

  // For people: a hundredth of a request per second.
  static base::Rate rounded(base::Rate rate) {
    return base::Rate(base::round_half_even(rate.value() * 100) / 100);
  }

  void test_shape() {
    fit_.curvature = test_curvature(points_, fit_.line);
    fit_.curved = fit_.curvature.p_value < curved_below_p;
    if (fit_.curved) {
      note(fmt::format(
          "Utilisation is not linear in the request rate (p = {:.2g}): it {} than the line, by up to "
          "{:.2f} points; read the figures as an average.",
          fit_.curvature.p_value,
          fit_.curvature.upward ? "rises faster towards high rates" : "rises slower towards high rates",
          fit_.curvature.departure_max));
    } else {
      note(fmt::format("Nothing speaks against a straight line (p = {:.2g}, bend up to {:.2f} points).",
                       fit_.curvature.p_value, fit_.curvature.departure_max));
    }
  }

  // Another limit than the CPU (locks, connections, a quota) makes the line promise what cannot be had.
  void compare_saturation() {
    if (!fit_.saturation) return;
    const double used = value_at(fit_.line, fit_.saturation->value());
    if (used >= limited_below_percent) return;
    note(fmt::format(
        "The instance is full at {}, where the line gives {:.0f} % of its CPU: something else is its "
        "limit, and it does not answer what the line gives for more.",
        base::format_rate(rounded(*fit_.saturation)), used));
  }

  // The quantile that is measured in most rows; of several p95 before p99 before p50.
  void find_knee() {
    const struct {
      const char* name;
      std::optional<double> Measurement::*latency;
    } quantiles[] = {
        {"p95", &Measurement::p95_ms}, {"p99", &Measurement::p99_ms}, {"p50", &Measurement::p50_ms}};
    std::vector<Point> best;
    std::string name;
    for (const auto& quantile : quantiles) {
      std::vector<Point> points;
      for (const Measurement& row : rows_) {
        const auto& latency = row.*quantile.latency;
        if (latency && *latency > 0) points.push_back({row.utilisation.value(), *latency});
      }
      if (points.size() > best.size()) {
        best = std::move(points);
        name = quantile.name;
      }
    }
    if (best.empty()) {
      note("Latency was not measured: there is no knee and no latency curve.");
      return;
    }
    const auto bend = latency_bend(best);
    if (!bend) {
      note(fmt::format("{} with a latency do not suffice to look for a knee; 8 at different utilisations do.",
                       rows_text(best.size())));
      return;
    }
    if (!is_knee(*bend)) {
      note(fmt::format(
          "No knee: {} shows no utilisation up to {:.1f} % beyond which it grows faster (p = {:.2g}).", name,
          highest_utilisation(), bend->p_value));
      return;
    }
    Knee knee;
    knee.utilisation = base::Percent(bend->at);
    knee.interval_95_percent = bend->at_95;
    knee.open_below = bend->open_below;
    knee.open_above = bend->open_above;
    knee.p_value = bend->p_value;
    knee.growth_before = base::exp(10 * bend->slope_before);
    knee.growth_after = base::exp(10 * bend->slope_after);
    knee.quantile = name;
    fit_.model.knee = knee.utilisation;
    note(fmt::format(
        "The knee is at {:.1f} % (95 % interval {:.1f} to {:.1f}): per 10 points of utilisation {} "
        "grows by a factor of {:.2f} below and {:.2f} above it.",
        bend->at, bend->at_95.low, bend->at_95.high, name, knee.growth_before, knee.growth_after));
    if (knee.open_below || knee.open_above) {
      note(fmt::format(
          "The interval of the knee ends where the measurements do: it may lie {}. Measure more rates {}.",
          !knee.open_above  ? "lower"
          : knee.open_below ? "lower or higher"
                            : "higher",
          !knee.open_above  ? "below"
          : knee.open_below ? "on both sides"
                            : "above it"));
    }
    fit_.knee = std::move(knee);
  }

  double highest_utilisation() const {
    double highest = 0;
    for (const Measurement& row : rows_) highest = std::max(highest, row.utilisation.value());
    return highest;
  }

  // A quantile that was not measured takes the place of the next one, and the note says so.
  void draw_latency() {
    std::vector<Measurement> rows;
    bool has50 = false;
    bool has95 = false;
    bool has99 = false;
    for (const Measurement& row : rows_) {
      has50 = has50 || row.p50_ms.has_value();
      has95 = has95 || row.p95_ms.has_value();
      has99 = has99 || row.p99_ms.has_value();
    }
    if (!has50 && !has95 && !has99) return;
    for (Measurement row : rows_) {
      if ((has50 && !row.p50_ms) || (has95 && !row.p95_ms) || (has99 && !row.p99_ms)) continue;
      if (!has95) row.p95_ms = has99 ? row.p99_ms : row.p50_ms;
      if (!has50) row.p50_ms = row.p95_ms;
      if (!has99) row.p99_ms = row.p95_ms;
      rows.push_back(row);
    }
    if (!has95)
      note(fmt::format("p95 was not measured; the latency curve holds {} in its place.",
                       has99 ? "p99" : "p50"));
    if (!has50) note("p50 was not measured; the latency curve holds p95 in its place.");
    if (!has99) note("p99 was not measured; the latency curve holds p95 in its place, which is too low.");
    std::stable_sort(rows.begin(), rows.end(), [](const Measurement& a, const Measurement& b) {
      return a.utilisation < b.utilisation;
    });
    // Two rows or more to a group, where there are so many, for a median to mean something.
    const std::size_t groups = std::min(curve_points_max, rows.size() >= 8 ? rows.size() / 2 : rows.size());
    std::vector<double> utilisations;
    Quantiles medians;
    for (std::size_t group = 0; group < groups; ++group) {
      const std::size_t begin = group * rows.size() / groups;
      const std::size_t end = (group + 1) * rows.size() / groups;
      std::vector<double> utilisation;
      Quantiles latency;
      for (std::size_t i = begin; i < end; ++i) {
        utilisation.push_back(rows[i].utilisation.value());
        latency.p50.push_back(*rows[i].p50_ms);
        latency.p95.push_back(*rows[i].p95_ms);
        latency.p99.push_back(*rows[i].p99_ms);
      }
      utilisations.push_back(median(std::move(utilisation)));
      medians.p50.push_back(median(std::move(latency.p50)));
      medians.p95.push_back(median(std::move(latency.p95)));
      medians.p99.push_back(median(std::move(latency.p99)));
    }
    const Quantiles curve{non_decreasing(medians.p50), non_decreasing(medians.p95),
                          non_decreasing(medians.p99)};
    for (std::size_t i = 0; i < utilisations.size(); ++i) {
      std::vector<LatencyPoint>& points = fit_.model.latency;
      const LatencyPoint point{base::Percent(utilisations[i]), curve.p50[i], curve.p95[i], curve.p99[i]};
      // Two latencies at one utilisation are no curve: the higher one counts.
      if (!points.empty() && points.back().utilisation == point.utilisation) points.pop_back();
      points.push_back(point);
    }
  }

  const Measurements& measurements_;
  std::vector<Measurement> rows_;
  std::vector<Point> points_;
  Fit fit_;
};

bool measured(const Fit& fit, double rate) {
  return rate >= fit.measured_from.value() && rate <= fit.measured_up_to.value();
}

bool is_beyond(const Fit& fit, double rate) { return fit.saturation && rate > fit.saturation->value(); }

}  // namespace

base::Result<Fit> fit(const Measurements& measurements) { return Fitting(measurements).run(); }

std::optional<BrokenLine> latency_bend(const std::vector<Point>& points) {
  std::vector<Point> logarithms;
  for (const Point& point : points) {
    if (point.y > 0) logarithms.push_back({point.x, base::log(point.y)});
  }
  return fit_broken_line(std::move(logarithms));
}

bool is_knee(const BrokenLine& bend) {
  return bend.p_value < knee_below_p && bend.slope_after > bend.slope_before && bend.slope_after > 0;
}

Prediction utilisation_at(const Fit& fit, base::Rate per_instance) {
  const double rate = per_instance.value();
  return {value_at(fit.line, rate), interval_at(fit.line, rate), !measured(fit, rate), is_beyond(fit, rate)};
}

std::optional<Prediction> rate_at(const Fit& fit, base::Percent utilisation) {
  const auto inverse = inverse_at(fit.line, utilisation.value());
  if (!inverse || inverse->x < 0) return std::nullopt;
  return Prediction{inverse->x, inverse->interval_95, !measured(fit, inverse->x), is_beyond(fit, inverse->x)};
}

}  // namespace headroom::capacity
