#include "importers/jmx.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace headroom::importers {
namespace {

using base::Milliseconds;
using workload::ClosedStage;
using workload::Think;

std::string plan(const std::string& inside, const std::string& of_plan = {}) {
  return "<jmeterTestPlan><hashTree><TestPlan testname=\"p\">" + of_plan + "</TestPlan><hashTree>" + inside +
         "</hashTree></hashTree></jmeterTestPlan>";
}

std::string text_of(const std::string& name, const std::string& value) {
  return "<stringProp name=\"" + name + "\">" + value + "</stringProp>";
}

// A thread group of two users who loop five times.
std::string group(const std::string& inside, const std::string& more = {}, const std::string& loops = "5") {
  return "<ThreadGroup testname=\"g\"><elementProp name=\"ThreadGroup.main_controller\">" +
         text_of("LoopController.loops", loops) + "</elementProp>" + text_of("ThreadGroup.num_threads", "2") +
         more + "</ThreadGroup><hashTree>" + inside + "</hashTree>";
}

std::string element(const std::string& type, const std::string& properties, const std::string& below = {}) {
  return "<" + type + " testname=\"the " + type + "\">" + properties + "</" + type + "><hashTree>" + below +
         "</hashTree>";
}

std::string get(const std::string& path, const std::string& below = {}) {
  return element("HTTPSamplerProxy", text_of("HTTPSampler.path", path), below);
}

std::string loop(const std::string& times, const std::string& below) {
  return element("LoopController", text_of("LoopController.loops", times), below);
}

std::string timer(const std::string& type, const std::string& delay, const std::string& range = {}) {
  return element(type, text_of("ConstantTimer.delay", delay) + text_of("RandomTimer.range", range));
}

std::string argument(const std::string& name, const std::string& value, bool encode = false) {
  return "<elementProp>" + text_of("Argument.name", name) + text_of("Argument.value", value) +
         "<boolProp name=\"HTTPArgument.always_encode\">" + (encode ? "true" : "false") +
         "</boolProp></elementProp>";
}

std::string arguments(const std::string& of, const std::string& items) {
  return "<elementProp name=\"" + of + "\"><collectionProp name=\"Arguments.arguments\">" + items +
         "</collectionProp></elementProp>";
}

Imported imported(const std::string& text) {
  auto result = import_jmx(text, "plan.jmx");
  if (result) return std::move(*result);
  ADD_FAILURE() << base::to_string(result.error());
  return {workload::Traffic{workload::Closed{{ClosedStage{}}, true}, {}, {}, {}, 1, Milliseconds{0}, {}}, {}};
}

std::string faults(const std::string& text) {
  const auto result = import_jmx(text, "plan.jmx");
  return result ? "" : base::to_string(result.error());
}

const std::vector<ClosedStage>& stages(const Imported& of) {
  return std::get<workload::Closed>(of.traffic.shape).stages;
}

std::vector<std::string> paths(const Imported& of) {
  std::vector<std::string> list;
  for (const workload::Request& request : of.traffic.requests.list) list.push_back(request.path);
  return list;
}

bool has_note(const Imported& of, NoteKind kind, const std::string& fragment) {
  return std::any_of(of.notes.begin(), of.notes.end(), [&](const Note& note) {
    return note.kind == kind && to_string(note).find(fragment) != std::string::npos;
  });
}

std::string example() {
  std::ifstream stream(HEADROOM_SOURCE_DIR "/examples/in4392/IN4392-autoscaling.jmx", std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Table I of the report, as requirements A02 and A03 state it: users, requests of each, the longest pause in
// seconds; the ramp-up is a second for each user. The shipped plan loops 1000 times in stage 7.
TEST(Jmx, A02_ThePlanOfTheReportIsSevenStagesOfUsers) {
  const Imported plan_of_report = imported(example());
  const int table[7][3] = {{2, 500, 5}, {5, 300, 3},  {1, 500, 5},  {10, 200, 2},
                           {2, 500, 5}, {10, 150, 2}, {1, 1000, 10}};
  std::vector<ClosedStage> expected;
  int total = 0;
  for (const auto& [users, requests, think] : table) {
    ClosedStage stage;
    stage.users = users;
    stage.requests_each = requests;
    stage.think = Milliseconds{think * 1000};
    stage.think_distribution = Think::uniform;
    stage.think_first = true;
    stage.ramp_up = Milliseconds{users * 1000};
    expected.push_back(stage);
    total += users * requests;
  }
  EXPECT_EQ(total, 8500);
  EXPECT_EQ(stages(plan_of_report), expected);
  EXPECT_TRUE(std::get<workload::Closed>(plan_of_report.traffic.shape).serial);
  const std::vector<workload::Request> asked{{"Multiply",
                                              1,
                                              "POST",
                                              "/",
                                              {{"Content-Type", "application/x-www-form-urlencoded"}},
                                              "dim=100&Multiply="}};
  EXPECT_EQ(plan_of_report.traffic.requests.list, asked);
  EXPECT_TRUE(has_note(plan_of_report, NoteKind::disabled, "ThreadGroup \"Stress, by hand\""));
  EXPECT_TRUE(has_note(plan_of_report, NoteKind::left_out, "ResultCollector \"Summary\""));
  EXPECT_TRUE(has_note(plan_of_report, NoteKind::told, "http://balancer.example.org:80"));
}

TEST(Jmx, ANoteKnowsItsLine) {
  const Imported result =
      imported("<jmeterTestPlan>\n<hashTree><TestPlan/><hashTree>\n" + group(get("/")) +
               "\n<ResultCollector testname=\"all\"/>\n</hashTree></hashTree></jmeterTestPlan>");
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_EQ(to_string(result.notes[0]),
            "line 4: left out: ResultCollector \"all\": listeners are not needed: the load "
            "generator keeps its own figures");
}

TEST(Jmx, TimersOfAScopeAddUpBeforeEachRequest) {
  const auto stage = [](const std::string& timers) {
    return stages(imported(plan(group(get("/") + timers)))).at(0);
  };
  const ClosedStage uniform = stage(timer("UniformRandomTimer", "", "300.4") + timer("ConstantTimer", "100"));
  EXPECT_EQ(uniform.think_least, Milliseconds{100});
  EXPECT_EQ(uniform.think, Milliseconds{400});
  EXPECT_EQ(uniform.think_distribution, Think::uniform);
  EXPECT_TRUE(uniform.think_first);
  // Two normal ones: the means and the variances add up, 300^2 + 400^2 = 500^2.
  const ClosedStage normal =
      stage(timer("GaussianRandomTimer", "1000", "300") + timer("GaussianRandomTimer", "200", "400"));
  EXPECT_EQ(normal.think, Milliseconds{1200});
  EXPECT_EQ(normal.deviation, Milliseconds{500});
  EXPECT_EQ(normal.think_distribution, Think::normal);
  const ClosedStage constant = stage(timer("ConstantTimer", "250"));
  EXPECT_EQ(constant.think, Milliseconds{250});
  EXPECT_EQ(constant.think_distribution, Think::constant);
  const ClosedStage none = stage("");
  EXPECT_EQ(none.think, Milliseconds{0});
  EXPECT_FALSE(none.think_first);
}

TEST(Jmx, ATimerBelowOneRequestIsForItAlone) {
  // Of two requests one waits 100 ms: 50 ms in the mean.
  const Imported result = imported(plan(group(get("/a", timer("ConstantTimer", "100")) + get("/b"))));
  EXPECT_EQ(stages(result).at(0).think, Milliseconds{50});
  EXPECT_TRUE(has_note(result, NoteKind::changed, "its requests wait differently"));
  // One of the whole plan is for all, wherever it stands.
  const Imported all = imported(plan(group(get("/a") + get("/b")) + timer("ConstantTimer", "100")));
  EXPECT_EQ(stages(all).at(0).think, Milliseconds{100});
}

TEST(Jmx, LoopsMultiplyOut) {
  const Imported result = imported(plan(group(get("/a") + loop("3", get("/b")) + get("/c"))));
  EXPECT_EQ(paths(result), (std::vector<std::string>{"/a", "/b", "/b", "/b", "/c"}));
  EXPECT_EQ(result.traffic.requests.choice, workload::Choice::in_order);
  EXPECT_EQ(stages(result).at(0).requests_each, 25);  // five rounds of five
  // A round that only repeats itself is written once.
  const Imported repeats = imported(plan(group(loop("4", get("/a") + get("/b")))));
  EXPECT_EQ(paths(repeats), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(stages(repeats).at(0).requests_each, 40);
  const Imported one = imported(plan(group(loop("100", loop("1000", get("/a"))))));
  EXPECT_EQ(paths(one), (std::vector<std::string>{"/a"}));
  EXPECT_EQ(one.traffic.requests.choice, workload::Choice::weighted);
  EXPECT_EQ(stages(one).at(0).requests_each, 500'000);
}

TEST(Jmx, AnOrderTooLongToWriteBecomesWeights) {
  const Imported result = imported(plan(group(loop("2000", get("/a") + loop("3", get("/b"))))));
  EXPECT_EQ(result.traffic.requests.choice, workload::Choice::weighted);
  EXPECT_EQ(stages(result).at(0).requests_each, 5 * 2000 * 4);
  EXPECT_EQ(result.traffic.requests.list.at(0).weight, 1);
  EXPECT_EQ(result.traffic.requests.list.at(1).weight, 3);
  EXPECT_TRUE(has_note(result, NoteKind::changed, "chosen by chance"));
}

TEST(Jmx, GroupsThatAskDifferentThingsAreWeightedByWhatTheySend) {
  // The first sends 2 * 5 = 10 requests, the second 2 * 15 = 30.
  const Imported result = imported(plan(group(get("/a")) + group(get("/b"), {}, "15")));
  EXPECT_EQ(result.traffic.requests.list.at(0).weight, 1);
  EXPECT_EQ(result.traffic.requests.list.at(1).weight, 3);
  EXPECT_EQ(result.traffic.requests.choice, workload::Choice::weighted);
  EXPECT_TRUE(has_note(result, NoteKind::changed, "thread groups ask different things"));
  EXPECT_FALSE(std::get<workload::Closed>(result.traffic.shape).serial);
}

TEST(Jmx, TheScheduleCountsOnlyWhereItIsOn) {
  const std::string times = text_of("ThreadGroup.duration", "60") + text_of("ThreadGroup.delay", "10") +
                            text_of("ThreadGroup.ramp_time", "4");
  const Imported on = imported(
      plan(group(get("/"), times + "<boolProp name=\"ThreadGroup.scheduler\">true</boolProp>", "-1")));
  ASSERT_EQ(stages(on).size(), 2u);
  EXPECT_EQ(stages(on).at(0).users, 0);
  EXPECT_EQ(stages(on).at(0).duration, Milliseconds{10'000});
  EXPECT_EQ(stages(on).at(1).requests_each, 0);
  EXPECT_EQ(stages(on).at(1).duration, Milliseconds{60'000});
  EXPECT_EQ(stages(on).at(1).ramp_up, Milliseconds{4'000});
  const Imported off = imported(plan(group(get("/"), times)));
  ASSERT_EQ(stages(off).size(), 1u);
  EXPECT_FALSE(stages(off).at(0).duration);
  // Endless and without an end: an hour stands for it.
  const Imported endless = imported(plan(group(get("/"), {}, "-1")));
  EXPECT_EQ(stages(endless).at(0).duration, Milliseconds{3'600'000});
  EXPECT_TRUE(has_note(endless, NoteKind::changed, "until somebody stops it"));
}

TEST(Jmx, ThreadsThatWouldStartAfterTheEndDoNotExist) {
  // Two users over 100 s, an end after 40 s: the first starts at 0 s, the second would at 50 s.
  const Imported result = imported(
      plan(group(get("/"), text_of("ThreadGroup.ramp_time", "100") + text_of("ThreadGroup.duration", "40") +
                               "<boolProp name=\"ThreadGroup.scheduler\">true</boolProp>")));
  EXPECT_EQ(stages(result).at(0).users, 1);
  EXPECT_EQ(stages(result).at(0).ramp_up, Milliseconds{40'000});
}

TEST(Jmx, DefaultsApplyToTheirLevelAndBelowWhereverTheyStand) {
  const std::string defaults =
      element("ConfigTestElement",
              text_of("HTTPSampler.path", "/shop") + text_of("HTTPSampler.domain", "one.example.org"));
  const Imported last = imported(plan(group(get("") + get("/own")) + defaults));
  EXPECT_EQ(paths(last), (std::vector<std::string>{"/shop", "/own"}));
  // The nearest counts.
  const Imported nearest = imported(
      plan(group(get("") + element("ConfigTestElement", text_of("HTTPSampler.path", "/near"))) + defaults));
  EXPECT_EQ(paths(nearest), (std::vector<std::string>{"/near"}));
  // Those of one group are nothing to another.
  const Imported apart = imported(plan(group(get("") + defaults) + group(get(""))));
  EXPECT_EQ(paths(apart), (std::vector<std::string>{"/shop", "/"}));
}

TEST(Jmx, ArgumentsAreEncodedIntoQueryOrBody) {
  const std::string items =
      argument("a b", "1&2", true) + argument("c", "${id}", true) + argument("raw", "x%20y");
  const Imported query =
      imported(plan(group(element("HTTPSamplerProxy", text_of("HTTPSampler.path", "/s?z=1") +
                                                          arguments("HTTPsampler.Arguments", items)))));
  EXPECT_EQ(paths(query), (std::vector<std::string>{"/s?z=1&a+b=1%262&c=${id}&raw=x%20y"}));
  const Imported body =
      imported(plan(group(element("HTTPSamplerProxy", text_of("HTTPSampler.method", "POST") +
                                                          arguments("HTTPsampler.Arguments", items)))));
  const workload::Request& request = body.traffic.requests.list.at(0);
  EXPECT_EQ(request.body, "a+b=1%262&c=${id}&raw=x%20y");
  EXPECT_EQ(request.headers,
            (std::vector<workload::Header>{{"Content-Type", "application/x-www-form-urlencoded"}}));
  EXPECT_TRUE(has_note(body, NoteKind::left_out, "nothing gives ${id} a value"));
}

TEST(Jmx, NothingInAPlanBecomesALineOfItsOwnInARequest) {
  const std::string headers = "<collectionProp name=\"HeaderManager.headers\"><elementProp>" +
                              text_of("Header.name", "X-a") + text_of("Header.value", "1&#13;&#10;Evil: 2") +
                              "</elementProp><elementProp>" + text_of("Header.name", "Bad&#10;Name") +
                              text_of("Header.value", "3") + "</elementProp></collectionProp>";
  const Imported result =
      imported(plan(group(get("/a&#10;b c#d&#x00E9;", element("HeaderManager", headers)))));
  EXPECT_EQ(paths(result), (std::vector<std::string>{"/a%0Ab%20c"}));
  EXPECT_EQ(result.traffic.requests.list.at(0).headers, (std::vector<workload::Header>{{"X-a", "1Evil: 2"}}));
  EXPECT_TRUE(has_note(result, NoteKind::left_out, "is not sent as written"));
  EXPECT_EQ(faults(plan(group(element("HTTPSamplerProxy", text_of("HTTPSampler.method", "GET / HTTP/1.0"))))),
            "plan.jmx:1: expected a method such as GET or POST, found \"GET / HTTP/1.0\"");
}

TEST(Jmx, HeadersOfInnerManagersReplaceThoseOfOuterOnes) {
  const auto manager = [](const std::string& name, const std::string& value) {
    return element("HeaderManager", "<collectionProp name=\"HeaderManager.headers\"><elementProp>" +
                                        text_of("Header.name", name) + text_of("Header.value", value) +
                                        "</elementProp></collectionProp>");
  };
  const Imported result = imported(
      plan(group(get("/", manager("accept", "text/html"))) + manager("Accept", "*/*") + manager("X", "1")));
  EXPECT_EQ(result.traffic.requests.list.at(0).headers,
            (std::vector<workload::Header>{{"accept", "text/html"}, {"X", "1"}}));
}

TEST(Jmx, VariablesOfThePlanArePutInAndThoseOfDataSetsStay) {
  const std::string defined =
      arguments("TestPlan.user_defined_variables", argument("root", "/r") + argument("a", "${root}/a"));
  const std::string data =
      element("CSVDataSet", text_of("filename", "data\\people.csv") + text_of("variableNames", "id,name"));
  const Imported result =
      imported(plan(group(get("${a}/${id}?p=${__P(page,7)}&amp;q=${__time()}") + data), defined));
  EXPECT_EQ(paths(result), (std::vector<std::string>{"/r/a/${id}?p=7&q=${__time()}"}));
  ASSERT_EQ(result.traffic.requests.variables.size(), 1u);
  EXPECT_EQ(result.traffic.requests.variables[0].file, "data/people.csv");
  EXPECT_TRUE(
      has_note(result, NoteKind::changed, "needs a first row with the names of its columns: id,name"));
  EXPECT_TRUE(has_note(result, NoteKind::told, "the property \"page\" has its default \"7\""));
  EXPECT_TRUE(has_note(result, NoteKind::left_out, "the function \"${__time()}\" is not called"));
}

TEST(Jmx, WhatIsNotSupportedIsListedByName) {
  for (const std::string type : {"ResponseAssertion", "RegexExtractor", "BeanShellPreProcessor",
                                 "CookieManager", "JDBCSampler", "ConstantThroughputTimer", "NewThing"}) {
    const Imported result = imported(plan(group(get("/") + element(type, ""))));
    EXPECT_TRUE(has_note(result, NoteKind::left_out, type + " \"the " + type + "\"")) << type;
    EXPECT_EQ(paths(result), (std::vector<std::string>{"/"})) << type;
  }
  const Imported disabled =
      imported(plan(group(get("/") + "<ConstantTimer testname=\"t\" enabled=\"false\">" +
                          text_of("ConstantTimer.delay", "9") + "</ConstantTimer><hashTree/>")));
  EXPECT_TRUE(has_note(disabled, NoteKind::disabled, "ConstantTimer \"t\""));
  EXPECT_EQ(stages(disabled).at(0).think, Milliseconds{0});
}

TEST(Jmx, ControllersThatChooseSendAsManyRequestsAsTheyWould) {
  const Imported one =
      imported(plan(group(element("RandomController", "", get("/a") + get("/b")) + get("/c"))));
  EXPECT_EQ(paths(one), (std::vector<std::string>{"/a", "/c"}));
  EXPECT_TRUE(has_note(one, NoteKind::changed, "RandomController"));
  const Imported all = imported(plan(group(element("IfController", "", get("/a")) + get("/c"))));
  EXPECT_EQ(paths(all), (std::vector<std::string>{"/a", "/c"}));
  EXPECT_TRUE(has_note(all, NoteKind::changed, "IfController"));
  const Imported once = imported(plan(group(element("OnceOnlyController", "", get("/login")) + get("/c"))));
  EXPECT_EQ(paths(once), (std::vector<std::string>{"/c"}));
  EXPECT_TRUE(has_note(once, NoteKind::left_out, "OnceOnlyController"));
}

TEST(Jmx, FaultsKnowTheirLine) {
  EXPECT_EQ(faults("<jmeterTestPlan>\n<hashTree>"),
            "plan.jmx:2: not valid XML: Start-end tags mismatch\n  is this the right file?");
  EXPECT_EQ(faults("\n<html></html>"),
            "plan.jmx:2: expected <jmeterTestPlan>, found <html>\n  a test plan of JMeter begins with it");
  EXPECT_EQ(faults(plan(group(get("/"), {}, "${n}"))),
            "plan.jmx:1: expected the loops: a number from 0 to 1000000000, found \"${n}\"\n"
            "  give the variable a value in the plan (user-defined variables)");
  EXPECT_EQ(faults(plan(element("JDBCSampler", ""))),
            "plan.jmx:1: no thread group of the plan sends HTTP requests\n"
            "  line 1: left out: JDBCSampler \"the JDBCSampler\": only HTTP requests are sent");
  EXPECT_EQ(faults("<jmeterTestPlan>\n a\xE9</jmeterTestPlan>"),
            "plan.jmx:2:3: the byte 0xE9 does not belong into a test plan (UTF-8)\n"
            "  save the plan with a newer JMeter, or as UTF-8");
}

TEST(Jmx, MessagesHoldNoControlCharacters) {
  const auto is_clean = [](const std::string& text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  };
  const std::string escape = "&#27;[2J&#10;&#127;";
  const std::string data =
      element("CSVDataSet", text_of("filename", escape) + text_of("variableNames", escape));
  const Imported result =
      imported(plan(group(get("http://" + escape + "/", "<X testname=\"" + escape + "\"/>") + data)));
  EXPECT_GE(result.notes.size(), 3u);
  for (const Note& note : result.notes) EXPECT_TRUE(is_clean(to_string(note))) << to_string(note);
  const auto nothing = import_jmx(plan(element("A", "") + element("B", "")), "plan.jmx");
  ASSERT_FALSE(nothing);
  EXPECT_TRUE(is_clean(nothing.error().faults.front().fix)) << nothing.error().faults.front().fix;
}

TEST(Jmx, HostilePlansAreRefusedOrCostLittle) {
  // Nested far deeper than any stack reaches.
  std::string deep = "<jmeterTestPlan>";
  for (int i = 0; i < 1'000'000; ++i) deep += "<a>";
  EXPECT_NE(faults(deep), "");
  std::string closed_deep = "<jmeterTestPlan><hashTree>";
  for (int i = 0; i < 100'000; ++i) closed_deep += "<hashTree>";
  for (int i = 0; i < 100'000; ++i) closed_deep += "</hashTree>";
  EXPECT_EQ(faults(closed_deep + "</hashTree></jmeterTestPlan>"),
            "plan.jmx:1: elements are nested more than 200 deep");
  // Each variable twice the one before: 2^60 bytes.
  std::string doubled = argument("v0", "xx");
  for (int i = 1; i < 60; ++i)
    doubled += argument(fmt::format("v{}", i), fmt::format("${{v{}}}${{v{}}}", i - 1, i - 1));
  EXPECT_NE(faults(plan(group(get("/${v59}")), arguments("TestPlan.user_defined_variables", doubled)))
                .find("the values of variables make a text of more than"),
            std::string::npos);
  // Loops in loops: 1000^30 requests.
  std::string nested = get("/a") + get("/b");
  for (int i = 0; i < 30; ++i) nested = loop("1000", nested);
  EXPECT_NE(faults(plan(group(nested))).find("more than the 1000000000 of a stage"), std::string::npos);
  // An entity that would read a file is a text like any other.
  const Imported entity =
      imported("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>" + plan(group(get("/&e;"))));
  EXPECT_EQ(paths(entity), (std::vector<std::string>{"/&e;"}));
}

TEST(Jmx, EveryTruncationIsReadOrRefused) {
  const std::string whole = example();
  for (std::size_t length = 0; length < whole.size(); length += 197) {
    const auto result = import_jmx(std::string_view(whole).substr(0, length), "plan.jmx");
    ASSERT_FALSE(result) << length;
    EXPECT_GE(result.error().faults.front().place.line, 1) << length;
  }
}

}  // namespace
}  // namespace headroom::importers
