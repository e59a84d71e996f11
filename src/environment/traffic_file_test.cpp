#include "environment/traffic_file.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "environment/read.hpp"

namespace headroom::environment {
namespace {

using base::Milliseconds;

// What a text of a request may hold; each is a trap of YAML or of the writer.
std::string any_text() {
  std::string text;
  const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "a", "Z9", "null", "true", "~", "- ", ": ", " #", "\"", "'", "\\", "\n", "\r\n", "\t", "\x01", "\x7F",
      "{", "}", "[", ",", "&x", "*x", "!", "%", "|", ">", "0x1", "\xC3\xA9", "\xE2\x80\xA8",
      "\xF0\x9F\x98\x80", "\xC2\x85", "\xEF\xBB\xBF", "$"));
  for (const std::string& part : parts) text += part;
  return text;
}

Milliseconds up_to(int most, int least = 0) { return Milliseconds{*rc::gen::inRange(least, most)}; }
base::Rate any_rate() { return base::Rate(*rc::gen::inRange(0, 1'000'000) / 7919.0); }
bool maybe() { return *rc::gen::arbitrary<bool>(); }

workload::Open any_open() {
  workload::Open open;
  if (maybe()) open.start = any_rate();
  open.sample_at =
      *rc::gen::element(workload::SampleAt::mean, workload::SampleAt::start, workload::SampleAt::end);
  const int stages = *rc::gen::inRange(1, 5);
  for (int i = 0; i < stages; ++i) {
    workload::OpenStage stage{up_to(100'000'000, 1), std::nullopt, any_rate()};
    if (maybe()) stage.from = maybe() ? stage.to : any_rate();
    open.stages.push_back(stage);
  }
  return open;
}

