#include "cli/status_text.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "report/layout.hpp"

namespace headroom::cli {
namespace {

constexpr base::Milliseconds kNow{1'700'000'000'000};

daemon::Status sample() {
  daemon::Status status;
  status.tier = "cgroup v1, network namespaces, own users, own files";
  status.lost = {"Neighbours share the processor's caches."};
  status.machine_cores = 2;
  status.promised_cores = 0.8;
  daemon::EnvironmentStatus shop;
  shop.name = "shop";
  shop.file = "/srv/shop/headroom.yaml";
  shop.variant = "prod";
  shop.zones = {{"a", false}, {"b", true}};
  daemon::ServiceStatus web;
  web.name = "web";
  web.desired = 4;
  web.in_service = 3;
  web.address = "http://127.0.0.1:8080";
  web.version = "v3";
  web.doing = "replaces v2 by v3: 1 of 4 to go";
  web.requests_per_second = 12.43;
  web.p95_ms = 45;
  daemon::ServiceStatus db;
  db.name = "db";
  db.desired = 1;
  db.in_service = 1;
  db.version = "v1";
  shop.services = {web, db};
  daemon::InstanceStatus served;
  served.id = "web-17";
  served.service = "web";
  served.version = "v3";
  served.zone = "a";
  served.state = "in service";
  served.since = kNow - std::chrono::minutes(90);
  served.cpu_percent = 12.4;
  served.memory_bytes = 64 << 20;
  served.health = "HTTP 200";
  daemon::InstanceStatus failed = served;
  failed.id = "web-18";
  failed.zone = "b";
  failed.state = "failed";
  failed.since = kNow - base::Milliseconds(5'400);
  failed.why = "exited 3 before it served";
  shop.instances = {served, failed};
  status.environments = {shop};
  return status;
}

TEST(StatusText, OneLinePerServiceThenInstancesByZoneThenTheIsolation) {
  EXPECT_EQ(status_text(sample(), kNow, report::Colours::none),
            R"(shop /srv/shop/headroom.yaml (-e prod)

  service        version serving   address                          rps      p95
  web            v3      3 of 4    http://127.0.0.1:8080           12.4    45 ms
    replaces v2 by v3: 1 of 4 to go
  db             v1      1 of 1    -                                  -        -

  zone a
    web-17         v3     in service 1 h 30 min     12 %   64 MiB  HTTP 200
  zone b (cut off by a drill)
    web-18         v3     failed     5 s
      exited 3 before it served

isolation: cgroup v1, network namespaces, own users, own files; 0.8 of 2 cores
           promised
  lost: Neighbours share the processor's caches.
)");
}

TEST(StatusText, WhateverItHoldsNoLineIsLongerThan80Columns) {
  daemon::Status status = sample();
  const std::string longer(200, 'x');
  status.tier = longer;
  status.lost = {longer, longer + " " + longer};
  auto& shop = status.environments[0];
  shop.name = shop.file = shop.variant = shop.fault = longer;
  for (auto& zone : shop.zones) zone.name = longer;
  for (auto& service : shop.services) {
    service.name = service.address = service.version = service.doing = longer;
    service.requests_per_second = service.failed_per_second = service.p95_ms = 123'456'789.5;
    service.desired = service.in_service = 10'000;
  }
  for (auto& instance : shop.instances) {
    instance.id = instance.version = instance.zone = instance.state = instance.health = instance.why = longer;
    instance.drill = longer;
    instance.cpu_percent = 12'345;
    instance.memory_bytes = std::int64_t{1} << 50;
    instance.since = base::Milliseconds(0);
  }
  std::istringstream lines(status_text(status, kNow, report::Colours::none));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(report::columns_of(line), 80) << line;
}

TEST(StatusText, ControlCharactersDoNotReachTheTerminal) {
  daemon::Status status = sample();
  auto& shop = status.environments[0];
  shop.fault = shop.services[0].doing = shop.instances[0].health = shop.instances[1].why = "a\x1b[2Jb\x07";
  EXPECT_EQ(status_text(status, kNow, report::Colours::none).find_first_of("\x1b\x07"), std::string::npos);
}

TEST(StatusText, ColoursAreAroundWordsAndNeverWithoutBeingAskedFor) {
  const std::string coloured = status_text(sample(), kNow, report::Colours::some);
  EXPECT_NE(coloured.find("\x1b[32min service\x1b[0m"), std::string::npos);
  EXPECT_NE(coloured.find("\x1b[31mfailed    \x1b[0m"), std::string::npos);
}

TEST(StatusText, WithoutAnEnvironmentItSaysHowToBegin) {
  daemon::Status status = sample();
  status.environments.clear();
  EXPECT_NE(status_text(status, kNow, report::Colours::none).find("`headroom up`"), std::string::npos);
}

TEST(StatusText, FailuresOfAServiceAreSaidOnlyWhereThereAreSome) {
  daemon::Status status = sample();
  status.environments[0].services[0].failed_per_second = 0;
  EXPECT_EQ(status_text(status, kNow, report::Colours::none).find("fail\n"), std::string::npos);
  status.environments[0].services[0].failed_per_second = 0.5;
  EXPECT_NE(status_text(status, kNow, report::Colours::none).find("    0.5 requests a second fail\n"),
            std::string::npos);
}

TEST(StatusText, AddressesAreOfThoseThatArePublished) {
  EXPECT_EQ(addresses_text(sample().environments[0]), "web: http://127.0.0.1:8080\n");
}

}  // namespace
}  // namespace headroom::cli
