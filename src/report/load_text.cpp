#include "report/load_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "report/layout.hpp"
#include "report/text.hpp"
#include "report/words.hpp"

namespace headroom::report {
namespace {

// Over so many seconds the figures of a moment are taken: one second of little traffic is a handful of
// requests.
constexpr std::size_t kRecentSeconds = 5;
constexpr int kBars = 60;

// A test of months or of tens of thousands of kinds of requests is for summary.json.
constexpr std::size_t kGroupLines = 20;

double of(std::uint64_t count) { return static_cast<double>(count); }

std::string count_text(std::uint64_t count) { return number_text(of(count), 0); }

std::string share_text(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? "-" : percent_text(100 * of(part) / of(all));
}

std::string ms_text(const std::optional<double>& ms) { return ms ? short_text(*ms) : "-"; }

// In a column of milliseconds: hours of them would not fit.
std::string ms_cell(const std::optional<double>& ms) {
  constexpr double kLongest = 100'000;
  return ms && *ms >= kLongest ? number_text(*ms / 1000, 0) + " s" : ms_text(ms);
}

base::Milliseconds whole_seconds(base::Nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time);
}

std::string length_text(base::Nanoseconds time) {
  const auto ms = std::chrono::duration_cast<base::Milliseconds>(time);
  // Tenths where they mean something.
  if (ms.count() < 60'000)
    return number_text(std::floor(of(static_cast<std::uint64_t>(ms.count())) / 100) / 10, 1) + " s";
  return duration_text(whole_seconds(time));
}

std::string verdicts_text(const std::vector<load::Verdict>& verdicts) {
  if (verdicts.empty()) return "";
  std::string text = fmt::format("  THRESHOLDS {}\n", load::any_met(verdicts) ? "FAILED" : "HELD");
  for (const load::Verdict& verdict : verdicts) {
    std::string value = "nothing measured";
    if (verdict.value) {
      const std::string_view unit = verdict.threshold.unit();
      value = short_text(*verdict.value) + (unit == "ms" ? " ms" : unit == "percent" ? " %" : " rps");
    }
    text += "    " + left(cut(verdict.threshold.text, 30), 32) + right(value, 16) +
            (verdict.met ? "   FAILED" : "   held") + '\n';
  }
  return text + '\n';
}

std::string outcomes_text(const load::Counts& counts) {
  std::string text;
  const auto row = [&](std::string_view name, std::uint64_t count) {
    text +=
        "  " + left(name, 26) + right(count_text(count), 14) + "   " + share_text(count, counts.all()) + '\n';
  };
  for (const auto& [status, count] : counts.statuses) row(fmt::format("status {}", status), count);
  for (std::size_t i = 1; i < load::kOutcomes; ++i) {
    if (counts.outcomes[i] > 0) row(load::words(static_cast<load::Outcome>(i)), counts.outcomes[i]);
  }
  return text;
}

std::string latency_text(const load::Tally& tally) {
  std::string text = "  " + left("LATENCY in ms", 15);
  for (const char* name : {"p50", "p90", "p95", "p99", "p99.9", "max", "mean"}) text += right(name, 9);
  text += '\n';
  const auto row = [&](std::string_view name, const telemetry::Histogram& histogram) {
    text += "  " + left(name, 15);
    for (const double share : {0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
      text += right(ms_cell(histogram.quantile(share)), 9);
    }
    text += right(ms_cell(histogram.mean()), 9) + '\n';
  };
  row("from schedule", tally.from_schedule_ms);
  row("from sending", tally.from_sending_ms);
  return text + "  The difference is what requests waited before they could be sent.\n";
}

std::string groups_text(std::string_view title, const std::vector<load::Group>& groups) {
  if (groups.size() < 2) return "";
  constexpr int kName = 25;
  std::string text = "\n  " + left(title, kName) + right("requests", 14) + right("failed", 13) +
                     right("p50", 8) + right("p99", 9) + right("sent p99", 9) + '\n';
  for (std::size_t i = 0; i < std::min(kGroupLines, groups.size()); ++i) {
    const load::Tally& tally = groups[i].tally;
    text += "  " + left(cut(visible(groups[i].name), kName - 1), kName) +
            right(count_text(tally.counts.all()), 14) + right(count_text(tally.counts.failed()), 13) +
            right(ms_cell(tally.from_schedule_ms.quantile(0.5)), 8) +
            right(ms_cell(tally.from_schedule_ms.quantile(0.99)), 9) +
            right(ms_cell(tally.from_sending_ms.quantile(0.99)), 9) + '\n';
  }
  if (groups.size() > kGroupLines) {
    text += fmt::format("  and {} more, in summary.json\n", count_text(groups.size() - kGroupLines));
  }
  return text;
}

std::string generator_text(const load::Measured& measured) {
  std::string text = "\n";
  const auto row = [&](std::string_view name, std::string_view value, std::string_view more) {
    text += "  " + left(name, 26) + right(value, 14) + "   " + std::string(more) + '\n';
  };
  row("generator", number_text(100 * measured.generator_share(), 0) + " %",
      measured.generator_threads == 1 ? "of its thread's time"
                                      : fmt::format("of its {} threads' time", measured.generator_threads));
  row("its lateness", ms_text(measured.lateness_ms.quantile(0.99)) + " ms",
      fmt::format("p99; at most {} ms", ms_text(measured.lateness_ms.max())));
  row("late requests", count_text(measured.late()),
      fmt::format("{}; more than {} ms", share_text(measured.late(), measured.lateness_ms.count()),
                  load::kLateMs));
  row("connections", count_text(measured.connections), "opened");
  if (measured.retried > 0) row("sent again", count_text(measured.retried), "an idle connection was closed");
  return text;
}

// The last seconds of a moment as one.
load::Second recent(const LoadMoment& moment, std::size_t& count) {
  load::Second sum;
  count = std::min(kRecentSeconds, moment.seconds.size());
  for (std::size_t i = moment.seconds.size() - count; i < moment.seconds.size(); ++i) {
    sum.merge(moment.seconds[i]);
  }
  return sum;
}

std::string time_text(const LoadMoment& moment) {
  if (moment.since_start.count() < 0) {
    return "starts in " + duration_text(whole_seconds(-moment.since_start) + std::chrono::seconds(1));
  }
  std::string text = duration_text(whole_seconds(moment.since_start));
  if (!moment.length) return text;
  if (moment.since_start > *moment.length) return text + ", the last answers";
  return text + " of " + duration_text(std::chrono::duration_cast<base::Milliseconds>(*moment.length));
}

load::Counts counts_so_far(const LoadMoment& moment) {
  load::Counts counts;
  for (const load::Second& second : moment.seconds) counts.merge(second.counts);
  return counts;
}

std::string errors_text(const load::Counts& counts) {
  std::string text;
  const auto add = [&](const std::string& what, std::uint64_t count) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count_text(count), what);
  };
  for (const auto& [status, count] : counts.statuses) {
    if (status >= 400) add(fmt::format("status {}", status), count);
  }
  for (std::size_t i = 1; i < load::kOutcomes; ++i) {
    if (counts.outcomes[i] > 0)
      add(std::string(load::words(static_cast<load::Outcome>(i))), counts.outcomes[i]);
  }
  return text.empty() ? "none" : text;
}

double generator_percent(const load::Second& sum, std::size_t seconds, int threads) {
  return seconds == 0 || threads == 0 ? 0 : 100 * sum.generator_cores / of(seconds) / threads;
}

}  // namespace

