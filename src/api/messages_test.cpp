#include "api/messages.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace headroom::api {
namespace {

template <class T>
std::string faults_of(std::string_view json) {
  const auto read = request_of<T>(json);
  return read ? std::string() : base::to_string(read.error());
}

TEST(Messages, RequestsComeBackAsTheyWere) {
  const daemon::UpRequest up{"/srv/shop/headroom.yaml", "prod", true, true, true};
  const auto read = request_of<daemon::UpRequest>(to_json(up));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->file, up.file);
  EXPECT_EQ(read->variant, up.variant);
  EXPECT_EQ(read->must_exist, up.must_exist);
  EXPECT_EQ(read->while_watched, up.while_watched);
  EXPECT_EQ(read->observe, up.observe);

  const RollbackRequest rollback{"web"};
  EXPECT_EQ(request_of<RollbackRequest>(to_json(rollback)).value(), rollback);
  const ScaleRequest scale{"web", 20};
  EXPECT_EQ(request_of<ScaleRequest>(to_json(scale)).value(), scale);
  const ScaleRequest for_a_while{"web", 20, base::Milliseconds(7'200'000)};
  EXPECT_EQ(request_of<ScaleRequest>(to_json(for_a_while)).value(), for_a_while);
  const PauseRequest pause{"web", base::Milliseconds(1)};
  EXPECT_EQ(request_of<PauseRequest>(to_json(pause)).value(), pause);
  const ResumeRequest resume{"web"};
  EXPECT_EQ(request_of<ResumeRequest>(to_json(resume)).value(), resume);
  const DrillRequest zone{"a", "", {}, base::Milliseconds(60'000)};
  EXPECT_EQ(request_of<DrillRequest>(to_json(zone)).value(), zone);
  const DrillRequest hang{"", "web-1", cloud_local::Trouble::hang, base::Milliseconds(1)};
  EXPECT_EQ(request_of<DrillRequest>(to_json(hang)).value(), hang);
  const DownRequest down{true};
  EXPECT_EQ(request_of<DownRequest>(to_json(down)).value(), down);
}

TEST(Messages, OnlyAnAbsolutePathIsAskedFor) {
  EXPECT_EQ(to_json(daemon::UpRequest{"/srv/headroom.yaml", "", false}), R"({"file": "/srv/headroom.yaml"})");
  EXPECT_NE(faults_of<daemon::UpRequest>(R"({"file": "headroom.yaml"})").find("absolute path"),
            std::string::npos);
  EXPECT_NE(faults_of<daemon::UpRequest>("{\"file\": \"/a\\u0000b\"}").find("absolute path"),
            std::string::npos);
}

TEST(Messages, BodyThatIsNoJsonObjectIsRefused) {
  for (const char* body :
       {"", "{", "[]", "7", "null", "{\"service\": \"web\"} more", "{\"service\": \"\xff\"}"}) {
    EXPECT_NE(faults_of<RollbackRequest>(body).find("the body is no JSON"), std::string::npos) << body;
  }
}

TEST(Messages, DepthOfABodyCostsNoStack) {
  // Far more than a stack holds, were it read by a function that calls itself.
  const std::string deep = std::string(100'000, '[');
  EXPECT_NE(faults_of<DownRequest>(deep), "");
  EXPECT_NE(faults_of<DownRequest>(deep + std::string(100'000, ']')), "");
}

TEST(Messages, EveryFaultOfABodyIsNamedAtOnce) {
  EXPECT_EQ(faults_of<ScaleRequest>(R"({"service": 7, "count": 3})"),
            "\"service\" must be a text\n\"instances\" is missing\nthere is no \"count\"\n"
            "  the names are service, instances, length_ms");
}

TEST(Messages, NumbersThatFitNothingAreRefused) {
  for (const char* number :
       {"-1", "10001", "1.5", "1e3", "99999999999999999999", "4294967297", "null", "\"3\""}) {
    EXPECT_NE(faults_of<ScaleRequest>(std::string(R"({"service": "web", "instances": )") + number + "}"), "")
        << number;
  }
  EXPECT_EQ(faults_of<ScaleRequest>(R"({"service": "web", "instances": 10000})"), "");
  EXPECT_EQ(faults_of<ScaleRequest>(R"({"service": "web", "instances": 0})"), "");
}

TEST(Messages, OverrideEndsWithinAYear) {
  for (const char* length : {"0", "-1", "31622400001"}) {
    EXPECT_NE(faults_of<PauseRequest>(std::string(R"({"service": "web", "length_ms": )") + length + "}"), "")
        << length;
  }
  EXPECT_EQ(faults_of<PauseRequest>(R"({"service": "web", "length_ms": 31622400000})"), "");
}

TEST(Messages, DrillIsOfAZoneOrOfAnInstanceAndAtMostADay) {
  EXPECT_EQ(faults_of<DrillRequest>(R"({"zone": "a", "length_ms": 86400000})"), "");
  for (const char* body :
       {R"({"length_ms": 1})", R"({"zone": "a", "instance": "web-1", "how": "hang", "length_ms": 1})",
        R"({"zone": "a", "how": "hang", "length_ms": 1})", R"({"instance": "web-1", "length_ms": 1})",
        R"({"instance": "web-1", "how": "tickle", "length_ms": 1})", R"({"zone": "a", "length_ms": 0})",
        R"({"zone": "a", "length_ms": 86400001})", R"({"zone": "a"})"}) {
    EXPECT_NE(faults_of<DrillRequest>(body), "") << body;
  }
}

TEST(Messages, ErrorKeepsItsKindAndThePlacesOfItsFaults) {
  const base::Error error{base::ErrorKind::unavailable,
                          {{{"headroom.yaml", 3, 7}, "what \"it\" is\n", "what to do"}, {{}, "another", ""}}};
  const auto read = result_of<Done>(error_line(error));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), error);
  EXPECT_EQ(error_line(error).find('\n'), std::string::npos);
}

daemon::Status sample() {
  daemon::Status status;
  status.version = "0.1.0";
  status.tier = "cgroup v1";
  status.lost = {"one thing", "another"};
  status.machine_cores = 2;
  daemon::EnvironmentStatus shop;
  shop.name = "shop";
  shop.zones = {{"a", false}, {"b", true}};
  daemon::ServiceStatus web;
  web.name = "web";
  web.desired = 4;
  web.p95_ms = 45.5;
  shop.services = {web};
  daemon::InstanceStatus instance;
  instance.id = "web-17";
  instance.since = base::Milliseconds(1'700'000'000'123);
  instance.memory_bytes = 64LL << 20;
  shop.instances = {instance};
  status.environments = {shop};
  return status;
}

TEST(Messages, StatusComesBackAsItWas) {
  const auto read = result_of<daemon::Status>(result_line(sample()));
  ASSERT_TRUE(read) << base::to_string(read.error());
  // The text has every field, so the same text is the same status.
  EXPECT_EQ(to_json(*read), to_json(sample()));
  const auto& shop = read->environments.at(0);
  EXPECT_EQ(shop.zones.at(1).cut, true);
  EXPECT_EQ(shop.services.at(0).p95_ms, 45.5);
  EXPECT_EQ(shop.services.at(0).requests_per_second, std::nullopt);
  EXPECT_EQ(shop.instances.at(0).since.count(), 1'700'000'000'123);
  EXPECT_EQ(shop.instances.at(0).memory_bytes, 67'108'864);
}

TEST(Messages, WhatIsNotKnownIsNull) {
  const std::string json = to_json(sample());
  EXPECT_NE(json.find(R"("requests_per_second": null)"), std::string::npos);
  EXPECT_NE(json.find(R"("previous_version": null)"), std::string::npos);
}

TEST(Messages, AnswerOfSomethingElseIsAnError) {
  for (const char* line : {"", "<html>", "{}", "[]", R"({"result": 7})", R"({"error": "no"})",
                           R"({"error": {"kind": "bad_input", "faults": []}})"}) {
    const auto read = result_of<daemon::Status>(line);
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().kind, base::ErrorKind::unavailable) << line;
  }
}

TEST(Messages, NamesThatAreNewInAnAnswerAreNoFault) {
  EXPECT_TRUE(result_of<daemon::UpResult>(
      R"({"result": {"environment": "shop", "changes": [], "warnings": [], "more": 7}})"));
}

TEST(Messages, WhatIsSaidIsNoResult) {
  EXPECT_EQ(said_in(say_line("web: v2\nis \xff")), "web: v2\nis \xEF\xBF\xBD");
  EXPECT_EQ(said_in(result_line(Done{})), std::nullopt);
  EXPECT_EQ(said_in("say"), std::nullopt);
}

TEST(Messages, PositionsComeBack) {
  const auto read = read_positions(write_positions({{"web-1", "text", 120}, {"web-2", "", 0}}));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->at(0).instance, "web-1");
  EXPECT_EQ(read->at(0).next, 120);
  EXPECT_TRUE(read_positions("")->empty());
  for (const char* text : {"web-1", "web-1:", ":3", "web-1:-3", "web-1:x", "web-1:1,,"})
    EXPECT_FALSE(read_positions(text)) << text;
}

std::set<std::string> documented_under(const std::string& heading) {
  std::ifstream file(HEADROOM_SOURCE_DIR "/docs/reference/api.md");
  std::set<std::string> documented;
  bool within = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) within = line == "## " + heading;
    if (within && line.starts_with("| `")) documented.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return documented;
}

// docs/reference/api.md has a row for each name, and for no other.
TEST(Messages, DocumentsNameWhatAnAnswerHas) {
  const std::vector<std::string> status = names_of_status();
  EXPECT_EQ(documented_under("Status"), std::set<std::string>(status.begin(), status.end()));
  const std::vector<std::string> events = names_of_events();
  EXPECT_EQ(documented_under("Events"), std::set<std::string>(events.begin(), events.end()));
  const std::vector<std::string> measured = names_of_measured();
  EXPECT_EQ(documented_under("Samples"), std::set<std::string>(measured.begin(), measured.end()));
}

}  // namespace
}  // namespace headroom::api
