#include "cli/fit_output.hpp"

#include <fmt/format.h>

#include <ostream>
#include <string>

#include "report/layout.hpp"

namespace headroom::cli {

void write_fit(const capacity::Fit& fit, const FitAnswers& answers, std::ostream& out) {
  const capacity::Line& line = fit.line;
  const auto interval = [](const capacity::Interval& range, double factor) {
    return fmt::format("{:.6g} to {:.6g}", range.low * factor, range.high * factor);
  };
  out << fmt::format("{} rows used, {:.0f} to {:.0f} requests/min per instance\n\n", fit.rows_used,
                     fit.measured_from.value() * 60, fit.measured_up_to.value() * 60);
  out << fmt::format("{:<22}{:<26}{}\n", "", "", "95 % interval");
  out << fmt::format("{:<22}{:<26}{}\n", "CPU per request/min", fmt::format("{:.7f} %", line.slope / 60),
                     interval(line.slope_95, 1.0 / 60));
  out << fmt::format("{:<22}{:<26}{}\n", "CPU at no load", fmt::format("{:.4g} %", line.intercept),
                     interval(line.intercept_95, 1));
  out << fmt::format("{:<22}{:.4f}\n", "R2", line.r_squared);
  out << fmt::format("{:<22}{}\n", "straight line",
                     fit.curved
                         ? fmt::format("no, curved {} (p {:.2g})",
                                       fit.curvature.upward ? "upward" : "downward", fit.curvature.p_value)
                         : fmt::format("yes (p {:.2g} for a curve)", fit.curvature.p_value));
  if (fit.knee) {
    out << fmt::format("{:<22}{:<26}{}\n", "knee of latency",
                       fmt::format("{:.1f} % ({})", fit.knee->utilisation.value(), fit.knee->quantile),
                       interval(fit.knee->interval_95_percent, 1) + (fit.knee->open_below   ? " or less"
                                                                     : fit.knee->open_above ? " or more"
                                                                                            : ""));
  } else {
    out << fmt::format("{:<22}not found\n", "knee of latency");
  }
  if (fit.saturation) {
    out << fmt::format("{:<22}{:.1f} requests/s answered when full\n", "saturation", fit.saturation->value());
  }
  const auto mark = [](const capacity::Prediction& prediction) {
    if (prediction.beyond_saturation)
      return fmt::format("{:<22}beyond the saturation: it is not answered\n", "");
    return prediction.extrapolated ? fmt::format("{:<22}beyond what was measured\n", "") : std::string();
  };
  if (answers.rate_at_cpu) {
    out << fmt::format("{:<22}{:<26}{}\n{}", fmt::format("rate at {:g} % CPU", answers.cpu.value()),
                       fmt::format("{:.0f} requests/min", answers.rate_at_cpu->value * 60),
                       interval(answers.rate_at_cpu->interval_95, 60), mark(*answers.rate_at_cpu));
  }
  if (answers.cpu_at_rate) {
    out << fmt::format("{:<22}{:<26}{}\n{}", fmt::format("CPU at {:.0f}/min", answers.rate->value() * 60),
                       fmt::format("{:.2f} %", answers.cpu_at_rate->value),
                       interval(answers.cpu_at_rate->interval_95, 1), mark(*answers.cpu_at_rate));
  }
  if (!fit.model.latency.empty()) {
    out << fmt::format("\n{:>8}{:>12}{:>12}{:>12}\n", "CPU", "p50", "p95", "p99");
    for (const capacity::LatencyPoint& point : fit.model.latency) {
      out << fmt::format("{:>6.1f} %{:>9.1f} ms{:>9.1f} ms{:>9.1f} ms\n", point.utilisation.value(),
                         point.p50_ms, point.p95_ms, point.p99_ms);
    }
  }
  if (!fit.notes.empty()) out << '\n';
  for (const std::string& note : fit.notes) out << report::wrapped("- ", note);
}

void write_fit(const capacity::Fit& fit, const FitAnswers& answers, report::JsonWriter& json) {
  const auto interval = [&](const char* key, const capacity::Interval& range, double factor) {
    json.key(key).begin_array().number(range.low * factor).number(range.high * factor).end_array();
  };
  const auto prediction = [&](const char* key, const std::optional<capacity::Prediction>& value,
                              double factor) {
    json.key(key);
    if (!value) {
      json.null();
      return;
    }
    json.begin_object().key("value").number(value->value * factor);
    interval("interval_95", value->interval_95, factor);
    json.key("extrapolated").boolean(value->extrapolated);
    json.key("beyond_saturation").boolean(value->beyond_saturation).end_object();
  };
  json.key("rows_used").natural(fit.rows_used);
  json.key("rows_saturated").natural(fit.rows_saturated);
  json.key("rows_failing").natural(fit.rows_failing);
  json.key("cpu_percent_per_rpm").number(fit.line.slope / 60);
  interval("cpu_percent_per_rpm_interval_95", fit.line.slope_95, 1.0 / 60);
  json.key("intercept_percent").number(fit.line.intercept);
  interval("intercept_percent_interval_95", fit.line.intercept_95, 1);
  json.key("r_squared").number(fit.line.r_squared);
  json.key("curved").boolean(fit.curved);
  json.key("curved_p_value").number(fit.curvature.p_value);
  json.key("measured_from_rpm").number(fit.measured_from.value() * 60);
  json.key("measured_up_to_rpm").number(fit.measured_up_to.value() * 60);
  json.key("knee_percent");
  if (fit.knee) {
    json.number(fit.knee->utilisation.value());
    interval("knee_percent_interval_95", fit.knee->interval_95_percent, 1);
    json.key("knee_may_be_lower").boolean(fit.knee->open_below);
    json.key("knee_may_be_higher").boolean(fit.knee->open_above);
  } else {
    json.null();
  }
  json.key("saturation_rps");
  fit.saturation ? json.number(fit.saturation->value()) : json.null();
  json.key("at_cpu_percent").number(answers.cpu.value());
  prediction("rate_rpm", answers.rate_at_cpu, 60);
  if (answers.rate) {
    json.key("at_rate_rpm").number(answers.rate->value() * 60);
    prediction("cpu_percent", answers.cpu_at_rate, 1);
  }
  json.key("latency").begin_array();
  for (const capacity::LatencyPoint& point : fit.model.latency) {
    json.begin_object().key("cpu_percent").number(point.utilisation.value());
    json.key("p50_ms")
        .number(point.p50_ms)
        .key("p95_ms")
        .number(point.p95_ms)
        .key("p99_ms")
        .number(point.p99_ms);
    json.end_object();
  }
  json.end_array().key("notes").begin_array();
  for (const std::string& note : fit.notes) json.text(note);
  json.end_array();
}

}  // namespace headroom::cli