workload::Closed any_closed() {
  workload::Closed closed;
  closed.serial = maybe();
  const int stages = *rc::gen::inRange(1, 5);
  for (int i = 0; i < stages; ++i) {
    workload::ClosedStage stage;
    stage.users = *rc::gen::inRange(0, 1000);
    stage.requests_each = *rc::gen::inRange(0, 1000);
    if (stage.users == 0 || stage.requests_each == 0 || maybe()) stage.duration = up_to(10'000'000, 1);
    stage.think_distribution = *rc::gen::element(workload::Think::constant, workload::Think::uniform,
                                                 workload::Think::exponential, workload::Think::normal);
    const bool is_constant = stage.think_distribution == workload::Think::constant;
    const bool is_normal = stage.think_distribution == workload::Think::normal;
    stage.think = up_to(100'000, is_constant || is_normal ? 0 : 1);
    if (is_normal) stage.deviation = up_to(10'000, 1);
    if (stage.think_distribution == workload::Think::uniform)
      stage.think_least = up_to(static_cast<int>(stage.think.count()) + 1);
    stage.think_first = maybe() && (stage.think.count() > 0 || is_normal);
    stage.ramp_up = up_to(stage.duration ? static_cast<int>(stage.duration->count()) + 1 : 100'000);
    closed.stages.push_back(stage);
  }
  return closed;
}

const std::string kDemand = "time,what it was\n2014-07-01 00:00,5\n";

workload::Recorded any_recorded() {
  using workload::RecordedUnit;
  workload::Recorded recorded;
  recorded.file = recorded.path =
      *rc::gen::element<std::string>("demand.csv", "my demand, 2.csv", "a\\b.csv");
  recorded.text = kDemand;
  recorded.unit = *rc::gen::element(RecordedUnit::infer, RecordedUnit::requests_per_interval,
                                    RecordedUnit::requests_per_second, RecordedUnit::requests_per_minute);
  if (maybe()) recorded.interval = up_to(10'000'000, 1);
  if (maybe()) recorded.timestamp_column = "time";
  if (maybe()) recorded.value_column = "what it was";
  if (maybe()) recorded.utc_offset = up_to(50'000'000, -50'000'000);
  return recorded;
}

workload::Generated any_generated() {
  workload::Generated generated;
  generated.duration = up_to(1'000'000'000, 1);
  if (maybe()) generated.seed = *rc::gen::arbitrary<std::uint64_t>();
  if (maybe()) {
    generated.model = workload::GeneratedModel::sagemaker;
    return generated;
  }
  generated.base = any_rate();
  generated.peak = generated.base + any_rate();
  if (maybe()) generated.weekend = *rc::gen::inRange(0, 100) / 7.0;
  if (maybe()) generated.noise = *rc::gen::inRange(0, 100) / 17.0;
  if (maybe()) generated.peak_at = Milliseconds{*rc::gen::inRange(0, 86'401) * 1000};
  if (maybe()) {
    generated.spikes = workload::Spikes{*rc::gen::inRange(0, 100) / 3.0, *rc::gen::inRange(0, 100) / 9.0,
                                        up_to(10'000'000, 1)};
  }
  return generated;
}

workload::Requests any_requests() {
  workload::Requests requests;
  const int count = *rc::gen::inRange(0, 4);
  if (count == 0) return requests;
  if (maybe()) requests.choice = workload::Choice::in_order;
  for (int i = 0; i < count; ++i) {
    workload::Request request;
    if (maybe())
      request.name = *rc::gen::element<std::string>("home", "null", "a: b", "Stage 1 \xC3\xA9", "#1", "1");
    if (maybe() && requests.choice == workload::Choice::weighted)
      request.weight = *rc::gen::inRange(1, 1000) / 7.0;
    request.method = *rc::gen::element<std::string>("GET", "POST", "M-SEARCH", "!");
    request.path = *rc::gen::element<std::string>("/", "/a?b=c&d=${word}", "/\"x\"", "/a:b,{c}", "/~%20\\");
    if (maybe()) request.headers.push_back({"Content-Type", "text/html; charset=utf-8"});
    if (maybe())
      request.headers.push_back(
          {*rc::gen::element<std::string>("X-a", "!", "`", "null"), "a \"\t${word}: b"});
    request.body = any_text();
    requests.list.push_back(request);
  }
  if (maybe()) {
    requests.variables.push_back({"people.csv", {"name"}, {{"Ada"}}});
    requests.variables.push_back({"my words.csv", {"word"}, {{"cloud"}, {"sun"}}});
  } else {
    requests.variables.push_back({"my words.csv", {"word"}, {{"cloud"}, {"sun"}}});
  }
  return requests;
}

workload::Traffic any_traffic() {
  workload::Traffic traffic;
  const int shape = *rc::gen::inRange(0, 4);
  if (shape == 0) traffic.shape = any_open();
  if (shape == 1) traffic.shape = any_closed();
  if (shape == 2) traffic.shape = any_recorded();
  if (shape == 3) traffic.shape = any_generated();
  traffic.requests = any_requests();
  if (shape == 1) return traffic;  // its users decide what is sent
  if (maybe()) traffic.cut.from = up_to(1'000'000'000);
  if (maybe()) traffic.cut.to = Milliseconds{1'000'000'001};
  if (maybe()) {
    traffic.scale_factor = *rc::gen::inRange(1, 1000) / 7.0;
  } else if (maybe()) {
    traffic.scale_peak = any_rate() + base::Rate(1);
  }
  if (maybe()) traffic.repeat = *rc::gen::inRange(1, 100);
  if (maybe()) traffic.shift = up_to(1'000'000, -1'000'000);
  if (maybe()) traffic.arrivals = workload::Arrivals::poisson;
  return traffic;
}

base::Result<std::string> read_file(const std::string& path) {
  if (path == "people.csv") return std::string("name\nAda\n");
  if (path == "my words.csv") return std::string("word\ncloud\nsun\n");
  return kDemand;
}

RC_GTEST_PROP(TrafficFile, WhatIsWrittenReadsBackToTheSameTraffic, ()) {
  const workload::Traffic traffic = any_traffic();
  const std::vector<std::string> notes{"Plan.jmx, line 3: left out.", any_text(), std::string(300, 'x')};
  const std::string text = write_traffic(traffic, notes);
  const auto back = read_traffic(text, "traffic.yaml", read_file);
  if (!back) RC_FAIL(to_string(back.error()) + "\n" + text);
  if (!(*back == traffic)) RC_FAIL(text);
}

TEST(TrafficFile, ReadsAsPeopleWouldWriteIt) {
  workload::Traffic traffic;
  workload::ClosedStage stage;
  stage.users = 2;
  stage.requests_each = 500;
  stage.think = Milliseconds{5000};
  stage.think_distribution = workload::Think::uniform;
  stage.think_first = true;
  stage.ramp_up = Milliseconds{2000};
  traffic.shape = workload::Closed{{stage}, true};
  traffic.requests.list = {{"multiply", 1, "POST", "/", {}, "dim=100&Multiply="}, {}};
  traffic.requests.variables = {{"people.csv", {}, {}}};
  traffic.requests.choice = workload::Choice::in_order;
  EXPECT_EQ(write_traffic(traffic, {"From plan.jmx."}), R"(# From plan.jmx.
closed:
  stages:
    - {users: 2, requests: 500, think: 5s, distribution: uniform, think_first: true, ramp_up: 2s}
requests:
  - name: multiply
    method: POST
    body: "dim=100&Multiply="
  - path: /
variables: people.csv
send: in-order
)");
}

}  // namespace
}  // namespace headroom::environment
