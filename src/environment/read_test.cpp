#include "environment/read.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "environment/capacity_file.hpp"

namespace headroom::environment {
namespace {

using base::Milliseconds;

constexpr std::int64_t kMinute = 60'000;

std::map<std::string, std::string> files() {
  return {
      {"here/capacity.yaml",
       "cpu_per_rps: 0.05\ninterval: [0.04, 0.06]\nr2: 0.99\nstartup: 4m\nmetric_lag: 1m\n"},
      {"here/traffic/spike.yaml", "csv: demand.csv\nscale: {factor: 2}\n"},
      {"here/traffic/demand.csv", "timestamp,value\n2014-07-01 00:00:00,5\n"},
      {"here/people.csv", "# made up\nname;city\nAda;\"The; Hague\"\nBob;\n"},
      {"here/words.csv", "word\ncloud\n"},
      {"here/bad.csv", "word,2nd,word\na,b,c\n"},
      {"here/uneven.csv", "a,b\n1,2\n3\n"},
      {"here/names-only.csv", "a,b\n"},
      {"here/breaks.csv", "text,id\n\"one\ntwo\",a b\n"},
  };
}

base::Result<std::string> read_file(const std::string& path) {
  const auto all = files();
  const auto found = all.find(path);
  if (found == all.end()) return base::bad_input("there is no file " + path);
  return found->second;
}

// Aborts the test where the text is at fault.
Loaded loaded(const std::string& text, const std::string& variant = {}) {
  auto result = read(text, "here/headroom.yaml", read_file, variant);
  if (result) return std::move(*result);
  ADD_FAILURE() << to_string(result.error());
  return {};
}

std::string faults(const std::string& text, const std::string& variant = {}) {
  const auto result = read(text, "here/headroom.yaml", read_file, variant);
  return result ? "" : to_string(result.error());
}

const std::string kConf42 = R"(name: conf42
services:
  web:
    instance: {price: 0.0104 USD/h}
    capacity: {cpu_per_rpm: 0.0008716906, startup: 4m}
    scale:
      initial: 1
      min: 1
      max: 20
      policies:
        - step:
            metric: cpu
            every: 5m
            first: 1m
            out: [{above: 25%, add: 1}]
            in: [{below: 15%, remove: 1}]
            cooldown: 0s
    objective: {cpu: 50%}
traffic:
  open: {start: 0 rpm, sample: end, stages: [{for: 10m, to: 30000 rpm}, {for: 8m, to: 150000 rpm}, {for: 30m, at: 150000 rpm}]}
tune:
  aim: utilisation
  search: {out.add: 1..9, out.above: 11..34, in.below: round(0.7 * out.above)}
)";

TEST(Read, TheTypesHoldWhatTheFileSays) {
  const Environment environment = loaded(kConf42).environment;
  Environment expected;
  expected.name = "conf42";
  Service web;
  web.name = "web";
  web.instance.price = base::UsdPerHour(0.0104);
  web.capacity.slope_percent_per_rps = 0.0008716906 * 60;
  web.capacity.startup = Milliseconds{4 * kMinute};
  web.capacity.source = "headroom.yaml";
  web.scale.scaling.limits.max = 20;
  policy::StepPolicy step;
  step.every = Milliseconds{5 * kMinute};
  step.first = Milliseconds{kMinute};
  step.out = {{25, false, 1}};
  step.in = {{15, false, 1}};
  web.scale.scaling.policies = {step};
  web.objective.cpu = base::Percent(50);
  expected.services = {web};
  workload::Open open;
  open.sample_at = workload::SampleAt::end;
  open.stages = {{Milliseconds{10 * kMinute}, std::nullopt, base::Rate(500)},
                 {Milliseconds{8 * kMinute}, std::nullopt, base::Rate(2500)},
                 {Milliseconds{30 * kMinute}, base::Rate(2500), base::Rate(2500)}};
  workload::Traffic traffic;
  traffic.shape = open;
  expected.traffic = traffic;
  expected.tune.aim = Aim::utilisation;
  const std::string before = "services.web.scale.policies[0].step.";
  expected.tune.search = {
      {"out.add", before + "out[0].add", SearchRange{1, 9, 1}},
      {"out.above", before + "out[0].above", SearchRange{11, 34, 1}},
      {"in.below", before + "in[0].below", SearchExpression{"round(0.7 * out.above)", {1}}}};
  EXPECT_TRUE(environment == expected);
}

TEST(Read, PlacesLeadBackToTheFile) {
  const Loaded file = loaded(kConf42);
  EXPECT_EQ(file.place_of("services.web.scale.policies[0].step.every"),
            (base::Place{"here/headroom.yaml", 13, 20}));
  EXPECT_EQ(file.place_of("services.web.scale.policies[0].step.out[0].add"),
            (base::Place{"here/headroom.yaml", 15, 37}));
  // `window` is not written: the step policy around it is the place.
  EXPECT_EQ(file.place_of("services.web.scale.policies[0].step.window"),
            (base::Place{"here/headroom.yaml", 12, 13}));
  EXPECT_EQ(file.place_of("nowhere"), (base::Place{"here/headroom.yaml", 1, 1}));
  base::Error error = base::bad_input("does not fit the tick");
  error.faults[0].path = "services.web.scale.policies[0].step.first";
  EXPECT_EQ(located(file, error).faults[0].place, (base::Place{"here/headroom.yaml", 14, 20}));
}

TEST(Read, FilesAreRelativeToTheFileThatNamesThem) {
  const Loaded file =
      loaded("name: a\nservices: {web: {capacity: capacity.yaml}}\ntraffic: traffic/spike.yaml\n");
  const Service& web = file.environment.services.at(0);
  EXPECT_EQ(web.capacity.slope_percent_per_rps, 0.05);
  EXPECT_EQ(web.capacity.source, "capacity.yaml");
  const auto& recorded = std::get<workload::Recorded>(file.environment.traffic->shape);
  EXPECT_EQ(recorded.file, "demand.csv");
  EXPECT_EQ(recorded.path, "here/traffic/demand.csv");
  EXPECT_EQ(recorded.text, files().at("here/traffic/demand.csv"));
  EXPECT_EQ(file.place_of("traffic.scale.factor"), (base::Place{"here/traffic/spike.yaml", 2, 17}));
  const Loaded direct = loaded("name: a\nservices: {web: {}}\ntraffic: traffic/demand.csv\n");
  EXPECT_EQ(std::get<workload::Recorded>(direct.environment.traffic->shape).file, "traffic/demand.csv");
  EXPECT_EQ(std::get<workload::Recorded>(direct.environment.traffic->shape).path, "here/traffic/demand.csv");
}

TEST(Read, ValuesInHeadroomYamlOverrideTheCapacityFile) {
  const auto capacity = loaded("name: a\nservices: {web: {capacity: {file: capacity.yaml, startup: 2m}}}\n")
                            .environment.services.at(0)
                            .capacity;
  EXPECT_EQ(capacity.startup, Milliseconds{2 * kMinute});
  EXPECT_EQ(capacity.metric_lag, Milliseconds{kMinute});
  EXPECT_EQ(capacity.slope_percent_per_rps, 0.05);
  EXPECT_EQ(capacity.source, "capacity.yaml, with startup from headroom.yaml");
  const auto slope =
      loaded("name: a\nservices: {web: {capacity: {file: capacity.yaml, cpu_per_rpm: 0.001}}}\n")
          .environment.services.at(0)
          .capacity;
  EXPECT_EQ(slope.slope_percent_per_rps, 0.06);
  EXPECT_FALSE(slope.slope_interval_95);  // it belongs to the measured slope
  EXPECT_FALSE(slope.r_squared);
}

TEST(Read, AFaultInANamedFileIsLocatedThere) {
  const auto result =
      read("name: a\nservices: {web: {capacity: capacity.yaml}}\n", "here/headroom.yaml",
           [](const std::string&) -> base::Result<std::string> { return "cpu_per_rps: 1\nstartup: 4\n"; });
  ASSERT_FALSE(result);
  EXPECT_EQ(
      to_string(result.error()),
      "here/capacity.yaml:2:10: expected a duration such as 250ms, 5s, 4m, 2h, 14d or 1h30m, found \"4\"\n"
      "  write its unit: 4s, 4m or 4h for seconds, minutes or hours");
}

TEST(Read, AFileThatCannotBeReadIsNamedWhereItWasLookedFor) {
  const ReadFile none = [](const std::string& path) -> base::Result<std::string> {
    return base::bad_input(base::Place{path, 0, 0}, "cannot be read: it does not exist", "check the path");
  };
  const auto message = [&](const std::string& text) {
    const auto result = read(text, "here/headroom.yaml", none);
    return result ? std::string() : to_string(result.error());
  };
  EXPECT_EQ(message("name: a\nservices: {web: {capacity: {file: zz.yaml}}}\ntraffic: nope.csv\n"),
            "here/headroom.yaml:2:35: here/zz.yaml: cannot be read: it does not exist\n  check the path\n"
            "here/headroom.yaml:3:10: here/nope.csv: cannot be read: it does not exist\n  check the path");
  EXPECT_EQ(message("name: a\nservices: {web: {}}\ntraffic: {csv: {file: no/pe.csv}}\n"),
            "here/headroom.yaml:3:23: here/no/pe.csv: cannot be read: it does not exist\n  check the path");
}

const std::string kVariants = R"(name: a
zones: [a]
services:
  web: {scale: {min: 2, max: 9}, instance: {cpu: 0.5}}
environments:
  prod: {zones: [a, b], services: {web: {scale: {min: 4}}}}
  bare: {services: {web: {instance: }}}
)";

