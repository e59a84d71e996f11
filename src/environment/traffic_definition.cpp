// The keys of traffic: in a file of its own or in headroom.yaml.
#include <fmt/format.h>

#include <array>

#include "base/units.hpp"
#include "environment/records.hpp"

namespace headroom::environment {
namespace {

using base::Milliseconds;
using workload::Traffic;

struct RawStage {
  Milliseconds duration{0};
  std::optional<base::Rate> from;
  std::optional<base::Rate> to;
  std::optional<base::Rate> at;
};

const Record<RawStage>& open_stage_record() {
  static const Record<RawStage> record = [] {
    using S = RawStage;
    Record<S> r;
    r.info = {"stage of open traffic", "A straight line from one rate to another, or a constant rate.", {}};
    r.key("for", &S::duration, duration(Milliseconds{1}), {"how long", "", "10m", true})
        .key("to", &S::to, rate(), {"the rate at its end; a straight line leads there", "", "30000 rpm"})
        .key("from", &S::from, rate(),
             {"the rate at its start, where it is not that of the end before", "", "0 rpm"})
        .key("at", &S::at, rate(), {"a constant rate", "", "500 rps"});
    r.check = [](Reader& reader, const Node& node, S& stage) {
      if (stage.to.has_value() == stage.at.has_value() || (stage.at && stage.from)) {
        reader.fault(node, "expected one of to (with or without from) and at in a stage of open traffic",
                     "such as {for: 10m, to: 30000 rpm} or {for: 30m, at: 500 rps}");
      }
    };
    return r;
  }();
  return record;
}

Kind<workload::OpenStage> open_stage() {
  return converted<workload::OpenStage>(
      record_kind("stage of open traffic", &open_stage_record),
      [](Reader&, const Node&, const RawStage& raw) {
        if (raw.at) return std::optional(workload::OpenStage{raw.duration, raw.at, *raw.at});
        return std::optional(workload::OpenStage{raw.duration, raw.from, *raw.to});
      });
}

const Record<workload::Open>& open_record() {
  static const Record<workload::Open> record = [] {
    using O = workload::Open;
    Record<O> r;
    r.info = {"open traffic", "Requests that come whether or not earlier ones were answered.", {}};
    r.key("start", &O::start, rate(), {"the rate before the first stage", "0 rps", "0 rpm"})
        .key("sample", &O::sample_at,
             choice<workload::SampleAt>({{"mean", workload::SampleAt::mean},
                                         {"start", workload::SampleAt::start},
                                         {"end", workload::SampleAt::end}}),
             {"which instant of a tick stands for the tick", "mean", "end"})
        .key("stages", &O::stages, list_of(open_stage(), 1),
             {"one after the other", "", "[{for: 10m, to: 30000 rpm}]", true});
    return r;
  }();
  return record;
}

struct RawClosedStage {
  workload::ClosedStage stage;
  std::optional<int> requests;
};

// What the keys of the pause of a stage say together.
void check_pause(Reader& reader, const Node& node, const workload::ClosedStage& stage) {
  using workload::Think;
  const bool is_normal = stage.think_distribution == Think::normal;
  // A normal pause of mean 0 is none in half of the cases, and one in the others.
  const bool no_pause = stage.think == Milliseconds{0} && !(is_normal && stage.deviation > Milliseconds{0});
  if (is_normal && stage.deviation == Milliseconds{0}) {
    const Node* at = node.find("deviation");
    reader.fault(at != nullptr ? *at : *node.find("distribution"),
                 "distribution: normal needs a deviation above 0s",
                 "add it, such as deviation: 500ms, or write distribution: constant");
  } else if (no_pause && stage.think_distribution != Think::constant) {
    reader.fault(*node.find("distribution"), "there is no pause to distribute: \"think\" is not written",
                 "add it, such as think: 5s, or remove distribution");
  } else if (no_pause && stage.think_first) {
    reader.fault(*node.find("think_first"), "there is no pause to begin with: \"think\" is not written",
                 "add it, such as think: 5s, or remove think_first");
  } else if (const Node* from = node.find("think_from")) {
    if (stage.think_distribution != Think::uniform) {
      reader.fault(*from, "\"think_from\" means something only with distribution: uniform",
                   "remove it, or write distribution: uniform");
    } else if (stage.think_least > stage.think) {
      reader.fault(
          *from, fmt::format("think_from ({}) is above think ({})", base::format_duration(stage.think_least),
                             base::format_duration(stage.think)));
    }
  }
  if (const Node* at = node.find("deviation"); at != nullptr && !is_normal) {
    reader.fault(*at, "\"deviation\" means something only with distribution: normal",
                 "remove it, or write distribution: normal");
  }
}

const Record<RawClosedStage>& closed_stage_record() {
  static const Record<RawClosedStage> record = [] {
    using S = RawClosedStage;
    Record<S> r;
    r.info = {"stage of closed traffic",
              "A number of users who send, wait for the answer, think, and send again.",
              {}};
    r.key("users", [](S& s) -> int& { return s.stage.users; }, count(0, 10'000'000),
          {"users at the same time; 0 with `for`: a pause", "1", "10", true})
        .key("requests", &S::requests, count(1, 1'000'000'000),
             {"requests of each user (with `for` where not written: as many as fit)", "", "500"})
        .key("for", [](S& s) -> std::optional<Milliseconds>& { return s.stage.duration; },
             duration(Milliseconds{1}),
             {"the stage ends after so long, whatever is left of it; one of `requests` and `for` is needed",
              "", "8m"})
        .key("think", [](S& s) -> Milliseconds& { return s.stage.think; }, duration(),
             {"pause between answer and next request", "0s", "5s"})
        .key("think_from", [](S& s) -> Milliseconds& { return s.stage.think_least; }, duration(),
             {"the shortest pause (distribution: uniform)", "0s", "1s"})
        .key("distribution", [](S& s) -> workload::Think& { return s.stage.think_distribution; },
             choice<workload::Think>({{"constant", workload::Think::constant},
                                      {"uniform", workload::Think::uniform},
                                      {"exponential", workload::Think::exponential},
                                      {"normal", workload::Think::normal}}),
             {"of the pause: constant; uniform from `think_from` to `think`; exponential with mean `think`; "
              "normal around `think` with `deviation`, and not below 0s",
              "constant", "uniform"})
        .key("deviation", [](S& s) -> Milliseconds& { return s.stage.deviation; }, duration(),
             {"standard deviation of the pause (distribution: normal)", "0s", "500ms"})
        .key("think_first", [](S& s) -> bool& { return s.stage.think_first; }, flag(),
             {"true: a user pauses before the first request, too", "false", "true"})
        .key("ramp_up", [](S& s) -> Milliseconds& { return s.stage.ramp_up; }, duration(),
             {"time over which the users start", "0s", "10s"});
    r.check = [](Reader& reader, const Node& node, S& raw) {
      workload::ClosedStage& stage = raw.stage;
      stage.requests_each = raw.requests.value_or(0);
      if (stage.users == 0 && !stage.duration) {
        reader.fault(node, "expected for in a stage without users: how long the pause is",
                     "such as {users: 0, for: 10m}");
      }
      if (!raw.requests && !stage.duration) {
        reader.fault(node, "expected requests, for, or both in a stage of closed traffic",
                     "such as {users: 10, requests: 500} or {users: 10, for: 8m}");
      }
      check_pause(reader, node, stage);
      if (stage.duration && stage.ramp_up > *stage.duration) {
        reader.fault(
            *node.find("ramp_up"),
            fmt::format("ramp_up ({}) is longer than the stage ({}): some users never start",
                        base::format_duration(stage.ramp_up), base::format_duration(*stage.duration)),
            "write a shorter ramp_up, or fewer users");
      }
    };
    return r;
  }();
  return record;
}

Kind<workload::ClosedStage> closed_stage() {
  return converted<workload::ClosedStage>(
      record_kind("stage of closed traffic", &closed_stage_record),
      [](Reader&, const Node&, RawClosedStage raw) { return std::optional(raw.stage); });
}

const Record<workload::Closed>& closed_record() {
  static const Record<workload::Closed> record = [] {
    using C = workload::Closed;
    Record<C> r;
    r.info = {"closed traffic", "Users who wait for an answer before they ask again.", {}};
    r.key("serial", &C::serial, flag(),
          {"true: one stage after the other; false: all at once", "true", "false"})
        .key("stages", &C::stages, list_of(closed_stage(), 1),
             {"the stages", "", "[{users: 10, requests: 500, think: 3s}]", true});
    return r;
  }();
  return record;
}

// The name of a CSV file, with its text.
Kind<workload::Recorded> csv_file() {
  return converted<workload::Recorded>(file_name("CSV file"),
                                       [](Reader& reader, const Node& node, const std::string& name) {
                                         std::optional<workload::Recorded> recorded;
                                         if (auto text = reader.file_text(node)) {
                                           recorded.emplace();
                                           recorded->file = name;
                                           recorded->path = reader.resolved(name);
                                           recorded->text = std::move(*text);
                                         }
                                         return recorded;
                                       });
}

struct RawRecorded {
  workload::Recorded file;
  workload::Recorded keys;
};

const Record<RawRecorded>& csv_record() {
  static const Record<RawRecorded> record = [] {
    using R = RawRecorded;
    using Unit = workload::RecordedUnit;
    Record<R> r;
    r.info = {"csv", "Recorded traffic: a file of timestamps and values.", {}};
    r.key("file", &R::file, csv_file(),
          {"the file, relative to the one that names it", "", "demand.csv", true})
        .key("unit", [](R& c) -> Unit& { return c.keys.unit; },
             choice<Unit>({{"infer", Unit::infer},
                           {"count", Unit::requests_per_interval},
                           {"rps", Unit::requests_per_second},
                           {"rpm", Unit::requests_per_minute}}),
             {"what the values are: requests per interval, per second or per minute; infer: what the header "
              "says, else count",
              "infer", "count"})
        .key("interval", [](R& c) -> std::optional<Milliseconds>& { return c.keys.interval; },
             duration(Milliseconds{1}),
             {"distance of two rows (the most frequent where not written)", "", "5m"})
        .key("timestamp", [](R& c) -> std::string& { return c.keys.timestamp_column; }, text("column"),
             {"name of the column of timestamps (the first where not written)", "", "timestamp"})
        .key("value", [](R& c) -> std::string& { return c.keys.value_column; }, text("column"),
             {"name of the column of values (the second where not written)", "", "value"})
        .key("utc_offset", [](R& c) -> Milliseconds& { return c.keys.utc_offset; }, signed_duration(),
             {"of timestamps that name no zone", "0s", "-4h"});
    r.check = [](Reader&, const Node&, R& raw) {
      raw.keys.file = std::move(raw.file.file);
      raw.keys.path = std::move(raw.file.path);
      raw.keys.text = std::move(raw.file.text);
    };
    return r;
  }();
  return record;
}

const Record<workload::Spikes>& spikes_record() {
  static const Record<workload::Spikes> record = [] {
    using S = workload::Spikes;
    Record<S> r;
    r.info = {"spikes", "Sudden rises at random times that decay in a straight line.", {}};
    r.key("per_day", &S::per_day, number(0, 10'000), {"how many on average", "0", "2", true})
        .key("height", &S::height, number(0, 1'000), {"as a factor of the peak rate", "0", "0.5", true})
        .key("for", &S::duration, duration(Milliseconds{1}), {"how long each", "10m", "10m"});
    return r;
  }();
  return record;
}

const Record<workload::Generated>& generate_record() {
  static const Record<workload::Generated> record = [] {
    using G = workload::Generated;
    Record<G> r;
    r.info = {"generated traffic",
              "A made-up shape from a seed: a daily wave with weekends, noise and spikes, or the load of the "
              "SageMaker autoscaling example, which needs `for` and `seed` only.",
              {}};
    r.key("model", &G::model,
          choice<workload::GeneratedModel>({{"daily", workload::GeneratedModel::daily},
                                            {"sagemaker", workload::GeneratedModel::sagemaker}}),
          {"the daily wave, or the load of the SageMaker example", "daily", "sagemaker"})
        .key("for", &G::duration, duration(Milliseconds{1}), {"how long", "", "8w", true})
        .key("base", &G::base, rate(), {"the lowest rate of a day", "0 rps", "20 rps"})
        .key("peak", &G::peak, rate(), {"the highest rate of a day; the daily wave needs it", "", "400 rps"})
        .key("weekend", &G::weekend, number(0, 100, "factor"), {"factor of Saturday and Sunday", "1", "0.6"})
        .key("noise", &G::noise, ratio(0, 10),
             {"standard deviation of the noise, as a share of the rate", "0", "5%"})
        .key("peak_at", &G::peak_at, time_of_day(), {"time of day of the peak", "\"12:00\"", "\"20:00\""})
        .key("spikes", &G::spikes, record_kind("spikes", &spikes_record),
             {"sudden rises", "", "{per_day: 2, height: 0.5, for: 10m}"})
        .key("seed", &G::seed, seed(), {"of the random numbers", "1", "7"});
    r.check = [](Reader& reader, const Node& node, G& g) {
      if (g.model == workload::GeneratedModel::sagemaker) {
        // What would be read and then never looked at.
        for (const char* key : {"base", "peak", "weekend", "noise", "peak_at", "spikes"}) {
          if (const Node* at = node.find(key)) {
            reader.fault(*at, fmt::format("\"{}\" means nothing with model: sagemaker", key),
                         "remove it: this load is drawn from its seed alone");
          }
        }
        return;
      }
      if (node.find("peak") == nullptr) {
        reader.fault(node, "the key \"peak\" is missing in a generated traffic",
                     "add it, such as peak: 400 rps");
      } else if (g.base > g.peak) {
        const Node* at = node.find("base");
        reader.fault(at != nullptr ? *at : node,
                     fmt::format("base ({}) is above peak ({})", base::format_rate(g.base),
                                 base::format_rate(g.peak)));
      }
    };
    return r;
  }();
  return record;
}

// A point in time as written: a date counts from 1970, a duration from the start.
struct CutPoint {
  Milliseconds time{0};
  bool is_date = false;
  Position position;
};

Kind<CutPoint> cut_point() {
  return converted<CutPoint>(instant_or_duration(), [](Reader&, const Node& node, Milliseconds time) {
    return std::optional(CutPoint{time, base::parse_instant(node.text).has_value(), node.position});
  });
}

struct RawCut {
  std::optional<CutPoint> from;
  std::optional<CutPoint> to;
};

const Record<RawCut>& cut_record() {
  static const Record<RawCut> record = [] {
    Record<RawCut> r;
    r.info = {"cut",
              "The part of the shape that is used: a date for recorded traffic, else a time since the start.",
              {}};
    r.key("from", &RawCut::from, cut_point(), {"start of the part", "", "2014-07-01"})
        .key("to", &RawCut::to, cut_point(), {"end of the part; not part of it", "", "2014-08-26"});
    r.check = [](Reader& reader, const Node&, RawCut& cut) {
      if (cut.from && cut.to && cut.from->is_date == cut.to->is_date && cut.from->time >= cut.to->time) {
        reader.fault(cut.to->position, "`to` is not after `from`, which leaves nothing");
      }
    };
    return r;
  }();
  return record;
}

struct RawTrafficScale {
  std::optional<double> factor;
  std::optional<base::Rate> peak;
};

const Record<RawTrafficScale>& traffic_scale_record() {
  static const Record<RawTrafficScale> record = [] {
    using S = RawTrafficScale;
    Record<S> r;
    r.info = {"traffic scale", "Makes all rates larger or smaller; one of its keys.", {}};
    r.key("factor", &S::factor, number(1e-6, 1e6, "factor"), {"times so much", "", "1.5"})
        .key("peak", &S::peak, rate(), {"so that the highest rate of the shape is this", "", "3000 rpm"});
    r.check = [](Reader& reader, const Node& node, S& scale) {
      if (scale.factor.has_value() == scale.peak.has_value()) {
        reader.fault(node, "expected one of factor and peak in a traffic scale",
                     "such as scale: {factor: 1.5}");
      }
      if (scale.peak && scale.peak->value() == 0) reader.fault(node, "expected a peak above 0 rps", "");
    };
    return r;
  }();
  return record;
}

// What is done with a rate per tick; closed traffic has none before its requests are answered.
void refuse_changes_of_closed(Reader& reader, const Node& node) {
  struct Change {
    const char* key;
    const char* what;
    const char* fix;
  };
  constexpr std::array kChanges{
      Change{"cut", "closed traffic is not cut: its users take as long as their requests do",
             "remove cut, and change the stages instead"},
      Change{"scale", "closed traffic is not scaled: its users decide how much is sent",
             "remove scale, and change users in the stages instead"},
      Change{"repeat", "closed traffic is not repeated", "remove repeat, and write the stages so many times"},
      Change{"shift", "closed traffic is not shifted",
             "remove shift, and write a first stage {users: 0, for: 10m}, say"},
  };
  for (const Change& change : kChanges) {
    if (const Node* at = node.find(change.key)) reader.fault(*at, change.what, change.fix);
  }
}

struct RawTraffic {
  std::optional<workload::Open> open;
  std::optional<workload::Closed> closed;
  std::optional<RawRecorded> csv;
  std::optional<workload::Generated> generate;
  RawCut cut;
  RawTrafficScale scale;
  std::vector<VariablesFile> variables;
  Traffic rest;
};

const Record<RawTraffic>& raw_traffic_record() {
  static const Record<RawTraffic> record = [] {
    using R = RawTraffic;
    Record<R> r;
    r.info = {
        "traffic",
        "One shape (open, closed, csv or generate), then what is done with it in this order: cut, "
        "scale, repeat, shift; with closed traffic, whose users decide what is sent, none of these. The load "
        "generator asks what `requests` says.",
        {}};
    const Kind<RawRecorded> named =
        converted<RawRecorded>(csv_file(), [](Reader&, const Node&, workload::Recorded recorded) {
          return std::optional(RawRecorded{{}, std::move(recorded)});
        });
    r.key("open", &R::open, record_kind("open traffic", &open_record),
          {"rates and ramps", "", "{stages: [{for: 10m, to: 30000 rpm}]}"})
        .key("closed", &R::closed, record_kind("closed traffic", &closed_record),
             {"users who wait for answers", "", "{stages: [{users: 10, requests: 500}]}"})
        .key("csv", &R::csv, either(named, record_kind("csv", &csv_record)),
             {"recorded traffic", "", "demand.csv"})
        .key("generate", &R::generate, record_kind("generated traffic", &generate_record),
             {"a made-up shape", "", "{for: 8w, base: 20 rps, peak: 400 rps}"})
        .key("cut", &R::cut, record_kind("cut", &cut_record),
             {"the part that is used", "", "{from: 2014-07-01, to: 2014-08-26}"})
        .key("scale", &R::scale, record_kind("traffic scale", &traffic_scale_record),
             {"larger or smaller", "", "{factor: 1.5}"})
        .key("repeat", [](R& t) -> int& { return t.rest.repeat; }, count(1, 10'000),
             {"so many times in a row", "1", "2"})
        .key("shift", [](R& t) -> Milliseconds& { return t.rest.shift; }, signed_duration(),
             {"later (or earlier) by so much", "0s", "2h"})
        .key("arrivals", [](R& t) -> workload::Arrivals& { return t.rest.arrivals; },
             choice<workload::Arrivals>(
                 {{"exact", workload::Arrivals::exact}, {"poisson", workload::Arrivals::poisson}}),
             {"the requests of a tick: the rate times the tick, or drawn around it", "exact", "poisson"})
        .key("requests", [](R& t) -> std::vector<workload::Request>& { return t.rest.requests.list; },
             requests_kind(),
             {"what the load generator asks; without it: GET of the address that it is given. A rehearsal "
              "takes every request to cost the same",
              "", "[{method: POST, path: /, body: dim=100}]"})
        .key("variables", &R::variables, variables_kind(),
             {"CSV files whose headings are the names of variables: `${name}` in a path, a header or a body; "
              "each request takes the next row, and after the last one the first",
              "", "people.csv"})
        .key("send", [](R& t) -> workload::Choice& { return t.rest.requests.choice; }, send_kind(),
             {"which request is next: by chance in the proportion of the weights, or one after the other (in "
              "closed traffic each user from the first one on)",
              "weighted", "in-order"});
    r.check = [](Reader& reader, const Node& node, R& raw) {
      const int shapes =
          (raw.open ? 1 : 0) + (raw.closed ? 1 : 0) + (raw.csv ? 1 : 0) + (raw.generate ? 1 : 0);
      if (shapes != 1) {
        reader.fault(node,
                     fmt::format("expected one of open, closed, csv and generate in a traffic, found {}",
                                 shapes == 0 ? "none" : "several"),
                     "a service's traffic has one shape");
        return;
      }
      for (const auto& point : {raw.cut.from, raw.cut.to}) {
        if (point && point->is_date != raw.csv.has_value()) {
          reader.fault(point->position,
                       raw.csv
                           ? "expected a date such as 2014-07-01: recorded traffic is cut by dates"
                           : "expected a time since the start such as 2h: only recorded traffic has dates");
        }
      }
      if (raw.closed && raw.rest.arrivals == workload::Arrivals::poisson) {
        reader.fault(*node.find("arrivals"),
                     "closed traffic has no arrivals of its own: its users decide when requests come",
                     "remove arrivals, or describe the traffic as open");
      }
      if (raw.closed) refuse_changes_of_closed(reader, node);
      complete_requests(reader, node, raw.variables, raw.rest.requests);
    };
    return r;
  }();
  return record;
}

Traffic finished(RawTraffic raw) {
  Traffic traffic = std::move(raw.rest);
  if (raw.open) traffic.shape = std::move(*raw.open);
  if (raw.closed) traffic.shape = std::move(*raw.closed);
  if (raw.csv) traffic.shape = std::move(raw.csv->keys);
  if (raw.generate) traffic.shape = *raw.generate;
  if (raw.cut.from) traffic.cut.from = raw.cut.from->time;
  if (raw.cut.to) traffic.cut.to = raw.cut.to->time;
  traffic.scale_factor = raw.scale.factor;
  traffic.scale_peak = raw.scale.peak;
  return traffic;
}

bool is_csv(const std::string& name) { return name.ends_with(".csv") || name.ends_with(".CSV"); }

}  // namespace

const RecordInfo& traffic_info() { return raw_traffic_record().info; }

std::optional<Traffic> traffic_of(Reader& reader, const std::string& file, const std::string& text) {
  if (is_csv(file)) {
    workload::Recorded recorded;
    const std::size_t slash = file.rfind('/');
    recorded.file = slash == std::string::npos ? file : file.substr(slash + 1);
    recorded.path = file;
    recorded.text = text;
    return Traffic{std::move(recorded), {}, {}, {}, 1, Milliseconds{0}, workload::Arrivals::exact};
  }
  return reader.in_file(file, [&]() -> std::optional<Traffic> {
    auto root = parse_document(text, file);
    if (!root) {
      reader.faults_of(Node{}, root.error());
      return std::nullopt;
    }
    if (root->kind == Node::Kind::empty) {
      root->position = {1, 1, 0};
      reader.fault(*root, "the file is empty; expected traffic",
                   "such as: open: {stages: [{for: 10m, to: 30000 rpm}]}");
      return std::nullopt;
    }
    auto raw = read_record(reader, *root, raw_traffic_record());
    if (!raw) return std::nullopt;
    return finished(std::move(*raw));
  });
}

Kind<Traffic> traffic_kind() {
  const Kind<Traffic> file = converted<Traffic>(
      file_name("traffic file"),
      [](Reader& reader, const Node& node, const std::string& name) -> std::optional<Traffic> {
        auto text = reader.file_text(node);
        if (!text) return std::nullopt;
        auto traffic = traffic_of(reader, reader.resolved(name), *text);
        if (traffic && is_csv(name)) std::get<workload::Recorded>(traffic->shape).file = name;
        return traffic;
      });
  const Kind<Traffic> written = converted<Traffic>(
      record_kind("traffic", &raw_traffic_record),
      [](Reader&, const Node&, RawTraffic raw) { return std::optional(finished(std::move(raw))); });
  return either(file, written);
}

}  // namespace headroom::environment
