// The keys of `scale:`: the limits around the policies.
#include <fmt/format.h>

#include "base/units.hpp"
#include "environment/fields.hpp"
#include "environment/records.hpp"

namespace headroom::environment {
namespace {

using base::Milliseconds;

const Record<policy::RateLimit>& rate_limit_record() {
  static const Record<policy::RateLimit> record = [] {
    using L = policy::RateLimit;
    Record<L> r;
    r.info = {"rate limit", "At most `count` instances within any `per`.", {}};
    r.key("count", &L::count, count(1, 10'000), {"instances", "", "4", true})
        .key("per", &L::per, duration(Milliseconds{1}), {"within any such time", "", "1m", true});
    return r;
  }();
  return record;
}

// "4 per 1m".
Kind<policy::RateLimit> rate_limit() {
  Description description;
  description.shape = Description::Shape::pattern;
  description.name = "rate limit (`4 per 1m`)";
  description.words = "a rate limit such as \"4 per 1m\"";
  description.pattern = "^[0-9]+ per ([0-9]+(\\.[0-9]+)?(w|d|h|m|s|ms))+$";
  Kind<policy::RateLimit> written{
      description, [description](Reader& reader, const Node& node) -> std::optional<policy::RateLimit> {
        constexpr std::string_view kPer = " per ";
        const std::string_view written_text = node.text;
        const std::size_t per = written_text.find(kPer);
        if (per != std::string_view::npos) {
          const auto number = base::parse_integer(written_text.substr(0, per));
          const auto span = base::parse_duration(written_text.substr(per + kPer.size()));
          if (number && *number >= 1 && *number <= 10'000 && span && span->count() > 0) {
            return policy::RateLimit{static_cast<int>(*number), *span};
          }
        }
        reader.expected(node, description.words);
        return std::nullopt;
      }};
  return either(written, record_kind("rate limit", &rate_limit_record));
}

using StepLimits = Both<std::optional<int>>;
using RateLimits = Both<std::optional<policy::RateLimit>>;

const Record<StepLimits>& step_limits_record() {
  static const Record<StepLimits> record = [] {
    Record<StepLimits> r;
    r.info = {"step limit", "At most so many instances per decision.", {}};
    r.key("out", &StepLimits::out, count(1, 10'000), {"added", "", "10"})
        .key("in", &StepLimits::in, count(1, 10'000), {"removed", "", "2"});
    return r;
  }();
  return record;
}

const Record<RateLimits>& rate_limits_record() {
  static const Record<RateLimits> record = [] {
    Record<RateLimits> r;
    r.info = {"rate limits", "At most so many instances within any such time.", {}};
    r.key("out", &RateLimits::out, rate_limit(), {"added", "", "4 per 1m"})
        .key("in", &RateLimits::in, rate_limit(), {"removed", "", "1 per 5m"});
    return r;
  }();
  return record;
}

struct RawScale {
  Scale scale;
  std::optional<int> initial;
  StepLimits step;
  RateLimits rate;
};

const Record<RawScale>& scale_record() {
  static const Record<RawScale> record = [] {
    using R = RawScale;
    Record<R> r;
    r.info = {"scale", "How a service scales: the limits around its policies, and the policies.", {}};
    r.key("initial", &R::initial, count(0),
          {"instances at the start (`min` where not written), per group", "", "1"})
        .key("min", [](R& s) -> int& { return s.scale.scaling.limits.min; }, count(0),
             {"never fewer by its own action, per group", "1", "1"})
        .key("max", [](R& s) -> int& { return s.scale.scaling.limits.max; }, count(1),
             {"never more, per group", "10", "20"})
        .key("warm_up", [](R& s) -> std::optional<Milliseconds>& { return s.scale.scaling.warm_up; },
             duration(),
             {"how long an instance counts as warming once it serves, for semantics aws and aws-step (5m "
              "where "
              "not written, as AWS)",
              "", "2m"})
        .key("per", [](R& s) -> bool& { return s.scale.per_zone; },
             choice<bool>({{"fleet", false}, {"zone", true}}),
             {"one group, or one per zone: every number here is then that of each zone", "fleet", "zone"})
        .key("pool", [](R& s) -> int& { return s.scale.pool; }, count(0),
             {"stopped instances kept for reuse (warm pool), per group", "0", "2"})
        .key("drain", [](R& s) -> Milliseconds& { return s.scale.drain; }, duration(),
             {"an instance finishes its requests for so long, without new ones, before it is removed", "0s",
              "10s"})
        .key(
            "in_at", [](R& s) -> bool& { return s.scale.hold_to_paid_hour; },
            choice<bool>({{"now", false}, {"paid-hour", true}}),
            {"when an instance that is not needed goes: now, or at the end of the hour that is paid for, and "
             "not at all if it is needed again before; the CPU that the policy sees is then the load over "
             "the "
             "instances that stay",
             "now", "paid-hour"})
        .key("step", &R::step, record_kind("step limit", &step_limits_record),
             {"at most so many per decision", "", "{out: 10, in: 2}"})
        .key("rate", &R::rate, record_kind("rate limits", &rate_limits_record),
             {"at most so many within a time", "", "{out: 4 per 1m, in: 1 per 5m}"})
        .key("policies", [](R& s) -> std::vector<policy::Policy>& { return s.scale.scaling.policies; },
             list_of(policy_kind()),
             {"the largest desired number wins; none: the fleet stays as it is", "[]",
              "[{target: {value: 50%}}]"});
    r.check = [](Reader& reader, const Node& node, R& raw) {
      policy::Scaling& scaling = raw.scale.scaling;
      scaling.initial = raw.initial.value_or(scaling.limits.min);
      scaling.limits.step_out = raw.step.out;
      scaling.limits.step_in = raw.step.in;
      scaling.limits.rate_out = raw.rate.out;
      scaling.limits.rate_in = raw.rate.in;
      if (const auto why = impossible(scaling)) {
        const Node* at = node.find(why->key);
        reader.fault(at != nullptr ? *at : node, why->what, why->fix);
      }
    };
    return r;
  }();
  return record;
}

}  // namespace

Kind<Scale> scale_kind() {
  return converted<Scale>(record_kind("scale", &scale_record), [](Reader&, const Node&, RawScale raw) {
    return std::optional<Scale>(std::move(raw.scale));
  });
}

}  // namespace headroom::environment
