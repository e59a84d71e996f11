// The keys of a capacity model: in a file of its own, as `headroom fit` writes it, or in headroom.yaml.
#include <fmt/format.h>

#include "base/units.hpp"
#include "environment/capacity_file.hpp"
#include "environment/records.hpp"

namespace headroom::environment {
namespace {

using base::Milliseconds;
using capacity::CapacityModel;
using capacity::LatencyPoint;

struct RawLatencyPoint {
  base::Percent utilisation;
  std::optional<double> p50, p95, p99;
  bool operator==(const RawLatencyPoint&) const = default;
};

const Record<RawLatencyPoint>& latency_record() {
  static const Record<RawLatencyPoint> record = [] {
    using P = RawLatencyPoint;
    Record<P> r;
    r.info = {"latency point", "Latency at one utilisation; in between it is a straight line.", {}};
    r.key("cpu", &P::utilisation, percent(0, 1000), {"utilisation", "", "25%", true})
        .key("p50", &P::p50, latency_ms(), {"median", "", "12ms", true})
        .key("p95", &P::p95, latency_ms(), {"95th percentile", "", "40ms", true})
        .key("p99", &P::p99, latency_ms(), {"99th percentile", "", "90ms", true});
    r.check = [](Reader& reader, const Node& node, P& point) {
      if (*point.p50 > *point.p95 || *point.p95 > *point.p99) {
        reader.fault(node, "expected p50 <= p95 <= p99 in a latency point",
                     "percentiles of the same requests rise");
      }
    };
    return r;
  }();
  return record;
}

struct RawSpread {
  std::optional<Milliseconds> min, max, median, p95;
};

// Beyond it the mean says nothing any more: with a ratio of 100 it is 50 times the median.
constexpr std::int64_t kWidestSpread = 100;

const Record<RawSpread>& spread_record() {
  static const Record<RawSpread> record = [] {
    using S = RawSpread;
    Record<S> r;
    r.info = {
        "startup spread",
        "A start-up time that differs from instance to instance: `min` and `max` (every time in between is "
        "as likely), or `median` and `p95` (log-normal).",
        {}};
    r.key("min", &S::min, duration(), {"the shortest", "", "60s"})
        .key("max", &S::max, duration(), {"the longest", "", "120s"})
        .key("median", &S::median, duration(Milliseconds{1}), {"half of the instances take less", "", "80s"})
        .key("p95", &S::p95, duration(Milliseconds{1}), {"95 of 100 instances take less", "", "120s"});
    r.check = [](Reader& reader, const Node& node, S& s) {
      const bool uniform = s.min && s.max && !s.median && !s.p95;
      const bool lognormal = s.median && s.p95 && !s.min && !s.max;
      if (!uniform && !lognormal) {
        reader.fault(node, "expected min and max, or median and p95, in a startup spread",
                     "such as {min: 60s, max: 120s} or {median: 80s, p95: 120s}");
      } else if (uniform && *s.min > *s.max) {
        reader.fault(*node.find("max"),
                     fmt::format("max ({}) is below min ({})", base::format_duration(*s.max),
                                 base::format_duration(*s.min)));
      } else if (lognormal && *s.median > *s.p95) {
        reader.fault(*node.find("p95"),
                     fmt::format("p95 ({}) is below median ({})", base::format_duration(*s.p95),
                                 base::format_duration(*s.median)));
      } else if (lognormal && *s.p95 / kWidestSpread > *s.median) {
        reader.fault(*node.find("p95"),
                     fmt::format("p95 ({}) is more than {} times median ({})", base::format_duration(*s.p95),
                                 kWidestSpread, base::format_duration(*s.median)),
                     "start-up times do not differ so much; write one of them with its right unit");
      }
    };
    return r;
  }();
  return record;
}

// A time, or how times are spread, with their mean.
struct RawStartup {
  Milliseconds time{0};
  std::optional<capacity::StartupSpread> spread;
};

Kind<RawStartup> startup() {
  using capacity::StartupSpread;
  return either(
      converted<RawStartup>(duration(),
                            [](Reader&, const Node&, Milliseconds time) {
                              return std::optional(RawStartup{time, std::nullopt});
                            }),
      converted<RawStartup>(
          record_kind("startup spread", &spread_record), [](Reader&, const Node&, const RawSpread& raw) {
            const StartupSpread spread =
                raw.min ? StartupSpread{StartupSpread::Kind::uniform, *raw.min, *raw.max}
                        : StartupSpread{StartupSpread::Kind::lognormal, *raw.median, *raw.p95};
            return std::optional(RawStartup{capacity::mean(spread), spread});
          }));
}

// What is written; the rest is left to the file that it stands in front of.
struct RawCapacity {
  CapacityModel file;
  std::optional<double> cpu_per_rps;
  std::optional<double> cpu_per_rpm;
  std::optional<base::Percent> intercept;
  std::optional<std::vector<double>> interval;
  std::optional<double> r2;
  std::optional<base::Rate> measured_up_to;
  std::optional<std::vector<RawLatencyPoint>> latency;
  std::optional<base::Percent> knee;
  std::optional<base::Rate> saturation;
  std::optional<RawStartup> startup;
  std::optional<Milliseconds> startup_pool, metric_lag, in_service_delay, queue;
  std::optional<double> noise;
};

CapacityModel with(CapacityModel model, const RawCapacity& raw) {
  const double unit = raw.cpu_per_rpm ? 60.0 : 1.0;  // %/rpm to %/rps
  if (raw.cpu_per_rps || raw.cpu_per_rpm) {
    model.slope_percent_per_rps = raw.cpu_per_rpm ? *raw.cpu_per_rpm * unit : *raw.cpu_per_rps;
    // These belong to the slope that was measured.
    model.slope_interval_95.reset();
    model.r_squared.reset();
  }
  if (raw.interval)
    model.slope_interval_95 = capacity::Interval{raw.interval->at(0) * unit, raw.interval->at(1) * unit};
  if (raw.intercept) model.intercept_percent = raw.intercept->value();
  if (raw.r2) model.r_squared = raw.r2;
  if (raw.measured_up_to) model.measured_up_to = raw.measured_up_to;
  if (raw.latency) {
    model.latency.clear();
    for (const RawLatencyPoint& p : *raw.latency)
      model.latency.push_back({p.utilisation, *p.p50, *p.p95, *p.p99});
  }
  if (raw.knee) model.knee = raw.knee;
  if (raw.saturation) model.saturation = raw.saturation;
  if (raw.startup) {
    model.startup = raw.startup->time;
    model.startup_spread = raw.startup->spread;
  }
  if (raw.startup_pool) model.startup_pool = raw.startup_pool;
  if (raw.metric_lag) model.metric_lag = raw.metric_lag;
  if (raw.in_service_delay) model.in_service_delay = raw.in_service_delay;
  if (raw.queue) model.queue = raw.queue;
  if (raw.noise) model.noise = *raw.noise;
  return model;
}

// A percentage with decimals beyond what percent() states as range: an intercept may be slightly negative.
constexpr double kHighestSlope = 1e6;

void add_keys(Record<RawCapacity>& r) {
  using R = RawCapacity;
  r.key("cpu_per_rps", &R::cpu_per_rps, number(0, kHighestSlope, "percent per request a second"),
        {"utilisation of one instance per request a second on it", "", "0.0523"})
      .key("cpu_per_rpm", &R::cpu_per_rpm, number(0, kHighestSlope, "percent per request a minute"),
           {"the same per request a minute; one of the two", "", "0.0008716906"})
      .key("intercept", &R::intercept, percent(-100, 100),
           {"utilisation without requests (0% where not written)", "", "1.5%"})
      .key("interval", &R::interval, list_of(number(-kHighestSlope, kHighestSlope), 2),
           {"95 % confidence interval of the slope, in its unit", "", "[0.0519, 0.0527]"})
      .key("r2", &R::r2, number(-1, 1), {"coefficient of determination of the fit", "", "0.998"})
      .key("measured_up_to", &R::measured_up_to, rate(),
           {"highest rate per instance measured; beyond it the line is an extrapolation", "", "900 rps"})
      .key("latency", &R::latency, list_of(record_kind("latency point", &latency_record)),
           {"latency by utilisation, rising", "", "[{cpu: 25%, p50: 12ms, p95: 40ms, p99: 90ms}]"})
      .key("knee", &R::knee, percent(0, 1000), {"utilisation beyond which latency breaks", "", "50%"})
      .key(
          "saturation", &R::saturation, rate(),
          {"what one full instance answers, measured; a rehearsal that gives it more says so", "", "950 rps"})
      .key("startup", &R::startup, startup(), {"from the decision until the instance runs", "", "4m"})
      .key("startup_pool", &R::startup_pool, duration(),
           {"the same for an instance from the warm pool (`startup` where not written)", "", "60s"})
      .key("metric_lag", &R::metric_lag, duration(), {"from a fact until the controller sees it", "", "1m"})
      .key("in_service_delay", &R::in_service_delay, duration(),
           {"from running until requests arrive", "", "15s"})
      .key("queue", &R::queue, duration(),
           {"how long a request waits at most for a saturated instance before it fails (where not written: "
            "what "
            "is beyond saturation fails at once)",
            "", "30s"})
      .key(
          "noise", &R::noise, ratio(0, 1),
          {"standard deviation of what instances take, drawn once per tick for the whole fleet (0% where not "
           "written)",
           "", "10%"});
}

void check(Reader& reader, const Node& node, RawCapacity& raw) {
  if (raw.cpu_per_rps && raw.cpu_per_rpm) {
    reader.fault(*node.find("cpu_per_rpm"), "cpu_per_rps and cpu_per_rpm say the same thing",
                 "keep one of them");
  }
  if (raw.interval) {
    const Node& at = *node.find("interval");
    if (raw.interval->size() != 2 || (*raw.interval)[0] > (*raw.interval)[1]) {
      reader.fault(at, "expected an interval of two numbers, the lower first", "such as [0.0519, 0.0527]");
    }
    if (!raw.cpu_per_rps && !raw.cpu_per_rpm)
      reader.fault(at, "an interval needs the slope it belongs to", "add cpu_per_rps");
  }
  if (raw.latency) {
    const Node& at = *node.find("latency");
    for (std::size_t i = 1; i < raw.latency->size(); ++i) {
      if ((*raw.latency)[i].utilisation <= (*raw.latency)[i - 1].utilisation) {
        reader.fault(at.items[i], "the utilisation of the latency points must rise",
                     "sort them, and keep one point for each");
      }
    }
  }
}

const Record<RawCapacity>& file_record() {
  static const Record<RawCapacity> record = [] {
    Record<RawCapacity> r;
    r.info = {"capacity", "What one instance can take; written by `headroom fit`.", {}};
    add_keys(r);
    r.check = check;
    return r;
  }();
  return record;
}

Kind<CapacityModel> model_file() {
  return converted<CapacityModel>(
      file_name("capacity file"),
      [](Reader& reader, const Node& node, const std::string& name) -> std::optional<CapacityModel> {
        const auto text = reader.file_text(node);
        if (!text) return std::nullopt;
        auto model = capacity_of(reader, reader.resolved(name), *text);
        if (model) model->source = name;
        return model;
      });
}

// As in headroom.yaml: the same keys, and the file that they stand in front of.
const Record<RawCapacity>& inline_record() {
  static const Record<RawCapacity> record = [] {
    Record<RawCapacity> r;
    r.info = {"capacity in headroom.yaml",
              "The keys of a capacity file; with `file`, they override the file's.",
              {}};
    add_keys(r);
    r.key("file", &RawCapacity::file, model_file(), {"a capacity file", "", "capacity.yaml"});
    r.check = check;
    return r;
  }();
  return record;
}

std::string file_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

const RecordInfo& capacity_file_info() { return file_record().info; }

std::optional<CapacityModel> capacity_of(Reader& reader, const std::string& file, const std::string& text) {
  return reader.in_file(file, [&]() -> std::optional<CapacityModel> {
    auto root = parse_document(text, file);
    if (!root) {
      reader.faults_of(Node{}, root.error());
      return std::nullopt;
    }
    if (root->kind == Node::Kind::empty) {
      root->position = {1, 1, 0};
      reader.fault(*root, "the file is empty; expected a capacity model", "write one with headroom fit");
      return std::nullopt;
    }
    const auto raw = read_record(reader, *root, file_record());
    if (!raw) return std::nullopt;
    CapacityModel model = with({}, *raw);
    model.source = file_of(file);
    return model;
  });
}

Kind<CapacityModel> capacity_kind() {
  const Kind<CapacityModel> written = converted<CapacityModel>(
      record_kind("capacity in headroom.yaml", &inline_record),
      [](Reader& reader, const Node& node, const RawCapacity& raw) {
        CapacityModel model = with(raw.file, raw);
        const std::string here = file_of(reader.file());
        std::vector<std::string> keys;
        for (const Member& member : node.members) {
          if (member.key != "file") keys.push_back(member.key);
        }
        if (raw.file.source.empty()) {
          model.source = here;
        } else if (!keys.empty()) {
          model.source = fmt::format("{}, with {} from {}", raw.file.source, joined(keys, "and"), here);
        }
        return std::optional(std::move(model));
      });
  return either(model_file(), written);
}

base::Result<CapacityModel> read_capacity(const std::string& text, const std::string& file) {
  const ReadFile none = [](const std::string& path) -> base::Result<std::string> {
    return base::bad_input("a capacity file names no other file: " + path);
  };
  Reader reader(file, none);
  auto model = capacity_of(reader, file, text);
  if (!model || reader.fault_count() > 0) return reader.error();
  return std::move(*model);
}

std::string write_capacity(const CapacityModel& model) {
  using base::format_number;
  std::string text =
      "# What one instance can take. Written by headroom fit; docs/reference/file.md states every key.\n";
  text +=
      fmt::format("cpu_per_rps: {}  # percent of one instance\n", format_number(model.slope_percent_per_rps));
  if (model.slope_interval_95) {
    text += fmt::format("interval: [{}, {}]  # 95 %\n", format_number(model.slope_interval_95->low),
                        format_number(model.slope_interval_95->high));
  }
  text += fmt::format("intercept: {}%\n", format_number(model.intercept_percent));
  if (model.r_squared) text += fmt::format("r2: {}\n", format_number(*model.r_squared));
  if (model.measured_up_to)
    text += fmt::format("measured_up_to: {}\n", base::format_rate(*model.measured_up_to));
  if (model.knee) text += fmt::format("knee: {}\n", base::format_percent(*model.knee));
  if (model.saturation) text += fmt::format("saturation: {}\n", base::format_rate(*model.saturation));
  if (model.startup_spread) {
    const bool uniform = model.startup_spread->kind == capacity::StartupSpread::Kind::uniform;
    text += fmt::format("startup: {{{}: {}, {}: {}}}\n", uniform ? "min" : "median",
                        base::format_duration(model.startup_spread->a), uniform ? "max" : "p95",
                        base::format_duration(model.startup_spread->b));
  } else if (model.startup) {
    text += fmt::format("startup: {}\n", base::format_duration(*model.startup));
  }
  if (model.startup_pool)
    text += fmt::format("startup_pool: {}\n", base::format_duration(*model.startup_pool));
  if (model.metric_lag) text += fmt::format("metric_lag: {}\n", base::format_duration(*model.metric_lag));
  if (model.in_service_delay)
    text += fmt::format("in_service_delay: {}\n", base::format_duration(*model.in_service_delay));
  if (model.queue) text += fmt::format("queue: {}\n", base::format_duration(*model.queue));
  if (model.noise != 0) text += fmt::format("noise: {}\n", format_number(model.noise));
  if (!model.latency.empty()) {
    text += "latency:\n";
    for (const LatencyPoint& point : model.latency) {
      text += fmt::format("  - {{cpu: {}, p50: {}ms, p95: {}ms, p99: {}ms}}\n",
                          base::format_percent(point.utilisation), format_number(point.p50_ms),
                          format_number(point.p95_ms), format_number(point.p99_ms));
    }
  }
  return text;
}

}  // namespace headroom::environment
