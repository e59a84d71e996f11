#include "environment/edit.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "environment/read.hpp"

namespace headroom::environment {
namespace {

base::Result<std::string> no_file(const std::string& path) {
  return base::bad_input("there is no file " + path);
}

// Comments with more than ASCII, quotes, block and flow style, and every form of a number.
const std::string kFile = R"(# Grüße: 25% of everything — keep me
name: shop
services:
  web:
    capacity: {cpu_per_rpm: 0.0008716906, startup: 4m}   # measured
    scale:
      initial: 1
      min: 1        # never zero
      max: '20'
      warm_up: 90s
      rate: {out: 4 per 1m}
      policies:
        - step:
            metric: cpu
            every: 5m   # evaluation
            out: [{above: 25%, add: 1}, {at_least: "50 %", add: 3}]
            in:
              - below: 15%
                remove: 1   # one by one
            cooldown: 5m
        - target: {value: 700 rpm, metric: requests, tolerance: 10%}
    objective: {cpu: 50%}
environments:
  prod:
    services: {web: {scale: {min: 4}}}
)";

Service service_of(const std::string& text, const std::string& variant = {}) {
  const auto loaded = read(text, "headroom.yaml", no_file, variant);
  if (!loaded) {
    ADD_FAILURE() << to_string(loaded.error()) << "\n" << text;
    return {};
  }
  return loaded->environment.services.at(0);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string edit(const std::string& text, const std::string& name, double value,
                 const std::string& variant = {}) {
  const Service service = service_of(text, variant);
  const auto field = resolve(name, fields(service));
  if (!field) return to_string(field.error());
  const auto result =
      edited(text, "headroom.yaml", {{"services.web." + field->path, value, field->unit}}, variant);
  return result ? *result : to_string(result.error());
}

TEST(Edit, ChangesTheValueInTheUnitOfTheFileAndNothingElse) {
  EXPECT_EQ(edit(kFile, "out[0].above", 15), replaced(kFile, "above: 25%", "above: 15%"));
  EXPECT_EQ(edit(kFile, "out[0].add", 2), replaced(kFile, "add: 1", "add: 2"));
  EXPECT_EQ(edit(kFile, "at_least", 62.5), replaced(kFile, "\"50 %\"", "\"62.5 %\""));
  EXPECT_EQ(edit(kFile, "in.below", 10), replaced(kFile, "below: 15%", "below: 10%"));
  EXPECT_EQ(edit(kFile, "scale.max", 33), replaced(kFile, "'20'", "'33'"));
  EXPECT_EQ(edit(kFile, "scale.warm_up", 2), replaced(kFile, "90s", "120s"));
  EXPECT_EQ(edit(kFile, "step.every", 0.5), replaced(kFile, "every: 5m", "every: 0.5m"));
  EXPECT_EQ(edit(kFile, "step.every", 1.0 / 60), replaced(kFile, "every: 5m", "every: 1s"));
  EXPECT_EQ(edit(kFile, "target.value", 12), replaced(kFile, "700 rpm", "720 rpm"));
  EXPECT_EQ(edit(kFile, "tolerance", 0.07), replaced(kFile, "tolerance: 10%", "tolerance: 7%"));
  EXPECT_EQ(edit(kFile, "rate.out.count", 6), replaced(kFile, "4 per 1m", "6 per 1m"));
  EXPECT_EQ(edit(kFile, "rate.out.per", 2), replaced(kFile, "4 per 1m", "4 per 2m"));
  EXPECT_EQ(edit(kFile, "capacity.startup", 6), replaced(kFile, "startup: 4m", "startup: 6m"));
  EXPECT_EQ(edit(kFile, "step.cooldown", 10), replaced(kFile, "cooldown: 5m", "cooldown: 10m"));
  EXPECT_EQ(edit(kFile, "cooldown.in", 10), replaced(kFile, "cooldown: 5m", "cooldown: {out: 5m, in: 10m}"));
}

TEST(Edit, AddsAKeyThatIsNotWritten) {
  EXPECT_EQ(edit(kFile, "stabilise.in", 10),
            replaced(kFile, "tolerance: 10%", "tolerance: 10%, stabilise: {in: 10m}"));
  EXPECT_EQ(edit(kFile, "step.window", 3),
            replaced(kFile, "cooldown: 5m\n", "cooldown: 5m\n            window: 3m\n"));
  // `scale` ends in a list, so the key comes first; a comment stays with its line.
  EXPECT_EQ(edit(kFile, "scale.pool", 2), replaced(kFile, "initial: 1\n", "pool: 2\n      initial: 1\n"));
}

TEST(Edit, WritesIntoTheVariantAndNowhereElse) {
  EXPECT_EQ(edit(kFile, "scale.min", 6, "prod"), replaced(kFile, "min: 4", "min: 6"));
  EXPECT_EQ(edit(kFile, "scale.min", 6),
            replaced(replaced(kFile, "min: 1 ", "min: 6 "), "initial: 1", "initial: 6"));
  // What the variant inherits is written beside what it says, in the unit of the file.
  EXPECT_EQ(edit(kFile, "scale.max", 30, "prod"), replaced(kFile, "min: 4", "min: 4, max: \"30\""));
  EXPECT_EQ(edit(kFile, "scale.warm_up", 2, "prod"), replaced(kFile, "min: 4", "min: 4, warm_up: 120s"));
  EXPECT_EQ(edit(kFile, "rate.out.count", 6, "prod"),
            replaced(kFile, "min: 4", "min: 4, rate: {out: 6 per 1m}"));
}

TEST(Edit, AVariantGetsTheWholeListOfWhichAPartChanges) {
  EXPECT_EQ(
      edit(kFile, "out[0].above", 15, "prod"),
      replaced(kFile, "min: 4",
               "min: 4, policies: [{step: {metric: cpu, every: 5m, out: [{above: 15%, add: 1}, {at_least: "
               "\"50 %\", "
               "add: 3}], in: [{below: 15%, remove: 1}], cooldown: 5m}}, {target: {value: 700 rpm, metric: "
               "requests, tolerance: 10%}}]"));
  // One that has its own list is changed there.
  const std::string own = replaced(kFile, "min: 4", "policies: [{target: {value: 60%}}]");
  EXPECT_EQ(edit(own, "target.value", 55, "prod"), replaced(own, "60%", "55%"));
  EXPECT_EQ(edit(own, "tolerance", 0.05, "prod"), replaced(own, "60%", "60%, tolerance: 0.05"));
}

TEST(Edit, AVariantInLinesGetsLines) {
  const std::string text = kFile.substr(0, kFile.find("  prod:")) + R"(  prod:
    # Two of everything.
    zones: [a, b]
    cloud: aws   # for now
)";
  EXPECT_EQ(edit(text, "in[0].below", 12, "prod"), text + R"(    services:
      web:
        scale:
          policies:
            - step:
                metric: cpu
                every: 5m
                out: [{above: 25%, add: 1}, {at_least: "50 %", add: 3}]
                in:
                  - below: 12%
                    remove: 1
                cooldown: 5m
            - target: {value: 700 rpm, metric: requests, tolerance: 10%}
)");
  const std::string nothing = kFile.substr(0, kFile.find("  prod:")) + "  prod: {}\n";
  EXPECT_EQ(edit(nothing, "scale.max", 30, "prod"),
            replaced(nothing, "{}", "{services: {web: {scale: {max: \"30\"}}}}"));
}

TEST(Edit, AVariantIsRefusedByNameWhereItsPlaceIsNotPlain) {
  const std::vector<Change> max{{"services.web.scale.max", 30, FieldUnit::count}};
  EXPECT_FALSE(edited(kFile, "headroom.yaml", max, "test"));
  const std::string dotted = replaced(kFile, "  prod:", "  eu.prod:");
  const auto refused = edited(dotted, "headroom.yaml", max, "eu.prod");
  ASSERT_FALSE(refused);
  EXPECT_NE(to_string(refused.error()).find("environments: eu.prod"), std::string::npos);
}

// Variants of every form, each beside others that must not notice.
const std::string kVariants = kFile.substr(0, kFile.find("environments:")) + R"(zones: [a, b, c]
environments:
  flow: {cloud: aws, services: {web: {scale: {min: 4}}}}   # in one line
  lines:
    # the same in lines
    cloud: aws
    services:
      web:
        instance: {type: t3.micro}
        scale:   # more of them
          min: 4
          initial: 5
  last_is_a_map:
    services:
      web:
        scale: {rate: {in: {count: 1, per: 5m}}}
  no_services:
    cloud: aws
  empty: {}
  own_policies:
    services:
      web:
        scale:
          policies:
          - target: {value: 60%}   # at the column of its key
          - step:
              out:
                - {above: 80%}
              periods: 2
              datapoints: 2
  quoted: {"services": {web: {scale: {"max": '25', warm_up: "3m"}}}}
)";

