#include "daemon/kept_versions.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace headroom::daemon {
namespace {

TEST(KeptVersions, what_runs_and_what_came_before_and_the_newest_are_kept_of_each_service) {
  EnvironmentRecord record;
  record.services["web"].version = "v2";
  record.services["web"].previous = "v1";
  record.services["db"].version = "v1";
  std::vector<cloud_local::Version> versions;
  const auto define = [&](const std::string& service, int number) {
    cloud_local::Version version;
    version.service = service;
    version.name = fmt::format("v{}", number);
    versions.push_back(version);
  };
  define("db", 1);
  for (int number = 1; number <= 9; ++number) define("web", number);
  const auto kept = kept_versions(record, versions, 3);
  EXPECT_EQ(kept.at("web"), (std::set<std::string>{"v1", "v2", "v7", "v8", "v9"}));
  EXPECT_EQ(kept.at("db"), std::set<std::string>{"v1"});
}

}  // namespace
}  // namespace headroom::daemon