std::string load_text(const LoadRun& run) {
  const load::Measured& measured = run.measured;
  const load::Tally total = measured.total();
  const std::uint64_t all = total.counts.all();
  const std::uint64_t failed = total.counts.failed();
  std::string text =
      wrapped("", fmt::format("{}: {} traffic to {} for {}", run.name, run.open ? "open" : "closed", run.url,
                              length_text(measured.duration))) +
      '\n';
  if (run.shards_of > 1) {
    const auto missing = missing_shards(run);
    if (missing.empty()) {
      text += wrapped("  ", fmt::format("All {} shards of the traffic.", run.shards_of)) + '\n';
    } else {
      std::string shards;
      for (const std::uint64_t shard : run.shards)
        shards += fmt::format("{}{}", shards.empty() ? "" : ", ", shard);
      text += wrapped("  ", fmt::format("PART OF THE TRAFFIC: shard{} {} of {}.",
                                        run.shards.size() > 1 ? "s" : "", shards, run.shards_of)) +
              '\n';
    }
  }
  if (run.stopped) {
    text += wrapped("  ", fmt::format("STOPPED EARLY: {} requests were under way and are not counted.",
                                      count_text(measured.interrupted))) +
            '\n';
  }
  text += verdicts_text(run.verdicts);
  const std::vector<std::string> warnings = load_warnings(run);
  for (const std::string& warning : warnings) text += wrapped("  WARNING: ", warning);
  if (!warnings.empty()) text += '\n';

  const auto row = [&](std::string_view name, std::string_view value, std::string_view more) {
    text += "  " + left(name, 26) + right(value, 14) + (more.empty() ? "" : "   ") + std::string(more) + '\n';
  };
  row("requests", count_text(all), "");
  row("answered", count_text(all - failed), short_text(measured.answered_per_second()) + " a second");
  row("failed", count_text(failed), share_text(failed, all));
  text += '\n' + outcomes_text(total.counts);
  if (!measured.first_fault.empty()) text += wrapped("  the first without answer: ", measured.first_fault);
  text += '\n' + latency_text(total);
  text += groups_text("STAGES", measured.stages);
  text += groups_text("REQUESTS", measured.requests);
  text += generator_text(measured);
  return text + notes_text(run.notes);
}