RC_GTEST_PROP(Edit, AVariantReadsWithTheNewValueAndEveryOtherEnvironmentAsBefore, ()) {
  const std::vector<std::string> names{"",      "flow",         "lines", "last_is_a_map", "no_services",
                                       "empty", "own_policies", "quoted"};
  std::string text = kVariants;
  if (*rc::gen::arbitrary<bool>()) {
    text.clear();
    for (const char c : kVariants) text += c == '\n' ? "\r\n" : std::string(1, c);
  }
  const std::string variant = *rc::gen::elementOf(std::vector<std::string>(names.begin() + 1, names.end()));
  const auto environment = [](const std::string& from, const std::string& name) {
    const auto loaded = read(from, "headroom.yaml", no_file, name);
    if (!loaded) RC_FAIL(to_string(loaded.error()) + "\n" + from);
    return loaded->environment;
  };
  Environment expected = environment(text, variant);
  Service& service = expected.services.at(0);
  std::vector<Change> changes;
  for (int k = *rc::gen::inRange(1, 4); k > 0; --k) {
    const auto all = fields(service);
    const Field& field = all[*rc::gen::inRange<std::size_t>(0, all.size())];
    // As above; and both directions at once, or periods with their datapoints, contradict their parts.
    if (field.path == "capacity.cpu_per_rps" || field.path.ends_with(".cooldown") ||
        field.path.ends_with(".periods") || field.path.ends_with(".datapoints")) {
      continue;
    }
    const bool again = std::any_of(changes.begin(), changes.end(), [&](const Change& change) {
      return change.path == "services.web." + field.path;
    });
    double value = *rc::gen::inRange(1, 500) / (field.unit == FieldUnit::count ? 1.0 : 4.0);
    value = std::clamp(value, field.low, field.high);
    Service changed = service;
    field.set(changed, value);
    if (again || impossible(changed.scale.scaling)) continue;
    service = changed;
    changes.push_back({"services.web." + field.path, value, field.unit});
  }
  const auto result = edited(text, "headroom.yaml", changes, variant);
  if (!result) RC_FAIL(to_string(result.error()));
  for (const std::string& name : names) {
    if (name == variant) continue;
    RC_ASSERT(environment(*result, name) == environment(text, name));
  }
  // A variant that says min or max and no `initial` starts with min where the file's does not fit.
  Environment found = environment(*result, variant);
  const bool initial_set = std::any_of(changes.begin(), changes.end(), [](const Change& change) {
    return change.path == "services.web.scale.initial";
  });
  if (!initial_set) found.services.at(0).scale.scaling.initial = service.scale.scaling.initial;
  RC_ASSERT(found == expected);
  // No comment is lost, and none is copied.
  RC_ASSERT(std::count(result->begin(), result->end(), '#') == std::count(text.begin(), text.end(), '#'));
}