TEST(Read, AVariantIsLaidOverTheFile) {
  EXPECT_EQ(loaded(kVariants).environment.services.at(0).scale.scaling.limits.min, 2);
  const Environment prod = loaded(kVariants, "prod").environment;
  EXPECT_EQ(prod.services.at(0).scale.scaling.limits.min, 4);
  EXPECT_EQ(prod.services.at(0).scale.scaling.limits.max, 9);
  EXPECT_EQ(prod.zones, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(loaded(kVariants, "bare").environment.services.at(0).instance.cpu);
  EXPECT_EQ(faults(kVariants, "test"),
            "here/headroom.yaml: there is no environment \"test\"\n  the environments are prod and bare");
}

TEST(Read, AVariantThatMovesMinPastInitialStartsWithMin) {
  const std::string text =
      "name: a\nservices: {web: {scale: {initial: 1, min: 1}}}\nenvironments: {prod: {services: {web: "
      "{scale: {min: 4}}}}}\n";
  EXPECT_EQ(loaded(text, "prod").environment.services.at(0).scale.scaling.initial, 4);
  EXPECT_EQ(loaded(text).environment.services.at(0).scale.scaling.initial, 1);
  // Where the variant says both, it contradicts itself.
  EXPECT_NE(faults("name: a\nservices: {web: {}}\nenvironments: {prod: {services: {web: {scale: {initial: 1, "
                   "min: 4}}}}}\n"),
            "");
}

TEST(Read, AVariantThatIsNotChosenIsCheckedToo) {
  const std::string text =
      "name: a\nservices: {web: {scale: {max: 3}}}\nenvironments: {prod: {services: {web: {scale: {min: "
      "4}}}}}\n";
  EXPECT_EQ(faults(text), "here/headroom.yaml:3:53: min (4) is above max (3)\n  write a min of at most max");
  // A file that only prod names need not be here.
  EXPECT_EQ(faults("name: a\nservices: {web: {}}\nenvironments: {prod: {traffic: there.yaml, services: {web: "
                   "{capacity: x.yaml}}}}\n"),
            "");
}

TEST(Read, AMistypedServiceInAVariantIsRefusedWhetherItIsChosenOrNot) {
  const std::string text =
      "name: a\nservices: {web: {scale: {max: 3}}}\nenvironments: {prod: {services: {wbe: {scale: {min: "
      "3}}}}}\n";
  const std::string expected =
      "here/headroom.yaml:3:34: there is no service \"wbe\"\n  did you mean \"web\"?";
  EXPECT_EQ(faults(text), expected);
  EXPECT_EQ(faults(text, "prod"), expected);
  // A service that only prod has is no slip of the pen, however near its name is.
  EXPECT_EQ(faults("name: a\nservices: {web: {}}\nenvironments: {prod: {services: {web2: {capacity: "
                   "{cpu_per_rps: 1}}, db: {}}}}\n"),
            "");
}

TEST(Read, TheVariantsOfAFileAreNamed) {
  EXPECT_EQ(loaded(kVariants).variants, (std::vector<std::string>{"prod", "bare"}));
  EXPECT_TRUE(loaded(kConf42).variants.empty());
}

TEST(Read, InitialIsMinWhereItIsNotWritten) {
  EXPECT_EQ(loaded("name: a\nservices: {web: {scale: {min: 4}}}\n")
                .environment.services.at(0)
                .scale.scaling.initial,
            4);
}

TEST(Read, AllDatapointsMustBreachWhereNoNumberIsWritten) {
  const auto environment =
      loaded("name: a\nservices: {web: {scale: {policies: [{step: {out: [{above: 25%}], periods: 3}}]}}}\n")
          .environment;
  EXPECT_EQ(std::get<policy::StepPolicy>(environment.services.at(0).scale.scaling.policies.at(0)).datapoints,
            3);
}

TEST(Read, DaysMayRunOverTheWeekend) {
  const auto environment = loaded(
                               "name: a\nservices: {web: {scale: {policies: [{schedule: [{days: sat-mon, "
                               "at_least: 2}, {days: [tue, thu], at_least: 3}]}]}}}\n")
                               .environment;
  const auto& schedule =
      std::get<policy::SchedulePolicy>(environment.services.at(0).scale.scaling.policies.at(0));
  EXPECT_EQ(schedule.entries[0].days, (std::array<bool, 7>{true, false, false, false, false, true, true}));
  EXPECT_EQ(schedule.entries[1].days, (std::array<bool, 7>{false, true, false, true, false, false, false}));
}

TEST(Read, WhatLaterCommandsUseIsReadNow) {
  const auto environment = loaded(R"(name: full
zones: [a, b]
services:
  db: {run: ./db, listen: {port: 5432, address: 0.0.0.0}}
  web:
    source: ./app
    build: make
    run: ./serve
    env: {B: "2", A: 1}
    secrets: {KEY: "ssm:/prod/key"}
    depends_on: [db]
    instance: {type: t3.micro, memory: 1GB, billing: hourly}
    health: {path: /up, interval: 10s, unhealthy_after: 5}
    scale: {per: zone, pool: 2}
    objective: {profit: {revenue: 0.0009 USD, downtime_penalty: 200 USD, downtime_below: 99.5%}}
    traffic: {closed: {serial: false, stages: [{users: 5, requests: 10, think: 3s, distribution: uniform}]}}
faults: [{at: 50m, for: 10m, zone: b, kind: cut}]
)")
                               .environment;
  const Service& web = environment.services.at(1);
  EXPECT_EQ(environment.services.at(0).listen.port, 5432);
  EXPECT_EQ(web.env, (std::vector<std::pair<std::string, std::string>>{{"B", "2"}, {"A", "1"}}));
  EXPECT_EQ(web.secrets.at(0).second, "ssm:/prod/key");
  EXPECT_EQ(web.depends_on, std::vector<std::string>{"db"});
  EXPECT_EQ(web.instance.memory_bytes, 1'000'000'000);
  EXPECT_EQ(web.instance.billing.model, BillingModel::hourly);
  EXPECT_EQ(web.health.unhealthy_after, 5);
  EXPECT_TRUE(web.scale.per_zone);
  EXPECT_EQ(web.scale.pool, 2);
  EXPECT_EQ(web.objective.profit->downtime_below, 0.995);
  EXPECT_EQ(std::get<workload::Closed>(web.traffic->shape).stages.at(0).users, 5);
  EXPECT_EQ(environment.faults.at(0).kind, DrillKind::cut);
}

// The service of a file with these keys.
Service service_with(const std::string& keys) {
  Loaded file = loaded("name: a\nservices: {web: {" + keys + "}}\n");
  return file.environment.services.empty() ? Service{} : file.environment.services.front();
}

TEST(Read, CreditsAreThoseThatAnInstanceStartsWithUnlessMoreCanBeSaved) {
  const Credits plain = *service_with("instance: {credits: {baseline: 0.165, initial: 3s}}").instance.credits;
  EXPECT_EQ(plain, (Credits{base::Cores(0.165), Milliseconds{3'000}, Milliseconds{3'000}, false}));
  const Credits more = *service_with("instance: {cpu: 2, credits: {baseline: 1, most: 5s, metric: baseline}}")
                            .instance.credits;
  EXPECT_EQ(more, (Credits{base::Cores(1), Milliseconds{0}, Milliseconds{5'000}, true}));
}

TEST(Read, BillingMayBeginWhereServiceBegins) {
  EXPECT_FALSE(service_with("instance: {billing: hourly}").instance.billing.from_in_service);
  EXPECT_TRUE(service_with("instance: {billing: {model: hourly, from: in-service}}")
                  .instance.billing.from_in_service);
}

TEST(Read, AStartUpTimeMayBeSpreadAndIsThenItsMean) {
  using capacity::StartupSpread;
  const auto uniform = service_with("capacity: {startup: {min: 60s, max: 120s}}").capacity;
  EXPECT_EQ(uniform.startup, Milliseconds{90'000});
  EXPECT_EQ(uniform.startup_spread,
            (StartupSpread{StartupSpread::Kind::uniform, Milliseconds{60'000}, Milliseconds{120'000}}));
  const auto lognormal = service_with("capacity: {startup: {median: 80s, p95: 120s}}").capacity;
  EXPECT_EQ(lognormal.startup, Milliseconds{82'468});  // as in capacity/model_test.cpp
  EXPECT_EQ(lognormal.startup_spread->kind, StartupSpread::Kind::lognormal);
  EXPECT_FALSE(service_with("capacity: {startup: 85s}").capacity.startup_spread);
}

TEST(Read, ATimeInHeadroomYamlStandsInFrontOfASpreadInTheFile) {
  const auto result = read("name: a\nservices: {web: {capacity: {file: c.yaml, startup: 2m}}}\n",
                           "headroom.yaml", [](const std::string&) -> base::Result<std::string> {
                             return "startup: {min: 1m, max: 3m}\nstartup_pool: 30s\n";
                           });
  ASSERT_TRUE(result);
  const auto& capacity = result->environment.services.at(0).capacity;
  EXPECT_EQ(capacity.startup, Milliseconds{2 * kMinute});
  EXPECT_FALSE(capacity.startup_spread);
  EXPECT_EQ(capacity.startup_pool, Milliseconds{30'000});
}

TEST(Read, RequestsMayWaitAndCapacityMayVary) {
  const auto written = service_with("capacity: {queue: 30s, noise: 10%}").capacity;
  EXPECT_EQ(written.queue, Milliseconds{30'000});
  EXPECT_EQ(written.noise, 0.1);
  const auto plain = service_with("capacity: {startup: 1m}").capacity;
  EXPECT_FALSE(plain.queue);
  EXPECT_EQ(plain.noise, 0);
  EXPECT_FALSE(plain.startup_pool);
}

TEST(Read, ScalingInMayDrainAndWaitForThePaidHour) {
  const Service service = service_with("instance: {billing: hourly}, scale: {drain: 10s, in_at: paid-hour}");
  EXPECT_EQ(service.scale.drain, Milliseconds{10'000});
  EXPECT_TRUE(service.scale.hold_to_paid_hour);
  EXPECT_EQ(service_with("scale: {in_at: now}").scale, Scale{});
}

TEST(Read, AnInstanceIsReplacedAfterAsManyFailedChecksAsMakeItUnhealthy) {
  const Health plain = service_with("health: {unhealthy_after: 2}").health;
  EXPECT_EQ(plain.replace_after, 2);
  EXPECT_EQ(plain.grace, Milliseconds{0});
  const Health later = service_with("health: {replace_after: 5, grace: 1m}").health;
  EXPECT_EQ(later.unhealthy_after, 3);
  EXPECT_EQ(later.replace_after, 5);
  EXPECT_EQ(later.grace, Milliseconds{kMinute});
}

TEST(Read, AClosedStageEndsAfterItsRequestsOrItsTime) {
  const auto stages =
      std::get<workload::Closed>(
          service_with("traffic: {closed: {stages: [{users: 5, requests: 10, think: 9s, think_from: "
                       "5s, distribution: uniform}, {users: 6, for: 8m, ramp_up: 1m}, {users: 7, "
                       "requests: 3, for: 2m}]}}")
              .traffic->shape)
          .stages;
  EXPECT_EQ(stages.at(0).think_least, Milliseconds{5'000});
  EXPECT_FALSE(stages.at(0).duration);
  EXPECT_EQ(stages.at(1).requests_each, 0);  // no limit
  EXPECT_EQ(stages.at(1).duration, Milliseconds{8 * kMinute});
  EXPECT_EQ(stages.at(2).requests_each, 3);
  EXPECT_EQ(stages.at(2).duration, Milliseconds{2 * kMinute});
}

TEST(Read, APauseMayBeNormalAndComeFirst) {
  const auto stages =
      std::get<workload::Closed>(
          service_with("traffic: {closed: {stages: [{users: 5, requests: 10, think: 0s, distribution: "
                       "normal, deviation: 300ms, think_first: true}]}}")
              .traffic->shape)
          .stages;
  EXPECT_EQ(stages.at(0).think_distribution, workload::Think::normal);
  EXPECT_EQ(stages.at(0).deviation, Milliseconds{300});
  EXPECT_TRUE(stages.at(0).think_first);
}

const std::string kAsked = R"(open: {stages: [{for: 1m, at: 5 rps}]}
requests:
  - {name: home, weight: 3}
  - method: POST
    path: /search?q=${word}
    headers: {Accept: text/html, X-City: "${city}"}
    body: |
      {"name": "${name}"}
variables: [people.csv, words.csv]
)";

TEST(Read, RequestsAndTheirVariablesAreHeldAsWritten) {
  const auto traffic = read_traffic(kAsked, "here/asked.yaml", read_file);
  ASSERT_TRUE(traffic) << to_string(traffic.error());
  workload::Requests expected;
  expected.list = {{"home", 3, "GET", "/", {}, ""},
                   {"",
                    1,
                    "POST",
                    "/search?q=${word}",
                    {{"Accept", "text/html"}, {"X-City", "${city}"}},
                    "{\"name\": \"${name}\"}\n"}};
  expected.variables = {{"people.csv", {"name", "city"}, {{"Ada", "The; Hague"}, {"Bob", ""}}},
                        {"words.csv", {"word"}, {{"cloud"}}}};
  EXPECT_TRUE(traffic->requests == expected);
  const auto in_order = read_traffic(
      "open: {stages: [{for: 1m, at: 5 rps}]}\nrequests: [{path: /a}]\nsend: in-order\n"
      "variables: words.csv\n",
      "here/asked.yaml", read_file);
  ASSERT_TRUE(in_order) << to_string(in_order.error());
  EXPECT_EQ(in_order->requests.choice, workload::Choice::in_order);
  EXPECT_EQ(in_order->requests.variables.size(), 1u);
}

// The faults of a traffic that asks this, with these variables.
std::string faults_of_variables(const std::string& request, const std::string& variables) {
  const auto result = read_traffic(
      "open: {stages: [{for: 1m, at: 5 rps}]}\nrequests: [" + request + "]\nvariables: " + variables + "\n",
      "here/asked.yaml", read_file);
  return result ? "" : to_string(result.error());
}

TEST(Read, AFaultInAFileOfVariablesIsLocatedThere) {
  EXPECT_EQ(
      faults_of_variables("{path: /}", "bad.csv"),
      "here/bad.csv:1:6: expected the name of a variable, found \"2nd\"\n  the first row names the "
      "variables: a letter or _, then letters, digits, _, - and .\n"
      "here/bad.csv:1:10: the variable \"word\" is in here/bad.csv already\n  give one of them another name");
  EXPECT_EQ(
      faults_of_variables("{path: /}", "uneven.csv"),
      "here/uneven.csv:3:1: the row has 1 fields where the first row has 2\n  quote a field that holds the "
      "separator, and write a decimal point");
  EXPECT_EQ(faults_of_variables("{path: /}", "names-only.csv"),
            "here/names-only.csv:1:1: the file has names of variables and no values\n  add a row of values");
  EXPECT_EQ(faults_of_variables("{path: /}", "[words.csv, words.csv]"),
            "here/words.csv:1:1: the variable \"word\" is in here/words.csv already\n  give one of them "
            "another name");
  // A name that is missing because its file is at fault is no fault of its own.
  EXPECT_EQ(faults_of_variables("{path: \"/${a}\"}", "uneven.csv").find("there is no variable"),
            std::string::npos);
}

TEST(Read, AValueThatWouldEndThePathOrTheHeaderIsRefusedWhereItStands) {
  EXPECT_EQ(faults_of_variables("{body: \"${text} ${id}\"}", "breaks.csv"), "");
  EXPECT_EQ(faults_of_variables("{headers: {X: \"${id}${text}\"}}", "breaks.csv"),
            "here/breaks.csv:2:1: \"one\\ntwo\" cannot stand in a header, where a request uses it\n"
            "  a line break would begin another header");
  // The second line of the row: the first field holds a line break.
  EXPECT_EQ(faults_of_variables("{path: \"/${id}\"}", "breaks.csv"),
            "here/breaks.csv:3:6: \"a b\" cannot stand in a path, where a request uses it\n"
            "  write it percent-encoded, a blank as %20");
}

TEST(Read, TheLoadOfSageMakerNeedsALengthAndASeed) {
  const auto traffic = service_with("traffic: {generate: {model: sagemaker, for: 3d, seed: 7}}").traffic;
  const auto& generated = std::get<workload::Generated>(traffic->shape);
  EXPECT_EQ(generated.model, workload::GeneratedModel::sagemaker);
  EXPECT_EQ(generated.duration, Milliseconds{3 * 24 * 60 * kMinute});
  EXPECT_EQ(generated.seed, 7u);
}

TEST(Read, AStepPolicyMayAskForFreshSamplesAndForThoseOfTheNewest) {
  const Service service = service_with(
      "scale: {policies: [{step: {out: [{above: 25%}], semantics: aws-simple, fresh: true, window: 3m, "
      "newest_records: 2}}]}");
  const auto& step = std::get<policy::StepPolicy>(service.scale.scaling.policies.at(0));
  EXPECT_TRUE(step.fresh_only);
  EXPECT_EQ(step.newest_records, 2);
}

TEST(Read, AProportionalPolicyIsHeldPerSecond) {
  const Service service = service_with(
      "scale: {policies: [{proportional: {metric: load, per_rpm: 0.5, plus: -4, window: 5m, statistic: max, "
      "order: 2, remove: serving}}, {proportional: {per_rps: 0.25}}]}");
  policy::ProportionalPolicy expected;
  expected.per_rps = 30;  // 0.5 per request a minute, 60 seconds
  expected.plus = -4;
  expected.window = Milliseconds{5 * kMinute};
  expected.statistic = policy::Statistic::max;
  expected.order = 2;
  expected.remove = policy::Removal::serving;
  EXPECT_EQ(std::get<policy::ProportionalPolicy>(service.scale.scaling.policies.at(0)), expected);
  policy::ProportionalPolicy plain;
  plain.per_rps = 0.25;
  EXPECT_EQ(std::get<policy::ProportionalPolicy>(service.scale.scaling.policies.at(1)), plain);
}

TEST(Read, EveryKindOfFaultHasItsKeys) {
  const auto drills = loaded(R"(name: a
zones: [a, b]
services: {web: {}}
faults:
  - {at: 1m, for: 10m, kind: cut, zone: a}
  - {at: 2m, for: 1m, kind: lost, zone: b}
  - {at: 3m, kind: crash, instance: newest}
  - {at: 4m, kind: hang, instance: 3}
  - {at: 5m, kind: reboot, instance: oldest, for: 40s}
  - {at: 6m, kind: pause, instance: 1, for: 1m}
  - {at: 7m, kind: metrics, for: 1m}
  - {at: 8m, kind: metrics-frozen, for: 1m}
  - {at: 9m, kind: metrics-skewed, for: 1m, by: -30s}
  - {at: 10m, kind: calls-fail, for: 1m}
  - {at: 11m, kind: calls-hang, for: 1m, share: 50%}
  - {at: 12m, kind: calls-lie, for: 1m, share: 0.25}
  - {at: 13m, kind: calls-late, for: 1m, by: 2m}
)")
                          .environment.faults;
  ASSERT_EQ(drills.size(), 13u);
  for (std::size_t i = 0; i < drills.size(); ++i) {
    EXPECT_EQ(drills[i].kind, static_cast<DrillKind>(i));  // listed in the order of the type
    EXPECT_EQ(drills[i].at, Milliseconds{static_cast<std::int64_t>(i + 1) * kMinute});
  }
  EXPECT_EQ(drills[1].zone, "b");
  EXPECT_EQ(drills[2].instance, "newest");
  EXPECT_EQ(drills[3].instance, "3");
  EXPECT_EQ(drills[3].duration, Milliseconds{0});
  EXPECT_EQ(drills[8].by, Milliseconds{-30'000});
  EXPECT_EQ(drills[9].share, 1.0);
  EXPECT_EQ(drills[10].share, 0.5);
  EXPECT_EQ(drills[12].by, Milliseconds{2 * kMinute});
}

TEST(Read, ASearchKnowsRangesListsAndUnits) {
  const auto tune = loaded(R"(name: a
services:
  web: {scale: {policies: [{step: {out: [{above: 25%}], in: [{below: 15%}]}}]}}
tune:
  search: {out.above: 10%..60% step 5%, every: 1m..10m step 1m, out.add: [1, 2, 5], remove: 3}
  against:
    - name: target
      policies: [{target: {value: 50%}}]
      search: {target.value: 20..70}
)")
                        .environment.tune;
  EXPECT_EQ(tune.search.at(0).values, (decltype(SearchField::values)(SearchRange{10, 60, 5})));
  EXPECT_EQ(tune.search.at(1).values, (decltype(SearchField::values)(SearchRange{1, 10, 1})));
  EXPECT_EQ(tune.search.at(2).values, (decltype(SearchField::values)(SearchList{{1, 2, 5}})));
  EXPECT_EQ(tune.search.at(3).values, (decltype(SearchField::values)(SearchList{{3}})));
  EXPECT_EQ(tune.against.at(0).search.at(0).path, "policies[0].target.value");
}

TEST(Read, ASecretIsNeverShown) {
  const std::string message = faults("name: a\nservices: {web: {secrets: {KEY: hunter2}}}\n");
  EXPECT_NE(message, "");
  EXPECT_EQ(message.find("hunter2"), std::string::npos);
}

std::optional<double> some(bool set, double value) { return set ? std::optional(value) : std::nullopt; }

RC_GTEST_PROP(Capacity, WhatIsWrittenReadsBackToTheSameModel, ()) {
  const auto positive = [] { return *rc::gen::inRange(0, 1'000'000) / 7919.0; };  // no short decimals
  capacity::CapacityModel model;
  model.slope_percent_per_rps = positive();
  model.intercept_percent = *rc::gen::inRange(-90, 90) / 7.0;
  if (*rc::gen::arbitrary<bool>())
    model.slope_interval_95 =
        capacity::Interval{model.slope_percent_per_rps - 1, model.slope_percent_per_rps + 1};
  model.r_squared = some(*rc::gen::arbitrary<bool>(), *rc::gen::inRange(0, 1000) / 1001.0);
  if (*rc::gen::arbitrary<bool>()) model.measured_up_to = base::Rate(positive());
  if (*rc::gen::arbitrary<bool>()) model.knee = base::Percent(*rc::gen::inRange(0, 1000) / 11.0);
  if (*rc::gen::arbitrary<bool>()) model.saturation = base::Rate(positive());
  if (*rc::gen::arbitrary<bool>()) model.startup = Milliseconds{*rc::gen::inRange(0, 10'000'000)};
  if (*rc::gen::arbitrary<bool>()) {
    using capacity::StartupSpread;
    const int least = *rc::gen::inRange(1, 1'000'000);
    model.startup_spread =
        StartupSpread{*rc::gen::element(StartupSpread::Kind::uniform, StartupSpread::Kind::lognormal),
                      Milliseconds{least}, Milliseconds{least + *rc::gen::inRange(0, 90 * least)}};
    model.startup = mean(*model.startup_spread);
  }
  if (*rc::gen::arbitrary<bool>()) model.startup_pool = Milliseconds{*rc::gen::inRange(0, 10'000'000)};
  if (*rc::gen::arbitrary<bool>()) model.queue = Milliseconds{*rc::gen::inRange(0, 10'000'000)};
  if (*rc::gen::arbitrary<bool>()) model.noise = *rc::gen::inRange(0, 1000) / 1001.0;
  if (*rc::gen::arbitrary<bool>()) model.metric_lag = Milliseconds{*rc::gen::inRange(0, 10'000'000)};
  if (*rc::gen::arbitrary<bool>()) model.in_service_delay = Milliseconds{*rc::gen::inRange(0, 10'000'000)};
  const int points = *rc::gen::inRange(0, 5);
  for (int i = 0; i < points; ++i) {
    const double p50 = positive(), p95 = p50 + positive();
    model.latency.push_back({base::Percent(i * 10 / 3.0), p50, p95, p95 + positive()});
  }
  model.source = "capacity.yaml";
  const std::string text = write_capacity(model);
  const auto back = read_capacity(text, "here/capacity.yaml");
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == model);
}

}  // namespace
}  // namespace headroom::environment
