#include "environment/fields.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace headroom::environment {
namespace {

Service example() {
  Service service;
  service.name = "web";
  policy::StepPolicy step;
  step.out = {{25, false, 1}, {50, true, 3}};
  step.in = {{15, false, 1}};
  policy::TargetPolicy hpa;
  policy::TargetPolicy aws;
  aws.semantics = policy::TargetSemantics::aws;
  aws.metric = policy::Metric::requests;
  policy::SchedulePolicy schedule;
  schedule.entries.resize(1);
  service.scale.scaling.policies = {step, hpa, aws, schedule, policy::ProportionalPolicy{}};
  service.scale.scaling.limits.rate_out = policy::RateLimit{4, base::Milliseconds{60'000}};
  service.scale.scaling.warm_up = base::Milliseconds{60'000};
  return service;
}

TEST(Fields, ShortNamesMeanTheOnlyFieldTheyFit) {
  const Service service = example();
  const auto path = [&](std::string_view name) {
    const auto field = resolve(name, fields(service));
    return field ? field->path : to_string(field.error());
  };
  EXPECT_EQ(path("out[0].add"), "scale.policies[0].step.out[0].add");
  EXPECT_EQ(path("out[1].add"), "scale.policies[0].step.out[1].add");
  EXPECT_EQ(path("above"), "scale.policies[0].step.out[0].above");
  EXPECT_EQ(path("step.out.at_least"), "scale.policies[0].step.out[1].at_least");
  EXPECT_EQ(path("in.below"), "scale.policies[0].step.in[0].below");
  EXPECT_EQ(path("remove"), "scale.policies[0].step.in[0].remove");
  EXPECT_EQ(path("policies[1].value"), "scale.policies[1].target.value");
  EXPECT_EQ(path("tolerance"), "scale.policies[1].target.tolerance");
  EXPECT_EQ(path("in_below"), "scale.policies[2].target.in_below");
  EXPECT_EQ(path("schedule.at_least"), "scale.policies[3].schedule[0].at_least");
  EXPECT_EQ(path("min"), "scale.min");
  EXPECT_EQ(path("rate.out.per"), "scale.rate.out.per");
  EXPECT_EQ(path("capacity.startup"), "capacity.startup");
  EXPECT_EQ(path("startup_pool"), "capacity.startup_pool");
  EXPECT_EQ(path("queue"), "capacity.queue");
  EXPECT_EQ(path("drain"), "scale.drain");
  EXPECT_EQ(path("newest_records"), "scale.policies[0].step.newest_records");
  EXPECT_EQ(path("plus"), "scale.policies[4].proportional.plus");
  // The whole path is meant even where it also fits as a part of another.
  EXPECT_EQ(path("scale.step.out"), "scale.step.out");
}

TEST(Fields, AnAmbiguousNameListsWhatItMayMean) {
  const auto field = resolve("out.add", fields(example()));
  ASSERT_FALSE(field);
  EXPECT_EQ(to_string(field.error()),
            "\"out.add\" may mean several fields\n"
            "  write one of scale.policies[0].step.out[0].add, scale.policies[0].step.out[1].add");
}

TEST(Fields, AnUnknownNameListsTheFields) {
  for (const std::string name : {"", "add.out", "out.ad", "out[", "out[2].add", ".", "[0]", "out..add"}) {
    const auto field = resolve(name, fields(example()));
    ASSERT_FALSE(field) << name;
    EXPECT_NE(to_string(field.error()).find("the fields are scale.initial"), std::string::npos) << name;
  }
}

TEST(Fields, EachFieldGivesBackWhatWasSet) {
  const Service before = example();
  for (const Field& field : fields(before)) {
    Service service = before;
    // A value that every kind holds exactly: whole, and inside 1 .. 1000.
    const double value = std::clamp(7.0, field.low, field.high);
    field.set(service, value);
    EXPECT_EQ(field.get(service), field.unit == FieldUnit::ratio ? std::min(7.0, field.high) : value)
        << field.path;
    if (field.get(before) != value) {
      EXPECT_FALSE(service == before) << field.path << " changes nothing";
    }
    // Back again: nothing else has changed. (A cooldown of both directions, or what was not set, has no way
    // back.)
    if (const auto old = field.get(before)) {
      field.set(service, *old);
      EXPECT_TRUE(service == before) << field.path << " changes something else";
    }
  }
}

TEST(Fields, UnitsFollowTheMetric) {
  const Service service = example();
  EXPECT_EQ(resolve("policies[1].value", fields(service))->unit, FieldUnit::percent);
  EXPECT_EQ(resolve("policies[2].value", fields(service))->unit, FieldUnit::rps);
  EXPECT_EQ(resolve("scale.warm_up", fields(service))->unit, FieldUnit::minutes);
}

TEST(Fields, CountsRoundHalfToEvenAndDurationsAreMinutes) {
  Service service = example();
  ASSERT_TRUE(set_field(service, "scale.max", 2.5));
  EXPECT_EQ(service.scale.scaling.limits.max, 2);
  ASSERT_TRUE(set_field(service, "scale.warm_up", 1.5));
  EXPECT_EQ(service.scale.scaling.warm_up->count(), 90'000);
  ASSERT_TRUE(set_field(service, "policies[0].step.cooldown", 3));
  const auto& step = std::get<policy::StepPolicy>(service.scale.scaling.policies[0]);
  EXPECT_EQ(step.cooldown_out, base::Milliseconds{180'000});
  EXPECT_EQ(step.cooldown_in, base::Milliseconds{180'000});
  EXPECT_EQ(*field_value(service, "policies[0].step.cooldown.in"), 3);
}

RC_GTEST_PROP(Fields, AnyMillisecondSurvivesTheMinutes, ()) {
  const auto ms = *rc::gen::inRange<std::int64_t>(0, 36'525LL * 86'400'000);
  Service service = example();
  const auto field = *resolve("scale.warm_up", fields(service));
  service.scale.scaling.warm_up = base::Milliseconds{ms};
  const double value = *field.get(service);
  field.set(service, value);
  RC_ASSERT(service.scale.scaling.warm_up->count() == ms);
}

TEST(Fields, AWarmUpThatIsNotWrittenIsTheOneThatCounts) {
  Service service = example();
  service.scale.scaling.warm_up.reset();
  policy::TargetPolicy target;
  target.semantics = policy::TargetSemantics::aws;
  service.scale.scaling.policies = {target};
  EXPECT_EQ(*field_value(service, "scale.warm_up"), 5);  // AWS's 300 s
  ASSERT_TRUE(set_field(service, "scale.warm_up", 0));
  EXPECT_EQ(*field_value(service, "scale.warm_up"), 0);
}

TEST(Fields, AProportionIsOneNumberPerSecondAndPerMinute) {
  Service service = example();
  ASSERT_TRUE(set_field(service, "per_rpm", 0.5));
  EXPECT_EQ(*field_value(service, "per_rps"), 30);  // 60 seconds a minute
  ASSERT_TRUE(set_field(service, "per_rps", 15));
  EXPECT_EQ(*field_value(service, "per_rpm"), 0.25);
}

TEST(Fields, AStartUpTimeThatIsSpreadIsNoNumber) {
  Service service = example();
  service.capacity.startup_spread.emplace();
  EXPECT_FALSE(set_field(service, "capacity.startup", 3));
  EXPECT_TRUE(set_field(service, "capacity.startup_pool", 3));
}

TEST(Fields, AllDatapointsStayAllOfThem) {
  Service service = example();
  ASSERT_TRUE(set_field(service, "periods", 5));
  const auto& step = std::get<policy::StepPolicy>(service.scale.scaling.policies[0]);
  EXPECT_EQ(step.datapoints, 5);  // 1 of 1 before, 5 of 5 now
  ASSERT_TRUE(set_field(service, "datapoints", 2));
  ASSERT_TRUE(set_field(service, "periods", 3));
  EXPECT_EQ(step.datapoints, 2);
}

TEST(Fields, SettingChecksTheRange) {
  Service service = example();
  EXPECT_FALSE(set_field(service, "out[0].add", 0));
  EXPECT_FALSE(set_field(service, "out[0].add", std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(field_value(service, "capacity.startup"));
}

TEST(Impossible, NamesTheKeyToChange) {
  policy::Scaling scaling;
  EXPECT_EQ(impossible(scaling), std::nullopt);
  scaling.limits.min = 11;
  EXPECT_EQ(impossible(scaling)->key, "min");
  scaling.limits.min = 2;
  scaling.initial = 1;
  EXPECT_EQ(impossible(scaling)->key, "initial");
  scaling.initial = 2;
  policy::StepPolicy step;
  step.out = {{25, true, 1}};
  step.in = {{25, false, 1}};
  scaling.policies = {step};
  EXPECT_EQ(impossible(scaling), std::nullopt);  // at least 25 and below 25 never hold together
  step.in[0].inclusive = true;
  EXPECT_EQ(impossible(policy::Policy(step))->key, "in");
  step.in[0].threshold = 20;
  step.newest_records = 1;
  EXPECT_EQ(impossible(policy::Policy(step)), std::nullopt);
  step.newest_records = 2;  // the latest sample alone is one
  EXPECT_EQ(impossible(policy::Policy(step))->key, "newest_records");
  step.window = base::Milliseconds{180'000};
  EXPECT_EQ(impossible(policy::Policy(step)), std::nullopt);
  step.datapoints = 2;
  EXPECT_EQ(impossible(policy::Policy(step))->key, "datapoints");
}

}  // namespace
}  // namespace headroom::environment
