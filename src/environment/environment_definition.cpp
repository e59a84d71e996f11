// The keys of headroom.yaml.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/units.hpp"
#include "environment/records.hpp"

namespace headroom::environment {

Kind<Node> any_value(std::string name, std::string words) {
  Description description;
  description.shape = Description::Shape::any_of;  // without alternatives: anything
  description.name = std::move(name);
  description.words = std::move(words);
  return {description, [words = description.words](Reader& reader, const Node& node) -> std::optional<Node> {
            if (node.kind != Node::Kind::empty) return node;
            reader.expected(node, words);
            return std::nullopt;
          }};
}

namespace {

using base::Milliseconds;

struct First {
  Milliseconds fresh{0}, pool{0};
  bool operator==(const First&) const = default;
};

const Record<First>& first_record() {
  static const Record<First> record = [] {
    Record<First> r;
    r.info = {
        "first metric",
        "How long after the launch of an instance, or its start out of the pool, no metric of it is seen.",
        {}};
    r.key("fresh", &First::fresh, duration(), {"of a fresh instance", "0s", "12m"})
        .key("pool", &First::pool, duration(), {"of one from the warm pool", "0s", "2m"});
    return r;
  }();
  return record;
}

struct RawMetrics {
  Metrics metrics;
  First first;
};

const Record<RawMetrics>& metrics_record() {
  static const Record<RawMetrics> record = [] {
    using R = RawMetrics;
    Record<R> r;
    r.info = {"metrics", "What the controller sees, and when.", {}};
    r.key("period", [](R& m) -> Milliseconds& { return m.metrics.period; }, duration(Milliseconds{1}),
          {"time of one sample", "1m", "1m"})
        .key("lag", [](R& m) -> std::optional<Milliseconds>& { return m.metrics.lag; }, duration(),
             {"from the end of a period until its sample is seen (the capacity's metric_lag where not "
              "written, else 0s)",
              "", "1m"})
        .key("first", &R::first, record_kind("first metric", &first_record),
             {"no sample of an instance is seen before so long after its launch or start", "",
              "{fresh: 12m, pool: 2m}"});
    r.check = [](Reader&, const Node&, R& raw) {
      raw.metrics.first_fresh = raw.first.fresh;
      raw.metrics.first_pool = raw.first.pool;
    };
    return r;
  }();
  return record;
}

// `newest`, `oldest`, or a number.
Kind<std::string> which_instance() {
  Description description;
  description.shape = Description::Shape::any_of;
  description.words = "newest, oldest, or a number (3: the third in service, in start order)";
  description.name = "`newest`, `oldest` or number";
  description.alternatives = {describe_choice({"newest", "oldest"}), count(1).description};
  return {description,
          [words = description.words](Reader& reader, const Node& node) -> std::optional<std::string> {
            if (node.kind == Node::Kind::scalar) {
              const auto number = base::parse_integer(node.text);
              if (node.text == "newest" || node.text == "oldest") return node.text;
              if (number && *number >= 1 && *number <= 1'000'000) return std::to_string(*number);
            }
            reader.expected(node, words);
            return std::nullopt;
          }};
}

// Which keys a kind of fault needs, may have, or has no use for.
enum class Need { no, may, must };
struct DrillNeeds {
  DrillKind kind;
  const char* word;
  Need duration, zone, instance, by, share;
};
constexpr std::array kDrillNeeds{
    DrillNeeds{DrillKind::cut, "cut", Need::must, Need::must, Need::no, Need::no, Need::no},
    DrillNeeds{DrillKind::lost, "lost", Need::must, Need::must, Need::no, Need::no, Need::no},
    DrillNeeds{DrillKind::crash, "crash", Need::no, Need::no, Need::must, Need::no, Need::no},
    DrillNeeds{DrillKind::hang, "hang", Need::may, Need::no, Need::must, Need::no, Need::no},
    DrillNeeds{DrillKind::reboot, "reboot", Need::may, Need::no, Need::must, Need::no, Need::no},
    DrillNeeds{DrillKind::pause, "pause", Need::may, Need::no, Need::must, Need::no, Need::no},
    DrillNeeds{DrillKind::metrics, "metrics", Need::must, Need::no, Need::no, Need::no, Need::no},
    DrillNeeds{DrillKind::metrics_frozen, "metrics-frozen", Need::must, Need::no, Need::no, Need::no,
               Need::no},
    DrillNeeds{DrillKind::metrics_skewed, "metrics-skewed", Need::must, Need::no, Need::no, Need::must,
               Need::no},
    DrillNeeds{DrillKind::calls_fail, "calls-fail", Need::must, Need::no, Need::no, Need::no, Need::may},
    DrillNeeds{DrillKind::calls_hang, "calls-hang", Need::must, Need::no, Need::no, Need::no, Need::may},
    DrillNeeds{DrillKind::calls_lie, "calls-lie", Need::must, Need::no, Need::no, Need::no, Need::may},
    DrillNeeds{DrillKind::calls_late, "calls-late", Need::must, Need::no, Need::no, Need::must, Need::may},
};

Kind<DrillKind> drill_kind() {
  std::vector<std::pair<std::string, DrillKind>> options;
  for (const DrillNeeds& needs : kDrillNeeds) options.emplace_back(needs.word, needs.kind);
  return choice<DrillKind>(options);
}

void check_drill(Reader& reader, const Node& node, Drill& drill) {
  const auto needs = std::find_if(kDrillNeeds.begin(), kDrillNeeds.end(),
                                  [&](const DrillNeeds& one) { return one.kind == drill.kind; });
  const auto key = [&](const char* name, Need need, const char* example) {
    const Node* at = node.find(name);
    if (need == Need::must && at == nullptr) {
      reader.fault(node, fmt::format("a fault of the kind {} needs \"{}\"", needs->word, name),
                   fmt::format("add {}: {}, say", name, example));
    }
    if (need == Need::no && at != nullptr) {
      reader.fault(*at, fmt::format("\"{}\" means nothing with kind: {}", name, needs->word), "remove it");
    }
  };
  key("for", needs->duration, "10m");
  key("zone", needs->zone, "b");
  key("instance", needs->instance, "newest");
  key("by", needs->by, "30s");
  key("share", needs->share, "50%");
  const Node* duration = node.find("for");
  if (needs->duration == Need::must && duration != nullptr && drill.duration == Milliseconds{0})
    reader.fault(*duration, "a fault of 0s does nothing", "write how long it lasts, such as for: 10m");
  const Node* by = node.find("by");
  if (needs->by == Need::must && by != nullptr) {
    if (drill.by == Milliseconds{0})
      reader.fault(*by, "a fault by 0s does nothing", "write by how much, such as by: 30s");
    if (drill.by < Milliseconds{0} && drill.kind == DrillKind::calls_late)
      reader.fault(*by, "what is listed cannot come from the future", "write by: 30s, say");
  }
  const Node* share = node.find("share");
  if (needs->share == Need::may && share != nullptr && drill.share == 0)
    reader.fault(*share, "a fault of no call does nothing",
                 "write share: 50%, say, or leave it out: all calls");
}

const Record<Drill>& drill_record() {
  static const Record<Drill> record = [] {
    using D = Drill;
    Record<D> r;
    r.info = {"fault", "A rehearsed failure.", {}};
    r.key("at", &D::at, duration(), {"when it begins", "", "50m", true})
        .key("for", &D::duration, duration(),
             {"how long it lasts; hang and pause may do without: until the instance is replaced; reboot, "
              "too: one tick",
              "0s", "10m"})
        .key("kind", &D::kind, drill_kind(),
             {"what fails; the section Faults says what each kind does", "", "cut", true})
        .key("zone", &D::zone, text("zone"), {"which zone (cut, lost)", "", "b"})
        .key("instance", &D::instance, which_instance(),
             {"which instance (crash, hang, reboot, pause): a number is the n-th in service, in start order",
              "", "newest"})
        .key("by", &D::by, signed_duration(),
             {"metrics-skewed: how much later (or earlier) the timestamps say it is; calls-late: how old "
              "what is "
              "listed is",
              "0s", "30s"})
        .key("share", &D::share, ratio(0, 1), {"calls-*: of how many of the calls", "100%", "50%"});
    r.check = check_drill;
    return r;
  }();
  return record;
}

void check_environment(Reader& reader, const Node& node, RawEnvironment& raw) {
  Environment& environment = raw.environment;
  if (environment.services.empty()) {
    reader.fault(*node.find("services"), "an environment needs a service", "add one under services:");
  }
  std::set<std::string> zones;
  const Node* zone_list = node.find("zones");
  for (std::size_t i = 0; i < environment.zones.size(); ++i) {
    if (!zones.insert(environment.zones[i]).second) {
      reader.fault(
          zone_list->items[i],
          fmt::format("the zone {} stands here a second time", base::in_quotes(environment.zones[i])),
          "remove one of them");
    }
  }
  std::vector<std::string> names;
  for (const Service& service : environment.services) names.push_back(service.name);
  for (const Service& service : environment.services) {
    const Node* own = node.find("services")->find(service.name);
    for (std::size_t i = 0; i < service.depends_on.size(); ++i) {
      const std::string& other = service.depends_on[i];
      const Node& at = own->find("depends_on")->items[i];
      if (other == service.name)
        reader.fault(at, fmt::format("the service {} depends on itself", base::in_quotes(other)));
      if (std::find(names.begin(), names.end(), other) == names.end()) {
        const auto near = nearest(other, names);
        reader.fault(
            at, fmt::format("there is no service {}", base::in_quotes(other)),
            near ? fmt::format("did you mean \"{}\"?", *near) : "the services are " + joined(names, "and"));
      }
    }
    if (service.scale.per_zone && environment.zones.empty()) {
      reader.fault(*own->find("scale")->find("per"), "one group per zone needs zones",
                   "add zones: [a, b], say");
    }
  }
  const Node* fault_list = node.find("faults");
  for (std::size_t i = 0; i < environment.faults.size(); ++i) {
    const Drill& drill = environment.faults[i];
    if (!drill.zone.empty() && !zones.contains(drill.zone)) {
      reader.fault(*fault_list->items[i].find("zone"),
                   fmt::format("there is no zone {}", base::in_quotes(drill.zone)),
                   zones.empty() ? "add it to zones:" : "the zones are " + joined(environment.zones, "and"));
    }
  }
  if (raw.tune) environment.tune = resolved_tune(reader, std::move(*raw.tune), environment.services);
}

}  // namespace

const Record<RawEnvironment>& environment_record() {
  static const Record<RawEnvironment> record = [] {
    using R = RawEnvironment;
    Record<R> r;
    r.info = {"environment", "headroom.yaml.", {}};
    const auto services = converted<std::vector<Service>>(
        map_of("service", service_kind(), true),
        [](Reader&, const Node&, std::vector<std::pair<std::string, Service>> pairs) {
          std::vector<Service> list;
          for (auto& pair : pairs) {
            pair.second.name = pair.first;
            list.push_back(std::move(pair.second));
          }
          return std::optional(std::move(list));
        });
    const auto metrics = converted<Metrics>(
        record_kind("metrics", &metrics_record),
        [](Reader&, const Node&, const RawMetrics& m) { return std::optional(m.metrics); });
    r.key("name", [](R& e) -> std::string& { return e.environment.name; }, text("name"),
          {"how it is called", "", "matrix", true})
        .key("cloud", [](R& e) -> CloudKind& { return e.environment.cloud; },
             choice<CloudKind>({{"local", CloudKind::local},
                                {"aws", CloudKind::aws},
                                {"kubernetes", CloudKind::kubernetes}}),
             {"where it runs; simulate ignores it", "local", "aws"})
        .key("zones", [](R& e) -> std::vector<std::string>& { return e.environment.zones; },
             list_of(text("zone", "the name of a zone")), {"failure domains", "[]", "[a, b]"})
        .key("services", [](R& e) -> std::vector<Service>& { return e.environment.services; }, services,
             {"what runs", "", "{web: {run: ./serve}}", true})
        .key("traffic", [](R& e) -> std::optional<workload::Traffic>& { return e.environment.traffic; },
             traffic_kind(), {"the default traffic: a file, or its keys", "", "spike.yaml"})
        .key("tune", &R::tune, tune_kind(), {"what `headroom tune` may change", "", "{search: {}}"})
        .key("metrics", [](R& e) -> Metrics& { return e.environment.metrics; }, metrics,
             {"what the controller sees, and when", "{}", "{period: 1m, lag: 1m}"})
        .key("tick", [](R& e) -> std::optional<Milliseconds>& { return e.environment.tick; },
             duration(Milliseconds{1}),
             {"grid of the rehearsal (`metrics.period` where not written)", "", "1m"})
        .key("faults", [](R& e) -> std::vector<Drill>& { return e.environment.faults; },
             list_of(record_kind("fault", &drill_record)),
             {"rehearsed failures", "[]", "[{at: 50m, for: 10m, zone: b, kind: cut}]"})
        .key("seed", [](R& e) -> std::uint64_t& { return e.environment.seed; }, seed(),
             {"of all random numbers", "1", "7"})
        // Taken apart before the rest is read; see read.cpp.
        .key("environments", &R::variants,
             any_value("map of name to keys of this table", "variants of this file"),
             {"variants, chosen with -e NAME: laid over the rest of the file", "", "{prod: {cloud: aws}}"});
    r.check = check_environment;
    return r;
  }();
  return record;
}

}  // namespace headroom::environment
