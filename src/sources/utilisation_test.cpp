#include "sources/utilisation.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sources/cgroup.hpp"
#include "sources/prometheus.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::sources {
namespace {

void put(const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text << '\n'; }

class Folder : public ::testing::Test {
 protected:
  store::TemporaryFolder folder;
  base::Nanoseconds now{0};
  Clock clock = [this] { return now; };
};

using CgroupFiles = Folder;

TEST_F(CgroupFiles, OfVersion2GiveTheUtilisationOfTheLimit) {
  put(folder.path() / "cpu.stat", "usage_usec 1000000\nuser_usec 1");
  put(folder.path() / "cpu.max", "20000 100000");
  auto source = utilisation_of("cgroup:" + folder.path().string(), clock);
  ASSERT_TRUE(source) << base::to_string(source.error());
  ASSERT_TRUE((*source)->since_last());
  now = std::chrono::seconds(10);
  put(folder.path() / "cpu.stat", "usage_usec 2000000\nuser_usec 1");
  // 1 s of CPU in 10 s with 0.2 cores allowed: 50 %.
  EXPECT_DOUBLE_EQ((*source)->since_last()->value(), 50);
  now = std::chrono::seconds(20);
  EXPECT_DOUBLE_EQ((*source)->since_last()->value(), 0);
  // 2.1 s in 10 s of 0.2 cores would be 105 %.
  now = std::chrono::seconds(30);
  put(folder.path() / "cpu.stat", "usage_usec 4100000\nuser_usec 1");
  EXPECT_DOUBLE_EQ((*source)->since_last()->value(), 100);
  std::filesystem::remove(folder.path() / "cpu.stat");
  EXPECT_FALSE((*source)->since_last());
}

TEST_F(CgroupFiles, OfVersion1GiveTheUtilisationOfTheLimit) {
  put(folder.path() / "cpuacct.usage", "0");
  put(folder.path() / "cpu.cfs_quota_us", "50000");
  put(folder.path() / "cpu.cfs_period_us", "100000");
  auto source = utilisation_of("cgroup:" + folder.path().string(), clock);
  ASSERT_TRUE(source) << base::to_string(source.error());
  ASSERT_TRUE((*source)->since_last());
  now = std::chrono::seconds(4);
  put(folder.path() / "cpuacct.usage", "1000000000");
  EXPECT_DOUBLE_EQ((*source)->since_last()->value(), 50);
}

TEST_F(CgroupFiles, OfVersion1MayStandInTwoHierarchies) {
  for (const char* hierarchy : {"cpu/web", "cpuacct/web"}) {
    std::filesystem::create_directories(folder.path() / hierarchy);
  }
  put(folder.path() / "cpuacct/web/cpuacct.usage", "0");
  put(folder.path() / "cpu/web/cpu.cfs_quota_us", "20000");
  put(folder.path() / "cpu/web/cpu.cfs_period_us", "100000");
  for (const char* hierarchy : {"cpu/web", "cpuacct/web"}) {
    put(folder.path() / "cpuacct/web/cpuacct.usage", "0");
    auto source = utilisation_of("cgroup:" + (folder.path() / hierarchy).string(), clock);
    ASSERT_TRUE(source) << base::to_string(source.error());
    ASSERT_TRUE((*source)->since_last());
    now += std::chrono::seconds(5);
    put(folder.path() / "cpuacct/web/cpuacct.usage", "500000000");
    // 0.5 s in 5 s with 0.2 cores: 50 %.
    EXPECT_DOUBLE_EQ((*source)->since_last()->value(), 50);
  }
}

TEST_F(CgroupFiles, OfNoGroupAreRefused) {
  EXPECT_FALSE(utilisation_of("cgroup:" + folder.path().string(), clock));
  EXPECT_FALSE(utilisation_of("cgroup:", clock));
  EXPECT_FALSE(utilisation_of("statsd:x", clock));
  EXPECT_FALSE(utilisation_of("prometheus:http://127.0.0.1:9", clock));
}

TEST(PrometheusAnswer, IsOneNumber) {
  EXPECT_DOUBLE_EQ(*number_of_answer(R"({"status":"success","data":{"resultType":"vector","result":[
    {"metric":{"job":"web"},"value":[1435781451.781,"42.5"]}]}})"),
                   42.5);
  EXPECT_DOUBLE_EQ(
      *number_of_answer(
          R"({"status":"success","data":{"resultType":"scalar","result":[1435781451.781,"1e1"]}})"),
      10);
}

TEST(PrometheusAnswer, OfAnotherKindIsRefused) {
  for (
      const std::string json :
      {"", "[]", "{}", R"({"status":"error","error":"parse error"})", R"({"status":"success"})",
       R"({"status":"success","data":{"resultType":"vector","result":[]}})",
       R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}})",
       R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1,"NaN"]}]}})",
       R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}})",
       R"({"status":"error","error":5})", R"({"status":5})", R"({"status":"success","data":5})",
       R"({"status":"success","data":{"resultType":7,"result":[5]}})",
       R"({"status":"success","data":{"resultType":"scalar","result":[1]}})"}) {
    EXPECT_FALSE(number_of_answer(json)) << json;
  }
}

}  // namespace
}  // namespace headroom::sources
