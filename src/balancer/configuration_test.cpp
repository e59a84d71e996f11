// What is written for HAProxy, and read back.
#include "balancer/configuration.hpp"

#include <gtest/gtest.h>

#include <string>

namespace headroom::balancer {
namespace {

Settings settings() {
  Settings settings;
  settings.service = "web";
  settings.folder = "/var/lib/headroom/web";
  settings.binds = {{"127.0.0.1", 8080, {}}};
  return settings;
}

TEST(Configuration, is_read_back_as_it_was_written) {
  Members members;
  members.list = {{"web-1", "10.80.0.2:8080", false, false, true, true},
                  {"web-2", "[fd00::2]:8080", true, false, false, true},
                  {"web-3", "10.80.0.4:8080", false, true, false, false},
                  {"web-4", "10.80.0.5:8080"}};
  members.departed_server_errors = 12;
  members.process = {4711, 123'456'789};
  const std::string fixed = fixed_part(settings(), {});
  const Written written = read_configuration(fixed + members_part(settings(), members));
  EXPECT_EQ(written.fixed, fixed);
  EXPECT_EQ(written.members, members);
}

TEST(Configuration, starts_only_those_at_once_that_were_up) {
  Members members;
  members.list = {{"web-1", "10.80.0.2:8080", false, false, true, true},
                  {"web-2", "10.80.0.3:8080", false, false, false, true}};
  const std::string text = members_part(settings(), members);
  EXPECT_EQ(text.find(" disabled", text.find("web-1")), text.rfind(" disabled"));
  EXPECT_GT(text.find(" disabled"), text.find("web-2"));
}

TEST(Configuration, lines_that_were_not_written_so_are_left_out) {
  const std::string begin = members_part(settings(), {});
  for (const char* line : {"  server web-1\n", "  server web_1 10.0.0.1:1 #\n", "  server web-1 host:80 #\n",
                           "  server web-1 10.0.0.1:0 #\n", "  # departed: x\n", "server"}) {
    EXPECT_TRUE(read_configuration(begin + line).members.list.empty()) << line;
  }
  EXPECT_TRUE(read_configuration("").members.list.empty());
}

TEST(Configuration, another_setting_is_another_fixed_part) {
  const std::string before = fixed_part(settings(), {});
  Settings other = settings();
  other.health.path = "/health";
  EXPECT_NE(fixed_part(other, {}), before);
  other = settings();
  other.binds.push_back({"127.0.0.1", 8081, {}});
  EXPECT_NE(fixed_part(other, {}), before);
  EXPECT_NE(fixed_part(settings(), {true, 65'534, 65'534}), before);
}

TEST(SettingsOfABalancer, name_every_fault_at_once) {
  Settings wrong = settings();
  wrong.service = "web\nglobal";
  wrong.folder = "relative";
  wrong.sockets = "/" + std::string(90, 'x');
  wrong.binds = {{"localhost", 8080, {}}, {"127.0.0.1", 70'000, "/a'b"}};
  wrong.health.path = "/health' uri";
  wrong.timeouts.connect = base::Milliseconds(0);
  const auto checked = check(wrong);
  ASSERT_FALSE(checked);
  // Service, folder, socket, host, port, certificate, path, time.
  EXPECT_EQ(checked.error().faults.size(), 8U) << base::to_string(checked.error());
  EXPECT_TRUE(check(settings()));
}

TEST(SettingsOfABalancer, names_and_addresses_cannot_end_a_command) {
  EXPECT_TRUE(is_name("web-1"));
  for (const char* name : {"", "web 1", "web;quit", "web\n", "web/1", "<NOSRV>"}) EXPECT_FALSE(is_name(name));
  EXPECT_FALSE(is_name(std::string(64, 'a')));
  EXPECT_TRUE(is_address("127.0.0.1:80"));
  EXPECT_TRUE(is_address("[::1]:80"));
  for (const char* address : {"", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "host:80",
                              "127.0.0.1:80 check", "127.0.0.1:80;", "[127.0.0.1]:80", ":80"}) {
    EXPECT_FALSE(is_address(address)) << address;
  }
}

}  // namespace
}  // namespace headroom::balancer
