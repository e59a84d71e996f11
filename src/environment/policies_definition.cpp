// The keys of policies.
#include <fmt/format.h>

#include "base/units.hpp"
#include "environment/fields.hpp"
#include "environment/records.hpp"

namespace headroom::environment {
namespace {

using base::Milliseconds;

// A threshold as written; which of the two units is right depends on the policy's metric.
struct Threshold {
  double value = 0;  // percent, or requests per second
  bool is_percent = true;
  Position position;
  bool operator==(const Threshold& other) const {
    return value == other.value && is_percent == other.is_percent;
  }
};

Kind<Threshold> threshold() {
  Description description;
  description.shape = Description::Shape::pattern;
  description.name = "percent, or rate per instance";
  description.words = "a percentage such as 25%, or a rate per instance such as 12 rps";
  description.pattern = "^[0-9]+(\\.[0-9]+)? ?(%|rps|rpm|/s|/min)$";
  return {description, [description](Reader& reader, const Node& node) -> std::optional<Threshold> {
            // A million percent of one instance is a typing error.
            constexpr double kHighest = 1e6;
            if (node.kind == Node::Kind::scalar) {
              if (const auto percent = base::parse_percent(node.text)) {
                if (percent->value() >= 0 && percent->value() <= kHighest) {
                  return Threshold{percent->value(), true, node.position};
                }
              } else if (const auto rate = base::parse_rate(node.text)) {
                return Threshold{rate->value(), false, node.position};
              }
              const bool bare = base::parse_number(node.text).has_value();
              reader.expected(node, description.words, bare ? fmt::format("write {}%", node.text) : "");
              return std::nullopt;
            }
            reader.expected(node, description.words);
            return std::nullopt;
          }};
}

Kind<policy::Metric> metric() {
  return choice<policy::Metric>({{"cpu", policy::Metric::cpu}, {"requests", policy::Metric::requests}});
}

// The value of a threshold, with a fault where its unit is not the metric's.
double in_metric_unit(Reader& reader, const Threshold& threshold, policy::Metric metric) {
  if (threshold.is_percent != (metric == policy::Metric::cpu)) {
    reader.fault(threshold.position,
                 metric == policy::Metric::cpu
                     ? "expected a percentage such as 25%: the policy's metric is cpu"
                     : "expected a rate per instance such as 12 rps: the policy's metric is requests",
                 metric == policy::Metric::cpu ? "or write metric: requests" : "or write metric: cpu");
  }
  return threshold.value;
}

struct RawStep {
  std::optional<Threshold> strict;     // above, below
  std::optional<Threshold> inclusive;  // at_least, at_most
  int change = 1;
  bool operator==(const RawStep&) const = default;
};

const Record<RawStep>& out_step_record() {
  static const Record<RawStep> record = [] {
    Record<RawStep> r;
    r.info = {"step out", "Adds instances when the metric is beyond a threshold; one threshold each.", {}};
    r.key("above", &RawStep::strict, threshold(), {"adds when the metric is higher", "", "25%"})
        .key("at_least", &RawStep::inclusive, threshold(),
             {"adds when the metric is as high or higher", "", "25%"})
        .key("add", &RawStep::change, count(1, 10'000), {"how many instances to add", "1", "2"});
    r.check = [](Reader& reader, const Node& node, RawStep& step) {
      if (step.strict.has_value() == step.inclusive.has_value()) {
        reader.fault(node, "expected one of above and at_least in a step out",
                     "such as {above: 25%, add: 1}");
      }
    };
    return r;
  }();
  return record;
}

const Record<RawStep>& in_step_record() {
  static const Record<RawStep> record = [] {
    Record<RawStep> r;
    r.info = {"step in", "Removes instances when the metric is beyond a threshold; one threshold each.", {}};
    r.key("below", &RawStep::strict, threshold(), {"removes when the metric is lower", "", "15%"})
        .key("at_most", &RawStep::inclusive, threshold(),
             {"removes when the metric is as low or lower", "", "15%"})
        .key("remove", &RawStep::change, count(1, 10'000), {"how many instances to remove", "1", "1"});
    r.check = [](Reader& reader, const Node& node, RawStep& step) {
      if (step.strict.has_value() == step.inclusive.has_value()) {
        reader.fault(node, "expected one of below and at_most in a step in",
                     "such as {below: 15%, remove: 1}");
      }
    };
    return r;
  }();
  return record;
}

const Record<Both<Milliseconds>>& cooldown_record() {
  static const Record<Both<Milliseconds>> record = [] {
    using B = Both<Milliseconds>;
    Record<B> r;
    r.info = {"cooldown", "The pause after an action, by its direction.", {}};
    r.key("out", &B::out, duration(), {"after adding", "0s", "3m"})
        .key("in", &B::in, duration(), {"after removing", "0s", "5m"});
    return r;
  }();
  return record;
}

Kind<Both<Milliseconds>> cooldown() {
  using B = Both<Milliseconds>;
  return either(converted<B>(duration(),
                             [](Reader&, const Node&, Milliseconds both) {
                               return std::optional<B>(B{both, both});
                             }),
                record_kind("cooldown", &cooldown_record));
}

const Record<Both<std::optional<Milliseconds>>>& stabilise_record() {
  static const Record<Both<std::optional<Milliseconds>>> record = [] {
    using B = Both<std::optional<Milliseconds>>;
    Record<B> r;
    r.info = {
        "stabilise", "Windows over which recommendations are held against each other (semantics: hpa).", {}};
    r.key("out", &B::out, duration(),
          {"the smallest recommendation of this window counts (0s where not written)", "", "1m"})
        .key("in", &B::in, duration(),
             {"the largest recommendation of this window counts (5m where not written)", "", "5m"});
    return r;
  }();
  return record;
}

const Record<Both<std::optional<int>>>& periods_record() {
  static const Record<Both<std::optional<int>>> record = [] {
    using B = Both<std::optional<int>>;
    Record<B> r;
    r.info = {"periods", "Evaluation periods that must all breach (semantics: aws).", {}};
    r.key("out", &B::out, count(1, 1000), {"above the target before adding (3 where not written)", "", "3"})
        .key("in", &B::in, count(1, 1000), {"low before removing (15 where not written)", "", "15"});
    return r;
  }();
  return record;
}

struct RawStepPolicy {
  policy::StepPolicy policy;
  std::vector<RawStep> out;
  std::vector<RawStep> in;
  Both<Milliseconds> cooldown;
  std::optional<int> datapoints;
};

std::vector<policy::Step> steps_of(Reader& reader, const std::vector<RawStep>& raw, policy::Metric metric) {
  std::vector<policy::Step> steps;
  for (const RawStep& step : raw) {
    const Threshold& threshold = step.strict ? *step.strict : *step.inclusive;
    steps.push_back({in_metric_unit(reader, threshold, metric), step.inclusive.has_value(), step.change});
  }
  return steps;
}

const Record<RawStepPolicy>& step_policy_record() {
  static const Record<RawStepPolicy> record = [] {
    using R = RawStepPolicy;
    Record<R> r;
    r.info = {"step policy", "Adds or removes so many instances when the metric is beyond a threshold.", {}};
    r.key(
         "metric", [](R& p) -> policy::Metric& { return p.policy.metric; }, metric(),
         {"cpu: mean utilisation of the instances; requests: requests per second per instance", "cpu", "cpu"})
        .key("every", [](R& p) -> Milliseconds& { return p.policy.every; }, duration(Milliseconds{1}),
             {"evaluation period", "1m", "5m"})
        .key("first", [](R& p) -> Milliseconds& { return p.policy.first; }, duration(),
             {"time of the first evaluation", "0s", "1m"})
        .key("window", [](R& p) -> Milliseconds& { return p.policy.window; }, duration(),
             {"the mean over this window counts; 0s: the latest sample", "0s", "3m"})
        .key("out", &R::out, list_of(record_kind("step out", &out_step_record)),
             {"steps that add; of those breached the largest counts", "[]", "[{above: 25%, add: 1}]"})
        .key("in", &R::in, list_of(record_kind("step in", &in_step_record)),
             {"steps that remove; of those breached the largest counts", "[]", "[{below: 15%, remove: 1}]"})
        .key("periods", [](R& p) -> int& { return p.policy.periods; }, count(1, 1000),
             {"evaluation periods looked at", "1", "3"})
        .key("datapoints", &R::datapoints, count(1, 1000),
             {"of which so many must breach (all where not written)", "", "2"})
        .key("cooldown", &R::cooldown, cooldown(),
             {"after an action nothing for so long", "0s", "{out: 3m, in: 5m}"})
        .key("semantics", [](R& p) -> policy::StepSemantics& { return p.policy.semantics; },
             choice<policy::StepSemantics>({{"plain", policy::StepSemantics::plain},
                                            {"aws-simple", policy::StepSemantics::aws_simple},
                                            {"aws-step", policy::StepSemantics::aws_step}}),
             {"plain: every evaluation acts on its own; aws-simple, aws-step: as AWS Auto Scaling", "plain",
              "aws-step"})
        .key("fresh", [](R& p) -> bool& { return p.policy.fresh_only; }, flag(),
             {"aws-simple: only samples count that began after the number of instances last changed", "false",
              "true"})
        .key("newest_records", [](R& p) -> int& { return p.policy.newest_records; }, count(0, 1000),
             {"adds nothing unless the newest instance in service has so many samples in the window", "0",
              "2"});
    r.check = [](Reader& reader, const Node& node, R& raw) {
      raw.policy.out = steps_of(reader, raw.out, raw.policy.metric);
      raw.policy.in = steps_of(reader, raw.in, raw.policy.metric);
      raw.policy.cooldown_out = raw.cooldown.out;
      raw.policy.cooldown_in = raw.cooldown.in;
      raw.policy.datapoints = raw.datapoints.value_or(raw.policy.periods);
      const Node* fresh = node.find("fresh");
      if (fresh != nullptr && raw.policy.semantics != policy::StepSemantics::aws_simple) {
        reader.fault(*fresh, "\"fresh\" means something only with semantics: aws-simple",
                     "remove it, or write semantics: aws-simple");
      }
      if (const auto why = impossible(policy::Policy(raw.policy))) {
        const Node* at = node.find(why->key);
        reader.fault(at != nullptr ? *at : node, why->what, why->fix);
      }
    };
    return r;
  }();
  return record;
}

struct RawTargetPolicy {
  policy::TargetPolicy policy;
  std::optional<Threshold> value;
  Both<std::optional<Milliseconds>> stabilise;
  Both<std::optional<int>> periods;
  Both<Milliseconds> cooldown;
};

const Record<RawTargetPolicy>& target_policy_record() {
  static const Record<RawTargetPolicy> record = [] {
    using R = RawTargetPolicy;
    Record<R> r;
    r.info = {"target policy", "Keeps the metric near a value (target tracking).", {}};
    r.key(
         "metric", [](R& p) -> policy::Metric& { return p.policy.metric; }, metric(),
         {"cpu: mean utilisation of the instances; requests: requests per second per instance", "cpu", "cpu"})
        .key("value", &R::value, threshold(), {"the target", "", "50%", true})
        .key("every", [](R& p) -> Milliseconds& { return p.policy.every; }, duration(Milliseconds{1}),
             {"evaluation period", "1m", "15s"})
        .key("first", [](R& p) -> Milliseconds& { return p.policy.first; }, duration(),
             {"time of the first evaluation", "0s", "1m"})
        .key("window", [](R& p) -> Milliseconds& { return p.policy.window; }, duration(),
             {"the mean over this window counts; 0s: the latest sample", "0s", "3m"})
        .key("semantics", [](R& p) -> policy::TargetSemantics& { return p.policy.semantics; },
             choice<policy::TargetSemantics>(
                 {{"hpa", policy::TargetSemantics::hpa}, {"aws", policy::TargetSemantics::aws}}),
             {"hpa: as the Kubernetes HPA; aws: as AWS target tracking", "hpa", "aws"})
        .key("tolerance", [](R& p) -> double& { return p.policy.tolerance; }, ratio(0, 0.99),
             {"hpa: no action this near to the target", "0.1", "10%"})
        .key("stabilise", &R::stabilise, record_kind("stabilise", &stabilise_record),
             {"hpa: stabilisation windows", "", "{out: 0s, in: 5m}"})
        .key("periods", &R::periods, record_kind("periods", &periods_record),
             {"aws: periods in a row that must breach", "", "{out: 3, in: 15}"})
        .key("in_below", [](R& p) -> double& { return p.policy.in_below; }, ratio(0, 1),
             {"aws: removes only below this share of the target", "0.9", "90%"})
        .key("cooldown", &R::cooldown, cooldown(), {"aws: after an action nothing for so long", "0s", "5m"})
        .key("scale_in", [](R& p) -> bool& { return p.policy.scale_in; }, flag(),
             {"false: never removes", "true", "false"});
    r.check = [](Reader& reader, const Node& node, R& raw) {
      policy::TargetPolicy& p = raw.policy;
      p.target = in_metric_unit(reader, *raw.value, p.metric);
      p.stabilise_out = raw.stabilise.out.value_or(p.stabilise_out);
      p.stabilise_in = raw.stabilise.in.value_or(p.stabilise_in);
      p.periods_out = raw.periods.out.value_or(p.periods_out);
      p.periods_in = raw.periods.in.value_or(p.periods_in);
      p.cooldown_out = raw.cooldown.out;
      p.cooldown_in = raw.cooldown.in;
      // A key of the other semantics would be read and then never looked at.
      const bool hpa = p.semantics == policy::TargetSemantics::hpa;
      const std::vector<std::string> foreign =
          hpa ? std::vector<std::string>{"periods", "in_below", "cooldown"}
              : std::vector<std::string>{"tolerance", "stabilise"};
      for (const std::string& key : foreign) {
        if (const Node* at = node.find(key)) {
          reader.fault(*at, fmt::format("\"{}\" means nothing with semantics: {}", key, hpa ? "hpa" : "aws"),
                       fmt::format("remove it, or write semantics: {}", hpa ? "aws" : "hpa"));
        }
      }
      if (const auto why = impossible(policy::Policy(p))) {
        const Node* at = node.find(why->key);
        reader.fault(at != nullptr ? *at : node, why->what, why->fix);
      }
    };
    return r;
  }();
  return record;
}

const std::vector<std::string>& day_names() {
  static const std::vector<std::string> names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  return names;
}

using Days = std::array<bool, 7>;

// "mon-fri", "fri-mon" (over the weekend), "sat".
Kind<Days> days() {
  Kind<std::string> span = text("day or days (`mon-fri`)", "days such as mon-fri or [mon, sat]");
  Kind<Days> one = converted<Days>(
      span, [](Reader& reader, const Node& node, const std::string& written) -> std::optional<Days> {
        const std::size_t dash = written.find('-');
        const auto index = [](std::string_view name) {
          const auto& names = day_names();
          return std::find(names.begin(), names.end(), name) - names.begin();
        };
        const auto first = index(std::string_view(written).substr(0, dash));
        const auto last =
            dash == std::string::npos ? first : index(std::string_view(written).substr(dash + 1));
        if (first == 7 || last == 7) {
          reader.expected(node, "days such as mon-fri or [mon, sat]",
                          "the days are " + joined(day_names(), "and"));
          return std::nullopt;
        }
        Days result{};
        for (auto day = first;; day = (day + 1) % 7) {
          result[static_cast<std::size_t>(day)] = true;
          if (day == last) break;
        }
        return result;
      });
  std::vector<std::pair<std::string, std::size_t>> options;
  for (std::size_t i = 0; i < day_names().size(); ++i) options.emplace_back(day_names()[i], i);
  Kind<Days> several = converted<Days>(list_of(choice<std::size_t>(options), 1),
                                       [](Reader&, const Node&, const std::vector<std::size_t>& list) {
                                         Days result{};
                                         for (const std::size_t day : list) result[day] = true;
                                         return std::optional<Days>(result);
                                       });
  return either(one, several);
}

const Record<policy::ScheduleEntry>& schedule_entry_record() {
  static const Record<policy::ScheduleEntry> record = [] {
    using E = policy::ScheduleEntry;
    Record<E> r;
    r.info = {"schedule entry", "At these times at least so many instances.", {}};
    r.key("days", &E::days, days(), {"days of the week", "mon-sun", "mon-fri"})
        .key("from", &E::from, time_of_day(), {"time of day, UTC", "\"00:00\"", "\"08:00\""})
        .key("to", &E::to, time_of_day(),
             {"time of day, UTC; before `from`: the next day", "\"24:00\"", "\"20:00\""})
        .key("at_least", &E::at_least, count(1, 1'000'000), {"instances", "", "10", true});
    r.check = [](Reader& reader, const Node& node, E& entry) {
      if (entry.from == entry.to) {
        reader.fault(node, "`from` and `to` are the same time, which leaves nothing",
                     "write from: \"00:00\" and to: \"24:00\" for a whole day");
      }
    };
    return r;
  }();
  return record;
}

// Only the load of the whole service is in proportion to a number of instances.
enum class ProportionalMetric { load };

struct RawProportionalPolicy {
  policy::ProportionalPolicy policy;
  ProportionalMetric metric = ProportionalMetric::load;
  std::optional<double> per_rps, per_rpm;
};

const Record<RawProportionalPolicy>& proportional_policy_record() {
  static const Record<RawProportionalPolicy> record = [] {
    using R = RawProportionalPolicy;
    constexpr double kMostPerRate = 1e6;
    constexpr double kMostPlus = 10'000;
    Record<R> r;
    r.info = {
        "proportional policy", "As many instances as the load needs: per × load + plus, rounded up.", {}};
    r.key("metric", &R::metric, choice<ProportionalMetric>({{"load", ProportionalMetric::load}}),
          {"load: requests of the whole service", "load", "load"})
        .key("per_rps", &R::per_rps, number(0, kMostPerRate, "instances per request a second"),
             {"instances for each request a second", "", "0.264"})
        .key("per_rpm", &R::per_rpm, number(0, kMostPerRate, "instances per request a minute"),
             {"instances for each request a minute; one of the two", "", "0.0044"})
        .key("plus", [](R& p) -> double& { return p.policy.plus; },
             number(-kMostPlus, kMostPlus, "instances"), {"instances whatever the load", "0", "4"})
        .key("every", [](R& p) -> Milliseconds& { return p.policy.every; }, duration(Milliseconds{1}),
             {"evaluation period", "1m", "1m"})
        .key("first", [](R& p) -> Milliseconds& { return p.policy.first; }, duration(),
             {"time of the first evaluation", "0s", "1m"})
        .key("window", [](R& p) -> Milliseconds& { return p.policy.window; }, duration(),
             {"the samples of this window count; 0s: the latest sample", "0s", "5m"})
        .key("statistic", [](R& p) -> policy::Statistic& { return p.policy.statistic; },
             choice<policy::Statistic>({{"mean", policy::Statistic::mean}, {"max", policy::Statistic::max}}),
             {"what of the samples of the window counts", "mean", "max"})
        .key("order", [](R& p) -> int& { return p.policy.order; }, count(0, 10'000),
             {"so many are added at each evaluation, whatever the load", "0", "1"})
        .key("remove", [](R& p) -> policy::Removal& { return p.policy.remove; },
             choice<policy::Removal>(
                 {{"spare", policy::Removal::spare}, {"serving", policy::Removal::serving}}),
             {"spare: no more go than leave the desired number in service; serving: instances in service go "
              "as "
              "soon as they and those launching are more than desired",
              "spare", "serving"});
    r.check = [](Reader& reader, const Node& node, R& raw) {
      if (raw.per_rps.has_value() == raw.per_rpm.has_value()) {
        reader.fault(node, "expected one of per_rps and per_rpm in a proportional policy",
                     "such as {per_rpm: 0.0044, plus: 4}");
        return;
      }
      constexpr double kSecondsPerMinute = 60;
      raw.policy.per_rps = raw.per_rps ? *raw.per_rps : *raw.per_rpm * kSecondsPerMinute;
      if (const auto why = impossible(policy::Policy(raw.policy))) {
        const Node* at = node.find(why->key);
        reader.fault(at != nullptr ? *at : node, why->what, why->fix);
      }
    };
    return r;
  }();
  return record;
}

struct RawPolicy {
  std::optional<RawStepPolicy> step;
  std::optional<RawTargetPolicy> target;
  std::optional<std::vector<policy::ScheduleEntry>> schedule;
  std::optional<RawProportionalPolicy> proportional;
};

const Record<RawPolicy>& policy_record() {
  static const Record<RawPolicy> record = [] {
    Record<RawPolicy> r;
    r.info = {"policy", "One of these; of several policies the largest desired number wins.", {}};
    r.key("step", &RawPolicy::step, record_kind("step policy", &step_policy_record),
          {"thresholds and what to add or remove beyond them", "",
           "{out: [{above: 25%, add: 1}], in: [{below: 15%, remove: 1}]}"})
        .key("target", &RawPolicy::target, record_kind("target policy", &target_policy_record),
             {"keeps the metric near a value", "", "{value: 50%}"})
        .key("schedule", &RawPolicy::schedule,
             list_of(record_kind("schedule entry", &schedule_entry_record), 1),
             {"at least so many instances at certain times", "",
              "[{days: mon-fri, from: \"08:00\", to: \"20:00\", at_least: 10}]"})
        .key("proportional", &RawPolicy::proportional,
             record_kind("proportional policy", &proportional_policy_record),
             {"as many instances as the load needs", "", "{per_rpm: 0.0044, plus: 4, window: 5m}"});
    r.check = [](Reader& reader, const Node& node, RawPolicy& raw) {
      const int kinds =
          (raw.step ? 1 : 0) + (raw.target ? 1 : 0) + (raw.schedule ? 1 : 0) + (raw.proportional ? 1 : 0);
      if (kinds != 1) {
        reader.fault(
            node,
            fmt::format("expected one of step, target, schedule and proportional in a policy, found {}",
                        kinds == 0 ? "none" : "several"),
            "write each policy as an item of its own, with a dash");
      }
    };
    return r;
  }();
  return record;
}

}  // namespace

Kind<policy::Policy> policy_kind() {
  return converted<policy::Policy>(record_kind("policy", &policy_record),
                                   [](Reader&, const Node&, RawPolicy raw) -> std::optional<policy::Policy> {
                                     if (raw.step) return raw.step->policy;
                                     if (raw.target) return raw.target->policy;
                                     if (raw.proportional) return raw.proportional->policy;
                                     return policy::SchedulePolicy{std::move(*raw.schedule)};
                                   });
}

}  // namespace headroom::environment