std::string load_moment_block(const LoadMoment& moment, Colours colours) {
  std::size_t seconds = 0;
  const load::Second sum = recent(moment, seconds);
  const load::Second last = moment.seconds.empty() ? load::Second{} : moment.seconds.back();
  const std::string time = time_text(moment);
  const int room = kTextColumns - columns_of(time) - 2;
  std::string text =
      left(cut(visible(fmt::format("{} to {}", moment.name, moment.url)), room), room) + "  " + time + '\n';
  const auto line = [&](std::string_view name, std::string_view value) {
    text += "  " + left(name, 10) + cut(value, kTextColumns - 13) + '\n';
  };
  line("requests", fmt::format("{} due/s  {} answered/s  {} failed/s", right(count_text(last.due), 7),
                               right(count_text(last.answered), 7), right(count_text(last.failed), 7)));
  line("latency", fmt::format("p50 {} ms  p95 {} ms  p99 {} ms, from schedule",
                              right(ms_text(sum.from_schedule_ms.quantile(0.5)), 7),
                              right(ms_text(sum.from_schedule_ms.quantile(0.95)), 7),
                              right(ms_text(sum.from_schedule_ms.quantile(0.99)), 7)));
  const std::string errors = errors_text(counts_so_far(moment));
  const bool red = colours == Colours::some && errors != "none";
  if (red) text += "\x1b[31m";
  line("errors", errors);
  if (red) text += "\x1b[0m";
  line("under way",
       fmt::format(
           "{} requests; the generator used {} % of {}", right(count_text(last.under_way_most), 7),
           number_text(generator_percent(sum, seconds, moment.threads), 0),
           moment.threads == 1 ? std::string("its thread") : fmt::format("its {} threads", moment.threads)));
  const std::size_t first = moment.seconds.size() - std::min<std::size_t>(kBars, moment.seconds.size());
  std::vector<double> rates;
  std::vector<double> p99s;
  for (std::size_t i = first; i < moment.seconds.size(); ++i) {
    rates.push_back(of(moment.seconds[i].answered));
    p99s.push_back(moment.seconds[i].from_schedule_ms.quantile(0.99).value_or(std::nan("")));
  }
  line("answered", bars_text(rates, kBars));
  line("p99", bars_text(p99s, kBars));
  return text;
}

std::string load_moment_line(const LoadMoment& moment) {
  if (moment.since_start.count() < 0) return time_text(moment);
  std::size_t seconds = 0;
  const load::Second sum = recent(moment, seconds);
  const double over = of(std::max<std::size_t>(seconds, 1));
  const load::Second last = moment.seconds.empty() ? load::Second{} : moment.seconds.back();
  return fmt::format(
      "{}: {} due/s, {} answered/s, {} failed/s, p50 {} ms, p95 {} ms, p99 {} ms, {} under way, generator {} "
      "%",
      time_text(moment), short_text(of(sum.due) / over), short_text(of(sum.answered) / over),
      short_text(of(sum.failed) / over), ms_text(sum.from_schedule_ms.quantile(0.5)),
      ms_text(sum.from_schedule_ms.quantile(0.95)), ms_text(sum.from_schedule_ms.quantile(0.99)),
      count_text(last.under_way_most), number_text(generator_percent(sum, seconds, moment.threads), 0));
}

}  // namespace headroom::report
