#include "report/load_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/units.hpp"
#include "load/job.hpp"
#include "report/json.hpp"
#include "report/words.hpp"

namespace headroom::report {
namespace {

// Of histograms.json: a program refuses the file of another one.
constexpr int kFormat = 1;

constexpr base::Milliseconds kLatest{253'402'300'799'999};  // the end of the year 9999

double share_of(double part, double all) { return all > 0 ? 100 * part / all : std::nan(""); }

double seconds_of(base::Nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

std::string name_of(load::Outcome outcome) {
  std::string name(load::words(outcome));
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

double or_none(const std::optional<double>& value) { return value.value_or(std::nan("")); }

void write_latency(JsonWriter& json, std::string_view name, const telemetry::Histogram& histogram) {
  json.key(name).begin_object();
  json.key("mean_ms").number(or_none(histogram.mean()));
  json.key("p50_ms").number(or_none(histogram.quantile(0.5)));
  json.key("p90_ms").number(or_none(histogram.quantile(0.9)));
  json.key("p95_ms").number(or_none(histogram.quantile(0.95)));
  json.key("p99_ms").number(or_none(histogram.quantile(0.99)));
  json.key("p99_9_ms").number(or_none(histogram.quantile(0.999)));
  json.key("max_ms").number(or_none(histogram.max()));
  json.end_object();
}

// The members of an object that is open.
void write_tally(JsonWriter& json, const load::Tally& tally) {
  const std::uint64_t all = tally.counts.all();
  const std::uint64_t failed = tally.counts.failed();
  json.key("requests").natural(all);
  json.key("answered_requests").natural(all - failed);
  json.key("failed_requests").natural(failed);
  json.key("failed_percent").number(share_of(static_cast<double>(failed), static_cast<double>(all)));
  json.key("body_bytes").natural(tally.body_bytes);
  json.key("statuses").begin_array();
  for (const auto& [status, count] : tally.counts.statuses) {
    json.begin_object();
    json.key("status").integer(status);
    json.key("requests").natural(count);
    json.end_object();
  }
  json.end_array();
  // Without those answered, which the statuses tell apart.
  json.key("without_answer").begin_array();
  for (std::size_t i = 1; i < load::kOutcomes; ++i) {
    if (tally.counts.outcomes[i] == 0) continue;
    json.begin_object();
    json.key("outcome").text(name_of(static_cast<load::Outcome>(i)));
    json.key("requests").natural(tally.counts.outcomes[i]);
    json.end_object();
  }
  json.end_array();
  write_latency(json, "from_schedule", tally.from_schedule_ms);
  write_latency(json, "from_sending", tally.from_sending_ms);
}

void write_groups(JsonWriter& json, std::string_view name, const std::vector<load::Group>& groups) {
  json.key(name).begin_array();
  for (const load::Group& group : groups) {
    json.begin_object();
    json.key("name").text(group.name);
    write_tally(json, group.tally);
    json.end_object();
  }
  json.end_array();
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
}

void write_shards(JsonWriter& json, const LoadRun& run) {
  json.key("shards").begin_array();
  for (const std::uint64_t shard : run.shards) json.natural(shard);
  json.end_array();
  json.key("shards_of").natural(run.shards_of);
}

}  // namespace

std::string load_series_csv(const LoadRun& run) {
  std::string text =
      "second,due_requests,sent_requests,answered_requests,failed_requests,"
      "p50_ms,p90_ms,p95_ms,p99_ms,max_ms,sent_p50_ms,sent_p90_ms,sent_p95_ms,sent_p99_ms,sent_max_ms,"
      "under_way_requests_max,generator_cores\n";
  const auto out = std::back_inserter(text);
  const auto latency = [&](const telemetry::Histogram& histogram) {
    for (const double share : {0.5, 0.9, 0.95, 0.99, 1.0}) {
      // An empty field where nothing ended, as spreadsheets and pandas read it.
      if (const auto value = histogram.quantile(share)) fmt::format_to(out, "{}", *value);
      text += ',';
    }
  };
  for (std::size_t i = 0; i < run.measured.seconds.size(); ++i) {
    const load::Second& second = run.measured.seconds[i];
    fmt::format_to(out, "{},{},{},{},{},", i, second.due, second.sent, second.answered, second.failed);
    latency(second.from_schedule_ms);
    latency(second.from_sending_ms);
    fmt::format_to(out, "{},{}\n", second.under_way_most, second.generator_cores);
  }
  return text;
}

void write_load_summary(JsonWriter& json, const LoadRun& run) {
  const load::Measured& measured = run.measured;
  json.begin_object();
  json.key("name").text(run.name);
  json.key("url").text(run.url);
  json.key("traffic").text(run.open ? "open" : "closed");
  json.key("fingerprint").text(run.fingerprint);
  json.key("seed").natural(run.seed);
  json.key("start_utc").text(utc_text(run.start));
  json.key("duration_seconds").number(seconds_of(measured.duration));
  write_shards(json, run);
  json.key("stopped_early").boolean(run.stopped);
  json.key("summary").begin_object();
  json.key("answered_per_second").number(measured.answered_per_second());
  write_tally(json, measured.total());
  json.key("interrupted_requests").natural(measured.interrupted);
  json.key("first_fault").text(measured.first_fault);
  json.end_object();
  write_groups(json, "stages", measured.stages);
  write_groups(json, "each_request", measured.requests);
  json.key("generator").begin_object();
  json.key("threads").integer(measured.generator_threads);
  json.key("cpu_seconds").number(seconds_of(measured.generator_cpu));
  json.key("cpu_percent").number(100 * measured.generator_share());
  json.key("late_p99_ms").number(or_none(measured.lateness_ms.quantile(0.99)));
  json.key("late_max_ms").number(or_none(measured.lateness_ms.max()));
  json.key("late_requests").natural(measured.late());
  json.key("late_percent")
      .number(
          share_of(static_cast<double>(measured.late()), static_cast<double>(measured.lateness_ms.count())));
  json.key("connections").natural(measured.connections);
  json.key("retried_requests").natural(measured.retried);
  json.end_object();
  json.key("thresholds").begin_array();
  for (const load::Verdict& verdict : run.verdicts) {
    json.begin_object();
    json.key("fail_if").text(verdict.threshold.text);
    json.key(fmt::format("value_{}", verdict.threshold.unit())).number(or_none(verdict.value));
    json.key("failed").boolean(verdict.met);
    json.end_object();
  }
  json.end_array();
  write_texts(json, "warnings", load_warnings(run));
  write_texts(json, "notes", run.notes);
  json.end_object();
}

std::string load_summary_json(const LoadRun& run) {
  JsonWriter json;
  write_load_summary(json, run);
  return json.str() + "\n";
}

namespace {

// What is written in histograms.json and read back, in one place for each kind of value.

using Json = nlohmann::json;

void write(JsonWriter& json, std::string_view name, const telemetry::Histogram& histogram) {
  const auto contents = histogram.contents();
  json.key(name).begin_object();
  json.key("min_ms").number(contents.min);
  json.key("max_ms").number(contents.max);
  json.key("first_bucket").natural(contents.first);
  json.key("counts").begin_array();
  for (const std::uint64_t count : contents.counts) json.natural(count);
  json.end_array();
  json.end_object();
}

telemetry::Histogram histogram_of(const Json& json) {
  auto histogram = telemetry::Histogram::of({json.at("min_ms").get<double>(), json.at("max_ms").get<double>(),
                                             json.at("first_bucket").get<std::size_t>(),
                                             json.at("counts").get<std::vector<std::uint64_t>>()});
  if (!histogram) throw Json::other_error::create(0, "no histogram has these counts", nullptr);
  return std::move(*histogram);
}

void write(JsonWriter& json, const load::Counts& counts) {
  json.key("outcomes").begin_object();
  for (std::size_t i = 0; i < load::kOutcomes; ++i) {
    if (counts.outcomes[i] > 0) {
      json.key(name_of(static_cast<load::Outcome>(i))).natural(counts.outcomes[i]);
    }
  }
  json.end_object();
  json.key("statuses").begin_object();
  for (const auto& [status, count] : counts.statuses) json.key(std::to_string(status)).natural(count);
  json.end_object();
}

load::Counts counts_of(const Json& json) {
  load::Counts counts;
  for (const auto& [name, count] : json.at("outcomes").items()) {
    std::size_t i = 0;
    while (i < load::kOutcomes && name_of(static_cast<load::Outcome>(i)) != name) ++i;
    if (i == load::kOutcomes) throw Json::other_error::create(0, "an unknown outcome", nullptr);
    counts.outcomes[i] = count.get<std::uint64_t>();
  }
  for (const auto& [status, count] : json.at("statuses").items()) {
    const auto number = base::parse_integer(status);
    if (!number) throw Json::other_error::create(0, "a status that is no number", nullptr);
    counts.statuses[static_cast<int>(*number)] = count.get<std::uint64_t>();
  }
  return counts;
}

void write(JsonWriter& json, std::string_view name, const std::vector<load::Group>& groups) {
  json.key(name).begin_array();
  for (const load::Group& group : groups) {
    json.begin_object();
    json.key("name").text(group.name);
    write(json, group.tally.counts);
    json.key("body_bytes").natural(group.tally.body_bytes);
    write(json, "from_schedule", group.tally.from_schedule_ms);
    write(json, "from_sending", group.tally.from_sending_ms);
    json.end_object();
  }
  json.end_array();
}

std::vector<load::Group> groups_of(const Json& json) {
  std::vector<load::Group> groups;
  for (const Json& each : json) {
    load::Group& group = groups.emplace_back();
    group.name = each.at("name").get<std::string>();
    group.tally.counts = counts_of(each);
    group.tally.body_bytes = each.at("body_bytes").get<std::uint64_t>();
    group.tally.from_schedule_ms = histogram_of(each.at("from_schedule"));
    group.tally.from_sending_ms = histogram_of(each.at("from_sending"));
  }
  return groups;
}

void write(JsonWriter& json, const std::vector<load::Second>& seconds) {
  json.key("seconds").begin_array();
  for (const load::Second& second : seconds) {
    json.begin_object();
    json.key("due_requests").natural(second.due);
    json.key("sent_requests").natural(second.sent);
    json.key("answered_requests").natural(second.answered);
    json.key("failed_requests").natural(second.failed);
    write(json, second.counts);
    json.key("under_way_requests_max").natural(second.under_way_most);
    json.key("generator_cores").number(second.generator_cores);
    write(json, "from_schedule", second.from_schedule_ms);
    write(json, "from_sending", second.from_sending_ms);
    json.end_object();
  }
  json.end_array();
}

std::vector<load::Second> seconds_of(const Json& json) {
  std::vector<load::Second> seconds;
  for (const Json& each : json) {
    load::Second& second = seconds.emplace_back();
    second.due = each.at("due_requests").get<std::uint64_t>();
    second.sent = each.at("sent_requests").get<std::uint64_t>();
    second.answered = each.at("answered_requests").get<std::uint64_t>();
    second.failed = each.at("failed_requests").get<std::uint64_t>();
    second.counts = counts_of(each);
    second.under_way_most = each.at("under_way_requests_max").get<std::uint64_t>();
    second.generator_cores = each.at("generator_cores").get<double>();
    second.from_schedule_ms = histogram_of(each.at("from_schedule"));
    second.from_sending_ms = histogram_of(each.at("from_sending"));
  }
  return seconds;
}

LoadRun run_of(const Json& json) {
  if (json.at("format").get<int>() != kFormat) {
    throw Json::other_error::create(0, "written by another version of headroom", nullptr);
  }
  LoadRun run;
  run.name = json.at("name").get<std::string>();
  run.url = json.at("url").get<std::string>();
  run.open = json.at("traffic").get<std::string>() == "open";
  run.fingerprint = json.at("fingerprint").get<std::string>();
  run.seed = json.at("seed").get<std::uint64_t>();
  run.start = base::Milliseconds(json.at("start_ms_since_1970").get<std::int64_t>());
  run.shards = json.at("shards").get<std::vector<std::uint64_t>>();
  run.shards_of = json.at("shards_of").get<std::uint64_t>();
  run.stopped = json.at("stopped_early").get<bool>();
  load::Measured& measured = run.measured;
  measured.duration = base::Nanoseconds(json.at("duration_ns").get<std::int64_t>());
  measured.generator_cpu = base::Nanoseconds(json.at("generator_cpu_ns").get<std::int64_t>());
  measured.generator_threads = json.at("generator_threads").get<int>();
  measured.connections = json.at("connections").get<std::uint64_t>();
  measured.retried = json.at("retried_requests").get<std::uint64_t>();
  measured.interrupted = json.at("interrupted_requests").get<std::uint64_t>();
  measured.first_fault = json.at("first_fault").get<std::string>();
  measured.lateness_ms = histogram_of(json.at("late"));
  measured.stages = groups_of(json.at("stages"));
  measured.requests = groups_of(json.at("each_request"));
  measured.seconds = seconds_of(json.at("seconds"));
  for (const Json& text : json.at("fail_if")) {
    const auto threshold = load::parse_threshold(text.get<std::string>());
    if (!threshold) throw Json::other_error::create(0, "a threshold that is none", nullptr);
    run.verdicts.push_back(load::judge(*threshold, measured));
  }
  run.notes = json.at("notes").get<std::vector<std::string>>();
  const bool ascending = std::is_sorted(run.shards.begin(), run.shards.end()) &&
                         std::adjacent_find(run.shards.begin(), run.shards.end()) == run.shards.end();
  const bool within = !run.shards.empty() && run.shards.front() >= 1 && run.shards.back() <= run.shards_of;
  if (!ascending || !within || run.shards_of > load::kShardsMost) {
    throw Json::other_error::create(0, "shards that cannot be", nullptr);
  }
  if (run.start < base::Milliseconds{0} || run.start > kLatest || measured.duration.count() < 0 ||
      measured.generator_threads < 0) {
    throw Json::other_error::create(0, "a time or a number that cannot be", nullptr);
  }
  return run;
}

}  // namespace

std::string load_histograms_json(const LoadRun& run) {
  const load::Measured& measured = run.measured;
  JsonWriter json(JsonLayout::one_line);
  json.begin_object();
  json.key("format").integer(kFormat);
  json.key("name").text(run.name);
  json.key("url").text(run.url);
  json.key("traffic").text(run.open ? "open" : "closed");
  json.key("fingerprint").text(run.fingerprint);
  json.key("seed").natural(run.seed);
  json.key("start_ms_since_1970").integer(run.start.count());
  write_shards(json, run);
  json.key("stopped_early").boolean(run.stopped);
  json.key("duration_ns").integer(measured.duration.count());
  json.key("generator_cpu_ns").integer(measured.generator_cpu.count());
  json.key("generator_threads").integer(measured.generator_threads);
  json.key("connections").natural(measured.connections);
  json.key("retried_requests").natural(measured.retried);
  json.key("interrupted_requests").natural(measured.interrupted);
  json.key("first_fault").text(measured.first_fault);
  json.key("fail_if").begin_array();
  for (const load::Verdict& verdict : run.verdicts) json.text(verdict.threshold.text);
  json.end_array();
  write_texts(json, "notes", run.notes);
  write(json, "late", measured.lateness_ms);
  write(json, "stages", measured.stages);
  write(json, "each_request", measured.requests);
  write(json, measured.seconds);
  json.end_object();
  return json.str() + "\n";
}

base::Result<LoadRun> read_load_histograms(const std::string& text, const std::string& file) {
  try {
    return run_of(Json::parse(text));
  } catch (const Json::exception& error) {
    // "[json.exception.type_error.302] type must be number, ...": the name of the class tells nobody more.
    std::string_view what = error.what();
    if (const std::size_t end = what.find("] "); end != std::string_view::npos) what.remove_prefix(end + 2);
    return base::bad_input(base::Place{file, 0, 0},
                           fmt::format("this is no record of a load test as Headroom writes it: {}", what),
                           "name a run folder of `headroom load`, written by this version of headroom");
  }
}

}  // namespace headroom::report
