#include "daemon/plan.hpp"

#include <gtest/gtest.h>

namespace headroom::daemon {
namespace {

base::Result<Plan> plan(const std::string& text) {
  const environment::ReadFile none = [](const std::string& path) {
    return base::Result<std::string>(base::bad_input("no such file: " + path));
  };
  const auto loaded = environment::read(text, "/srv/shop/headroom.yaml", none);
  if (!loaded) return loaded.error();
  return plan_of(*loaded, "/srv/shop");
}

std::string faults(const base::Result<Plan>& plan) { return plan ? "" : base::to_string(plan.error()); }

const std::string kShop = R"(name: shop
zones: [a, b]
services:
  web:
    source: ./app
    build: make
    run: ./serve
    env: {GREETING: hello}
    secrets: {DB_PASSWORD: file:./db.secret}
    depends_on: [db]
    listen: 8080
    instance: {cpu: 0.2, memory: 64MiB}
    health: {path: /health, interval: 1s}
    scale: {initial: 2, min: 1, max: 6}
  db:
    source: ./db
    run: ./db
    instance: {cpu: 0.1}
)";

TEST(Plan, is_what_the_file_asks_of_this_machine) {
  const auto made = plan(kShop);
  ASSERT_TRUE(made) << faults(made);
  EXPECT_EQ(made->environment, "shop");
  EXPECT_EQ(made->zones, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(made->services.size(), 2U);
  EXPECT_EQ(made->services[0].service.name, "db") << "first what others need";
  const ServicePlan& web = made->services[1];
  EXPECT_EQ(web.source, "/srv/shop/app");
  EXPECT_EQ(web.version.secrets, (cloud_local::Variables{{"DB_PASSWORD", "/srv/shop/db.secret"}}));
  ASSERT_TRUE(web.service.listen);
  EXPECT_EQ(web.service.listen->port, 8080);
  EXPECT_EQ(web.initial, 2);
  EXPECT_EQ(web.max, 6);
}

TEST(Plan, names_everything_that_is_missing_at_its_place) {
  const std::string said = faults(plan("name: shop\nservices:\n  web:\n    listen: 8080\n"));
  EXPECT_NE(said.find("no command that runs an instance"), std::string::npos) << said;
  EXPECT_NE(said.find("no folder to deploy"), std::string::npos);
  EXPECT_NE(said.find("processor time"), std::string::npos);
  EXPECT_NE(said.find("headroom.yaml:4"), std::string::npos);
}

TEST(Plan, refuses_services_that_need_each_other) {
  const std::string said = faults(plan(R"(name: shop
services:
  a: {source: ., run: x, instance: {cpu: 0.1}, depends_on: [b]}
  b: {source: ., run: x, instance: {cpu: 0.1}, depends_on: [a]}
)"));
  EXPECT_NE(said.find("depends"), std::string::npos) << said;
}

TEST(Plan, refuses_what_does_not_run_here) {
  EXPECT_NE(
      faults(plan("name: shop\ncloud: aws\nservices:\n  a: {source: ., run: x, instance: {cpu: 0.1}}\n"))
          .find("does not run on this machine"),
      std::string::npos);
  EXPECT_NE(faults(plan("name: s\nservices:\n  a: {source: ., run: x, instance: {cpu: 0.1}, secrets: {P: "
                        "\"ssm:x\"}}\n"))
                .find("no ssm:"),
            std::string::npos);
}

// Names are parts of paths.
TEST(Plan, refuses_names_that_could_lead_elsewhere) {
  for (const std::string name : {"../etc", "a/b", "\"\"", "Shop", "a b", "-x"}) {
    EXPECT_NE(faults(plan("name: " + name + "\nservices:\n  a: {source: ., run: x, instance: {cpu: 0.1}}\n")),
              "")
        << name;
  }
}

// A start-up time that was measured is in the start of the real process; one that is written is added.
TEST(Plan, adds_the_start_up_time_that_is_written_here) {
  const auto made = plan(
      "name: s\nservices:\n  a: {source: ., run: x, instance: {cpu: 0.1}, capacity: {cpu_per_rpm: 0.1, "
      "startup: 5s}}\n");
  ASSERT_TRUE(made) << faults(made);
  EXPECT_EQ(made->services[0].version.boot, base::Milliseconds(5'000));
}

}  // namespace
}  // namespace headroom::daemon
