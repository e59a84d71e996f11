#include "daemon/preview.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>

#include "store/descriptor.hpp"
#include "store/temporary_folder.hpp"
#include "versions/artifact.hpp"
#include "versions/image.hpp"

namespace headroom::daemon {
namespace {

class PreviewOf : public testing::Test {
 protected:
  PreviewOf() {
    std::filesystem::create_directories(folder_.path() / "app");
    std::ofstream(folder_.path() / "app" / "run") << "first";
    plan_.environment = "shop";
    plan_.zones = {"a", "b"};
    ServicePlan web;
    web.service.name = web.version.service = "web";
    web.source = folder_.path() / "app";
    web.build = "make";
    web.initial = 3;
    web.max = 5;
    web.version.cores = base::Cores(0.1);
    plan_.services = {web};
  }

  std::filesystem::path state() const { return folder_.path() / "state"; }
  base::Result<Preview> made(const There& there) const {
    return preview({"/srv/shop/headroom.yaml", {}, false}, plan_, there, state());
  }
  // As `up` would have left it.
  There there() const {
    There there;
    there.record.emplace();
    there.record->name = "shop";
    there.record->file = "/srv/shop/headroom.yaml";
    there.record->services["web"] = {"web", 0, 2, {}, "v1", "", 1, false};
    cloud_local::Version version = plan_.services[0].version;
    version.name = "v1";
    const auto artifact = versions::inspect(plan_.services[0].source, state() / "artifacts");
    version.image =
        versions::image_of(state() / "images", versions::image_key(artifact->hash, plan_.services[0].build))
            .folder;
    there.versions = {version};
    return there;
  }

  store::TemporaryFolder folder_;
  Plan plan_;
};

// Three instances over two zones: the first has one more. 3 x 0.1 cores.
TEST_F(PreviewOf, what_is_new_names_its_first_version_and_its_zones) {
  const auto preview = made({});
  ASSERT_TRUE(preview);
  EXPECT_FALSE(preview->runs);
  const ServicePreview& web = preview->services.at(0);
  EXPECT_EQ(web.version, "v1");
  EXPECT_EQ(web.replaces, "");
  EXPECT_TRUE(web.builds);
  EXPECT_EQ(web.instances, 3);
  ASSERT_EQ(web.zones.size(), 2U);
  EXPECT_EQ(web.zones[0].instances, 2);
  EXPECT_EQ(web.zones[1].instances, 1);
  EXPECT_DOUBLE_EQ(preview->promised_cores, 3 * 0.1);
}

TEST_F(PreviewOf, what_runs_and_differs_in_nothing_stays) {
  const auto preview = made(there());
  ASSERT_TRUE(preview);
  const ServicePreview& web = preview->services.at(0);
  EXPECT_EQ(web.version, "v1");
  EXPECT_EQ(web.replaces, "v1");
  // As was asked for last, not as the file begins.
  EXPECT_EQ(web.instances, 2);
  EXPECT_EQ(web.instances_before, 2);
}

TEST_F(PreviewOf, another_content_is_the_next_version) {
  const There before = there();
  std::ofstream(folder_.path() / "app" / "run") << "second";
  const auto preview = made(before);
  ASSERT_TRUE(preview);
  EXPECT_EQ(preview->services.at(0).version, "v2");
  EXPECT_EQ(preview->services.at(0).replaces, "v1");
}

TEST_F(PreviewOf, a_service_that_the_file_no_longer_has_ends) {
  There before = there();
  before.record->services["old"].name = "old";
  EXPECT_EQ(made(before)->ends, (std::vector<std::string>{"old"}));
}

TEST_F(PreviewOf, what_up_would_refuse_is_refused) {
  There other = there();
  other.record->file = "/srv/other/headroom.yaml";
  EXPECT_FALSE(made(other));
  There with_zones = there();
  with_zones.record->zones = {{"a", 0}};  // "b" is new
  EXPECT_TRUE(made(with_zones));
  with_zones.record->zones["c"] = 2;
  EXPECT_FALSE(made(with_zones));
  plan_.services[0].version.cores = base::Cores(10'000);
  EXPECT_FALSE(made({}));
}

TEST_F(PreviewOf, a_port_that_somebody_holds_is_told) {
  const store::Descriptor holder(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(holder.number(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(holder.number(), 1), 0);
  ASSERT_EQ(::getsockname(holder.number(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  plan_.services[0].service.listen = balancer::Bind{"127.0.0.1", ntohs(address.sin_port), {}};
  const auto preview = made({});
  ASSERT_TRUE(preview);
  ASSERT_EQ(preview->warnings.size(), 1U);
  EXPECT_NE(preview->warnings[0].find("is in use"), std::string::npos) << preview->warnings[0];
  EXPECT_EQ(preview->services[0].address, "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
}

TEST_F(PreviewOf, nothing_is_written) {
  ASSERT_TRUE(made({}));
  EXPECT_FALSE(std::filesystem::exists(state()));
}

}  // namespace
}  // namespace headroom::daemon
