#include "sources/utilisation.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "load/loopback_listener.hpp"
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

TEST(PrometheusServer, IsAskedOverHttpForTheNumberOfTheQuery) {
  const load::LoopbackListener listener;
  std::string asked;
  std::thread server([&] {
    // Once when the source is opened, once when it is asked; each on a connection of its own.
    for (int i = 0; i < 2; ++i) {
      const int socket = listener.accepted();
      std::array<char, 4096> buffer{};
      const auto got = recv(socket, buffer.data(), buffer.size(), 0);
      asked.assign(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      const std::string json =
          R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1,"0.25"]}]}})";
      const std::string answer =
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(json.size()) +
          "\r\n\r\n" + json;
      send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
      close(socket);
    }
  });
  const std::string address = "127.0.0.1:" + std::to_string(listener.port());
  auto source = utilisation_of("prometheus:http://" + address + "?query=rate(cpu[10s]) + 0&unit=ratio", {});
  ASSERT_TRUE(source) << base::to_string(source.error());
  EXPECT_DOUBLE_EQ((*source)->since_last()->value(), 25);
  server.join();
  EXPECT_TRUE(asked.starts_with("GET /api/v1/query?query=rate%28cpu%5B10s%5D%29%20%2B%200 HTTP/1.1\r\n"))
      << asked;
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