TEST(Edit, KeepsTheLineEndsOfWindowsAndAByteOrderMark) {
  std::string text;
  for (const char c : "\xEF\xBB\xBF" + kFile) text += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(edit(text, "out[0].above", 15), replaced(text, "above: 25%", "above: 15%"));
  EXPECT_EQ(edit(text, "step.window", 3),
            replaced(text, "cooldown: 5m\r\n", "cooldown: 5m\r\n            window: 3m\r\n"));
}

TEST(Edit, RefusesByNameWhatItCannotChange) {
  const std::string in_file = replaced(kFile, "{cpu_per_rpm: 0.0008716906, startup: 4m}", "capacity.yaml");
  const auto other_file =
      edited(in_file, "headroom.yaml", {{"services.web.capacity.startup", 3, FieldUnit::minutes}});
  ASSERT_FALSE(other_file);
  EXPECT_EQ(to_string(other_file.error()),
            "headroom.yaml:5:15: services.web.capacity.startup cannot be changed in place: \"capacity.yaml\" "
            "stands in its place\n"
            "  change it by hand");
  const auto map = edited(kFile, "headroom.yaml", {{"services.web.scale.rate", 3, FieldUnit::count}});
  ASSERT_FALSE(map);
  EXPECT_NE(to_string(map.error()).find("a map stands there"), std::string::npos);
  EXPECT_FALSE(
      edited(kFile, "headroom.yaml", {{"services.web.scale.policies[7].step.every", 3, FieldUnit::minutes}}));
  EXPECT_FALSE(edited(kFile, "headroom.yaml", {{"services.web.scale.max", NAN, FieldUnit::count}}));
  const std::string escaped = replaced(kFile, "'20'", "\"2\\x30\"");  // 20 in another spelling
  EXPECT_EQ(service_of(escaped).scale.scaling.limits.max, 20);
  EXPECT_NE(edit(escaped, "scale.max", 30).find("it is not written as one plain word"), std::string::npos);
}

RC_GTEST_PROP(Edit, TheSetValueIsReadAndEveryOtherByteStays, ()) {
  // Without the variants: a limit that suits the file may not suit them, which reading would say.
  const std::string text = kFile.substr(0, kFile.find("environments:"));
  const Service service = service_of(text);
  const auto all = fields(service);
  const Field& field = all[*rc::gen::inRange<std::size_t>(0, all.size())];
  // Its number per minute, which is what is written here, need not be exact; TheSlopeStaysInTheUnitOfTheFile.
  if (field.path == "capacity.cpu_per_rps") return;
  double value = *rc::gen::inRange(1, 500) / (field.unit == FieldUnit::count ? 1.0 : 4.0);
  value = std::clamp(value, field.low, field.high);
  Service expected = service;
  field.set(expected, value);
  if (impossible(expected.scale.scaling)) return;
  const auto result = edited(text, "headroom.yaml", {{"services.web." + field.path, value, field.unit}});
  RC_ASSERT(result.has_value());
  RC_ASSERT(service_of(*result) == expected);
  // Where initial follows min, two values differ (AFleetThatStartsWithItsMinimumStillDoes).
  if (field.path == "scale.min") return;
  // Only one stretch differs: what stands before and after it is that of the file.
  std::size_t same_start = 0;
  while (same_start < text.size() && same_start < result->size() && text[same_start] == (*result)[same_start])
    ++same_start;
  std::size_t same_end = 0;
  while (same_end < text.size() - same_start && same_end < result->size() - same_start &&
         text[text.size() - 1 - same_end] == (*result)[result->size() - 1 - same_end]) {
    ++same_end;
  }
  // No value here and no key that may be added is longer than 40 bytes.
  RC_ASSERT(text.size() - same_start - same_end <= 12u);
  RC_ASSERT(result->size() - same_start - same_end <= 60u);
}

TEST(Edit, AllDatapointsStayAllOfThem) {
  const std::string some = replaced(kFile, "cooldown: 5m", "periods: 3\n            datapoints: 2");
  EXPECT_EQ(edit(some, "periods", 5), replaced(some, "periods: 3", "periods: 5"));
  const std::string all = replaced(kFile, "cooldown: 5m", "periods: 3\n            datapoints: 3");
  EXPECT_EQ(edit(all, "periods", 5),
            replaced(replaced(all, "periods: 3", "periods: 5"), "datapoints: 3", "datapoints: 5"));
}

TEST(Edit, AFleetThatStartsWithItsMinimumStillDoes) {
  const std::string text = kFile.substr(0, kFile.find("environments:"));
  // initial: 1 equals min: 1. With min alone at 6 the file would not read: initial would lie outside.
  const std::string moved = edit(text, "scale.min", 6);
  EXPECT_EQ(moved, replaced(replaced(text, "min: 1 ", "min: 6 "), "initial: 1", "initial: 6"));
  EXPECT_EQ(service_of(moved).scale.scaling.initial, 6);
  // Not written, it follows by itself; different, it stays.
  const std::string unwritten = replaced(text, "      initial: 1\n", "");
  EXPECT_EQ(edit(unwritten, "scale.min", 6), replaced(unwritten, "min: 1 ", "min: 6 "));
  const std::string higher = replaced(text, "initial: 1", "initial: 8");
  EXPECT_EQ(edit(higher, "scale.min", 6), replaced(higher, "min: 1 ", "min: 6 "));
}

TEST(Edit, TheSlopeStaysInTheUnitOfTheFile) {
  // 0.06 % per request a second is 0.001 % per request a minute; a second key would be a contradiction.
  const std::string moved = edit(kFile, "cpu_per_rps", 0.06);
  EXPECT_EQ(moved, replaced(kFile, "0.0008716906", "0.001"));
  EXPECT_EQ(service_of(moved).capacity.slope_percent_per_rps, 0.06);
}

TEST(Edit, WhatIsSetAlreadyStaysAsItIsWritten) {
  EXPECT_EQ(edit(kFile, "at_least", 50), kFile);              // "50 %"
  EXPECT_EQ(edit(kFile, "scale.warm_up", 1.5), kFile);        // 90s
  EXPECT_EQ(edit(kFile, "target.value", 700.0 / 60), kFile);  // 700 rpm
  const std::string text = replaced(kFile, "90s", "1m30s");
  EXPECT_EQ(edit(text, "scale.warm_up", 1.5), text);
}

TEST(Edit, SeveralChangesAtOnce) {
  const auto result = edited(kFile, "headroom.yaml",
                             {{"services.web.scale.policies[0].step.out[0].add", 2, FieldUnit::count},
                              {"services.web.scale.policies[0].step.out[0].above", 15, FieldUnit::percent},
                              {"services.web.scale.policies[0].step.in[0].below", 10, FieldUnit::percent}});
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, replaced(replaced(kFile, "above: 25%, add: 1", "above: 15%, add: 2"), "below: 15%",
                              "below: 10%"));
}

}  // namespace
}  // namespace headroom::environment
